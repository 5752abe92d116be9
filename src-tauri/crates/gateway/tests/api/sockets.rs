//! The WebSocket: the whole picture, then history, then live; and what bad clients meet.

use crate::{
    api_world::{Phone, Socket, append, call, events, refused, token},
    world::{SOON, Wish, World, resident_mb},
};
use domain::{approval::Subject, event::Event};
use futures::SinkExt;
use gateway::sessions::Scene;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

#[tokio::test]
async fn welcome_then_history_then_caught_up_then_live() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "Ada's phone").await;
    let session = events(&running, 300).await;
    let mut socket = phone.socket(app, Some(100)).await;
    let welcome = socket.next().await.unwrap();
    assert_eq!((&welcome["type"], &welcome["data"]["protocol"]), (&json!("welcome"), &json!(1)));
    assert_eq!((&welcome["data"]["you"]["name"], &welcome["data"]["last_event"]), (&json!("Ada's phone"), &json!(300)));
    assert_eq!(welcome["data"]["sessions"][0]["id"], session.to_string());
    for seq in 101..=300 {
        assert_eq!(socket.next().await.unwrap()["seq"], seq);
    }
    assert_eq!(socket.next().await.unwrap()["type"], "caughtUp");
    append(&running, session, 2).await;
    let live = socket.until(|f| f["seq"].is_i64()).await;
    assert_eq!(
        (&live["seq"], &live["data"]["kind"], &live["data"]["text"]),
        (&json!(301), &json!("notice"), &json!("event 0"))
    );
    let mut fresh = phone.socket(app, None).await;
    assert_eq!(fresh.next().await.unwrap()["type"], "welcome");
    assert_eq!(fresh.next().await.unwrap()["type"], "caughtUp", "without a cursor it begins now");
    let mut ahead = phone.socket(app, Some(i64::MAX)).await;
    ahead.of_type("caughtUp").await;
    append(&running, session, 1).await;
    assert_eq!(ahead.until(|f| f["seq"].is_i64()).await["seq"], 303);
    running.stop().await;
}

#[tokio::test]
async fn a_reconnect_by_cursor_misses_nothing_wherever_it_was_cut() {
    let w =
        World::new(Wish { config: "[api]\nper_minute = 1000000\naddress_per_minute = 1000000\n", ..Wish::default() })
            .await;
    let running = w.start().await;
    let app = running.app.clone();
    let phone = Phone::pair(&app, "phone").await;
    let session = events(&running, 0).await;
    let total = 1500;
    let store = app.store.clone();
    let writing = tokio::spawn(async move {
        for n in 0..total {
            let event = Event::Noticed { text: format!("{n} {}", "x".repeat(n % 3000)) };
            store.write(move |tx| store::events::append(tx, session, &event, gateway::clock::now())).await.unwrap();
            if n % 50 == 0 {
                tokio::task::yield_now().await;
            }
        }
    });
    let (mut got, mut seed) = (Vec::new(), 7u64);
    while got.len() < total {
        let after = got.last().copied().unwrap_or(0);
        let mut socket = phone.socket(&app, Some(after)).await;
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        for _ in 0..seed >> 58 {
            if got.len() == total {
                break;
            }
            got.push(socket.until(|f| f["seq"].is_i64()).await["seq"].as_i64().unwrap());
        }
        // Cut in the middle, without a goodbye.
        drop(socket);
    }
    writing.await.unwrap();
    assert_eq!(got, (1..=total as i64).collect::<Vec<_>>());
    running.stop().await;
}

#[tokio::test]
async fn three_frames_in_a_row_that_cannot_be_read_close_the_connection() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "phone").await;
    let large = format!(r#"{{"type":"ping","data":{{"x":"{}"}}}}"#, "x".repeat(1_000_001));
    let bad = [
        Message::text("{"),
        Message::text(r#"{"type":"fly"}"#),
        Message::text(large),
        Message::binary(vec![0, 1, 2]),
        Message::text(r#"{"type":"streamSend","data":{"session_id":7}}"#),
        Message::text("[".repeat(200_000)),
        Message::text(r#"{"type":"presence","data":{"visible":"yes"}}"#),
    ];
    let mut socket = phone.socket(&running.app, None).await;
    for frame in &bad {
        socket.stream.send(frame.clone()).await.unwrap();
        let error = socket.of_type("error").await;
        assert!(["BAD_REQUEST", "TOO_LARGE"].contains(&error["data"]["code"].as_str().unwrap()), "{error}");
        socket.say(json!({ "type": "ping", "requestId": "alive" })).await;
        assert_eq!(socket.answer("alive").await["type"], "pong", "the connection lives");
    }
    for frame in &bad[..3] {
        socket.stream.send(frame.clone()).await.unwrap();
    }
    assert_eq!(socket.closed().await, 1008);
    running.stop().await;
}

/// Bytes that are no WebSocket's, after a handshake that was one: `FIN` and the kind, the length, the mask, the rest.
#[tokio::test]
async fn what_is_no_frame_at_all_ends_its_own_connection_and_no_other() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "phone").await;
    let mut other = phone.socket(&running.app, None).await;
    let before = resident_mb();
    let masked = |first: u8, payload: &[u8]| [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0][..], payload].concat();
    for (what, bytes) in [
        ("without a mask", vec![0x81, 1, b'a']),
        ("of a reserved kind", masked(0x83, b"")),
        ("with reserved bits", masked(0xF1, b"a")),
        ("text that is no UTF-8", masked(0x81, b"\xff\xfe")),
        ("a ping in pieces", masked(0x09, b"")),
        ("a piece of nothing", masked(0x80, b"a")),
        ("a frame of four exabytes", [&[0x81, 0xFF, 0x3F][..], &[0xFF; 7], &[0; 4]].concat()),
        ("no HTTP either", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
    ] {
        let mut bad = phone.socket(&running.app, None).await;
        bad.of_type("caughtUp").await;
        bad.stream.get_mut().write_all(&bytes).await.unwrap();
        let code = bad.closed().await;
        assert!([1000, 1002, 1005, 1006, 1007, 1009].contains(&code), "{what}: {code}");
    }
    let mut endless = phone.socket(&running.app, None).await;
    endless.of_type("caughtUp").await;
    let piece = "x".repeat(1_000_000);
    let piece = |first: bool| {
        let kind = if first { OpCode::Data(Data::Text) } else { OpCode::Data(Data::Continue) };
        Message::Frame(Frame::message(piece.clone(), kind, false))
    };
    let mut sent = 0;
    while endless.stream.send(piece(sent == 0)).await.is_ok() && sent < 100 {
        sent += 1;
    }
    assert!(sent < 100, "a message without an end is not read for ever");
    other.say(json!({ "type": "ping", "requestId": "1" })).await;
    assert_eq!(other.answer("1").await["type"], "pong");
    let grown = resident_mb().saturating_sub(before);
    assert!(grown < 64, "{grown} MB");
    running.stop().await;
}

#[tokio::test]
async fn a_socket_opens_by_header_subprotocol_or_a_ticket_that_works_once() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let offered = format!("lanyard.v1, lanyard.bearer.{}", phone.access);
    let mut socket = Socket::at(app, "/ws", &[("sec-websocket-protocol", offered)]).await.unwrap();
    assert_eq!(socket.next().await.unwrap()["data"]["you"]["kind"], "phone");
    let ticket = phone.post(app, "/api/ticket", Value::Null).await.body["ticket"].as_str().unwrap().to_owned();
    let path = format!("/ws?ticket={ticket}");
    assert_eq!(Socket::at(app, &path, &[]).await.unwrap().next().await.unwrap()["type"], "welcome");
    assert_eq!(refused(&Socket::at(app, &path, &[]).await.err().unwrap()).unwrap(), 401);
    let chatter = token(app, &["chat"]).await;
    assert_eq!(refused(&Socket::open(app, &chatter, None).await.err().unwrap()).unwrap(), 403);
    call(app, "GET", "/ws", Some(&phone.access), None).await.is(400, "BAD_REQUEST");
    running.stop().await;
}

#[tokio::test]
async fn a_client_without_the_scope_is_told_so_and_nothing_happens() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let reader = token(&running.app, &["read"]).await;
    let mut socket = Socket::open(&running.app, &reader, None).await.unwrap();
    let nobody = "0197c7c8-0000-7000-8000-000000000000";
    let frames = [
        json!({ "type": "ask", "data": { "prompt": "x" } }),
        json!({ "type": "streamStart", "data": {} }),
        json!({ "type": "streamSend", "data": { "session_id": nobody, "text": "x", "client_id": "c" } }),
        json!({ "type": "streamClose", "data": { "session_id": nobody } }),
        json!({ "type": "interrupt", "data": { "session_id": nobody } }),
        json!({ "type": "permission", "data": { "id": nobody, "decision": "allow", "input_hash": "" } }),
    ];
    for (n, mut frame) in frames.into_iter().enumerate() {
        frame["requestId"] = json!(n.to_string());
        socket.say(frame).await;
        let error = &socket.answer(&n.to_string()).await["data"];
        assert_eq!((&error["code"], &error["kind"]), (&json!("SCOPE_MISSING"), &json!("permission")));
    }
    assert_eq!(running.app.store.read(|r| store::sessions::count(r)).await.unwrap(), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_limit_met_on_a_socket_says_when_to_come_again() {
    let w = World::new(Wish { config: "[api]\nper_minute = 5\n", ..Wish::default() }).await;
    let running = w.start().await;
    let hasty = token(&running.app, &["read", "chat"]).await;
    let mut socket = Socket::open(&running.app, &hasty, None).await.unwrap();
    for n in 0..4 {
        socket.say(json!({ "type": "ping", "requestId": n.to_string() })).await;
        assert_eq!(socket.answer(&n.to_string()).await["type"], "pong");
    }
    socket.say(json!({ "type": "ping", "requestId": "once too often" })).await;
    let error = &socket.answer("once too often").await["data"];
    assert_eq!((&error["code"], &error["kind"]), (&json!("TOO_MANY_REQUESTS"), &json!("connection")));
    assert!((1..=60).contains(&error["details"]["retry_after"].as_u64().unwrap()), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn words_by_socket_are_said_once_and_come_back_as_an_event() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "phone").await;
    let mut socket = phone.socket(&running.app, None).await;
    socket.say(json!({ "type": "streamStart", "requestId": "1", "data": { "title": "t" } })).await;
    let session = socket.answer("1").await["data"]["session_id"].as_str().unwrap().to_owned();
    let send = |id: &str| json!({ "type": "streamSend", "requestId": id, "data": { "session_id": session, "text": "hello", "client_id": "c1" } });
    socket.say(send("2")).await;
    let (mut accepted, mut said, mut failed) = (None, None, None);
    while accepted.is_none() || said.is_none() {
        let frame = socket.next().await.unwrap();
        if frame["type"] == "error" && frame["seq"].is_i64() {
            failed = Some(frame["data"].clone());
        } else if frame["requestId"] == "2" {
            accepted = Some(frame["data"]["said"]["event"].clone());
        } else if frame["data"]["kind"] == "said" {
            assert_eq!((&frame["data"]["text"], &frame["data"]["channel"]), (&json!("hello"), &json!("phone")));
            said = Some(frame["seq"].clone());
        }
    }
    assert_eq!(accepted, said);
    socket.say(send("3")).await;
    let mut again = None;
    while again.is_none() || failed.is_none() {
        let frame = socket.next().await.unwrap();
        if frame["requestId"] == "3" {
            again = Some(frame["data"]["said"].clone());
        } else if frame["type"] == "error" && frame["seq"].is_i64() {
            failed = Some(frame["data"].clone());
        }
    }
    let (again, failed) = (again.unwrap(), failed.unwrap());
    assert_eq!((&again["event"], &again["fresh"]), (&said.unwrap(), &json!(false)));
    assert_eq!((&failed["code"], &failed["session_id"]), (&json!("NO_ENGINE"), &json!(session)));
    running.stop().await;
}

#[tokio::test]
async fn an_approval_is_answered_once_and_names_what_it_allows() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let (one, two) = (Phone::pair(app, "one").await, Phone::pair(app, "two").await);
    let session = events(&running, 0).await;
    let scene = Scene::of(app, session);
    let mut sockets = [one.socket(app, None).await, two.socket(app, None).await];
    let input = json!({ "command": "git push \u{202E}" });
    let subject = Subject::Tool { tool: "Bash".into(), input, why: None, rules: vec![], target: None };
    app.store.write(move |tx| scene.ask(tx, Some("r1".into()), subject, None, gateway::clock::now())).await.unwrap();
    let mut asked = Vec::new();
    for socket in &mut sockets {
        asked.push(socket.of_type("permissionRequest").await["data"].clone());
    }
    assert_eq!((&asked[0]["risk"], &asked[0]["shown"]), (&json!("high"), &json!("run: git push <U+202E>")));
    let decide = |id: &str, hash: &Value| json!({ "type": "permission", "requestId": id, "data": { "id": asked[0]["id"], "decision": "allow", "input_hash": hash } });
    sockets[0].say(decide("1", &json!("0".repeat(64)))).await;
    assert_eq!(sockets[0].answer("1").await["data"]["code"], "APPROVAL_CHANGED");
    for socket in &mut sockets {
        socket.say(decide("2", &asked[0]["input_hash"])).await;
    }
    let mut outcomes = Vec::new();
    for socket in &mut sockets {
        let (mut answer, mut resolved) = (None, None);
        while answer.is_none() || resolved.is_none() {
            let frame = socket.next().await.unwrap();
            if frame["requestId"] == "2" {
                answer = Some(frame["type"].clone());
            } else if frame["type"] == "permissionResolved" {
                assert_eq!(
                    (&frame["data"]["decision"], &frame["data"]["channel"]),
                    (&json!("allowed"), &json!("phone"))
                );
                resolved = frame["data"]["by"].as_str().map(str::to_owned);
            }
        }
        outcomes.push((answer.unwrap(), resolved.unwrap()));
    }
    let won = outcomes.iter().filter(|(kind, _)| kind == "status").count();
    assert_eq!(won, 1, "the first answer wins: {outcomes:?}");
    let winner = if outcomes[0].0 == "status" { "one" } else { "two" };
    assert!(outcomes.iter().all(|(_, by)| by == winner));
    running.stop().await;
}

#[tokio::test]
async fn an_id_of_something_else_finds_nothing_by_socket_either() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let session = events(&running, 3).await;
    let mut socket = phone.socket(app, None).await;
    let frames = [
        (
            "UNKNOWN_SESSION",
            json!({ "type": "streamSend", "data": { "session_id": phone.id, "text": "x", "client_id": "c" } }),
        ),
        ("UNKNOWN_SESSION", json!({ "type": "streamStart", "data": { "resume": phone.id, "prompt": "x" } })),
        ("UNKNOWN_SESSION", json!({ "type": "streamClose", "data": { "session_id": phone.id } })),
        ("UNKNOWN_SESSION", json!({ "type": "interrupt", "data": { "session_id": phone.id } })),
        (
            "UNKNOWN_APPROVAL",
            json!({ "type": "permission", "data": { "id": session.0, "decision": "allow", "input_hash": "" } }),
        ),
    ];
    for (n, (code, mut frame)) in frames.into_iter().enumerate() {
        frame["requestId"] = json!(n.to_string());
        socket.say(frame).await;
        let answer = socket.answer(&n.to_string()).await;
        assert_eq!((&answer["type"], &answer["data"]["code"]), (&json!("error"), &json!(code)), "{answer}");
    }
    assert_eq!(app.store.read(|r| store::events::after(r, 0, 10)).await.unwrap().len(), 3, "and changes nothing");
    running.stop().await;
}

#[tokio::test]
async fn a_token_that_has_run_out_opens_no_socket() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let late = app.callers.signer().sign(
        domain::PhoneId(phone.id.parse().unwrap()),
        domain::pairing::Scopes::ALL,
        domain::Timestamp(gateway::clock::now().0 - 16 * 60_000),
    );
    call(app, "GET", "/ws", Some(&late), None).await.is(401, "TOKEN_EXPIRED");
    let offered = [("sec-websocket-protocol", format!("lanyard.v1, lanyard.bearer.{late}"))];
    assert_eq!(refused(&Socket::at(app, "/ws", &offered).await.err().unwrap()).unwrap(), 401);
    running.stop().await;
}

#[tokio::test]
async fn presence_and_state_are_told() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let mut socket = phone.socket(app, None).await;
    socket.say(json!({ "type": "presence", "requestId": "1", "data": { "visible": true } })).await;
    assert_eq!(socket.answer("1").await["data"]["kind"], "accepted");
    assert!(app.callers.anyone_looks());
    let started = phone.post(app, "/api/stream/start", json!({ "prompt": "hello" })).await.body;
    let shown = socket.until(|f| f["data"]["kind"] == "session").await;
    assert_eq!(shown["data"]["id"], started["session_id"]);
    drop(socket);
    let away = async {
        while app.callers.anyone_looks() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, away).await.unwrap();
    running.stop().await;
}
