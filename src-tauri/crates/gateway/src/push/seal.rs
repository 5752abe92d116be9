//! Encrypts a push for one browser (RFC 8291, `aes128gcm` of RFC 8188), so that its push service reads nothing.

use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    rand::{SecureRandom, SystemRandom},
};

/// What may be sealed: push services take 4096 bytes (RFC 8030), of which the head takes 86, the end mark 1 and the tag 16.
pub const MOST: usize = 4096 - 86 - 1 - 16;
/// The one record is at most this long.
const RECORD: u32 = 4096;
/// Stands behind the words of the last record.
const END: u8 = 2;

/// Bytes asked of a key derivation.
#[derive(Clone, Copy)]
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// The body of a push. `browser` is the browser's point on P-256, `auth` what it shares with us.
///
/// # Errors
/// If `browser` is no such point.
pub fn seal(words: &[u8], browser: &[u8], auth: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let own_public = own.compute_public_key()?;
    let mut salt = [0; 16];
    random.fill(&mut salt)?;
    let browser_key = UnparsedPublicKey::new(&ECDH_P256, browser);
    let info = [b"WebPush: info\0", browser, own_public.as_ref()].concat();
    let shared = agree_ephemeral(own, &browser_key, |secret| {
        derive::<32>(&Salt::new(HKDF_SHA256, auth).extract(secret), &info)
    })??;
    let from = Salt::new(HKDF_SHA256, &salt).extract(&shared);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &derive::<16>(&from, b"Content-Encoding: aes128gcm\0")?)?);
    let nonce = Nonce::assume_unique_for_key(derive(&from, b"Content-Encoding: nonce\0")?);
    let mut sealed = [words, &[END]].concat();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed)?;
    let point = own_public.as_ref();
    let head = [&salt[..], &RECORD.to_be_bytes(), &[point.len() as u8], point].concat();
    Ok([head, sealed].concat())
}

fn derive<const N: usize>(from: &Prk, info: &[u8]) -> Result<[u8; N], Unspecified> {
    let mut key = [0; N];
    from.expand(&[info], Bytes(N))?.fill(&mut key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_push_is_as_long_as_services_take_and_a_bad_point_is_refused() {
        let browser = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
        let point = browser.compute_public_key().unwrap();
        let sealed = seal(&vec![b'x'; MOST], point.as_ref(), &[7; 16]).unwrap();
        assert_eq!(sealed.len(), 4096);
        assert!(!sealed.windows(4).any(|w| w == b"xxxx"));
        for bad in [&[4; 65][..], b"", &point.as_ref()[1..]] {
            assert!(seal(b"x", bad, &[7; 16]).is_err());
        }
    }
}
