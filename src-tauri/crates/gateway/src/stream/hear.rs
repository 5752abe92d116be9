//! A client's frame: read, checked, done, answered.

use crate::{
    clock,
    gateway::App,
    pairing::{Caller, Connected},
    talk,
    wire::{
        Accepted, CLIENT_TYPES, ErrorData, ErrorFrame, Frame, FromClient, FromServer, Pong, Presence, Said, Status,
    },
};
use axum::extract::ws::Message;
use domain::{ApprovalId, Code, Problem, SessionId, pairing::Scope};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;

/// The largest frame that is taken.
pub const FRAME_BYTES: usize = 1_000_000;
/// Asks of one client that wait for their answers at once.
const ASKS: usize = 4;

/// What became of a message.
pub enum Heard {
    Fine,
    /// It could not be read; the client was told so.
    Bad,
    /// A ping or a pong: a sign of life, no frame.
    Nothing,
    /// The client closed, or does not take answers any more.
    Gone,
}

/// A frame whose type is not known yet.
#[derive(Deserialize)]
struct Outline {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, rename = "requestId")]
    request_id: Option<String>,
    #[serde(default)]
    data: Option<Value>,
}

pub async fn hear(
    app: &App,
    caller: &Caller,
    page: &Connected,
    message: Message,
    answers: &mpsc::Sender<Frame>,
) -> Heard {
    let text = match message {
        Message::Text(text) => text,
        Message::Ping(_) | Message::Pong(_) => return Heard::Nothing,
        Message::Close(_) => return Heard::Gone,
        Message::Binary(_) => return refuse(answers, None, bad("Frames are text.")).await,
    };
    if text.len() > FRAME_BYTES {
        return refuse(answers, None, Code::TooLarge.into()).await;
    }
    let (request_id, body) = match read(text.as_str()) {
        Ok(read) => read,
        Err((request_id, problem)) => return refuse(answers, request_id, *problem).await,
    };
    let Some(caller) = app.callers.again(caller) else { return Heard::Gone };
    if let Some(id) = caller.id()
        && let Err(wait) = app.limits.caller(id)
    {
        return tell(answers, request_id, Ok(FromServer::Error(ErrorData::wait(wait).into()))).await;
    }
    if let FromClient::Ask(ask) = body {
        return begin_ask(app, caller, ask, request_id, answers).await;
    }
    let done = Box::pin(act(app, &caller, page, body)).await;
    tell(answers, request_id, done).await
}

type Unreadable = (Option<String>, Box<Problem>);

/// The frame's id and its body, or why it cannot be read.
fn read(text: &str) -> Result<(Option<String>, FromClient), Unreadable> {
    let outline: Outline =
        serde_json::from_str(text).map_err(|e| (None, Box::new(bad(format!("It is no frame: {e}.")))))?;
    let id = outline.request_id.filter(|id| id.len() <= 100);
    if !CLIENT_TYPES.contains(&outline.kind.as_str()) {
        let kind = domain::shown::shown_line(&outline.kind, 60);
        return Err((id, Box::new(bad(format!("There is no frame {kind}.")))));
    }
    let data = match outline.data {
        None | Some(Value::Null) => Value::Object(Default::default()),
        Some(data) if data.is_object() => data,
        Some(_) => return Err((id, Box::new(bad("data is an object.")))),
    };
    let whole = serde_json::json!({ "type": outline.kind, "data": data });
    match serde_json::from_value(whole) {
        Ok(body) => Ok((id, body)),
        Err(e) => Err((id, Box::new(bad(format!("{}: {e}.", outline.kind))))),
    }
}

fn bad(why: impl std::fmt::Display) -> Problem {
    Problem::with_detail(Code::BadRequest, why)
}

async fn refuse(answers: &mpsc::Sender<Frame>, request_id: Option<String>, problem: Problem) -> Heard {
    match tell(answers, request_id, Err(problem)).await {
        Heard::Fine => Heard::Bad,
        other => other,
    }
}

async fn tell(answers: &mpsc::Sender<Frame>, request_id: Option<String>, done: Result<FromServer, Problem>) -> Heard {
    let body = done.unwrap_or_else(|problem| FromServer::Error(ErrorFrame::from(problem)));
    match answers.send(Frame::answer(request_id, body)).await {
        Ok(()) => Heard::Fine,
        Err(_) => Heard::Gone,
    }
}

/// An ask takes as long as its turn: it is waited for beside the other frames.
async fn begin_ask(
    app: &App,
    caller: Caller,
    ask: crate::wire::Ask,
    request_id: Option<String>,
    answers: &mpsc::Sender<Frame>,
) -> Heard {
    if let Err(code) = caller.needs(Scope::Chat) {
        return tell(answers, request_id, Err(code.into())).await;
    }
    // The channel's own senders are the count: one is the reader's.
    if answers.strong_count() > ASKS {
        return tell(answers, request_id, Err(Code::Busy.into())).await;
    }
    let (app, answers) = (app.clone(), answers.clone());
    app.tasks.clone().spawn(async move {
        let done = tokio::select! {
            done = talk::ask(&app, &caller, ask) => done,
            () = answers.closed() => return,
            () = app.stop.cancelled() => return,
        };
        tell(&answers, request_id, done.map(FromServer::AskResponse)).await;
    });
    Heard::Fine
}

async fn act(app: &App, caller: &Caller, page: &Connected, body: FromClient) -> Result<FromServer, Problem> {
    let scope = match &body {
        FromClient::Ask(_)
        | FromClient::StreamStart(_)
        | FromClient::StreamSend(_)
        | FromClient::StreamClose(_)
        | FromClient::Interrupt(_) => Scope::Chat,
        FromClient::Permission(_) => Scope::Approve,
        FromClient::Ping(_) | FromClient::Presence(_) => Scope::Read,
    };
    caller.needs(scope)?;
    match body {
        FromClient::Ask(ask) => talk::ask(app, caller, ask).await.map(FromServer::AskResponse),
        FromClient::StreamStart(start) => talk::start(app, caller, start).await.map(FromServer::StreamStarted),
        FromClient::StreamSend(send) => {
            let said = talk::say(app, caller, SessionId(send.session_id), send.rest).await?;
            Ok(accepted(Some(said)))
        }
        FromClient::StreamClose(of) => talk::close(app, SessionId(of.session_id)).await.map(|()| accepted(None)),
        FromClient::Interrupt(of) => talk::interrupt(app, SessionId(of.session_id)).await.map(|()| accepted(None)),
        FromClient::Permission(p) => {
            talk::decide(app, caller, ApprovalId(p.id), p.decide).await.map(|_| accepted(None))
        }
        FromClient::Ping(_) => Ok(FromServer::Pong(Pong { now: clock::now().0 })),
        FromClient::Presence(Presence { visible }) => {
            page.saw(visible, clock::now());
            Ok(accepted(None))
        }
    }
}

fn accepted(said: Option<Said>) -> FromServer {
    FromServer::Status(Status::Accepted(Accepted { said }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn why(text: &str) -> (Option<String>, Code) {
        let (id, problem) = read(text).unwrap_err();
        (id, problem.code)
    }

    #[test]
    fn a_frame_that_cannot_be_read_says_so_under_its_own_id() {
        assert_eq!(why("{"), (None, Code::BadRequest));
        assert_eq!(why("[]"), (None, Code::BadRequest));
        assert_eq!(why(r#"{"type":"fly","requestId":"7"}"#), (Some("7".into()), Code::BadRequest));
        assert_eq!(
            why(r#"{"type":"streamSend","requestId":"7","data":{"text":"x"}}"#),
            (Some("7".into()), Code::BadRequest)
        );
        assert!(read(r#"{"type":"ping"}"#).is_ok() && read(r#"{"type":"ping","data":null}"#).is_ok());
    }

    proptest! {
        #[test]
        fn nothing_a_client_sends_breaks_the_reader(text in ".{0,300}") {
            let _whatever_it_is = read(&text);
        }

        #[test]
        fn no_data_of_a_known_type_breaks_the_reader(kind in proptest::sample::select(CLIENT_TYPES), data in ".{0,200}") {
            let _whatever_it_is = read(&format!(r#"{{"type":"{kind}","data":{data}}}"#));
        }
    }
}
