//! A live line without a socket: frames as text through two channels, with the same backpressure.

use axum::extract::ws::Message;
use futures::{Sink, SinkExt, Stream, stream};
use std::convert::Infallible;
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

/// Frames on their way, each direction. Who reads slowly holds so many and lags alone.
const FRAMES: usize = 32;

/// What the client says.
#[derive(Clone)]
pub struct Says(mpsc::Sender<Message>);

/// What the client hears.
pub struct Hears {
    frames: mpsc::Receiver<Message>,
    /// A ping is answered here, as a browser answers it.
    pongs: mpsc::WeakSender<Message>,
}

impl Says {
    /// Gives one frame (JSON) to the gateway. False if the line is over.
    pub async fn tell(&self, frame: String) -> bool {
        self.0.send(Message::Text(frame.into())).await.is_ok()
    }
}

impl Hears {
    /// The next frame (JSON); none when the line is over.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            match self.frames.recv().await? {
                Message::Text(text) => return Some(text.to_string()),
                Message::Ping(of) => {
                    let _silence_ends_it = self.pongs.upgrade()?.try_send(Message::Pong(of));
                }
                Message::Close(_) => return None,
                Message::Pong(_) | Message::Binary(_) => {}
            }
        }
    }
}

/// The client's two ends, and the gateway's: where it writes, and what it reads.
pub(super) fn pair() -> (
    Says,
    Hears,
    (
        impl Sink<Message, Error = ()> + Unpin + Send + 'static,
        impl Stream<Item = Result<Message, Infallible>> + Unpin + Send + 'static,
    ),
) {
    let (said, saying) = mpsc::channel(FRAMES);
    let (heard, frames) = mpsc::channel(FRAMES);
    let pongs = said.downgrade();
    let reads = Box::pin(stream::unfold(saying, |mut saying| async {
        let message = saying.recv().await?;
        Some((Ok(message), saying))
    }));
    (Says(said), Hears { frames, pongs }, (PollSender::new(heard).sink_map_err(|_| ()), reads))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;

    #[tokio::test]
    async fn frames_pass_pings_are_answered_and_a_dropped_end_ends_the_line() {
        let (says, mut hears, (mut writes, mut reads)) = pair();
        writes.send(Message::Ping(Vec::new().into())).await.unwrap();
        writes.send(Message::Text("{}".into())).await.unwrap();
        assert_eq!(hears.next().await.as_deref(), Some("{}"));
        assert!(matches!(reads.next().await, Some(Ok(Message::Pong(_)))));
        assert!(says.tell("1".into()).await);
        assert!(matches!(reads.next().await, Some(Ok(Message::Text(_)))));
        writes.send(Message::Close(None)).await.unwrap();
        assert_eq!(hears.next().await, None);
        drop((says, hears));
        assert!(reads.next().await.is_none());
        assert!(writes.send(Message::Text("late".into())).await.is_err());
    }
}
