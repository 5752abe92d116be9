//! Why a turn failed, from the frames that end it.

use super::wire::TurnResult;
use domain::{Code, agent::AgentFault};

/// What the turn said about itself before its result.
#[derive(Clone, Debug, Default)]
pub struct Clues {
    /// `error` of the last frame with Claude Code's own words: `authentication_failed`, `rate_limit`, …
    pub error: Option<String>,
    /// Status of the last attempt that was tried again.
    pub retried: Option<u16>,
}

/// The fault behind a result that is an error and was nobody's wish.
pub fn fault(result: &TurnResult, clues: &Clues) -> AgentFault {
    let words = result.result.as_deref().unwrap_or_default();
    by_own_door(words)
        .or_else(|| by_shape(result))
        .or_else(|| by_error(result, clues, words))
        .or_else(|| by_status(result.api_error_status))
        .unwrap_or(AgentFault::Other)
}

/// The egress door refuses in the API's format and names its code in the sentence, which Claude Code passes on.
fn by_own_door(words: &str) -> Option<AgentFault> {
    let named = |code: Code| words.contains(code.entry().name);
    match () {
        () if named(Code::SpendCap) => Some(AgentFault::SpendCap),
        () if named(Code::NoKey) => Some(AgentFault::NotLoggedIn),
        () if named(Code::UpstreamUnreachable) => Some(AgentFault::ServerError(None)),
        // Not the owner's key: the token of this process, or the sandbox, is not what it was.
        () if named(Code::BadSandboxToken) || named(Code::SandboxPaused) => Some(AgentFault::Other),
        () => None,
    }
}

fn by_shape(result: &TurnResult) -> Option<AgentFault> {
    let errors = result.errors.as_deref().unwrap_or_default();
    match (result.subtype.as_deref(), result.terminal_reason.as_deref()) {
        (_, Some("prompt_too_long")) => Some(AgentFault::PromptTooLong),
        (Some("error_during_execution"), _) if errors.iter().any(|e| e.starts_with("No conversation found")) => {
            Some(AgentFault::UnknownSession)
        }
        // It went to its end and has nothing to show: the answers broke off and the next request's too.
        (Some("error_during_execution"), Some("completed")) => Some(AgentFault::StreamBroken),
        _ => None,
    }
}

fn by_error(result: &TurnResult, clues: &Clues, words: &str) -> Option<AgentFault> {
    let status = result.api_error_status;
    match clues.error.as_deref()? {
        "authentication_failed" if status.is_none() => Some(AgentFault::NotLoggedIn),
        "authentication_failed" => Some(AgentFault::KeyRefused),
        "billing_error" => Some(AgentFault::CreditTooLow),
        "rate_limit" => Some(AgentFault::RateLimited),
        "model_not_found" => Some(AgentFault::ModelUnavailable),
        "max_output_tokens" => Some(AgentFault::OutputLimit),
        "overloaded" => Some(AgentFault::Overloaded),
        // After several 529 it gives up with a status of null.
        "server_error" if status.is_none() && (clues.retried == Some(529) || words.contains("529")) => {
            Some(AgentFault::Overloaded)
        }
        // No status: the connection broke ("Connection dropped (ECONNRESET)").
        "server_error" if status.is_none() => Some(AgentFault::StreamBroken),
        "server_error" if status != Some(529) => Some(AgentFault::ServerError(status)),
        _ => None,
    }
}

fn by_status(status: Option<u16>) -> Option<AgentFault> {
    match status? {
        400 | 413 | 422 => Some(AgentFault::BadRequest),
        401 | 403 => Some(AgentFault::KeyRefused),
        402 => Some(AgentFault::CreditTooLow),
        404 => Some(AgentFault::ModelUnavailable),
        429 => Some(AgentFault::RateLimited),
        529 => Some(AgentFault::Overloaded),
        status @ 500..=599 => Some(AgentFault::ServerError(Some(status))),
        _ => None,
    }
}

/// A fault that is told on stderr only, before the process leaves without a frame.
pub fn from_stderr(said: &str) -> Option<AgentFault> {
    let in_use = said.contains("Session ID ") && said.contains(" is already in use");
    in_use.then_some(AgentFault::SessionInUse)
}
