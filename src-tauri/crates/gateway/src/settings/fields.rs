//! Every key of the config as a form shows it: one table, in the form's order. The kind and the default come from
//! `Written` itself, and a test proves that no key is left out.

use crate::{
    config::Written,
    wire::desk::{Field, FieldChoice, FieldKind},
};
use serde_json::Value;

/// When a change holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    AtOnce,
    AfterRestart,
}

/// A line of the table.
struct Line {
    key: &'static str,
    section: &'static str,
    label: &'static str,
    help: &'static str,
    unit: Option<&'static str>,
    /// Value and label, where only these may be chosen.
    choices: &'static [(&'static str, &'static str)],
    advanced: bool,
    /// A text of several lines.
    long: bool,
    holds: Holds,
}

const fn line(section: &'static str, key: &'static str, label: &'static str, help: &'static str) -> Line {
    Line {
        key,
        section,
        label,
        help,
        unit: None,
        choices: &[],
        advanced: false,
        long: false,
        holds: Holds::AfterRestart,
    }
}

impl Line {
    const fn unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    const fn of(self, choices: &'static [(&'static str, &'static str)]) -> Self {
        Self { choices, ..self }
    }

    /// For those who know what it is.
    const fn advanced(self) -> Self {
        Self { advanced: true, ..self }
    }

    const fn long(self) -> Self {
        Self { long: true, ..self }
    }

    const fn at_once(self) -> Self {
        Self { holds: Holds::AtOnce, ..self }
    }
}

const GRANTS: &[(&str, &str)] =
    &[("none", "Nothing"), ("low", "Low risk"), ("medium", "Up to medium risk"), ("high", "Everything")];
const PINS: &[(&str, &str)] =
    &[("none", "Never"), ("high", "For high risk"), ("medium", "From medium risk on"), ("low", "For everything")];
const MODES: &[(&str, &str)] = &[
    ("default", "Ask before it changes or runs something"),
    ("acceptEdits", "Edit files without asking"),
    ("plan", "Plan only"),
    ("bypassPermissions", "Never ask"),
];
const SIZES: &[(&str, &str)] = &[
    ("small", "Small: 1 processor, 2 GB"),
    ("medium", "Medium: 2 processors, 4 GB"),
    ("large", "Large: 4 processors, 8 GB"),
];
const PRESETS: &[(&str, &str)] = &[
    ("open", "Open: every public host is reached"),
    ("balanced", "Balanced: packages are fetched, you are asked for all else"),
    ("locked", "Locked: nothing else is reached, and you are not asked"),
];
const CARRIERS: &[(&str, &str)] = &[
    ("auto", "As the engine needs"),
    ("socket", "Socket: the engine is on this Linux"),
    ("exec", "Exec: Docker Desktop or a remote engine"),
];
const FORMATS: &[(&str, &str)] = &[("pretty", "For people"), ("json", "JSON")];

const SPENDING: &str = "Spending";
const APPROVALS: &str = "Approvals";
const AGENT: &str = "Agent";
const SANDBOX: &str = "Sandbox";
const TEXTING: &str = "Texting";
const TASKS: &str = "Tasks";
const PUSH: &str = "Notifications";
const ADDRESS: &str = "Public address";
const LAN: &str = "Local network";
const API: &str = "API";
const PROGRAM: &str = "Program";

#[rustfmt::skip]
const TABLE: &[Line] = &[
    line(SPENDING, "spend.turn", "Limit of a turn", "Once one turn has spent this, the next request to the model is refused and you are asked for more.").unit("dollars").at_once(),
    line(SPENDING, "spend.session", "Limit of a session", "The same for one session.").unit("dollars").at_once(),
    line(SPENDING, "spend.day", "Limit of a day", "The same for everything since your midnight.").unit("dollars").at_once(),
    line(SPENDING, "spend.month", "Limit of a month", "The same for everything since the first of the month.").unit("dollars").at_once(),
    line(SPENDING, "spend.warn_percent", "Tell at", "You are told when this much of a limit is spent. 100: only when it is reached.").unit("percent").at_once(),
    line(SPENDING, "spend.prices", "Your own prices", "Before the list that Lanyard brings along, as in claude-opus-9 5 25 0.5: dollars for a million tokens of input, output and cache reads. A model that is in neither counts as the dearest.").advanced().at_once(),
    line(SPENDING, "spend.turn_tokens", "Tokens of a turn", "For a subscription: tokens of all kinds. 0: no such limit.").unit("tokens").advanced().at_once(),
    line(SPENDING, "spend.session_tokens", "Tokens of a session", "The same for one session.").unit("tokens").advanced().at_once(),
    line(SPENDING, "spend.day_tokens", "Tokens of a day", "The same for everything since your midnight.").unit("tokens").advanced().at_once(),
    line(SPENDING, "spend.month_tokens", "Tokens of a month", "The same for everything since the first of the month.").unit("tokens").advanced().at_once(),

    line(APPROVALS, "approvals.sms_grants", "A text may allow", "The highest risk a text message may say yes to. No works for everything.").of(GRANTS).at_once(),
    line(APPROVALS, "approvals.lock_screen_grants", "A lock screen may allow", "The same for yes on a phone's lock screen, where only what the notice shows whole may be allowed, once.").of(GRANTS).at_once(),
    line(APPROVALS, "approvals.pin_from", "A phone needs your PIN", "From this risk on a phone's yes needs the PIN that you set here, and a text is not enough.").of(PINS).at_once(),
    line(APPROVALS, "approvals.tiers", "Your own tiers", "free, low, medium or high and what for, as in high Bash(terraform *), free Bash(npm run check), high Edit(infra/*), high host *.prod.example or high spend 20. free is not asked about. The first that fits counts.").at_once(),
    line(APPROVALS, "approvals.approvers", "Numbers that may say yes", "Of those that may text. Empty: all of them. No works from every number.").at_once(),
    line(APPROVALS, "approvals.expire_minutes", "A question waits", "Unanswered for this long, it counts as no.").unit("minutes"),

    line(AGENT, "agent.model", "Model", "As Claude Code names it: opus, sonnet, haiku or a full name. Empty: Claude Code's own choice."),
    line(AGENT, "agent.mode", "Without asking", "How much the agent may do without asking you, in a new session.").of(MODES),
    line(AGENT, "agent.instructions", "Instructions", "Added to Claude Code's system prompt in every session.").long(),
    line(AGENT, "limits.sessions", "Sessions at once", "How many sessions may have a running agent at the same time.").unit("sessions"),
    line(AGENT, "limits.turn_minutes", "A turn may take", "It is stopped after this; the time you take to answer does not count.").unit("minutes"),
    line(AGENT, "limits.memory_gb", "Memory of a session", "That its agent and its commands may use together; over it the largest command is ended. 0: three quarters of the sandbox's.").unit("gigabytes").advanced(),
    line(AGENT, "limits.processor_minutes", "Processor time of a command", "A command that computes for longer is ended.").unit("minutes").advanced(),
    line(AGENT, "limits.file_gb", "Largest file", "That an agent or its commands may write.").unit("gigabytes").advanced(),
    line(AGENT, "limits.free_gb", "Tell when less is free", "On the sandbox's disk.").unit("gigabytes").advanced(),
    line(AGENT, "agent.spare", "Keep one agent ready", "One agent is started ahead, so that a new session answers at once. It costs some memory."),
    line(AGENT, "agent.idle_minutes", "An idle agent ends after", "Its session goes on when you write again.").unit("minutes").advanced(),
    line(AGENT, "agent.silence_minutes", "A silent turn ends after", "Without a sign of life while the model is waited for.").unit("minutes").advanced(),
    line(AGENT, "agent.tool_silence_minutes", "A silent tool ends its turn after", "Without a sign of life while a tool runs.").unit("minutes").advanced(),
    line(AGENT, "agent.waiting", "Messages that may wait", "In one session, while its agent is at work.").unit("messages").advanced(),
    line(AGENT, "agent.model_retries", "Tries again", "How often Claude Code itself tries a failed request again.").unit("times").advanced(),
    line(AGENT, "anthropic.base_url", "Where the model is", "Anthropic's API, or another that speaks it.").advanced(),

    line(SANDBOX, "sandbox.workspace", "Folder to work in", "A folder of yours that the agent sees and changes. Empty: one inside the sandbox."),
    line(SANDBOX, "sandbox.size", "Size", "Memory and processors of the sandbox, for all sessions in it together.").of(SIZES),
    line(SANDBOX, "egress.preset", "Other hosts", "What becomes of a host that none of the rules below names.").of(PRESETS).at_once(),
    line(SANDBOX, "egress.allow", "Hosts it may reach", "Without asking you, as name, *.name or name:port. In front may stand methods (GET,HEAD), behind it private, for one on your own network, and agent=NAME.").at_once(),
    line(SANDBOX, "egress.deny", "Hosts it may not reach", "In the same words. These go before everything else.").at_once(),
    line(SANDBOX, "egress.ask_seconds", "A connection waits for your answer", "When a program in the sandbox wants another host. 0: it is refused, and you are not asked.").unit("seconds").at_once(),
    line(SANDBOX, "egress.credentials", "Your credentials for other hosts", "Put on requests outside of the sandbox, as in github.com/acme basic=x-access-token secret=github. Instead of secret=NAME, in the keychain, command=WORDS is a command of yours that prints it.").at_once(),
    line(SANDBOX, "egress.protected", "Protected branches", "A push there asks you first. release/* is all that begin so.").at_once(),
    line(SANDBOX, "sandbox.uid", "User id inside", "0: yours, or 1000 if you are root.").advanced(),
    line(SANDBOX, "sandbox.engine", "Docker engine", "A socket's path or a DOCKER_HOST address. Empty: DOCKER_HOST, then the usual socket.").advanced(),
    line(SANDBOX, "sandbox.base", "Base image", "What the sandbox image is built from.").advanced(),
    line(SANDBOX, "sandbox.carrier", "How bytes leave", "The way from the sandbox to the gateway.").of(CARRIERS).advanced(),

    line(TEXTING, "twilio.account_sid", "Twilio account", "Its SID: AC and 32 characters, on the first page of Twilio's console. Empty: no texting.").at_once(),
    line(TEXTING, "twilio.from", "Your Twilio number", "As +15551230000, a whatsapp: address, or a Messaging Service's SID (MG...).").at_once(),
    line(TEXTING, "twilio.allow", "Who may text", "Numbers as +15551230001. Everybody else meets silence. The first gets the texts that Lanyard sends by itself.").at_once(),
    line(TEXTING, "sms.segments", "Segments of an answer", "160 plain letters each, and each costs. The rest comes with \"more\" and by link.").unit("segments"),
    line(TEXTING, "sms.per_minute", "Messages a minute", "From one number; those above it are kept and done later.").unit("messages").advanced(),
    line(TEXTING, "sms.agent_per_hour", "Texts of agents an hour", "Questions and pictures texted to one number; further ones are kept, not texted.").unit("texts").advanced(),
    line(TEXTING, "sms.link_minutes", "A link works for", "A link in a text.").unit("minutes").advanced(),
    line(TEXTING, "sms.picture_minutes", "A picture's address works for", "The address from which Twilio fetches a picture.").unit("minutes").advanced(),
    line(TEXTING, "twilio.base_url", "Twilio's API", "Another than Twilio's own only for tests.").advanced().at_once(),

    line(TASKS, "tasks.at_once", "Tasks at once", "The others wait in the queue.").unit("tasks"),
    line(TASKS, "tasks.mode", "Without asking", "How much a task's agent may do without asking you. Its sandbox is its own and goes away; hosts, pushes to protected branches and money are asked for all the same.").of(MODES),
    line(TASKS, "tasks.minutes", "A task may take", "It is stopped after this; the time you take to answer does not count.").unit("minutes"),
    line(TASKS, "tasks.test_minutes", "Its tests may take", "One run of the repository's own tests.").unit("minutes").advanced(),
    line(TASKS, "tasks.fix_checks", "Hand failed checks back", "How often checks that fail on a pull request are handed back to the agent without asking you. 0: you are asked.").unit("times"),
    line(TASKS, "tasks.keep_hours", "Keep what failed", "The sandbox of a task that failed is kept for as long, to be looked into.").unit("hours"),
    line(TASKS, "tasks.spare", "Keep a sandbox ready", "The next task begins at once. It costs a little memory."),
    line(TASKS, "tasks.mirrors_gb", "Copies of repositories", "Kept on this computer, so that a second clone is quick.").unit("gigabytes").advanced(),
    line(TASKS, "tasks.forges", "Forges", "Beside github.com and gitlab.com, as in git.example gitlab secret=work: host, github or gitlab, and whose token.").advanced(),
    line(TASKS, "tasks.images", "Images of repositories", "Those that a repository may have its tasks run on, as in rust:1.90 or ghcr.io/acme/*. What is in one the agent can read.").advanced(),
    line(TASKS, "tasks.github_app", "GitHub app", "The client id of an app that may sign you in by device flow. Without one, keep a fine-grained token under Accounts.").advanced(),

    line(PUSH, "push.text_after", "Text instead after", "A notification that no phone has shown by then becomes a text.").unit("seconds"),
    line(PUSH, "push.contact", "Contact", "Whom push services may write to about trouble, as mailto:me@example.com; Apple's wants one. Empty: the public address.").advanced(),
    line(PUSH, "push.base_url", "Push service", "One that is not out in the world, only for tests. Empty: those of the browsers.").advanced(),

    line(ADDRESS, "tunnel.domain", "ngrok domain", "One of your account's, as name.ngrok-free.dev. Empty: the one your account has.").at_once(),
    line(ADDRESS, "tunnel.enabled", "Tunnel on at first", "Until it is switched for the first time; from then on its switch counts.").advanced(),
    line(ADDRESS, "tunnel.set_webhook", "Lead the number here", "The Twilio number's webhook follows the tunnel's address by itself, and is proved."),
    line(ADDRESS, "server.public_url", "Address without a tunnel", "Where your own reverse proxy leads here, exactly as Twilio has it. Empty: none."),
    line(ADDRESS, "server.listen", "Listen on", "Address and port on this computer, for the tunnel and your own reverse proxy. Port 0: a free one.").advanced(),
    line(ADDRESS, "tunnel.edge", "ngrok's edge", "Another way into ngrok than its usual one, as connect.example.com:443.").advanced(),
    line(ADDRESS, "tunnel.edge_ca", "CA of the edge", "The file (PEM) of the CA that vouches for that edge.").advanced(),

    line(LAN, "lan.enabled", "Open at first", "Until the door on the local network is switched for the first time; from then on its switch counts."),
    line(LAN, "lan.name", "Name", "This computer's name, as phones show it. Empty: its own."),
    line(LAN, "lan.port", "Port", "0: a free one, taken again at the next start if it can be.").unit("port").advanced(),

    line(API, "api.per_minute", "Requests a minute", "Of one phone or token.").unit("requests").advanced(),
    line(API, "api.address_per_minute", "Requests a minute from an address", "Of everything that comes from one address.").unit("requests").advanced(),
    line(API, "api.hosts", "Further names", "Names (with port) under which the public door is reached beside its own.").advanced(),
    line(API, "api.origins", "Other pages", "Pages elsewhere that may call the API, as https://name.").advanced(),
    line(API, "api.proxies", "Your proxies", "Networks of your own reverse proxies, as 127.0.0.1 or 10.0.0.0/8. Only they are believed where a visitor comes from.").advanced(),

    line(PROGRAM, "audit.keep_days", "The audit keeps", "Older rows are cut off, and a signed line stands for them. 0: for ever.").unit("days").advanced(),
    line(PROGRAM, "updates.look", "Look for updates", "Once a day the app looks for a newer version and tells when there is one. It installs only what you want."),
    line(PROGRAM, "log.level", "Log level", "error, warn, info, debug or trace, or a filter like info,egress=debug.").advanced(),
    line(PROGRAM, "log.format", "Log format", "How log lines are written.").of(FORMATS).advanced(),
    line(PROGRAM, "secrets.file", "Secrets file", "For a computer without a keychain: a file of mode 0600. Empty: the keychain.").advanced(),
];

/// The whole table as the window takes it.
pub fn all() -> Vec<Field> {
    let defaults = serde_json::to_value(Written::default()).unwrap_or_default();
    TABLE.iter().map(|line| field(line, &defaults)).collect()
}

fn field(line: &Line, defaults: &Value) -> Field {
    let default = at(defaults, line.key).cloned().unwrap_or_default();
    let kind = match &default {
        _ if !line.choices.is_empty() => FieldKind::Choice,
        Value::Bool(_) => FieldKind::Switch,
        Value::Number(_) => FieldKind::Number,
        Value::Array(_) => FieldKind::List,
        _ if line.long => FieldKind::Lines,
        _ => FieldKind::Text,
    };
    Field {
        key: line.key.to_owned(),
        kind,
        label: line.label.to_owned(),
        help: line.help.to_owned(),
        choices: line.choices.iter().map(|(value, label)| FieldChoice { value, label }).collect(),
        unit: line.unit,
        default,
        section: line.section,
        advanced: line.advanced,
        restart: line.holds == Holds::AfterRestart,
    }
}

/// The keys that are not as `after` says in `before`.
pub fn changed(before: &Written, after: &Written) -> Vec<&'static str> {
    let json = |written: &Written| serde_json::to_value(written).unwrap_or_default();
    let (before, after) = (json(before), json(after));
    TABLE.iter().map(|line| line.key).filter(|key| at(&before, key) != at(&after, key)).collect()
}

/// The value of `table.key`.
pub fn at<'v>(values: &'v Value, key: &str) -> Option<&'v Value> {
    let (table, name) = key.split_once('.')?;
    values.get(table)?.get(name)
}

/// Whether a change of this key holds without a restart.
pub fn holds_at_once(key: &str) -> bool {
    TABLE.iter().any(|line| line.key == key && line.holds == Holds::AtOnce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_of_the_config_stands_in_the_form_once_and_no_other() {
        let listed: Vec<&str> = TABLE.iter().map(|line| line.key).collect();
        let known: BTreeSet<String> = config::known_keys().into_iter().filter(|key| key.contains('.')).collect();
        let once: BTreeSet<String> = listed.iter().map(ToString::to_string).collect();
        assert_eq!(once, known);
        assert_eq!(listed.len(), once.len(), "none stands there twice");
    }

    #[test]
    fn every_line_is_told_in_words_and_a_choice_offers_its_default() {
        for field in all() {
            assert!(field.help.ends_with('.') && !field.label.ends_with('.') && field.label.len() > 2, "{}", field.key);
            assert_eq!(
                field.unit.is_some(),
                field.kind == FieldKind::Number && field.key != "sandbox.uid",
                "{}",
                field.key
            );
            let offered = field.choices.iter().any(|choice| field.default == choice.value);
            assert_eq!(offered, field.kind == FieldKind::Choice, "{}", field.key);
        }
    }

    #[test]
    fn each_choice_is_one_the_config_takes() {
        for field in all() {
            for choice in &field.choices {
                let (table, key) = field.key.split_once('.').unwrap();
                config::parse(&format!("[{table}]\n{key} = \"{}\"\n", choice.value)).unwrap();
            }
        }
    }

    #[test]
    fn a_change_is_found_by_its_key() {
        let mut after = Written::default();
        after.spend.day = 7.0;
        after.agent.model = "opus".into();
        assert_eq!(changed(&Written::default(), &after), ["spend.day", "agent.model"]);
        assert!(holds_at_once("spend.day") && !holds_at_once("agent.model"));
    }
}
