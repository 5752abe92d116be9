//! Pictures that came with a text: fetched from Twilio with the account's credentials, checked, and kept.

use crate::{clock, gateway::App, pictures};
use domain::{ArtifactId, SessionId, Timestamp};
use std::time::Duration;
use store::{
    Tx,
    artifacts::{self, Artifact},
    inbox::Message,
};

/// Twilio's own limit for one message.
const LARGEST: usize = 5_000_000;
/// Tries for each picture, with a pause between, before the message goes on without it.
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
            let id = ArtifactId::new();
            let artifact = Artifact {
                id,
                session: Some(session),
                turn: None,
                media_type: (*media_type).to_owned(),
                caption: None,
                bytes: bytes.clone(),
                created_at: now,
            };
            artifacts::put(tx, &artifact).map(|()| id)
        };
        self.pictures.iter().map(keep).collect()
    }
}

/// Fetches every picture of a message. Never fails: what cannot be had is counted.
pub async fn fetch(app: &App, message: &Message) -> Fetched {
    let mut fetched = Fetched::default();
    for media in &message.media {
        match fetch_one(app, &media.url).await {
            Some(picture) => fetched.pictures.push(picture),
            None => fetched.refused += 1,
        }
    }
    fetched
}

async fn fetch_one(app: &App, url: &str) -> Option<(&'static str, Vec<u8>)> {
    let texting = app.texting.as_ref()?;
    for attempt in 1..=TRIES {
        let began = clock::now();
        match texting.twilio.fetch_media(url, LARGEST).await {
            Ok(picture) => {
                let bytes = picture.bytes.to_vec();
                return pictures::media_type(&bytes).map(|media_type| (media_type, bytes));
            }
            Err(e) => {
                let elapsed_ms = clock::now().since(began).as_millis() as u64;
                tracing::warn!(attempt, elapsed_ms, error = ?e, "a picture could not be fetched");
                if !e.retryable() {
                    return None;
                }
            }
        }
        tokio::select! {
            () = app.stop.cancelled() => return None,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    None
}
