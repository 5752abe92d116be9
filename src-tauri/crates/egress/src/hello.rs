//! A tunnel's first words. Behind one address of a large host live thousands of others, and the name in the TLS hello
//! chooses among them: a tunnel to an allowed name must not ask for another. What is no TLS passes as it is.

use rustls::server::Acceptor;
use std::{
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A hello with post-quantum keys and tickets is about 2 KB.
const LARGEST: usize = 64 << 10;
const TLS_HANDSHAKE: u8 = 0x16;

/// The inner stream of a tunnel to `host`, whose first bytes are held back until the hello in them is whole.
pub(crate) struct Hello<S> {
    inner: S,
    host: String,
    state: State,
    refused: Arc<AtomicBool>,
}

enum State {
    Holding(Vec<u8>),
    Releasing(Vec<u8>, usize),
    Open,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    More,
    Pass,
    Refuse,
}

impl<S> Hello<S> {
    /// `refused` is set when the stream names another host; reading then fails.
    pub fn new(inner: S, host: String, refused: Arc<AtomicBool>) -> Self {
        Self { inner, host, state: State::Holding(Vec::new()), refused }
    }
}

/// Judges what has come so far.
fn judge(bytes: &[u8], host: &str) -> Verdict {
    match bytes.first() {
        None => return Verdict::More,
        Some(first) if *first != TLS_HANDSHAKE || host.parse::<IpAddr>().is_ok() => return Verdict::Pass,
        Some(_) if bytes.len() > LARGEST => return Verdict::Refuse,
        Some(_) => {}
    }
    let (mut acceptor, mut rest) = (Acceptor::default(), bytes);
    while !rest.is_empty() {
        if acceptor.read_tls(&mut rest).is_err() {
            return Verdict::Refuse;
        }
        match acceptor.accept() {
            Ok(None) => {}
            Ok(Some(accepted)) if accepted.client_hello().server_name() == Some(host) => return Verdict::Pass,
            Ok(Some(_)) | Err(_) => return Verdict::Refuse,
        }
    }
    Verdict::More
}

impl<S: AsyncRead + Unpin> AsyncRead for Hello<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Open => return Pin::new(&mut this.inner).poll_read(cx, out),
                State::Releasing(held, at) => {
                    let fits = (held.len() - *at).min(out.remaining());
                    out.put_slice(&held[*at..*at + fits]);
                    *at += fits;
                    if *at == held.len() {
                        this.state = State::Open;
                    }
                    return Poll::Ready(Ok(()));
                }
                State::Holding(held) => {
                    let mut space = [0; 4096];
                    let mut piece = ReadBuf::new(&mut space);
                    ready!(Pin::new(&mut this.inner).poll_read(cx, &mut piece))?;
                    if piece.filled().is_empty() {
                        // Ended within its hello, or before it: nothing goes on.
                        return Poll::Ready(Ok(()));
                    }
                    held.extend_from_slice(piece.filled());
                    match judge(held, &this.host) {
                        Verdict::More => {}
                        Verdict::Pass => this.state = State::Releasing(std::mem::take(held), 0),
                        Verdict::Refuse => {
                            this.refused.store(true, Relaxed);
                            return Poll::Ready(Err(io::ErrorKind::PermissionDenied.into()));
                        }
                    }
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Hello<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::ring};

    fn hello_for(host: &str) -> Vec<u8> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        let mut client = ClientConnection::new(Arc::new(config), host.to_owned().try_into().unwrap()).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_hello_must_name_the_host_that_was_allowed() {
        assert_eq!(judge(&hello_for("allowed.example"), "allowed.example"), Verdict::Pass);
        assert_eq!(judge(&hello_for("evil.example"), "allowed.example"), Verdict::Refuse);
        // By address: no name in it.
        assert_eq!(judge(&hello_for("1.2.3.4"), "allowed.example"), Verdict::Refuse);
        assert_eq!(judge(&hello_for("1.2.3.4"), "1.2.3.4"), Verdict::Pass);
    }

    #[test]
    fn what_is_no_tls_passes_and_what_pretends_does_not() {
        assert_eq!(judge(b"SSH-2.0-OpenSSH_9.2\r\n", "allowed.example"), Verdict::Pass);
        assert_eq!(judge(&[0x16, 3, 1, 0, 5, 9, 9, 9, 9, 9], "allowed.example"), Verdict::Refuse);
        assert_eq!(judge(&[0x16; LARGEST + 1], "allowed.example"), Verdict::Refuse);
    }

    proptest! {
        #[test]
        fn a_part_of_a_hello_never_passes(cut in 1usize..100) {
            let hello = hello_for("evil.example");
            prop_assert_eq!(judge(&hello[..cut.min(hello.len() - 1)], "allowed.example"), Verdict::More);
        }

        #[test]
        fn any_bytes_are_judged_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..300)) {
            bytes[0] = TLS_HANDSHAKE;
            judge(&bytes, "allowed.example");
        }
    }
}
