//! The key pair that push services know this gateway by (VAPID, RFC 8292), made once and kept with the owner's secrets.

use crate::secrets::Secrets;
use accounts::keychain::Account;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::Timestamp;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::time::Duration;
use url::Url;

/// How long a claim holds; RFC 8292 allows a day.
const HOLDS: Duration = Duration::from_secs(12 * 3600);

pub struct VapidKey(EcdsaKeyPair);

/// What is kept is no key on P-256.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the kept push key cannot be read")]
pub struct Unreadable;

impl VapidKey {
    /// The one that is kept, or a new one.
    ///
    /// # Errors
    /// [`Unreadable`]: it is not replaced, for every phone's subscription hangs on it.
    pub async fn open(secrets: &Secrets) -> Result<Self, Unreadable> {
        let kept = secrets.get_or_make(Account::Push, made).await;
        let document = STANDARD.decode(kept.expose_secret()).map_err(|_| Unreadable)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document, &SystemRandom::new());
        pair.map(Self).map_err(|_| Unreadable)
    }

    /// As browsers take it (`applicationServerKey`): the uncompressed point in URL-safe Base64.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref())
    }

    /// `Authorization` for a push to `endpoint`. `contact`: whom its service may write to, `mailto:` or `https:`.
    pub fn authorization(&self, endpoint: &Url, contact: Option<&str>, now: Timestamp) -> SecretString {
        let mut claims = json!({ "aud": endpoint.origin().ascii_serialization(), "exp": (now + HOLDS).0 / 1000 });
        if let Some(contact) = contact {
            claims["sub"] = contact.into();
        }
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let words = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "ES256" })), part(&claims));
        let signature = self.0.sign(&SystemRandom::new(), words.as_bytes()).expect("the system gives random bytes");
        SecretString::from(format!("vapid t={words}.{}, k={}", URL_SAFE_NO_PAD.encode(signature), self.public()))
    }
}

fn made() -> SecretString {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .expect("the system gives random bytes");
    SecretString::from(STANDARD.encode(document))
}
