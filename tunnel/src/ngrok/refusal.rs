//! What a failure means to the owner, and when it is worth another try.

use domain::{Code, Problem};
use ngrok::{
    Error as _,
    session::{ConnectError, RpcError},
};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error as _;

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// At once.
    Now,
    /// By the schedule.
    Soon,
    /// In minutes: limits that reset with time, and what somebody stopped.
    Later,
    /// When the owner has done something.
    Never,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) problem: Problem,
    pub(super) again: Again,
    /// Whether ngrok said it, or the network.
    pub(super) said: bool,
}

impl Refusal {
    fn network(code: Code, detail: &str) -> Self {
        Self { problem: Problem::with_detail(code, detail), again: Again::Soon, said: false }
    }

    pub(super) fn restart() -> Self {
        Self { again: Again::Now, ..Self::network(Code::TunnelStopped, "") }
    }

    /// The dashboard's Stop: someone who may said so.
    pub(super) fn stopped() -> Self {
        Self { problem: Code::TunnelStopped.into(), again: Again::Never, said: true }
    }

    pub(super) fn timed_out() -> Self {
        Self::network(Code::TunnelUnreachable, "It did not answer in time.")
    }

    pub(super) fn lost() -> Self {
        Self::network(Code::TunnelUnreachable, "The link was lost.")
    }

    /// ngrok's own words under its code. The words of 105 to 107 hold the token: it is taken out of whatever is shown.
    pub(super) fn said(code: Option<&str>, words: &str, token: &SecretString) -> Self {
        let (meaning, again) = meaning(code);
        let first = words.lines().next().unwrap_or_default().trim();
        let first = match token.expose_secret() {
            "" => first.to_owned(),
            token => first.replace(token, "(token)"),
        };
        let mut detail: String = format!("ngrok says: {first}").chars().take(200).collect();
        if let Some(code) = code {
            detail.push_str(&format!(" ({code})"));
        }
        Self { problem: Problem::with_detail(meaning, detail), again, said: true }
    }

    /// ngrok ended an endpoint that was open. Without a code of its own that is somebody at the dashboard, and it may be
    /// meant to come back: it is tried again, but not in haste.
    pub(super) fn closed(code: Option<&str>, words: &str, token: &SecretString) -> Self {
        let said = Self::said(code, words, token);
        match code {
            Some(_) => said,
            None => Self {
                problem: Problem { message: said.problem.message, ..Code::TunnelStopped.into() },
                again: Again::Later,
                said: true,
            },
        }
    }

    /// A call to ngrok failed: by its answer, or for want of one.
    pub(super) fn of_call(error: &RpcError, token: &SecretString) -> Self {
        match error {
            RpcError::Response(answer) => Self::said(answer.error_code(), &answer.msg(), token),
            _ => Self::lost(),
        }
    }

    pub(super) fn of_connect(error: &ConnectError, token: &SecretString) -> Self {
        match error {
            ConnectError::Auth(error) | ConnectError::Rebind(error) => Self::of_call(error, token),
            ConnectError::Tls(error) if untrusted(error) => Self::network(Code::TunnelUntrusted, ""),
            ConnectError::Tcp(error) if error.kind() == std::io::ErrorKind::TimedOut => Self::timed_out(),
            _ => Self::network(Code::TunnelUnreachable, ""),
        }
    }
}

/// Whether it was the certificate, rather than the line, that failed.
fn untrusted(error: &std::io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let tls = tls.or_else(|| error.source().and_then(|source| source.downcast_ref()));
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

/// ngrok's codes, from ngrok.com/docs/errors (read 2026).
fn meaning(code: Option<&str>) -> (Code, Again) {
    match code.and_then(|code| code.strip_prefix("ERR_NGROK_")) {
        Some("105" | "106" | "107" | "4018") => (Code::TunnelTokenRefused, Again::Never),
        Some("108") => (Code::TunnelAgentLimit, Again::Soon),
        Some("120") => (Code::TunnelOutdated, Again::Never),
        Some("319" | "320" | "326" | "7117" | "7118") => (Code::TunnelDomainRefused, Again::Never),
        Some("334") => (Code::TunnelTaken, Again::Soon),
        Some("718" | "720" | "725" | "727" | "734" | "4027") => (Code::TunnelLimit, Again::Later),
        _ => (Code::TunnelRefused, Again::Soon),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_in_ngroks_words_is_not_shown() {
        let token = SecretString::from("2secretsecret");
        let words = "Your authtoken: 2secretsecret is invalid.\nmore";
        let refusal = Refusal::said(Some("ERR_NGROK_107"), words, &token);
        assert_eq!(refusal.again, Again::Never);
        assert_eq!(
            refusal.problem.message,
            "ngrok refused the authtoken. ngrok says: Your authtoken: (token) is invalid. (ERR_NGROK_107)"
        );
    }

    #[test]
    fn what_time_mends_is_tried_again_and_what_it_does_not_is_not() {
        let again = |code| meaning(Some(code)).1;
        assert_eq!(again("ERR_NGROK_334"), Again::Soon);
        assert_eq!(again("ERR_NGROK_727"), Again::Later);
        assert_eq!(again("ERR_NGROK_105"), Again::Never);
        assert_eq!(meaning(Some("ERR_NGROK_99999")), (Code::TunnelRefused, Again::Soon));
        assert_eq!(meaning(None), (Code::TunnelRefused, Again::Soon));
    }
}
