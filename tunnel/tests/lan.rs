//! The door on the local network, judged by those who will stand before it: openssl, curl, an mDNS browser.

use axum::{Router, routing::get};
use mdns_sd::{IfKind, ServiceDaemon, ServiceEvent};
use std::{
    net::IpAddr,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tunnel::{Authority, Connection, Lan, LanConfig, Peer, Reach, Visitors, Way, clock::Wall, lan::SERVICE};

const SOON: Duration = Duration::from_secs(20);

struct Door(Visitors);

impl axum::serve::Listener for Door {
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        match self.0.accept().await {
            Some(visitor) => visitor,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Peer> {
        Ok(Peer { address: ([127, 0, 0, 1], 0).into(), way: Way::Lan })
    }
}

fn config(name: &str) -> LanConfig {
    LanConfig {
        reach: Reach::Loopback,
        tick: Duration::from_millis(50),
        ..LanConfig::new(name, ([127, 0, 0, 1], 0).into())
    }
}

/// An open door with an app behind it, and its CA in a file.
async fn open(config: LanConfig) -> (Lan, TempDir) {
    let authority = Authority::create(&config.name, config.wall.now()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), authority.certificate_pem()).unwrap();
    let (lan, neighbours) = Lan::open(config, authority).await.unwrap();
    let app = Router::new().route("/", get(|| async { "hello from the desk" }));
    tokio::spawn(async move { axum::serve(Door(neighbours), app).await.unwrap() });
    (lan, folder)
}

async fn run(program: &'static str, arguments: Vec<String>) -> (bool, String) {
    let output = tokio::task::spawn_blocking(move || {
        Command::new(program).args(arguments).stdin(std::process::Stdio::null()).output().unwrap()
    });
    let output = output.await.unwrap();
    (
        output.status.success(),
        [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned()).concat(),
    )
}

fn curl(ca: &TempDir, host: &str, port: u16) -> Vec<String> {
    let ca = ca.path().join("ca.pem").display().to_string();
    let at = format!("{host}:{port}:127.0.0.1");
    ["-sS", "--noproxy", "*", "--max-time", "15", "--resolve", &at, "--cacert", &ca, &format!("https://{host}:{port}/")]
        .map(str::to_owned)
        .to_vec()
}

/// The certificate the door shows now, through openssl: text and PEM.
async fn shown(lan: &Lan) -> String {
    let at = lan.addr().to_string();
    let (_, out) = run("openssl", ["s_client", "-connect", &at, "-showcerts"].map(str::to_owned).to_vec()).await;
    let begin = out.find("-----BEGIN CERTIFICATE-----").unwrap();
    let end = out.find("-----END CERTIFICATE-----").unwrap();
    format!("{}-----END CERTIFICATE-----\n", &out[begin..end])
}

#[tokio::test]
async fn curl_trusts_the_ca_by_name_and_by_address_and_nobody_else_does() {
    let (lan, ca) = open(config("Ada's desk")).await;
    let port = lan.addr().port();
    for host in ["lanyard-ada-s-desk.local", "127.0.0.1", "localhost"] {
        assert_eq!(run("curl", curl(&ca, host, port)).await, (true, "hello from the desk".into()), "{host}");
    }
    let (ok, words) = run("curl", curl(&ca, "other.local", port)).await;
    assert!(!ok && words.contains("SSL"), "{words}");
    let (_, other) = open(config("other")).await;
    let (ok, words) = run("curl", curl(&other, "lanyard-ada-s-desk.local", port)).await;
    assert!(!ok && words.contains("certificate"), "{words}");
    lan.stop(SOON).await.unwrap();
}

#[tokio::test]
async fn openssl_finds_a_certificate_that_apple_takes_too() {
    let (lan, ca) = open(config("desk")).await;
    let leaf = ca.path().join("leaf.pem").display().to_string();
    std::fs::write(&leaf, shown(&lan).await).unwrap();
    let ca = ca.path().join("ca.pem").display().to_string();
    let verify = [
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        &ca,
        "-verify_hostname",
        "lanyard-desk.local",
        &leaf,
    ];
    let (ok, words) = run("openssl", verify.map(str::to_owned).to_vec()).await;
    assert!(ok, "{words}");
    let (_, text) = run("openssl", ["x509", "-noout", "-text", "-in", &leaf].map(str::to_owned).to_vec()).await;
    for part in
        ["TLS Web Server Authentication", "Authority Key Identifier", "DNS:lanyard-desk.local", "IP Address:127.0.0.1"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let (_, text) = run("openssl", ["x509", "-noout", "-text", "-in", &ca].map(str::to_owned).to_vec()).await;
    for part in ["CA:TRUE, pathlen:0", "Name Constraints: critical", "DNS:local"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    lan.stop(SOON).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_grows_old_is_replaced_while_the_door_is_open() {
    let days = Arc::new(AtomicU64::new(0));
    let passed = days.clone();
    let wall = Wall::new(move || SystemTime::now() + Duration::from_secs(86_400 * passed.load(Ordering::Relaxed)));
    let (lan, _ca) = open(LanConfig { wall, ..config("desk") }).await;
    let mut status = lan.status();
    let (before, expires) = (shown(&lan).await, status.borrow_and_update().expires);
    days.store(370, Ordering::Relaxed);
    tokio::time::timeout(SOON, status.changed()).await.unwrap().unwrap();
    assert!(status.borrow().expires > expires + Duration::from_secs(86_400 * 300));
    assert_ne!(shown(&lan).await, before);
    lan.stop(SOON).await.unwrap();
}

#[tokio::test]
async fn a_visitor_who_never_shakes_hands_holds_nobody_up() {
    let (lan, ca) = open(config("desk")).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(tokio::net::TcpStream::connect(lan.addr()).await.unwrap());
    }
    assert!(run("curl", curl(&ca, "lanyard-desk.local", lan.addr().port())).await.0);
    lan.stop(SOON).await.unwrap();
}

#[tokio::test]
async fn a_door_for_every_address_sees_visitors_by_their_own() {
    let every = LanConfig { listen: (std::net::Ipv6Addr::UNSPECIFIED, 0).into(), ..config("desk") };
    let authority = Authority::create("desk", SystemTime::now()).unwrap();
    let ca = tempfile::tempdir().unwrap();
    std::fs::write(ca.path().join("ca.pem"), authority.certificate_pem()).unwrap();
    let (lan, mut neighbours) = Lan::open(every, authority).await.unwrap();
    assert!(!lan.status().borrow().is_reachable(), "loopback leads nobody here");
    let visit = tokio::spawn(run("curl", curl(&ca, "lanyard-desk.local", lan.addr().port())));
    let (_connection, peer) = tokio::time::timeout(SOON, neighbours.accept()).await.unwrap().unwrap();
    assert_eq!((peer.address.ip(), peer.way), (IpAddr::from([127, 0, 0, 1]), Way::Lan));
    drop(_connection);
    visit.await.unwrap();
    lan.stop(SOON).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_lasts_ends_with_the_door() {
    let authority = Authority::create("desk", SystemTime::now()).unwrap();
    let (lan, mut visitors) = Lan::open(config("desk"), authority).await.unwrap();
    let at = lan.addr().to_string();
    let mut client = Command::new("openssl");
    client.args(["s_client", "-quiet", "-connect", &at]).stdin(std::process::Stdio::piped());
    let mut client = client.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let (mut connection, _peer) = tokio::time::timeout(SOON, visitors.accept()).await.unwrap().unwrap();
    let reading = tokio::spawn(async move { connection.read_u8().await });
    lan.stop(SOON).await.unwrap();
    let ended = tokio::time::timeout(SOON, reading).await.expect("the read ends").unwrap();
    assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::ConnectionAborted);
    client.kill().unwrap();
    client.wait().unwrap();
}

#[tokio::test]
async fn a_taken_port_is_said_to_be_taken() {
    let (lan, _ca) = open(config("desk")).await;
    let authority = Authority::create("desk", SystemTime::now()).unwrap();
    let again = Lan::open(LanConfig { listen: lan.addr(), ..config("desk") }, authority).await;
    assert_eq!(again.err().unwrap().code(), domain::Code::PortTaken);
    lan.stop(SOON).await.unwrap();
}

#[tokio::test]
async fn it_is_announced_with_its_facts_and_taken_back_at_the_end() {
    let name = format!("desk {}", std::process::id());
    let authority = Authority::create(&name, SystemTime::now()).unwrap();
    let fingerprint = authority.fingerprint();
    let (lan, _neighbours) = Lan::open(config(&name), authority).await.unwrap();
    let browser = ServiceDaemon::new().unwrap();
    browser.disable_interface(IfKind::All).unwrap();
    browser.enable_interface(IfKind::LoopbackV4).unwrap();
    let events = browser.browse(SERVICE).unwrap();
    let next = async |fits: &dyn Fn(&ServiceEvent) -> bool| {
        let found = async {
            loop {
                let event = events.recv_async().await.unwrap();
                if fits(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(SOON, found).await.expect("an event in time")
    };
    let ours = |fullname: &str| fullname.starts_with(&name);
    let ServiceEvent::ServiceResolved(found) =
        next(&|event| matches!(event, ServiceEvent::ServiceResolved(found) if ours(&found.fullname))).await
    else {
        unreachable!()
    };
    assert_eq!(found.port, lan.addr().port());
    let fact = |key| found.txt_properties.get_property_val_str(key).unwrap().to_owned();
    assert_eq!((fact("name"), fact("fp"), fact("version")), (name.clone(), fingerprint, "0.1.0".to_owned()));
    let at: Vec<IpAddr> = found.addresses.iter().map(|address| address.to_ip_addr()).collect();
    assert_eq!(at, [IpAddr::from([127, 0, 0, 1])], "no other address is told");
    lan.stop(SOON).await.unwrap();
    next(&|event| matches!(event, ServiceEvent::ServiceRemoved(_, fullname) if ours(fullname))).await;
    let _ = browser.shutdown();
}
