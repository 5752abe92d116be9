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

/// The owner's last midnight: where a day's spending starts.
pub fn midnight() -> Timestamp {
    let today = jiff::Zoned::now().start_of_day();
    today.map_or_else(|_| now(), |day| Timestamp(day.timestamp().as_millisecond()))
}
