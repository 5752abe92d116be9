//! What each channel may grant, by the owner's policy. Refusing is always allowed.

use super::{Approval, Decision, Subject};
use crate::{Code, Timestamp, event::Channel, risk::Risk};

/// What the owner's policy lets each channel grant. Refusing is always allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantPolicy {
    /// The highest tier a text message may grant; none means texts grant nothing.
    pub sms: Option<Risk>,
    /// The highest tier that may be granted on a phone's lock screen; none means nothing.
    pub lock_screen: Option<Risk>,
    /// The lowest tier that a phone grants only with the owner's PIN, and no text and no lock screen at all; none: no PIN is asked.
    pub pin: Option<Risk>,
}

/// What a text message may say to one approval, beside no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ByText {
    /// Nothing: the desk grants it.
    No,
    Once,
    /// Also what it suggests, from now on.
    Always,
}

impl GrantPolicy {
    /// Does `answer` to this need the owner's PIN where it comes from a phone?
    pub fn needs_pin(self, approval: &Approval) -> bool {
        let question = matches!(approval.subject, Subject::Question { .. });
        !question && self.pin.is_some_and(|from| approval.risk >= from)
    }

    /// "Always" needs that everything its rules let through is within the tier, not only what is asked now.
    pub fn by_text(self, approval: &Approval) -> ByText {
        if self.needs_pin(approval) { ByText::No } else { within(self.sms, approval) }
    }

    /// What a lock screen may say: what fits a notice whole and is within its tier, once.
    pub fn on_lock_screen(self, approval: &Approval) -> bool {
        let question = matches!(approval.subject, Subject::Question { .. });
        !question
            && !self.needs_pin(approval)
            && within(self.lock_screen, approval) >= ByText::Once
            && approval.subject.in_a_text().whole
    }
}

/// What may be granted to an approval where `highest` is the highest tier.
fn within(highest: Option<Risk>, approval: &Approval) -> ByText {
    let may = |risk: Risk| highest.is_some_and(|highest| risk <= highest);
    match approval.subject.widest() {
        _ if !may(approval.risk) => ByText::No,
        Some(widest) if may(widest) => ByText::Always,
        _ => ByText::Once,
    }
}

/// May a lock screen close `approval` with `answer`? Beside [`check_answer`], which holds there too.
///
/// # Errors
/// `GRANT_REFUSED`.
pub fn check_lock_screen(approval: &Approval, answer: &Decision, policy: GrantPolicy) -> Result<(), Code> {
    match answer {
        Decision::Allowed if policy.on_lock_screen(approval) => Ok(()),
        answer if !answer.grants() => Ok(()),
        _ => Err(Code::GrantRefused),
    }
}

/// May `answer` come from a phone or a script? `proven`: the owner's PIN came with it and was right.
///
/// # Errors
/// `PIN_NEEDED`.
pub fn check_pin(
    approval: &Approval,
    answer: &Decision,
    channel: Channel,
    proven: bool,
    policy: GrantPolicy,
) -> Result<(), Code> {
    let away = matches!(channel, Channel::Phone | Channel::Api);
    if away && !proven && answer.grants() && policy.needs_pin(approval) { Err(Code::PinNeeded) } else { Ok(()) }
}

/// May `answer`, naming `hash`, close `approval` from `channel`? Says why not.
pub fn check_answer(
    approval: &Approval,
    hash: &str,
    answer: &Decision,
    channel: Channel,
    policy: GrantPolicy,
    now: Timestamp,
) -> Result<(), Code> {
    if approval.decision.is_some() || now >= approval.expires_at {
        return Err(Code::ApprovalGone);
    }
    if approval.hash != hash {
        return Err(Code::ApprovalChanged);
    }
    // Answering a question runs nothing.
    let grants = answer.grants() && !matches!(approval.subject, Subject::Question { .. });
    let needs = if matches!(answer, Decision::AllowedAlways { .. }) { ByText::Always } else { ByText::Once };
    if grants && channel == Channel::Sms && policy.by_text(approval) < needs {
        return Err(Code::GrantRefused);
    }
    match (&approval.subject, answer) {
        (Subject::Question { questions, .. }, Decision::Answered { answers }) if answers.len() == questions.len() => {
            Ok(())
        }
        (Subject::Question { .. }, Decision::Denied { .. }) => Ok(()),
        (Subject::Question { .. }, _) => Err(Code::BadRequest),
        (_, Decision::Answered { .. }) => Err(Code::BadRequest),
        (Subject::Host { .. }, Decision::AllowedAlways { rules }) if rules.is_empty() => Ok(()),
        (Subject::Host { .. }, Decision::AllowedSession) => Ok(()),
        (_, Decision::AllowedSession) => Err(Code::BadRequest),
        // Only what was shown may be allowed always.
        (subject, Decision::AllowedAlways { rules })
            if rules.is_empty() || rules.iter().any(|rule| !subject.always().contains(rule)) =>
        {
            Err(Code::BadRequest)
        }
        _ => Ok(()),
    }
}
