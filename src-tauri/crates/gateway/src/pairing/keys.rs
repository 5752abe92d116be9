//! A phone's public key (P-256), as WebCrypto exports it, and its signatures as WebCrypto's `sign` gives them.

use crate::wire::PublicKey;
use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ring::{
    agreement,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);

/// What stands before the point in every SubjectPublicKeyInfo of an uncompressed P-256 key (RFC 5480).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A point on P-256, uncompressed: `04 || x || y`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneKey(Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("public_key must be an ECDSA key on P-256, as JWK or as SPKI in Base64")]
pub struct BadKey;

impl PhoneKey {
    /// # Errors
    /// [`BadKey`] for anything that is not a point on that curve.
    pub fn read(key: &PublicKey) -> Result<Self, BadKey> {
        let point = match key {
            PublicKey::Jwk(jwk) if jwk.kty == "EC" && jwk.crv == "P-256" => {
                let (x, y) = (coordinate(&jwk.x)?, coordinate(&jwk.y)?);
                [vec![4], x, y].concat()
            }
            PublicKey::Jwk(_) => return Err(BadKey),
            PublicKey::Spki(text) => {
                let der = decode(text).ok_or(BadKey)?;
                der.strip_prefix(&SPKI).ok_or(BadKey)?.to_vec()
            }
        };
        Self::is_on_curve(&point).then_some(Self(point)).ok_or(BadKey)
    }

    /// An agreement with a throw-away key is what makes `ring` look whether the point is on the curve.
    pub fn is_on_curve(point: &[u8]) -> bool {
        let Ok(own) = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &SystemRandom::new()) else {
            return false;
        };
        let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point);
        agreement::agree_ephemeral(own, &peer, |_| ()).is_ok()
    }

    /// As it was kept.
    pub fn kept(point: Vec<u8>) -> Self {
        Self(point)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `signature` (Base64 of the 64 bytes `r || s`) is this key's over `message`.
    pub fn signed(&self, message: &str, signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0);
        decode(signature).is_some_and(|signature| key.verify(message.as_bytes(), &signature).is_ok())
    }
}

fn coordinate(text: &str) -> Result<Vec<u8>, BadKey> {
    decode(text).filter(|bytes| bytes.len() == 32).ok_or(BadKey)
}

/// Base64 of either alphabet, padded or not: browsers, JWK and PEM each have their own.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL.decode(text).or_else(|_| STANDARD.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Jwk;
    use base64::engine::general_purpose::{STANDARD as PADDED, URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

    fn pair() -> EcdsaKeyPair {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
    }

    fn jwk(point: &[u8]) -> PublicKey {
        let word = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        PublicKey::Jwk(Jwk { kty: "EC".into(), crv: "P-256".into(), x: word(&point[1..33]), y: word(&point[33..]) })
    }

    #[test]
    fn both_forms_of_a_key_check_its_signatures() {
        let pair = pair();
        let point = pair.public_key().as_ref();
        let spki = PublicKey::Spki(PADDED.encode([&SPKI[..], point].concat()));
        let signature = pair.sign(&SystemRandom::new(), b"words").unwrap();
        for key in [jwk(point), spki] {
            let key = PhoneKey::read(&key).unwrap();
            assert!(key.signed("words", &PADDED.encode(signature)));
            assert!(key.signed("words", &URL_SAFE_NO_PAD.encode(signature)));
            assert!(!key.signed("other words", &PADDED.encode(signature)));
            assert!(!key.signed("words", ""));
        }
    }

    #[test]
    fn what_is_no_point_on_the_curve_is_no_key() {
        let mut point = pair().public_key().as_ref().to_vec();
        point[64] ^= 1;
        assert_eq!(PhoneKey::read(&jwk(&point)), Err(BadKey));
        assert_eq!(PhoneKey::read(&jwk(&[4; 65])), Err(BadKey));
        let rsa = Jwk { kty: "RSA".into(), crv: "P-256".into(), x: String::new(), y: String::new() };
        assert_eq!(PhoneKey::read(&PublicKey::Jwk(rsa)), Err(BadKey));
    }

    proptest! {
        #[test]
        fn nothing_made_up_is_a_key(text in ".{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            prop_assert_eq!(PhoneKey::read(&PublicKey::Spki(text)), Err(BadKey));
            prop_assert_eq!(PhoneKey::read(&PublicKey::Spki(PADDED.encode(bytes))), Err(BadKey));
        }
    }
}
