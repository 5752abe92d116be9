//! Links that a text can carry. Who holds a link sees one thing and nothing else, until it runs out.
//!
//! A link's name is a proof and a number. The proof is made from what the link shows, when it runs out and a key; the
//! database keeps the first two, the keychain the key. So a copy of the database opens nothing, and a letter in the
//! outbox holds a blank in the proof's place, of the same length, until the moment it is sent.

use crate::{secrets::Secrets, tokens::random_name};
use accounts::keychain::Account;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{ApprovalId, ArtifactId, Timestamp, TurnId};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::{fmt, str::FromStr, time::Duration};
use store::{Tx, links::Link};
use subtle::ConstantTimeEq;

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
    /// The first part of the path: `a`, `p` or `m`.
    fn path(self) -> &'static str {
        match self {
            Self::Answer(_) => "a",
            Self::Approval(_) => "p",
            Self::Media(_) => "m",
        }
    }
}

/// As the database writes it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(id) => write!(f, "answer:{id}"),
            Self::Approval(id) => write!(f, "approval:{id}"),
            Self::Media(id) => write!(f, "media:{id}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a link shows an answer, an approval or a picture")]
pub struct NoTarget;

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(written: &str) -> Result<Self, NoTarget> {
        let (kind, id) = written.split_once(':').ok_or(NoTarget)?;
        match kind {
            "answer" => id.parse().map(Self::Answer).map_err(|_| NoTarget),
            "approval" => id.parse().map(Self::Approval).map_err(|_| NoTarget),
            "media" => id.parse().map(Self::Media).map_err(|_| NoTarget),
            _ => Err(NoTarget),
        }
    }
}

/// Bytes of a proof: 128 bits of an HMAC-SHA256.
const PROOF: usize = 16;
/// In a letter's stored body, where the proof will stand: as long as a proof is in base64.
const BLANK: &str = "______________________";

/// A link to `target` that lives for `life`, or an earlier one that still lives for half of that.
pub fn make(tx: &Tx<'_>, target: Target, life: Duration, now: Timestamp) -> store::Result<Link> {
    store::links::make(tx, &target.to_string(), now + life / 2, now + life, now)
}

/// The link as a stored letter holds it: of its real length, and opening nothing.
pub fn blank(public_url: &str, target: Target, link: &Link) -> String {
    format!("{public_url}/{}/{BLANK}{}", target.path(), link.id)
}

/// What proves links.
#[derive(Clone)]
pub struct LinkKey(SecretString);

impl LinkKey {
    /// The one that is kept, or a new one.
    pub async fn open(secrets: &Secrets) -> Self {
        Self(secrets.get_or_make(Account::Links, || SecretString::from(random_name::<32>())).await)
    }

    /// The address under our public one. Errs if the link shows nothing known.
    pub fn path(&self, link: &Link) -> Result<String, NoTarget> {
        let target: Target = link.shows.parse()?;
        Ok(format!("/{}/{}{}", target.path(), self.proof(link), link.id))
    }

    /// A stored letter's body with its link in place of the blank, which stands behind all else.
    pub fn fill(&self, body: &str, link: &Link) -> String {
        match body.rsplit_once(&format!("{BLANK}{}", link.id)) {
            Some((before, after)) => format!("{before}{}{}{after}", self.proof(link), link.id),
            None => body.to_owned(),
        }
    }

    /// What became of a name someone came with.
    pub fn find(&self, rows: &impl store::Rows, name: &str, now: Timestamp) -> store::Result<Found> {
        let Some((proof, id)) = name.split_at_checked(BLANK.len()) else { return Ok(Found::Nothing) };
        let Ok(id) = id.parse() else { return Ok(Found::Nothing) };
        let Some(link) = store::links::get(rows, id)? else { return Ok(Found::Nothing) };
        Ok(match bool::from(self.proof(&link).as_bytes().ct_eq(proof.as_bytes())) {
            true if link.expires_at <= now => Found::RanOut,
            true => link.shows.parse().map_or(Found::Nothing, Found::Shows),
            false => Found::Nothing,
        })
    }

    fn proof(&self, link: &Link) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes()).expect("HMAC takes a key of any length");
        mac.update(format!("{}|{}|{}", link.shows, link.expires_at.0, link.id).as_bytes());
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..PROOF])
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Shows(Target),
    RanOut,
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const LIFE: Duration = Duration::from_secs(60);

    fn key(secret: &str) -> LinkKey {
        LinkKey(SecretString::from(secret))
    }

    async fn world() -> (tempfile::TempDir, store::Store, Target, Link) {
        let folder = tempfile::tempdir().unwrap();
        let store = store::Store::open(&folder.path().join("lanyard.db")).unwrap();
        let target = Target::Answer(TurnId::new());
        let link = store.write(move |tx| make(tx, target, LIFE, NOW)).await.unwrap();
        (folder, store, target, link)
    }

    #[tokio::test]
    async fn a_link_shows_its_target_until_it_runs_out() {
        let (_folder, store, target, link) = world().await;
        let name = key("k").path(&link).unwrap().replace("/a/", "");
        let find = async |key: LinkKey, name: &str, now| {
            let name = name.to_owned();
            store.read(move |r| key.find(r, &name, now)).await.unwrap()
        };
        assert_eq!(find(key("k"), &name, NOW).await, Found::Shows(target));
        assert_eq!(find(key("k"), &name, NOW + LIFE).await, Found::RanOut);
        assert_eq!(find(key("other"), &name, NOW).await, Found::Nothing);
        for forged in ["", "1", "äääääääääääää1", &format!("{BLANK}{}", link.id), &format!("{name}0"), &name[1..]]
        {
            assert_eq!(find(key("k"), forged, NOW).await, Found::Nothing, "{forged}");
        }
    }

    #[tokio::test]
    async fn a_stored_letter_is_as_long_as_the_sent_one_and_opens_nothing() {
        let (_folder, _store, target, link) = world().await;
        let stored = format!("{BLANK}{} more, or {}", link.id, blank("https://x.test", target, &link));
        let sent = key("k").fill(&stored, &link);
        assert_eq!(sent.len(), stored.len());
        assert!(sent.ends_with(&key("k").path(&link).unwrap()), "{sent}");
        assert!(sent.starts_with(BLANK), "the owner's own words stay");
    }
}
