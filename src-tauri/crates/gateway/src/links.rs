//! Links that a text can carry: an unguessable name that runs out. Who holds the link sees one thing and nothing else.

use crate::tokens::random_name;
use domain::{ApprovalId, ArtifactId, Timestamp, TurnId};
use sha2::{Digest, Sha256};
use std::time::Duration;
use store::{Tx, links::Link};

/// What a link shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A turn's whole answer.
    Answer(TurnId),
    Approval(ApprovalId),
    /// A picture's bytes, for Twilio to fetch.
    Media(ArtifactId),
}

impl Target {
    fn kind(self) -> &'static str {
        match self {
            Self::Answer(_) => "answer",
            Self::Approval(_) => "approval",
            Self::Media(_) => "media",
        }
    }

    /// The first part of the path: `a`, `p` or `m`.
    fn path(self) -> &'static str {
        match self {
            Self::Answer(_) => "a",
            Self::Approval(_) => "p",
            Self::Media(_) => "m",
        }
    }

    fn id(self) -> String {
        match self {
            Self::Answer(id) => id.to_string(),
            Self::Approval(id) => id.to_string(),
            Self::Media(id) => id.to_string(),
        }
    }

    fn read(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "answer" => id.parse().ok().map(Self::Answer),
            "approval" => id.parse().ok().map(Self::Approval),
            "media" => id.parse().ok().map(Self::Media),
            _ => None,
        }
    }
}

/// Only this goes to the database: a copy of it opens no door.
fn hash(name: &str) -> String {
    Sha256::digest(name.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// Makes a link under `public_url`. Its name has 128 random bits.
pub fn make(tx: &Tx<'_>, public_url: &str, target: Target, life: Duration, now: Timestamp) -> store::Result<String> {
    let name = random_name::<16>();
    let link = Link { kind: target.kind().into(), target: target.id(), expires_at: now + life };
    store::links::make(tx, &hash(&name), &link, now)?;
    Ok(format!("{public_url}/{}/{name}", target.path()))
}

/// What became of a name someone came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Shows(Target),
    RanOut,
    Nothing,
}

pub fn find(rows: &impl store::Rows, name: &str, now: Timestamp) -> store::Result<Found> {
    Ok(match store::links::get(rows, &hash(name))? {
        Some(link) if link.expires_at <= now => Found::RanOut,
        Some(link) => Target::read(&link.kind, &link.target).map_or(Found::Nothing, Found::Shows),
        None => Found::Nothing,
    })
}
