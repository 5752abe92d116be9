//! A key like the one releases are signed with.

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};
use std::{fs, path::Path};

pub struct MakersKey {
    public: PublicKey,
    secret: SecretKey,
}

impl MakersKey {
    /// # Errors
    /// As the random source's.
    pub fn new() -> anyhow::Result<Self> {
        let KeyPair { pk, sk } = KeyPair::generate_unencrypted_keypair()?;
        Ok(Self { public: pk, secret: sk })
    }

    /// The same one each time, kept in this file: what was built with it need not be built again.
    ///
    /// # Errors
    /// If the file holds something else.
    pub fn kept_at(file: &Path) -> anyhow::Result<Self> {
        if let Ok(kept) = fs::read_to_string(file) {
            let secret = SecretKeyBox::from_string(&kept)?.into_unencrypted_secret_key()?;
            return Ok(Self { public: PublicKey::from_secret_key(&secret)?, secret });
        }
        let key = Self::new()?;
        let folder = file.parent().context("a file lies in a folder")?;
        fs::create_dir_all(folder)?;
        // Another test may do the same now: the first one's stays.
        let half = tempfile::NamedTempFile::new_in(folder)?;
        fs::write(half.path(), key.secret.to_box(None)?.into_string())?;
        match half.persist_noclobber(file) {
            Ok(_) => Ok(key),
            Err(_) => Self::kept_at(file),
        }
    }

    /// As `tauri signer generate` writes it, with an empty password.
    ///
    /// # Errors
    /// If it is no such key.
    pub fn of_bundler(text: &str) -> anyhow::Result<Self> {
        let text = String::from_utf8(BASE64_STANDARD.decode(text.trim())?)?;
        let secret = SecretKeyBox::from_string(&text)?.into_secret_key(Some(String::new()))?;
        Ok(Self { public: PublicKey::from_secret_key(&secret)?, secret })
    }

    /// As `plugins.updater.pubkey` has it.
    ///
    /// # Errors
    /// None that is known.
    pub fn public(&self) -> anyhow::Result<String> {
        Ok(BASE64_STANDARD.encode(self.public.to_box()?.into_string()))
    }

    /// As the signature of a list of updates has it, for `version` if that is named.
    ///
    /// # Errors
    /// None that is known.
    pub fn sign(&self, bytes: &[u8], version: Option<&str>) -> anyhow::Result<String> {
        let comment = match version {
            Some(version) => format!("timestamp:1\tfile:lanyard\tversion:{version}"),
            None => "timestamp:1\tfile:lanyard".to_owned(),
        };
        let signature = minisign::sign(Some(&self.public), &self.secret, bytes, Some(&comment), None)?;
        Ok(BASE64_STANDARD.encode(signature.into_string()))
    }
}
