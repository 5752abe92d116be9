//! The one place that reads the clock.

use domain::Timestamp;

pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

/// The owner's last midnight: where a day's spending starts.
pub fn midnight() -> Timestamp {
    let today = jiff::Zoned::now().start_of_day();
    today.map_or_else(|_| now(), |day| Timestamp(day.timestamp().as_millisecond()))
}
