//! The index of everything that can go wrong: one line per error, with its HTTP status, its sentence, what to do, and
//! the words for a text message. A person reads these; the log gets the chain of causes beside them.

use serde::{Serialize, Serializer};
use std::fmt;

/// Which part of Lanyard an error belongs to, as the companion API sorts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Connection,
    Process,
    Session,
    Permission,
    System,
}

/// What the index says of one code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub name: &'static str,
    pub kind: Kind,
    pub status: u16,
    pub sentence: &'static str,
    pub suggestion: &'static str,
    /// Both in at most one GSM-7 segment (160 characters).
    pub sms: &'static str,
}

macro_rules! codes {
    ($($variant:ident $name:literal $kind:ident $status:literal $sentence:literal $suggestion:literal $sms:literal)+) => {
        /// Every error a person can meet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($variant),+ }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            pub fn entry(self) -> Entry {
                match self {
                    $(Code::$variant => Entry {
                        name: $name, kind: Kind::$kind, status: $status,
                        sentence: $sentence, suggestion: $suggestion, sms: $sms,
                    }),+
                }
            }

            /// The code whose name this is, as the store and the API write it.
            pub fn named(name: &str) -> Option<Code> {
                match name { $($name => Some(Code::$variant),)+ _ => None }
            }
        }
    };
}

codes! {
    // The agent and the model behind it
    ClaudeUnavailable "CLAUDE_UNAVAILABLE" Process 503
        "Claude Code could not be started in the sandbox." "Rebuild the sandbox image: lanyard image --rebuild."
        "Claude Code did not start. At the desk: lanyard doctor."
    AgentDied "AGENT_DIED" Process 502
        "Claude Code ended in the middle of a turn." "Send the message again; the conversation is kept."
        "The agent ended in the middle of that. Text it again; nothing said is lost."
    MemoryLimit "MEMORY_LIMIT" Process 502
        "Claude Code was ended because the sandbox ran out of memory." "Send the message again with less at once, or give the sandbox more: sandbox.size in the config."
        "The sandbox ran out of memory. Ask for less at once, or set sandbox.size at the desk."
    AgentSilent "AGENT_SILENT" Process 504
        "Claude Code said nothing for too long and was ended." "Send the message again, or look at the network with lanyard doctor."
        "The agent went silent and was ended. Text it again, or check the network at the desk."
    OutputCapped "OUTPUT_CAPPED" Process 413
        "The turn printed more than 10 MB; the rest was dropped." "Ask for less output, or have it written to a file."
        "That printed more than 10 MB; the rest was dropped. Ask for a summary."
    KeyRefused "KEY_REFUSED" Process 401
        "Anthropic refused the API key." "Check the key: lanyard config set-key anthropic, then lanyard doctor."
        "Anthropic refused the API key. Change it at the desk: lanyard config set-key anthropic."
    NoKey "NO_KEY" Process 401
        "There is no Anthropic key yet." "Put one in the keychain: lanyard config set-key anthropic."
        "There is no Anthropic key yet. At the desk: lanyard config set-key anthropic."
    CreditTooLow "CREDIT_TOO_LOW" Process 402
        "The Anthropic account has no credit left." "Add credit in Anthropic's console, then send the message again."
        "The Anthropic account is out of credit. Add some, then text again."
    RateLimited "MODEL_RATE_LIMITED" Process 429
        "Anthropic limits the rate of requests and the retries did not get through." "Wait a few minutes and send the message again."
        "Anthropic is limiting requests. Text again in a few minutes."
    Overloaded "MODEL_OVERLOADED" Process 503
        "Anthropic is overloaded and the retries did not get through." "Send the message again in a few minutes."
        "Anthropic is overloaded. Text again in a few minutes."
    ModelError "MODEL_ERROR" Process 502
        "Anthropic answered with a server error and the retries did not get through." "Send the message again; see status.anthropic.com if it stays."
        "Anthropic had a server error. Text again in a few minutes."
    PromptTooLong "PROMPT_TOO_LONG" Process 413
        "The conversation is too long for the model." "Start a new session, or compact this one."
        "This conversation got too long. Text new to start another."
    ModelUnavailable "MODEL_UNAVAILABLE" Process 404
        "The chosen model does not exist or this key may not use it." "Set another with agent.model in the config."
        "The chosen model is not available for this key. Set another at the desk."
    OutputLimit "OUTPUT_LIMIT" Process 502
        "The answer ran into the model's output limit." "Ask for the work in smaller pieces."
        "The answer ran into the output limit. Ask for smaller pieces."
    ModelRefused "MODEL_REFUSED" Process 400
        "Anthropic refused the request." "Look at lanyard logs for its words; a new session often helps."
        "Anthropic refused the request. Text new to start afresh."
    StreamBroken "STREAM_BROKEN" Process 502
        "The model's answer broke off." "Send the message again."
        "The answer broke off. Text it again."
    AgentError "AGENT_ERROR" Process 502
        "Claude Code reported an error." "Look at lanyard logs for its words, then send the message again."
        "Claude Code reported an error. Text it again, or look at the desk."
    Locked "LOCKED" Permission 423
        "Lanyard is locked." "Unlock it at the desk: in the window, in the tray, or with lanyard unlock."
        "Lanyard is locked. Unlock it at the desk, then text that again."
    SpendCap "SPEND_CAP" Permission 402
        "A spending limit is reached; the next request was refused." "Allow more where you are asked, or raise it under [spend] in the config."
        "A spending limit is reached. Allow more, or raise it at the desk."

    // Sandbox and engine
    NoEngine "NO_ENGINE" System 503
        "No Docker engine answers." "Start Docker (Docker Desktop, or systemctl start docker), then lanyard doctor."
        "Docker is not running at home. Start it at the desk; your message is kept."
    NoImage "NO_IMAGE" System 503
        "The sandbox image is missing and could not be built." "Run lanyard image and read its last lines."
        "The sandbox image is missing. At the desk: lanyard image. Your message is kept."
    SandboxFailed "SANDBOX_FAILED" System 503
        "The sandbox could not be started." "Run lanyard doctor; lanyard logs has the engine's words."
        "The sandbox did not start. At the desk: lanyard doctor. Your message is kept."
    SandboxPaused "SANDBOX_PAUSED" System 409
        "The sandbox is paused." "Resume it from the tray or with lanyard resume."
        "The sandbox is paused. Resume it at the desk; your message is kept."
    WorkspaceRefused "WORKSPACE_REFUSED" System 400
        "The workspace folder cannot be used." "Choose a folder that exists and belongs to you: sandbox.workspace in the config."
        "The workspace folder cannot be used. See the desk."
    HostBlocked "HOST_BLOCKED" Permission 403
        "The sandbox may not reach this host." "Add it to egress.allow in the config if it should."
        "The sandbox may not reach that host. Allow it at the desk."
    PushBlocked "PUSH_BLOCKED" Permission 403
        "The owner did not allow this push to a protected branch." "Push to another branch, or ask the owner."
        "That push to a protected branch was not allowed."
    BadSandboxToken "BAD_SANDBOX_TOKEN" Permission 401
        "The request carried no sandbox token that is known." "Restart the session; tokens live as long as their process."
        "An unknown sandbox token was refused."
    UpstreamUnreachable "UPSTREAM_UNREACHABLE" Connection 502
        "The far side could not be reached from this computer." "Check the network; lanyard doctor tries it."
        "Home has no network right now. Your message is kept."

    // Sessions and approvals
    UnknownSession "UNKNOWN_SESSION" Session 404
        "There is no such session." "lanyard sessions lists them; by text: list."
        "There is no such session. Text list to see them."
    SessionClosed "SESSION_CLOSED" Session 409
        "This session is closed." "Start a new one, or resume it: its history is kept."
        "That session is closed. Text new to start another."
    SessionLimit "SESSION_LIMIT" Session 429
        "As many sessions are at work as may be at once." "Close one, go on in one of them, or raise limits.sessions in the config."
        "Too many sessions are at work. Go on in one (text list), or close one at the desk."
    Busy "BUSY" Session 429
        "Too many messages wait in this session." "Wait for the agent, or stop its turn first."
        "Too many messages wait already. Text halt to stop the turn."
    UnknownAgent "UNKNOWN_AGENT" Session 404
        "There is no such agent." "GET /api/info lists them; claude is always there."
        "There is no such agent. Text new to start with the usual one."
    ClientIdUsed "CLIENT_ID_USED" Session 409
        "This client_id was used for something else before." "Give every message a client_id of its own."
        "That was sent before as something else."
    UnknownApproval "UNKNOWN_APPROVAL" Permission 404
        "There is no such open approval." "lanyard approve lists those that are open."
        "There is nothing open to answer."
    ApprovalGone "APPROVAL_GONE" Permission 409
        "This approval was answered, withdrawn or ran out before." "Look at the session: the agent may have asked again."
        "That question is closed already."
    ApprovalChanged "APPROVAL_CHANGED" Permission 409
        "The answer names another input than the one that is asked." "Look at what is asked now and answer that."
        "What is asked has changed. Look again before you answer."
    GrantRefused "GRANT_REFUSED" Permission 403
        "This channel may refuse this, but not grant it." "Grant it on a paired phone, or at the desk: lanyard approve."
        "That is too risky to grant by text. Allow it on a paired phone or at the desk: lanyard approve. A no works for everything."

    PinNeeded "PIN_NEEDED" Permission 403
        "On a phone, allowing this needs your PIN." "Send it with the answer, or allow it at the desk."
        "Allowing that needs your PIN: open it on a paired phone, or allow it at the desk."
    PinWrong "PIN_WRONG" Permission 403
        "That is not your PIN." "Try again, or allow it at the desk."
        "That is not your PIN. Try again, or allow it at the desk."
    PinLocked "PIN_LOCKED" Permission 429
        "There were too many wrong PINs." "Try again later, or allow it at the desk."
        "There were too many wrong PINs. Try again later, or allow it at the desk."
    PinMissing "PIN_MISSING" Permission 403
        "Allowing this on a phone needs a PIN, and none is set." "Set one at the desk (lanyard pin set), or allow it there."
        "Allowing that needs a PIN, and none is set. At the desk: lanyard pin set."
    TurnRunning "TURN_RUNNING" Session 409
        "An agent is at work; this would end its turn." "Wait for it, stop its turn, or do it all the same (force)."
        "An agent is at work. Text halt to stop its turn first."

    // Tasks
    UnknownTask "UNKNOWN_TASK" Session 404
        "There is no such task." "lanyard task list shows them; by text: tasks."
        "There is no such task. Text tasks to see them."
    TaskOver "TASK_OVER" Session 409
        "The sandbox of this task is gone." "Run the task again, with more words if you like: lanyard task retry."
        "That task's sandbox is gone. Text retry and its number to run it again."
    TaskState "TASK_STATE" Session 409
        "The task is elsewhere by now." "Look at where it stands: lanyard task list."
        "That task is elsewhere by now. Text tasks to see."
    RepositoryRefused "REPOSITORY_REFUSED" Session 404
        "The repository is not there, or not for this account." "Check its name, and that the account's token may see it."
        "That repository is not there, or your account may not see it."
    CloneFailed "CLONE_FAILED" Session 502
        "The repository could not be cloned." "Run the task again; the detail says what git said."
        "Cloning failed. Text retry and the number to try again."
    SetupFailed "SETUP_FAILED" Session 422
        "The repository's own set-up failed." "Look at its devcontainer.json or .lanyard.toml; the session has what was printed."
        "The repository's own set-up failed. Look at it on your phone."
    TestsFailed "TESTS_FAILED" Session 422
        "The repository's own tests failed." "Look at the session, and run the task again with more words."
        "Its tests failed. Text retry, the number, : and more words."
    MergeConflict "MERGE_CONFLICT" Session 409
        "The branch is in conflict with where it is to go." "Resolve it by hand, or run the task again."
        "That is in conflict with what others did meanwhile. Text retry and the number to try again."
    TaskTooLong "TASK_TOO_LONG" Session 504
        "The task took longer than it may." "Give it more time (tasks.minutes), or ask for less at once."
        "That took longer than a task may. Ask for less at once."
    NothingChanged "NOTHING_CHANGED" Session 422
        "The agent changed nothing." "Read what it said, and run the task again with more words."
        "It changed nothing. Text retry, the number, : and more words."
    PushRefused "PUSH_REFUSED" Session 502
        "The branch could not be pushed." "Check that the account may write to the repository, then run the task again."
        "The push was refused. May your account write there?"
    ForgeRefused "FORGE_REFUSED" Connection 502
        "The forge refused that." "Check the account's token and what it may do."
        "The forge refused that. Check the account at the desk."
    NoForge "NO_FORGE" Session 401
        "There is no token for this forge yet." "Keep one: lanyard config set-key github, or as tasks.forges says."
        "There is no token for that forge yet. Keep one at the desk."

    // Doors
    BadSignature "BAD_SIGNATURE" Permission 403
        "The request is not signed by Twilio for this address." "Check that public_url is exactly the address in Twilio's console, and the auth token."
        "A text with a wrong signature was refused."
    BadForm "BAD_FORM" Connection 400
        "The form could not be read." "Send application/x-www-form-urlencoded in UTF-8, as Twilio does."
        "A message could not be read."
    TooLarge "TOO_LARGE" Connection 413
        "The request is too large." "Send less in one request."
        "That was too large. Send less at once."
    WrongHost "WRONG_HOST" Connection 421
        "This host name is not ours." "Use the address that lanyard status shows."
        "Wrong address."
    NotFound "NOT_FOUND" Connection 404
        "There is nothing at this address." "Check the address; links run out after a while."
        "There is nothing at that address."
    LinkExpired "LINK_EXPIRED" Permission 410
        "This link has run out." "Text more for a new one."
        "That link has run out. Text more for a new one."
    TooManyRequests "TOO_MANY_REQUESTS" Connection 429
        "Too many requests." "Wait a moment and try again."
        "Slow down a little; that message was kept."
    BadRequest "BAD_REQUEST" Connection 400
        "The request could not be understood." "Compare it with the API description."
        "That could not be understood. Text menu for what can."
    WrongMethod "WRONG_METHOD" Connection 405
        "This address does not take this method." "Compare it with the API description."
        "That could not be understood. Text menu for what can."

    WrongType "WRONG_TYPE" Connection 415
        "The body is not of the type that is taken here." "Send JSON with content-type application/json."
        "That could not be understood. Text menu for what can."

    // Phones and tokens
    NotPaired "NOT_PAIRED" Permission 401
        "The request carries no token that is known." "Pair this device, or get a new access token with the refresh token."
        "A device that is not paired was refused."
    TokenExpired "TOKEN_EXPIRED" Permission 401
        "The access token has run out." "Get a new one with the refresh token."
        "An access token has run out."
    PhoneRevoked "PHONE_REVOKED" Permission 401
        "This phone may not come in any more." "Pair it again at the desk: lanyard pair."
        "That phone was revoked. Pair it again at the desk."
    ScopeMissing "SCOPE_MISSING" Permission 403
        "This phone or token may not do that." "The owner can allow it at the desk: lanyard phones."
        "That phone may not do that. Allow it at the desk."
    PairingFailed "PAIRING_FAILED" Permission 403
        "The pairing code is wrong, was used, or has run out." "Show a new one at the desk and scan that: lanyard pair."
        "That pairing code does not work. Show a new one at the desk."
    SignatureWrong "SIGNATURE_WRONG" Permission 401
        "The request is not signed by this phone's key." "Pair the phone again if its browser forgot the key."
        "A phone's signature was wrong."
    ClockWrong "CLOCK_WRONG" Permission 401
        "The signature's time is too far from this computer's." "Sign again with the time in details.now."
        "A phone's clock is wrong."
    TurnTimeout "TURN_TIMEOUT" Process 504
        "The turn took longer than it may." "Ask for less at once, or raise limits.turn_minutes in the config."
        "That took too long and was stopped. Ask for less at once."

    // Accounts
    TwilioRefused "TWILIO_REFUSED" Connection 502
        "Twilio refused the request." "lanyard doctor shows Twilio's code and what it means."
        "Twilio refused the message."
    TwilioUnreachable "TWILIO_UNREACHABLE" Connection 502
        "Twilio could not be reached." "Nothing is lost: it is tried again. Check the network."
        "Twilio could not be reached."
    TwilioMissing "TWILIO_MISSING" System 503
        "No Twilio account is set up." "Set [twilio] in the config and lanyard config set-key twilio."
        "No Twilio account is set up."
    OptedOut "OPTED_OUT" Permission 403
        "This number has opted out of messages." "The owner texts START to the number to opt in again."
        "This number has opted out."
    PictureRefused "PICTURE_REFUSED" Session 415
        "The picture could not be used." "Send a JPEG, PNG, GIF or WebP of at most 5 MB."
        "That picture could not be used. Send JPEG or PNG up to 5 MB."
    KeychainUnavailable "KEYCHAIN_UNAVAILABLE" System 503
        "The keychain cannot be used." "Unlock it, or on a server use an environment variable or a file of mode 0600."
        "The keychain at home is locked. Unlock it at the desk."

    // The public address
    TunnelNoToken "TUNNEL_NO_TOKEN" System 401
        "There is no ngrok authtoken yet." "Copy it from dashboard.ngrok.com and put it in the keychain: lanyard config set-key ngrok."
        "There is no ngrok token yet. At the desk: lanyard config set-key ngrok."
    TunnelTokenRefused "TUNNEL_TOKEN_REFUSED" Connection 401
        "ngrok refused the authtoken." "Copy it again from dashboard.ngrok.com: lanyard config set-key ngrok."
        "ngrok refused its token. At the desk: lanyard config set-key ngrok."
    TunnelAgentLimit "TUNNEL_AGENT_LIMIT" Connection 429
        "As many ngrok agents are online as the account allows." "Stop one at dashboard.ngrok.com/agents; the tunnel then opens by itself."
        "Too many ngrok agents are online. Stop one in ngrok's dashboard."
    TunnelTaken "TUNNEL_TAKEN" Connection 409
        "Another agent is online at this address." "Stop it there, at dashboard.ngrok.com/endpoints, or choose another domain; it is tried again by itself."
        "Another agent holds the tunnel's address. Stop it in ngrok's dashboard."
    TunnelDomainRefused "TUNNEL_DOMAIN_REFUSED" Connection 403
        "The domain does not belong to this ngrok account." "Use one listed at dashboard.ngrok.com/domains, or leave the domain out of the config."
        "The tunnel's domain is not this ngrok account's. Change it at the desk."
    TunnelLimit "TUNNEL_LIMIT" Connection 429
        "The ngrok account has used up what its plan allows." "It starts anew each month; dashboard.ngrok.com/billing shows the plan. It is tried again by itself."
        "The ngrok plan is used up for now. See ngrok's billing page."
    TunnelOutdated "TUNNEL_OUTDATED" System 426
        "ngrok does not take this version any more." "Update Lanyard."
        "ngrok wants a newer Lanyard. Update it at the desk."
    TunnelStopped "TUNNEL_STOPPED" Connection 503
        "The tunnel was stopped from ngrok's side." "Switch it on again when it should be; dashboard.ngrok.com says more."
        "The tunnel was stopped from ngrok's dashboard. Switch it on at the desk."
    TunnelRefused "TUNNEL_REFUSED" Connection 502
        "ngrok refused the tunnel." "Its code is explained at ngrok.com/docs/errors; it is tried again by itself."
        "ngrok refused the tunnel. lanyard doctor says more."
    TunnelUnreachable "TUNNEL_UNREACHABLE" Connection 502
        "ngrok cannot be reached." "Check the network; it is tried again by itself."
        "Home cannot reach ngrok right now. It is tried again."
    TunnelUntrusted "TUNNEL_UNTRUSTED" Connection 502
        "What answered is not ngrok: its certificate is not one of ngrok's." "A proxy or virus scanner may open TLS on this network; let connect.ngrok-agent.com pass it untouched."
        "Something stands between home and ngrok. See the desk."
    TunnelPageInTheWay "TUNNEL_PAGE_IN_THE_WAY" Connection 502
        "ngrok shows browsers a page of its own before ours." "Tap Visit Site once on each phone, or use an ngrok plan without that page; texting is not touched."
        "ngrok shows its own page first. Tap Visit Site once."
    WebhookUnproved "WEBHOOK_UNPROVED" Connection 502
        "Texts to your number may not reach this computer." "lanyard doctor says what is in the way; lanyard tunnel on tries again."
        "Your number does not lead home yet. See the desk."
    LanUnavailable "LAN_UNAVAILABLE" System 503
        "The door on the local network cannot be reached." "lanyard lan says what holds it up; the tunnel is not touched."
        "The local network door is closed at home."
    LanCertificate "LAN_CERTIFICATE" System 500
        "The local network's certificate could not be made or read." "Make a new one: lanyard config remove-key lan, then lanyard lan on; the phones need it once more."
        "The local network's certificate is broken. See the desk."

    // Newer versions of Lanyard
    UpdatesOff "UPDATES_OFF" System 409
        "This Lanyard does not update itself." "Update it the way it was installed."
        "That Lanyard does not update itself."
    UpdateUnreachable "UPDATE_UNREACHABLE" Connection 502
        "The place that updates come from could not be reached." "Check the network, then look again; it is also tried again by itself."
        "Home could not look for an update."
    UpdateUnreadable "UPDATE_UNREADABLE" Connection 502
        "What answered is no list of updates." "Look again later; this version goes on working."
        "Home could not read the list of updates."
    UpdateNotForHere "UPDATE_NOT_FOR_HERE" System 404
        "There is a newer version, but not for this kind of computer or package." "Install it by hand from where you got Lanyard."
        "The newer Lanyard is not there for this computer."
    UpdateRefused "UPDATE_REFUSED" System 422
        "The update is not what Lanyard's makers signed for this version, so it was thrown away." "Nothing was changed. Look again later; if it stays, install it by hand from where you got Lanyard."
        "An update was wrongly signed and thrown away."
    UpdateNotInstalled "UPDATE_NOT_INSTALLED" System 500
        "The update could not be put in place." "This version goes on as it was. Try again, or install it by hand."
        "The update could not be put in place. Home goes on as it was."
    UpdateNotAllowed "UPDATE_NOT_ALLOWED" Permission 403
        "The system did not allow the update to be installed." "Try again and give the password that it asks for, or install the package by hand."
        "The system did not allow the update."
    UpdateTakenBack "UPDATE_TAKEN_BACK" System 500
        "The new version ended twice before it was up, so this one was put back." "Wait for the next one; lanyard logs and the system's own log say more."
        "The new version did not start; the old one is back."

    // The machine
    ConfigInvalid "CONFIG_INVALID" System 400
        "The config file has an error." "Mend the line it names; lanyard config shows every key with its default."
        "The config has an error. See the desk."
    DatabaseDamaged "DATABASE_DAMAGED" System 500
        "The database is damaged." "Put it aside, then restore a backup in its place or start anew without one."
        "The database at home is damaged. See the desk."
    DiskFull "DISK_FULL" System 507
        "The disk is full." "Free some space; Lanyard goes on by itself."
        "The disk at home is full. Free some space; nothing was lost that was acknowledged."
    AlreadyRunning "ALREADY_RUNNING" System 409
        "Lanyard is running already." "Use the one that runs: lanyard status."
        "Lanyard is running already."
    NotRunning "NOT_RUNNING" System 503
        "Lanyard is not running." "Start it: lanyard serve."
        "Lanyard is not running."
    PortTaken "PORT_TAKEN" System 409
        "The address to listen on is taken." "Choose another with server.listen in the config."
        "The port is taken at home."
    Internal "INTERNAL" System 500
        "Something went wrong inside Lanyard." "lanyard logs has the details; please report it."
        "Something went wrong at home. It is in the log."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().name)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.entry().name)
    }
}

/// An error as a person reads it: what went wrong here, and what to do. Made from a [`Code`]; `detail` adds the
/// particulars (a file name, the engine's sentence) and never repeats the code's sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub code: Code,
    pub message: String,
    pub suggestion: String,
}

impl Problem {
    pub fn with_detail(code: Code, detail: impl fmt::Display) -> Self {
        let entry = code.entry();
        let detail = detail.to_string();
        let message = match detail.trim() {
            "" => entry.sentence.to_owned(),
            detail => format!("{} {detail}", entry.sentence),
        };
        Self { code, message, suggestion: entry.suggestion.to_owned() }
    }

    /// Replaces the index's suggestion by one that fits this case better.
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = suggestion.into();
        self
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::with_detail(code, "")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  {}", self.code, self.message, self.suggestion)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segments;

    #[test]
    fn every_code_has_its_status_sentence_suggestion_and_words_for_sms() {
        for code in Code::ALL {
            let e = code.entry();
            assert!((400..600).contains(&e.status), "{code}: status");
            assert!(e.sentence.ends_with('.') && e.sentence.len() > 10, "{code}: sentence");
            assert!(e.suggestion.ends_with('.') && e.suggestion.len() > 10, "{code}: suggestion");
            assert_eq!(segments::count(e.sms).segments, 1, "{code}: sms fits one segment");
            assert_eq!(Code::named(e.name), Some(*code), "{code}: name is its own");
        }
    }
}
