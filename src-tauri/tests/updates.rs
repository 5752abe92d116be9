//! Updates end to end: the real plugin, real signatures, real https, a real file replaced and a real restart.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod desktop;
mod updates_world;

use desktop::{App, processes_of, until, window::driven_as};
use serde_json::{Value, json};
use standins::releases::{MakersKey, Release};
use std::{fs, time::Duration};
use thirtyfour::WebDriver;
use tokio::net::UnixListener;
use updates_world::{HERE, World, same, versions::NEWER};

/// It is told to stop, whatever it is at.
async fn ends(world: &World) {
    let _ended_already = world.command(&["stop"]).status().await.unwrap();
    until("nothing left", async || processes_of(world.desktop.home.path()).is_empty().then_some(())).await;
}

async fn is_up(icon: &desktop::tray::Icon) {
    icon.until_menu("it is up", |menu| menu.find("Pair").is_some()).await;
}

#[tokio::test]
async fn a_newer_version_takes_over_when_the_owner_says_so() {
    let world = World::new().await;
    world.offer(fs::read(&world.versions.newer).unwrap());
    let mut older = world.start();
    let icon = world.finds_an_update().await;
    world.wants_it(&icon, &mut older).await;
    let icon = world.next_start(1).await;
    is_up(&icon).await;
    until("what was kept is gone", async || world.left().is_empty().then_some(())).await;
    assert!(same(&world.program, &world.versions.newer));
    assert!(world.desktop.log().contains("updated"), "{}", world.desktop.log());
    icon.click(None, "Check for updates").await;
    until("asked again", async || (world.releases.asked() == 2).then_some(())).await;
    icon.until_menu("nothing newer", |menu| menu.find("Check for updates").is_some()).await;
    ends(&world).await;
}

#[tokio::test]
async fn an_update_waits_for_the_running_turn() {
    let world = World::new().await;
    // An engine that never answers: the turn is at work until it goes.
    let engine = world.desktop.home.path().join("engine.sock");
    let silent = UnixListener::bind(&engine).unwrap();
    world.desktop.write_config(&format!("[sandbox]\nengine = \"{}\"\n", engine.display()));
    world.offer(fs::read(&world.versions.newer).unwrap());
    let mut older = world.start();
    let icon = world.finds_an_update().await;
    let said = world.command(&["send", "--no-wait", "paint the shed"]).status().await.unwrap();
    assert!(said.success(), "{}", world.desktop.log());
    icon.until_menu("the session at work", |menu| menu.find("1 ").is_some()).await;
    world.waits_for_the_turn(&icon).await;
    assert!(older.child.try_wait().unwrap().is_none());
    assert!(same(&world.program, &world.versions.older));
    drop(silent);
    fs::remove_file(&engine).unwrap();
    assert!(older.ends().await.success(), "{}", world.desktop.log());
    let icon = world.next_start(1).await;
    is_up(&icon).await;
    assert!(same(&world.program, &world.versions.newer));
    ends(&world).await;
}

#[tokio::test]
async fn a_version_that_dies_at_its_start_is_taken_back() {
    let world = World::new().await;
    world.offer(fs::read("/bin/false").unwrap());
    let mut older = world.start();
    let icon = world.finds_an_update().await;
    world.wants_it(&icon, &mut older).await;
    let icon = world.next_start(1).await;
    is_up(&icon).await;
    assert!(same(&world.program, &world.versions.older));
    let told = world
        .desktop
        .notices
        .until(desktop::SOON, |notices| notices.iter().any(|n| n.title.contains("was put back")))
        .await;
    assert!(told.is_ok(), "{:?}", world.desktop.notices.shown());
    assert_eq!(world.left(), Vec::<String>::new());
    ends(&world).await;
}

/// What the page is told of updates.
async fn update(page: &WebDriver, command: &str, arguments: Value) -> Value {
    let script = format!(
        "const done = arguments[arguments.length - 1]; const t = window.__TAURI_INTERNALS__; \
         t.invoke('{command}', {arguments}).then(() => t.invoke('native_status')).then((s) => done(s.update), (e) => done(e));"
    );
    page.execute_async(script, vec![]).await.unwrap().json().clone()
}

async fn until_state(page: &WebDriver, states: &[&str]) -> Value {
    until(&states.join(" or "), async || {
        let now = update(page, "native_status", json!({})).await;
        states.contains(&now["state"].as_str()?).then_some(now)
    })
    .await
}

/// Looks, and wants what there is. How that ended.
async fn wanted(page: &WebDriver) -> Value {
    update(page, "update_check", json!({})).await;
    // The tick is on its way.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let found = until_state(page, &["none", "available", "failed"]).await;
    if found["state"] != "available" {
        return found;
    }
    update(page, "update_install", json!({ "when": "now" })).await;
    until_state(page, &["failed", "installing"]).await
}

#[tokio::test]
async fn what_is_not_rightly_signed_or_not_there_changes_nothing_and_is_told() {
    let world = World::new().await;
    let (key, newer) = (&world.versions.key, fs::read(&world.versions.newer).unwrap());
    let sign = |bytes: &[u8], version| key.sign(bytes, version).unwrap();
    let right = sign(&newer, Some(NEWER));
    let stranger = MakersKey::new().unwrap().sign(&newer, Some(NEWER)).unwrap();
    let mut tampered = newer.clone();
    *tampered.last_mut().unwrap() ^= 1;
    let offer = |version: &'static str, file: &[u8], signature: &str| Release {
        version,
        target: HERE,
        file: file.to_vec(),
        signature: signature.to_owned(),
    };
    let refused = [
        ("another key", offer(NEWER, &newer, &stranger), "UPDATE_REFUSED"),
        ("tampered", offer(NEWER, &tampered, &right), "UPDATE_REFUSED"),
        ("no version signed", offer(NEWER, &newer, &sign(&newer, None)), "UPDATE_REFUSED"),
        ("an older one under a new name", offer("0.3.0", &newer, &right), "UPDATE_REFUSED"),
        ("no program", offer(NEWER, b"#!/bin/sh\n", &sign(b"#!/bin/sh\n", Some(NEWER))), "UPDATE_REFUSED"),
        (
            "for another system",
            Release { target: "darwin-aarch64", ..offer(NEWER, &newer, &right) },
            "UPDATE_NOT_FOR_HERE",
        ),
    ];
    let driven = driven_as(&world.program, world.command(&[]), &[]).await;
    let page = &driven.page;
    until("the gateway is up", async || {
        let script = "const done = arguments[arguments.length - 1]; fetch('/status').then((r) => done(r.status), () => done(0));";
        (page.execute_async(script, vec![]).await.ok()?.json() == &json!(200)).then_some(())
    })
    .await;
    let mark = world.mark();
    for (what, release, code) in refused {
        world.releases.offer(release);
        let ended = wanted(page).await;
        assert_eq!((&ended["state"], &ended["problem"]["code"]), (&json!("failed"), &json!(code)), "{what}: {ended}");
        assert_eq!(world.mark(), mark, "{what}");
    }
    for (what, status, list, code) in [
        ("missing", 404, "", "UPDATE_UNREADABLE"),
        ("broken", 200, "{", "UPDATE_UNREADABLE"),
        ("empty", 200, "{}", "UPDATE_UNREADABLE"),
    ] {
        world.releases.answer(status, list.into());
        assert_eq!(wanted(page).await["problem"]["code"], code, "{what}");
    }
    world.releases.offer(offer("0.1.0", &newer, &right));
    assert_eq!(wanted(page).await["state"], "none", "the same version is no news");
    world.offer(newer);
    world.releases.untrusted(true);
    let ended = wanted(page).await;
    assert_eq!(ended["problem"]["code"], "UPDATE_UNREACHABLE", "{ended}");
    assert!(ended["problem"]["message"].as_str().is_some_and(|words| words.contains("certificate")), "{ended}");
    assert_eq!(world.mark(), mark);
    assert_eq!(world.left(), Vec::<String>::new());
    page.clone().quit().await.unwrap();
}

/// The owner wants it at the quit, and quits.
async fn quits_with(world: &World) {
    let driven = driven_as(&world.program, world.command(&[]), &[]).await;
    let page = &driven.page;
    update(page, "update_check", json!({})).await;
    until_state(page, &["available"]).await;
    update(page, "update_install", json!({ "when": "quit" })).await;
    let ready = until_state(page, &["ready"]).await;
    assert_eq!((&ready["waits_for"], &ready["version"]), (&json!("quit"), &json!(NEWER)), "{ready}");
    assert_eq!(ready["notes"], "What is new in 0.2.0");
    assert!(same(&world.program, &world.versions.older));
    // The app goes without the driver, which would wait for it for ever.
    page.clone().leak().unwrap();
    world.panel.icon().await.click(None, "Quit Lanyard").await;
    until("it waits beside the program", async || world.left().contains(&"Lanyard.next".into()).then_some(())).await;
    drop(driven);
    ends(world).await;
    assert_eq!(world.panel.registered(), 1, "nothing starts");
}

#[tokio::test]
async fn one_that_waited_for_the_quit_is_there_at_the_next_start() {
    let world = World::new().await;
    world.offer(fs::read(&world.versions.newer).unwrap());
    quits_with(&world).await;
    let mut start: App = world.start();
    is_up(&world.next_start(1).await).await;
    assert!(same(&world.program, &world.versions.newer));
    until("what was kept is gone", async || world.left().is_empty().then_some(())).await;
    assert!(start.ends().await.success(), "it handed over");
    ends(&world).await;
}

#[tokio::test]
async fn one_that_waited_for_the_quit_and_dies_at_its_start_is_taken_back() {
    let world = World::new().await;
    world.offer(fs::read("/bin/false").unwrap());
    quits_with(&world).await;
    let _hands_over: App = world.start();
    is_up(&world.next_start(1).await).await;
    assert!(same(&world.program, &world.versions.older));
    let put_back = |notices: &[standins::lock_screen::Shown]| notices.iter().any(|n| n.title.contains("was put back"));
    assert!(world.desktop.notices.until(desktop::SOON, put_back).await.is_ok(), "{}", world.desktop.log());
    assert_eq!(world.left(), Vec::<String>::new());
    ends(&world).await;
}

#[test]
fn both_versions_can_be_built() {
    let versions = updates_world::versions::Versions::ready();
    assert!(versions.older.is_file() && versions.newer.is_file());
}
