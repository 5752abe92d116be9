//! What was spent, by day, session or agent. Days are those of a time zone: one on which clocks change has 23 or 25 hours.

use crate::wire::desk::{Usage, UsageBy, UsageRow};
use domain::{Code, Problem, Timestamp};
use jiff::{
    ToSpan, Zoned,
    civil::Date,
    tz::{Offset, TimeZone},
};
use serde::Deserialize;
use store::{
    Rows,
    spending::{self, By, QUARTER, Used},
};

/// Without a span: so many days, today's among them.
const DAYS: i64 = 30;
/// A plot of more days than this is none.
const MOST_DAYS: usize = 1000;
/// Sessions and agents that are told, the dearest.
const PARTS: usize = 500;

/// What is asked.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Wish {
    pub from: Option<i64>,
    pub to: Option<i64>,
    #[serde(default)]
    pub by: UsageBy,
    /// An IANA name.
    pub tz: Option<String>,
    /// East is more.
    pub tz_offset_minutes: Option<i32>,
}

/// A span of time in a time zone, cut into days.
#[derive(Debug)]
pub struct Span {
    from: Timestamp,
    to: Timestamp,
    /// Each day and when it begins, up to the last that begins before the end.
    days: Vec<(Date, Timestamp)>,
}

impl Wish {
    /// The span that is meant, at quarters of an hour; by day from a midnight on.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for an unknown time zone and for a span that no calendar has or that is too long.
    pub fn span(&self, now: Timestamp) -> Result<Span, Problem> {
        let zone = self.zone()?;
        let zoned = |at: i64| {
            let at = jiff::Timestamp::from_millisecond(at).map_err(|e| bad(format!("{at} is no time: {e}.")))?;
            Ok::<Zoned, Problem>(at.to_zoned(zone.clone()))
        };
        let to = self.to.unwrap_or(now.0 + 1);
        let end = zoned(to)?;
        let from = match self.from {
            Some(from) => zoned(from)?,
            None => end.checked_sub((DAYS - 1).days()).map_err(bad)?.start_of_day().map_err(bad)?,
        };
        if from.timestamp().as_millisecond() > to {
            return Err(bad("from comes before to."));
        }
        let days = match self.by {
            UsageBy::Day => days(&from, to)?,
            UsageBy::Session | UsageBy::Agent => Vec::new(),
        };
        let from = days.first().map_or(from.timestamp().as_millisecond(), |(_, at)| at.0);
        let quarters = |at: i64| at.div_euclid(QUARTER);
        Ok(Span {
            from: Timestamp(quarters(from) * QUARTER),
            to: Timestamp(quarters(to + QUARTER - 1) * QUARTER),
            days,
        })
    }

    fn zone(&self) -> Result<TimeZone, Problem> {
        match (&self.tz, self.tz_offset_minutes) {
            (Some(name), _) => TimeZone::get(name).map_err(|_| bad(format!("There is no time zone {name}."))),
            (None, Some(minutes)) => {
                let offset = Offset::from_seconds(minutes.saturating_mul(60));
                Ok(TimeZone::fixed(offset.map_err(|_| bad("tz_offset_minutes is a day's at most."))?))
            }
            (None, None) => Ok(TimeZone::system()),
        }
    }
}

/// Every day from that of `from` on which begins before `to`.
fn days(from: &Zoned, to: i64) -> Result<Vec<(Date, Timestamp)>, Problem> {
    let mut days = Vec::new();
    let mut date = from.date();
    loop {
        let begins = date.to_zoned(from.time_zone().clone()).and_then(|noon| noon.start_of_day()).map_err(bad)?;
        let at = begins.timestamp().as_millisecond();
        if at >= to && !days.is_empty() {
            return Ok(days);
        }
        if days.len() == MOST_DAYS {
            return Err(bad(format!("That is more than {MOST_DAYS} days.")));
        }
        days.push((date, Timestamp(at)));
        date = date.tomorrow().map_err(bad)?;
    }
}

fn bad(why: impl std::fmt::Display) -> Problem {
    Problem::with_detail(Code::BadRequest, why)
}

/// # Errors
/// As the store's.
pub fn read(rows: &impl Rows, by: UsageBy, span: &Span) -> store::Result<Usage> {
    let total =
        UsageRow { key: "total".into(), label: "Total".into(), ..row(spending::between(rows, span.from, span.to)?) };
    let parts = |by| {
        let parts = spending::parts(rows, by, span.from, span.to, PARTS)?;
        let shown = |part: spending::Part| UsageRow { key: part.key, label: part.label, ..row(part.used) };
        Ok::<_, store::Error>(parts.into_iter().map(shown).collect())
    };
    let rows = match by {
        UsageBy::Day => by_day(rows, span)?,
        UsageBy::Session => parts(By::Session)?,
        UsageBy::Agent => parts(By::Agent)?,
    };
    Ok(Usage { from: span.from.0, to: span.to.0, by, total, prices_as_of: egress::AS_OF, rows })
}

fn by_day(rows: &impl Rows, span: &Span) -> store::Result<Vec<UsageRow>> {
    let ends = span.days.iter().skip(1).map(|(_, at)| *at).chain([span.to]);
    let day = |((date, at), end): (&(Date, Timestamp), Timestamp)| {
        let used = spending::between(rows, *at, end.max(*at))?;
        Ok(UsageRow {
            key: date.to_string(),
            label: date.strftime("%a %-d %b").to_string(),
            at: Some(at.0),
            ..row(used)
        })
    };
    span.days.iter().zip(ends).map(day).collect()
}

fn row(used: Used) -> UsageRow {
    let tokens = used.sum.tokens;
    UsageRow {
        dollars: used.sum.cost.dollars(),
        tokens_in: tokens.input,
        tokens_out: tokens.output,
        tokens_cache_read: tokens.cache_read,
        tokens_cache_write: tokens.cache_write,
        responses: used.sum.responses,
        turns: used.turns,
        time_ms: used.time_ms,
        ..UsageRow::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::usage::{MicroDollars, Tokens};
    use proptest::prelude::*;
    use store::{Store, usage};

    fn at(time: &str) -> Timestamp {
        Timestamp(time.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn days_of(tz: &str, from: &str, to: &str) -> Wish {
        Wish { from: Some(at(from).0), to: Some(at(to).0), tz: Some(tz.into()), ..Wish::default() }
    }

    async fn read_by(store: &Store, wish: Wish) -> Usage {
        let span = wish.span(at("2026-11-21T12:00:00Z")).unwrap();
        store.read(move |r| read(r, wish.by, &span)).await.unwrap()
    }

    async fn spent(times: &'static [&'static str]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        let write = store.write(move |tx| {
            for time in times {
                let cost = MicroDollars(1_000_000);
                let (model, tokens) = ("claude".into(), Tokens { input: 7, ..Tokens::default() });
                let row = usage::Spent { session: None, turn: None, model, tokens, cost, priced: true, status: 200 };
                usage::record(tx, &row, at(time))?;
            }
            Ok(())
        });
        write.await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn the_day_on_which_clocks_go_forward_has_23_hours_and_what_was_spent_in_them() {
        // Berlin: the 29th begins at 23:00 UTC of the 28th and ends at 22:00 UTC.
        let (_folder, store) =
            spent(&["2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"])
                .await;
        let usage = read_by(&store, days_of("Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-31T00:00:00Z")).await;
        let told: Vec<_> = usage.rows.iter().map(|r| (r.key.as_str(), r.label.as_str(), r.dollars)).collect();
        let days =
            [("2026-03-28", "Sat 28 Mar", 1.0), ("2026-03-29", "Sun 29 Mar", 2.0), ("2026-03-30", "Mon 30 Mar", 1.0)];
        assert_eq!(told[..3], days);
        assert_eq!(usage.rows[2].at.unwrap() - usage.rows[1].at.unwrap(), 23 * 3_600_000);
        assert_eq!((usage.total.dollars, usage.total.responses, usage.total.tokens_in), (4.0, 4, 28));
    }

    #[tokio::test]
    async fn the_day_on_which_clocks_go_back_has_25_hours_and_empty_days_are_told_too() {
        let (_folder, store) = spent(&["2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"]).await;
        let usage = read_by(&store, days_of("Europe/Berlin", "2026-10-23T22:00:00Z", "2026-10-27T00:00:00Z")).await;
        let told: Vec<_> = usage.rows.iter().map(|r| (r.key.as_str(), r.dollars)).collect();
        assert_eq!(told, [("2026-10-24", 0.0), ("2026-10-25", 1.0), ("2026-10-26", 1.0), ("2026-10-27", 0.0)]);
        assert_eq!(usage.rows[2].at.unwrap() - usage.rows[1].at.unwrap(), 25 * 3_600_000);
    }

    #[tokio::test]
    async fn a_zone_with_odd_minutes_and_one_that_skips_midnight_have_their_days() {
        // Kathmandu is 5:45 ahead; in Cairo the 24th of April 2026 begins at one o'clock.
        let (_folder, store) = spent(&["2026-04-23T18:14:59Z", "2026-04-23T18:15:00Z"]).await;
        let usage = read_by(&store, days_of("Asia/Kathmandu", "2026-04-23T10:00:00Z", "2026-04-24T00:00:00Z")).await;
        assert_eq!(usage.rows.iter().map(|r| r.dollars).collect::<Vec<_>>(), [1.0, 1.0]);
        let usage = read_by(&store, days_of("Africa/Cairo", "2026-04-23T10:00:00Z", "2026-04-25T00:00:00Z")).await;
        assert_eq!(usage.rows[1].at, Some(at("2026-04-23T22:00:00Z").0));
        let offset = Wish {
            tz: None,
            tz_offset_minutes: Some(345),
            ..days_of("", "2026-04-23T10:00:00Z", "2026-04-24T00:00:00Z")
        };
        assert_eq!(read_by(&store, offset).await.rows.iter().map(|r| r.dollars).collect::<Vec<_>>(), [1.0, 1.0]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_without_a_span_it_is_the_last_thirty_days() {
        let now = at("2026-11-21T12:00:00Z");
        for wish in [
            days_of("Nowhere/At_All", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
            days_of("UTC", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
            days_of("UTC", "1990-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
            Wish { from: Some(i64::MIN), ..Wish::default() },
            Wish { to: Some(i64::MAX), ..Wish::default() },
            Wish { tz_offset_minutes: Some(i32::MAX), ..Wish::default() },
        ] {
            assert_eq!(wish.span(now).unwrap_err().code, Code::BadRequest, "{wish:?}");
        }
        let span = Wish { tz: Some("UTC".into()), ..Wish::default() }.span(now).unwrap();
        assert_eq!((span.days.len(), span.from), (30, at("2026-10-23T00:00:00Z")));
    }

    proptest! {
        #[test]
        fn no_span_panics_and_days_never_overlap(from: i64, to: i64, minutes: i32) {
            let wish = Wish { from: Some(from % 10_000_000_000_000), to: Some(to % 10_000_000_000_000), tz_offset_minutes: Some(minutes % 2000), ..Wish::default() };
            if let Ok(span) = wish.span(Timestamp(0)) {
                prop_assert!(span.days.windows(2).all(|pair| pair[0].1 < pair[1].1));
            }
        }
    }
}
