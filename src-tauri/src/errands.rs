//! What the tray and the notices ask of the gateway, done by the same routes as the window's page, so that there is one gate
//! for each.

use bytes::Bytes;
use domain::{ApprovalId, Code, Problem};
use gateway::desk::Desk;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

/// Something to be done at the gateway's local door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    Pause,
    Resume,
    Tunnel(bool),
    Halt(u32),
    Allow {
        id: ApprovalId,
        hash: String,
    },
    Deny {
        id: ApprovalId,
        hash: String,
    },
    Answer {
        id: ApprovalId,
        hash: String,
        option: String,
    },
    /// From a notice, which anyone who passes by can press.
    Notice {
        id: ApprovalId,
        hash: String,
        allow: bool,
    },
    Lock,
    Unlock,
}

/// # Errors
/// What the gateway says; `NOT_RUNNING` where there is none.
pub async fn run(desk: Option<Desk>, errand: Errand) -> Result<(), Problem> {
    let desk = desk.ok_or(Code::NotRunning)?;
    let locks = errand == Errand::Lock;
    let decide = |decision, hash: String| json!({ "decision": decision, "input_hash": hash });
    let (path, body) = match errand {
        Errand::Pause => ("/sandbox/pause".to_owned(), json!({})),
        Errand::Resume => ("/sandbox/resume".to_owned(), json!({})),
        Errand::Tunnel(on) => ("/tunnel".to_owned(), json!({ "on": on })),
        Errand::Halt(number) => (format!("/sessions/{number}/halt"), json!({})),
        Errand::Lock => ("/lock".to_owned(), json!({})),
        Errand::Unlock => ("/unlock".to_owned(), json!({})),
        Errand::Allow { id, hash } => (format!("/api/permission/{id}"), decide("allow", hash)),
        Errand::Deny { id, hash } => (format!("/api/permission/{id}"), decide("deny", hash)),
        Errand::Answer { id, hash, option } => {
            (format!("/api/permission/{id}"), json!({ "decision": "answer", "input_hash": hash, "answer": option }))
        }
        Errand::Notice { id, hash, allow } => return desk.answer_notice(id, &hash, allow).await.map(|_| ()),
    };
    let answer = post(&desk, &path, &body).await?;
    if locks { all_locked(&answer) } else { Ok(()) }
}

/// A lock shuts what it can: what stayed open is told, the first by its name.
fn all_locked(answer: &[u8]) -> Result<(), Problem> {
    let unread = |e| Problem::with_detail(Code::Internal, e);
    let answer: Value = serde_json::from_slice(answer).map_err(unread)?;
    let Some([first, rest @ ..]) = answer["failed"].as_array().map(Vec::as_slice) else { return Ok(()) };
    let word = |name: &str| first[name].as_str().unwrap_or_default();
    let more = if rest.is_empty() { String::new() } else { format!(" {} more could not be done.", rest.len()) };
    Err(Problem {
        message: format!("Not everything is locked. {}{more}", word("message")),
        suggestion: word("suggestion").to_owned(),
        ..Problem::from(Code::named(word("code")).unwrap_or(Code::Internal))
    })
}

async fn post(desk: &Desk, path: &str, body: &Value) -> Result<Bytes, Problem> {
    let request = Request::builder().method(Method::POST).uri(path).header("content-type", "application/json");
    let request = request.body(Bytes::from(body.to_string())).map_err(|e| Problem::with_detail(Code::Internal, e))?;
    let response = desk.call(request).await;
    match response.status() {
        StatusCode::OK | StatusCode::ACCEPTED => Ok(response.into_body()),
        _ => Err(said(response.body())),
    }
}

/// The problem that an answer of a door tells.
pub(crate) fn said(body: &[u8]) -> Problem {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let problem = Problem::from(word("/data/code").and_then(|code| Code::named(&code)).unwrap_or(Code::Internal));
    Problem {
        message: word("/data/message").unwrap_or(problem.message),
        suggestion: word("/data/details/suggestion").unwrap_or(problem.suggestion),
        ..problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_door_refuses_is_told_in_its_own_words() {
        let body = br#"{"type":"error","data":{"code":"APPROVAL_GONE","message":"Too late.","details":{"suggestion":"Look."}}}"#;
        let problem = said(body);
        assert_eq!((problem.code, &*problem.message, &*problem.suggestion), (Code::ApprovalGone, "Too late.", "Look."));
        assert_eq!(said(b"?").code, Code::Internal);
    }

    #[test]
    fn what_a_lock_left_open_is_told() {
        let failed = |failed: Value| all_locked(json!({ "revoked": 1, "failed": failed }).to_string().as_bytes());
        assert_eq!(failed(json!([])), Ok(()));
        let one = json!({ "code": "DISK_FULL", "message": "The disk is full.", "suggestion": "Free some space." });
        let problem = failed(json!([one])).unwrap_err();
        assert_eq!((problem.code, &*problem.suggestion), (Code::DiskFull, "Free some space."));
        assert_eq!(problem.message, "Not everything is locked. The disk is full.");
        assert!(failed(json!([one, one])).unwrap_err().message.ends_with("1 more could not be done."));
    }
}
