//! What is said by text, cut into letters: alphabet, segments, `more`, and the link to the whole.

use crate::{
    config::SmsSettings,
    links::{self, Target},
};
use domain::{ArtifactId, SessionId, Timestamp, TurnId, phrases, segments};
use store::{
    Tx, numbers,
    outbox::{self, Letter},
};

/// Who a letter goes to and on whose behalf.
#[derive(Clone, Debug)]
pub struct To {
    pub address: String,
    pub session: Option<SessionId>,
    pub turn: Option<TurnId>,
}

impl To {
    pub fn address(address: impl Into<String>) -> Self {
        Self { address: address.into(), session: None, turn: None }
    }
}

/// How letters are cut and where their links lead.
#[derive(Clone, Debug)]
pub struct Post {
    pub sms: SmsSettings,
    pub public_url: Option<String>,
}

impl Post {
    /// Words of ours or a question: whole, or its beginning and the rest on `more`.
    pub fn say(&self, tx: &Tx<'_>, to: &To, words: &str, now: Timestamp) -> store::Result<()> {
        match segments::count(words).segments <= self.sms.segments {
            true => self.letter(tx, to, words, None, now),
            false => self.piece(tx, to, words, None, now),
        }
    }

    /// An agent's answer (Markdown): its beginning now, the rest on `more`, all of it by link.
    pub fn answer(&self, tx: &Tx<'_>, to: &To, markdown: &str, now: Timestamp) -> store::Result<()> {
        let words = match phrases::for_sms(markdown) {
            words if words.is_empty() => phrases::done_silently().to_owned(),
            words => words,
        };
        if segments::count(&words).segments <= self.sms.segments {
            numbers::set_rest(tx, &to.address, None, None)?;
            return self.letter(tx, to, &words, None, now);
        }
        let link = match to.turn {
            Some(turn) => self.link(tx, Target::Answer(turn), now)?,
            None => None,
        };
        self.piece(tx, to, &words, link.as_deref(), now)
    }

    /// The next piece of what `more` asks for; false if there is none.
    pub fn more(&self, tx: &Tx<'_>, to: &To, now: Timestamp) -> store::Result<bool> {
        match numbers::rest(tx, &to.address)? {
            Some((rest, link)) => {
                self.piece(tx, to, &rest, link.as_deref(), now)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// A picture with its caption.
    pub fn picture(&self, tx: &Tx<'_>, to: &To, caption: &str, id: ArtifactId, now: Timestamp) -> store::Result<()> {
        self.letter(tx, to, &segments::plain(caption), Some(id), now)
    }

    /// A link to `target`, where there is a public address.
    pub fn link(&self, tx: &Tx<'_>, target: Target, now: Timestamp) -> store::Result<Option<String>> {
        let life = match target {
            Target::Media(_) => self.sms.picture_life,
            Target::Answer(_) | Target::Approval(_) => self.sms.link_life,
        };
        self.public_url.as_deref().map(|url| links::make(tx, url, target, life, now)).transpose()
    }

    fn piece(&self, tx: &Tx<'_>, to: &To, words: &str, link: Option<&str>, now: Timestamp) -> store::Result<()> {
        let tail = phrases::more_tail(link);
        match segments::cut(words, &tail, self.sms.segments) {
            Some((head, rest)) => {
                numbers::set_rest(tx, &to.address, Some(rest), link)?;
                self.letter(tx, to, &format!("{head}{tail}"), None, now)
            }
            None => {
                numbers::set_rest(tx, &to.address, None, None)?;
                self.letter(tx, to, words, None, now)
            }
        }
    }

    fn letter(&self, tx: &Tx<'_>, to: &To, body: &str, media: Option<ArtifactId>, now: Timestamp) -> store::Result<()> {
        let letter =
            Letter { address: to.address.clone(), body: body.to_owned(), media, session: to.session, turn: to.turn };
        outbox::put(tx, &letter, now).map(drop)
    }
}
