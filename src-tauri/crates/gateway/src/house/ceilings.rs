//! The owner's ceilings: what is spent under each, the question when one is reached, the word when one is near.

use crate::{
    clock,
    config::Caps,
    gateway::App,
    sessions::{Place, Scene, say_again},
};
use domain::{
    Code, Problem, SessionId, Timestamp,
    approval::{Approval, Decision, Subject},
    event::Outcome,
    phrases,
    session::Input,
    usage::{Ceiling, MicroDollars, Span, Unit},
};
use egress::{Left, Payer};
use store::{Rows, Tx, approvals, ceilings, tasks, turns, usage};

/// How one ceiling stands. Amounts as its unit counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    pub ceiling: Ceiling,
    /// What it is of: a turn's or session's id, the start of a day or month.
    pub scope: String,
    /// As the config has it.
    cap: u64,
    /// With what the owner allowed above it.
    pub limit: u64,
    pub spent: u64,
}

impl Stand {
    fn left(&self) -> u64 {
        self.limit.saturating_sub(self.spent)
    }

    fn is_near(&self, percent: u8) -> bool {
        let warn_at = u128::from(self.limit) * u128::from(percent) / 100;
        percent < 100 && self.left() > 0 && u128::from(self.spent) >= warn_at
    }
}

/// Every ceiling that a payer is under, the narrowest first.
pub(super) fn stands(rows: &impl Rows, payer: Payer, caps: &Caps) -> store::Result<Vec<Stand>> {
    let mut all = Vec::new();
    let budget = match payer.session {
        Some(session) => tasks::of_session(rows, session)?.and_then(|task| task.budget),
        None => None,
    };
    let mut under = |span: Span, scope: String, sum: usage::Sum| -> store::Result<()> {
        for (ceiling, mut cap) in caps.of(span) {
            // A task's own budget, in place of every session's.
            if let (Span::Session, Unit::Dollars, Some(budget)) = (span, ceiling.unit, budget) {
                cap = budget.0;
            }
            let spent = match ceiling.unit {
                Unit::Dollars => sum.cost.0,
                Unit::Tokens => sum.tokens.total(),
            };
            let limit = cap.saturating_add(ceilings::more(rows, ceiling, &scope)?);
            all.push(Stand { ceiling, scope: scope.clone(), cap, limit, spent });
        }
        Ok(())
    };
    if let Some(turn) = payer.turn {
        under(Span::Turn, turn.to_string(), usage::of_turn(rows, turn)?)?;
    }
    if let Some(session) = payer.session {
        under(Span::Session, session.to_string(), usage::of_session(rows, session)?)?;
    }
    for (span, start) in [(Span::Day, clock::midnight()), (Span::Month, clock::first_of_month())] {
        under(span, start.0.to_string(), usage::since(rows, start)?)?;
    }
    Ok(all)
}

/// What is left of the dollars, and the ceiling that is reached, if one is.
pub(super) fn left(stands: &[Stand]) -> (Left, Option<&Stand>) {
    let least = |spans: [Span; 2]| {
        let dollars = |s: &&Stand| s.ceiling.unit == Unit::Dollars && spans.contains(&s.ceiling.span);
        stands.iter().filter(dollars).map(|s| MicroDollars(s.left())).min()
    };
    let left = Left { session: least([Span::Turn, Span::Session]), all: least([Span::Day, Span::Month]) };
    (left, stands.iter().find(|s| s.left() == 0))
}

/// What the asker of a request is told that found a ceiling reached.
pub(super) fn reached(stand: &Stand) -> Problem {
    let (unit, span) = (stand.ceiling.unit, stand.ceiling.span.as_str());
    let (spent, limit) = (unit.amount(stand.spent), unit.amount(stand.limit));
    Problem::with_detail(Code::SpendCap, format!("This {span} has spent {spent} of {limit} ({}).", stand.ceiling))
}

/// Asks the owner for more, once for each ceiling and turn: a no holds until they say something new.
pub(super) async fn ask(app: &App, payer: Payer, stand: &Stand) -> store::Result<()> {
    let Some((session, turn)) = payer.session.zip(payer.turn) else { return Ok(()) };
    let (scene, now) = (Scene::of(app, session), clock::now());
    let Stand { ceiling, ref scope, cap, limit, spent } = *stand;
    let more = app.settings.rules().caps.step(ceiling, cap);
    let subject = Subject::Spend { ceiling, scope: scope.clone(), limit, spent, more };
    let asking = move |tx: &Tx<'_>| {
        let same = |a: &Approval| match (&a.subject, &subject) {
            (Subject::Spend { ceiling: c, scope: s, .. }, Subject::Spend { ceiling, scope, .. }) => {
                c == ceiling && s == scope
            }
            _ => false,
        };
        let asked = approvals::all_open(tx)?.iter().any(same) || approvals::of_turn(tx, turn)?.iter().any(same);
        if asked { Ok(()) } else { scene.ask(tx, None, subject, Some(turn), now) }
    };
    app.store.write(asking).await
}

/// Tells the owner which ceilings are near, each once.
pub(super) async fn warn(app: &App, payer: Payer) -> store::Result<()> {
    let Some(session) = payer.session else { return Ok(()) };
    let caps = app.settings.rules().caps;
    let near = app.store.read(move |r| {
        let all = stands(r, payer, &caps)?;
        let mut near = Vec::new();
        for stand in all.into_iter().filter(|s| s.is_near(caps.warn_percent)) {
            if !ceilings::was_told(r, stand.ceiling, &stand.scope)? {
                near.push(stand);
            }
        }
        Ok(near)
    });
    let near = near.await?;
    if near.is_empty() {
        return Ok(());
    }
    let (scene, now) = (Scene::of(app, session), clock::now());
    let telling = move |tx: &Tx<'_>| {
        for Stand { ceiling, scope, limit, spent, .. } in near {
            if ceilings::tell(tx, ceiling, &scope, now)? {
                scene.notice(tx, payer.turn, &phrases::near_a_ceiling(ceiling, spent, limit), now)?;
            }
        }
        Ok(())
    };
    app.store.write(telling).await
}

/// What an answer to such a question means, in the transaction that closes it.
pub fn keep_answer(tx: &Tx<'_>, approval: &Approval, decision: &Decision, now: Timestamp) -> store::Result<()> {
    match &approval.subject {
        Subject::Spend { ceiling, scope, more, .. } if decision.grants() => {
            ceilings::raise(tx, *ceiling, scope, *more, now)
        }
        _ => Ok(()),
    }
}

/// The turn that met the ceiling has failed of it: words that let its session go on, as if from whoever had asked for it.
/// Nothing where it still runs, or nobody had asked.
pub fn go_on(tx: &Tx<'_>, approval: &Approval, place: &Place, now: Timestamp) -> store::Result<Option<Input>> {
    let (Subject::Spend { .. }, Some(turn)) = (&approval.subject, approval.turn) else { return Ok(None) };
    if turns::outcome(tx, turn)? != Some(Outcome::Failed) {
        return Ok(None);
    }
    say_again(tx, turn, place, format!("more:{}", approval.id), GO_ON, now)
}

const GO_ON: &str = "More may be spent. Go on where you stopped.";

/// The session whose turn may go on after this answer.
pub fn waits_for(approval: &Approval, decision: &Decision) -> Option<SessionId> {
    (matches!(approval.subject, Subject::Spend { .. }) && decision.grants()).then_some(approval.session)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(unit: Unit, span: Span, limit: u64, spent: u64) -> Stand {
        Stand { ceiling: Ceiling { span, unit }, scope: "x".into(), cap: limit, limit, spent }
    }

    #[test]
    fn the_least_of_a_sessions_and_of_everybodys_dollars_is_left_and_the_narrowest_ceiling_is_the_one_reached() {
        let stands = [
            stand(Unit::Dollars, Span::Turn, 100, 60),
            stand(Unit::Tokens, Span::Session, 10, 10),
            stand(Unit::Dollars, Span::Session, 100, 70),
            stand(Unit::Dollars, Span::Day, 100, 100),
            stand(Unit::Dollars, Span::Month, 100, 5),
        ];
        let (dollars, over) = left(&stands);
        assert_eq!(dollars, Left { session: Some(MicroDollars(30)), all: Some(MicroDollars(0)) });
        assert_eq!(over, Some(&stands[1]));
    }

    #[test]
    fn near_is_from_the_set_part_on_until_it_is_reached() {
        let near = |spent, percent| stand(Unit::Dollars, Span::Day, 100, spent).is_near(percent);
        assert!(!near(79, 80) && near(80, 80) && near(99, 80) && !near(100, 80) && !near(99, 100));
        assert!(!stand(Unit::Dollars, Span::Day, 0, 0).is_near(80));
    }
}
