//! What is behind the door, and how it is switched.

use crate::{
    HOST,
    api_world::{Phone, call, raw},
    ask, desk, opened, start, until_state,
    world::{self, Running, SOON, until},
};
use gateway::lan::{self, State};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn the_page_is_there_and_what_is_the_owners_alone_is_not() {
    let w = desk().await;
    let running = start(&w).await;
    let page = ask(&running, "/", &[]).await;
    assert!(page.status == 200 && page.body.contains("id=\"app\""), "{page:?}");
    assert_eq!(ask(&running, "/health", &[]).await.body, r#"{"status":"ok"}"#);
    for path in [
        "/status",
        "/phones",
        "/tunnel",
        "/lan",
        "/stop",
        "/approvals",
        "/secrets/forget",
        "/pairing",
        "/doctor",
        "/api/docs",
    ] {
        assert_eq!(ask(&running, path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(ask(&running, "/api/info", &[]).await.status, 401, "nobody is trusted for being near");
    running.stop().await;
}

#[tokio::test]
async fn each_way_in_has_names_of_its_own() {
    let w = desk().await;
    let running = start(&w).await;
    let port = opened(&running).await;
    for wrong in ["desk.example", "evil.example", "localhost", HOST] {
        assert_eq!(ask(&running, "/health", &[("host", wrong)]).await.status, 421, "{wrong} without our port");
    }
    let near = [("host", format!("{HOST}:{port}"))];
    raw(&running.app, "GET", "/health", &near, vec![]).await.is(421, "WRONG_HOST");
    running.stop().await;
}

#[tokio::test]
async fn a_page_of_one_address_may_call_the_other_and_no_other_page_may() {
    let w = desk().await;
    let running = start(&w).await;
    let near = format!("https://{HOST}:{}", opened(&running).await);
    let preflight = async |origin: &str| {
        let headers = [
            ("origin", origin.to_owned()),
            ("access-control-request-method", "POST".into()),
            ("access-control-request-headers", "authorization,content-type".into()),
            ("access-control-request-private-network", "true".into()),
        ];
        raw(&running.app, "OPTIONS", "/api/ticket", &headers, vec![]).await.headers
    };
    for ours in [near.as_str(), "https://desk.example"] {
        let allowed = preflight(ours).await;
        assert_eq!(allowed["access-control-allow-origin"], ours);
        assert_eq!(allowed["access-control-allow-private-network"], "true");
    }
    for foreign in ["https://evil.example", &near.replace("https", "http"), &format!("https://{HOST}")] {
        let refused = preflight(foreign).await;
        assert!(!refused.contains_key("access-control-allow-origin"), "{foreign}");
        assert!(!refused.contains_key("access-control-allow-private-network"), "{foreign}");
    }
    let policy = world::get(&running.app, "/").await;
    assert!(
        policy.contains(&format!("connect-src 'self' https://desk.example wss://desk.example {near} wss://{HOST}:")),
        "{policy}"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_phone_is_told_every_address_when_it_comes_and_when_one_changes() {
    let w = desk().await;
    let running = start(&w).await;
    let port = opened(&running).await;
    let phone = Phone::pair(&running.app, "phone").await;
    let mut socket = phone.socket(&running.app, None).await;
    let both = json!([format!("https://{HOST}:{port}"), format!("https://127.0.0.1:{port}")]);
    let welcome = socket.of_type("welcome").await;
    assert_eq!(
        (&welcome["data"]["status"]["tunnel"], &welcome["data"]["status"]["lan"]),
        (&json!("https://desk.example"), &both)
    );
    running.app.lan.switch.turn(false);
    socket.until(|frame| frame["data"]["kind"] == "house" && frame["data"]["lan"] == json!([])).await;
    running.app.lan.switch.turn(true);
    socket.until(|frame| frame["data"]["kind"] == "house" && frame["data"]["lan"] == both).await;
    running.stop().await;
}

#[tokio::test]
async fn one_switch_closes_and_opens_it_and_a_restart_changes_nothing_phones_know() {
    let w = desk().await;
    let running = start(&w).await;
    let (port, fingerprint) = (opened(&running).await, running.app.lan.certificate().unwrap().fingerprint);
    let said = post(&running, "/lan", r#"{"on":false}"#).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    until_state(&running, |s| *s == State::Off).await;
    until(SOON, async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err().then_some(())).await;
    running.stop().await;
    let running = start(&w).await;
    assert_eq!(*running.app.lan.state().borrow(), State::Off, "the switch outlives a restart");
    post(&running, "/lan", r#"{"on":true}"#).await;
    assert_eq!(opened(&running).await, port, "phones know the port");
    assert_eq!(running.app.lan.certificate().unwrap().fingerprint, fingerprint, "and the certificate");
    let status = get(&running, "/status").await;
    assert!(status.contains(&format!("https://{HOST}:{port}")) && status.contains(&fingerprint), "{status}");
    let doctor = get(&running, "/doctor").await;
    assert!(doctor.contains(r#""what":"lan","state":"well""#), "{doctor}");
    running.stop().await;
}

#[tokio::test]
async fn with_no_other_address_a_phone_is_paired_over_the_local_network() {
    let w = desk().await;
    let mut config = w.resolved();
    (config.lan.enabled, config.lan.reach, config.public_url) = (true, tunnel::Reach::Loopback, None);
    let running = w.start_with(config).await;
    let port = opened(&running).await;
    let shown = gateway::pairing::offer(&running.app, true);
    assert_eq!(shown.url, format!("https://{HOST}:{port}/pair#c={}", shown.code));
    assert_eq!(shown.also[0], format!("https://127.0.0.1:{port}/pair#c={}", shown.code));
    running.stop().await;
}

#[tokio::test]
async fn while_it_is_off_there_is_no_certificate_to_be_had_and_no_word_of_it() {
    let w = desk().await;
    let running = w.start().await;
    call(&running.app, "GET", lan::CERTIFICATE_PATH, None, None).await.is(404, "NOT_FOUND");
    let doctor = get(&running, "/doctor").await;
    assert!(!doctor.contains(r#""what":"lan""#), "{doctor}");
    running.stop().await;
}

async fn get(running: &Running, path: &str) -> String {
    local(running, &format!("GET {path} HTTP/1.1\r\nhost: local\r\nconnection: close\r\n\r\n")).await
}

async fn post(running: &Running, path: &str, body: &str) -> String {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: local\r\ncontent-type: application/json\r\ncontent-length: {length}");
    local(running, &format!("{head}\r\nconnection: close\r\n\r\n{body}")).await
}

/// Through the local door.
async fn local(running: &Running, request: &str) -> String {
    let mut stream = tokio::net::UnixStream::connect(running.app.paths.local_door()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
