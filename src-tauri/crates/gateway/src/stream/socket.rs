//! One phone's WebSocket: a reader that answers frames, and a writer that pulls what to send.

use super::{
    hear::{Heard, hear},
    recent::Written,
    view,
};
use crate::{
    approvals, clock,
    gateway::App,
    live::Partial,
    pairing::{Caller, Who},
    wire::{CaughtUp, Frame, FromServer, PartialWords, Status, StreamData, Welcome, WhoKind, You},
};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use domain::{Problem, pairing::Scope};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use std::time::Duration;
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::{Instant, interval_at, timeout},
};

/// The protocol's version, in `welcome`.
pub const PROTOCOL: u32 = 1;
/// Answers to a client's frames that wait to be sent. One that sends without reading is not read any more.
const ANSWERS: usize = 16;
/// Frames in a row that cannot be read before the connection is closed.
const BAD: u32 = 3;
/// For a close frame to leave.
const FAREWELL: Duration = Duration::from_secs(1);
/// Sessions in `welcome`.
const SESSIONS: usize = 50;
/// Partial words that may be sent before events that wait; what is more is dropped.
const LATE_PARTIALS: u32 = 64;

/// Why a connection ended, as its close frame says it.
struct End(u16, &'static str);

const SHUT_OUT: End = End(close_code::POLICY, "revoked");
const TOO_BAD: End = End(close_code::POLICY, "three frames in a row could not be read");
const SILENT: End = End(close_code::POLICY, "silent");
const STOPPING: End = End(close_code::AWAY, "Lanyard stops");
const GONE: End = End(close_code::NORMAL, "");

/// Serves one socket until it ends. Without a cursor it begins with what is newest now.
pub async fn serve(app: App, caller: Caller, after: Option<i64>, socket: WebSocket) {
    let _counted = app.callers.connect(&caller);
    let _shown = app.metrics.socket();
    let (mut sink, stream) = socket.split();
    let (answers, waiting) = mpsc::channel(ANSWERS);
    let mut outgoing = match Outgoing::new(&app, &caller, after, waiting).await {
        Ok(outgoing) => outgoing,
        Err(problem) => {
            tracing::warn!(code = %problem.code, "a socket could not be served");
            return;
        }
    };
    let end = tokio::select! {
        end = outgoing.run(&mut sink) => end,
        end = read(&app, &caller, stream, answers) => end,
        () = until_shut_out(&app, &caller) => SHUT_OUT,
        () = app.stop.cancelled() => STOPPING,
    };
    let frame = CloseFrame { code: end.0, reason: Utf8Bytes::from_static(end.1) };
    let _gone_already = timeout(FAREWELL, sink.send(Message::Close(Some(frame)))).await;
}

/// Until the caller is revoked or may not read any more.
async fn until_shut_out(app: &App, caller: &Caller) {
    let mut changes = app.callers.changes();
    loop {
        match app.callers.again(caller) {
            Some(now) if now.scopes.has(Scope::Read) => {}
            _ => return,
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Takes the client's frames one after the other, until it is gone, silent, or too bad.
async fn read(app: &App, caller: &Caller, mut frames: SplitStream<WebSocket>, answers: mpsc::Sender<Frame>) -> End {
    let mut bad = 0;
    loop {
        let silence = app.config.api.pace.silence;
        let taken = timeout(silence, async {
            let message = match frames.next().await {
                Some(Ok(message)) => message,
                Some(Err(_)) | None => return Err(GONE),
            };
            match hear(app, caller, message, &answers).await {
                Heard::Fine => Ok(0),
                Heard::Bad => Ok(bad + 1),
                Heard::Nothing => Ok(bad),
                Heard::Gone => Err(GONE),
            }
        });
        bad = match taken.await {
            Err(_) => return SILENT,
            Ok(Err(end)) => return end,
            Ok(Ok(bad)) => bad,
        };
        if bad >= BAD {
            return TOO_BAD;
        }
    }
}

/// Pulls what is next: answers first, then partial words and events in the order they happened, then how things stand.
struct Outgoing {
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
    async fn new(
        app: &App,
        caller: &Caller,
        after: Option<i64>,
        answers: mpsc::Receiver<Frame>,
    ) -> Result<Self, Problem> {
        // First the ears, then the picture: nothing falls between.
        let (partials, statuses) = (app.live.watch(), app.stream.statuses.subscribe());
        let bell = app.store.bells().events.subscribe();
        let welcome = welcome(app, caller).await?;
        let last = welcome.last_event;
        Ok(Self {
            app: app.clone(),
            cursor: after.unwrap_or(last).min(last),
            caught_up_at: Some(last),
            first: Some(Frame::live(FromServer::Welcome(Box::new(welcome)))),
            answers,
            partials,
            statuses,
            bell,
            held: None,
        })
    }

    async fn run(&mut self, sink: &mut SplitSink<WebSocket, Message>) -> End {
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

    async fn take(&mut self, next: Next, sink: &mut SplitSink<WebSocket, Message>) -> Result<(), End> {
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
                for session in latest(&self.app).await.map_err(|_| GONE)? {
                    send(sink, &Frame::live(FromServer::Status(Status::Session(session)))).await?;
                }
                Ok(())
            }
            Next::Events | Next::Nothing => Ok(()),
        }
    }

    /// The welcome, then events and partial words as they happened, until there is nothing more.
    async fn catch_up(&mut self, sink: &mut SplitSink<WebSocket, Message>) -> Result<(), End> {
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
                self.partials_before(event.seq, &mut late, sink).await?;
                self.event(event, sink).await?;
            }
        }
        self.partials_before(i64::MAX, &mut late, sink).await?;
        if self.caught_up_at.take_if(|at| *at <= self.cursor).is_some() {
            let last_event = self.cursor;
            send(sink, &Frame::live(FromServer::CaughtUp(CaughtUp { last_event }))).await?;
        }
        Ok(())
    }

    async fn event(&mut self, event: Written, sink: &mut SplitSink<WebSocket, Message>) -> Result<(), End> {
        sink.send(Message::Text(event.text)).await.map_err(|_| GONE)?;
        self.cursor = event.seq;
        // Answers do not wait behind a long history.
        while let Ok(answer) = self.answers.try_recv() {
            send(sink, &answer).await?;
        }
        Ok(())
    }

    /// Sends the partial words that were said before event `seq`; those of a client that is far behind are dropped.
    async fn partials_before(
        &mut self,
        seq: i64,
        late: &mut u32,
        sink: &mut SplitSink<WebSocket, Message>,
    ) -> Result<(), End> {
        loop {
            if self.held.is_none() {
                self.held = match self.partials.try_recv() {
                    Ok(partial) => Some(partial),
                    Err(broadcast::error::TryRecvError::Lagged(_)) => continue,
                    Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed) => None,
                };
            }
            let Some(partial) = self.held.take_if(|p| p.after < seq) else { return Ok(()) };
            *late += 1;
            if *late > LATE_PARTIALS && seq != i64::MAX {
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

async fn send(sink: &mut SplitSink<WebSocket, Message>, frame: &Frame) -> Result<(), End> {
    let text = serde_json::to_string(frame).map_err(|_| End(close_code::ERROR, "a frame could not be written"))?;
    sink.send(Message::Text(text.into())).await.map_err(|_| GONE)
}

async fn latest(app: &App) -> Result<Vec<crate::wire::SessionShown>, Problem> {
    let glances = app.registry.glances();
    let found = app.store.read(move |r| {
        let rows = store::sessions::latest(r, SESSIONS)?;
        rows.into_iter()
            .map(|row| {
                let glance = glances.get(&row.id);
                view::session(r, row, glance)
            })
            .collect()
    });
    found.await.map_err(approvals::internal)
}

/// The whole picture, read at one moment for what the store holds.
async fn welcome(app: &App, caller: &Caller) -> Result<Welcome, Problem> {
    let read = app.store.read(|r| Ok((store::events::last(r)?, store::approvals::all_open(r)?)));
    let (last_event, open) = read.await.map_err(approvals::internal)?;
    Ok(Welcome {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: clock::now().0,
        you: you(caller),
        status: view::house(app).await,
        sessions: latest(app).await?,
        approvals: open.iter().map(Into::into).collect(),
        last_event,
    })
}

pub(crate) fn you(caller: &Caller) -> You {
    let kind = match caller.who {
        Who::Phone(_) => WhoKind::Phone,
        Who::Token(_) => WhoKind::Token,
        Who::Owner => WhoKind::Owner,
    };
    You { kind, id: caller.id(), name: caller.name.to_string(), scopes: caller.scopes.iter().map(Into::into).collect() }
}
