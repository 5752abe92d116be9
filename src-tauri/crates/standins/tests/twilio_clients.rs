//! Twilio's own helper libraries must not notice that they talk to the stand-in.

use bytes::Bytes;
use serde_json::{Value, json};
use standins::{
    oracle,
    twilio::{ACCOUNT, API_KEY, API_SECRET, NUMBER, SERVICE, TOKEN, Twilio},
};
use std::{path::Path, process::Command, time::Duration};

const PHONE: &str = "+15551230001";
const OUT: &str = "+15551230002";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\npicture";

/// Somewhere to fetch a picture from.
async fn picture() -> (String, tokio::task::JoinHandle<()>) {
    let app =
        axum::Router::new().route("/p.png", axum::routing::get(|| async { ([("content-type", "image/png")], PNG) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/p.png", listener.local_addr().unwrap());
    (url, tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }))
}

async fn talk(mut client: Command) -> (Twilio, Value) {
    let twilio = Twilio::start().await.unwrap();
    let (picture, server) = picture().await;
    twilio.phone(OUT).text(NUMBER, "STOP").await.unwrap();
    let media = vec![("image/png".to_owned(), Bytes::from_static(PNG))];
    twilio.phone(PHONE).text_with(NUMBER, "look", media).await.unwrap();
    let asked = json!({
        "host": twilio.url(), "account": ACCOUNT, "token": TOKEN, "key": API_KEY, "secret": API_SECRET,
        "ours": NUMBER, "phone": PHONE, "out": OUT, "service": SERVICE, "picture": picture,
    });
    let said = tokio::task::spawn_blocking(move || oracle::ask(&mut client, &asked)).await.unwrap().unwrap();
    twilio.settled(Duration::from_secs(10)).await.unwrap();
    server.abort();
    (twilio, said)
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles").join(name)
}

/// What either library has to see.
async fn check(client: Command) {
    let (twilio, said) = talk(client).await;
    let created = said["created"].as_array().unwrap();
    assert_eq!(created.len(), 5);
    for (n, m) in created.iter().enumerate() {
        assert!(m[0].as_str().unwrap().starts_with("SM"));
        assert_eq!(
            m.as_array().unwrap()[1..],
            [json!("queued"), json!("1"), json!("outbound-api"), json!(format!("number {n} é😀"))]
        );
    }
    assert!(said["picture"][0].as_str().unwrap().starts_with("MM"));
    assert_eq!(said["picture"][1], "1");
    assert_eq!(said["service"], "accepted");
    let listed: Vec<_> = said["listed"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .filter(|b| b.starts_with("number"))
        .collect();
    assert_eq!(listed, ["number 4 é😀", "number 3 é😀", "number 2 é😀", "number 1 é😀", "number 0 é😀"]);
    assert_eq!((&said["limited"], &said["after"], &said["before"]), (&json!(3), &json!(true), &json!(0)));
    assert_eq!(said["fetched"], json!([created[0][0], "number 0 é😀", true]));
    assert_eq!(said["media"], json!([["image/png", true]]));
    assert_eq!(
        (&said["media_fetch"], &said["media_delete"], &said["media_left"]),
        (&json!("image/png"), &json!(true), &json!(0))
    );
    assert_eq!(said["deleted"], true);
    assert_eq!(said["number"], json!([NUMBER, "https://desk.example/sms#rc=5&rp=all", true]));
    assert_eq!(said["account"], json!([ACCOUNT, "active", "Full"]));
    assert_eq!(said["by_key"], true);
    assert_eq!(
        said["errors"],
        json!({
            "to": [400, 21211], "empty": [400, 21602], "long": [400, 21617], "from": [400, 21606], "itself": [400, 21266],
            "out": [400, 21610], "gone": [404, 20404], "who": [401, 20003],
        })
    );
    let shown = twilio.phone(PHONE).received();
    assert!(shown.iter().any(|m| m.pictures.iter().any(|p| p.bytes == PNG && p.media_type == "image/png")));
    twilio.stop().await;
}

#[tokio::test]
async fn the_python_library_is_content() {
    let python = tokio::task::spawn_blocking(|| oracle::python(&["twilio==9.13.0"])).await.unwrap().unwrap();
    let mut client = Command::new(python);
    client.arg(script("twilio_client.py"));
    check(client).await;
}

#[tokio::test]
async fn the_node_library_is_content() {
    let modules = tokio::task::spawn_blocking(|| oracle::node(&["twilio@6.2.0"])).await.unwrap().unwrap();
    let mut client = Command::new("node");
    client.arg(script("twilio_client.js")).env("NODE_PATH", modules.join("node_modules"));
    check(client).await;
}
