//! Tasks that are to be done again and again, by the clock of this computer.

use super::Wish;
use crate::{approvals::internal, clock, gateway::App};
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};
use domain::{Code, Problem, Timestamp};
use jiff::{Zoned, tz::TimeZone};
use std::time::Duration;
use store::schedules::{self, Schedule, Template};

/// No schedule is quicker: each time is a sandbox and an agent.
const QUICKEST: Duration = Duration::from_secs(10 * 60);
/// Times that are looked at for that.
const LOOKED_AT: usize = 50;
/// More would be a mistake of a script.
const MOST: usize = 100;

fn parsed(cron: &str) -> Result<Cron, Problem> {
    CronParser::builder().seconds(Seconds::Disallowed).build().parse(cron.trim()).map_err(|e| {
        Problem::with_detail(Code::BadRequest, format!("{e}."))
            .suggest("Write five fields, as in \"0 7 * * 1-5\" for 7:00 on weekdays.")
    })
}

/// The next time after `after`, as this computer's clock shows it.
fn next(cron: &Cron, after: Timestamp) -> Result<Timestamp, Problem> {
    let never = |_| Problem::with_detail(Code::BadRequest, "That time never comes.");
    let after = jiff::Timestamp::from_millisecond(after.0).unwrap_or_default().to_zoned(TimeZone::system());
    let next: Zoned = cron.find_next_occurrence(&after, false).map_err(never)?;
    Ok(Timestamp(next.timestamp().as_millisecond()))
}

/// Five fields as this computer reads them.
///
/// # Errors
/// `BAD_REQUEST` for what is none, never comes, or comes too often.
fn checked(cron: &str, now: Timestamp) -> Result<(String, Timestamp), Problem> {
    let read = parsed(cron)?;
    let first = next(&read, now)?;
    let mut before = first;
    for _ in 0..LOOKED_AT {
        // One that comes once is well.
        let Ok(after) = next(&read, before) else { break };
        if after.since(before) < QUICKEST {
            return Err(Problem::with_detail(Code::BadRequest, "That comes more often than every 10 minutes."));
        }
        before = after;
    }
    Ok((cron.split_whitespace().collect::<Vec<_>>().join(" "), first))
}

/// In words.
pub fn in_words(cron: &str) -> String {
    parsed(cron).map(|cron| cron.describe()).unwrap_or_default()
}

/// Writes a schedule down.
///
/// # Errors
/// As [`checked`] and for what can be no task; `BUSY`.
pub async fn plan(app: &App, wish: Wish, cron: &str) -> Result<Schedule, Problem> {
    let now = clock::now();
    let (cron, next_at) = checked(cron, now)?;
    let (channel, sender) = (wish.channel, wish.sender.clone());
    if wish.branch.is_some() || wish.not_before.is_some() {
        return Err(Problem::with_detail(Code::BadRequest, "A schedule's tasks have branches and times of their own."));
    }
    let new = wish.checked(now)?;
    let task = Template {
        repository: new.repository,
        prompt: new.prompt,
        base: new.base,
        agent: new.agent,
        budget: new.budget,
        priority: new.priority,
    };
    let planned = app.store.write(move |tx| {
        let all = schedules::all(tx)?;
        if all.len() >= MOST {
            return Err(store::Error::Refused(Code::Busy));
        }
        let id = schedules::add(tx, &cron, &task, channel, sender.as_deref(), next_at, now)?;
        Ok(Schedule { id, cron, task, channel, sender, made_at: now, next_at })
    });
    planned.await.map_err(internal)
}

/// # Errors
/// `NOT_FOUND`.
pub async fn unplan(app: &App, id: u32) -> Result<(), Problem> {
    match app.store.write(move |tx| schedules::remove(tx, id)).await.map_err(internal)? {
        true => Ok(()),
        false => Err(Problem::with_detail(Code::NotFound, "There is no such schedule.")),
    }
}

/// Queues what is due; gives when the next is.
pub(super) async fn due(app: &App, now: Timestamp) -> store::Result<Option<Timestamp>> {
    for schedule in app.store.read(|r| schedules::all(r)).await?.into_iter().filter(|s| s.next_at <= now) {
        let Ok(next_at) = parsed(&schedule.cron).and_then(|cron| next(&cron, now)) else {
            tracing::warn!(schedule = schedule.id, "a schedule's time never comes again; it is taken away");
            app.store.write(move |tx| schedules::remove(tx, schedule.id)).await?;
            continue;
        };
        app.store.write(move |tx| schedules::due(tx, &schedule, next_at, now)).await?;
    }
    Ok(app.store.read(|r| schedules::all(r)).await?.first().map(|schedule| schedule.next_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    #[test]
    fn five_fields_are_read_and_what_never_comes_or_too_often_is_refused() {
        let (cron, first) = checked(" 0  7 * * 1-5 ", NOW).unwrap();
        assert_eq!(cron, "0 7 * * 1-5");
        assert!(first > NOW && first.since(NOW) <= Duration::from_secs(3 * 24 * 3600));
        assert!(!in_words(&cron).is_empty());
        for bad in ["", "* * * * *", "*/5 * * * *", "0,5 7 * * *", "0 0 7 * * 1", "61 * * * *", "0 0 31 2 *", "soon"] {
            let refused = checked(bad, NOW).unwrap_err();
            assert_eq!(refused.code, Code::BadRequest, "{bad}");
        }
        assert!(checked("0 */2 * * *", NOW).is_ok());
    }
}
