//! Structured logs on standard error. What may never stand in them: message text, full numbers, tokens, links.

use crate::config::{Resolved, Written};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging as the config says; `LANYARD_LOG` overrides the level. Later calls do nothing.
pub fn start(config: &Resolved) {
    start_as(&config.written);
}

pub fn start_as(config: &Written) {
    let level = std::env::var("LANYARD_LOG").unwrap_or_else(|_| config.log.level.clone());
    // At finer levels ngrok's SDK writes its authtoken.
    let filter =
        EnvFilter::try_new(format!("{level},ngrok=warn,muxado=warn")).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let _already_started = match config.log.format {
        crate::config::LogFormat::Json => lines.json().flatten_event(true).try_init(),
        crate::config::LogFormat::Pretty => lines.compact().with_target(false).try_init(),
    };
}
