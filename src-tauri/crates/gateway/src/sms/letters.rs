//! What is said by text, cut into letters: alphabet, segments, `more`, and the link to the whole. A letter's link is left
//! blank here; it gets its proof when it is sent.

use crate::{
    config::SmsSettings,
    links::{self, Target},
};
use domain::{ArtifactId, SessionId, Timestamp, TurnId, phrases, segments};
use std::time::Duration;
use store::{
    Tx,
    links::Link,
    numbers,
    outbox::{self, Letter},
};

/// Who a letter goes to and on whose behalf.
#[derive(Clone, Debug)]
pub struct To {
    pub address: String,
    pub session: Option<SessionId>,
    pub turn: Option<TurnId>,
    /// The event that the letter tells of.
    pub event: Option<i64>,
}

impl To {
    pub fn address(address: impl Into<String>) -> Self {
        Self { address: address.into(), session: None, turn: None, event: None }
    }

    /// What is said to them tells of this event.
    pub fn of(self, event: i64) -> Self {
        Self { event: Some(event), ..self }
    }

    fn letter(&self, body: impl Into<String>) -> Letter {
        Letter {
            address: self.address.clone(),
            body: body.into(),
            session: self.session,
            turn: self.turn,
            event: self.event,
            ..Letter::default()
        }
    }
}

/// How letters are cut and where their links lead.
#[derive(Clone, Debug)]
pub struct Post {
    pub sms: SmsSettings,
    pub public_url: Option<String>,
}

/// The span in which what agents cause is counted.
const HOUR: Duration = Duration::from_secs(3600);

/// A link as a letter carries it: its blank address, and what it shows.
struct Carried {
    address: String,
    link: Link,
}

impl Post {
    /// Words of ours: whole, or their beginning and the rest on `more`.
    pub fn say(&self, tx: &Tx<'_>, to: &To, words: &str, now: Timestamp) -> store::Result<()> {
        self.whole_or_piece(tx, to.letter(words), None, now)
    }

    /// An agent's answer (Markdown): its beginning now, the rest on `more`, all of it by link.
    pub fn answer(&self, tx: &Tx<'_>, to: &To, markdown: &str, now: Timestamp) -> store::Result<()> {
        let words = match phrases::for_sms(markdown) {
            words if words.is_empty() => phrases::done_silently().to_owned(),
            words => words,
        };
        if segments::count(&words).segments <= self.sms.segments {
            numbers::set_rest(tx, &to.address, None, None)?;
            return put(tx, to.letter(words), now);
        }
        self.piece(tx, to.letter(words), to.turn.map(Target::Answer), now)
    }

    /// Words that an agent caused unasked (a question, or that it is not asked any more), and a link to what it is about.
    /// Above the hour's number of such letters they are left out, which the owner is told once. False if they were.
    pub fn from_agent(
        &self,
        tx: &Tx<'_>,
        to: &To,
        words: &str,
        link: Option<Target>,
        now: Timestamp,
    ) -> store::Result<bool> {
        let may = self.agent_may(tx, to, now)?;
        if may {
            self.whole_or_piece(tx, Letter { agent: true, ..to.letter(words) }, link, now)?;
        }
        Ok(may)
    }

    /// The next piece of what `more` asks for; false if there is none.
    pub fn more(&self, tx: &Tx<'_>, to: &To, now: Timestamp) -> store::Result<bool> {
        let Some((rest, shows)) = numbers::rest(tx, &to.address)? else { return Ok(false) };
        self.piece(tx, to.letter(rest), shows.and_then(|shows| shows.parse().ok()), now)?;
        Ok(true)
    }

    /// A picture that the owner asked for, with its caption.
    pub fn picture(&self, tx: &Tx<'_>, to: &To, caption: &str, id: ArtifactId, now: Timestamp) -> store::Result<()> {
        put(tx, Letter { media: Some(id), ..to.letter(segments::plain(caption)) }, now)
    }

    /// A picture that an agent sends. False if there were too many within the hour: it is kept and not texted.
    pub fn picture_from_agent(
        &self,
        tx: &Tx<'_>,
        to: &To,
        caption: &str,
        id: ArtifactId,
        now: Timestamp,
    ) -> store::Result<bool> {
        let may = self.agent_may(tx, to, now)?;
        if may {
            put(tx, Letter { media: Some(id), agent: true, ..to.letter(segments::plain(caption)) }, now)?;
        }
        Ok(may)
    }

    /// Whether an agent may cause one more letter to this address; the first time not, the owner is told.
    fn agent_may(&self, tx: &Tx<'_>, to: &To, now: Timestamp) -> store::Result<bool> {
        let since = now - HOUR;
        if outbox::of_agents_since(tx, &to.address, since)? < self.sms.agent_per_hour {
            return Ok(true);
        }
        if numbers::hushed_at(tx, &to.address)?.is_none_or(|told| told <= since) {
            numbers::set_hushed_at(tx, &to.address, now)?;
            put(tx, to.letter(phrases::hushed()), now)?;
        }
        Ok(false)
    }

    /// A link to `target`, where there is a public address.
    fn link(&self, tx: &Tx<'_>, target: Target, now: Timestamp) -> store::Result<Option<Carried>> {
        let Some(url) = &self.public_url else { return Ok(None) };
        let link = links::make(tx, target, self.sms.link_life, now)?;
        Ok(Some(Carried { address: links::blank(url, target, &link), link }))
    }

    /// All of a letter and its link on a line of its own, if that fits; else its beginning.
    fn whole_or_piece(&self, tx: &Tx<'_>, letter: Letter, target: Option<Target>, now: Timestamp) -> store::Result<()> {
        let carried = target.map(|target| self.link(tx, target, now)).transpose()?.flatten();
        let whole = match &carried {
            Some(carried) => format!("{}\n{}", letter.body, carried.address),
            None => letter.body.clone(),
        };
        match segments::count(&whole).segments <= self.sms.segments {
            true => put(tx, Letter { body: whole, link: carried.map(|c| c.link.id), ..letter }, now),
            false => self.piece(tx, letter, target, now),
        }
    }

    fn piece(&self, tx: &Tx<'_>, letter: Letter, target: Option<Target>, now: Timestamp) -> store::Result<()> {
        let carried = target.map(|target| self.link(tx, target, now)).transpose()?.flatten();
        let tail = phrases::more_tail(carried.as_ref().map(|c| c.address.as_str()));
        match segments::cut(&letter.body, &tail, self.sms.segments) {
            Some((head, rest)) => {
                let shows = carried.as_ref().map(|c| c.link.shows.as_str());
                numbers::set_rest(tx, &letter.address, Some(rest), shows)?;
                put(tx, Letter { body: format!("{head}{tail}"), link: carried.map(|c| c.link.id), ..letter }, now)
            }
            None => {
                numbers::set_rest(tx, &letter.address, None, None)?;
                put(tx, letter, now)
            }
        }
    }
}

fn put(tx: &Tx<'_>, letter: Letter, now: Timestamp) -> store::Result<()> {
    outbox::put(tx, &letter, now).map(drop)
}
