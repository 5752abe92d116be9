//! Single facts by name.

use crate::{Result, Rows, Tx};
use rusqlite::{OptionalExtension, params};

/// When Twilio's list of received messages was last compared with the inbox (milliseconds).
pub const RECONCILED_AT: &str = "reconciled_at";
/// How many requests to `/sms` were refused for their signature.
pub const BAD_SIGNATURES: &str = "bad_signatures";
/// The one sandbox's id.
pub const SANDBOX: &str = "sandbox";
/// A sandbox kept ready for the next task; empty where there is none.
pub const SPARE_SANDBOX: &str = "spare_sandbox";
/// `on` or `off`, once the owner switched the tunnel; before that the config says.
pub const TUNNEL: &str = "tunnel";
/// The tunnel's last URL.
pub const TUNNEL_URL: &str = "tunnel_url";
/// `on` or `off`, once the owner switched the door on the local network; before that the config says.
pub const LAN: &str = "lan";
/// `shut` from a lost phone's lock until it is undone at the desk.
pub const LOCK: &str = "lock";
/// Which number was last proved to lead to which address: `number URL`.
pub const NUMBER_LED: &str = "number_led";
/// Steps of setting up that the owner does not want, by their names, a blank between.
pub const SETUP_SKIPPED: &str = "setup_skipped";
/// The first text that set-up sent last: its letter's number.
pub const HELLO: &str = "hello";
/// The port it took last: phones know it.
pub const LAN_PORT: &str = "lan_port";
/// When a newer version of Lanyard was last looked for (milliseconds).
pub const UPDATE_CHECKED_AT: &str = "update_checked_at";

/// Wrong PINs since the last right one, and until when none is taken: `tries milliseconds`.
pub const PIN_WRONG: &str = "pin_wrong";
/// The audit's end as it was last signed, as JSON.
pub const AUDIT_HEAD: &str = "audit_head";
/// What stands for the rows of the audit that were cut off at its beginning, signed, as JSON.
pub const AUDIT_STUB: &str = "audit_stub";
/// The version of Lanyard that ran last.
pub const VERSION: &str = "version";

pub fn get(rows: &impl Rows, name: &str) -> Result<Option<String>> {
    let mut query = rows.conn().prepare_cached("SELECT value FROM facts WHERE name = ?1")?;
    Ok(query.query_row([name], |row| row.get(0)).optional()?)
}

pub fn set(tx: &Tx<'_>, name: &str, value: &str) -> Result<()> {
    tx.conn()
        .prepare_cached("INSERT INTO facts VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")?
        .execute(params![name, value])?;
    Ok(())
}

/// Counts `more`.
pub fn count(tx: &Tx<'_>, name: &str, more: u64) -> Result<()> {
    tx.conn()
        .prepare_cached(
            "INSERT INTO facts VALUES (?1, CAST(?2 AS TEXT))
             ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + ?2 AS TEXT)",
        )?
        .execute(params![name, i64::try_from(more).unwrap_or(i64::MAX)])?;
    Ok(())
}
