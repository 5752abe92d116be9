//! Why a request was not carried out, in the two readings: the [`Problem`] a person gets, the chain the log gets.

use domain::{Code, Problem};
use std::io;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model's base URL cannot be used.
    #[error("the model's address {0} is not http or https with a host")]
    BadBase(String),
    /// No certificate of the system could be read.
    #[error("no certificate authorities could be loaded")]
    Roots(#[source] io::Error),
    /// The house, or the door itself, said no.
    #[error("refused: {}", .0.code)]
    Refused(Problem),
    /// No token came with a proxied request.
    #[error("no proxy credentials")]
    NoCredentials,
    /// The host or the request is written in a way that is not taken.
    #[error("bad request: {0}")]
    BadRequest(&'static str),
    /// The path is none of those that are let through to the model.
    #[error("no such path at the door")]
    NoSuchPath,
    #[error("the request is larger than {0} bytes")]
    TooLarge(usize),
    /// The name leads to an address that is never, or not without a rule's word, connected to.
    #[error("{host} leads to {what}")]
    Forbidden { host: String, what: &'static str },
    /// Name look-up, connecting, TLS or the first byte failed or took too long.
    #[error("{host} could not be reached")]
    Unreachable {
        host: String,
        #[source]
        cause: io::Error,
    },
}

impl Error {
    pub fn code(&self) -> Code {
        match self {
            Error::BadBase(_) => Code::ConfigInvalid,
            Error::Roots(_) => Code::Internal,
            Error::Refused(problem) => problem.code,
            Error::NoCredentials => Code::BadSandboxToken,
            Error::BadRequest(_) => Code::BadRequest,
            Error::NoSuchPath => Code::NotFound,
            Error::TooLarge(_) => Code::TooLarge,
            Error::Forbidden { .. } => Code::HostBlocked,
            Error::Unreachable { .. } => Code::UpstreamUnreachable,
        }
    }

    /// May the same request go better a little later?
    pub fn retryable(&self) -> bool {
        matches!(self, Error::Unreachable { .. })
    }

    /// As a person reads it. Names hosts, never addresses: what a name leads to on the owner's network is not the
    /// sandbox's to know.
    pub fn problem(&self) -> Problem {
        match self {
            Error::Refused(problem) => problem.clone(),
            Error::BadBase(base) => Problem::with_detail(self.code(), format!("Not a model address: {base}.")),
            Error::Roots(cause) => Problem::with_detail(self.code(), cause),
            Error::NoCredentials => {
                Problem::with_detail(self.code(), "The proxy needs the sandbox's token as password.")
            }
            Error::BadRequest(why) => Problem::with_detail(self.code(), format!("It {why}.")),
            Error::NoSuchPath => {
                Problem::with_detail(self.code(), "The sandbox door knows the model's messages and CONNECT.")
            }
            Error::TooLarge(limit) => Problem::with_detail(self.code(), format!("The limit is {limit} bytes.")),
            Error::Forbidden { host, .. } => {
                Problem::with_detail(self.code(), format!("{host} is on a private network."))
                    .suggest("A rule in egress.allow lets it through with the word private behind it.")
            }
            Error::Unreachable { host, .. } => Problem::with_detail(self.code(), format!("Asked for: {host}.")),
        }
    }

    pub(crate) fn unreachable(host: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Unreachable { host: host.to_owned(), cause: io::Error::other(cause) }
    }

    pub(crate) fn timed_out(host: &str) -> Self {
        Error::Unreachable { host: host.to_owned(), cause: io::ErrorKind::TimedOut.into() }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Error::Refused(problem)
    }
}
