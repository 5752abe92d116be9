//! Who trusts the door: programs and a browser that were given the certificate as a phone is, and nobody else.

use crate::{HOST, NAME, desk, opened, run, start, until_state, world::Running};
use gateway::lan::State;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tunnel::clock::Wall;

/// The certificate as the public door hands it out, in a file; and as PEM beside it.
async fn downloaded(running: &Running, folder: &Path) -> PathBuf {
    let answer = crate::api_world::raw(&running.app, "GET", gateway::lan::CERTIFICATE_PATH, &[], vec![]).await;
    assert_eq!((answer.status, &answer.headers["content-type"]), (200, &"application/x-x509-ca-cert".parse().unwrap()));
    let (crt, pem) = (folder.join("lanyard-ca.crt"), folder.join("lanyard-ca.pem"));
    std::fs::write(&crt, &answer.bytes).unwrap();
    let mut convert = Command::new("openssl");
    convert.args(["x509", "-inform", "der", "-in"]).arg(&crt).arg("-out").arg(&pem);
    assert_eq!(run(convert).await, (true, String::new()));
    pem
}

fn curl(port: u16) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--noproxy", "*", "--max-time", "15", "--resolve", &format!("{HOST}:{port}:127.0.0.1")]);
    curl
}

#[tokio::test]
async fn openssl_and_curl_take_it_with_the_certificate_that_is_handed_out() {
    let w = desk().await;
    let running = start(&w).await;
    let (port, folder) = (opened(&running).await, tempfile::tempdir().unwrap());
    let ca = downloaded(&running, folder.path()).await;
    for host in [HOST, "127.0.0.1"] {
        let mut trusting = curl(port);
        trusting.arg("--cacert").arg(&ca).arg(format!("https://{host}:{port}/health"));
        assert_eq!(run(trusting).await, (true, r#"{"status":"ok"}"#.to_owned()), "{host}");
    }
    let mut stranger = curl(port);
    stranger.arg(format!("https://{HOST}:{port}/health"));
    let (ok, words) = run(stranger).await;
    assert!(!ok && words.contains("certificate"), "{words}");
    let mut client = Command::new("openssl");
    client.args(["s_client", "-verify_return_error", "-x509_strict", "-verify_hostname", HOST, "-connect"]);
    client.arg(format!("127.0.0.1:{port}")).arg("-CAfile").arg(&ca);
    let (ok, words) = run(client).await;
    assert!(ok && words.contains("Verify return code: 0 (ok)") && words.contains(NAME), "{words}");
    running.stop().await;
}

#[tokio::test]
async fn chromium_shows_the_page_with_the_certificate_and_refuses_without() {
    let w = desk().await;
    let running = start(&w).await;
    let (port, folder) = (opened(&running).await, tempfile::tempdir().unwrap());
    let ca = downloaded(&running, folder.path()).await;
    let (ok, page) = run(chromium(folder.path(), port)).await;
    assert!(ok && page.contains("ERR_CERT_AUTHORITY_INVALID") && !is_ours(&page), "{page}");
    let database = folder.path().join(".pki/nssdb");
    std::fs::create_dir_all(&database).unwrap();
    let database = format!("sql:{}", database.display());
    let mut make = Command::new("certutil");
    make.args(["-d", &database, "-N", "--empty-password"]);
    assert!(run(make).await.0);
    let mut trust = Command::new("certutil");
    trust.args(["-d", &database, "-A", "-t", "C,,", "-n", "Lanyard", "-i"]).arg(&ca);
    let (ok, words) = run(trust).await;
    assert!(ok, "{words}");
    let (ok, page) = run(chromium(folder.path(), port)).await;
    assert!(ok && is_ours(&page), "{page}");
    running.stop().await;
}

/// The page, whose own code has run.
fn is_ours(page: &str) -> bool {
    page.contains("Lanyard</title>") && !page.contains("<div id=\"app\"></div>")
}

/// A browser with a home of its own, in which alone it looks for whom to trust.
fn chromium(home: &Path, port: u16) -> Command {
    let known = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let there = |name: &&str| std::env::split_paths(&paths).any(|folder| folder.join(name).is_file());
    let mut browser = Command::new(known.into_iter().find(there).expect("set-up installs a Chromium"));
    browser.env("HOME", home).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"]);
    browser.args(["--virtual-time-budget=5000", "--dump-dom"]);
    browser.arg(format!("--user-data-dir={}", home.join("profile").display()));
    browser.arg(format!("--host-resolver-rules=MAP {HOST} 127.0.0.1")).arg(format!("https://{HOST}:{port}/"));
    browser
}

#[tokio::test]
async fn the_certificate_is_renewed_while_the_door_is_open() {
    let w = desk().await;
    let days = Arc::new(AtomicU64::new(0));
    let passed = days.clone();
    let mut config = w.resolved();
    (config.lan.enabled, config.lan.reach) = (true, tunnel::Reach::Loopback);
    config.lan.tick = Duration::from_millis(50);
    config.lan.wall =
        Wall::new(move || SystemTime::now() + Duration::from_secs(86_400 * passed.load(Ordering::Relaxed)));
    let running = w.start_with(config).await;
    let ends = |state: &State| match state {
        State::Open { expires, .. } => *expires,
        State::Off | State::Opening | State::Refused { .. } => 0,
    };
    let before = ends(&until_state(&running, |s| ends(s) > 0).await);
    days.store(370, Ordering::Relaxed);
    until_state(&running, |s| ends(s) > before).await;
    running.stop().await;
}
