//! Is a webhook truly Twilio's? Its signature is the base64 of an HMAC over the address as Twilio knows it and every
//! form field, sorted (twilio.com/docs/usage/security). Pure, in constant time where it compares, one small allocation.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub const SIGNATURE_HEADER: &str = "X-Twilio-Signature";
/// `key=<id>,algorithm=HMAC_SHA256` when the account signs with a shared key instead of its auth token.
pub const SIGNATURE_SETTINGS_HEADER: &str = "X-Twilio-Webhooks-Signature-Settings";

/// The address that was called, as Twilio has it: the public base from the settings (never the request's Host, which
/// anyone can write) and the request's own path and query, not normalised.
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    /// `https://desk.example` or `https://desk.example:8443`, without a path; one `/` at its end is overlooked.
    pub base: &'a str,
    /// `/twilio/sms` or `/twilio/sms?x=1`.
    pub path_and_query: &'a str,
}

/// The headers that prove it, as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Proof<'a> {
    pub signature: &'a str,
    pub settings: Option<&'a str>,
}

/// The account's signing keys, prepared once; a check costs about as much as hashing the form.
#[derive(Clone)]
pub struct Signer {
    token: Hmac<Sha1>,
    shared: Option<Hmac<Sha256>>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

fn keyed<M: KeyInit>(secret: &SecretString) -> M {
    M::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes a key of any length")
}

impl Signer {
    pub fn new(auth_token: &SecretString) -> Self {
        Self { token: keyed(auth_token), shared: None }
    }

    /// Accepts the SHA-256 signature made with this shared key as well.
    pub fn with_shared_key(mut self, key: &SecretString) -> Self {
        self.shared = Some(keyed(key));
        self
    }

    /// What Twilio would put into its header for a form post of `fields` to `address`.
    pub fn sign_form(&self, address: &str, fields: &[(&str, &str)]) -> String {
        let mut sorted = fields.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut mac = self.token.clone();
        mac.update(address.as_bytes());
        for part in sorted.iter().flat_map(|(name, value)| [name, value]) {
            mac.update(part.as_bytes());
        }
        STANDARD.encode(mac.finalize().into_bytes())
    }

    /// A form post: `pairs` are its fields in any order, decoded, nothing trimmed, nothing left out.
    pub fn verify_form<K: AsRef<str>, V: AsRef<str>>(
        &self,
        called: Called<'_>,
        pairs: &[(K, V)],
        proof: Proof<'_>,
    ) -> bool {
        let mut sorted: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_ref(), v.as_ref())).collect();
        sorted.sort_unstable();
        sorted.dedup();
        self.verify_sorted(called, &sorted, proof)
    }

    /// Any other post: the address carries `bodySHA256`, and the signature covers the address alone.
    pub fn verify_body(&self, called: Called<'_>, body: &[u8], proof: Proof<'_>) -> bool {
        let query = called.path_and_query.split_once('?').map_or("", |(_, query)| query);
        let Some((_, said)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "bodySHA256") else {
            return false;
        };
        let is_hash = said.as_bytes().ct_eq(hex(&Sha256::digest(body)).as_bytes());
        bool::from(is_hash) && self.verify_sorted(called, &[], proof)
    }

    fn verify_sorted(&self, called: Called<'_>, sorted: &[(&str, &str)], proof: Proof<'_>) -> bool {
        match algorithm(proof.settings.unwrap_or_default()) {
            Algorithm::Token => any_port(&self.token, called, sorted, proof.signature),
            Algorithm::Shared => self.shared.as_ref().is_some_and(|key| any_port(key, called, sorted, proof.signature)),
            Algorithm::Unknown => false,
        }
    }
}

/// One check without a prepared [`Signer`].
pub fn verify<K: AsRef<str>, V: AsRef<str>>(
    auth_token: &SecretString,
    called: Called<'_>,
    pairs: &[(K, V)],
    proof: Proof<'_>,
) -> bool {
    Signer::new(auth_token).verify_form(called, pairs, proof)
}

enum Algorithm {
    Token,
    Shared,
    Unknown,
}

fn algorithm(settings: &str) -> Algorithm {
    let named = settings.split(',').filter_map(|part| part.split_once('=')).find_map(|(name, value)| {
        let value = value.trim();
        (name.trim() == "algorithm" && !value.is_empty()).then_some(value)
    });
    match named {
        None => Algorithm::Token,
        Some(name) if name.eq_ignore_ascii_case("HMAC_SHA1") => Algorithm::Token,
        Some(name) if name.eq_ignore_ascii_case("HMAC_SHA256") => Algorithm::Shared,
        Some(_) => Algorithm::Unknown,
    }
}

/// Twilio signs the address sometimes with and sometimes without its port; either proves it.
fn any_port<M: Mac + Clone>(key: &M, called: Called<'_>, sorted: &[(&str, &str)], signature: &str) -> bool {
    // 32 bytes are the longest signature; the decoder wants room for what the length could mean.
    let mut room = [0; 48];
    let Some(claimed) = STANDARD.decode_slice(signature, &mut room).ok().map(|n| &room[..n]) else {
        return false;
    };
    let Some((scheme, authority)) = called.base.trim_end_matches('/').split_once("://") else {
        return false;
    };
    let (host, port) = split_port(authority);
    let usual = if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" };
    let holds = |port: Option<&str>| {
        let mut mac = key.clone();
        for part in [scheme, "://", host] {
            mac.update(part.as_bytes());
        }
        if let Some(port) = port {
            mac.update(b":");
            mac.update(port.as_bytes());
        }
        mac.update(called.path_and_query.as_bytes());
        for (name, value) in sorted {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        mac.verify_slice(claimed).is_ok()
    };
    holds(None) || holds(Some(port.unwrap_or(usual)))
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: Called<'_> = Called { base: "https://example.com", path_and_query: "/myapp.php?foo=1&bar=2" };

    /// The example of Twilio's own documentation and helper libraries.
    fn documented() -> (Signer, Vec<(&'static str, &'static str)>) {
        let fields = [
            ("Digits", "1234"),
            ("To", "+18005551212"),
            ("From", "+14158675309"),
            ("Caller", "+14158675309"),
            ("CallSid", "CA1234567890ABCDE"),
        ];
        (Signer::new(&"12345".into()), fields.to_vec())
    }

    fn proof(signature: &str) -> Proof<'_> {
        Proof { signature, settings: None }
    }

    fn signed(signer: &Signer, called: Called<'_>, mut pairs: Vec<(String, String)>) -> String {
        pairs.sort();
        pairs.dedup();
        let mut mac = signer.token.clone();
        mac.update(called.base.as_bytes());
        mac.update(called.path_and_query.as_bytes());
        pairs.iter().for_each(|(k, v)| mac.update(format!("{k}{v}").as_bytes()));
        STANDARD.encode(mac.finalize().into_bytes())
    }

    #[test]
    fn the_documented_example_holds_and_a_changed_field_does_not() {
        let (signer, mut fields) = documented();
        let called = Called { base: "https://mycompany.com", ..BASE };
        let documented = proof("RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        assert!(signer.verify_form(called, &fields, documented));
        assert!(signer.verify_form(Called { base: "https://mycompany.com/", ..called }, &fields, documented));
        assert!(!Signer::new(&"12346".into()).verify_form(called, &fields, documented));
        assert!(!signer.verify_form(Called { base: "https://mycompany.org", ..called }, &fields, documented));
        fields[0].1 = "1235";
        assert!(!signer.verify_form(called, &fields, documented));
    }

    #[test]
    fn an_unknown_algorithm_or_an_absent_shared_key_proves_nothing() {
        let (signer, fields) = documented();
        let called = Called { base: "https://mycompany.com", ..BASE };
        for settings in ["algorithm=HMAC_SHA256", "key=k,algorithm=NONE", "algorithm=none"] {
            let proof = Proof { signature: "RSOYDt4T1cUTdK1PDd93/VVr8B8=", settings: Some(settings) };
            assert!(!signer.verify_form(called, &fields, proof), "{settings}");
        }
    }

    proptest! {
        #[test]
        fn what_twilio_signs_holds_in_any_order_with_and_without_its_port(
            mut pairs in proptest::collection::vec(("\\PC{0,12}", "\\PC{0,40}"), 0..25),
            port in proptest::option::of(1u16..),
        ) {
            let signer = Signer::new(&"token".into());
            let plain = signed(&signer, BASE, pairs.clone());
            let with_port = port.map(|p| format!("https://example.com:{p}"));
            let with_port = with_port.as_deref().unwrap_or("https://example.com:443");
            let ported = signed(&signer, Called { base: with_port, ..BASE }, pairs.clone());
            pairs.reverse();
            let configured = Called { base: with_port, ..BASE };
            prop_assert!(signer.verify_form(configured, &pairs, proof(&plain)));
            prop_assert!(signer.verify_form(configured, &pairs, proof(&ported)));
        }

        #[test]
        fn no_random_header_is_accepted_and_none_panics(signature in "[A-Za-z0-9+/=]{0,80}|\\PC{0,80}", base in "\\PC{0,20}", settings in "\\PC{0,30}") {
            let signer = Signer::new(&"token".into()).with_shared_key(&"other".into());
            let called = Called { base: &base, path_and_query: "/x" };
            let proof = Proof { signature: &signature, settings: Some(&settings) };
            prop_assert!(!signer.verify_form::<&str, &str>(called, &[], proof));
            prop_assert!(!signer.verify_body(called, b"[]", proof));
        }
    }
}
