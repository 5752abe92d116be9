//! Making sessions, and saying things in them.

use super::Place;
use crate::gateway::App;
use domain::{
    ArtifactId, PermissionMode, SessionId, Timestamp, TurnId,
    event::{Channel, Event, When},
    session::Input,
};
use store::{Tx, events, inbox, sessions};

/// What a new session starts with.
#[derive(Clone, Debug)]
pub struct Opening {
    pub agent: String,
    pub mode: PermissionMode,
}

impl Opening {
    pub fn usual(app: &App) -> Self {
        Self { agent: "claude".into(), mode: app.config.written.agent.mode }
    }
}

/// Makes a session; gives its number.
pub fn open_session(tx: &Tx<'_>, id: SessionId, opening: &Opening, now: Timestamp) -> store::Result<u32> {
    sessions::create(tx, id, &opening.agent, "", opening.mode, now)
}

/// What was said, and where.
pub struct Saying<'s> {
    pub message: i64,
    /// Its session, which has room.
    pub place: &'s Place,
    pub channel: Channel,
    pub text: &'s str,
    pub pictures: &'s [ArtifactId],
    pub when: When,
}

/// Routes a message of the inbox to its session: row, event, title. The driver is to be rung after the commit.
pub fn say(tx: &Tx<'_>, s: &Saying<'_>, now: Timestamp) -> store::Result<i64> {
    let session = s.place.session;
    inbox::route(tx, s.message, session, s.text, s.pictures, s.when)?;
    sessions::title_once(tx, session, &title_of(s.text))?;
    sessions::touch(tx, session, now)?;
    let event = Event::Said {
        message: s.message,
        channel: s.channel,
        text: s.text.to_owned(),
        pictures: s.pictures.to_vec(),
        when: s.when,
    };
    events::append(tx, session, &event, now)
}

/// Says words in the name of whoever asked for a turn that failed, so that it goes on; nothing where nobody had. `external` keeps
/// them from being said twice. Gives what the driver is to be rung with.
pub fn say_again(
    tx: &Tx<'_>,
    turn: TurnId,
    place: &Place,
    external: String,
    text: &str,
    now: Timestamp,
) -> store::Result<Option<Input>> {
    let Some(asked) = inbox::of_turn(tx, turn)?.pop() else { return Ok(None) };
    let arrival = inbox::Arrival {
        channel: asked.channel,
        external,
        sender: asked.sender,
        receiver: None,
        text: text.into(),
        media: Vec::new(),
    };
    let message = inbox::receive(tx, &arrival, now)?.message;
    say(tx, &Saying { message, place, channel: asked.channel, text, pictures: &[], when: When::Queue }, now)?;
    Ok(Some(Input::Said(inbox::get(tx, message)?.said())))
}

/// What a session's title says: the first words, on one line.
pub fn title_of(text: &str) -> String {
    let line = domain::shown::shown_line(text.trim(), 200);
    let mut title: String = line.chars().take(60).collect();
    if title.len() < line.len() {
        title = title.rsplit_once(' ').map_or(title.clone(), |(head, _)| head.to_owned()) + " ..";
    }
    title
}
