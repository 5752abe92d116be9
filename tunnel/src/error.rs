//! Why a call into this room failed.

use domain::{Code, Problem};
use std::{io, net::SocketAddr, time::Duration};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no ngrok authtoken")]
    NoToken,
    /// The domain or the edge's address cannot be used as written.
    #[error("{0:?} is not a host name")]
    BadHost(String),
    #[error("the CA given for ngrok's edge cannot be read")]
    BadRoots,
    /// Links were still closing when the deadline came; they close by themselves.
    #[error("the tunnel was not closed within {0:?}")]
    StillClosing(Duration),
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The kept certificate is not one, or its key is another's.
    #[error("the kept CA cannot be used: {0}")]
    BadAuthority(&'static str),
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("this computer's addresses cannot be listed")]
    Addresses(#[source] io::Error),
    #[error("{at} cannot be listened on")]
    Listen {
        at: SocketAddr,
        #[source]
        cause: io::Error,
    },
    #[error("announcing on the local network: {0}")]
    Announce(#[from] mdns_sd::Error),
    #[error("{0} bytes are too many for a QR code")]
    TooLongForQr(usize),
    #[error("the picture could not be written: {0}")]
    Picture(#[from] image::ImageError),
}

impl Error {
    pub fn code(&self) -> Code {
        match self {
            Error::NoToken => Code::TunnelNoToken,
            Error::BadHost(_) | Error::BadRoots => Code::ConfigInvalid,
            Error::StillClosing(_) | Error::Picture(_) => Code::Internal,
            Error::Certificate(_) | Error::BadAuthority(_) | Error::Tls(_) => Code::LanCertificate,
            Error::Addresses(_) | Error::Announce(_) => Code::LanUnavailable,
            Error::Listen { cause, .. } if cause.kind() == io::ErrorKind::AddrInUse => Code::PortTaken,
            Error::Listen { .. } => Code::LanUnavailable,
            Error::TooLongForQr(_) => Code::TooLarge,
        }
    }

    /// As a person reads it.
    pub fn problem(&self) -> Problem {
        match self {
            Error::BadHost(host) => Problem::with_detail(self.code(), format!("Not a host name: {host}.")),
            Error::Listen { at, .. } => Problem::with_detail(self.code(), format!("It is {at}.")),
            _ => self.code().into(),
        }
    }
}
