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

impl Tokens {
    /// Of all four kinds.
    pub fn total(self) -> u64 {
        [self.output, self.cache_write, self.cache_read].into_iter().fold(self.input, u64::saturating_add)
    }
}

/// What a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    Turn,
    Session,
    /// The owner's, from midnight.
    Day,
    /// The owner's calendar month.
    Month,
}

impl Span {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Session => "session",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// In millionths.
    Dollars,
    /// Of all kinds together.
    Tokens,
}

impl Unit {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dollars => "dollars",
            Self::Tokens => "tokens",
        }
    }

    /// `$5.00`, `200 000 tokens`.
    pub fn amount(self, n: u64) -> String {
        match self {
            Self::Dollars => MicroDollars(n).to_string(),
            Self::Tokens => format!("{} tokens", grouped(n)),
        }
    }
}

/// Digits in threes, with a space between.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let from_behind: Vec<&str> =
        digits.as_bytes().rchunks(3).map(|three| std::str::from_utf8(three).unwrap_or_default()).collect();
    from_behind.into_iter().rev().collect::<Vec<_>>().join(" ")
}

/// One ceiling: so many dollars or tokens for a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ceiling {
    pub span: Span,
    pub unit: Unit,
}

impl std::fmt::Display for Ceiling {
    /// The key of the config: `spend.day`, `spend.day_tokens`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = if self.unit == Unit::Tokens { "_tokens" } else { "" };
        write!(f, "spend.{}{unit}", self.span.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_ceilings_are_said_as_people_write_them() {
        assert_eq!(Unit::Dollars.amount(5_000_000), "$5.00");
        let said: Vec<String> = [0, 999, 1_000, 1_234_567].map(|n| Unit::Tokens.amount(n)).to_vec();
        assert_eq!(said, ["0 tokens", "999 tokens", "1 000 tokens", "1 234 567 tokens"]);
        assert_eq!(Ceiling { span: Span::Day, unit: Unit::Tokens }.to_string(), "spend.day_tokens");
        assert_eq!(Tokens { input: u64::MAX, output: 1, ..Tokens::default() }.total(), u64::MAX);
    }
}
