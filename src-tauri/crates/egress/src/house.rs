//! What the door asks the house, and what it tells it. Owned here, so that egress knows nobody.

use crate::{CredentialSource, RefUpdate, Window};
use domain::{
    Problem, SandboxId, SessionId, Timestamp, TurnId,
    usage::{MicroDollars, Tokens},
};
use futures::future::BoxFuture;
use secrecy::SecretString;
use uuid::Uuid;

/// The side of the door that knows tokens, keys, caps and the owner. Every method is called often and at once from many
/// connections.
pub trait House: Send + Sync + 'static {
    /// Whose token is this? Refused with [`domain::Code::BadSandboxToken`] when it is not one of this sandbox's. Compare
    /// in constant time, or look it up by its hash.
    fn who(&self, sandbox: SandboxId, token: &str) -> BoxFuture<'_, Result<Payer, Problem>>;

    /// May this payer ask the model now, and with which key? Refused with `SpendCap`, `NoKey`, `SandboxPaused` …
    fn admit_model(&self, sandbox: SandboxId, payer: Payer) -> BoxFuture<'_, Result<Admission, Problem>>;

    /// One model request has ended. When this returns the money is on disk: the door holds the end of the answer back
    /// until then, so that no next request of the session can be admitted on an old sum.
    fn spent(&self, sandbox: SandboxId, spend: Spend) -> BoxFuture<'_, ()>;

    /// Do settings of the owner's beside the policy let the sandbox reach this host, and if so, even where it is on their own
    /// network?
    fn lets_out(&self, _host: &str, _port: u16) -> BoxFuture<'_, Option<bool>> {
        Box::pin(async { None })
    }

    /// The provider refuses this payer's requests until then. When this returns it is on disk: the answer that says so waits for
    /// it, so that it is known before the turn fails of it.
    fn limited(&self, _payer: Payer, _until: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// How far a subscription's windows are used, as an answer said.
    fn windows(&self, _windows: Vec<Window>) {}

    /// May the sandbox reach a host that nothing names? The connection waits for the answer, for at most
    /// [`crate::Settings::ask_timeout`]; the future is dropped when the asker goes away first. Private addresses stay shut.
    fn admit_host(&self, ask: HostAsk) -> BoxFuture<'_, Result<(), Problem>> {
        Box::pin(async move {
            Err(Problem::with_detail(domain::Code::HostBlocked, format!("Asked for: {}:{}.", ask.host, ask.port)))
        })
    }

    /// The owner's credential for another host.
    fn credential(&self, _source: &CredentialSource) -> BoxFuture<'_, Result<SecretString, Problem>> {
        Box::pin(async { Err(domain::Code::NoKey.into()) })
    }

    /// May these refs be changed? The push waits for the answer as in [`House::admit_host`].
    fn admit_push(&self, _ask: PushAsk) -> BoxFuture<'_, Result<(), Problem>> {
        Box::pin(async { Err(domain::Code::PushBlocked.into()) })
    }

    /// The name of the agent that a payer's session is with, for rules that are for one alone.
    fn agent(&self, _payer: Payer) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { None })
    }

    /// The door let a connection out or refused it. Called once for each, in the moment of decision.
    fn decided(&self, decision: Decision);

    /// A connection that was let out has ended.
    fn carried(&self, _carried: Carried) {}
}

/// Who pays for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Payer {
    pub session: Option<SessionId>,
    pub turn: Option<TurnId>,
}

/// The real credential and what may still be spent with it.
#[derive(Clone, Debug)]
pub struct Admission {
    pub key: Credential,
    pub left: Left,
}

/// Money that is left under the caps, recorded spend taken off. `None`: no cap. Requests under way are not the house's
/// concern: the door weighs their worst case against these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Under the caps of this payer's turn and session, the smaller.
    pub session: Option<MicroDollars>,
    /// Under the caps that all sandboxes share (the day's).
    pub all: Option<MicroDollars>,
}

/// What goes on the request in place of the sandbox's token.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Sent as `x-api-key`.
    ApiKey(SecretString),
    /// Sent as `Authorization: Bearer`.
    Bearer(SecretString),
}

/// What one request to `/v1/messages` cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Spend {
    pub payer: Payer,
    /// As the model's answer names it, else as the request did, else empty.
    pub model: String,
    pub tokens: Tokens,
    pub cost: MicroDollars,
    /// False when the model has no price here: the dearest was taken.
    pub priced: bool,
    /// The model side's own id of the request.
    pub request_id: Option<String>,
    /// Status of the answer; 0 when there was none.
    pub status: u16,
    pub streamed: bool,
    /// False when the answer was cut short: output is then the greater of what was reported and what was seen to pass.
    pub complete: bool,
    pub started: Timestamp,
    /// From the request's last byte here to the answer's first body byte; none if there was no body.
    pub first_byte_ms: Option<u64>,
    pub duration_ms: u64,
}

/// How a host is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `CONNECT`: bytes both ways, TLS of the two ends.
    Tunnel,
    /// `http://` in the clear.
    Http,
    /// `https://`, spoken by the door itself.
    Https,
}

/// The question "allow this domain?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAsk {
    pub sandbox: SandboxId,
    pub payer: Payer,
    /// Lower case, no trailing dot; ASCII.
    pub host: String,
    pub port: u16,
    pub kind: Kind,
}

/// What a push would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushAsk {
    pub payer: Payer,
    pub host: String,
    /// `acme/shop`: the path, without `.git`.
    pub repository: String,
    pub updates: Vec<RefUpdate>,
}

/// Names one decision, so that what was carried later can be put beside it.
pub type DecisionId = Uuid;

/// A connection let out or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub id: DecisionId,
    pub sandbox: SandboxId,
    /// Default when the token was missing or unknown.
    pub payer: Payer,
    /// What was asked for, cut to 255 characters; as sent when it could not be parsed.
    pub host: String,
    pub port: u16,
    pub kind: Kind,
    /// `None` when it was allowed, else why not, and the error's code with it.
    pub refused: Option<Problem>,
    /// From the request to the decision, the owner's thinking and the connecting included.
    pub waited_ms: u64,
}

/// What a connection that was let out carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    pub id: DecisionId,
    pub sandbox: SandboxId,
    /// Bytes out of the sandbox.
    pub sent: u64,
    /// Bytes into it.
    pub received: u64,
    pub duration_ms: u64,
}
