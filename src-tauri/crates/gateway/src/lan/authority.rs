//! The CA of the local network, made once and kept with the owner's secrets: key and certificate as one, so that neither is
//! ever without the other. One that could not be kept is not used, or every start would ask something new of every phone.

use crate::secrets::Secrets;
use accounts::keychain::{Account, KeychainError};
use domain::{Code, Problem};
use secrecy::{ExposeSecret, SecretString};
use std::time::SystemTime;
use tunnel::Authority;

/// Where the key ends and the certificate begins.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// The one that is kept, or a new one that is kept from now on.
///
/// # Errors
/// `KEYCHAIN_UNAVAILABLE` when it cannot be read or kept, `LAN_CERTIFICATE` when what is kept is none or has run out.
pub async fn kept_or_made(secrets: &Secrets, name: &str, now: SystemTime) -> Result<Authority, Problem> {
    match secrets.get(Account::Lan).await {
        Ok(kept) => read(&kept, now),
        Err(KeychainError::Missing { .. }) => {
            let made = Authority::create(name, now).map_err(|e| Problem::with_detail(e.code(), e))?;
            secrets.keep(Account::Lan, &written(&made)).await.map_err(|e| unusable(&e))?;
            Ok(made)
        }
        Err(e) => Err(unusable(&e)),
    }
}

fn written(authority: &Authority) -> SecretString {
    format!("{}{}", authority.key_pem().expose_secret(), authority.certificate_pem()).into()
}

fn read(kept: &SecretString, now: SystemTime) -> Result<Authority, Problem> {
    let both = kept.expose_secret();
    let (key, certificate) = both.split_at(both.find(CERTIFICATE).unwrap_or(both.len()));
    let authority = Authority::load(certificate, &key.into()).map_err(|_| Problem::from(Code::LanCertificate))?;
    if authority.expires() <= now {
        return Err(Problem::with_detail(Code::LanCertificate, "It has run out."));
    }
    Ok(authority)
}

fn unusable(e: &KeychainError) -> Problem {
    e.problem(Account::Lan)
        .suggest("Unlock the keychain, or name a file of mode 0600 under [secrets] in the config; then lanyard lan on.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_kept_is_read_back_and_nothing_else_is_taken() {
        let now = SystemTime::now();
        let made = Authority::create(&"x".repeat(50), now).unwrap();
        let kept = written(&made);
        let again = read(&kept, now).unwrap();
        assert_eq!(again.fingerprint(), made.fingerprint());
        assert!(!again.certificate_pem().contains("PRIVATE"), "what phones get holds no key");
        let ten_years = Duration::from_secs(3651 * 86_400);
        assert_eq!(read(&kept, now + ten_years).err().unwrap().code, Code::LanCertificate);
        for wrong in ["", "nonsense", made.certificate_pem(), made.key_pem().expose_secret()] {
            let why = read(&wrong.into(), now).err().unwrap();
            assert_eq!(why.code, Code::LanCertificate);
            assert!(why.suggestion.contains("remove-key lan"));
        }
    }

    #[test]
    fn it_fits_what_a_keychain_takes() {
        let made = Authority::create(&"x".repeat(50), SystemTime::now()).unwrap();
        // Windows: 2560 bytes of UTF-16 (CRED_MAX_CREDENTIAL_BLOB_SIZE).
        assert!(written(&made).expose_secret().len() <= 1280, "{}", written(&made).expose_secret().len());
    }
}
