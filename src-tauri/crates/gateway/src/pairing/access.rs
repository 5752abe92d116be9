//! Access tokens: a phone's id, its scopes and an end, signed (HMAC-SHA-256). Nothing in one is secret; it cannot be changed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use domain::{Code, PhoneId, Timestamp, pairing::Scopes};
use hmac::{Hmac, KeyInit, Mac};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::time::Duration;

/// How long an access token lives.
pub const ACCESS_LIFE: Duration = Duration::from_secs(15 * 60);
/// What every access token begins with.
pub const PREFIX: &str = "lanyard_a_";

/// Signs and checks, with a key of this process's own.
pub struct Signer([u8; 32]);

#[derive(Serialize, Deserialize)]
struct Claims {
    phone: PhoneId,
    scopes: String,
    ends: i64,
}

impl Default for Signer {
    fn default() -> Self {
        Self(rand::rng().random())
    }
}

impl Signer {
    pub fn sign(&self, phone: PhoneId, scopes: Scopes, now: Timestamp) -> String {
        let claims = Claims { phone, scopes: scopes.words(), ends: (now + ACCESS_LIFE).0 };
        let body = B64.encode(serde_json::to_vec(&claims).unwrap_or_default());
        let mac = B64.encode(self.mac(b"access", body.as_bytes()).finalize().into_bytes());
        format!("{PREFIX}{body}.{mac}")
    }

    /// # Errors
    /// `NOT_PAIRED` if it is not ours, `TOKEN_EXPIRED` if it was.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<(PhoneId, Scopes), Code> {
        let (body, mac) = token.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')).ok_or(Code::NotPaired)?;
        let mac = B64.decode(mac).map_err(|_| Code::NotPaired)?;
        self.mac(b"access", body.as_bytes()).verify_slice(&mac).map_err(|_| Code::NotPaired)?;
        let claims = B64.decode(body).ok().and_then(|json| serde_json::from_slice::<Claims>(&json).ok());
        let claims = claims.ok_or(Code::NotPaired)?;
        if now.0 >= claims.ends {
            return Err(Code::TokenExpired);
        }
        Ok((claims.phone, Scopes::read(&claims.scopes)))
    }

    /// The refresh token that follows `old` when it is turned in with `signature`: the same request always gets the same one,
    /// so that an answer that got lost can be given again. To all who lack the key it is 256 random bits.
    pub fn successor(&self, old: &str, signature: &str) -> String {
        let mac = self.mac(b"refresh", format!("{old}\n{signature}").as_bytes());
        B64.encode(mac.finalize().into_bytes())
    }

    fn mac(&self, purpose: &[u8], body: &[u8]) -> Hmac<Sha256> {
        // A key of any length is fine for HMAC: this cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(purpose);
        mac.update(b"\0");
        mac.update(body);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::pairing::Scope;
    use proptest::prelude::*;

    #[test]
    fn a_token_holds_for_fifteen_minutes_and_only_here() {
        let (signer, phone, now) = (Signer::default(), PhoneId::new(), Timestamp(1_000_000));
        let scopes = Scopes::from_iter([Scope::Read, Scope::Chat]);
        let token = signer.sign(phone, scopes, now);
        assert_eq!(signer.check(&token, now), Ok((phone, scopes)));
        assert_eq!(signer.check(&token, now + (ACCESS_LIFE - Duration::from_millis(1))), Ok((phone, scopes)));
        assert_eq!(signer.check(&token, now + ACCESS_LIFE), Err(Code::TokenExpired));
        assert_eq!(Signer::default().check(&token, now), Err(Code::NotPaired), "another process's key");
    }

    #[test]
    fn no_letter_of_a_token_can_be_changed() {
        let (signer, now) = (Signer::default(), Timestamp(1));
        let token = signer.sign(PhoneId::new(), Scopes::from_iter([Scope::Read]), now);
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] ^= 1;
            let other = String::from_utf8(other).unwrap();
            assert_eq!(signer.check(&other, now), Err(Code::NotPaired), "{at}");
        }
    }

    proptest! {
        #[test]
        fn nothing_made_up_is_a_token(made_up in ".{0,200}") {
            let signer = Signer::default();
            prop_assert!(signer.check(&made_up, Timestamp(0)).is_err());
            let prefixed = format!("{}{}", PREFIX, made_up);
            prop_assert!(signer.check(&prefixed, Timestamp(0)).is_err());
        }
    }
}
