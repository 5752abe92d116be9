//! The one place that reads the clock.

use domain::Timestamp;

pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

/// The first of the owner's month: where a month's spending starts.
pub fn first_of_month() -> Timestamp {
    let first = jiff::Zoned::now().first_of_month().and_then(|day| day.start_of_day());
    first.map_or_else(|_| midnight(), |day| Timestamp(day.timestamp().as_millisecond()))
}

/// As the owner's clock shows it: `15:00`, or `Tue 15:00` where that is not today.
pub fn told(at: Timestamp) -> String {
    let zoned = |t: jiff::Timestamp| t.to_zoned(jiff::tz::TimeZone::system());
    let Ok(at) = jiff::Timestamp::from_millisecond(at.0).map(zoned) else { return String::new() };
    let today = at.date() == zoned(jiff::Timestamp::now()).date();
    at.strftime(if today { "%H:%M" } else { "%a %H:%M" }).to_string()
}

/// The owner's last midnight: where a day's spending starts.
pub fn midnight() -> Timestamp {
    let today = jiff::Zoned::now().start_of_day();
    today.map_or_else(|_| now(), |day| Timestamp(day.timestamp().as_millisecond()))
}
