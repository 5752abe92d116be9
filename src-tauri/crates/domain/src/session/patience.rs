//! How long a session waits for what.

use std::time::Duration;

/// How long things may take; past it the machine acts by itself.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// No sign of life while the model is waited for.
    pub silence: Duration,
    /// No sign of life while a tool runs.
    pub tool_silence: Duration,
    /// From asking the agent to stop to ending its process.
    pub halt: Duration,
    /// From ending a process to taking it for gone though nobody said so.
    pub end: Duration,
    /// A process without work is ended after this; the session resumes when words come.
    pub idle: Duration,
    /// A whole turn, without the time the owner takes to answer.
    pub turn: Duration,
    /// How many messages may wait in one session.
    pub waiting: usize,
}

impl Default for Patience {
    fn default() -> Self {
        let minutes = |m: u64| Duration::from_secs(60 * m);
        Self {
            // Claude Code 2.1.329 retries an unreachable model without a word; its retries of a 500 take 175 s (measured).
            silence: minutes(5),
            // Claude Code lets a command run for at most 10 minutes.
            tool_silence: minutes(12),
            halt: Duration::from_secs(5),
            end: Duration::from_secs(30),
            idle: minutes(30),
            turn: minutes(60),
            waiting: 100,
        }
    }
}
