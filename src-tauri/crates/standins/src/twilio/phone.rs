//! A person's phone: texts a number of the account and shows what arrives.

use super::{
    ACCOUNT, Alert, Called, Direction, Message, Post, life,
    post::Attempt,
    world::{Media, State, World, new_sid},
};
use anyhow::Context;
use bytes::Bytes;
use domain::segments;
use std::{sync::Arc, time::Duration};

/// A phone with its number.
#[derive(Clone)]
pub struct Phone {
    world: Arc<World>,
    address: String,
}

/// A message as the phone shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    pub sid: String,
    pub from: String,
    pub body: String,
    pub pictures: Vec<Shown>,
}

/// A picture on the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub media_type: String,
    pub bytes: Bytes,
}

impl Phone {
    pub(super) fn new(world: Arc<World>, address: &str) -> Self {
        Self { world, address: address.to_owned() }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Texts a number of the account and gives back how its webhook took it. That the webhook failed is no error
    /// here: Twilio has the message on its list all the same.
    pub async fn text(&self, to: &str, body: &str) -> anyhow::Result<Called> {
        self.text_with(to, body, Vec::new()).await
    }

    /// The same with pictures: their types and bytes.
    pub async fn text_with(&self, to: &str, body: &str, media: Vec<(String, Bytes)>) -> anyhow::Result<Called> {
        let post = self.compose(to, body, media)?;
        self.post(&post).await
    }

    /// Puts the message on Twilio's list without posting it: its signed post, for a caller who posts it in a way of
    /// their own (late, twice, by a thousand hands, with a wrong signature).
    pub fn compose(&self, to: &str, body: &str, media: Vec<(String, Bytes)>) -> anyhow::Result<Post> {
        let message = self.message(to, body, media);
        self.world.change(|state| {
            let url = state.number(to).context("not a number of the account")?.sms_url.clone();
            opt_out_words(state, &self.address, to, body);
            let post = Post::new(&url, &fields(&message, &self.world));
            state.messages.push(message);
            Ok(post)
        })
    }

    /// Posts what [`Phone::compose`] made, by Twilio's rules.
    pub async fn post(&self, post: &Post) -> anyhow::Result<Called> {
        let called = self.world.post(post).await?;
        self.log(&post.sid, &called);
        Ok(called)
    }

    fn message(&self, to: &str, body: &str, media: Vec<(String, Bytes)>) -> Message {
        let kept = |(media_type, bytes)| Media { sid: new_sid("ME"), media_type, bytes, deleted: false };
        Message {
            sid: new_sid(if media.is_empty() { "SM" } else { "MM" }),
            media: media.into_iter().map(kept).collect(),
            ..Message::new(Direction::Inbound, Some(&self.address), to, body)
        }
    }

    /// What Twilio's error log keeps of a webhook that did not go well.
    fn log(&self, sid: &str, called: &Called) {
        let (code, what) = match (called.status, called.attempts.last()) {
            (_, None) => return,
            (None, Some(Attempt::NotConnected)) => (11205, "no connection".to_owned()),
            (None, Some(_)) => (11200, "no answer".to_owned()),
            (Some(status), _) if !called.is_success() => (11200, format!("HTTP {status}")),
            (Some(_), _) if called.body.trim().is_empty() => return,
            (Some(_), _) if !called.content_type.contains("xml") => (12300, called.content_type.clone()),
            (Some(_), _) if is_empty_twiml(&called.body) => return,
            // Words in the answer would be a reply; Lanyard sends its words over REST.
            (Some(_), _) => (12100, called.body.clone()),
        };
        self.world.change(|state| state.alerts.push(Alert { code, sid: sid.to_owned(), what }));
    }

    /// Everything that has arrived, oldest first.
    pub fn received(&self) -> Vec<Arrived> {
        self.world.read(|state| self.arrived(state).map(shown).collect())
    }

    /// The first message that fits and that no `wait_for` has returned before, now or before the deadline.
    pub async fn wait_for(&self, fits: impl Fn(&Arrived) -> bool, deadline: Duration) -> anyhow::Result<Arrived> {
        let look = |state: &State| {
            self.arrived(state).filter(|m| !state.read_by_phone.contains(&m.sid)).map(shown).find(|m| fits(m))
        };
        let found = self.world.wait(deadline, "the phone has no such message", look).await?;
        self.world.change(|state| state.read_by_phone.insert(found.sid.clone()));
        Ok(found)
    }

    fn arrived<'s>(&'s self, state: &'s State) -> impl Iterator<Item = &'s Message> {
        let here = |m: &&Message| m.direction != Direction::Inbound && m.status == "delivered" && m.to == self.address;
        state.messages.iter().filter(here)
    }
}

fn shown(m: &Message) -> Arrived {
    let picture = |media: &Media| Shown { media_type: media.media_type.clone(), bytes: media.bytes.clone() };
    Arrived {
        sid: m.sid.clone(),
        from: m.from.clone().unwrap_or_default(),
        body: m.body.clone(),
        pictures: m.media.iter().map(picture).collect(),
    }
}

/// The webhook's form.
fn fields(m: &Message, world: &World) -> Vec<(String, String)> {
    let from = m.from.clone().unwrap_or_default();
    let mut fields: Vec<(String, String)> = [
        ("ToCountry", "US".to_owned()),
        ("ToState", String::new()),
        ("SmsMessageSid", m.sid.clone()),
        ("NumMedia", m.media.len().to_string()),
        ("ToCity", String::new()),
        ("FromZip", String::new()),
        ("SmsSid", m.sid.clone()),
        ("FromState", String::new()),
        ("SmsStatus", "received".to_owned()),
        ("FromCity", String::new()),
        ("Body", m.body.clone()),
        ("FromCountry", "US".to_owned()),
        ("To", m.to.clone()),
        ("ToZip", String::new()),
        ("NumSegments", segments::count(&m.body).segments.to_string()),
        ("MessageSid", m.sid.clone()),
        ("AccountSid", ACCOUNT.to_owned()),
        ("From", from.clone()),
        ("ApiVersion", "2010-04-01".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    for (n, media) in m.media.iter().enumerate() {
        let path = World::resource(&format!("/Messages/{}/Media/{}", m.sid, media.sid));
        fields.push((format!("MediaContentType{n}"), media.media_type.clone()));
        fields.push((format!("MediaUrl{n}"), format!("http://{}{path}", world.api)));
    }
    if let Some(number) = from.strip_prefix("whatsapp:+") {
        fields.push(("WaId".to_owned(), number.to_owned()));
        fields.push(("ProfileName".to_owned(), "Owner".to_owned()));
    }
    fields
}

const STOPPED: &str = "You have successfully been unsubscribed. You will not receive any more messages from this number. \
                       Reply START to resubscribe.";
const STARTED: &str = "You have successfully been re-subscribed to messages from this number. Reply HELP for help. \
                       Reply STOP to unsubscribe. Msg&Data Rates May Apply.";
const HELPED: &str = "Reply STOP to unsubscribe. Msg&Data Rates May Apply.";

/// Twilio acts on these words itself and posts the webhook all the same (SMS only). `YES` brings back only whoever has
/// opted out.
fn opt_out_words(state: &mut State, phone: &str, ours: &str, body: &str) {
    if phone.starts_with("whatsapp:") {
        return;
    }
    let pair = (phone.to_owned(), ours.to_owned());
    let is_out = state.opted_out.contains(&pair);
    match body.trim().to_ascii_uppercase().as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT" if !is_out => {
            state.opted_out.insert(pair);
            life::reply(state, ours, phone, STOPPED);
        }
        "START" | "UNSTOP" | "YES" if is_out => {
            state.opted_out.remove(&pair);
            life::reply(state, ours, phone, STARTED);
        }
        "HELP" | "INFO" => {
            life::reply(state, ours, phone, HELPED);
        }
        _ => {}
    }
}

fn is_empty_twiml(body: &str) -> bool {
    let body = body.trim();
    let body = body.split_once("?>").filter(|_| body.starts_with("<?xml")).map_or(body, |(_, rest)| rest.trim());
    let inner = body.strip_prefix("<Response>").and_then(|rest| rest.strip_suffix("</Response>"));
    inner.is_some_and(|inner| inner.trim().is_empty()) || matches!(body, "<Response/>" | "<Response />")
}
