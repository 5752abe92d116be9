//! What it says when it cannot be opened, and that it opens once that is mended.

use crate::{
    desk, opened, start, until_state,
    world::{Running, Wish, World},
};
use domain::{Code, Problem};
use gateway::lan::State;
use std::{fs, os::unix::fs::PermissionsExt};

async fn refused(running: &Running) -> Problem {
    let state = until_state(running, |s| matches!(s, State::Refused { .. })).await;
    let State::Refused { why } = state else { unreachable!() };
    why
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_and_a_remembered_one_gives_way_to_a_free_one() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let w = World::new(Wish { config: &format!("[lan]\nport = {port}\n"), ..Wish::default() }).await;
    let running = start(&w).await;
    let why = refused(&running).await;
    assert_eq!(why.code, Code::PortTaken);
    assert!(why.message.contains(&port.to_string()) && why.suggestion.contains("lan.port"), "{why}");
    drop(taken);
    running.app.lan.switch.turn(true);
    assert_eq!(opened(&running).await, port);
    running.stop().await;

    let w = desk().await;
    let running = start(&w).await;
    let remembered = opened(&running).await;
    running.stop().await;
    let _taken = std::net::TcpListener::bind(("127.0.0.1", remembered)).unwrap();
    let running = start(&w).await;
    assert_ne!(opened(&running).await, remembered);
    running.stop().await;
}

#[tokio::test]
async fn a_ca_that_cannot_be_kept_or_read_is_not_replaced() {
    let w = desk().await;
    let secrets = w.home().join("secrets.toml");
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o644)).unwrap();
    let running = start(&w).await;
    let why = refused(&running).await;
    assert_eq!(why.code, Code::KeychainUnavailable);
    assert!(why.suggestion.contains("0600") && why.suggestion.contains("lanyard lan on"), "{why}");

    let kept = fs::read_to_string(&secrets).unwrap();
    fs::write(&secrets, format!("{kept}lan = \"not a key\"\n")).unwrap();
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
    running.app.lan.switch.turn(true);
    let broken =
        until_state(&running, |s| matches!(s, State::Refused { why } if why.code == Code::LanCertificate)).await;
    assert!(broken.in_words().contains("remove-key lan"), "{}", broken.in_words());
    assert!(fs::read_to_string(&secrets).unwrap().contains("not a key"));

    fs::write(&secrets, kept).unwrap();
    running.app.secrets.forget(accounts::keychain::Account::Lan).await;
    running.app.lan.switch.turn(true);
    opened(&running).await;
    assert!(fs::read_to_string(&secrets).unwrap().contains("BEGIN PRIVATE KEY"));
    running.stop().await;
}

#[tokio::test]
async fn switching_it_on_asks_the_keychain_once() {
    let logs = crate::world::capture_logs();
    let w = desk().await;
    fs::set_permissions(w.home().join("secrets.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let running = w.start().await;
    running.app.lan.switch.turn(true);
    refused(&running).await;
    // Each of these gives a second try its chance.
    for _ in 0..20 {
        crate::api_world::local(&running.app, "GET", "/lan", None).await;
    }
    assert_eq!(logs().matches("the door on the local network cannot be opened").count(), 1);
    running.stop().await;
}
