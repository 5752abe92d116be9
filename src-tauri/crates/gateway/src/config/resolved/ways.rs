//! How this computer is reached: its public address, the tunnel, the local network.

use super::{Refused, wrong};
use crate::config::written;
use std::{net::SocketAddr, time::Duration};
use url::Url;

#[derive(Clone, Debug, Default)]
pub struct TunnelSettings {
    /// Unless the owner has switched it since.
    pub enabled: bool,
    pub domain: Option<String>,
    pub set_webhook: bool,
    /// Another edge than ngrok's, with the CA that vouches for it (PEM).
    pub edge: Option<String>,
    pub roots: Option<String>,
    /// Where its public side is. No file can say this.
    pub resolve: Vec<(String, SocketAddr)>,
}

impl TunnelSettings {
    pub(super) fn new(written: &written::Tunnel) -> Result<Self, Refused> {
        let named = |key: &str| Some(key.trim().to_owned()).filter(|key| !key.is_empty());
        let roots = named(&written.edge_ca).map(std::fs::read_to_string).transpose().map_err(|e| {
            wrong(
                "tunnel.edge_ca",
                e,
                "Name a file with the CA's certificate in PEM, or leave it empty for ngrok's own.",
            )
        })?;
        let (domain, edge) = (named(&written.domain), named(&written.edge));
        let (enabled, set_webhook) = (written.enabled, written.set_webhook);
        Ok(Self { enabled, domain, set_webhook, edge, roots, resolve: Vec::new() })
    }

    /// Who asks the public address as somebody outside would.
    pub fn visitor(&self) -> accounts::reach::Visitor {
        accounts::reach::Visitor { roots: self.roots.clone(), resolve: self.resolve.clone() }
    }
}

/// The door on the local network.
#[derive(Clone, Debug)]
pub struct LanSettings {
    /// Unless the owner has switched it since.
    pub enabled: bool,
    /// 0: a free one.
    pub port: u16,
    pub name: String,
    /// Another network than the one this computer is in, another haste, another clock. No file can say these.
    pub reach: tunnel::Reach,
    pub tick: Duration,
    pub wall: tunnel::clock::Wall,
}

impl LanSettings {
    pub(super) fn new(written: &written::Lan) -> Result<Self, Refused> {
        let name = match written.name.trim() {
            "" => own_name(),
            name => name.to_owned(),
        };
        if name.len() > NAME || name.chars().any(char::is_control) {
            let why = format!("a name has at most {NAME} bytes, all of them letters");
            return Err(wrong("lan.name", why, "Write a shorter one, as in desk, or none for this computer's own."));
        }
        Ok(Self {
            enabled: written.enabled,
            port: written.port,
            name,
            reach: tunnel::Reach::Network,
            tick: Duration::from_secs(5),
            wall: tunnel::clock::Wall::default(),
        })
    }
}

/// What fits an announcement (63 bytes) and a certificate's subject (64 characters) with our own words around it.
const NAME: usize = 50;

/// The computer's own, without its domain.
fn own_name() -> String {
    let node = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name: String = node.split('.').next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    name.char_indices().take_while(|(at, c)| at + c.len_utf8() <= NAME).map(|(_, c)| c).collect()
}

pub(super) fn public_url(written: &str) -> Result<Option<String>, Refused> {
    if written.is_empty() {
        return Ok(None);
    }
    let suggestion = "Write it as Twilio has it, as in https://name.example.com, without a path.";
    let url = Url::parse(written).map_err(|e| wrong("server.public_url", e, suggestion))?;
    let plain = matches!(url.scheme(), "https" | "http") && url.query().is_none() && url.fragment().is_none();
    if !plain || url.path() != "/" {
        return Err(wrong("server.public_url", "it must be a scheme and a host alone", suggestion));
    }
    Ok(Some(written.trim_end_matches('/').to_owned()))
}
