//! What tokens cost.
//!
//! List prices of the Anthropic API for first-party use, as the model catalogue inside Claude Code 2.1.329 (November
//! 2026) has them; older models as on Anthropic's pricing page. To add a model: one line in [`PRICES`], and [`AS_OF`].

use domain::usage::MicroDollars;
use std::{fmt, str::FromStr};

/// When the list below was last read: year and month.
pub const AS_OF: &str = "2026-11";

/// Price of a million tokens in thousandths of a dollar, which is the price of one token in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    input: u64,
    output: u64,
    cache_read: u64,
}

/// Tokens as the bill tells them apart; all together are one response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Billed {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    /// Kept for five minutes.
    pub cache_write_5m: u64,
    /// Kept for an hour.
    pub cache_write_1h: u64,
    pub web_searches: u64,
    /// Asked to be served within the United States, which costs a tenth more.
    pub us_only: bool,
    /// Fast mode.
    pub fast: bool,
}

const fn rate(input: u64, output: u64, cache_read: u64) -> Rate {
    Rate { input, output, cache_read }
}

/// By the model's name without its date; `claude-opus-4` is `claude-opus-4-20250514`.
const PRICES: &[(&str, Rate)] = &[
    ("claude-3-haiku", rate(250, 1_250, 30)),
    ("claude-3-5-haiku", rate(800, 4_000, 80)),
    ("claude-haiku-4-5", rate(1_000, 5_000, 100)),
    ("claude-haiku-5-5", rate(100, 500, 10)),
    ("claude-3-5-sonnet", rate(3_000, 15_000, 300)),
    ("claude-3-7-sonnet", rate(3_000, 15_000, 300)),
    ("claude-sonnet-4", rate(3_000, 15_000, 300)),
    ("claude-sonnet-4-0", rate(3_000, 15_000, 300)),
    ("claude-sonnet-4-5", rate(3_000, 15_000, 300)),
    ("claude-sonnet-4-6", rate(3_000, 15_000, 300)),
    ("claude-sonnet-5", rate(2_000, 10_000, 200)),
    ("claude-sonnet-5-5", rate(2_000, 10_000, 100)),
    ("claude-3-opus", rate(15_000, 75_000, 1_500)),
    ("claude-opus-4", rate(15_000, 75_000, 1_500)),
    ("claude-opus-4-0", rate(15_000, 75_000, 1_500)),
    ("claude-opus-4-1", rate(15_000, 75_000, 1_500)),
    ("claude-opus-4-5", rate(5_000, 25_000, 500)),
    ("claude-opus-4-6", rate(5_000, 25_000, 500)),
    ("claude-opus-4-7", rate(5_000, 25_000, 500)),
    ("claude-opus-4-8", rate(5_000, 25_000, 500)),
    ("claude-opus-5", rate(5_000, 25_000, 500)),
    ("claude-opus-5-5", rate(4_000, 20_000, 200)),
    ("claude-fable-5", rate(10_000, 50_000, 1_000)),
    ("claude-fable-5-1", rate(10_000, 50_000, 250)),
    ("claude-fable-5-2", rate(8_000, 40_000, 200)),
    ("claude-mythos-5", rate(10_000, 50_000, 1_000)),
    ("claude-mythos-5-1", rate(10_000, 50_000, 250)),
    ("claude-mythos-5-2", rate(8_000, 40_000, 200)),
];

/// Five times as dear above 100 000 tokens of prompt.
const LONG_PROMPT: (&str, u64, Rate) = ("claude-haiku-5-5", 100_000, rate(500, 2_500, 50));
/// Of all models; taken for one that is not in the list.
const DEAREST: Rate = rate(15_000, 75_000, 1_500);
/// Of fast mode on any model; it has no price per model here.
const DEAREST_FAST: Rate = rate(30_000, 150_000, 3_000);
/// One web search, in billionths of a dollar: $10 a thousand.
const WEB_SEARCH: u64 = 10_000_000;

/// A price of the owner's own: `claude-opus-9 5 25 0.5`, dollars for a million tokens of input, output and cache reads. Without the last it
/// is a tenth of input's, as on Anthropic's pricing page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    model: String,
    rate: Rate,
}

/// Why a line is no price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPrice {
    #[error("it names a model, then dollars for a million tokens of input and of output")]
    Words,
    #[error("{0} is no price in dollars")]
    Amount(String),
}

impl FromStr for Price {
    type Err = BadPrice;

    fn from_str(line: &str) -> Result<Self, BadPrice> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let amount = |word: &str| {
            let dollars = word.parse::<f64>().ok().filter(|n| n.is_finite() && (0.0..=100_000.0).contains(n));
            dollars.map(|n| (n * 1000.0).round() as u64).ok_or_else(|| BadPrice::Amount(word.to_owned()))
        };
        let (model, input, output, cached) = match words[..] {
            [model, input, output] => (model, amount(input)?, amount(output)?, amount(input)?.div_ceil(10)),
            [model, input, output, cached] => (model, amount(input)?, amount(output)?, amount(cached)?),
            _ => return Err(BadPrice::Words),
        };
        Ok(Self { model: family(model).to_owned(), rate: rate(input, output, cached) })
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = |rate: u64| rate as f64 / 1000.0;
        let Rate { input, output, cache_read } = self.rate;
        write!(f, "{} {} {} {}", self.model, dollars(input), dollars(output), dollars(cache_read))
    }
}

/// The owner's prices, and where they say nothing the list's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices(Vec<Price>);

impl Prices {
    pub fn new(own: Vec<Price>) -> Self {
        Self(own)
    }
}

impl Prices {
    /// The cost of one response, rounded up, and whether the model's own price was known.
    pub(crate) fn cost(&self, model: &str, billed: &Billed) -> (MicroDollars, bool) {
        let own = self.0.iter().find(|price| price.model == family(model)).map(|price| price.rate);
        match own.or_else(|| known(model, billed)) {
            _ if billed.fast => (at(DEAREST_FAST, billed), false),
            Some(rate) => (at(rate, billed), true),
            None => (at(DEAREST, billed), false),
        }
    }

    /// More than a request of `bytes` that may be answered with `output` tokens can cost: every byte pair a token that is
    /// written to the hour's cache.
    pub(crate) fn worst_case(&self, model: &str, bytes: usize, output: u64, fast: bool) -> MicroDollars {
        // No model takes more than a million tokens of prompt.
        let prompt = (bytes as u64 / 2).min(1_000_000);
        self.cost(model, &Billed { cache_write_1h: prompt, output, fast, us_only: true, ..Billed::default() }).0
    }
}

fn at(rate: Rate, billed: &Billed) -> MicroDollars {
    // A cache write costs a quarter more than input when kept for 5 minutes, twice as much for an hour.
    let nanos = billed
        .input
        .saturating_mul(rate.input)
        .saturating_add(billed.output.saturating_mul(rate.output))
        .saturating_add(billed.cache_read.saturating_mul(rate.cache_read))
        .saturating_add(billed.cache_write_5m.saturating_mul(rate.input * 5 / 4))
        .saturating_add(billed.cache_write_1h.saturating_mul(rate.input * 2));
    let nanos = if billed.us_only { nanos.saturating_add(nanos.div_ceil(10)) } else { nanos };
    let nanos = nanos.saturating_add(billed.web_searches.saturating_mul(WEB_SEARCH));
    MicroDollars(nanos.div_ceil(1_000))
}

fn known(model: &str, billed: &Billed) -> Option<Rate> {
    let family = family(model);
    let prompt = [billed.input, billed.cache_read, billed.cache_write_5m, billed.cache_write_1h]
        .into_iter()
        .fold(0, u64::saturating_add);
    if family == LONG_PROMPT.0 && prompt > LONG_PROMPT.1 {
        return Some(LONG_PROMPT.2);
    }
    PRICES.iter().find(|(name, _)| *name == family).map(|(_, rate)| *rate)
}

/// The name without date, `-latest` or a bracketed variant. Only these: `claude-opus-4-9` is not `claude-opus-4`.
fn family(model: &str) -> &str {
    let name = model.split('[').next().unwrap_or(model);
    match name.rsplit_once('-') {
        Some((family, "latest")) => family,
        Some((family, date)) if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) => family,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(model: &str, billed: &Billed) -> (MicroDollars, bool) {
        Prices::default().cost(model, billed)
    }

    #[test]
    fn a_price_of_the_owners_goes_before_the_lists_and_is_written_as_it_is_read() {
        let own: Vec<Price> =
            ["claude-opus-9 6 30 0.6", "claude-opus-5-20260101 1 2"].map(|line| line.parse().unwrap()).into();
        assert_eq!(own[0].to_string(), "claude-opus-9 6 30 0.6");
        assert_eq!(own[1].to_string(), "claude-opus-5 1 2 0.1");
        let prices = Prices::new(own);
        let input = |model: &str| prices.cost(model, &million(|b, n| b.input = n));
        assert_eq!(input("claude-opus-9-20270101"), (MicroDollars(6_000_000), true));
        assert_eq!(input("claude-opus-5"), (MicroDollars(1_000_000), true));
        assert_eq!(input("claude-opus-4-5"), (MicroDollars(5_000_000), true));
        for (line, why) in [
            ("claude-opus-9 6", BadPrice::Words),
            ("", BadPrice::Words),
            ("claude-opus-9 six 30", BadPrice::Amount("six".into())),
            ("claude-opus-9 -1 30", BadPrice::Amount("-1".into())),
        ] {
            assert_eq!(line.parse::<Price>(), Err(why), "{line}");
        }
    }

    fn million(kind: impl FnOnce(&mut Billed, u64)) -> Billed {
        let mut billed = Billed::default();
        kind(&mut billed, 1_000_000);
        billed
    }

    fn dollars(model: &str, billed: Billed) -> f64 {
        cost(model, &billed).0.dollars()
    }

    #[test]
    fn a_million_of_each_kind_costs_its_list_price() {
        let model = "claude-opus-4-5-20251101";
        assert_eq!(dollars(model, million(|b, n| b.input = n)), 5.0);
        assert_eq!(dollars(model, million(|b, n| b.output = n)), 25.0);
        assert_eq!(dollars(model, million(|b, n| b.cache_read = n)), 0.5);
        assert_eq!(dollars(model, million(|b, n| b.cache_write_5m = n)), 6.25);
        assert_eq!(dollars(model, million(|b, n| b.cache_write_1h = n)), 10.0);
        assert_eq!(dollars(model, Billed { web_searches: 1_000, ..Billed::default() }), 10.0);
    }

    #[test]
    fn dates_and_variants_are_the_same_model_and_versions_are_not() {
        let price = |model| cost(model, &million(|b, n| b.input = n));
        assert_eq!(price("claude-opus-4-20250514"), (MicroDollars(15_000_000), true));
        assert_eq!(price("claude-opus-4-6[1m]"), (MicroDollars(5_000_000), true));
        assert_eq!(price("claude-3-5-haiku-latest"), (MicroDollars(800_000), true));
        assert_eq!(price("claude-opus-4-9"), (MicroDollars(15_000_000), false));
    }

    #[test]
    fn an_unknown_model_is_as_dear_as_the_dearest_and_flagged() {
        assert_eq!(cost("gpt-9", &million(|b, n| b.output = n)), (MicroDollars(75_000_000), false));
        assert!(PRICES.iter().all(|(_, r)| r.input <= DEAREST.input
            && r.output <= DEAREST.output
            && r.cache_read <= DEAREST.cache_read));
    }

    #[test]
    fn a_long_prompt_a_place_and_fast_mode_cost_more() {
        assert_eq!(dollars("claude-haiku-5-5", Billed { input: 100_000, ..Billed::default() }), 0.01);
        assert_eq!(dollars("claude-haiku-5-5", million(|b, n| b.input = n)), 0.5);
        assert_eq!(dollars("claude-opus-5", Billed { us_only: true, ..million(|b, n| b.input = n) }), 5.5);
        assert_eq!(
            cost("claude-opus-5", &Billed { fast: true, ..million(|b, n| b.input = n) }),
            (MicroDollars(30_000_000), false)
        );
    }

    #[test]
    fn a_fraction_is_rounded_up_and_nothing_overflows() {
        assert_eq!(cost("claude-haiku-5-5", &Billed { input: 1, ..Billed::default() }).0, MicroDollars(1));
        let huge = Billed { output: u64::MAX, input: u64::MAX / 4, us_only: true, ..Billed::default() };
        assert!(cost("claude-opus-5", &huge).0 > MicroDollars(1 << 50));
        assert_eq!(cost("claude-opus-5", &Billed::default()).0, MicroDollars(0));
    }
}
