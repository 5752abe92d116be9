//! A session with a history, as long as it takes.

use domain::{PermissionMode, SessionId, Timestamp, event::Event};
use store::{events, sessions};

/// Writes a closed session of so many events.
pub fn write_session(tx: &store::Tx<'_>, id: SessionId, count: i64) -> store::Result<()> {
    sessions::create(tx, id, "claude", "A long talk", PermissionMode::Default, Timestamp(1))?;
    for n in 0..count {
        let text = format!("Looked at file {n} and changed the line that made the test fail; it passes now.");
        let said = Event::Answered { turn: None, message: format!("msg_{n}"), text };
        events::append(tx, id, &said, Timestamp(n))?;
    }
    sessions::close(tx, id)
}
