//! Facts of security, chained: who came in or was shut out, what was asked, allowed and reached, which secrets and settings were
//! changed. Written in the transaction of the fact itself, so that no way to it forgets.

use crate::{Result, Rows, Tx, values};
use domain::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A link's hash.
pub type Hash = [u8; 32];

/// Before the first row.
pub const START: Hash = [0; 32];

/// What a row tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Paired,
    ScopesChanged,
    Revoked,
    TokenMade,
    TokenRefreshed,
    SignatureRefused,
    Asked,
    Answered,
    RuleMade,
    RuleTakenBack,
    /// Let be without asking, by a rule of the owner's.
    Unasked,
    PinRefused,
    HostAllowed,
    HostTakenBack,
    HostReached,
    HostBlocked,
    SpendAllowed,
    SecretChanged,
    SettingsChanged,
    Locked,
    Unlocked,
    Exported,
    UpdateInstalled,
    /// Rows older than the owner wants kept were cut off at the beginning.
    Cut,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paired => "paired",
            Self::ScopesChanged => "scopes_changed",
            Self::Revoked => "revoked",
            Self::TokenMade => "token_made",
            Self::TokenRefreshed => "token_refreshed",
            Self::SignatureRefused => "signature_refused",
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::RuleMade => "rule_made",
            Self::RuleTakenBack => "rule_taken_back",
            Self::Unasked => "unasked",
            Self::PinRefused => "pin_refused",
            Self::HostAllowed => "host_allowed",
            Self::HostTakenBack => "host_taken_back",
            Self::HostReached => "host_reached",
            Self::HostBlocked => "host_blocked",
            Self::SpendAllowed => "spend_allowed",
            Self::SecretChanged => "secret_changed",
            Self::SettingsChanged => "settings_changed",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::Exported => "exported",
            Self::UpdateInstalled => "update_installed",
            Self::Cut => "cut",
        }
    }
}

/// A row as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub id: i64,
    pub at: Timestamp,
    pub kind: String,
    pub body: String,
    pub hash: Hash,
}

impl Link {
    /// The hash it must have after `before`.
    pub fn expected(&self, before: &Hash) -> Hash {
        hash(before, self.id, self.at, &self.kind, &self.body)
    }
}

/// The end of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub id: i64,
    pub hash: Hash,
}

impl Head {
    /// Of an empty chain.
    pub const START: Head = Head { id: 0, hash: START };
}

fn hash(before: &Hash, id: i64, at: Timestamp, kind: &str, body: &str) -> Hash {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(id.to_be_bytes());
    hash.update(at.0.to_be_bytes());
    for part in [kind, body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

fn link(row: &Row<'_>) -> Result<Link> {
    Ok(Link {
        id: row.get(0)?,
        at: Timestamp(row.get(1)?),
        kind: row.get(2)?,
        body: row.get(3)?,
        hash: values::bytes(row, 4)?,
    })
}

/// Writes a fact at the end of the chain.
pub fn append(tx: &Tx<'_>, kind: Kind, body: &impl Serialize, now: Timestamp) -> Result<()> {
    let before = head(tx)?;
    let (id, kind, body) = (before.id + 1, kind.as_str(), serde_json::to_string(body)?);
    let hash = hash(&before.hash, id, now, kind, &body);
    tx.conn()
        .prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![id, now.0, kind, body, hash])?;
    tx.ring_audit();
    Ok(())
}

pub fn head(rows: &impl Rows) -> Result<Head> {
    let mut query = rows.conn().prepare_cached("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")?;
    let read = |row: &Row<'_>| -> Result<Head> { Ok(Head { id: row.get(0)?, hash: values::bytes(row, 1)? }) };
    let last = query.query_and_then([], read)?.next();
    Ok(last.transpose()?.unwrap_or(Head::START))
}

/// Rows after a number, oldest first.
pub fn after(rows: &impl Rows, id: i64, limit: usize) -> Result<Vec<Link>> {
    let mut query =
        rows.conn().prepare_cached("SELECT id, at, kind, body, hash FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    query.query_and_then(params![id, limit as i64], link)?.collect()
}

/// The hash of one row.
pub fn hash_of(rows: &impl Rows, id: i64) -> Result<Option<Hash>> {
    let mut query = rows.conn().prepare_cached("SELECT hash FROM audit WHERE id = ?1")?;
    let hash: Option<Vec<u8>> = query.query_row([id], |row| row.get(0)).optional()?;
    Ok(hash.and_then(|hash| hash.try_into().ok()))
}

/// What is wrong with the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// These rows are not there, up to and with the second.
    Missing(i64, i64),
    /// This row, or the one before it, is not as it was written.
    Changed(i64),
}

/// The last row that was written before a time, but never the last of all.
pub fn last_before(rows: &impl Rows, at: Timestamp) -> Result<Option<Head>> {
    // The first that is kept is the first that is young enough: a clock that was set back cuts off nothing after it.
    let mut query = rows.conn().prepare_cached(
        "SELECT id, hash FROM audit WHERE id < coalesce((SELECT min(id) FROM audit WHERE at >= ?1), (SELECT max(id) FROM audit))
         ORDER BY id DESC LIMIT 1",
    )?;
    let read = |row: &Row<'_>| -> Result<Head> { Ok(Head { id: row.get(0)?, hash: values::bytes(row, 1)? }) };
    query.query_and_then([at.0], read)?.next().transpose()
}

/// Cuts off all up to and with a row. Gives how many those were.
pub fn cut(tx: &Tx<'_>, through: i64) -> Result<usize> {
    Ok(tx.conn().prepare_cached("DELETE FROM audit WHERE id <= ?1")?.execute([through])?)
}

/// Walks the chain from where it was last cut, [`Head::START`] if never. Gives its end, or the first thing that is wrong.
pub fn walk(rows: &impl Rows, cut: Head) -> Result<std::result::Result<Head, Broken>> {
    let mut at = cut;
    if let Some(before) = after(rows, i64::MIN, 1)?.first().filter(|row| row.id <= cut.id) {
        return Ok(Err(Broken::Changed(before.id)));
    }
    loop {
        let batch = after(rows, at.id, 1000)?;
        if batch.is_empty() {
            return Ok(Ok(at));
        }
        for link in batch {
            if link.id != at.id + 1 {
                return Ok(Err(Broken::Missing(at.id + 1, link.id - 1)));
            }
            if link.expected(&at.hash) != link.hash {
                return Ok(Err(Broken::Changed(link.id)));
            }
            at = Head { id: link.id, hash: link.hash };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use serde_json::json;

    async fn chain(rows: i64) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        let fill = move |tx: &Tx<'_>| {
            (0..rows).try_for_each(|n| append(tx, Kind::Paired, &json!({ "name": n }), Timestamp(n)))
        };
        store.write(fill).await.unwrap();
        (folder, store)
    }

    async fn after_sql(sql: &'static str) -> std::result::Result<Head, Broken> {
        let (_folder, store) = chain(2500).await;
        store.write(move |tx| Ok(tx.conn().execute_batch(sql)?)).await.unwrap();
        store.read(|r| walk(r, Head::START)).await.unwrap()
    }

    #[tokio::test]
    async fn a_row_that_is_changed_removed_or_put_in_between_is_found_and_named() {
        assert_eq!(after_sql("").await.unwrap().id, 2500);
        assert_eq!(after_sql("UPDATE audit SET body = '{}' WHERE id = 7").await, Err(Broken::Changed(7)));
        assert_eq!(after_sql("UPDATE audit SET at = 1 WHERE id = 1500").await, Err(Broken::Changed(1500)));
        assert_eq!(after_sql("UPDATE audit SET kind = 'revoked' WHERE id = 2500").await, Err(Broken::Changed(2500)));
        assert_eq!(after_sql("DELETE FROM audit WHERE id IN (3, 4)").await, Err(Broken::Missing(3, 4)));
        assert_eq!(after_sql("DELETE FROM audit WHERE id < 3").await, Err(Broken::Missing(1, 2)));
        let put_in = "UPDATE audit SET id = -id WHERE id > 10; UPDATE audit SET id = 1 - id WHERE id < 0;
                      INSERT INTO audit SELECT 11, at, kind, body, hash FROM audit WHERE id = 10";
        assert_eq!(after_sql(put_in).await, Err(Broken::Changed(11)));
        let swapped = "UPDATE audit SET id = -5 WHERE id = 5; UPDATE audit SET id = 5 WHERE id = 6;
                       UPDATE audit SET id = 6 WHERE id = -5";
        assert_eq!(after_sql(swapped).await, Err(Broken::Changed(5)));
    }

    #[tokio::test]
    async fn a_chain_that_was_cut_is_walked_from_there_and_what_stands_before_is_found() {
        let (_folder, store) = chain(10).await;
        let last = store.read(|r| last_before(r, Timestamp(4))).await.unwrap().unwrap();
        assert_eq!(last.id, 4, "the row of the time 4 is the fifth");
        assert_eq!(store.read(|r| last_before(r, Timestamp(0))).await.unwrap(), None);
        let all = store.read(|r| last_before(r, Timestamp(1000))).await.unwrap().unwrap();
        assert_eq!(all.id, 9, "the last is kept however old");
        assert_eq!(store.write(move |tx| cut(tx, last.id)).await.unwrap(), 4);
        let walked = async |cut| store.read(move |r| walk(r, cut)).await.unwrap();
        assert_eq!(walked(last).await.unwrap().id, 10);
        assert_eq!(walked(Head::START).await, Err(Broken::Missing(1, 4)));
        assert_eq!(walked(Head { hash: START, ..last }).await, Err(Broken::Changed(5)));
        assert_eq!(walked(Head { id: 5, ..last }).await, Err(Broken::Changed(5)));
    }

    #[tokio::test]
    async fn rows_cut_off_at_the_end_leave_a_whole_chain_that_the_signed_head_is_beyond() {
        assert_eq!(after_sql("DELETE FROM audit WHERE id > 2400").await.unwrap().id, 2400);
    }
}
