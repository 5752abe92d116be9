//! Sentences about the house itself: its ways in, its first text, its lock.

use crate::shown::shown_line;

/// `next` is how long until the next attempt, none while one is under way.
pub fn tunnel_connecting(attempt: u32, next: Option<std::time::Duration>) -> String {
    match (attempt, next) {
        (0 | 1, _) => "The tunnel is connecting.".to_owned(),
        (attempt, None) => format!("The tunnel is connecting, attempt {attempt}."),
        (attempt, Some(next)) => format!("The tunnel is down, attempt {attempt} {}.", in_seconds(next)),
    }
}

pub fn tunnel_open(url: &str) -> String {
    format!("The tunnel is open: {url}")
}

/// `next` is how long until it is tried again, none where that needs the owner.
pub fn tunnel_refused(sentence: &str, suggestion: &str, next: Option<std::time::Duration>) -> String {
    match next {
        Some(next) => format!("{sentence} {suggestion} Next attempt {}.", in_seconds(next)),
        None => format!("{sentence} {suggestion}"),
    }
}

pub fn lan_off() -> &'static str {
    "The door on the local network is off."
}

pub fn lan_opening() -> &'static str {
    "The door on the local network is being opened."
}

/// `urls`: the name first, then addresses.
pub fn lan_open(urls: &[String]) -> String {
    format!("The door on the local network is open: {}", urls.join(", "))
}

fn in_seconds(span: std::time::Duration) -> String {
    match span.as_secs_f64().ceil() {
        seconds if seconds <= 1.0 => "in a second".to_owned(),
        seconds => format!("in {seconds} s"),
    }
}

/// The first text, to see whether texts go both ways.
pub fn hello(computer: &str) -> String {
    format!(
        "Hello from Lanyard on {}. Write here and your coding agent reads it. To see that this works, answer: menu",
        shown_line(computer, 30)
    )
}

/// What `lock` by text has done.
pub fn locked(revoked: usize, denied: usize, paused: bool) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let sandbox =
        if paused { "The sandbox is paused." } else { "The sandbox could NOT be paused: halt stops its turn." };
    format!(
        "Locked: {} shut out, {} refused. {sandbox} At the desk: lanyard unlock.",
        count(revoked, "phone"),
        count(denied, "question")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segments;

    #[test]
    fn the_tunnel_says_what_it_does_and_when_it_tries_again() {
        use std::time::Duration;
        assert_eq!(tunnel_connecting(1, None), "The tunnel is connecting.");
        assert_eq!(
            tunnel_connecting(4, Some(Duration::from_millis(800))),
            "The tunnel is down, attempt 4 in a second."
        );
        assert_eq!(tunnel_refused("No.", "Do it.", Some(Duration::from_secs(30))), "No. Do it. Next attempt in 30 s.");
        assert_eq!(tunnel_refused("No.", "Do it.", None), "No. Do it.");
    }

    #[test]
    fn the_first_text_and_the_lock_fit_one_segment() {
        for words in [hello("desk"), hello(&"x".repeat(80)), locked(12, 1, true), locked(1, 12, false)] {
            let count = segments::count(&words);
            assert_eq!((count.segments, count.alphabet), (1, segments::Alphabet::Gsm7), "{words}");
        }
        assert!(locked(1, 0, true).starts_with("Locked: 1 phone shut out, 0 questions refused."));
    }
}
