//! What a session may spend and take.

use super::{Refused, wrong};
use crate::config::{Written, written};
use domain::usage::MicroDollars;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    pub turn: MicroDollars,
    pub session: MicroDollars,
    pub day: MicroDollars,
}

pub(super) fn caps(spend: &written::Spend) -> Result<Caps, Refused> {
    let dollars = |key: &str, value: f64| match value.is_finite() && value >= 0.0 {
        true => Ok(MicroDollars::from_dollars(value)),
        false => Err(wrong(key, "it must be a number of dollars, 0 or more", "Write it as in 5.0.")),
    };
    Ok(Caps {
        turn: dollars("spend.turn", spend.turn)?,
        session: dollars("spend.session", spend.session)?,
        day: dollars("spend.day", spend.day)?,
    })
}

pub(super) fn size(written: written::Size) -> sandbox::Size {
    match written {
        written::Size::Small => sandbox::Size::Small,
        written::Size::Medium => sandbox::Size::Medium,
        written::Size::Large => sandbox::Size::Large,
    }
}

pub(super) fn limits(w: &Written) -> Result<sandbox::agent::Limits, Refused> {
    let bytes = |key: &str, gigabytes: f64| match gigabytes.is_finite() && gigabytes >= 0.0 {
        true => Ok((gigabytes * 1e9) as u64),
        false => Err(wrong(key, "it must be a number of gigabytes, 0 or more", "Write it as in 2.0.")),
    };
    let memory = match bytes("limits.memory_gb", w.limits.memory_gb)? {
        0 => size(w.sandbox.size).memory() / 4 * 3,
        chosen => chosen,
    };
    Ok(sandbox::agent::Limits {
        memory,
        cpu: w.limits.processor_minutes.saturating_mul(60),
        file: bytes("limits.file_gb", w.limits.file_gb)?,
        free: bytes("limits.free_gb", w.limits.free_gb)?,
    })
}

/// The owner's own user id, so that what the agent writes belongs to the owner; 1000 for root, which the agent never is.
pub(super) fn agent_uid(written: u32) -> u32 {
    match (written, rustix::process::getuid().as_raw()) {
        (0, 0) => 1000,
        (0, own) => own,
        (chosen, _) => chosen,
    }
}
