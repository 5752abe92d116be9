// The companion API's types. Made from src-tauri/crates/gateway/src/wire; a test proves them fresh. To make them anew:
// LANYARD_WRITE=1 cargo test -p gateway --lib wire

/** Every error a person can meet. */
export type Code =
    | "CLAUDE_UNAVAILABLE"
    | "AGENT_DIED"
    | "MEMORY_LIMIT"
    | "AGENT_SILENT"
    | "OUTPUT_CAPPED"
    | "KEY_REFUSED"
    | "NO_KEY"
    | "CREDIT_TOO_LOW"
    | "MODEL_RATE_LIMITED"
    | "MODEL_OVERLOADED"
    | "MODEL_ERROR"
    | "PROMPT_TOO_LONG"
    | "MODEL_UNAVAILABLE"
    | "OUTPUT_LIMIT"
    | "MODEL_REFUSED"
    | "STREAM_BROKEN"
    | "AGENT_ERROR"
    | "LOCKED"
    | "SPEND_CAP"
    | "NO_ENGINE"
    | "NO_IMAGE"
    | "SANDBOX_FAILED"
    | "SANDBOX_PAUSED"
    | "WORKSPACE_REFUSED"
    | "HOST_BLOCKED"
    | "PUSH_BLOCKED"
    | "BAD_SANDBOX_TOKEN"
    | "UPSTREAM_UNREACHABLE"
    | "UNKNOWN_SESSION"
    | "SESSION_CLOSED"
    | "SESSION_LIMIT"
    | "BUSY"
    | "UNKNOWN_AGENT"
    | "CLIENT_ID_USED"
    | "UNKNOWN_APPROVAL"
    | "APPROVAL_GONE"
    | "APPROVAL_CHANGED"
    | "GRANT_REFUSED"
    | "PIN_NEEDED"
    | "PIN_WRONG"
    | "PIN_LOCKED"
    | "PIN_MISSING"
    | "TURN_RUNNING"
    | "UNKNOWN_TASK"
    | "TASK_OVER"
    | "TASK_STATE"
    | "REPOSITORY_REFUSED"
    | "CLONE_FAILED"
    | "SETUP_FAILED"
    | "TESTS_FAILED"
    | "MERGE_CONFLICT"
    | "TASK_TOO_LONG"
    | "NOTHING_CHANGED"
    | "PUSH_REFUSED"
    | "FORGE_REFUSED"
    | "NO_FORGE"
    | "BAD_SIGNATURE"
    | "BAD_FORM"
    | "TOO_LARGE"
    | "WRONG_HOST"
    | "NOT_FOUND"
    | "LINK_EXPIRED"
    | "TOO_MANY_REQUESTS"
    | "BAD_REQUEST"
    | "WRONG_METHOD"
    | "WRONG_TYPE"
    | "NOT_PAIRED"
    | "TOKEN_EXPIRED"
    | "PHONE_REVOKED"
    | "SCOPE_MISSING"
    | "PAIRING_FAILED"
    | "SIGNATURE_WRONG"
    | "CLOCK_WRONG"
    | "TURN_TIMEOUT"
    | "TWILIO_REFUSED"
    | "TWILIO_UNREACHABLE"
    | "TWILIO_MISSING"
    | "OPTED_OUT"
    | "PICTURE_REFUSED"
    | "KEYCHAIN_UNAVAILABLE"
    | "TUNNEL_NO_TOKEN"
    | "TUNNEL_TOKEN_REFUSED"
    | "TUNNEL_AGENT_LIMIT"
    | "TUNNEL_TAKEN"
    | "TUNNEL_DOMAIN_REFUSED"
    | "TUNNEL_LIMIT"
    | "TUNNEL_OUTDATED"
    | "TUNNEL_STOPPED"
    | "TUNNEL_REFUSED"
    | "TUNNEL_UNREACHABLE"
    | "TUNNEL_UNTRUSTED"
    | "TUNNEL_PAGE_IN_THE_WAY"
    | "WEBHOOK_UNPROVED"
    | "LAN_UNAVAILABLE"
    | "LAN_CERTIFICATE"
    | "UPDATES_OFF"
    | "UPDATE_UNREACHABLE"
    | "UPDATE_UNREADABLE"
    | "UPDATE_NOT_FOR_HERE"
    | "UPDATE_REFUSED"
    | "UPDATE_NOT_INSTALLED"
    | "UPDATE_NOT_ALLOWED"
    | "UPDATE_TAKEN_BACK"
    | "CONFIG_INVALID"
    | "DATABASE_DAMAGED"
    | "DISK_FULL"
    | "ALREADY_RUNNING"
    | "NOT_RUNNING"
    | "PORT_TAKEN"
    | "INTERNAL";

export type Accepted = { 
/**
 * For `streamSend`: the words are on disk.
 */
said?: Said, };

/**
 * The answer to `PUT /accounts/{account}` and to `POST /accounts/{account}/check`.
 */
export type AccountChecked = { checked: Checked, 
/**
 * `anthropic`, `twilio`, `twilio-api`, `ngrok`, `github`, `deepgram`.
 */
account: string, 
/**
 * What to call it: "Anthropic".
 */
label: string, state: AccountState, 
/**
 * Where the secret is: "the keychain".
 */
source?: string, 
/**
 * What stands between Lanyard and the secret, and what to do.
 */
problem?: ProblemShown, 
/**
 * What cannot be done without it.
 */
needed_for: string, 
/**
 * Whether `check` can ask the service about it.
 */
checkable: boolean, 
/**
 * Whether `sign-in` can fetch one.
 */
sign_in: boolean, };

export type AccountState = "kept" | "missing" | "locked" | "denied" | "absent" | "slow" | "failed";

/**
 * `GET /activity?before=&limit=&kind=&q=`: what happened, newest first. `kind` is one or more kinds with commas between, `q`
 * words that must all be in it, `limit` 1 to 200 (50 if not said).
 */
export type Activity = { items: Array<ActivityItem>, 
/**
 * Give it as `before` for the next page; none: this was the last.
 */
next?: string, };

export type ActivityItem = { id: string, at: number, kind: ActivityKind, 
/**
 * One line for a person.
 */
title: string, 
/**
 * More of it: the beginning of what was said, what would run, why it failed.
 */
detail?: string, 
/**
 * A phone's name, or the end of a number.
 */
who?: string, channel?: ChannelWord, 
/**
 * An address: where a phone paired from.
 */
from?: string, session_id?: string, session_number?: number, 
/**
 * The event's number, where it is one: its place in the session.
 */
seq?: number, };

/**
 * What happened. `turn_ended` covers turns that were done, halted and cut off; a failed one is `turn_failed`.
 */
export type ActivityKind = "said" | "answered" | "turn_ended" | "turn_failed" | "asked" | "allowed" | "denied" | "expired" | "withdrawn" | "text_waiting" | "text_sent" | "text_failed" | "push_waiting" | "pushed" | "push_failed" | "paired" | "revoked" | "host_allowed" | "host_blocked" | "signature_refused" | "mode_changed" | "session_closed" | "imported";

/**
 * The whole answer. Frame `askResponse`.
 */
export type Answer = { session_id: string, turn: string, 
/**
 * The agent's words, Markdown.
 */
text: string, outcome: OutcomeWord, usage: TokenCounts, cost_dollars: number, duration_ms: number, artifacts: Array<ArtifactShown>, };

export type ApiToken = { id: string, name: string, scopes: Array<ScopeWord>, made_at: number, used_at: number | null, revoked_at: number | null, };

/**
 * The token itself is shown this once; only its hash is kept.
 */
export type ApiTokenMade = { token: string, id: string, name: string, scopes: Array<ScopeWord>, made_at: number, used_at: number | null, revoked_at: number | null, };

/**
 * Local door, `GET /tokens`.
 */
export type ApiTokens = { tokens: Array<ApiToken>, };

/**
 * What is asked. `tool`: may it run with exactly this input? `question`: the agent wants to know something. `plan`: may it
 * start on this plan? `rerun`: a turn was cut off; run it again? `host`: may programs in the sandbox reach this host?
 * `spend`: a spending limit is reached; may more be spent? `push`: may these branches of a repository be changed?
 */
export type ApprovalKind = "tool" | "question" | "plan" | "rerun" | "host" | "spend" | "push";

/**
 * An approval as it stands now. Frame `permissionRequest` carries it at the place in the history where it was asked; `state`
 * says what has become of it since.
 */
export type ApprovalShown = { id: string, 
/**
 * What a person types to name it.
 */
number: number, session_id: string, turn: string | null, kind: ApprovalKind, 
/**
 * The tool's name, where `kind` is `tool`.
 */
tool: string | null, 
/**
 * Where the file that the tool names really is, if that is elsewhere than its name says (a link leads there).
 */
target: string | null, 
/**
 * Exactly what would run, as the agent wrote it. Show `shown` to a person, not this.
 */
input: JsonValue, 
/**
 * Goes back with the answer: it names exactly what is allowed.
 */
input_hash: string, 
/**
 * All of it as text, with every character that could mislead made visible.
 */
shown: string, 
/**
 * Where `kind` is `question`.
 */
questions: Array<Question>, risk: RiskWord, 
/**
 * What `allow_always` would allow from now on: in this session, as Claude Code writes rules; where `kind` is `host`, the
 * host in every session. Empty: it cannot be.
 */
always: Array<string>, asked_at: number, 
/**
 * Without an answer until then it means no.
 */
expires_at: number, state: ApprovalState, 
/**
 * By which ways the owner was asked, as they stand now.
 */
sent: Array<Sent>, };

export type ApprovalState = "open" | "allowed" | "allowed_session" | "allowed_always" | "answered" | "denied" | "expired" | "withdrawn";

export type Approvals = { 
/**
 * Open ones, by number.
 */
permissions: Array<ApprovalShown>, };

export type ArtifactFact = { session_id: string, at: number, turn: string | null, artifact: string, media_type: string, caption: string | null, };

/**
 * A file that a turn made or that came with words. Its bytes: `GET /api/artifacts/{id}`, or `url` without a token until it
 * runs out (`expires_at`).
 */
export type ArtifactShown = { id: string, media_type: string, caption: string | null, bytes: number, created_at: number, 
/**
 * A path on this host, for an `<img>`.
 */
url: string, expires_at: number, };

export type Artifacts = { artifacts: Array<ArtifactShown>, };

/**
 * A question whose whole answer is waited for. It gets a session of its own. Frame `ask`; `POST /api/ask`.
 */
export type Ask = { 
/**
 * 1 to 100 000 bytes, something beside white space among them.
 */
prompt: string, agent?: string, 
/**
 * At most 4.
 */
images?: Array<Image>, 
/**
 * How long to wait for the answer, at most 600 000; 120 000 if not said. Past it the turn is stopped: `TURN_TIMEOUT`.
 */
timeout_ms?: number, };

export type AuditBroken = { 
/**
 * The first and the last row that this is about.
 */
from: number, to: number, says: string, };

/**
 * `POST /audit/verify`.
 */
export type AuditShown = { 
/**
 * The number of the last row.
 */
rows: number, 
/**
 * Up to which row it is signed; none where nothing is signed yet.
 */
signed: number | null, 
/**
 * Up to which row it was cut off, being older than the owner wants it kept; none where it never was.
 */
cut: number | null, 
/**
 * None: every row stands as it was written, and none is gone.
 */
broken: AuditBroken | null, };

export type Branches = { branches: Array<string>, };

/**
 * `POST /image/build`.
 */
export type BuildImage = { 
/**
 * Even if it is up to date.
 */
rebuild?: boolean, };

export type CaughtUp = { last_event: number, };

/**
 * Where words come from and go to.
 */
export type ChannelWord = "sms" | "phone" | "desktop" | "api" | "cli";

/**
 * What the service says of a secret.
 */
export type Checked = { ok: boolean, code?: Code, 
/**
 * A sentence, also where nothing was asked.
 */
says: string, suggestion?: string, };

/**
 * What the forge's checks say of a pull request. `none`: there are none, or none yet.
 */
export type ChecksWord = "none" | "running" | "passed" | "failed";

/**
 * `GET /api/claude/status`, and in `/health`.
 */
export type Claude = { 
/**
 * Whether a turn could run: a key is there, the sandbox is not in trouble, and the last agent did not fail in a way that
 * the next would too (the key refused, no credit, a model that is not to be had, a process that died).
 */
available: boolean, 
/**
 * Claude Code's version in the sandbox image.
 */
version: string, 
/**
 * Whether an Anthropic key is kept.
 */
key: boolean, 
/**
 * The sentence of the last failure of the agent or the sandbox, if nothing has worked since.
 */
last_error?: string, };

/**
 * `POST /api/claude/test`: one tiny turn.
 */
export type ClaudeTest = { ok: boolean, session_id: string, text: string, duration_ms: number, cost_dollars: number, };

/**
 * A frame from a client.
 *
 * - `ask` (scope `chat`): answered by `askResponse`.
 * - `streamStart` (`chat`): answered by `streamStarted`.
 * - `streamSend`, `streamClose`, `interrupt` (`chat`), `permission` (`approve`), `presence`: answered by `status` of kind
 *   `accepted`.
 * - `ping`: answered by `pong`. Any frame counts as a sign of life; a client silent for 60 s is dropped.
 * - `presence`: whether the page is in front of a person's eyes; decides whether a push is sent.
 *
 * A frame that cannot be taken is answered by `error`; three in a row that cannot be read close the connection (1008). A
 * frame over `frame_bytes` of `GET /api/info` (1 MB) is one of those; one over 8 MB is not read to its end: the connection
 * is gone without a word.
 */
export type ClientFrame = { 
/**
 * Comes back on the frame that answers this one. At most 100 characters.
 */
requestId?: string, } & ({ "type": "ask", "data": Ask } | { "type": "streamStart", "data": Start } | { "type": "streamSend", "data": InSession<Say> } | { "type": "streamClose", "data": InSession<Nothing> } | { "type": "interrupt", "data": InSession<Nothing> } | { "type": "permission", "data": Permission } | { "type": "ping", "data": Nothing } | { "type": "presence", "data": Presence });

/**
 * Frame `streamComplete`: a turn is over.
 */
export type Complete = { session_id: string, at: number, turn: string, outcome: OutcomeWord, usage: TokenCounts, cost_dollars: number, duration_ms: number, 
/**
 * Ids of what the turn made.
 */
artifacts: Array<string>, 
/**
 * By which ways the owner was told of it, as they stand now.
 */
sent: Array<Sent>, };

export type DecideWord = "allow" | "deny" | "allow_session" | "allow_always" | "answer";

/**
 * A refusal over REST: the code's HTTP status with this body.
 */
export type ErrorBody = { 
/**
 * Always `error`.
 */
type: "error", 
/**
 * Also in the `x-request-id` header, and in Lanyard's log.
 */
requestId: string, data: ErrorData, };

/**
 * What went wrong and what to do about it.
 */
export type ErrorData = { 
/**
 * One of the codes in Lanyard's index.
 */
code: Code, kind: ErrorKind, 
/**
 * A sentence for a person.
 */
message: string, details: ErrorDetails, };

export type ErrorDetails = { 
/**
 * What to do about it.
 */
suggestion: string, 
/**
 * Seconds after which to try again, as in `Retry-After`: with every 429.
 */
retry_after?: number, 
/**
 * The gateway's own time, where the phone's clock is wrong.
 */
now?: number, 
/**
 * Which setting was refused.
 */
key?: string, };

/**
 * An error on the WebSocket. With `requestId`: a frame of this client was refused. With `seq`: a durable fact, a turn or a
 * start that failed. With neither: about the connection.
 */
export type ErrorFrame = { session_id?: string, turn?: string, 
/**
 * When it happened, for a durable fact.
 */
at?: number, 
/**
 * One of the codes in Lanyard's index.
 */
code: Code, kind: ErrorKind, 
/**
 * A sentence for a person.
 */
message: string, details: ErrorDetails, };

/**
 * Which part of Lanyard an error belongs to: `connection` (the request, the network), `process` (the agent and its
 * model), `session`, `permission` (who may what), `system` (the machine, the engine, the config).
 */
export type ErrorKind = "connection" | "process" | "session" | "permission" | "system";

/**
 * A piece of a session's history: the same frames the WebSocket carries, oldest first.
 */
export type Events = { events: Array<Frame>, 
/**
 * Whether there is more in the direction that was asked for.
 */
more: boolean, };

/**
 * One key of the config.
 */
export type Field = { 
/**
 * `spend.day`: a table and a key of `values`.
 */
key: string, kind: FieldKind, label: string, help: string, 
/**
 * What may be chosen, with kind `choice`.
 */
choices?: Array<FieldChoice>, 
/**
 * Of a number: `dollars`, `minutes`, `seconds`, ...
 */
unit?: string, default: string | number | boolean | string[], 
/**
 * Under which heading it stands: "Spending".
 */
section: string, 
/**
 * For those who know what it is: shown when asked for.
 */
advanced: boolean, 
/**
 * A change holds after a restart of the gateway.
 */
restart: boolean, };

export type FieldChoice = { 
/**
 * As it stands in the file.
 */
value: string, label: string, };

export type FieldKind = "text" | "lines" | "number" | "switch" | "choice" | "list";

/**
 * One thing that was looked at: `GET /doctor` is a list of these, `POST /mend/{fix}` answers the one it mended.
 */
export type Finding = { 
/**
 * `engine`, `key`, ...
 */
what: string, state: FindingState, 
/**
 * What was seen, in a sentence.
 */
says: string, 
/**
 * What to do; empty if nothing.
 */
mend: string, 
/**
 * What `POST /mend/{fix}` takes, where Lanyard can mend it by itself.
 */
fix: string | null, 
/**
 * What to write on its button.
 */
fix_label: string | null, 
/**
 * Where to read on (https).
 */
link: string | null, };

export type FindingState = "well" | "note" | "broken";

/**
 * A frame from the gateway.
 *
 * - `welcome`: first on every connection.
 * - `streamData`: words, sorted by `data.kind`: `partial` (no `seq`, lossy), `said`, `text` (a finished block), `artifact`.
 * - `streamToolUse`: `data.kind` `used`, later `finished` under the same `data.id`.
 * - `permissionRequest`, `permissionResolved`: the agent asks whether it may; it was answered, expired or was withdrawn.
 * - `streamComplete`: a turn is over.
 * - `status`: how something stands, sorted by `data.kind`.
 * - `taskUpdate`: a task stands otherwise than before.
 * - `caughtUp`: all that was stored when the connection began has been sent.
 * - `askResponse`, `streamStarted`, `pong`, `status` of kind `accepted`: answers to this client's frames, by `requestId`.
 * - `error`: see [`ErrorFrame`].
 */
export type Frame = { 
/**
 * That of the client's frame which this one answers.
 */
requestId?: string, 
/**
 * The event's number, on durable frames only.
 */
seq?: number, } & ({ "type": "welcome", "data": Welcome } | { "type": "askResponse", "data": Answer } | { "type": "streamStarted", "data": Started } | { "type": "streamData", "data": StreamData } | { "type": "streamToolUse", "data": ToolUse } | { "type": "permissionRequest", "data": ApprovalShown } | { "type": "permissionResolved", "data": Resolved } | { "type": "streamComplete", "data": Complete } | { "type": "taskUpdate", "data": TaskShown } | { "type": "status", "data": Status } | { "type": "caughtUp", "data": CaughtUp } | { "type": "error", "data": ErrorFrame } | { "type": "pong", "data": Pong });

/**
 * `GET /health`. Without a token only `status`.
 */
export type Health = { 
/**
 * `ok`, or `trouble` if no agent can work.
 */
status: string, version?: string, 
/**
 * Seconds.
 */
uptime?: number, claude?: Claude, sessions?: SessionCount, 
/**
 * `unknown` (nobody needed it yet), `preparing`, `ready`, `paused` or `trouble`.
 */
sandbox?: string, 
/**
 * The public address, if there is one.
 */
tunnel?: string, 
/**
 * How the tunnel stands: `off`, `connecting` (lost, and on its way back), `open` or `refused`. Its address is kept meanwhile.
 */
tunnel_state?: string, };

/**
 * `POST /twilio/hello`: a first text to one of the allowed numbers.
 */
export type HelloAsk = { to: string, };

export type HelloSent = { id: string, };

/**
 * `GET /twilio/hello`: what became of the last one.
 */
export type HelloShown = { state: HelloState, says: string, 
/**
 * Twilio's own number of what went wrong.
 */
code?: number, suggestion?: string, };

export type HelloState = "none" | "sent" | "delivered" | "failed" | "answered";

/**
 * `GET /home`: the first screen. Nothing is asked of a network for it; what takes longer is the last that was seen.
 */
export type Home = { version: string, 
/**
 * The computer's.
 */
name: string, 
/**
 * When this run began.
 */
started_at: number, uptime_ms: number, house: HouseStatus, sandbox: SandboxShown, texting: TextingShown, today: SpendToday, 
/**
 * How many wait for an answer.
 */
open_approvals: number, 
/**
 * Sessions with a running turn.
 */
working: number, steps: Array<SetupStep>, 
/**
 * The config file says something that holds only after a restart.
 */
restart_needed: boolean, 
/**
 * A lost phone's lock holds: `POST /unlock` ends it.
 */
locked: boolean, };

export type HostAllowed = { 
/**
 * `POST /hosts/{id}/forget` takes it back.
 */
id: number, 
/**
 * `example.com`, or `example.com:22` where the port is not 443.
 */
host: string, at: number, 
/**
 * The number of the session it holds in; none: in every one.
 */
session: number | null, 
/**
 * The number of the question it answered; none: it was allowed here.
 */
approval: number | null, };

/**
 * A host that a package manager on the owner's computer, or the sandbox's own, is set to, or that serves its files.
 */
export type HostOfPackages = { 
/**
 * `mirror.example`, or with its port where that is not 443.
 */
host: string, 
/**
 * `npm`, `pip`, `cargo` or `apt`.
 */
manager: string, };

/**
 * `POST /hosts`: allows one in every session.
 */
export type HostWish = { 
/**
 * `example.com` or `example.com:22`.
 */
host: string, };

/**
 * `GET /hosts`, and the answer to a change. Rules of the config (`egress.allow`, `egress.deny`) are among the settings.
 */
export type Hosts = { 
/**
 * What was allowed until it is taken back, the newest first.
 */
hosts: Array<HostAllowed>, 
/**
 * Where packages come from, reached without asking; empty where the settings do not let them.
 */
packages: Array<HostOfPackages>, };

/**
 * In `welcome`, and as `status` of kind `house` when it changes.
 */
export type HouseStatus = { 
/**
 * `unknown` (nobody needed it yet), `preparing`, `ready`, `paused` or `trouble`.
 */
sandbox: string, 
/**
 * What it is at while it prepares, or what is wrong.
 */
sandbox_says: string | null, 
/**
 * The public address, if there is one.
 */
tunnel: string | null, 
/**
 * How the tunnel stands: `off` (the address is then the config's own), `connecting` (not there yet, or lost and on its way
 * back), `open` or `refused`. Its address is kept meanwhile, but leads nowhere unless it is open.
 */
tunnel_state: string, 
/**
 * What holds it up, where that is known.
 */
tunnel_says: string | null, 
/**
 * Where the same gateway is on the local network, over TLS by its own CA, the best first; none while that door is shut.
 * A phone may use any of these addresses with the tokens it has.
 */
lan: Array<string>, sessions: SessionCount, };

/**
 * A picture that goes with words. At most 5 MB; JPEG, PNG, GIF or WebP, judged by its first bytes.
 */
export type Image = { 
/**
 * `image/png` and so on; must be what the bytes are.
 */
media_type: string, 
/**
 * The bytes in Base64 (standard alphabet, padded).
 */
data: string, };

/**
 * A line of `GET /image/progress`, which ends when the build does. Without a build there is one line: how the last one ended,
 * or how the image stands.
 */
export type ImageProgress = { state: ImageProgressState, says: string, 
/**
 * 0 to 1.
 */
progress: number, 
/**
 * A line of the build's own output.
 */
log_line?: string, 
/**
 * Why it failed.
 */
problem?: ProblemShown, };

export type ImageProgressState = "idle" | "building" | "ready" | "failed";

export type ImageShown = { state: ImageShownState, says: string, 
/**
 * 0 to 1, while it is built.
 */
progress?: number, };

export type ImageShownState = "ready" | "missing" | "old" | "building" | "failed" | "unknown";

/**
 * `GET /import`: one conversation of Claude Code's own history on this computer, the newest first.
 */
export type ImportFound = { 
/**
 * The file.
 */
path: string, 
/**
 * The folder it was about.
 */
project: string, first_words: string, 
/**
 * When something was last said in it.
 */
at: number, 
/**
 * Lines in the file, of which not every one becomes an event.
 */
events: number, 
/**
 * It was imported, and nothing was said in it since.
 */
known: boolean, };

/**
 * The answer to `POST /import`, a JSON line each: how far it is, and at the end what came of it.
 */
export type ImportLine = { "type": "progress" } & ImportProgress | { "type": "done" } & Imported;

export type ImportProgress = { 
/**
 * The file it is at.
 */
path: string, 
/**
 * Files that are done, of how many.
 */
done: number, of: number, 
/**
 * Written so far.
 */
events: number, };

/**
 * `POST /import`: which of them; none named: all.
 */
export type ImportWish = { paths: Array<string>, };

export type Imported = { 
/**
 * New ones, and those that something was added to.
 */
sessions: number, events: number, 
/**
 * Secrets (keys, tokens, passwords in addresses) that were left out.
 */
redacted: number, skipped: Array<Skipped>, 
/**
 * It was stopped before it had looked at all of them. What is counted here is there whole.
 */
stopped: boolean, };

export type InSession<T> = { session_id: string, } & T;

/**
 * `GET /api/info`.
 */
export type Info = { 
/**
 * The computer's.
 */
name: string, version: string, 
/**
 * `chat`, `approvals`, `search`, `export`, `texting` ...: what this gateway can do.
 */
features: Array<string>, limits: Limits, permission_modes: Array<ModeWord>, 
/**
 * Names the config or Claude Code knows; others may work.
 */
models: Array<string>, agents: Array<string>, session_states: Array<SessionState>, };

export type JsonValue = number | string | boolean | Array<JsonValue> | { [key in string]: JsonValue } | null;

export type Jwk = { 
/**
 * `EC`
 */
kty: string, 
/**
 * `P-256`
 */
crv: string, x: string, y: string, };

/**
 * `PUT /accounts/{account}`.
 */
export type KeepSecret = { secret: string, 
/**
 * Whether to ask the service first; a secret that it refuses is not kept. Left out: yes.
 */
check?: boolean, };

/**
 * Where what event `seq` says went, as it stands now.
 */
export type LettersFact = { session_id: string, 
/**
 * The event's number: that of a `streamComplete` or a `permissionRequest`.
 */
seq: number, sent: Array<Sent>, };

export type Limits = { sessions: number, 
/**
 * Messages that may wait in one session.
 */
waiting: number, turn_minutes: number, idle_minutes: number, frame_bytes: number, prompt_bytes: number, image_bytes: number, images: number, requests_per_minute: number, };

/**
 * The agent's words of a turn, whole, with what it made.
 */
export type LinkAnswer = { session: LinkSession, 
/**
 * When it ended.
 */
at: number | null, markdown: string, artifacts: Array<LinkArtifact>, };

/**
 * An approval as its link shows it. It may be refused there; granting needs a paired phone.
 */
export type LinkApproval = { id: string, 
/**
 * What a person types to name it.
 */
number: number, 
/**
 * The tool's name, or `question`, `plan`, `rerun`.
 */
tool: string, 
/**
 * Exactly what would run, as the agent wrote it. Show `shown` to a person, not this.
 */
input: JsonValue, 
/**
 * Where the file that the tool names really is, if that is elsewhere than its name says (a link leads there).
 */
target: string | null, 
/**
 * All of it as text, with every character that could mislead made visible.
 */
shown: string, risk: RiskWord, state: ApprovalState, asked_at: number, 
/**
 * Without an answer until then it means no.
 */
expires_at: number, 
/**
 * The gateway's time.
 */
now: number, };

export type LinkArtifact = { 
/**
 * A path on this host, for an `<img>`, until it runs out.
 */
url: string, media_type: string, caption: string | null, };

export type LinkSession = { title: string, };

/**
 * `GET /api/link/{name}`: a whole answer, or what an approval would run.
 */
export type LinkShown = { "kind": "answer" } & LinkAnswer | { "kind": "approval" } & LinkApproval;

/**
 * `POST /lock`, and a phone's `POST /api/lock`: what was done about a lost phone.
 */
export type LockShown = { 
/**
 * Phones and tokens that may not come in any more.
 */
revoked: number, 
/**
 * Questions that were refused.
 */
denied: number, sandbox_paused: boolean, 
/**
 * In sentences, a line each.
 */
says: Array<string>, 
/**
 * What could not be done.
 */
failed: Array<ProblemShown>, };

/**
 * Local door, `POST /tokens`.
 */
export type MakeApiToken = { name: string, scopes: Array<ScopeWord>, };

/**
 * `POST /api/schedules`.
 */
export type MakeSchedule = { 
/**
 * Five fields by the clock of Lanyard's computer, as in `0 7 * * 1-5`; at most every 10 minutes.
 */
cron: string, repository: string, prompt: string, base?: string, budget_dollars?: number, priority?: PriorityWord, };

/**
 * `POST /api/tasks`.
 */
export type MakeTask = { 
/**
 * `acme/shop`, or any address of a repository that git knows.
 */
repository: string, 
/**
 * What is to be done.
 */
prompt: string, 
/**
 * The branch to begin at and to go into; none: the repository's own.
 */
base?: string, 
/**
 * The branch to work on; none: one named after the task.
 */
branch?: string, 
/**
 * What its work may cost, in place of the limit of a session.
 */
budget_dollars?: number, priority?: PriorityWord, 
/**
 * Not before then (milliseconds since 1970).
 */
at?: number, 
/**
 * The same again is the same task. None: one is made up.
 */
client_id?: string, };

export type ModeFact = { session_id: string, at: number, permission_mode: ModeWord, };

/**
 * How much the agent may do without asking, as Claude Code names it.
 */
export type ModeWord = "default" | "acceptEdits" | "bypassPermissions" | "plan";

/**
 * No fields: `{}`.
 */
export type Nothing = Record<symbol, never>;

export type Notice = { session_id: string, at: number, text: string, };

export type NumberKind = "local" | "toll_free" | "other";

/**
 * How a turn ended. `halted`: the owner stopped it. `interrupted`: the program or the machine went down in it.
 */
export type OutcomeWord = "completed" | "halted" | "failed" | "interrupted";

/**
 * `POST /api/pair`. Ten tries a minute for an address, thirty for everyone.
 */
export type Pair = { 
/**
 * From the QR code's fragment (`#c=`).
 */
code: string, 
/**
 * What the owner will see: "Ada's phone". 1 to 60 characters.
 */
name: string, 
/**
 * The phone's own key (WebCrypto, `ECDSA` on `P-256`, not extractable). With it a refresh needs a signature, so that a
 * stolen refresh token alone is worthless. A browser always sends one.
 */
public_key?: PublicKey, };

/**
 * Local door, `POST /pairing`: what the QR code says.
 */
export type PairingShown = { 
/**
 * `https://<host>/pair#c=<code>`
 */
url: string, 
/**
 * The same at further addresses.
 */
also: Array<string>, code: string, expires_at: number, };

/**
 * `offset` counts the UTF-8 bytes of this block that came before: where it is not what the page holds, pieces were lost, and
 * the page waits for the finished block.
 */
export type PartialWords = { session_id: string, message: string, block: number, offset: number, text: string, thinking: boolean, };

export type Permission = { 
/**
 * The approval's.
 */
id: string, decision: DecideWord, 
/**
 * The `input_hash` of what was shown.
 */
input_hash: string, 
/**
 * To questions: an option's label or number, or words of one's own; with several questions one line for each.
 */
answer?: string, 
/**
 * With `deny`: what the agent reads.
 */
message?: string, 
/**
 * From a notice: the push's `letter`. Such an answer grants only what `approvals.lock_screen_grants` in the config lets it.
 */
letter?: number, 
/**
 * The owner's PIN, where `PIN_NEEDED` said that it takes it.
 */
pin?: string, };

/**
 * Local door, `PATCH /phones/{id}`: what is not named stays.
 */
export type PhoneChange = { name?: string, scopes?: Array<ScopeWord>, };

export type PhoneShown = { id: string, name: string, 
/**
 * As its browser names itself.
 */
browser: string, 
/**
 * Where it paired from.
 */
address: string, scopes: Array<ScopeWord>, 
/**
 * Whether it registered a key of its own.
 */
key: boolean, paired_at: number, seen_at: number, revoked_at: number | null, 
/**
 * Why it was revoked: `owner`, `not me`, `reused`.
 */
revoked_why: string | null, 
/**
 * Open WebSockets.
 */
connected: number, };

/**
 * Local door, `GET /phones`.
 */
export type Phones = { 
/**
 * The newest first; revoked ones too.
 */
phones: Array<PhoneShown>, };

/**
 * `GET /pin`, and the answer to a change.
 */
export type PinShown = { set: boolean, 
/**
 * After too many wrong ones: until when none is taken.
 */
locked_until: number | null, };

/**
 * `POST /pin`: keeps a hash of it.
 */
export type PinWish = { pin: string, };

export type Pong = { 
/**
 * The gateway's time.
 */
now: number, };

export type Presence = { visible: boolean, };

/**
 * A step counts as an hour of waiting.
 */
export type PriorityWord = "low" | "normal" | "high";

/**
 * Something that is wrong, in a person's words, inside an answer that is none.
 */
export type ProblemShown = { 
/**
 * One of the codes in Lanyard's index.
 */
code: Code, message: string, suggestion: string, };

/**
 * As WebCrypto exports it: `jwk`, or `spki` in Base64.
 */
export type PublicKey = Jwk | string;

export type PushApproval = { id: string, number: number, input_hash: string, 
/**
 * Whether it may be allowed from the lock screen. It may always be denied.
 */
allow: boolean, };

/**
 * `DELETE /api/push`
 */
export type PushEndpoint = { endpoint: string, };

/**
 * `GET /api/push`
 */
export type PushKey = { 
/**
 * For `pushManager.subscribe({applicationServerKey})`.
 */
public_key: string, };

export type PushKeys = { 
/**
 * The browser's public key, in Base64.
 */
p256dh: string, 
/**
 * 16 bytes, in Base64.
 */
auth: string, };

export type PushKind = "approval" | "closed" | "done" | "failed";

/**
 * What a push says, as JSON under its encryption.
 */
export type PushNotice = { kind: PushKind, title: string, 
/**
 * All that would run where `approval.allow` is true; else a short line.
 */
body: string, 
/**
 * A notice with the same tag takes this one's place.
 */
tag: string, 
/**
 * Goes back with `POST /api/push/shown`, and with an answer from the notice.
 */
letter: number, 
/**
 * The session's number.
 */
session: number, session_id: string, 
/**
 * The task that ended.
 */
task?: number, approval?: PushApproval, };

/**
 * `POST /api/push/shown`: the service worker showed it. Without this a text goes after a while.
 */
export type PushShown = { letter: number, };

/**
 * `POST /api/push`: what `PushSubscription.toJSON()` gives.
 */
export type PushSubscription = { 
/**
 * `https` only.
 */
endpoint: string, keys: PushKeys, };

export type Question = { question: string, header: string | null, 
/**
 * Whether more than one option may be picked.
 */
several: boolean, options: Array<QuestionOption>, };

export type QuestionOption = { label: string, description: string, };

/**
 * `POST /api/token/refresh`. If no answer comes, send the very same request again: it gets the same answer.
 */
export type Refresh = { refresh_token: string, 
/**
 * Milliseconds since 1970, at most 15 digits; at most five minutes from the gateway's clock (`CLOCK_WRONG` brings `details.now`).
 */
at?: number, 
/**
 * ECDSA with SHA-256 over `lanyard-refresh\n<at>\n<refresh_token>` in UTF-8 by the phone's key: the 64 bytes WebCrypto's
 * `sign` gives, in Base64. Required if the phone registered a key.
 */
signature?: string, };

/**
 * Whether carriers let texts from the number through.
 */
export type Registration = { state: RegistrationState, says: string, suggestion?: string, 
/**
 * Where to do it, in Twilio's console.
 */
link?: string, };

export type RegistrationState = "done" | "pending" | "refused" | "missing" | "not_needed" | "unknown";

export type Repositories = { repositories: Array<RepositoryShown>, };

/**
 * A repository that the owner's account may see.
 */
export type RepositoryShown = { 
/**
 * As a task names it.
 */
repository: string, default_branch: string, private: boolean, };

/**
 * Frame `permissionResolved`: by whom, and how.
 */
export type Resolved = { session_id: string, at: number, 
/**
 * The approval's.
 */
id: string, decision: ApprovalState, 
/**
 * None: nobody answered (it expired or was withdrawn).
 */
channel: ChannelWord | null, 
/**
 * The phone's name, or the number that texted (its end only).
 */
by: string | null, };

/**
 * `POST /restart`. Without `force` it is refused (`TURN_RUNNING`) while an agent works.
 */
export type Restart = { force?: boolean, };

/**
 * 202: this answer is the last of this run; the next run takes connections within seconds.
 */
export type Restarting = { 
/**
 * When the run that ends began; `started_at` of `/home` is later once the next one runs.
 */
started_at: number, };

/**
 * `POST /api/tasks/{id}/retry`.
 */
export type RetryTask = { 
/**
 * More words for the agent.
 */
words?: string, 
/**
 * Hand it the checks that failed and what people wrote on the pull request.
 */
feedback?: boolean, };

/**
 * How much could go wrong.
 */
export type RiskWord = "low" | "medium" | "high";

/**
 * `POST /rules/forget`: the agent asks again. One that works keeps to what it was told until its turn ends.
 */
export type RuleGone = { session: number, exact: string, };

export type RuleMade = { 
/**
 * As Claude Code writes it, every character that could mislead made visible: `Bash(npm test *)`.
 */
rule: string, 
/**
 * The number of the session that it holds in.
 */
session: number, at: number, 
/**
 * Goes back to take it back.
 */
exact: string, };

/**
 * `GET /rules`, and the answer to a change. The owner's own tiers (`approvals.tiers`) are among the settings.
 */
export type RulesMade = { 
/**
 * What agents may do in a session without asking again, by an answer with "always"; the newest first.
 */
rules: Array<RuleMade>, };

/**
 * The words are on disk. Over REST with status 202; on the WebSocket as `status` of kind `accepted`.
 */
export type Said = { session_id: string, 
/**
 * The number of the event that says so (`streamData` of kind `said`).
 */
event: number, 
/**
 * The words' number in the inbox.
 */
message: number, 
/**
 * False if the same `client_id` was said before.
 */
fresh: boolean, };

export type SaidFact = { session_id: string, at: number, 
/**
 * Its number in the inbox, by which a turn names what it answers.
 */
message: number, channel: ChannelWord, text: string, 
/**
 * Artifact ids.
 */
pictures: Array<string>, when: WhenWord, };

/**
 * The sandbox and what it is made from.
 */
export type SandboxShown = { 
/**
 * `unknown` (nobody needed it yet), `preparing`, `ready`, `paused` or `trouble`.
 */
state: string, 
/**
 * What it is at, or what is wrong with it.
 */
says?: string, image: ImageShown, };

/**
 * Something said in a session. `POST /api/stream/{id}`; in frame `streamSend` with `session_id` beside it.
 */
export type Say = { 
/**
 * 1 to 100 000 bytes, something beside white space among them.
 */
text: string, 
/**
 * At most 4.
 */
images?: Array<Image>, 
/**
 * The client's own id of these words: sent again with the same one, they are said once and get the same answer. Keep it
 * with the words until they are acknowledged. 1 to 100 characters.
 */
client_id: string, 
/**
 * `queue` if not said.
 */
when?: WhenWord, };

/**
 * What is done again and again.
 */
export type ScheduleShown = { id: number, cron: string, 
/**
 * The same as a person says it.
 */
says: string, repository: string, prompt: string, base: string | null, budget_dollars: number | null, priority: PriorityWord, next_at: number, };

export type Schedules = { 
/**
 * The next first.
 */
schedules: Array<ScheduleShown>, };

/**
 * What a phone or a token may do.
 */
export type ScopeWord = "read" | "chat" | "approve" | "terminal" | "preview" | "tasks";

export type SearchHit = { seq: number, session_id: string, session_number: number, session_title: string, at: number, 
/**
 * `said`, `answered`, `tool_used` and so on: what the words stand in.
 */
kind: string, 
/**
 * The words around what was found; what matches stands between U+E000 and U+E001 (private characters that the text
 * itself never has), so that a page can mark it without reading HTML.
 */
snippet: string, };

export type SearchHits = { 
/**
 * Best first.
 */
hits: Array<SearchHit>, };

/**
 * One way by which a person was told.
 */
export type Sent = { to: SentTo, 
/**
 * The number's end (`..0001`), or the phone's name.
 */
name: string, state: SentState, 
/**
 * Why it failed or still waits.
 */
why?: string, 
/**
 * When it came to this state, as far as that is known; else when it was written.
 */
at: number, };

export type SentState = "waiting" | "sent" | "delivered" | "shown" | "failed";

export type SentTo = "sms" | "push";

/**
 * `PATCH /api/sessions/{id}`: what is not named stays.
 */
export type SessionChange = { title?: string, 
/**
 * All of its tags from now on: at most 20, cut at 50 characters.
 */
tags?: Array<string>, };

export type SessionCount = { 
/**
 * With a process.
 */
active: number, max: number, };

export type SessionFact = { session_id: string, at: number, };

export type SessionPage = { 
/**
 * The one last used first.
 */
sessions: Array<SessionShown>, 
/**
 * Give it as `cursor` for the next page; none: this was the last.
 */
next: string | null, };

/**
 * A session as it stands now.
 */
export type SessionShown = { id: string, 
/**
 * What a person types to name it.
 */
number: number, title: string, agent: string, permission_mode: ModeWord, 
/**
 * None: the config's, or Claude Code's own default.
 */
model: string | null, state: SessionState, 
/**
 * The tool that runs.
 */
doing: string | null, 
/**
 * Messages that wait for the running turn's end.
 */
waiting: number, tags: Array<string>, created_at: number, last_at: number, 
/**
 * What the model's responses in it cost, as the egress door counted them.
 */
cost_dollars: number, tokens: TokenCounts, };

/**
 * What a session does: `cold` (no process; words start one), `starting`, `idle` (a warm process), `working`, `closed`.
 */
export type SessionState = "cold" | "starting" | "idle" | "working" | "closed";

/**
 * `GET /settings`, and the answer to `PATCH /settings`, whose body is a part of `values`.
 */
export type Settings = { 
/**
 * Table, key, value: what the config file says, with every default.
 */
values: Record<string, Record<string, string | number | boolean | string[]>>, 
/**
 * What each key is, in the order of a form.
 */
fields: Array<Field>, 
/**
 * Where the config file is.
 */
path: string, 
/**
 * The file says something that holds only after a restart.
 */
restart_needed: boolean, 
/**
 * Those keys.
 */
waiting: Array<string>, };

/**
 * One step of setting up, as things really stand.
 */
export type SetupStep = { id: StepId, state: StepState, says: string, suggestion?: string, };

export type SignInCode = { 
/**
 * What the owner types.
 */
code: string, 
/**
 * Where.
 */
url: string, 
/**
 * Seconds until it is void.
 */
expires_in: number, };

/**
 * The answer to `POST /accounts/github/sign-in`, a JSON line each: the code, and how it ended.
 */
export type SignInLine = { "type": "code" } & SignInCode | { "type": "done" } & AccountChecked | { "type": "refused" } & ProblemShown;

/**
 * `POST /setup/{id}/skip`; the answer is the step.
 */
export type Skip = { skip: boolean, };

/**
 * A file, or lines of one, that were not taken.
 */
export type Skipped = { path: string, why: string, };

/**
 * Since the owner's midnight.
 */
export type SpendToday = { dollars: number, cap_dollars: number, 
/**
 * All kinds together.
 */
tokens: number, 
/**
 * Answers of the model.
 */
responses: number, 
/**
 * Empty for an API key, which pays in dollars; with a subscription these count instead.
 */
windows: Array<WindowShown>, };

/**
 * Opens a session, or takes one up again. Frame `streamStart`; `POST /api/stream/start`.
 */
export type Start = { 
/**
 * The first words; without them the session waits.
 */
prompt?: string, agent?: string, 
/**
 * A session to go on with instead of a new one. `permission_mode`, `model` and `title` then change it.
 */
resume?: string, 
/**
 * Any but `plan` and a new session's usual one takes scope `approve`: it answers questions before they are asked.
 */
permission_mode?: ModeWord, 
/**
 * As Claude Code names it.
 */
model?: string, title?: string, 
/**
 * With it, the same start sent again opens no second session.
 */
client_id?: string, };

/**
 * Frame `streamStarted`, the answer to `streamStart`.
 */
export type Started = { session_id: string, 
/**
 * What a person types to name it.
 */
number: number, state: SessionState, 
/**
 * The newest event of any session: where a client without a cursor goes on.
 */
last_event: number, };

/**
 * Frame `status`, sorted by `kind`: how something stands. Those with a `seq` are durable.
 */
export type Status = { "kind": "accepted" } & Accepted | { "kind": "house" } & HouseStatus | { "kind": "session" } & SessionShown | { "kind": "letters" } & LettersFact | { "kind": "turn_started" } & TurnFact | { "kind": "steered" } & Steered | { "kind": "notice" } & Notice | { "kind": "mode_changed" } & ModeFact | { "kind": "closed" } & SessionFact;

export type Steered = { session_id: string, at: number, turn: string, message: number, };

export type StepId = "docker" | "image" | "key" | "tunnel" | "texting" | "allow" | "phone";

export type StepState = "todo" | "doing" | "done" | "skipped" | "broken";

/**
 * Frame `streamData`, sorted by `kind`.
 */
export type StreamData = { "kind": "partial" } & PartialWords | { "kind": "said" } & SaidFact | { "kind": "text" } & TextFact | { "kind": "artifact" } & ArtifactFact;

/**
 * What came of it so far.
 */
export type TaskOutcome = { base: string | null, head: string | null, commits: number, files: number, added: number, removed: number, 
/**
 * The agent's last words.
 */
summary: string | null, 
/**
 * Whether the repository's own tests passed; none where it names none.
 */
tests: boolean | null, pushed: boolean, request: TaskRequest | null, };

export type TaskPage = { 
/**
 * The newest first.
 */
tasks: Array<TaskShown>, 
/**
 * Give it as `before` for the next page; none: this was the last.
 */
next: number | null, };

/**
 * A pull request.
 */
export type TaskRequest = { number: number, url: string, checks: ChecksWord, };

/**
 * A task as it stands now.
 */
export type TaskShown = { 
/**
 * What a person types.
 */
id: number, repository: string, prompt: string, 
/**
 * As it was asked for; what it was found to be is in `result`.
 */
base: string | null, branch: string, priority: PriorityWord, budget_dollars: number | null, channel: ChannelWord, made_at: number, not_before: number, 
/**
 * 1, and one more for each time it was run again.
 */
attempt: number, state: TaskStateWord, state_at: number, 
/**
 * Where its work is done, of this attempt.
 */
session_id: string | null, session_number: number | null, 
/**
 * The tool that runs.
 */
doing: string | null, cost_dollars: number, tokens: TokenCounts, steps: Array<TaskStep>, result: TaskOutcome, 
/**
 * Why it failed.
 */
error: ErrorData | null, 
/**
 * Its sandbox is kept until then, to be looked into.
 */
kept_until: number | null, };

/**
 * Where a task stands. `needs_you`: a question to the owner is open.
 */
export type TaskStateWord = "queued" | "starting" | "cloning" | "working" | "needs_you" | "pushing" | "done" | "failed" | "cancelled";

/**
 * A state it was in, and since when.
 */
export type TaskStep = { attempt: number, state: TaskStateWord, at: number, };

export type TextFact = { session_id: string, at: number, turn: string | null, 
/**
 * The partials' `message`.
 */
message: string, 
/**
 * Markdown.
 */
text: string, };

/**
 * Whether texts come and go.
 */
export type TextingShown = { set_up: boolean, 
/**
 * Our own: a number, or a Messaging Service's id.
 */
number?: string, 
/**
 * Whether texts to the number were proved to lead here. Absent: not known yet.
 */
works?: boolean, says?: string, };

/**
 * `POST /api/ticket`: opens one WebSocket (`/ws?ticket=`), for clients that can set neither header nor subprotocol.
 */
export type Ticket = { ticket: string, 
/**
 * Seconds: 30.
 */
expires_in: number, };

/**
 * Tokens of the model, by the four kinds that are priced apart.
 */
export type TokenCounts = { input: number, output: number, cache_write: number, cache_read: number, };

/**
 * What a paired phone holds. Keep the refresh token with the key (IndexedDB), the access token in memory.
 */
export type Tokens = { 
/**
 * For `Authorization: Bearer`; signed, names the phone and its scopes.
 */
access_token: string, 
/**
 * Seconds the access token lives: 900.
 */
expires_in: number, 
/**
 * Works once; the answer brings the next. One that is used a second time revokes the phone.
 */
refresh_token: string, you: You, 
/**
 * The gateway's time: sign with it, not with the phone's clock.
 */
now: number, };

export type ToolFinished = { session_id: string, at: number, id: string, ok: boolean, 
/**
 * What the model read.
 */
text: string, 
/**
 * Structured where the tool has it (patches, stdout).
 */
detail: JsonValue, 
/**
 * Artifact ids.
 */
pictures: Array<string>, };

/**
 * Frame `streamToolUse`: the call, then under the same `id` its result.
 */
export type ToolUse = { "kind": "used" } & ToolUsed | { "kind": "finished" } & ToolFinished;

export type ToolUsed = { session_id: string, at: number, turn: string | null, id: string, tool: string, input: JsonValue, 
/**
 * The call whose subagent makes this one.
 */
parent: string | null, };

/**
 * `POST /tunnel/setup`: checked with ngrok, kept, switched on.
 */
export type TunnelSetup = { 
/**
 * None: the one that is kept.
 */
token?: string, 
/**
 * One of the account's. Empty: the account's own. None: as it is.
 */
domain?: string, };

export type TunnelSetupShown = { 
/**
 * Whether it is open already; else `GET /tunnel` tells.
 */
open: boolean, url?: string, says: string, restart_needed: boolean, };

export type TurnFact = { session_id: string, at: number, turn: string, 
/**
 * The inbox numbers it answers; none: nobody asked (a background job ended).
 */
messages: Array<number>, };

/**
 * As Twilio describes it; checked and kept.
 */
export type TwilioAccountShown = { friendly_name: string, 
/**
 * `active`, `suspended` or `closed`.
 */
status: string, 
/**
 * `Trial` (texts verified numbers only) or `Full`.
 */
type: string, 
/**
 * What that means for texting, where it means something.
 */
says?: string, };

/**
 * `POST /twilio/account`.
 */
export type TwilioAccountWish = { 
/**
 * `AC` and 32 hexadecimal digits.
 */
account_sid: string, 
/**
 * None: the one that is kept.
 */
auth_token?: string, };

/**
 * `POST /twilio/allow`: who may text Lanyard, all of them.
 */
export type TwilioAllow = { numbers: Array<string>, };

/**
 * In `GET /twilio/numbers`.
 */
export type TwilioNumber = { number: string, 
/**
 * `PN` and 32 hexadecimal digits.
 */
sid: string, 
/**
 * Its name at Twilio.
 */
label: string, sms: boolean, mms: boolean, kind: NumberKind, registration: Registration, 
/**
 * Where texts to it are posted now.
 */
webhook?: string, 
/**
 * Whether it is the one in the config.
 */
ours: boolean, };

/**
 * `POST /twilio/number`.
 */
export type TwilioNumberWish = { number: string, };

/**
 * What stands in the config now; the answer to `POST /twilio/number` and `POST /twilio/allow`.
 */
export type TwilioSaved = { account_sid: string, number: string, allow: Array<string>, restart_needed: boolean, };

/**
 * `GET /usage?from=&to=&by=&tz=`: what the model's responses cost, as the egress door counted them. Without `from` and `to`:
 * the last 30 days up to now. `tz` names the time zone whose days are meant (`Europe/Berlin`; `tz_offset_minutes`, east is
 * more, for one that is not known by name); without either: the computer's.
 */
export type Usage = { 
/**
 * Where it begins: by day, at the midnight before what was asked for; else at its quarter of an hour.
 */
from: number, 
/**
 * Where it ends; what happened at this moment is not in it.
 */
to: number, by: UsageBy, total: UsageRow, 
/**
 * Year and month of the list prices that dollars are counted by.
 */
prices_as_of: string, 
/**
 * By day: every day, the oldest first, those without any use too. Else the dearest first.
 */
rows: Array<UsageRow>, };

/**
 * What a row of [`Usage`] sums up.
 */
export type UsageBy = "day" | "session" | "agent";

export type UsageRow = { 
/**
 * By day the date (`2026-03-29`), else the session's id or the agent's name; empty for what belongs to none, and `total`
 * for the sum.
 */
key: string, 
/**
 * For a person.
 */
label: string, 
/**
 * By day: when the day begins.
 */
at?: number, dollars: number, tokens_in: number, tokens_out: number, tokens_cache_read: number, tokens_cache_write: number, 
/**
 * Of the model.
 */
responses: number, 
/**
 * That began in it.
 */
turns: number, 
/**
 * How long those turns took together.
 */
time_ms: number, };

/**
 * `POST /twilio/webhook`: the number leads here, and that is proved.
 */
export type WebhookShown = { 
/**
 * Twilio posts texts to this address now.
 */
set: boolean, 
/**
 * A rightly signed request was taken.
 */
accepted: boolean, 
/**
 * A wrongly signed one was refused.
 */
refused: boolean, says: string, 
/**
 * What went wrong at the first step that is false.
 */
problem?: ProblemShown, };

/**
 * The whole picture: who you are, how everything stands, what waits for an answer.
 */
export type Welcome = { 
/**
 * 1. A client that does not know it reloads itself.
 */
protocol: number, 
/**
 * Lanyard's.
 */
version: string, 
/**
 * The gateway's time.
 */
now: number, you: You, status: HouseStatus, 
/**
 * Those last used, at most 50; `GET /api/sessions` pages through all.
 */
sessions: Array<SessionShown>, 
/**
 * The newest, at most 30; `GET /api/tasks` pages through all.
 */
tasks: Array<TaskShown>, 
/**
 * All that are open.
 */
approvals: Array<ApprovalShown>, 
/**
 * Where the newest answers and questions went: those a client already has may stand otherwise since.
 */
letters: Array<LettersFact>, 
/**
 * The newest event's number. A client whose own cursor is higher starts anew: the history was replaced.
 */
last_event: number, };

/**
 * Words said while the agent works: `queue` waits for the turn's end, `steer` goes into the running turn.
 */
export type WhenWord = "queue" | "steer";

export type WhoKind = "phone" | "token" | "owner";

/**
 * How far one of a subscription's windows is used, as the model's last answer said.
 */
export type WindowShown = { 
/**
 * `5 hours`, `7 days`.
 */
name: string, percent: number, 
/**
 * When it begins anew.
 */
resets_at?: number, };

/**
 * Who the caller is.
 */
export type You = { kind: WhoKind, 
/**
 * The phone's or token's; none at the desk.
 */
id: string | null, name: string, scopes: Array<ScopeWord>, };
