//! The sandbox's end of a connection: says its pieces, hears what comes, and closes when nothing more can come.

use super::world::World;
use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// For whoever is outside to answer. Only how far an input gets depends on it: a fuzzer has others, a test has not.
const ANSWERS_WITHIN: Duration = Duration::from_millis(if cfg!(fuzzing) { 3 } else { 300 });
/// Between the last piece and the close, for the door to take up what it read.
const TURNS: u8 = 3;

pub struct Inside {
    pieces: VecDeque<Vec<u8>>,
    world: World,
    heard: Arc<Mutex<Vec<u8>>>,
    turns: u8,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Inside {
    pub fn saying(pieces: &[&[u8]], world: World) -> Self {
        let pieces = pieces.iter().map(|piece| piece.to_vec()).collect();
        Self { pieces, world, heard: Arc::default(), turns: 0, waiting: None }
    }

    pub fn heard(&self) -> Arc<Mutex<Vec<u8>>> {
        self.heard.clone()
    }

    /// A server that reads the end stops answering, so it comes only when no answer is to be expected.
    fn over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.turns < TURNS {
            self.turns += 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.world.reached() {
            return Poll::Ready(());
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(ANSWERS_WITHIN)));
        waiting.as_mut().poll(cx)
    }
}

impl AsyncRead for Inside {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(mut piece) = self.pieces.pop_front() else {
            ready!(self.over(cx));
            return Poll::Ready(Ok(()));
        };
        let rest = piece.split_off(piece.len().min(out.remaining()));
        out.put_slice(&piece);
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Inside {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.heard.lock().expect("nothing panics while it writes").extend_from_slice(bytes);
        self.turns = 0;
        if let Some(waiting) = &mut self.waiting {
            waiting.as_mut().reset(Instant::now() + ANSWERS_WITHIN);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
