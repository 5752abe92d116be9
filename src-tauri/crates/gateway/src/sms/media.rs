//! Pictures that came with a text: fetched from Twilio with the account's credentials, checked, and kept.

use crate::{clock, gateway::App, pictures};
use domain::{ArtifactId, SessionId, Timestamp};
use std::time::Duration;
use store::{Tx, inbox::Message};

/// Twilio's own limit for one message.
const LARGEST: usize = 5_000_000;
/// How long a message waits for its pictures while Twilio cannot be reached, before it goes on without them.
const HELD: Duration = Duration::from_secs(600);
/// Tries for each picture in one look, with a pause between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// What became of a message's pictures.
#[derive(Default)]
pub struct Fetched {
    pictures: Vec<(&'static str, Vec<u8>)>,
    /// How many could not be used.
    pub refused: usize,
}

impl Fetched {
    /// Writes them down as artifacts of `session`.
    pub fn keep(&self, tx: &Tx<'_>, session: SessionId, now: Timestamp) -> store::Result<Vec<ArtifactId>> {
        let keep = |(media_type, bytes): &(&'static str, Vec<u8>)| {
            pictures::keep(tx, pictures::Of::session(session), media_type, bytes.clone(), now)
        };
        self.pictures.iter().map(keep).collect()
    }
}

/// Fetches every picture of a message; what can never be had is counted. None while Twilio cannot be reached: the message
/// waits then, for [`HELD`] at most.
pub async fn fetch(app: &App, message: &Message) -> Option<Fetched> {
    let mut fetched = Fetched::default();
    let waited = clock::now().since(message.received_at);
    for media in &message.media {
        match fetch_one(app, &media.url).await {
            One::Picture(media_type, bytes) => fetched.pictures.push((media_type, bytes)),
            One::Never => fetched.refused += 1,
            One::NotNow if waited < HELD => return None,
            One::NotNow => fetched.refused += 1,
        }
    }
    Some(fetched)
}

enum One {
    Picture(&'static str, Vec<u8>),
    Never,
    NotNow,
}

async fn fetch_one(app: &App, url: &str) -> One {
    let Some(texting) = app.texting.now() else { return One::NotNow };
    for attempt in 1..=TRIES {
        match texting.twilio.fetch_media(url, LARGEST).await {
            Ok(picture) => {
                let bytes = picture.bytes.to_vec();
                return pictures::media_type(&bytes).map_or(One::Never, |media_type| One::Picture(media_type, bytes));
            }
            Err(e) if e.retryable() => tracing::warn!(attempt, error = ?e, "a picture could not be fetched yet"),
            Err(e) => {
                tracing::warn!(error = ?e, "a picture cannot be used");
                return One::Never;
            }
        }
        tokio::select! {
            () = app.stop.cancelled() => return One::NotNow,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    One::NotNow
}
