//! A step's writes, as rows: what each [`Write`] means in the store, and which letters it puts in the outbox.

use crate::{
    gateway::App,
    hosts,
    house::ceilings,
    links::Target,
    pictures::{self, Of},
    push::Pushes,
    settings::Rules,
    sms::letters::{Post, To},
};
use domain::{
    ApprovalId, ArtifactId, Code, SessionId, Timestamp, TurnId,
    agent::Picture,
    approval::{Approval, ByText, Decision, Subject},
    event::{Channel, Event, Outcome},
    phrases,
    risk::{Risk, Tier},
    session::{Reply, Write},
    usage::Tokens,
};
use serde_json::json;
use std::time::Duration;
use store::{
    Tx, approvals,
    audit::{self, Kind},
    events, inbox, numbers, parked,
    push_letters::{self, About},
    sessions,
    tasks::{self, TaskRow},
    turns, usage,
};

pub use domain::risk::WORKSPACE;

/// Who answered an approval, and how.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredBy<'a> {
    pub channel: Channel,
    /// A number, a phone's name.
    pub by: Option<&'a str>,
    /// The push on whose notice it was answered.
    pub letter: Option<i64>,
}

/// What writing for one session needs to know.
#[derive(Clone)]
pub struct Scene {
    session: SessionId,
    post: Post,
    rules: Rules,
    expiry: Duration,
    pushes: Pushes,
}

impl Scene {
    pub fn of(app: &App, session: SessionId) -> Self {
        Self {
            session,
            post: app.post(),
            rules: app.settings.rules(),
            expiry: app.config.expiry,
            pushes: Pushes::of(app),
        }
    }

    /// All of a step's writes, in the transaction `tx`. `pictures` belong to its one finished tool, if any.
    pub fn write_all(&self, tx: &Tx<'_>, writes: &[Write], pictures: &[Picture], now: Timestamp) -> store::Result<()> {
        for write in writes {
            match write {
                Write::Append(event) => self.append(tx, event, pictures, now)?,
                Write::BeginTurn { turn, messages } => {
                    turns::begin(tx, *turn, self.session, now)?;
                    for message in messages {
                        inbox::take(tx, *message, *turn)?;
                    }
                    sessions::touch(tx, self.session, now)?;
                }
                Write::EndTurn { turn, outcome, tokens, duration_ms, reply } => {
                    self.end_turn(tx, *turn, *outcome, *tokens, *duration_ms, reply.as_ref(), now)?;
                }
                Write::Ask { request, subject, turn } => {
                    self.ask(tx, Some(request.clone()), subject.clone(), *turn, now)?;
                }
                Write::Unasked { subject } => self.unasked(tx, subject, now)?,
                Write::Withdraw { request } => self.withdraw(tx, request, now)?,
                Write::GiveBack { message } => inbox::release(tx, *message)?,
                Write::AgentSession(id) => sessions::set_agent_session(tx, self.session, id)?,
                Write::Drop { message } => inbox::handled(tx, *message)?,
                Write::Tell(words) => self.tell(tx, None, words, now)?,
            }
        }
        Ok(())
    }

    /// What is left to say of a step whose writes the store refused: its turn failed, and its words are not tried again,
    /// for they would be refused again.
    pub fn give_up(&self, tx: &Tx<'_>, refused: &[Write], code: Code, why: &str, now: Timestamp) -> store::Result<()> {
        let open: Vec<_> =
            turns::left_open(tx)?.into_iter().filter(|(_, session, _)| *session == self.session).collect();
        let turn = open.last().map(|(turn, ..)| *turn);
        events::append(tx, self.session, &Event::Failed { turn, code, detail: why.to_owned() }, now)?;
        for approval in approvals::all_open(tx)?.iter().filter(|a| a.session == self.session && a.request.is_some()) {
            self.close_approval(tx, approval, &Decision::Withdrawn, None, now)?;
        }
        for (turn, _, started) in &open {
            let (duration_ms, reply) = (now.since(*started).as_millis() as u64, Reply::Failure(code));
            self.end_turn(tx, *turn, Outcome::Failed, Tokens::default(), duration_ms, Some(&reply), now)?;
        }
        for message in refused.iter().flat_map(taken_by) {
            inbox::handled(tx, message)?;
        }
        match open.is_empty() {
            true => self.tell(tx, None, phrases::failed(code), now),
            false => Ok(()),
        }
    }

    fn append(&self, tx: &Tx<'_>, event: &Event, shown: &[Picture], now: Timestamp) -> store::Result<()> {
        let (mut event, mut dropped) = (event.clone(), 0);
        match &mut event {
            Event::ToolFinished { pictures, .. } => {
                for picture in shown {
                    match self.keep(tx, picture, now)? {
                        Some(kept) => pictures.push(kept),
                        None => dropped += 1,
                    }
                }
            }
            Event::Steered { turn, message } => inbox::take(tx, *message, *turn)?,
            Event::ModeChanged { mode } => sessions::set_mode(tx, self.session, *mode)?,
            Event::Closed => sessions::close(tx, self.session)?,
            _ => {}
        }
        events::append(tx, self.session, &event, now)?;
        match dropped {
            0 => Ok(()),
            n => events::append(tx, self.session, &Event::Noticed { text: phrases::no_picture(n) }, now).map(drop),
        }
    }

    /// A tool's picture as what its bytes are; whatever the sandbox calls it. None: it is no picture.
    fn keep(&self, tx: &Tx<'_>, picture: &Picture, now: Timestamp) -> store::Result<Option<ArtifactId>> {
        let media_type = pictures::media_type(&picture.bytes);
        let kept = media_type.map(|is| pictures::keep(tx, Of::session(self.session), is, picture.bytes.to_vec(), now));
        kept.transpose()
    }

    #[allow(clippy::too_many_arguments, reason = "one row's columns")]
    fn end_turn(
        &self,
        tx: &Tx<'_>,
        turn: TurnId,
        outcome: Outcome,
        tokens: Tokens,
        duration_ms: u64,
        reply: Option<&Reply>,
        now: Timestamp,
    ) -> store::Result<()> {
        let cost = usage::of_turn(tx, turn)?.cost;
        turns::end(tx, turn, outcome, duration_ms, now)?;
        crate::may_die!("end-turn-in-the-middle");
        let event =
            events::append(tx, self.session, &Event::TurnEnded { turn, outcome, tokens, cost, duration_ms }, now)?;
        sessions::touch(tx, self.session, now)?;
        let (Some(reply), to) = (reply, self.who_asked(tx, Some(turn))?) else { return Ok(()) };
        // A task tells of its end itself, with what came of all its turns.
        if sessions::get(tx, self.session)?.is_some_and(|session| session.task.is_some()) {
            return Ok(());
        }
        // Who stopped it knows.
        if outcome != Outcome::Halted {
            self.pushes.put(tx, About::Turn(turn), self.session, event, to.is_some(), now)?;
        }
        let Some(to) = to.map(|to| to.of(event)) else { return Ok(()) };
        let mark = self.mark(tx, &to)?;
        match reply {
            Reply::Answer { text, unasked: false } => self.post.answer(tx, &to, &format!("{mark}{text}"), now),
            Reply::Answer { text, unasked: true } => {
                self.post.answer(tx, &to, &format!("{mark}{}", phrases::unasked(text)), now)
            }
            // That it waits for a limit, and goes on by itself, was said when it met it.
            Reply::Failure(_) if parked::waits(tx, turn)? => Ok(()),
            Reply::Failure(code) => self.post.say(tx, &to, &format!("{mark}{}", phrases::failed(*code)), now),
            Reply::Halted => self.post.say(tx, &to, &format!("{mark}{}", phrases::halted()), now),
        }
    }

    /// A rule of the owner's lets it be: the audit alone tells, beside what the agent does.
    fn unasked(&self, tx: &Tx<'_>, subject: &Subject, now: Timestamp) -> store::Result<()> {
        let what = subject.in_a_text().words;
        audit::append(tx, Kind::Unasked, &json!({ "session": self.session, "what": what, "hash": subject.hash() }), now)
    }

    /// Opens an approval, and tells by text the one whose words led to it; where a text of theirs may not say yes, also those whose may.
    pub fn ask(
        &self,
        tx: &Tx<'_>,
        request: Option<String>,
        subject: Subject,
        turn: Option<TurnId>,
        now: Timestamp,
    ) -> store::Result<()> {
        let subject = self.rules.tiers.narrowed(subject);
        let risk = match self.rules.tiers.of(&subject) {
            Tier::Asked(risk) => risk,
            Tier::Free => Risk::Low,
        };
        let approval = Approval {
            id: ApprovalId::new(),
            number: approvals::free_number(tx, now)?,
            session: self.session,
            turn,
            request,
            hash: subject.hash(),
            risk,
            subject,
            asked_at: now,
            expires_at: now + self.expiry,
            decision: None,
        };
        approvals::open(tx, &approval)?;
        let event = Event::Asked {
            approval: approval.id,
            number: approval.number,
            subject: approval.subject.clone(),
            risk: approval.risk,
        };
        let event = events::append(tx, self.session, &event, now)?;
        approvals::asked_by(tx, approval.id, event)?;
        let mut texted = false;
        for to in self.whom_to_ask(tx, turn)? {
            texted |= self.ask_by_text(tx, &to.of(event), &approval, false, now)?;
        }
        self.pushes.put(tx, About::Approval(approval.id), self.session, event, texted, now)
    }

    /// Asks in a letter; with a link where the letter cannot show all of it or grant it, or if one is `wanted`. False if the
    /// agent has caused too many letters of late.
    pub fn ask_by_text(
        &self,
        tx: &Tx<'_>,
        to: &To,
        approval: &Approval,
        wanted: bool,
        now: Timestamp,
    ) -> store::Result<bool> {
        let by_text = self.rules.grants_to(&to.address).by_text(approval);
        let shows_all = by_text != ByText::No && approval.subject.in_a_text().whole;
        let link = ((wanted || !shows_all) && self.post.public_url.is_some()).then_some(Target::Approval(approval.id));
        let mark = self.mark(tx, to)?;
        let words = domain::segments::plain(&phrases::asks(approval, by_text, link.is_some()));
        self.post.from_agent(tx, to, &format!("{mark}{words}"), link, now)
    }

    /// Says in a letter that a turn has ended, with a link to what was said in it. False as for [`Self::ask_by_text`].
    pub fn ended_by_text(&self, tx: &Tx<'_>, to: &To, turn: TurnId, now: Timestamp) -> store::Result<bool> {
        let number = sessions::get(tx, self.session)?.map_or(0, |s| s.number);
        let failed = !matches!(turns::outcome(tx, turn)?, Some(Outcome::Completed));
        self.post.from_agent(tx, to, &phrases::ended(number, failed), Some(Target::Answer(turn)), now)
    }

    /// The agent does not ask any more: withdrawn here, and said to the one who was asked.
    fn withdraw(&self, tx: &Tx<'_>, request: &str, now: Timestamp) -> store::Result<()> {
        let Some(approval) = approvals::of_request(tx, self.session, request)? else { return Ok(()) };
        self.close_approval(tx, &approval, &Decision::Withdrawn, None, now).map(drop)
    }

    /// Closes an approval if it is open: row, event, notices taken back, and a text to the one who was asked unless it was they
    /// who answered. `from` is none where nobody answered. False if another was quicker.
    pub fn close_approval(
        &self,
        tx: &Tx<'_>,
        approval: &Approval,
        decision: &Decision,
        from: Option<AnsweredBy<'_>>,
        now: Timestamp,
    ) -> store::Result<bool> {
        let (channel, by) = from.map_or((None, None), |f| (Some(f.channel), f.by));
        if !approvals::decide(tx, approval.id, decision, channel, by, now)? {
            return Ok(false);
        }
        hosts::keep_answer(tx, approval, decision, now)?;
        ceilings::keep_answer(tx, approval, decision, now)?;
        let event = Event::Resolved { approval: approval.id, decision: decision.clone(), channel };
        events::append(tx, self.session, &event, now)?;
        self.pushes.take_back(tx, approval, from.and_then(|f| f.letter), now)?;
        if channel != Some(Channel::Sms)
            && let Some(to) = self.who_asked(tx, approval.turn)?
        {
            let words = phrases::resolved_elsewhere(approval.number, decision);
            match decision {
                Decision::Withdrawn | Decision::Expired => drop(self.post.from_agent(tx, &to, &words, None, now)?),
                _ => self.post.say(tx, &to, &words, now)?,
            }
        }
        Ok(true)
    }

    /// A picture for the one whose words led to it. False if there were too many of late: it is kept and not texted.
    pub fn picture(
        &self,
        tx: &Tx<'_>,
        turn: Option<TurnId>,
        caption: &str,
        id: ArtifactId,
        now: Timestamp,
    ) -> store::Result<bool> {
        match self.who_asked(tx, turn)? {
            Some(to) => self.post.picture_from_agent(tx, &to, caption, id, now),
            None => Ok(true),
        }
    }

    /// Words of ours that an agent's doing led to. False as for [`Self::ask_by_text`].
    pub fn say_to(&self, tx: &Tx<'_>, to: &To, words: &str, now: Timestamp) -> store::Result<bool> {
        self.post.from_agent(tx, to, words, None, now)
    }

    /// Something to know about a task, in its session's history and by text to the one who asked for it so. Gives the event, and
    /// whether a text goes.
    pub fn notice_of_task(
        &self,
        tx: &Tx<'_>,
        task: &TaskRow,
        words: &str,
        now: Timestamp,
    ) -> store::Result<(i64, bool)> {
        let event = events::append(tx, self.session, &Event::Noticed { text: words.to_owned() }, now)?;
        let number = task.sender.as_ref().filter(|_| task.channel == Channel::Sms);
        if let Some(number) = number {
            self.post.say(tx, &To::address(number).of(event), words, now)?;
        }
        Ok((event, number.is_some()))
    }

    /// That a task is over: as [`Self::notice_of_task`], and to every phone that takes pushes.
    pub fn end_of_task(&self, tx: &Tx<'_>, task: &TaskRow, words: &str, now: Timestamp) -> store::Result<()> {
        let (event, texted) = self.notice_of_task(tx, task, words, now)?;
        // Of an earlier attempt.
        push_letters::supersede(tx, About::Task(task.id))?;
        self.pushes.put(tx, About::Task(task.id), self.session, event, texted, now)
    }

    /// Something to know, in the session's history.
    pub fn notice_here(&self, tx: &Tx<'_>, words: &str, now: Timestamp) -> store::Result<()> {
        events::append(tx, self.session, &Event::Noticed { text: words.to_owned() }, now).map(drop)
    }

    /// Something to know, in the session's history and by text to the one whose words led to it.
    pub fn notice(&self, tx: &Tx<'_>, turn: Option<TurnId>, words: &str, now: Timestamp) -> store::Result<()> {
        self.notice_here(tx, words, now)?;
        self.tell(tx, turn, words, now)
    }

    fn tell(&self, tx: &Tx<'_>, turn: Option<TurnId>, words: &str, now: Timestamp) -> store::Result<()> {
        match self.who_asked(tx, turn)? {
            Some(to) => self.post.say(tx, &to, words, now),
            None => Ok(()),
        }
    }

    /// The number whose words led to a question, and where it may not say yes by text those that may.
    fn whom_to_ask(&self, tx: &Tx<'_>, turn: Option<TurnId>) -> store::Result<Vec<To>> {
        let Some(asker) = self.who_asked(tx, turn)? else { return Ok(Vec::new()) };
        let may = self.rules.grants_to(&asker.address) == self.rules.grants;
        let others = self
            .rules
            .approvers
            .iter()
            .filter(|_| !may)
            .map(|number| To { address: number.as_str().to_owned(), ..asker.clone() });
        Ok(others.collect::<Vec<_>>().into_iter().chain([asker]).collect())
    }

    /// The number whose message the turn answers; for a turn nobody asked for, the last one that texted here.
    fn who_asked(&self, tx: &Tx<'_>, turn: Option<TurnId>) -> store::Result<Option<To>> {
        let of_turn = match turn {
            Some(turn) => inbox::of_turn(tx, turn)?,
            None => Vec::new(),
        };
        let by_text = of_turn.iter().rev().find(|message| message.channel == Channel::Sms);
        let address = match of_turn.is_empty() {
            false => by_text.and_then(|message| message.sender.clone()),
            true => match inbox::last_sender(tx, self.session)? {
                Some((Channel::Sms, sender)) => Some(sender),
                Some(_) => None,
                // Of a task: while it is cloned and set up nothing was said in its session yet.
                None => self.who_asked_for_the_task(tx)?,
            },
        };
        Ok(address.map(|address| To { address, session: Some(self.session), turn, event: None }))
    }

    fn who_asked_for_the_task(&self, tx: &Tx<'_>) -> store::Result<Option<String>> {
        let task = tasks::of_session(tx, self.session)?.filter(|task| task.channel == Channel::Sms);
        Ok(task.and_then(|task| task.sender))
    }

    /// `[2] ` where the words come from another session than the one the number is in.
    fn mark(&self, tx: &Tx<'_>, to: &To) -> store::Result<String> {
        if numbers::current(tx, &to.address)? == Some(self.session) {
            return Ok(String::new());
        }
        Ok(sessions::get(tx, self.session)?.map(|s| format!("[{}] ", s.number)).unwrap_or_default())
    }
}

/// The messages that a write would give to a turn.
fn taken_by(write: &Write) -> Vec<i64> {
    match write {
        Write::BeginTurn { messages, .. } => messages.clone(),
        Write::Append(Event::Steered { message, .. }) => vec![*message],
        _ => Vec::new(),
    }
}
