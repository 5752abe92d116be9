//! Hosts that the door speaks https with itself: the credential goes on where a rule says so, and pushes are looked into.

use crate::{support::*, tls::far};
use bytes::Bytes;
use egress::{Door, Kind, Policy, Settings};
use http_body_util::Full;
use hyper::{Request, StatusCode};
use std::sync::Arc;
use tokio::sync::mpsc;

struct World {
    house: Arc<FakeHouse>,
    door: Door,
    far: mpsc::UnboundedReceiver<Exchange>,
    /// `git.example:port`.
    place: String,
}

/// A far server that is `git.example` on loopback, which only a rule that says `private` reaches.
async fn world(rules: impl Fn(&str) -> Policy) -> World {
    let (settings, far) = far("git.example", &["http/1.1"]).await;
    let port = settings.model_base.port().unwrap();
    let place = format!("git.example:{port}");
    let names = Names::of(&[("git.example", &[&format!("127.0.0.1:{port}")])]);
    let (model, house) = (Model::start().await, FakeHouse::new());
    let settings = Settings { policy: rules(&place), roots: settings.roots, ..model.settings() };
    let door = Door::with_names(settings, house.clone(), names).unwrap();
    World { house, door, far, place }
}

fn signed(place: &str) -> Policy {
    Policy {
        allow: vec![format!("{place} private").parse().unwrap()],
        credentials: vec![format!("{place}/acme basic=x-access-token secret=github").parse().unwrap()],
        ..Policy::default()
    }
}

fn ask(world: &World, method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(format!("/host/{}{path}", world.place))
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("cookie", "mine=1")
        .header("x-http-method-override", "DELETE")
        .body(Full::new(body.into()))
        .unwrap()
}

async fn send(world: &World, request: Request<Full<Bytes>>) -> (StatusCode, String) {
    text(soon(client(&world.door).await.send_request(request)).await.unwrap()).await
}

#[tokio::test]
async fn the_owners_credential_goes_on_for_the_paths_of_its_rule_and_the_token_comes_off() {
    let mut world = world(signed).await;
    let expected = "Basic eC1hY2Nlc3MtdG9rZW46Z2hwX293bmVy"; // x-access-token:ghp_owner
    for (path, credential) in [("/acme/shop.git/info/refs?service=x", Some(expected)), ("/other/shop.git", None)] {
        let request = ask(&world, "GET", path, "");
        let mut client = client(&world.door).await;
        let answer = tokio::spawn(async move { client.send_request(request).await.unwrap() });
        let got = soon(world.far.recv()).await.unwrap();
        assert_eq!(got.parts.uri, path);
        assert_eq!(got.parts.headers["host"], world.place);
        let on = got.parts.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(on.as_deref(), credential, "{path}");
        for name in ["cookie", "x-http-method-override"] {
            assert!(got.parts.headers.get(name).is_none(), "{name}");
        }
        got.answer.send(whole(200, "refs")).unwrap();
        assert_eq!(text(soon(answer).await.unwrap()).await, (StatusCode::OK, "refs".into()));
    }
    let told = world.house.until(|t| t.carried.len() == 2).await;
    assert!(told.decisions.iter().all(|d| d.kind == Kind::Https && d.refused.is_none() && d.host == "git.example"));
}

#[tokio::test]
async fn without_the_token_or_against_a_refusal_nothing_leaves() {
    let mut world = world(|place| {
        let deny = vec!["DELETE git.example".parse().unwrap()];
        Policy { deny, ..signed(place) }
    })
    .await;
    let mut bare = ask(&world, "GET", "/acme/x", "");
    bare.headers_mut().insert("authorization", "Bearer wrong".parse().unwrap());
    assert_eq!(send(&world, bare).await.0, StatusCode::FORBIDDEN);
    let (status, body) = send(&world, ask(&world, "DELETE", "/acme/x", "")).await;
    assert!(status == StatusCode::FORBIDDEN && body.contains("A rule of the owner refuses"), "{body}");
    let (status, body) = send(&world, ask(&world, "GET", "/acme/../other", "")).await;
    assert!(status == StatusCode::BAD_REQUEST && body.contains("two ways"), "{body}");
    assert!(world.far.try_recv().is_err());
}

#[tokio::test]
async fn a_credential_that_cannot_be_had_sends_nothing() {
    let mut world = world(|place| Policy {
        credentials: vec![format!("{place} bearer secret=gone").parse().unwrap()],
        ..signed(place)
    })
    .await;
    let (_, body) = send(&world, ask(&world, "GET", "/acme/x", "")).await;
    assert!(body.starts_with("NO_KEY"), "{body}");
    assert!(world.far.try_recv().is_err());
}

const COMMAND: &str =
    "0000000000000000000000000000000000000000 1111111111111111111111111111111111111111 refs/heads/main";

fn push() -> String {
    let line = format!("{COMMAND}\0 report-status");
    format!("{:04x}{line}0000PACK and so on", line.len() + 4)
}

#[tokio::test]
async fn a_push_waits_for_the_owner_and_arrives_whole_or_not_at_all() {
    let mut world = world(signed).await;
    *world.house.owner.lock().unwrap() = Some(false);
    let (status, body) = send(&world, ask(&world, "POST", "/acme/shop.git/git-receive-pack", push())).await;
    assert!(status == StatusCode::FORBIDDEN && body.starts_with("PUSH_BLOCKED"), "{body}");
    assert!(world.far.try_recv().is_err());
    let asked = world.house.until(|t| t.pushes.len() == 1).await.pushes[0].clone();
    assert_eq!((asked.host.as_str(), asked.repository.as_str()), ("git.example", "acme/shop"));
    assert_eq!(asked.updates[0].branch(), Some("main"));

    *world.house.owner.lock().unwrap() = Some(true);
    let request = ask(&world, "POST", "/acme/shop.git/git-receive-pack", push());
    let mut client = client(&world.door).await;
    let answer = tokio::spawn(async move { client.send_request(request).await.unwrap() });
    let got = soon(world.far.recv()).await.unwrap();
    assert_eq!(got.body, push());
    got.answer.send(whole(200, "ok")).unwrap();
    assert_eq!(text(soon(answer).await.unwrap()).await.0, StatusCode::OK);

    for hidden in ["git-receive-pac%6b", "git-receive-pack/", "Git-Receive-Pack"] {
        let (status, body) = send(&world, ask(&world, "POST", &format!("/acme/shop.git/{hidden}"), push())).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{hidden}: {body}");
    }

    let mut hidden = ask(&world, "POST", "/acme/shop.git/git-receive-pack", push());
    hidden.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(send(&world, hidden).await.0, StatusCode::BAD_REQUEST);
    let certificate = "000epush-cert\x000000";
    let (status, _) = send(&world, ask(&world, "POST", "/acme/shop.git/git-receive-pack", certificate)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_host_that_repeats_the_credential_does_not_hand_it_to_the_sandbox() {
    let mut world = world(signed).await;
    let mut request = ask(&world, "GET", "/acme/echo", "");
    request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    let mut client = client(&world.door).await;
    let answer = tokio::spawn(async move { client.send_request(request).await.unwrap() });
    let got = soon(world.far.recv()).await.unwrap();
    assert_eq!(got.parts.headers["accept-encoding"], "identity", "what is compressed cannot be looked into");
    let sent = got.parts.headers["authorization"].to_str().unwrap().to_owned();
    let mut echo = whole(200, format!("{sent} is {FAR_SECRET}, with ghp_ at its head"));
    echo.headers_mut().insert("x-sent", sent.parse().unwrap());
    got.answer.send(echo).unwrap();
    let answer = soon(answer).await.unwrap();
    let coded = "*".repeat(sent.len() - 6);
    assert_eq!(answer.headers()["x-sent"], format!("Basic {coded}"));
    assert_eq!(text(answer).await.1, format!("Basic {coded} is *********, with ghp_ at its head"));
}
