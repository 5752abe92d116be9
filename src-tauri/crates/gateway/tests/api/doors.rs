//! What is reachable from where, and what strangers meet.

use crate::{
    api_world::{HOST, Phone, Socket, call, events, local, raw, refused, token},
    world::{self, SOON, Wish, World, resident_mb},
};
use gateway::doors::{self, Way};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// Of the API the local door alone has the page to try it.
const DOCS: &[(&str, &str)] = &[("get", "/api/docs"), ("get", "/api/docs/"), ("get", "/api/docs/swagger-ui-bundle.js")];

#[tokio::test]
async fn what_is_the_owners_alone_is_not_on_the_public_door() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "phone").await;
    let owners = doors::local::OWNERS.iter().copied().flatten();
    assert!(owners.clone().any(|(_, path)| *path == "/approvals/{id}"), "blanks are written so");
    for (method, path) in owners.chain(DOCS) {
        let path = path.replace("{id}", "0197c7c8-0000-7000-8000-000000000000").replace("{number}", "1");
        let path = path.replace("{fix}", "restart").replace("{account}", "anthropic");
        call(&running.app, &method.to_uppercase(), &path, Some(&phone.access), None).await.is(404, "NOT_FOUND");
    }
    running.stop().await;
}

#[tokio::test]
async fn every_route_of_the_description_wants_a_token() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let whole = call(&running.app, "GET", "/api/openapi.json", None, None).await.body;
    assert_eq!(whole["openapi"], "3.1.0");
    let mut seen = 0;
    for (path, methods) in whole["paths"].as_object().unwrap() {
        for (method, about) in methods.as_object().unwrap() {
            let open = about["security"].as_array().is_some_and(|s| s.contains(&json!({})));
            let path = path.replace("{id}", "0197c7c8-0000-7000-8000-000000000000").replace("{name}", &"A".repeat(23));
            for bad in [None, Some("x"), Some("lanyard_a_e30.AAAA"), Some("lanyard_t_AAAA")] {
                let said = call(&running.app, &method.to_uppercase(), &path, bad, None).await;
                if path == "/ws" || path.starts_with("/api/artifacts") || !open {
                    said.is(401, "NOT_PAIRED");
                } else if path.starts_with("/api/link") {
                    said.is(404, "NOT_FOUND");
                } else {
                    assert!(path == "/health" || [400, 415].contains(&said.status), "{path}: {}", said.text);
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen}");
    running.stop().await;
}

#[tokio::test]
async fn no_token_works_in_an_address() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "phone").await;
    for name in ["token", "access_token", "bearer", "authorization", "ticket"] {
        call(&running.app, "GET", &format!("/api/info?{name}={}", phone.access), None, None)
            .await
            .is(401, "NOT_PAIRED");
        let socket = Socket::at(&running.app, &format!("/ws?{name}={}", phone.access), &[]).await.err().unwrap();
        assert_eq!(refused(&socket).unwrap(), 401);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_token_of_one_phone_is_not_another_phones_and_every_bad_one_is_refused() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let (one, two) = (Phone::pair(&running.app, "one").await, Phone::pair(&running.app, "two").await);
    let (body, mac) = one.access.split_once('.').unwrap();
    let (other_body, other_mac) = two.access.split_once('.').unwrap();
    for forged in [
        format!("{body}.{other_mac}"),
        format!("{other_body}.{mac}"),
        body.to_owned(),
        format!("{body}."),
        one.refresh.clone(),
    ] {
        call(&running.app, "GET", "/api/info", Some(&forged), None).await.is(401, "NOT_PAIRED");
    }
    let late = running.app.callers.signer().sign(
        domain::PhoneId(one.id.parse().unwrap()),
        domain::pairing::Scopes::ALL,
        domain::Timestamp(gateway::clock::now().0 - 16 * 60_000),
    );
    call(&running.app, "GET", "/api/info", Some(&late), None).await.is(401, "TOKEN_EXPIRED");
    let more_than_given = running.app.callers.signer().sign(
        domain::PhoneId(one.id.parse().unwrap()),
        domain::pairing::Scopes::read("chat"),
        gateway::clock::now(),
    );
    call(&running.app, "GET", "/api/info", Some(&more_than_given), None).await.is(403, "SCOPE_MISSING");
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_host_and_a_foreign_page_are_refused() {
    let w = World::new(Wish {
        config: "[api]\norigins = [\"https://friend.example\"]\nhosts = [\"desk.lan:8443\"]\n",
        ..Wish::default()
    })
    .await;
    let running = w.start().await;
    let app = &running.app;
    let asked =
        async |name: &'static str, value: &str| raw(app, "GET", "/health", &[(name, value.to_owned())], vec![]).await;
    asked("host", "evil.example").await.is(421, "WRONG_HOST");
    assert_eq!(asked("host", "desk.lan:8443").await.status, 200);
    for ours in ["https://desk.example", "https://friend.example"] {
        assert_eq!(asked("origin", ours).await.headers["access-control-allow-origin"], ours);
    }
    let foreign = asked("origin", "https://evil.example").await;
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));
    let phone = Phone::pair(app, "phone").await;
    let bearer = ("authorization", format!("Bearer {}", phone.access));
    let hijack = Socket::at(app, "/ws", &[bearer, ("origin", "https://evil.example".into())]).await.err().unwrap();
    assert_eq!(refused(&hijack).unwrap(), 421);
    let headers = asked("host", HOST).await.headers;
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store")]
    {
        assert_eq!(headers[name], value);
    }
    assert!(headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    running.stop().await;
}

#[tokio::test]
async fn each_way_in_has_names_of_its_own() {
    let w = World::new(Wish { config: "[api]\nhosts = [\"desk.lan:8443\"]\n", ..Wish::default() }).await;
    let running = w.start().await;
    let (app, port) = (&running.app, running.app.public_addr.port());
    let ours = |way, host: &str| doors::api::is_ours(app, way, host);
    for near in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), app.public_addr.to_string()] {
        assert_eq!([Way::Port, Way::Tunnel, Way::Lan].map(|way| ours(way, &near)), [true, false, false], "{near}");
    }
    for named in [HOST, "desk.lan:8443"] {
        assert_eq!([Way::Port, Way::Tunnel, Way::Lan].map(|way| ours(way, named)), [true, true, false], "{named}");
    }
    running.stop().await;
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_again() {
    let w = World::new(Wish { config: "[api]\nper_minute = 5\n", ..Wish::default() }).await;
    let running = w.start().await;
    let (busy, calm) = (token(&running.app, &["read"]).await, token(&running.app, &["read"]).await);
    for _ in 0..5 {
        assert_eq!(call(&running.app, "GET", "/api/info", Some(&busy), None).await.status, 200);
    }
    let said = call(&running.app, "GET", "/api/info", Some(&busy), None).await;
    said.is(429, "TOO_MANY_REQUESTS");
    assert!(said.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(
        call(&running.app, "GET", "/api/info", Some(&calm), None).await.status,
        200,
        "one's haste harms no other"
    );
    running.stop().await;
    let w = World::new(Wish { config: "[api]\naddress_per_minute = 3\n", ..Wish::default() }).await;
    let running = w.start().await;
    for _ in 0..3 {
        assert_eq!(call(&running.app, "GET", "/health", None, None).await.status, 200);
    }
    call(&running.app, "GET", "/health", None, None).await.is(429, "TOO_MANY_REQUESTS");
    running.stop().await;
}

#[tokio::test]
async fn behind_the_owners_proxy_each_visitor_has_a_limit_of_their_own() {
    let ask = async |app: &gateway::App, from: &str| {
        raw(app, "GET", "/health", &[("x-forwarded-for", from.to_owned())], vec![]).await.status
    };
    for (proxies, second) in [("proxies = [\"127.0.0.1\"]", 200), ("", 429)] {
        let config = format!("[api]\naddress_per_minute = 1\n{proxies}\n");
        let w = World::new(Wish { config: &config, ..Wish::default() }).await;
        let running = w.start().await;
        assert_eq!(ask(&running.app, "203.0.113.7").await, 200);
        assert_eq!(ask(&running.app, "203.0.113.8").await, second, "{proxies}");
        assert_eq!(ask(&running.app, "1.2.3.4, 203.0.113.7").await, 429, "what a visitor writes is to the left");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_stranger_learns_only_that_something_answers() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    assert_eq!(call(&running.app, "GET", "/health", None, None).await.body, json!({ "status": "ok" }));
    let reader = token(&running.app, &["read"]).await;
    let known = call(&running.app, "GET", "/health", Some(&reader), None).await.body;
    assert_eq!(known["sessions"], json!({ "active": 0, "max": 10 }));
    assert_eq!(known["claude"]["version"], sandbox::CLAUDE_VERSION);
    running.stop().await;
}

#[tokio::test]
async fn a_thousand_half_open_connections_harm_nobody() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "phone").await;
    let (mut held, before) = (Vec::new(), resident_mb());
    for n in 0..1000 {
        let mut stream = TcpStream::connect(running.app.public_addr).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(b"GET /ws HTTP/1.1\r\nhost: desk.exam").await.unwrap();
        }
        held.push(stream);
    }
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(phone.get(&running.app, "/api/info").await.status, 200);
    }
    let mut socket = phone.socket(&running.app, None).await;
    socket.of_type("caughtUp").await;
    assert!(began.elapsed() < SOON / 4, "{:?}", began.elapsed());
    let grown = resident_mb().saturating_sub(before);
    assert!(grown < 48, "{grown} MB for a thousand, both their ends counted");
    drop(held);
    running.stop().await;
}

#[tokio::test]
async fn the_local_door_speaks_the_same_api_for_the_owner() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let get = async |path: &str| local(&running.app, "GET", path, None).await;
    assert_eq!(get("/api/sessions").await.status, 200);
    let metrics = get("/metrics").await.text;
    assert!(metrics.contains("lanyard_sockets 0") && metrics.contains("lanyard_sessions_active 0"), "{metrics}");
    assert_eq!(get("/api/docs").await.headers["location"], "/api/docs/");
    for (file, kind) in [("", "text/html"), ("swagger-ui-bundle.js", "javascript"), ("swagger-ui.css", "text/css")] {
        let said = get(&format!("/api/docs/{file}")).await;
        assert!(said.status == 200 && said.headers["content-type"].to_str().unwrap().contains(kind), "{file}");
        assert!(said.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    }
    let begins = get("/api/docs/swagger-initializer.js").await.text;
    assert!(begins.contains("/api/openapi.json") && !begins.contains("http"), "nothing from elsewhere: {begins}");
    assert_eq!(get("/api/openapi.json").await.body["info"]["title"], "Lanyard companion API");
    running.stop().await;
}

#[tokio::test]
async fn a_half_open_connection_does_not_hold_up_the_end() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let serving = tokio::spawn(doors::serving::serve(listener, axum::Router::new(), stop.clone()));
    let _half = TcpStream::connect(address).await.unwrap();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(11), serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_page_and_all_that_makes_it_installable_are_served() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    for (path, kind) in [
        ("/", "text/html"),
        ("/pair", "text/html"),
        ("/sw.js", "text/javascript"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/icons/192.png", "image/png"),
    ] {
        let answer = world::get(&running.app, path).await;
        let head = answer.to_lowercase();
        assert!(
            head.starts_with("http/1.1 200") && head.contains(&format!("content-type: {kind}")),
            "{path}: {head:.200}"
        );
        assert!(!head.contains("immutable"), "{path} is asked for anew");
        assert_eq!(
            head.contains("connect-src 'self' https:;"),
            path == "/sw.js",
            "the worker learns of addresses later"
        );
    }
    assert!(world::get(&running.app, "/icons/..%2fphone.html").await.starts_with("HTTP/1.1 404"));
    running.stop().await;
}

#[tokio::test]
async fn the_page_and_history_are_squeezed_for_who_takes_it_so() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "phone").await;
    let session = events(&running, 50).await;
    for path in ["/".to_owned(), format!("/api/sessions/{session}/events")] {
        let bearer = ("authorization", format!("Bearer {}", phone.access));
        let squeezed = ("accept-encoding", "gzip".to_owned());
        let plain = raw(&running.app, "GET", &path, std::slice::from_ref(&bearer), vec![]).await;
        let small = raw(&running.app, "GET", &path, &[bearer, squeezed], vec![]).await;
        assert_eq!((plain.status, small.status), (200, 200));
        assert!(!plain.headers.contains_key("content-encoding"));
        assert_eq!(small.headers["content-encoding"], "gzip", "{path}");
        assert!(small.text.len() < plain.text.len(), "{path}");
    }
    running.stop().await;
}
