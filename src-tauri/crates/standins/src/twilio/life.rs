//! The life of an outgoing message: taken, its pictures fetched, sent, delivered or not, with a receipt at each step.

use super::{
    ACCOUNT, Alert, Direction, Message, NUMBER, Post, SERVICE,
    world::{Media, State, World, new_sid, now},
};
use std::sync::Arc;

/// Bytes of all pictures of a message together (Twilio's limit, error 11751).
const LARGEST_MEDIA: usize = 5 * 1024 * 1024;

type Fields = Vec<(String, String)>;

/// The number the messaging service sends from.
pub(super) fn service_number(state: &State) -> Option<&str> {
    state.number(NUMBER).map(|own| own.number.as_str())
}

/// Starts the life of a message that was taken (`living` counts it already).
pub(super) fn begin(world: &Arc<World>, sid: &str) {
    let (world, sid) = (world.clone(), sid.to_owned());
    world.clone().tasks.spawn(async move {
        tokio::select! {
            () = world.stop.cancelled() => {}
            () = live(&world, &sid) => {}
        }
        world.change(|state| state.living -= 1);
    });
}

async fn live(world: &World, sid: &str) {
    let mut receipts = Receipts { world, sid, held: Vec::new() };
    let Some(message) = world.read(|state| state.message(sid).cloned()) else { return };
    receipts.step("queued", None).await;
    if let Err(alert) = fetch_media(world, &message).await {
        let code = alert.code;
        world.change(|state| state.alerts.push(alert));
        receipts.step("failed", Some(code)).await;
    } else {
        receipts.step("sent", None).await;
        let fate = world.read(|state| state.undelivered.get(&message.to).copied());
        receipts.step(if fate.is_some() { "undelivered" } else { "delivered" }, fate).await;
    }
    receipts.release().await;
}

async fn fetch_media(world: &World, message: &Message) -> Result<(), Alert> {
    let alert = |code, what: String| Alert { code, sid: message.sid.clone(), what };
    let mut all = 0;
    for url in &message.media_urls {
        let (media_type, bytes) = world.fetch(url).await.map_err(|e| alert(11200, format!("{e:#}")))?;
        all += bytes.len();
        if all > LARGEST_MEDIA {
            return Err(alert(11751, format!("{all} bytes")));
        }
        if !["image/", "video/", "audio/", "text/vcard"].iter().any(|kind| media_type.starts_with(kind)) {
            return Err(alert(12300, media_type));
        }
        let media = Media { sid: new_sid("ME"), media_type, bytes, deleted: false };
        world.change(|state| {
            if let Some(m) = state.message_mut(&message.sid) {
                m.media.push(media);
            }
        });
    }
    Ok(())
}

/// Moves one message on and posts its receipts, at once or, backwards, at the end.
struct Receipts<'w> {
    world: &'w World,
    sid: &'w str,
    held: Vec<Fields>,
}

impl Receipts<'_> {
    async fn step(&mut self, status: &'static str, error: Option<u32>) {
        let pace = self.world.read(|state| state.pace);
        tokio::time::sleep(pace).await;
        let moved = self.world.change(|state| {
            let chosen = service_number(state).map(str::to_owned);
            let m = state.message_mut(self.sid)?;
            (m.status, m.error, m.updated_at) = (status, error, now());
            if m.from.is_none() {
                m.from = chosen;
            }
            if status == "sent" {
                m.sent_at = Some(now());
            }
            Some(receipt(m))
        });
        let Some(fields) = moved else { return };
        match self.world.read(|state| state.backwards) {
            true => self.held.push(fields),
            false => self.post(fields).await,
        }
    }

    async fn release(&mut self) {
        while let Some(fields) = self.held.pop() {
            self.post(fields).await;
        }
    }

    async fn post(&self, fields: Fields) {
        let Some(url) = self.world.read(|state| state.message(self.sid)?.status_callback.clone()) else { return };
        let failed = match self.world.post(&Post::new(&url, &fields)).await {
            Ok(called) if called.is_success() => return,
            Ok(called) => format!("receipt: {:?}", called.attempts),
            Err(error) => format!("receipt: {error:#}"),
        };
        self.world.change(|state| state.alerts.push(Alert { code: 11200, sid: self.sid.to_owned(), what: failed }));
    }
}

fn receipt(m: &Message) -> Fields {
    let mut fields = vec![
        ("SmsSid", m.sid.clone()),
        ("SmsStatus", m.status.to_owned()),
        ("MessageStatus", m.status.to_owned()),
        ("To", m.to.clone()),
        ("MessageSid", m.sid.clone()),
        ("AccountSid", ACCOUNT.to_owned()),
        ("From", m.from.clone().unwrap_or_default()),
        ("ApiVersion", "2010-04-01".to_owned()),
    ];
    fields.extend(m.service.as_ref().map(|_| ("MessagingServiceSid", SERVICE.to_owned())));
    fields.extend(m.error.map(|code| ("ErrorCode", code.to_string())));
    if m.to.starts_with("whatsapp:") {
        fields.extend([("ChannelPrefix", "whatsapp".to_owned()), ("ChannelToAddress", m.to.clone())]);
    }
    if m.status == "delivered" {
        fields.push(("RawDlrDoneDate", jiff::Timestamp::now().strftime("%y%m%d%H%M").to_string()));
    }
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Twilio's own answer to one of its words: a message that is there at once and has no receipts.
pub(super) fn reply(state: &mut State, ours: &str, phone: &str, words: &str) {
    let reply = Message::new(Direction::Reply, Some(ours), phone, words);
    state.messages.push(Message { status: "delivered", sent_at: Some(now()), ..reply });
}
