//! The desk where texts are read: each is a command, an answer, or words for the agent. Every number has lines of its own,
//! so that no number waits for another: one for its words, in order and not too fast; one for what must not wait (`halt`,
//! `no`, `status`); one for pictures of pages, which take long.

mod line;
mod tasks;
mod words;

use crate::{gateway::App, sms::letters::To};
use domain::grammar::{self, Command};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};
use store::inbox::{self, Message};

/// Messages read at once.
const ROUND: usize = 200;
/// When the inbox cannot be read (the disk): how long until the next look.
const TROUBLED: Duration = Duration::from_secs(1);

/// Reads the inbox until Lanyard stops: each message once, from a cursor on. What a line could not do stays in that line.
pub async fn run(app: App) {
    let lines = Lines::new(&app);
    let mut bell = app.store.bells().inbox.subscribe();
    let mut cursor = 0;
    loop {
        bell.mark_unchanged();
        let read = sort_new(&app, &lines, &mut cursor).await;
        if let Err(e) = &read {
            tracing::error!(error = ?e, "the inbox could not be read");
        }
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = bell.changed() => {}
            () = tokio::time::sleep(TROUBLED), if read.is_err() => {}
        }
    }
}

/// Puts what is new in its lines.
async fn sort_new(app: &App, lines: &Lines, cursor: &mut i64) -> store::Result<()> {
    loop {
        let after = *cursor;
        let new = match app.store.read(move |r| inbox::unread(r, after, ROUND)).await {
            Ok(new) => new,
            Err(e) if put_aside_the_unreadable(app, after).await? == 0 => return Err(e),
            Err(_) => continue,
        };
        let all = new.len() < ROUND;
        for message in new {
            *cursor = message.message;
            lines.take(app, message);
        }
        if all {
            return Ok(());
        }
    }
}

/// What stands in the inbox and cannot be read holds up nothing behind it. Gives how many there were.
async fn put_aside_the_unreadable(app: &App, after: i64) -> store::Result<usize> {
    let bad = app.store.read(move |r| inbox::unreadable(r, after, ROUND)).await?;
    for (message, sender) in &bad {
        line::put_aside(app, *message, sender.clone().map(To::address)).await?;
    }
    Ok(bad.len())
}

/// Which of a number's lines a message is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Words,
    Urgent,
    Shot,
}

impl Kind {
    fn of(message: &Message) -> Self {
        let command = grammar::read(&message.text);
        match command {
            Command::Shot { .. } => Self::Shot,
            _ if grammar::opt_out(&message.text).is_some() => Self::Urgent,
            command if command.is_urgent() && message.media.is_empty() => Self::Urgent,
            _ => Self::Words,
        }
    }
}

/// A message in a line: its number alone, so that a flood takes little memory.
struct Queued {
    message: i64,
    is_status: bool,
    /// The same was asked again right after it: one answer serves both.
    superseded: bool,
}

type Queues = HashMap<(String, Kind), VecDeque<Queued>>;

/// The lines that have work, each served by a task of its own.
#[derive(Clone)]
struct Lines {
    queues: Arc<Mutex<Queues>>,
    limiter: Arc<DefaultKeyedRateLimiter<String>>,
    /// Answers to what must not wait; it is done above this number too.
    urgent: Arc<DefaultKeyedRateLimiter<String>>,
    told_slow: Arc<DefaultKeyedRateLimiter<String>>,
}

impl Lines {
    fn new(app: &App) -> Self {
        let per_minute = NonZeroU32::new(app.config.sms.per_minute).unwrap_or(NonZeroU32::MIN);
        let limiter = |n| Arc::new(RateLimiter::keyed(Quota::per_minute(n)));
        Self {
            queues: Arc::default(),
            limiter: limiter(per_minute),
            urgent: limiter(per_minute),
            told_slow: limiter(NonZeroU32::MIN),
        }
    }

    fn take(&self, app: &App, message: Message) {
        let kind = Kind::of(&message);
        self.put(app, message, kind);
    }

    /// At the end of its sender's line of that kind.
    fn put(&self, app: &App, message: Message, kind: Kind) {
        let sender = message.sender.clone().unwrap_or_default();
        let mut queues = self.lock();
        if let Some(queue) = queues.get_mut(&(sender.clone(), kind)) {
            let is_status = grammar::read(&message.text) == Command::Status;
            if let Some(last) = queue.back_mut().filter(|last| last.is_status && is_status) {
                last.superseded = true;
            }
            queue.push_back(Queued { message: message.message, is_status, superseded: false });
            return;
        }
        queues.insert((sender.clone(), kind), VecDeque::new());
        app.tasks.spawn(line::serve(app.clone(), self.clone(), sender, kind, message));
    }

    /// The next of a line; none closes it.
    fn next(&self, sender: &str, kind: Kind) -> Option<Queued> {
        let key = (sender.to_owned(), kind);
        let mut queues = self.lock();
        let next = queues.get_mut(&key).and_then(VecDeque::pop_front);
        if next.is_none() {
            queues.remove(&key);
        }
        next
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
