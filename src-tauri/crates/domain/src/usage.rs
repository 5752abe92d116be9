//! Tokens and what they cost.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Tokens of one or more model responses, by the four kinds that are priced apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    pub cache_write: u64,
    pub cache_read: u64,
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, more: Tokens) {
        self.input += more.input;
        self.output += more.output;
        self.cache_write += more.cache_write;
        self.cache_read += more.cache_read;
    }
}

/// Money in millionths of a US dollar, so that a token's price is a whole number and sums are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroDollars(pub u64);

impl MicroDollars {
    pub fn from_dollars(dollars: f64) -> Self {
        Self((dollars.max(0.0) * 1e6).round() as u64)
    }

    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl AddAssign for MicroDollars {
    fn add_assign(&mut self, more: MicroDollars) {
        self.0 = self.0.saturating_add(more.0);
    }
}

impl std::fmt::Display for MicroDollars {
    /// `$0.0042` below ten cents, `$1.23` above.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => f.write_str("$0"),
            1..100_000 => write!(f, "${:.4}", self.dollars()),
            _ => write!(f, "${:.2}", self.dollars()),
        }
    }
}
