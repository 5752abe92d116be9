//! What the desktop is told by notices: questions that wait, and turns that ended, while nobody looks at a page. Each once;
//! what is settled elsewhere is taken back.

#[cfg(target_os = "linux")]
pub mod linux;
// Compiled where it runs; it could not be run on Linux.
#[cfg(not(target_os = "linux"))]
pub mod native;

use crate::native_status::UpdateProblem;
use domain::{ApprovalId, Problem, SessionId, event::Outcome};
use gateway::desk::{Ended, Glance, OpenApproval, Pick};
use std::{collections::HashSet, path::Path};

/// What a notice is about: one with the same key takes the other's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Approval(ApprovalId),
    Turn(SessionId),
    /// The app itself has something to say.
    Own,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub key: Key,
    pub title: String,
    pub body: String,
    /// Its buttons, the likely one first. Pressing the notice itself is [`Press::Look`].
    pub buttons: Vec<(Press, &'static str)>,
    /// Stays until it is seen to.
    pub stays: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Press {
    /// The hash is that of what the notice showed.
    Allow {
        id: ApprovalId,
        hash: String,
    },
    Deny {
        id: ApprovalId,
        hash: String,
    },
    /// The window, at this screen.
    Look(String),
}

/// What is to be done on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tell {
    Show(Notice),
    TakeBack(Key),
}

/// What was told.
#[derive(Debug, Default)]
pub struct Told {
    /// Open approvals that were told of, or that somebody saw.
    approvals: HashSet<ApprovalId>,
    turns: HashSet<SessionId>,
}

impl Told {
    /// How things stand now. `looks`: somebody looks at a page, which tells them all of this.
    pub fn glance(&mut self, glance: &Glance, looks: bool) -> Vec<Tell> {
        let open: HashSet<ApprovalId> = glance.approvals.iter().map(|a| a.id).collect();
        let settled: Vec<ApprovalId> = self.approvals.difference(&open).copied().collect();
        self.approvals.retain(|id| open.contains(id));
        let mut tell: Vec<Tell> = settled.into_iter().map(|id| Tell::TakeBack(Key::Approval(id))).collect();
        if looks {
            tell.extend(self.turns.drain().map(|session| Tell::TakeBack(Key::Turn(session))));
            return tell;
        }
        let news = glance.approvals.iter().filter(|a| self.approvals.insert(a.id));
        tell.extend(news.map(|a| Tell::Show(asks(a))));
        tell
    }

    pub fn ended(&mut self, ended: &Ended, looks: bool) -> Option<Tell> {
        let notice = (!looks).then(|| done(ended)).flatten()?;
        self.turns.insert(ended.session);
        Some(Tell::Show(notice))
    }
}

/// What waits for an answer. Its words stand on a screen that others may see and press: what may not be allowed there is not
/// shown there either.
fn asks(a: &OpenApproval) -> Notice {
    let (id, hash) = (a.id, a.hash.clone());
    let mut buttons = Vec::new();
    if a.on_lock_screen {
        buttons.push((Press::Allow { id, hash: hash.clone() }, "Allow"));
    }
    buttons.push((Press::Deny { id, hash }, "Deny"));
    buttons.push((Press::Look(format!("/sessions/{}", a.session)), "Look at it"));
    let body = match a.pick {
        _ if a.on_lock_screen => format!("May it {}?", a.words),
        Pick::Option(_) | Pick::Words => "It has a question.".to_owned(),
        Pick::Allow => format!("It asks for something of {} risk. Look at it first.", a.risk.as_str()),
    };
    Notice {
        key: Key::Approval(id),
        title: format!("#{} Session {} asks", a.number, a.session_number),
        body,
        buttons,
        stays: true,
    }
}

/// The owner stopped what was halted, and knows.
fn done(ended: &Ended) -> Option<Notice> {
    let n = ended.number;
    let title = match ended.outcome {
        Outcome::Completed => format!("Session {n} is done"),
        Outcome::Failed => format!("Session {n} failed"),
        Outcome::Halted | Outcome::Interrupted => return None,
    };
    let look = Press::Look(format!("/sessions/{}", ended.session));
    let buttons = vec![(look, "Read it")];
    Some(Notice { key: Key::Turn(ended.session), title, body: ended.title.clone(), buttons, stays: false })
}

/// Something that was asked for at the tray did not work.
pub fn failed(problem: &Problem) -> Notice {
    Notice {
        key: Key::Own,
        title: problem.message.clone(),
        body: problem.suggestion.clone(),
        buttons: vec![(Press::Look("/".into()), "Open Lanyard")],
        stays: false,
    }
}

/// An update that somebody wished for did not come about.
pub fn update_failed(problem: &UpdateProblem) -> Notice {
    Notice {
        key: Key::Own,
        title: problem.message.clone(),
        body: problem.suggestion.clone(),
        buttons: vec![(Press::Look("/settings".into()), "Open Lanyard")],
        stays: false,
    }
}

/// A file was saved.
pub fn saved(path: &Path) -> Notice {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(path).display();
    let (title, body) = (format!("Saved: {name}"), format!("In {folder}."));
    Notice { key: Key::Own, title, body, buttons: Vec::new(), stays: false }
}

/// There is no tray on this desktop.
pub fn no_tray() -> Notice {
    Notice {
        key: Key::Own,
        title: "This desktop shows no tray icons".into(),
        body: "Lanyard stays in its window; closing that quits it.".into(),
        buttons: vec![(Press::Look("/".into()), "Open Lanyard")],
        stays: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::risk::Risk;

    fn question(on_lock_screen: bool) -> OpenApproval {
        OpenApproval {
            id: ApprovalId::new(),
            number: 1,
            session: SessionId::new(),
            session_number: 4,
            words: "run: npm test".into(),
            in_full: "run: npm test".into(),
            risk: Risk::Medium,
            hash: "ab".into(),
            pick: Pick::Allow,
            on_lock_screen,
        }
    }

    fn glance(approvals: &[&OpenApproval]) -> Glance {
        Glance { approvals: approvals.iter().map(|a| (*a).clone()).collect(), ..Glance::blank() }
    }

    #[test]
    fn a_question_is_told_once_and_taken_back_when_it_is_settled() {
        let (mut told, a) = (Told::default(), question(true));
        assert!(matches!(&told.glance(&glance(&[&a]), false)[..], [Tell::Show(n)] if n.buttons.len() == 3));
        assert_eq!(told.glance(&glance(&[&a]), false), []);
        assert_eq!(told.glance(&glance(&[]), false), [Tell::TakeBack(Key::Approval(a.id))]);
    }

    #[test]
    fn a_question_that_somebody_looks_at_is_told_only_if_it_waits_still_when_nobody_does() {
        let (mut told, a) = (Told::default(), question(true));
        assert_eq!(told.glance(&glance(&[&a]), true), []);
        assert_eq!(told.glance(&glance(&[&a]), false).len(), 1);
    }

    #[test]
    fn what_a_lock_screen_may_not_grant_has_no_allow_and_is_not_written_on_it() {
        let Some(Tell::Show(notice)) = Told::default().glance(&glance(&[&question(false)]), false).pop() else {
            panic!()
        };
        assert!(!notice.buttons.iter().any(|(press, _)| matches!(press, Press::Allow { .. })));
        assert!(!notice.body.contains("npm"), "{}", notice.body);
    }

    #[test]
    fn the_end_of_a_turn_is_told_unless_somebody_looks_or_the_owner_ended_it() {
        let ended = |outcome| Ended { session: SessionId::new(), number: 2, title: "t".into(), outcome, seq: 1 };
        let mut told = Told::default();
        assert!(told.ended(&ended(Outcome::Completed), true).is_none());
        assert!(told.ended(&ended(Outcome::Halted), false).is_none());
        assert!(told.ended(&ended(Outcome::Failed), false).is_some());
        assert_eq!(told.glance(&glance(&[]), true).len(), 1, "read by now");
    }
}
