//! The CA that phones on the local network learn to trust, and the certificates it gives this computer.
//!
//! Whoever held the CA's key could pose as any site to a phone that trusts it, so the certificate itself forbids that: it
//! vouches for `.local` names and private addresses and nothing else (name constraints, RFC 5280 4.2.1.10).

use crate::error::Error;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData,
};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};
use time::OffsetDateTime;

const DAY: Duration = Duration::from_secs(86_400);
/// A phone should not have to learn a new CA.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3650);
/// Apple refuses server certificates of more than 398 days (825 for a CA installed by hand).
const LEAF_LIFE: Duration = DAY.saturating_mul(396);
/// A phone's clock may be behind.
const GRACE: Duration = Duration::from_secs(3600);
/// Time enough to be renewed by a computer that is seldom on.
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);
/// Private, shared (RFC 6598, as Tailscale's), link-local and loopback networks.
pub(crate) const PRIVATE: [(&str, u8); 9] = [
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("100.64.0.0", 10),
    ("169.254.0.0", 16),
    ("127.0.0.0", 8),
    ("fc00::", 7),
    ("fe80::", 10),
    ("::1", 128),
];

/// A CA with its key. The key is for the keychain; nothing here writes it anywhere.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    certificate: CertificateDer<'static>,
    key_pem: SecretString,
    expires: SystemTime,
}

impl Authority {
    /// A new one. `name` is this computer's, for the list of trusted CAs on a phone.
    ///
    /// # Errors
    /// [`Error::Certificate`] when no key can be made.
    pub fn create(name: &str, now: SystemTime) -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name.push(DnType::CommonName, format!("Lanyard on {name}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(only_here());
        params.not_before = OffsetDateTime::from(now - GRACE);
        params.not_after = OffsetDateTime::from(now + AUTHORITY_LIFE);
        let key = KeyPair::generate()?;
        let certificate_pem = params.self_signed(&key)?.pem();
        Self::load(&certificate_pem, &key.serialize_pem().into())
    }

    /// The one that was kept.
    ///
    /// # Errors
    /// [`Error::Certificate`] or [`Error::BadAuthority`] when the two are not a CA and its key.
    pub fn load(certificate_pem: &str, key_pem: &SecretString) -> Result<Self, Error> {
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes());
        let certificate = certificate.map_err(|_| Error::BadAuthority("not a certificate"))?;
        let key = KeyPair::from_pem(key_pem.expose_secret())?;
        let expires = {
            let parsed = x509_parser::parse_x509_certificate(&certificate);
            let (_, read) = parsed.map_err(|_| Error::BadAuthority("not a certificate"))?;
            if read.public_key().raw != key.subject_public_key_info() || !read.is_ca() {
                return Err(Error::BadAuthority("not a CA with this key"));
            }
            let seconds = u64::try_from(read.validity().not_after.timestamp()).unwrap_or_default();
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
        };
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { issuer, certificate_pem: certificate_pem.to_owned(), certificate, key_pem: key_pem.clone(), expires })
    }

    /// What a phone installs, and what may be kept anywhere.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The same as phones take it for a download.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// PKCS #8 in PEM, for the keychain.
    pub fn key_pem(&self) -> &SecretString {
        &self.key_pem
    }

    /// When phones stop trusting it; make a new one before.
    pub fn expires(&self) -> SystemTime {
        self.expires
    }

    /// SHA-256 of the certificate, 64 hex digits, as phones show it.
    pub fn fingerprint(&self) -> String {
        Sha256::digest(&self.certificate).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A certificate for this computer under these names. Its key is new and lives as long as this value.
    pub(crate) fn issue(&self, host: &str, addresses: &BTreeSet<IpAddr>, now: SystemTime) -> Result<Leaf, Error> {
        let names = [host.to_owned(), "localhost".to_owned()].into_iter();
        let names: Vec<String> = names.chain(addresses.iter().map(IpAddr::to_string)).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, host);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let expires = (now + LEAF_LIFE).min(self.expires);
        params.not_before = OffsetDateTime::from(now - GRACE);
        params.not_after = OffsetDateTime::from(expires);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key =
            PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| Error::BadAuthority("a key without form"))?;
        let key = ring::sign::any_supported_type(&key)?;
        let served = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        Ok(Leaf { served, addresses: addresses.clone(), expires })
    }
}

fn only_here() -> NameConstraints {
    let names = ["local", "localhost"].map(|name| GeneralSubtree::DnsName(name.to_owned()));
    let network = |(address, prefix): &(&str, u8)| {
        let address: Option<IpAddr> = address.parse().ok();
        address.map(|address| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, *prefix)))
    };
    let permitted_subtrees = names.into_iter().chain(PRIVATE.iter().filter_map(network)).collect();
    NameConstraints { permitted_subtrees, excluded_subtrees: vec![] }
}

/// What the door shows: a certificate with its key, for these addresses, until then.
pub(crate) struct Leaf {
    pub(crate) served: Arc<CertifiedKey>,
    pub(crate) addresses: BTreeSet<IpAddr>,
    pub(crate) expires: SystemTime,
}

impl Leaf {
    /// Whether another should take its place: it runs out within a month, or the computer has moved.
    pub(crate) fn is_stale(&self, addresses: &BTreeSet<IpAddr>, now: SystemTime) -> bool {
        self.addresses != *addresses || now + RENEW_BEFORE > self.expires
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> BTreeSet<IpAddr> {
        list.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn a_kept_authority_is_the_same_and_a_wrong_key_is_refused() {
        let now = SystemTime::now();
        let made = Authority::create("desk", now).unwrap();
        let kept = Authority::load(made.certificate_pem(), made.key_pem()).unwrap();
        assert_eq!((kept.fingerprint(), kept.expires()), (made.fingerprint(), made.expires()));
        let years = made.expires().duration_since(now).unwrap().as_secs() / 86_400;
        assert!((3649..=3650).contains(&years));
        let other = Authority::create("other", now).unwrap();
        assert!(matches!(Authority::load(made.certificate_pem(), other.key_pem()), Err(Error::BadAuthority(_))));
        assert!(Authority::load("", made.key_pem()).is_err());
    }

    #[test]
    fn a_leaf_lasts_at_most_397_days_and_is_stale_a_month_before_or_elsewhere() {
        let now = SystemTime::now();
        let authority = Authority::create("desk", now).unwrap();
        let here = addresses(&["192.168.1.20"]);
        let leaf = authority.issue("desk.local", &here, now).unwrap();
        let (_, read) = x509_parser::parse_x509_certificate(&leaf.served.cert[0]).unwrap();
        let span = read.validity().not_after.timestamp() - read.validity().not_before.timestamp();
        assert!(span <= 397 * 86_400, "{span} s");
        assert!(!leaf.is_stale(&here, now));
        assert!(!leaf.is_stale(&here, now + DAY * 365));
        assert!(leaf.is_stale(&here, now + DAY * 367));
        assert!(leaf.is_stale(&addresses(&["192.168.1.21"]), now));
    }

    #[test]
    fn two_leaves_have_two_serial_numbers() {
        let now = SystemTime::now();
        let authority = Authority::create("desk", now).unwrap();
        let serial = || {
            let leaf = authority.issue("desk.local", &addresses(&[]), now).unwrap();
            let (_, read) = x509_parser::parse_x509_certificate(&leaf.served.cert[0]).unwrap();
            read.raw_serial().to_vec()
        };
        assert_ne!(serial(), serial());
    }
}
