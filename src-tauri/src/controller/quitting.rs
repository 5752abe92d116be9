//! How the app ends, and what is asked before.

use super::{Controller, Desktop, Window};
use crate::errands::Errand;
use crate::{keep::Wish, tray::House};

/// What a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Something runs: leave it running, stop all, or not quit at all?
    Quit { sessions: usize, approvals: usize },
    /// Lost phone: lock everything?
    Lock,
    /// End the other Lanyard?
    TakeOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// Of a question that has a second way.
    Other,
    Cancel,
}

/// Which questions are open. A lost phone waits for no answer to another.
#[derive(Debug, Default)]
pub(super) struct Asking {
    lock: bool,
    other: bool,
}

impl Asking {
    fn about(&mut self, question: Question) -> &mut bool {
        match question {
            Question::Lock => &mut self.lock,
            Question::Quit { .. } | Question::TakeOver => &mut self.other,
        }
    }
}

/// A question as it is put.
pub struct Words {
    pub title: &'static str,
    pub body: String,
    pub yes: &'static str,
    pub other: Option<&'static str>,
    pub cancel: &'static str,
}

impl Question {
    pub fn words(self) -> Words {
        match self {
            Self::Quit { sessions, approvals } => Words {
                title: "Quit Lanyard?",
                body: format!(
                    "{}. If you leave it running, texts and phones still reach it; start Lanyard again to see it here.",
                    at_work(sessions, approvals)
                ),
                yes: "Leave it running",
                other: Some("Stop all"),
                cancel: "Cancel",
            },
            Self::Lock => Words {
                title: "Lock everything?",
                body: "Every phone and token is shut out, open questions are refused, the sandbox is paused, and the public \
                       address answers only Twilio. You unlock it here; phones have to be paired again."
                    .into(),
                yes: "Lock",
                other: None,
                cancel: "Cancel",
            },
            Self::TakeOver => Words {
                title: "Stop the other Lanyard?",
                body: "Another Lanyard runs on the same data. It is asked to stop; what its agents are at is interrupted and \
                       offered again here."
                    .into(),
                yes: "Stop it and run here",
                other: None,
                cancel: "Cancel",
            },
        }
    }
}

fn at_work(sessions: usize, approvals: usize) -> String {
    let works = match sessions {
        0 => None,
        1 => Some("One session is at work".to_owned()),
        n => Some(format!("{n} sessions are at work")),
    };
    let asks = match approvals {
        0 => None,
        1 => Some("one question waits".to_owned()),
        n => Some(format!("{n} questions wait")),
    };
    match (works, asks) {
        (Some(works), Some(asks)) => format!("{works} and {asks}"),
        (Some(one), None) => one,
        (None, asks) => asks.map(|asks| asks[..1].to_uppercase() + &asks[1..]).unwrap_or_default(),
    }
}

impl<D: Desktop> Controller<D> {
    /// Asks only where something would be lost to somebody.
    pub(super) fn quit(&mut self) {
        let (sessions, approvals) = (self.glance.working.len(), self.glance.approvals.len());
        match self.house {
            House::Up if sessions + approvals > 0 => self.ask(Question::Quit { sessions, approvals }),
            House::Up | House::Starting | House::Refused(_) | House::Stopping | House::Stopped => self.stop(),
        }
    }

    pub(super) fn ask(&mut self, question: Question) {
        if !std::mem::replace(self.asking.about(question), true) {
            self.desktop.ask(question);
        }
    }

    pub(super) fn answered(&mut self, question: Question, answer: Answer) {
        *self.asking.about(question) = false;
        match (question, answer) {
            (Question::Quit { .. }, Answer::Yes) => self.leave(),
            (Question::Quit { .. }, Answer::Other) => self.stop(),
            (Question::Lock, Answer::Yes) => self.desktop.run(Errand::Lock),
            (Question::TakeOver, Answer::Yes) => self.desktop.wish(Wish::TakeOver),
            (Question::Quit { .. } | Question::Lock | Question::TakeOver, Answer::Cancel | Answer::Other) => {}
        }
    }

    /// The gateway goes on in this process, for a running turn can be handed to no other: only what is seen of it ends.
    fn leave(&mut self) {
        self.away = true;
        self.close();
    }

    fn close(&mut self) {
        self.for_want_of_a_tray = false;
        self.window = Window::Gone;
        self.desktop.drop_window();
    }

    /// Ends everything; [`House::Stopped`] comes when it has ended.
    pub(super) fn stop(&mut self) {
        self.house = House::Stopping;
        self.close();
        self.desktop.stop();
    }
}
