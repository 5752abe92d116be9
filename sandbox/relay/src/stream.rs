//! One connection through the relay, as bytes with an honest end.
//!
//! A yamux stream that was cut reads like one that ended. So data goes in frames (length in two bytes, then that many
//! bytes) and a length of zero is the end: whatever stops without it is [`io::ErrorKind::ConnectionReset`]. The same mark
//! is the half-close. Yamux's own half-close is never used, because a stream dropped after it leaves the far side's
//! writer waiting for ever; a dropped stream that is open is reset, which wakes it.

use crate::header::{Answer, Header};
use futures::io::{AsyncRead as _, AsyncWrite as _};
use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    sync::OwnedSemaphorePermit,
};

/// The largest frame with its length, in bytes: what yamux sends in one piece.
pub(crate) const FRAME: usize = 32 * 1024;
const LENGTH: usize = 2;

/// A connection through the relay. What was written goes out with `flush` at the latest, as with any buffered writer.
/// End-of-file means that the far side ended its data; a connection that was cut is an error.
pub struct RelayStream {
    inner: yamux::Stream,
    reading: Reading,
    /// The header or answer at first, then the frame that is being sent.
    out: Vec<u8>,
    sent: usize,
    ended: bool,
    _permit: Option<OwnedSemaphorePermit>,
}

enum Reading {
    Answer,
    Length { first: Option<u8> },
    Body { left: usize },
    End,
}

impl RelayStream {
    /// The near end of a stream this side opened. The header goes out with the first write or flush.
    pub(crate) fn opened(inner: yamux::Stream, header: Header, permit: OwnedSemaphorePermit) -> Self {
        Self {
            inner,
            reading: Reading::Answer,
            out: header.bytes().to_vec(),
            sent: 0,
            ended: false,
            _permit: Some(permit),
        }
    }

    /// Waits until the far side has taken this stream, or fails with its reason.
    pub async fn taken(&mut self) -> io::Result<()> {
        self.flush().await?;
        poll_fn(|cx| self.poll_answer(cx)).await
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Reading::Answer = self.reading {
            Answer::check(ready!(self.poll_byte(cx))?)?;
            self.reading = Reading::Length { first: None };
        }
        Poll::Ready(Ok(()))
    }

    /// Reads up to the next byte of data, through the answer and lengths.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(self.poll_answer(cx))?;
        loop {
            match self.reading {
                Reading::Body { left } if left > 0 => return Poll::Ready(Ok(left)),
                Reading::End => return Poll::Ready(Ok(0)),
                Reading::Answer | Reading::Body { .. } => self.reading = Reading::Length { first: None },
                Reading::Length { first: None } => {
                    let first = Some(ready!(self.poll_byte(cx))?);
                    self.reading = Reading::Length { first };
                }
                Reading::Length { first: Some(high) } => {
                    let low = ready!(self.poll_byte(cx))?;
                    self.reading = match usize::from(u16::from_be_bytes([high, low])) {
                        0 => Reading::End,
                        left => Reading::Body { left },
                    };
                }
            }
        }
    }

    /// Ready when the far side has said all and let go of the stream: nobody reads what is still sent. Asked beside the reading
    /// and writing of the same task.
    pub(crate) fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.reading {
            Reading::End => self.poll_byte(cx).map(|_| ()),
            _ => Poll::Pending,
        }
    }

    fn poll_byte(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<u8>> {
        let mut byte = [0];
        match ready!(Pin::new(&mut self.inner).poll_read(cx, &mut byte))? {
            0 => Poll::Ready(Err(cut())),
            _ => Poll::Ready(Ok(byte[0])),
        }
    }

    /// Sends what is waiting.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.out.len() {
            let n = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.out[self.sent..])).map_err(|_| broken())?;
            self.sent += n;
        }
        self.out.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for RelayStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = ready!(self.poll_body(cx))?;
        if left == 0 || buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let room = buf.initialize_unfilled_to(left.min(buf.remaining()));
        let n = ready!(Pin::new(&mut self.inner).poll_read(cx, room))?;
        if n == 0 {
            return Poll::Ready(Err(cut()));
        }
        buf.advance(n);
        self.reading = Reading::Body { left: left - n };
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for RelayStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_out(cx))?;
        if self.ended {
            return Poll::Ready(Err(broken()));
        }
        let taken = &data[..data.len().min(FRAME - LENGTH)];
        if taken.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let length = u16::try_from(taken.len()).map_err(io::Error::other)?;
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(taken);
        match self.poll_out(cx) {
            Poll::Ready(Err(e)) => Poll::Ready(Err(e)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken.len())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx).map_err(|_| broken())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        if !self.ended {
            self.ended = true;
            self.out.extend_from_slice(&[0; LENGTH]);
        }
        self.poll_flush(cx)
    }
}

/// A stream the far side opened, before this side has taken it.
pub struct Offer {
    pub header: Header,
    inner: yamux::Stream,
}

impl Offer {
    /// Reads the header; one that cannot be understood is answered and dropped.
    pub async fn read(mut inner: yamux::Stream) -> io::Result<Self> {
        use futures::AsyncReadExt;
        let mut bytes = [0; Header::LEN];
        inner.read_exact(&mut bytes).await?;
        match Header::parse(bytes) {
            Ok(header) => Ok(Self { header, inner }),
            Err(e) => {
                answer(&mut inner, Answer::Unserved).await?;
                Err(e)
            }
        }
    }

    pub async fn take(self) -> io::Result<RelayStream> {
        let out = vec![Answer::Taken.byte()];
        let reading = Reading::Length { first: None };
        let mut stream = RelayStream { inner: self.inner, reading, out, sent: 0, ended: false, _permit: None };
        stream.flush().await?;
        Ok(stream)
    }

    pub async fn refuse(mut self, why: Answer) -> io::Result<()> {
        answer(&mut self.inner, why).await
    }
}

async fn answer(stream: &mut yamux::Stream, answer: Answer) -> io::Result<()> {
    use futures::AsyncWriteExt;
    stream.write_all(&[answer.byte()]).await?;
    stream.flush().await
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection was cut before its end")
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the far side no longer reads this connection")
}
