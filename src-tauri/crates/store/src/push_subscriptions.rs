//! Where the browsers of paired phones take pushes.

use crate::{Result, Rows, Tx, values};
use domain::{PhoneId, Timestamp};
use rusqlite::{Row, params};

/// Subscriptions of one phone that are kept: a browser that subscribes anew leaves old ones behind.
const OF_ONE_PHONE: usize = 5;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub phone: PhoneId,
    /// The push service's address for this browser.
    pub endpoint: String,
    /// The browser's public key: P-256, uncompressed point.
    pub p256dh: Vec<u8>,
    /// 16 bytes that the browser shares with us.
    pub auth: Vec<u8>,
}

fn subscription(row: &Row<'_>) -> Result<Subscription> {
    Ok(Subscription { phone: values::parsed(row, 0)?, endpoint: row.get(1)?, p256dh: row.get(2)?, auth: row.get(3)? })
}

/// Keeps it, in place of an earlier one with the same endpoint; a phone's oldest go when it has too many.
pub fn put(tx: &Tx<'_>, s: &Subscription, now: Timestamp) -> Result<()> {
    remove(tx, &s.endpoint)?;
    let phone = s.phone.to_string();
    tx.conn()
        .prepare_cached(
            "INSERT INTO push_subscriptions (phone, endpoint, p256dh, auth, made_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![phone, s.endpoint, s.p256dh, s.auth, now.0])?;
    tx.conn()
        .prepare_cached(
            "DELETE FROM push_subscriptions WHERE phone = ?1 AND id NOT IN
                 (SELECT id FROM push_subscriptions WHERE phone = ?1 ORDER BY id DESC LIMIT ?2)",
        )?
        .execute(params![phone, OF_ONE_PHONE as i64])?;
    Ok(())
}

/// It is gone: the browser or its push service said so.
pub fn remove(tx: &Tx<'_>, endpoint: &str) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM push_subscriptions WHERE endpoint = ?1")?.execute([endpoint])?;
    Ok(())
}

/// The phone itself takes no more pushes at this address.
pub fn remove_of(tx: &Tx<'_>, phone: PhoneId, endpoint: &str) -> Result<()> {
    tx.conn()
        .prepare_cached("DELETE FROM push_subscriptions WHERE endpoint = ?1 AND phone = ?2")?
        .execute([endpoint, &phone.to_string()])?;
    Ok(())
}

/// One that still holds: not removed, and its phone not revoked.
pub fn get(rows: &impl Rows, id: i64) -> Result<Option<Subscription>> {
    let mut query = rows.conn().prepare_cached(
        "SELECT s.phone, s.endpoint, s.p256dh, s.auth FROM push_subscriptions s JOIN phones p ON p.id = s.phone
         WHERE s.id = ?1 AND p.revoked_at IS NULL",
    )?;
    query.query_and_then([id], subscription)?.next().transpose()
}

/// How many there are, of phones that are not revoked.
pub fn count(rows: &impl Rows) -> Result<u32> {
    let mut query = rows.conn().prepare_cached(
        "SELECT count(*) FROM push_subscriptions s JOIN phones p ON p.id = s.phone WHERE p.revoked_at IS NULL",
    )?;
    Ok(query.query_row([], |row| row.get(0))?)
}
