//! What a socket sends, pulled one thing at a time: a client that reads slowly holds one frame, and lags alone.

use super::{
    recent::Written,
    socket::{End, GONE},
    view,
};
use crate::{
    gateway::App,
    live::Partial,
    pairing::Caller,
    wire::{CaughtUp, Frame, FromServer, PartialWords, Status, StreamData},
};
use axum::extract::ws::{Message, Utf8Bytes, close_code};
use domain::Problem;
use futures::{Sink, SinkExt};
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::{Instant, interval_at},
};

/// Partial words that may be sent before events that wait; what is more is dropped.
const LATE_PARTIALS: u32 = 64;

/// Pulls what is next: answers first, then partial words and events in the order they happened, then how things stand.
pub(super) struct Outgoing {
    app: App,
    cursor: i64,
    /// What was stored when the connection began; past it the client has caught up.
    caught_up_at: Option<i64>,
    first: Option<Frame>,
    answers: mpsc::Receiver<Frame>,
    partials: broadcast::Receiver<Partial>,
    statuses: broadcast::Receiver<Utf8Bytes>,
    bell: watch::Receiver<i64>,
    held: Option<Partial>,
}

/// One thing that woke the writer.
enum Next {
    Answer(Frame),
    Partial(Partial),
    Status(Utf8Bytes),
    StatusesLost,
    Events,
    Ping,
    Nothing,
}

impl Outgoing {
    pub(super) async fn new(
        app: &App,
        caller: &Caller,
        after: Option<i64>,
        answers: mpsc::Receiver<Frame>,
    ) -> Result<Self, Problem> {
        // First the ears, then the picture: nothing falls between.
        let (partials, statuses) = (app.live.watch(), app.stream.statuses.subscribe());
        let bell = app.store.bells().events.subscribe();
        let welcome = view::welcome(app, caller).await?;
        let last = welcome.last_event;
        Ok(Self {
            app: app.clone(),
            cursor: after.unwrap_or(last).clamp(0, last.max(0)),
            caught_up_at: Some(last),
            first: Some(Frame::live(FromServer::Welcome(Box::new(welcome)))),
            answers,
            partials,
            statuses,
            bell,
            held: None,
        })
    }

    pub(super) async fn run(&mut self, sink: &mut (impl Sink<Message> + Unpin)) -> End {
        let pace = self.app.config.api.pace.ping;
        let mut pings = interval_at(Instant::now() + pace, pace);
        loop {
            if let Err(end) = self.catch_up(sink).await {
                return end;
            }
            let next = tokio::select! {
                biased;
                Some(answer) = self.answers.recv() => Next::Answer(answer),
                _ = pings.tick() => Next::Ping,
                partial = self.partials.recv(), if self.held.is_none() => partial.map_or(Next::Nothing, Next::Partial),
                _ = self.bell.changed() => Next::Events,
                status = self.statuses.recv() => match status {
                    Ok(text) => Next::Status(text),
                    Err(_) => Next::StatusesLost,
                },
            };
            if let Err(end) = self.take(next, sink).await {
                return end;
            }
        }
    }

    async fn take(&mut self, next: Next, sink: &mut (impl Sink<Message> + Unpin)) -> Result<(), End> {
        match next {
            Next::Answer(frame) => send(sink, &frame).await,
            Next::Ping => sink.send(Message::Ping(Vec::new().into())).await.map_err(|_| GONE),
            Next::Partial(partial) => {
                self.held = Some(partial);
                Ok(())
            }
            Next::Status(text) => sink.send(Message::Text(text)).await.map_err(|_| GONE),
            Next::StatusesLost => {
                let house = view::house(&self.app).await;
                send(sink, &Frame::live(FromServer::Status(Status::House(house)))).await?;
                for session in view::latest(&self.app).await.map_err(|_| GONE)? {
                    send(sink, &Frame::live(FromServer::Status(Status::Session(session)))).await?;
                }
                Ok(())
            }
            Next::Events | Next::Nothing => Ok(()),
        }
    }

    /// The welcome, then events and partial words as they happened, until there is nothing more.
    async fn catch_up(&mut self, sink: &mut (impl Sink<Message> + Unpin)) -> Result<(), End> {
        if let Some(welcome) = self.first.take() {
            send(sink, &welcome).await?;
        }
        let mut late = 0;
        loop {
            self.bell.mark_unchanged();
            let batch = self.app.stream.recent.after(&self.app.store, self.cursor).await;
            let batch = batch.map_err(|e| {
                tracing::error!(error = ?e, "events could not be read for a socket");
                End(close_code::ERROR, "the store failed")
            })?;
            if batch.is_empty() {
                break;
            }
            for event in batch {
                self.partials(&mut late, true, sink).await?;
                self.event(event, sink).await?;
            }
        }
        self.partials(&mut late, false, sink).await?;
        if self.caught_up_at.take_if(|at| *at <= self.cursor).is_some() {
            let last_event = self.cursor;
            send(sink, &Frame::live(FromServer::CaughtUp(CaughtUp { last_event }))).await?;
        }
        Ok(())
    }

    async fn event(&mut self, event: Written, sink: &mut (impl Sink<Message> + Unpin)) -> Result<(), End> {
        sink.send(Message::Text(event.text)).await.map_err(|_| GONE)?;
        self.cursor = event.seq;
        // Answers do not wait behind a long history.
        while let Ok(answer) = self.answers.try_recv() {
            send(sink, &answer).await?;
        }
        Ok(())
    }

    /// Sends the partial words that were said before the next event; with events that wait, not too many: those of a client
    /// that is far behind are dropped.
    async fn partials(
        &mut self,
        late: &mut u32,
        events_wait: bool,
        sink: &mut (impl Sink<Message> + Unpin),
    ) -> Result<(), End> {
        loop {
            if self.held.is_none() {
                self.held = match self.partials.try_recv() {
                    Ok(partial) => Some(partial),
                    Err(broadcast::error::TryRecvError::Lagged(_)) => continue,
                    Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed) => None,
                };
            }
            let Some(partial) = self.held.take_if(|p| p.after <= self.cursor) else { return Ok(()) };
            *late += 1;
            if *late > LATE_PARTIALS && events_wait {
                continue;
            }
            let words = PartialWords {
                session_id: partial.session.0,
                message: partial.message,
                block: partial.block,
                offset: partial.offset,
                text: partial.text,
                thinking: partial.thinking,
            };
            send(sink, &Frame::live(FromServer::StreamData(StreamData::Partial(words)))).await?;
        }
    }
}

async fn send(sink: &mut (impl Sink<Message> + Unpin), frame: &Frame) -> Result<(), End> {
    let text = serde_json::to_string(frame).map_err(|_| End(close_code::ERROR, "a frame could not be written"))?;
    sink.send(Message::Text(text.into())).await.map_err(|_| GONE)
}
