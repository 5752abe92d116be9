//! What a session may spend and take.

use super::{Refused, wrong};
use crate::config::{Written, written};
use domain::usage::{Ceiling, MicroDollars, Span, Unit};

/// The owner's ceilings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    pub dollars: Each<MicroDollars>,
    /// 0: none.
    pub tokens: Each<u64>,
    /// Of a ceiling, at which the owner is told.
    pub warn_percent: u8,
}

/// One for each span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Each<T> {
    pub turn: T,
    pub session: T,
    pub day: T,
    pub month: T,
}

impl<T: Copy> Each<T> {
    pub fn of(&self, span: Span) -> T {
        match span {
            Span::Turn => self.turn,
            Span::Session => self.session,
            Span::Day => self.day,
            Span::Month => self.month,
        }
    }
}

impl Caps {
    /// The ceilings of a span, as their units count.
    pub fn of(&self, span: Span) -> impl Iterator<Item = (Ceiling, u64)> + use<> {
        let dollars = (Ceiling { span, unit: Unit::Dollars }, self.dollars.of(span).0);
        let tokens = (Ceiling { span, unit: Unit::Tokens }, self.tokens.of(span));
        std::iter::once(dollars).chain(Some(tokens).filter(|(_, cap)| *cap > 0))
    }

    /// How much more is offered when a ceiling is reached: as much as a turn may take, or a tenth where that has no ceiling.
    pub fn step(&self, ceiling: Ceiling, cap: u64) -> u64 {
        let turn = match ceiling.unit {
            Unit::Dollars => self.dollars.turn.0,
            Unit::Tokens => self.tokens.turn,
        };
        if turn > 0 { turn } else { (cap / 10).max(1) }
    }
}

pub(super) fn caps(spend: &written::Spend) -> Result<Caps, Refused> {
    let dollars = |key: &str, value: f64| match value.is_finite() && value >= 0.0 {
        true => Ok(MicroDollars::from_dollars(value)),
        false => Err(wrong(key, "it must be a number of dollars, 0 or more", "Write it as in 5.0.")),
    };
    if !(1..=100).contains(&spend.warn_percent) {
        return Err(wrong("spend.warn_percent", "it must be from 1 to 100", "Write it as in 80."));
    }
    Ok(Caps {
        dollars: Each {
            turn: dollars("spend.turn", spend.turn)?,
            session: dollars("spend.session", spend.session)?,
            day: dollars("spend.day", spend.day)?,
            month: dollars("spend.month", spend.month)?,
        },
        tokens: Each {
            turn: spend.turn_tokens,
            session: spend.session_tokens,
            day: spend.day_tokens,
            month: spend.month_tokens,
        },
        warn_percent: spend.warn_percent,
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
