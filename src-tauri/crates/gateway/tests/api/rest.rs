//! REST: sessions, words, search, export, and what is refused.

use crate::{
    api_world::{Phone, Socket, append, call, events, raw, token},
    world::{self, SOON, Wish, World},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{agent::Picture, event::Event, phrases, session::Write};
use gateway::{
    links::{self, Target},
    sessions::Scene,
};
use serde_json::{Value, json};
use std::time::Duration;
use store::artifacts::Artifact;

const NOBODY: &str = "0197c7c8-0000-7000-8000-000000000000";

#[tokio::test]
async fn the_same_words_sent_again_are_said_once_and_get_the_same_answer() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let (one, two) = (Phone::pair(app, "one").await, Phone::pair(app, "two").await);
    let started = one.post(app, "/api/stream/start", json!({ "title": "billing" })).await.body;
    let path = format!("/api/stream/{}", started["session_id"].as_str().unwrap());
    let words = json!({ "text": "fix it", "client_id": "c1" });
    let first = one.post(app, &path, words.clone()).await;
    assert_eq!((first.status, &first.body["fresh"]), (202, &json!(true)), "{}", first.text);
    let tries = futures::future::join_all((0..8).map(|_| one.post(app, &path, words.clone()))).await;
    for again in tries {
        assert_eq!((&again.body["event"], &again.body["fresh"]), (&first.body["event"], &json!(false)));
    }
    let other = two.post(app, &path, words).await;
    assert_eq!(other.body["fresh"], true, "another phone's c1 is another");
    let said = app.store.read(|r| store::events::after(r, 0, 1000)).await.unwrap();
    let said = said.iter().filter(|e| matches!(e.event, domain::event::Event::Said { .. })).count();
    assert_eq!(said, 2);
    let another = one.post(app, "/api/stream/start", json!({})).await.body["session_id"].as_str().unwrap().to_owned();
    let elsewhere = json!({ "text": "other words", "client_id": "c1" });
    let again = one.post(app, &format!("/api/stream/{another}"), elsewhere).await;
    assert_eq!(
        (&again.body["session_id"], &again.body["event"]),
        (&started["session_id"], &first.body["event"]),
        "the same id in another session is still the first message"
    );
    let start = json!({ "prompt": "hello", "client_id": "s1" });
    let (a, b) =
        (one.post(app, "/api/stream/start", start.clone()).await, one.post(app, "/api/stream/start", start).await);
    assert_eq!(a.body["session_id"], b.body["session_id"]);
    assert_eq!(a.body["session_id"].as_str().map(str::len), Some(36));
    running.stop().await;
}

#[tokio::test]
async fn an_id_of_something_else_finds_nothing() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let session = events(&running, 3).await;
    let allow = json!({ "decision": "allow", "input_hash": "0" });
    phone.post(app, &format!("/api/permission/{session}"), allow).await.is(404, "UNKNOWN_APPROVAL");
    phone.get(app, &format!("/api/artifacts/{session}")).await.is(404, "NOT_FOUND");
    let not_a_session = phone.id.clone();
    for path in ["", "/events", "/artifacts", "/export"] {
        phone.get(app, &format!("/api/sessions/{not_a_session}{path}")).await.is(404, "UNKNOWN_SESSION");
    }
    for (method, path) in [("POST", "/interrupt"), ("DELETE", "")] {
        let path = format!("/api/stream/{not_a_session}{path}");
        call(app, method, &path, Some(&phone.access), None).await.is(404, "UNKNOWN_SESSION");
    }
    let before = running.app.store.read(|r| store::events::after(r, 0, 10)).await.unwrap().len();
    assert_eq!(before, 3, "and changes nothing");
    running.stop().await;
}

#[tokio::test]
async fn bad_requests_get_a_code_a_sentence_and_a_suggestion() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let session = events(&running, 1).await;
    let stream = format!("/api/stream/{session}");
    let say = |text: &str, id: &str| json!({ "text": text, "client_id": id });
    phone.post(app, &stream, say("", "c")).await.is(400, "BAD_REQUEST");
    phone.post(app, &stream, say(&"x".repeat(100_001), "c")).await.is(400, "BAD_REQUEST");
    phone.post(app, &stream, say("x", "")).await.is(400, "BAD_REQUEST");
    phone.post(app, &stream, say("x", &"c".repeat(101))).await.is(400, "BAD_REQUEST");
    phone.post(app, &stream, json!({ "text": 1 })).await.is(400, "BAD_REQUEST");
    phone.post(app, &format!("/api/stream/{NOBODY}"), say("x", "c")).await.is(404, "UNKNOWN_SESSION");
    phone.post(app, "/api/stream/..%2f..", say("x", "c")).await.is(404, "NOT_FOUND");
    phone.post(app, "/api/stream/start", json!({ "agent": "hal" })).await.is(404, "UNKNOWN_AGENT");
    phone.post(app, "/api/stream/start", json!({ "permission_mode": "yolo" })).await.is(400, "BAD_REQUEST");
    phone.post(app, "/api/stream/start", json!({ "resume": NOBODY })).await.is(404, "UNKNOWN_SESSION");
    phone
        .post(app, &format!("/api/permission/{NOBODY}"), json!({ "decision": "allow", "input_hash": "" }))
        .await
        .is(404, "UNKNOWN_APPROVAL");
    for path in [
        format!("/api/sessions/{NOBODY}"),
        format!("/api/sessions/{NOBODY}/events"),
        format!("/api/sessions/{NOBODY}/artifacts"),
        format!("/api/sessions/{NOBODY}/export"),
    ] {
        phone.get(app, &path).await.is(404, "UNKNOWN_SESSION");
    }
    phone.get(app, &format!("/api/artifacts/{NOBODY}")).await.is(404, "NOT_FOUND");
    for path in [
        "/api/sessions?limit=0",
        "/api/sessions?limit=999",
        "/api/sessions?cursor=x",
        "/api/sessions?state=dead",
        "/api/search?q=",
        "/api/search",
    ] {
        phone.get(app, path).await.is(400, "BAD_REQUEST");
    }
    call(app, "PUT", "/api/sessions", Some(&phone.access), None).await.is(405, "WRONG_METHOD");
    let bearer = ("authorization", format!("Bearer {}", phone.access));
    let json_type = ("content-type", "application/json".to_owned());
    raw(app, "POST", &stream, &[bearer.clone(), json_type.clone()], b"{".to_vec()).await.is(400, "BAD_REQUEST");
    raw(app, "POST", &stream, std::slice::from_ref(&bearer), b"{}".to_vec()).await.is(415, "WRONG_TYPE");
    let deep = "[".repeat(100_000).into_bytes();
    raw(app, "POST", &stream, &[bearer.clone(), json_type.clone()], deep).await.is(400, "BAD_REQUEST");
    let large = vec![b' '; 1_100_000];
    raw(app, "POST", "/api/stream/start", &[bearer.clone(), json_type.clone()], large).await.is(413, "TOO_LARGE");
    let huge = vec![b' '; 28_000_001];
    for path in [&stream, "/api/ask"] {
        raw(app, "POST", path, &[bearer.clone(), json_type.clone()], huge.clone()).await.is(413, "TOO_LARGE");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_picture_must_be_what_it_says_and_comes_back_as_it_was() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let session = events(&running, 0).await;
    let stream = format!("/api/stream/{session}");
    let png = b"\x89PNG\r\n\x1a\n and the rest";
    let say = |media_type: &str, bytes: &[u8], id: &str| json!({ "text": "look", "client_id": id, "images": [{ "media_type": media_type, "data": STANDARD.encode(bytes) }] });
    phone.post(app, &stream, say("image/jpeg", png, "a")).await.is(415, "PICTURE_REFUSED");
    phone.post(app, &stream, say("image/png", b"MZ", "b")).await.is(415, "PICTURE_REFUSED");
    phone
        .post(app, &stream, say("image/png", &[&png[..], &vec![0; 5_000_000]].concat(), "c"))
        .await
        .is(415, "PICTURE_REFUSED");
    let large = [&png[..], &vec![0; 2_000_000]].concat();
    let said = phone.post(app, &stream, say("image/png", &large, "d")).await;
    assert_eq!(said.status, 202, "{}", said.text);
    let listed = phone.get(app, &format!("/api/sessions/{session}/artifacts")).await.body["artifacts"][0].clone();
    assert_eq!(
        (listed["media_type"].as_str(), listed["bytes"].as_u64()),
        (Some("image/png"), Some(large.len() as u64))
    );
    let bytes = phone.get(app, &format!("/api/artifacts/{}", listed["id"].as_str().unwrap())).await;
    assert_eq!(bytes.headers["content-type"], "image/png");
    assert!(bytes.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    let by_link = call(app, "GET", listed["url"].as_str().unwrap(), None, None).await;
    assert_eq!((by_link.status, by_link.text.len()), (200, bytes.text.len()), "without a token, for a while");
    running.stop().await;
}

#[tokio::test]
async fn an_artifact_opens_to_the_proof_of_its_own_link_and_acts_as_nothing_else() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let now = gateway::clock::now();
    let kept = async |mut artifact: Artifact, made: domain::Timestamp| {
        artifact.media_type = "text/html".into();
        let id = artifact.id;
        let link = app.store.write(move |tx| {
            store::artifacts::put(tx, &artifact)?;
            links::make(tx, Target::Media(id), Duration::from_secs(60), made)
        });
        let path = app.link_key().await.path(&link.await.unwrap()).unwrap();
        (format!("/api/artifacts/{id}"), path.replace("/m/", ""))
    };
    let (one, proof) = kept(world::picture(now).1, now).await;
    let (other, _) = kept(world::picture(now).1, now).await;
    let (old, late) = kept(world::picture(now).1, now - Duration::from_secs(120)).await;
    let get = async |path: String| call(app, "GET", &path, None, None).await;
    for path in [format!("{one}?proof={proof}"), format!("/m/{proof}")] {
        let said = get(path).await;
        assert_eq!((said.status, &said.bytes[..]), (200, &world::png()[..]));
        assert_eq!(said.headers["content-security-policy"], "default-src 'none'; sandbox");
        assert_eq!(said.headers["x-content-type-options"], "nosniff");
    }
    get(one.clone()).await.is(401, "NOT_PAIRED");
    get(format!("{other}?proof={proof}")).await.is(404, "NOT_FOUND");
    get(format!("{one}?proof={}", "A".repeat(23))).await.is(404, "NOT_FOUND");
    get(format!("{old}?proof={late}")).await.is(410, "LINK_EXPIRED");
    running.stop().await;
}

#[tokio::test]
async fn a_tools_picture_is_kept_as_what_it_is_and_what_is_none_is_dropped() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let session = events(&running, 0).await;
    let of = |bytes: &[u8]| Picture { media_type: "text/html".into(), bytes: bytes.into() };
    let pictures = [of(&world::png()), of(b"<script>alert(1)</script>")];
    let (scene, text) = (Scene::of(app, session), String::new());
    let finished = Event::ToolFinished { id: "t".into(), ok: true, text, detail: None, pictures: Vec::new() };
    let write = move |tx: &store::Tx<'_>| {
        scene.write_all(tx, &[Write::Append(finished.clone())], &pictures, gateway::clock::now())
    };
    app.store.write(write).await.unwrap();
    let kept = app.store.read(move |r| store::artifacts::outlines(r, session, None, 10)).await.unwrap();
    assert_eq!(kept.iter().map(|a| a.media_type.as_str()).collect::<Vec<_>>(), ["image/png"]);
    let told = app.store.read(|r| store::events::after(r, 0, 10)).await.unwrap();
    let told: Vec<Event> = told.into_iter().map(|e| e.event).collect();
    assert!(matches!(&told[0], Event::ToolFinished { pictures, .. } if pictures == &[kept[0].id]), "{told:?}");
    assert!(matches!(&told[1], Event::Noticed { text } if *text == phrases::no_picture(1)), "{told:?}");
    running.stop().await;
}

#[tokio::test]
async fn history_is_paged_both_ways_without_a_gap() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let other = events(&running, 3).await;
    let session = events(&running, 23).await;
    append(&running, other, 4).await;
    append(&running, session, 2).await;
    let path = format!("/api/sessions/{session}/events");
    let seqs = |body: &Value| {
        body["events"].as_array().unwrap().iter().map(|e| e["seq"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let (mut forward, mut after) = (Vec::new(), 0);
    loop {
        let page = phone.get(app, &format!("{path}?after={after}&limit=7")).await.body;
        forward.extend(seqs(&page));
        after = *forward.last().unwrap();
        if page["more"] == false {
            break;
        }
    }
    let newest = phone.get(app, &format!("{path}?limit=7")).await.body;
    let mut backward = seqs(&newest);
    while backward.len() < 25 {
        let page = phone.get(app, &format!("{path}?before={}&limit=7", backward[0])).await.body;
        backward = [seqs(&page), backward].concat();
        assert_eq!(page["more"], backward.len() < 25);
    }
    assert_eq!((forward.len(), &forward), (25, &backward));
    running.stop().await;
}

#[tokio::test]
async fn sessions_are_listed_found_changed_and_exported() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let id = phone.post(app, "/api/stream/start", json!({ "title": "old title" })).await.body["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let session = domain::SessionId(id.parse().unwrap());
    let write = app.store.write(move |tx| {
        let text = "The <script>alert(1)</script> invoice is *right*".to_owned();
        store::events::append(
            tx,
            session,
            &domain::event::Event::Answered { turn: None, message: "m".into(), text },
            gateway::clock::now(),
        )
    });
    write.await.unwrap();
    for n in 0..6 {
        phone.post(app, "/api/stream/start", json!({ "title": format!("other {n}") })).await;
    }
    let change = json!({ "title": "billing", "tags": ["work", "work", "money"] });
    let changed = call(app, "PATCH", &format!("/api/sessions/{id}"), Some(&phone.access), Some(&change)).await.body;
    assert_eq!((&changed["title"], &changed["tags"]), (&json!("billing"), &json!(["money", "work"])));
    let mut pages = Vec::new();
    let mut path = "/api/sessions?limit=3".to_owned();
    loop {
        let page = phone.get(app, &path).await.body;
        pages.extend(page["sessions"].as_array().unwrap().iter().map(|s| s["number"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/sessions?limit=3&cursor={next}");
    }
    assert_eq!(pages.len(), 7);
    for query in ["tag=work", "text=invoice", "text=BILLING", "tag=money&agent=claude&state=cold"] {
        let found = phone.get(app, &format!("/api/sessions?{query}")).await.body;
        assert_eq!(found["sessions"].as_array().unwrap().len(), 1, "{query}");
        assert_eq!(found["sessions"][0]["id"], id, "{query}");
    }
    let hits = phone.get(app, "/api/search?q=invoice%20rig").await.body;
    assert_eq!(hits["hits"][0]["session_title"], "billing");
    assert!(hits["hits"][0]["snippet"].as_str().unwrap().contains("\u{E000}invoice\u{E001}"));
    let export = async |format: &str| phone.get(app, &format!("/api/sessions/{id}/export?format={format}")).await;
    assert!(export("md").await.text.starts_with("# billing\n"));
    assert_eq!(export("json").await.body.as_array().unwrap().last().unwrap()["type"], "streamData");
    let html = export("html").await;
    assert!(html.text.contains("<em>right</em>") && !html.text.contains("<script"), "{}", html.text);
    assert!(html.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    running.stop().await;
}

#[tokio::test]
async fn an_export_holds_changes_of_files_and_pictures_and_nothing_in_it_acts() {
    use domain::{ArtifactId, event::Event};
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let started = phone.post(app, "/api/stream/start", json!({ "title": "pictures" })).await.body;
    let id = started["session_id"].as_str().unwrap().to_owned();
    let session = domain::SessionId(id.parse().unwrap());
    let write = app.store.write(move |tx| {
        let now = gateway::clock::now();
        let artifact = |media_type: &str, caption: &str, bytes: &[u8]| store::artifacts::Artifact {
            id: ArtifactId::new(),
            session: Some(session),
            turn: None,
            media_type: media_type.into(),
            caption: Some(caption.into()),
            bytes: bytes.to_vec(),
            created_at: now,
        };
        let picture = artifact("image/png", "\"><script>alert(1)</script>", b"\x89PNG");
        let drawing = artifact("image/svg+xml", "a drawing", b"<svg onload=\"alert(1)\"/>");
        let huge = artifact("image/jpeg", "a wall", &vec![0; 25_000_000]);
        for artifact in [&picture, &drawing, &huge] {
            store::artifacts::put(tx, artifact)?;
        }
        let made = |a: &store::artifacts::Artifact| Event::ArtifactMade {
            turn: None,
            artifact: a.id,
            media_type: a.media_type.clone(),
            caption: a.caption.clone(),
        };
        let edit = |id: &str, old: &str, new: &str| Event::ToolUsed {
            turn: None,
            id: id.into(),
            tool: "Edit".into(),
            input: json!({ "file_path": "/workspace/index.html", "old_string": old, "new_string": new }),
            parent: None,
        };
        let finished = Event::ToolFinished {
            id: "t1".into(),
            ok: true,
            text: "The file has been updated.".into(),
            detail: Some(json!({ "structuredPatch": [{ "oldStart": 3, "oldLines": 1, "newStart": 3, "newLines": 1,
                "lines": ["-<b>old</b>", "+<script>alert(2)</script>"] }] })),
            pictures: vec![picture.id],
        };
        let all = [edit("t1", "<b>old</b>", "x"), finished, made(&drawing), made(&huge), edit("t2", "cut\n", "off\n")];
        all.iter().try_for_each(|event| store::events::append(tx, session, event, now).map(drop))
    });
    write.await.unwrap();
    let export = async |format: &str| phone.get(app, &format!("/api/sessions/{id}/export?format={format}")).await.text;
    let (md, html) = (export("md").await, export("html").await);
    let diff = "```diff\n--- /workspace/index.html\n+++ /workspace/index.html\n@@ -3,1 +3,1 @@\n-<b>old</b>\n+<script>alert(2)</script>\n```";
    assert!(md.contains(diff) && md.contains("@@\n-cut\n+off\n```"), "{md}");
    assert!(md.contains("<data:image/png;base64,iVBORw==>") && !md.contains("has been updated"), "{md}");
    assert!(
        md.contains("a wall (image/jpeg, 25.0 MB) is left out here") && md.contains("image/svg+xml: a drawing"),
        "{md}"
    );
    assert!(html.contains("<img src=\"data:image/png;base64,iVBORw==\""), "{html}");
    assert!(html.contains("<span class=\"came\">+&lt;script&gt;alert(2)&lt;/script&gt;"), "{html}");
    assert!(!html.contains("<script") && !html.contains("<svg") && !html.contains("image/svg+xml;base64"), "{html}");
    running.stop().await;
}

#[tokio::test]
async fn an_ask_that_cannot_be_answered_says_why_and_leaves_nothing_waiting() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    phone.post(app, "/api/ask", json!({ "prompt": "hello" })).await.is(503, "NO_ENGINE");
    let waits = async {
        while !app.store.read(|r| store::inbox::sessions_waiting(r)).await.unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, waits).await.unwrap();
    phone.post(app, "/api/ask", json!({ "prompt": "hello", "timeout_ms": 0 })).await.is(400, "BAD_REQUEST");
    running.stop().await;
}

#[tokio::test]
async fn info_says_what_there_is() {
    let w = World::new(Wish { config: "[limits]\nsessions = 3\nturn_minutes = 7\n", ..Wish::default() }).await;
    let running = w.start().await;
    let reader = token(&running.app, &["read"]).await;
    let info = call(&running.app, "GET", "/api/info", Some(&reader), None).await.body;
    assert_eq!((&info["limits"]["sessions"], &info["limits"]["turn_minutes"]), (&json!(3), &json!(7)));
    assert_eq!(info["permission_modes"], json!(["default", "acceptEdits", "bypassPermissions", "plan"]));
    running.stop().await;
}

#[tokio::test]
async fn a_mode_that_asks_less_takes_the_scope_that_answers() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let session = events(&running, 1).await;
    let script = token(app, &["read", "chat"]).await;
    let start = async |body: Value| call(app, "POST", "/api/stream/start", Some(&script), Some(&body)).await;
    for mode in ["bypassPermissions", "acceptEdits", "default"] {
        start(json!({ "resume": session, "permission_mode": mode })).await.is(403, "SCOPE_MISSING");
    }
    start(json!({ "permission_mode": "bypassPermissions" })).await.is(403, "SCOPE_MISSING");
    for body in [json!({ "permission_mode": "default" }), json!({ "resume": session, "permission_mode": "plan" })] {
        assert_eq!(start(body).await.status, 200);
    }
    let mut socket = Socket::open(app, &script, None).await.unwrap();
    let data = json!({ "resume": session, "permission_mode": "acceptEdits" });
    socket.say(json!({ "type": "streamStart", "requestId": "1", "data": data })).await;
    assert_eq!(socket.answer("1").await["data"]["code"], "SCOPE_MISSING");
    let phone = Phone::pair(app, "phone").await;
    let allowed = json!({ "resume": session, "permission_mode": "acceptEdits" });
    assert_eq!(phone.post(app, "/api/stream/start", allowed).await.status, 200);
    running.stop().await;
}

#[tokio::test]
async fn words_that_strangers_make_up_become_no_series_of_the_metrics() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    for n in 0..20 {
        raw(&running.app, &format!("MADEUP{n}"), "/health", &[], vec![]).await;
    }
    let reader = token(&running.app, &["read"]).await;
    let metrics = call(&running.app, "GET", "/metrics", Some(&reader), None).await.text;
    assert!(!metrics.contains("MADEUP") && metrics.contains("method=\"other\""), "{metrics}");
    running.stop().await;
}
