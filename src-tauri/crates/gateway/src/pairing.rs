//! Who may come in by the public door: phones that paired with a one-use code, and named API tokens.
//!
//! What opens the door is kept nowhere: codes and tickets live in memory as hashes, refresh tokens and API tokens in the
//! store as hashes. Access tokens are signed with a key that this process made at its start and nobody else ever sees: after
//! a restart every phone turns in its refresh token once.

mod access;
mod callers;
mod codes;
mod keys;
mod limits;
mod owner;
mod presence;
mod refresh;
mod tickets;

pub use access::{ACCESS_LIFE, Signer};
pub use callers::{Caller, Callers, Who};
pub use codes::{CODE_LIFE, Offers};
pub use keys::{BadKey, PhoneKey, decode};
pub use limits::{Limits, Wait};
pub use owner::{change, make_token, not_me, offer, phones_shown, revoke, revoke_token, tokens_shown};
pub use presence::Connected;
pub use refresh::{Turned, pair, refresh};
pub use tickets::{TICKET_LIFE, Tickets};

use sha2::{Digest, Sha256};

/// SHA-256 in hex: what is kept of a secret that somebody else holds.
pub fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}
