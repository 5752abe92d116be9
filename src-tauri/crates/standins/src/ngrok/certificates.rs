//! A CA made for one stand-in, and a certificate for whatever name a client asks for.

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::PrivateKeyDer,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

const LOOPBACK: &str = "127.0.0.1";
/// Also this computer, but none that a sandbox takes for itself.
pub(crate) const SECOND: &str = "127.0.0.2";

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    fn certify(&self, name: &str) -> anyhow::Result<CertifiedKey> {
        // Whoever asks for an address sends no name (npm sends `localhost`): one certificate is for all that are this computer.
        let names = match name {
            LOOPBACK | "localhost" => ["localhost", LOOPBACK, SECOND].map(str::to_owned).to_vec(),
            name => vec![name.to_owned()],
        };
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let key = ring::sign::any_supported_type(&key).context("a key of ours is one ring knows")?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
    }

    /// TLS with a certificate for the name asked for (127.0.0.1 where none is: addresses are not sent as names).
    pub(crate) fn server(self: &Arc<Self>, protocols: &[&str]) -> anyhow::Result<Arc<ServerConfig>> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut config =
            config.with_cert_resolver(Arc::new(ByName { authority: self.clone(), made: Mutex::default() }));
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }
}

struct ByName {
    authority: Arc<Authority>,
    made: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for ByName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByName")
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or(LOOPBACK);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.contains_key(name) {
            made.insert(name.to_owned(), Arc::new(self.authority.certify(name).ok()?));
        }
        made.get(name).cloned()
    }
}
