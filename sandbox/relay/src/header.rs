//! The first bytes of a stream: version, kind, port (4 bytes, big endian), and the one byte that answers them.

use std::io;

const VERSION: u8 = 1;

/// Which way a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From inside the sandbox to the egress door. The port is the one it was accepted on.
    Out,
    /// From the gateway to 127.0.0.1 inside the sandbox, at the port.
    In,
}

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub port: u16,
}

impl Header {
    pub(crate) const LEN: usize = 4;

    pub(crate) fn bytes(self) -> [u8; Self::LEN] {
        let [high, low] = self.port.to_be_bytes();
        let kind = match self.kind {
            Kind::Out => 1,
            Kind::In => 2,
        };
        [VERSION, kind, high, low]
    }

    /// Fails with [`io::ErrorKind::InvalidData`] for another version or an unknown kind.
    pub(crate) fn parse([version, kind, high, low]: [u8; Self::LEN]) -> io::Result<Self> {
        let kind = match (version, kind) {
            (VERSION, 1) => Kind::Out,
            (VERSION, 2) => Kind::In,
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "not a relay header of this version")),
        };
        Ok(Self { kind, port: u16::from_be_bytes([high, low]) })
    }
}

/// Whether the far side took a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Taken,
    /// Nothing listens at the port.
    Refused,
    /// Another version, a kind this side does not serve, or no time.
    Unserved,
}

impl Answer {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Answer::Taken => 0,
            Answer::Refused => 1,
            Answer::Unserved => 2,
        }
    }

    pub(crate) fn check(byte: u8) -> io::Result<()> {
        match byte {
            0 => Ok(()),
            1 => Err(io::Error::new(io::ErrorKind::ConnectionRefused, "nothing listens at this port in the sandbox")),
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, "the far side of the relay does not serve this")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_header_is_read_as_it_was_written(port: u16, out: bool) {
            let header = Header { kind: if out { Kind::Out } else { Kind::In }, port };
            prop_assert_eq!(Header::parse(header.bytes()).unwrap(), header);
        }

        #[test]
        fn any_four_bytes_are_a_header_or_refused(bytes: [u8; 4]) {
            if let Ok(header) = Header::parse(bytes) {
                prop_assert_eq!(header.bytes(), bytes);
            }
        }
    }
}
