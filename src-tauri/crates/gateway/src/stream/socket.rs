//! One client's line: a reader that answers frames, and a writer that pulls what to send. A phone's is a WebSocket, the
//! window's two channels in process.

use super::{
    hear::{Heard, hear},
    outgoing::Outgoing,
};
use crate::{
    clock,
    gateway::App,
    pairing::{Caller, Connected},
    wire::Frame,
};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, close_code};
use domain::pairing::Scope;
use futures::{Sink, SinkExt, Stream, StreamExt};
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};

/// Answers to a client's frames that wait to be sent. One that sends without reading is not read any more.
const ANSWERS: usize = 16;
/// Frames in a row that cannot be read before the connection is closed.
const BAD: u32 = 3;
/// For a close frame to leave. One who is shut out and does not read either is gone within a second nevertheless.
const FAREWELL: Duration = Duration::from_millis(500);

/// Why a connection ended, as its close frame says it.
pub(super) struct End(pub u16, pub &'static str);

pub(super) const GONE: End = End(close_code::NORMAL, "");
const SHUT_OUT: End = End(close_code::POLICY, "revoked");
const TOO_BAD: End = End(close_code::POLICY, "three frames in a row could not be read");
const SILENT: End = End(close_code::POLICY, "silent");
const STOPPING: End = End(close_code::AWAY, "Lanyard stops");

/// Serves one line until it ends: what goes to the client, and what comes from it. Without a cursor it begins with what is
/// newest now.
pub async fn serve<S, F, E>(app: App, caller: Caller, after: Option<i64>, line: (S, F))
where
    S: Sink<Message> + Unpin,
    F: Stream<Item = Result<Message, E>> + Unpin,
{
    let page = app.callers.connect(&caller);
    let _shown = app.metrics.socket();
    let (mut sink, frames) = line;
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
        end = read(&app, &caller, &page, frames, answers) => end,
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
async fn read<E>(
    app: &App,
    caller: &Caller,
    page: &Connected,
    mut frames: impl Stream<Item = Result<Message, E>> + Unpin,
    answers: mpsc::Sender<Frame>,
) -> End {
    let mut bad = 0;
    loop {
        let silence = app.config.api.pace.silence;
        let taken = timeout(silence, async {
            let message = match frames.next().await {
                Some(Ok(message)) => message,
                Some(Err(_)) | None => return Err(GONE),
            };
            page.heard(clock::now());
            match hear(app, caller, page, message, &answers).await {
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
