//! What agents ask: sign in, bind, unbind. One JSON object there and one back; the agent does not half-close, so an
//! object is whole when it parses.

use super::{link::Link, sessions::Session, world::State};
use muxado::typed::TypedStream;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

const SIGN_IN: u32 = 0;
const BIND: u32 = 1;
const UNBIND: u32 = 2;
/// No request of an agent is near this.
const LONGEST: usize = 256 * 1024;

/// Answers one request and finishes the stream.
pub(super) async fn answer(mut stream: TypedStream, link: Link) {
    let kind = *stream.typ();
    let Some(asked) = object(&mut *stream).await else { return };
    let (slow, mute) = link.world.change(|state| {
        state.counted.calls += 1;
        (state.slow, state.mute == Some(kind))
    });
    if mute {
        return link.hand.when_cut().await;
    }
    tokio::time::sleep(slow).await;
    let answer = link.world.change(|state| match kind {
        SIGN_IN => sign_in(state, &asked, &link),
        BIND => bind(state, &asked, &link),
        UNBIND => unbind(state, &asked, &link),
        _ => refuse("ERR_NGROK_STANDIN", "This edge does not know that request."),
    });
    let _ = stream.write_all(answer.to_string().as_bytes()).await;
    let _ = stream.shutdown().await;
    link.hand.when_cut().await;
}

/// Reads one JSON object.
pub(super) async fn object(stream: &mut (impl AsyncRead + Unpin)) -> Option<Value> {
    let mut bytes = Vec::new();
    while bytes.len() < LONGEST {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Ok(value) = serde_json::from_slice(&bytes) {
            return Some(value);
        }
    }
    None
}

fn refuse(code: &str, sentence: &str) -> Value {
    json!({ "Error": format!("{sentence}\n\n{code}\n") })
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// Nanoseconds, as agents send their heartbeats' times.
fn span(value: &Value, path: &str) -> Duration {
    Duration::from_nanos(value.pointer(path).and_then(Value::as_u64).unwrap_or_default())
}

fn sign_in(state: &mut State, asked: &Value, link: &Link) -> Value {
    state.counted.sign_ins += 1;
    let token = text(asked, "/Extra/AuthToken");
    if token.len() < 20 {
        let words = format!(
            "The authtoken you specified does not look like a proper ngrok authtoken.\nYour authtoken: {token}"
        );
        return refuse("ERR_NGROK_105", &words);
    }
    if !state.tokens.contains(token) {
        let words =
            format!("The authtoken you specified is properly formed, but it is invalid.\nYour authtoken: {token}");
        return refuse("ERR_NGROK_107", &words);
    }
    let id = text(asked, "/ClientId").to_owned();
    let known = !id.is_empty() && state.cookies.get(&id).is_some_and(|cookie| cookie == text(asked, "/Extra/Cookie"));
    if known {
        state.counted.returns += 1;
        state.sessions.remove(&id).inspect(|old| old.hand.cut());
    }
    if state.sessions.len() >= state.agent_limit {
        let words = format!("Your account is limited to {} simultaneous ngrok agent sessions.", state.agent_limit);
        return refuse("ERR_NGROK_108", &words);
    }
    let id = if known { id } else { format!("client-{}", state.number()) };
    let cookie = state.cookies.entry(id.clone()).or_insert_with(|| format!("cookie-of-{id}")).clone();
    let session = Session {
        link: link.number,
        hand: link.hand.clone(),
        opener: link.opener.clone(),
        heard: Instant::now(),
        patience: span(asked, "/Extra/HeartbeatInterval") + span(asked, "/Extra/HeartbeatTolerance"),
        tunnels: HashMap::new(),
    };
    state.sessions.insert(id.clone(), session);
    let extra = json!({ "Version": "stand-in", "Region": "lo", "Cookie": cookie, "AccountName": "stand-in",
        "SessionDuration": 0, "PlanName": "Free", "Banner": "" });
    json!({ "Version": "3", "ClientId": id, "Extra": extra })
}

fn bind(state: &mut State, asked: &Value, link: &Link) -> Value {
    state.counted.binds += 1;
    if let Some(code) = state.refuse_binds.clone() {
        return refuse(&code, "This endpoint is refused.");
    }
    let host = host(state, asked);
    if state.elsewhere.contains(&host) {
        return refuse("ERR_NGROK_320", &format!("This domain is reserved for another account: {host}."));
    }
    let taken = state.tunnel(&host).is_some_and(|(holder, _)| holder.link != link.number);
    if taken {
        let words = format!(
            "The endpoint 'https://{host}' is already online. Either\n1. stop your existing endpoint first, or\n2. start both endpoints with `--pooling-enabled` to load balance between them."
        );
        return refuse("ERR_NGROK_334", &words);
    }
    let id = match text(asked, "/Id") {
        "" => format!("tn-{}", state.number()),
        old => old.to_owned(),
    };
    let token = format!("token-of-{id}");
    let Some(session) = state.sessions.values_mut().find(|session| session.link == link.number) else {
        return refuse("ERR_NGROK_STANDIN", "Sign in first.");
    };
    session.tunnels.insert(host.clone(), id.clone());
    state.bound_before.insert(id.clone(), (token.clone(), host.clone()));
    json!({ "Id": id, "URL": state.url(&host), "Proto": text(asked, "/Proto"),
        "Opts": asked.get("Opts"), "Extra": { "Token": token } })
}

/// The domain asked for, or the one this tunnel had before, or any.
fn host(state: &mut State, asked: &Value) -> String {
    let domain = text(asked, "/Opts/Domain");
    if !domain.is_empty() {
        return domain.to_owned();
    }
    let before = state.bound_before.get(text(asked, "/Id")).cloned();
    match before.filter(|(token, _)| token == text(asked, "/Extra/Token")) {
        Some((_, host)) if !state.moving => host,
        _ => state.any_domain(),
    }
}

fn unbind(state: &mut State, asked: &Value, link: &Link) -> Value {
    let id = text(asked, "/Id");
    let ours = state.sessions.values_mut().filter(|session| session.link == link.number);
    ours.for_each(|session| session.tunnels.retain(|_, tunnel| tunnel != id));
    json!({})
}
