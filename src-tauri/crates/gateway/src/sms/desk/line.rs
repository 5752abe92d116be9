//! One line of one number: its messages one after another, each until it is done or has failed for good.

use super::{
    Kind, Lines, Queued,
    words::{Desk, Then},
};
use crate::{
    approvals::{self, Answer},
    clock,
    gateway::App,
    lock::{self, Wish},
    sms::{
        letters::To,
        media::{self, Fetched},
        shot,
    },
};
use domain::{
    Code,
    approval::{Approval, Decision, Subject},
    event::{Channel, Event},
    phrases,
};
use futures::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use store::{
    inbox::{self, Message},
    numbers,
};

/// What could not be done yet is looked at again after this.
const AGAIN: Duration = Duration::from_secs(1);
/// A message that failed this often fails always: it is put aside and the owner is told.
const TRIES: u32 = 3;

/// A line's state, beside its queue.
struct Line {
    app: App,
    lines: Lines,
    sender: String,
    kind: Kind,
    told_slow: bool,
    told_full: bool,
    /// This number got as many answers of late as it gets.
    quiet: bool,
}

/// Serves a line from its first message until it is empty or Lanyard stops.
pub(super) async fn serve(app: App, lines: Lines, sender: String, kind: Kind, first: Message) {
    let mut line = Line { app, lines, sender, kind, told_slow: false, told_full: false, quiet: false };
    let mut next = Some(first);
    while let Some(message) = next {
        line.wait_for_its_turn().await;
        line.see_through(message).await;
        next = line.next().await;
    }
}

/// How a try ended.
enum Done {
    Yes,
    /// Its pictures cannot be had yet.
    Later,
    /// Its session has no room.
    Full,
}

impl Line {
    async fn next(&self) -> Option<Message> {
        while let Some(Queued { message, superseded, .. }) = self.lines.next(&self.sender, self.kind) {
            if let Some(message) = self.read(message, superseded).await {
                return Some(message);
            }
        }
        None
    }

    /// The message by its number, unless there is nothing to do for it or Lanyard stops.
    async fn read(&self, message: i64, superseded: bool) -> Option<Message> {
        while !self.app.stop.is_cancelled() {
            let read = match superseded {
                true => self.app.store.write(move |tx| inbox::handled(tx, message)).await.map(|()| None),
                false => self.app.store.read(move |r| inbox::get(r, message)).await.map(Some),
            };
            match read {
                Ok(message) => return message,
                Err(e) => tracing::error!(message, error = ?e, "a text could not be read yet"),
            }
            self.pause().await;
        }
        None
    }

    /// A number that writes too fast is done later, not refused; what must not wait does not, but is not answered each time.
    async fn wait_for_its_turn(&mut self) {
        if self.kind == Kind::Urgent {
            self.quiet = self.lines.urgent.check_key(&self.sender).is_err();
            if self.quiet && self.lines.told_slow.check_key(&self.sender).is_ok() {
                self.say(phrases::slow_down()).await;
            }
            return;
        }
        while self.lines.limiter.check_key(&self.sender).is_err() && !self.app.stop.is_cancelled() {
            if !std::mem::replace(&mut self.told_slow, true) {
                self.say(phrases::slow_down()).await;
            }
            self.pause().await;
        }
    }

    async fn see_through(&mut self, message: Message) {
        let (mut failures, mut fetched) = (0, None);
        while !self.app.stop.is_cancelled() {
            let tried = AssertUnwindSafe(self.try_it(&message, &mut fetched)).catch_unwind().await;
            match tried.unwrap_or(Err(store::Error::Refused(Code::Internal))) {
                Ok(Done::Yes) => return,
                Ok(Done::Later) => {}
                Ok(Done::Full) => {
                    if !std::mem::replace(&mut self.told_full, true) {
                        self.say(phrases::full()).await;
                    }
                }
                Err(e) => {
                    tracing::error!(message = message.message, error = ?e, "a text could not be handled; it stays in the inbox");
                    // A full disk is no fault of the message.
                    failures += u32::from(e.code() != Code::DiskFull);
                }
            }
            if failures == TRIES {
                let _it_stays_in_the_inbox = put_aside(&self.app, message.message, Some(self.to())).await;
                return;
            }
            self.pause().await;
        }
    }

    async fn try_it(&self, message: &Message, fetched: &mut Option<Arc<Fetched>>) -> store::Result<Done> {
        crate::may_die!("desk-before");
        let number = message.message;
        if message.sender.is_none() {
            return self.app.store.write(move |tx| inbox::handled(tx, number)).await.map(|()| Done::Yes);
        }
        let fetched = match fetched {
            Some(fetched) => fetched.clone(),
            None if self.kind != Kind::Words => Arc::default(),
            None => tokio::select! {
                () = self.app.stop.cancelled() => return Ok(Done::Later),
                all = media::fetch(&self.app, message) => match all {
                    Some(all) => fetched.insert(Arc::new(all)).clone(),
                    None => return Ok(Done::Later),
                },
            },
        };
        let (app, message, now) = (self.app.clone(), message.clone(), clock::now());
        let desk = Desk {
            app,
            message: message.clone(),
            to: self.to(),
            now,
            fetched,
            quiet: self.quiet,
            overtakes: self.kind == Kind::Urgent,
        };
        let then = self.app.store.write(move |tx| desk.handle(tx)).await?;
        crate::may_die!("desk-after");
        self.carry_out(&message, then).await
    }

    async fn carry_out(&self, message: &Message, then: Then) -> store::Result<Done> {
        match then {
            Then::Nothing => {}
            Then::Ring(session, input) => self.app.registry.ring(&self.app, session, *input).await,
            Then::Say(place, input) => self.app.registry.ring(&self.app, place.session, *input).await,
            Then::Answer(approval, decision) => self.answer(message, &approval, decision).await?,
            Then::Shot(url) => shot::send(&self.app, message.message, self.to(), url).await?,
            Then::Task(of) => super::tasks::act(&self.app, message.message, self.to(), of).await?,
            Then::Lock => self.lock(message).await?,
            Then::Full => return Ok(Done::Full),
            Then::Behind => self.lines.put(&self.app, message.clone(), Kind::Words),
        }
        Ok(Done::Yes)
    }

    /// Gives the answer to the gate and says how it went where that is not plain from what follows.
    async fn answer(&self, message: &Message, approval: &Approval, decision: Decision) -> store::Result<()> {
        let given = Answer {
            by: message.sender.clone(),
            message: Some(message.message),
            ..Answer::to(approval, decision.clone(), Channel::Sms)
        };
        let words = match approvals::answer(&self.app, given).await {
            Ok(_) if matches!(approval.subject, Subject::Rerun { .. }) => phrases::rerun_done(decision.grants()),
            Ok(_) => return Ok(()),
            // Nothing was written: the message is still to be answered.
            Err(problem) if matches!(problem.code, Code::Internal | Code::DiskFull) => {
                return Err(store::Error::Refused(problem.code));
            }
            Err(problem) => phrases::failed(problem.code),
        };
        let (post, now, to) = (self.app.post(), clock::now(), self.to());
        self.app.store.write(move |tx| post.say(tx, &to, words, now)).await
    }

    /// Everything is shut; a number that wrote too fast is not told so each time.
    async fn lock(&self, message: &Message) -> store::Result<()> {
        let shut = lock::shut(&self.app, &Wish::Text(self.sender.clone())).await;
        let words = phrases::locked(shut.revoked, shut.denied, shut.sandbox_paused);
        let (post, now, to) = (self.app.post(), clock::now(), self.to());
        let (number, quiet) = (message.message, self.quiet);
        let write = self.app.store.write(move |tx| {
            inbox::handled(tx, number)?;
            if quiet { Ok(()) } else { post.say(tx, &to, &words, now) }
        });
        write.await
    }

    async fn say(&self, words: &'static str) {
        let (post, to, now) = (self.app.post(), self.to(), clock::now());
        if let Err(e) = self.app.store.write(move |tx| post.say(tx, &to, words, now)).await {
            tracing::error!(error = ?e, "a notice could not be written");
        }
    }

    fn to(&self) -> To {
        To::address(self.sender.clone())
    }

    async fn pause(&self) {
        tokio::select! {
            () = self.app.stop.cancelled() => {}
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Puts a message aside that always fails: on the record, and told to its sender if that is known.
pub(super) async fn put_aside(app: &App, number: i64, to: Option<To>) -> store::Result<()> {
    let (post, now) = (app.post(), clock::now());
    let record = move |tx: &store::Tx<'_>| {
        inbox::failed(tx, number, Code::Internal)?;
        let Some(to) = to else { return Ok(()) };
        // What stands there may be the very thing that fails.
        if let Ok(Some(session)) = numbers::current(tx, &to.address) {
            let detail = format!("Message {number} could not be handled.");
            store::events::append(tx, session, &Event::Failed { turn: None, code: Code::Internal, detail }, now)?;
        }
        post.say(tx, &to, phrases::failed(Code::Internal), now)
    };
    match app.store.write(record).await {
        Ok(()) => tracing::error!(message = number, "a text that cannot be handled was put aside"),
        Err(e) => {
            tracing::error!(message = number, error = ?e, "a text that fails could not be put aside");
            return Err(e);
        }
    }
    Ok(())
}
