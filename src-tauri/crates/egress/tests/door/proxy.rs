use crate::support::*;
use bytes::Bytes;
use domain::Code;
use egress::{Door, HostRule, Kind, Policy};
use http_body_util::Full;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicUsize},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;

fn rules(rules: &[&str]) -> Vec<HostRule> {
    rules.iter().map(|rule| rule.parse().unwrap()).collect()
}

fn allowing(allow: Vec<HostRule>) -> Policy {
    Policy { allow, ..Policy::default() }
}

async fn world(allow: Vec<HostRule>, names: Arc<Names>) -> (Arc<FakeHouse>, Door, Model) {
    let (model, house) = (Model::start().await, FakeHouse::new());
    let settings = egress::Settings { policy: allowing(allow), ..model.settings() };
    (house.clone(), Door::with_names(settings, house, names).unwrap(), model)
}

/// Says back what it hears, then `bye` once the other side has said all.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.write_all(b"bye").await;
            });
        }
    });
    address
}

fn local(name: &str, port: u16) -> Vec<HostRule> {
    vec![name.parse::<HostRule>().unwrap().on_ports([port]).even_private()]
}

fn connect_to(authority: &str, token: &str) -> Request<Full<Bytes>> {
    Request::connect(authority).header("proxy-authorization", basic(token)).body(Full::default()).unwrap()
}

async fn refused(door: &Door, authority: &str) -> (StatusCode, String, String) {
    let response = soon(client(door).await.send_request(connect_to(authority, TOKEN))).await.unwrap();
    let code = response.headers().get("x-lanyard-code").map(|c| c.to_str().unwrap().to_owned()).unwrap_or_default();
    let (status, body) = text(response).await;
    (status, code, body)
}

#[tokio::test]
async fn a_tunnel_to_an_allowed_host_carries_both_ways_and_is_counted() {
    let far = echo().await;
    let (house, door, _model) =
        world(local("mirror.example", far.port()), Names::of(&[("mirror.example", &[&far.to_string()])])).await;
    let response = soon(client(&door).await.send_request(connect_to(&format!("mirror.example:{}", far.port()), TOKEN)))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut tunnel = TokioIo::new(soon(hyper::upgrade::on(response)).await.unwrap());
    tunnel.write_all(b"hello").await.unwrap();
    let mut said = [0; 5];
    soon(tunnel.read_exact(&mut said)).await.unwrap();
    assert_eq!(&said, b"hello");
    // Half-closed: the far side may still speak.
    tunnel.shutdown().await.unwrap();
    let mut rest = String::new();
    soon(tunnel.read_to_string(&mut rest)).await.unwrap();
    assert_eq!(rest, "bye");
    let told = house.until(|t| t.carried.len() == 1).await;
    let (decision, carried) = (&told.decisions[0], &told.carried[0]);
    assert_eq!((decision.id, decision.host.as_str(), decision.kind), (carried.id, "mirror.example", Kind::Tunnel));
    assert_eq!((decision.refused.clone(), decision.payer), (None, house.payer));
    assert_eq!((carried.sent, carried.received), (5, 8));
}

#[tokio::test]
async fn a_tunnel_does_not_ask_for_another_host_behind_the_same_address() {
    let far = echo().await;
    let allow = local("mirror.example", far.port());
    let (house, door, _model) = world(allow, Names::of(&[("mirror.example", &[&far.to_string()])])).await;
    let authority = format!("mirror.example:{}", far.port());
    let response = soon(client(&door).await.send_request(connect_to(&authority, TOKEN))).await.unwrap();
    let tunnel = TokioIo::new(soon(hyper::upgrade::on(response)).await.unwrap());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    let tls = tokio_rustls::TlsConnector::from(Arc::new(config));
    assert!(soon(tls.connect("evil.example".try_into().unwrap(), tunnel)).await.is_err());
    let told = house.until(|t| t.carried.len() == 1).await;
    assert_eq!((told.decisions.len(), told.carried[0].sent), (2, 0));
    assert_eq!(told.decisions[1].refused.as_ref().unwrap().code, Code::HostBlocked);
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_refused_and_recorded() {
    let (house, door, _model) = world(rules(&["allowed.example"]), Names::of(&[])).await;
    let (status, code, body) = refused(&door, "evil.example:443").await;
    assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "HOST_BLOCKED"));
    assert!(body.starts_with("HOST_BLOCKED: The sandbox may not reach this host."), "{body}");
    let told = house.until(|t| t.decisions.len() == 1).await;
    assert_eq!((told.decisions[0].host.as_str(), told.decisions[0].port), ("evil.example", 443));
    assert_eq!(told.decisions[0].refused.as_ref().unwrap().code, Code::HostBlocked);
    assert_eq!(told.asks[0].host, "evil.example");
}

#[tokio::test]
async fn an_allowed_host_on_another_port_is_not_allowed() {
    let (_house, door, _model) = world(rules(&["allowed.example"]), Names::of(&[])).await;
    assert_eq!(refused(&door, "allowed.example:22").await.1, "HOST_BLOCKED");
}

#[tokio::test]
async fn the_owner_may_allow_a_host_while_the_connection_waits() {
    let (house, door, _model) = world(Vec::new(), Names::of(&[("new.example", &["127.0.0.1:9"])])).await;
    *house.owner.lock().unwrap() = Some(true);
    // Allowed by the owner, and still not into this computer: that takes a rule.
    let (status, code, body) = refused(&door, "new.example:443").await;
    assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "HOST_BLOCKED"));
    assert!(body.contains("private network") && !body.contains("127.0.0.1"), "{body}");
}

#[tokio::test]
async fn about_an_address_that_stays_shut_nobody_is_asked() {
    let (house, door, _model) = world(vec![], Names::of(&[])).await;
    *house.owner.lock().unwrap() = Some(true);
    for address in ["127.0.0.1:443", "10.0.0.1:443", "169.254.169.254:80", "[::1]:443", "[fd00::1]:443"] {
        let (_, code, _) = refused(&door, address).await;
        assert_eq!(code, "HOST_BLOCKED", "{address}");
    }
    assert!(house.until(|t| t.decisions.len() == 5).await.asks.is_empty());
}

#[tokio::test]
async fn no_answer_in_time_means_no() {
    let (model, house) = (Model::start().await, FakeHouse::new());
    *house.owner.lock().unwrap() = None;
    let settings = egress::Settings { ask_timeout: std::time::Duration::from_millis(20), ..model.settings() };
    let door = Door::new(settings, house).unwrap();
    let (status, _, body) = refused(&door, "slow.example:443").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("No answer came in time."));
}

#[tokio::test]
async fn an_asker_that_goes_away_is_recorded_as_refused() {
    let (house, door, _model) = world(Vec::new(), Names::of(&[])).await;
    *house.owner.lock().unwrap() = None;
    let asking = tokio::spawn(client(&door).await.send_request(connect_to("slow.example:443", TOKEN)));
    house.until(|t| t.asks.len() == 1).await;
    asking.abort();
    let told = house.until(|t| t.decisions.len() == 1).await;
    assert!(told.decisions[0].refused.as_ref().unwrap().message.contains("went away"));
}

#[tokio::test]
async fn without_the_sandboxs_token_nothing_is_proxied() {
    let (house, door, _model) = world(rules(&["allowed.example"]), Names::of(&[])).await;
    let bare = Request::connect("allowed.example:443").body(Full::default()).unwrap();
    let response = soon(client(&door).await.send_request(bare)).await.unwrap();
    assert_eq!(response.status(), StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert_eq!(response.headers()["proxy-authenticate"], "Basic realm=\"lanyard\"");
    let wrong = soon(client(&door).await.send_request(connect_to("allowed.example:443", "wrong"))).await.unwrap();
    assert_eq!(
        (wrong.status(), wrong.headers()["x-lanyard-code"].to_str().unwrap()),
        (StatusCode::FORBIDDEN, "BAD_SANDBOX_TOKEN")
    );
    let told = house.until(|t| t.decisions.len() == 2).await;
    assert!(told.asks.is_empty() && told.decisions.iter().all(|d| d.refused.is_some()));
}

#[tokio::test]
async fn a_name_that_leads_home_is_refused_whatever_else_it_leads_to() {
    for addresses in [
        &["127.0.0.1:443"][..],
        &["10.0.0.7:443"],
        &["169.254.169.254:443"],
        &["[::1]:443"],
        &["[::ffff:127.0.0.1]:443"],
        &["0.0.0.0:443"],
        &["93.184.216.34:443", "192.168.1.1:443"],
        &["[fd00::1]:443"],
        &["[64:ff9b::7f00:1]:443"],
        &["224.0.0.1:443"],
    ] {
        let (_house, door, _model) = world(rules(&["trap.example"]), Names::of(&[("trap.example", addresses)])).await;
        let (status, code, _) = refused(&door, "trap.example:443").await;
        assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "HOST_BLOCKED"), "{addresses:?}");
    }
}

#[tokio::test]
async fn even_a_private_rule_does_not_open_metadata() {
    let rule = rules(&["trap.example"]).pop().unwrap().even_private();
    let (_house, door, _model) = world(vec![rule], Names::of(&[("trap.example", &["169.254.169.254:80"])])).await;
    assert_eq!(refused(&door, "trap.example:80").await.1, "HOST_BLOCKED");
}

#[tokio::test]
async fn a_name_that_is_bound_anew_gains_nothing() {
    let far = echo().await;
    // First look-up public, every later one this computer: the address that was checked must be the one connected to.
    let names =
        Names(vec![("rebind.example", vec![vec!["192.0.2.1:443".parse().unwrap()], vec![far]])], AtomicUsize::new(1));
    let (_house, door, _model) = world(rules(&["rebind.example"]), Arc::new(names)).await;
    assert_eq!(refused(&door, "rebind.example:443").await.1, "HOST_BLOCKED");
    let names = Arc::new(Names(
        vec![("rebind.example", vec![vec!["93.184.216.34:1".parse().unwrap()], vec![far]])],
        AtomicUsize::new(0),
    ));
    let (model, house) = (Model::start().await, FakeHouse::new());
    let settings = egress::Settings {
        policy: allowing(rules(&["rebind.example"])),
        connect_timeout: std::time::Duration::from_millis(50),
        ..model.settings()
    };
    let door = Door::with_names(settings, house, names.clone()).unwrap();
    refused(&door, "rebind.example:443").await;
    assert_eq!(names.1.load(std::sync::atomic::Ordering::SeqCst), 1, "looked up once for one connection");
}

#[tokio::test]
async fn addresses_and_odd_spellings_are_not_hosts() {
    let (_house, door, _model) = world(rules(&["*.example.com"]), Names::of(&[])).await;
    for authority in
        ["127.0.0.1:80", "[::1]:443", "localhost:443", "[::ffff:127.0.0.1]:443", "1.1.1.1:443", "example.com:443"]
    {
        assert_eq!(refused(&door, authority).await.0, StatusCode::FORBIDDEN, "{authority}");
    }
    for authority in [
        "2130706433:80",
        "0x7f000001:80",
        "017700000001:80",
        "127.1:80",
        "a.example.com.:443",
        "lanyard@a.example.com:443",
        "a.example.com:0",
        "a..example.com:443",
    ] {
        assert_eq!(refused(&door, authority).await.0, StatusCode::BAD_REQUEST, "{authority}");
    }
}

#[tokio::test]
async fn the_models_host_is_not_reached_past_the_meter() {
    let (model, house) = (Model::start().await, FakeHouse::new());
    let port = model.address.port();
    let settings = egress::Settings { policy: allowing(local("127.0.0.1", port)), ..model.settings() };
    let door = Door::new(settings, house).unwrap();
    let (status, _, body) = refused(&door, &format!("127.0.0.1:{port}")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("ANTHROPIC_BASE_URL"));
}

#[tokio::test]
async fn the_allowlist_changes_while_connections_live() {
    let far = echo().await;
    let (_house, door, _model) = world(Vec::new(), Names::of(&[("mirror.example", &[&far.to_string()])])).await;
    let authority = format!("mirror.example:{}", far.port());
    let mut client = client(&door).await;
    let first = soon(client.send_request(connect_to(&authority, TOKEN))).await.unwrap();
    assert_eq!(text(first).await.0, StatusCode::FORBIDDEN);
    door.set_policy(allowing(local("mirror.example", far.port())));
    soon(client.ready()).await.unwrap();
    assert_eq!(soon(client.send_request(connect_to(&authority, TOKEN))).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_refusal_of_the_owner_goes_before_permission_and_question() {
    let (house, door, _model) = world(Vec::new(), Names::of(&[])).await;
    let policy =
        Policy { allow: rules(&["bad.example"]), deny: rules(&["bad.example"]), open: true, ..Policy::default() };
    door.set_policy(policy);
    let (status, code, body) = refused(&door, "bad.example:8443").await;
    assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "HOST_BLOCKED"));
    assert!(body.contains("A rule of the owner refuses bad.example:8443."), "{body}");
    assert!(house.until(|t| t.decisions.len() == 1).await.asks.is_empty());
}

#[tokio::test]
async fn an_open_room_asks_nobody_and_reaches_no_private_place() {
    let names = Names::of(&[("somewhere.example", &["10.0.0.1:443"])]);
    let (house, door, _model) = world(Vec::new(), names).await;
    door.set_policy(Policy { open: true, ..Policy::default() });
    let (status, _, body) = refused(&door, "somewhere.example:443").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("is on a private network"), "{body}");
    assert!(house.until(|t| t.decisions.len() == 1).await.asks.is_empty());
}

#[tokio::test]
async fn a_rule_for_one_agent_lets_no_other_out() {
    let far = echo().await;
    let allow = rules(&[&format!("mirror.example:{} private agent=Ada", far.port())]);
    let (house, door, _model) = world(allow, Names::of(&[("mirror.example", &[&far.to_string()])])).await;
    for (agent, status) in
        [(None, StatusCode::FORBIDDEN), (Some("Grace"), StatusCode::FORBIDDEN), (Some("Ada"), StatusCode::OK)]
    {
        *house.agent.lock().unwrap() = agent.map(str::to_owned);
        let asked = connect_to(&format!("mirror.example:{}", far.port()), TOKEN);
        assert_eq!(soon(client(&door).await.send_request(asked)).await.unwrap().status(), status, "{agent:?}");
    }
}

#[tokio::test]
async fn a_rule_for_some_methods_lets_no_other_request_and_no_tunnel_out() {
    let mut far = Model::start().await;
    let port = far.address.port();
    let allow = rules(&[&format!("GET,HEAD mirror.example:{port} private")]);
    let (_house, door, _model) = world(allow, Names::of(&[("mirror.example", &[&far.address.to_string()])])).await;
    let send = |method: &str| {
        let request = Request::builder().method(method).uri(format!("http://mirror.example:{port}/x"));
        let request = request.header("proxy-authorization", basic(TOKEN)).body(Full::default()).unwrap();
        let door = door.clone();
        tokio::spawn(async move { client(&door).await.send_request(request).await.unwrap() })
    };
    let read = send("GET");
    far.next().await.answer.send(whole(200, "package")).unwrap();
    assert_eq!(text(soon(read).await.unwrap()).await.0, StatusCode::OK);
    assert_eq!(text(soon(send("PUT")).await.unwrap()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(refused(&door, &format!("mirror.example:{port}")).await.1, "HOST_BLOCKED");
}

#[tokio::test]
async fn a_plain_request_is_forwarded_without_what_is_the_proxys() {
    let mut far = Model::start().await;
    let port = far.address.port();
    let (house, door, _model) =
        world(local("mirror.example", port), Names::of(&[("mirror.example", &[&far.address.to_string()])])).await;
    let request = Request::get(format!("http://mirror.example:{port}/pool/x.deb?y=1"))
        .header("host", "evil.example")
        .header("proxy-authorization", basic(TOKEN))
        .header("connection", "x-mine")
        .header("x-mine", "1")
        .body(Full::default())
        .unwrap();
    let answer = tokio::spawn(client(&door).await.send_request(request));
    let got = far.next().await;
    assert_eq!(got.parts.uri, "/pool/x.deb?y=1");
    assert_eq!(got.parts.headers["host"], format!("mirror.example:{port}"));
    assert!(got.parts.headers.get("proxy-authorization").is_none() && got.parts.headers.get("x-mine").is_none());
    got.answer.send(whole(200, "package")).unwrap();
    assert_eq!(text(soon(answer).await.unwrap().unwrap()).await, (StatusCode::OK, "package".into()));
    let told = house.until(|t| t.carried.len() == 1).await;
    assert!(told.carried[0].received > 7 && told.decisions[0].kind == Kind::Http);
}

#[tokio::test]
async fn smuggled_requests_go_nowhere() {
    let (house, door, mut model) = world(rules(&["allowed.example"]), Names::of(&[])).await;
    let auth = format!("proxy-authorization: {}\r\nx-api-key: {TOKEN}\r\n", basic(TOKEN));
    for request in [
        format!(
            "POST /v1/messages HTTP/1.1\r\nhost: a\r\n{auth}content-length: 5\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n"
        ),
        format!("POST /v1/messages HTTP/1.1\r\nhost: a\r\n{auth}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!"),
        format!("POST /v1/messages HTTP/1.1\r\nhost: a\r\n{auth}content-length: +5\r\n\r\nhello"),
        format!("GET /v1/models\r\nx: y HTTP/1.1\r\n{auth}\r\n"),
        format!("CONNECT http://allowed.example:443/ HTTP/1.1\r\n{auth}\r\n"),
        format!("CONNECT /v1/messages HTTP/1.1\r\n{auth}\r\n"),
        format!("CONNECT allowed.example HTTP/1.1\r\n{auth}\r\n"),
        format!("CONNECT allowed.example:443@evil.example:443 HTTP/1.1\r\n{auth}\r\n"),
        format!("GET https://allowed.example/ HTTP/1.1\r\n{auth}\r\n"),
        format!("GET ftp://allowed.example/ HTTP/1.1\r\n{auth}\r\n"),
        format!("GET http://lanyard:x@allowed.example/ HTTP/1.1\r\n{auth}\r\n"),
        format!("GET http:///v1/messages HTTP/1.1\r\n{auth}\r\n"),
        format!("GET //allowed.example/ HTTP/1.1\r\nhost: allowed.example\r\n{auth}\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
        format!("OPTIONS * HTTP/1.1\r\nhost: a\r\n{auth}\r\n"),
        "\u{0}\u{1}\u{2}garbage\r\n\r\n".into(),
    ] {
        let said = raw(&door, request.as_bytes(), "\r\n").await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{request:?} -> {said:?}");
    }
    assert!(model.exchanges.try_recv().is_err());
    assert!(house.told.borrow().decisions.iter().all(|d| d.refused.is_some() && !d.host.contains('@')));
}

#[tokio::test]
async fn a_second_request_within_the_first_ones_body_is_body() {
    let (_house, door, mut model) = world(Vec::new(), Names::of(&[])).await;
    let inner = "POST /v1/files HTTP/1.1\r\nhost: a\r\n\r\n";
    let request = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: a\r\nx-api-key: {TOKEN}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
    );
    let said = raw(&door, request.as_bytes(), "NOT_FOUND").await;
    assert!(!said.contains("HTTP/1.1 200"), "{said}");
    assert!(model.exchanges.try_recv().is_err());
}

#[tokio::test]
async fn an_idle_tunnel_ends() {
    let far = echo().await;
    let (model, house) = (Model::start().await, FakeHouse::new());
    let settings = egress::Settings {
        policy: allowing(local("mirror.example", far.port())),
        tunnel_idle: std::time::Duration::from_millis(30),
        ..model.settings()
    };
    let door =
        Door::with_names(settings, house.clone(), Names::of(&[("mirror.example", &[&far.to_string()])])).unwrap();
    let response = soon(client(&door).await.send_request(connect_to(&format!("mirror.example:{}", far.port()), TOKEN)))
        .await
        .unwrap();
    let mut tunnel = TokioIo::new(soon(hyper::upgrade::on(response)).await.unwrap());
    let mut rest = Vec::new();
    let _ = soon(tunnel.read_to_end(&mut rest)).await;
    house.until(|t| t.carried.len() == 1).await;
}

/// A connection from inside that asked for nothing but whether anybody is there.
async fn greeted(door: &Door) -> tokio::io::DuplexStream {
    let (mut inside, outside) = tokio::io::duplex(1024);
    let door = door.clone();
    tokio::spawn(async move { door.serve(outside, SANDBOX, CancellationToken::new()).await });
    inside.write_all(b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut said = [0; 12];
    soon(inside.read_exact(&mut said)).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
    inside
}

#[tokio::test]
async fn a_resting_connection_gives_way_and_a_tunnel_does_not() {
    let far = echo().await;
    let (model, house) = (Model::start().await, FakeHouse::new());
    let settings = egress::Settings {
        policy: allowing(local("mirror.example", far.port())),
        max_connections: 2,
        ..model.settings()
    };
    let door = Door::with_names(settings, house, Names::of(&[("mirror.example", &[&far.to_string()])])).unwrap();
    let response = soon(client(&door).await.send_request(connect_to(&format!("mirror.example:{}", far.port()), TOKEN)))
        .await
        .unwrap();
    let mut tunnel = TokioIo::new(soon(hyper::upgrade::on(response)).await.unwrap());
    let mut resting = greeted(&door).await;
    let _newcomer = greeted(&door).await;
    let mut rest = Vec::new();
    soon(resting.read_to_end(&mut rest)).await.unwrap();
    tunnel.write_all(b"still here").await.unwrap();
    let mut echoed = [0; 10];
    soon(tunnel.read_exact(&mut echoed)).await.unwrap();
    assert_eq!(&echoed, b"still here");
}
