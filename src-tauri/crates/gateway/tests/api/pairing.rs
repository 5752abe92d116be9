//! From a code to tokens, and what happens to those who have neither.

use crate::{
    api_world::{Phone, Socket, call, jwk, new_key, refused, signed, token},
    world::{SOON, Wish, World, resident_mb, until},
};
use domain::PhoneId;
use gateway::{App, pairing};
use serde_json::json;
use std::time::{Duration, Instant};

async fn pair_with(app: &App, code: &str) -> crate::api_world::Said {
    call(app, "POST", "/api/pair", None, Some(&json!({ "code": code, "name": "x" }))).await
}

#[tokio::test]
async fn a_phone_pairs_once_with_a_code_and_is_shown_at_the_desk() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let shown = pairing::offer(app, false);
    assert_eq!(shown.url, format!("https://desk.example/pair#c={}", shown.code));
    let key = new_key();
    for bad in [
        json!({ "name": "x" }),
        json!({ "code": shown.code, "name": "" }),
        json!({ "code": shown.code, "name": "x", "public_key": "AAAA" }),
    ] {
        call(app, "POST", "/api/pair", None, Some(&bad)).await.is(400, "BAD_REQUEST");
    }
    let body = json!({ "code": shown.code, "name": "Ada's \u{202E}phone", "public_key": jwk(&key) });
    let said = call(app, "POST", "/api/pair", None, Some(&body)).await;
    assert_eq!(said.status, 200, "a bad request does not use the code up: {}", said.text);
    assert_eq!(said.body["expires_in"], 900);
    pair_with(app, &shown.code).await.is(403, "PAIRING_FAILED");
    let phones = pairing::phones_shown(app).await.unwrap().phones;
    assert_eq!((phones.len(), phones[0].name.as_str()), (1, "Ada's <U+202E>phone"));
    assert_eq!((phones[0].address.as_str(), phones[0].key), ("127.0.0.1", true));
    assert_ne!(pairing::offer(app, false).code, shown.code);
    running.stop().await;
}

#[tokio::test]
async fn of_phones_that_race_for_one_code_exactly_one_pairs() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let code = pairing::offer(&running.app, true).code;
    let tries = (0..8).map(|_| pair_with(&running.app, &code));
    let statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|s| s.status).collect();
    assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
    assert_eq!(pairing::phones_shown(&running.app).await.unwrap().phones.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn ten_thousand_guesses_find_ten_tries_a_minute_and_no_code() {
    let w = World::new(Wish { config: "[api]\naddress_per_minute = 100000000\n", ..Wish::default() }).await;
    let running = w.start().await;
    let _shown = pairing::offer(&running.app, true);
    let (mut refusals, before) = ([0, 0], resident_mb());
    for _ in 0..100 {
        let tries = (0..100).map(|n| async move { n });
        let guesses = futures::future::join_all(tries).await;
        let said = futures::future::join_all(
            guesses.iter().map(|n| pair_with(&running.app, if n % 2 == 0 { "guess" } else { "" })),
        )
        .await;
        for said in said {
            match said.status {
                403 => refusals[0] += 1,
                429 => {
                    refusals[1] += 1;
                    let wait: u64 = said.headers["retry-after"].to_str().unwrap().parse().unwrap();
                    assert_eq!(said.body["data"]["details"]["retry_after"], wait);
                    assert!((1..=60).contains(&wait));
                }
                _ => panic!("{}", said.text),
            }
        }
    }
    assert_eq!(refusals[0] + refusals[1], 10_000);
    assert!((10..=30).contains(&refusals[0]), "{refusals:?}");
    let grown = resident_mb().saturating_sub(before);
    assert!(grown < 32, "{grown} MB");
    running.stop().await;
}

#[tokio::test]
async fn a_refresh_token_works_once_and_one_used_twice_revokes_the_phone() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let now = gateway::clock::now().0;
    let first = signed(&phone.key, &phone.refresh, now);
    let refresh = async |body: &serde_json::Value| call(app, "POST", "/api/token/refresh", None, Some(body)).await;
    let said = refresh(&first).await;
    assert_eq!(said.status, 200, "{}", said.text);
    let again = refresh(&first).await;
    assert_eq!(again.body["refresh_token"], said.body["refresh_token"], "the very same request gets the same answer");
    let next = said.body["refresh_token"].as_str().unwrap();
    assert_ne!(next, phone.refresh);
    assert_eq!(refresh(&signed(&phone.key, next, now)).await.status, 200);
    assert_eq!(phone.get(app, "/api/info").await.status, 200);
    refresh(&first).await.is(401, "PHONE_REVOKED");
    phone.get(app, "/api/info").await.is(401, "PHONE_REVOKED");
    let phones = pairing::phones_shown(app).await.unwrap().phones;
    assert_eq!(phones[0].revoked_why.as_deref(), Some("reused"));
    running.stop().await;
}

#[tokio::test]
async fn a_stolen_refresh_token_alone_is_worthless() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let now = gateway::clock::now().0;
    let refresh = async |body: serde_json::Value| call(app, "POST", "/api/token/refresh", None, Some(&body)).await;
    refresh(json!({ "refresh_token": phone.refresh })).await.is(401, "SIGNATURE_WRONG");
    refresh(signed(&new_key(), &phone.refresh, now)).await.is(401, "SIGNATURE_WRONG");
    let mut moved = signed(&phone.key, &phone.refresh, now);
    moved["at"] = json!(now + 1);
    refresh(moved).await.is(401, "SIGNATURE_WRONG");
    refresh(json!({ "refresh_token": "lanyard_r_guess" })).await.is(401, "NOT_PAIRED");
    let late = refresh(signed(&phone.key, &phone.refresh, now - 600_000)).await;
    late.is(401, "CLOCK_WRONG");
    let ours = late.body["data"]["details"]["now"].as_i64().unwrap();
    assert!((ours - now).abs() < 60_000);
    assert_eq!(refresh(signed(&phone.key, &phone.refresh, ours)).await.status, 200, "nothing of that used it up");
    running.stop().await;
}

#[tokio::test]
async fn a_phone_stays_paired_over_a_restart() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let phone = Phone::pair(&running.app, "phone").await;
    running.stop().await;
    let running = w.start().await;
    phone.get(&running.app, "/api/info").await.is(401, "NOT_PAIRED");
    let body = signed(&phone.key, &phone.refresh, gateway::clock::now().0);
    let said = call(&running.app, "POST", "/api/token/refresh", None, Some(&body)).await;
    let access = said.body["access_token"].as_str().unwrap();
    assert_eq!(call(&running.app, "GET", "/api/info", Some(access), None).await.status, 200);
    running.stop().await;
}

#[tokio::test]
async fn a_revoked_phones_sockets_close_within_a_second() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let (phone, other) = (Phone::pair(&running.app, "lost").await, Phone::pair(&running.app, "kept").await);
    let mut sockets = [phone.socket(&running.app, None).await, phone.socket(&running.app, Some(0)).await];
    let mut kept = other.socket(&running.app, None).await;
    for socket in &mut sockets {
        socket.of_type("caughtUp").await;
    }
    let id = PhoneId(phone.id.parse().unwrap());
    let began = Instant::now();
    pairing::revoke(&running.app, id).await.unwrap();
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, 1008);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    kept.say(json!({ "type": "ping", "requestId": "1" })).await;
    assert_eq!(kept.answer("1").await["type"], "pong");
    let again = Socket::open(&running.app, &phone.access, None).await.err().unwrap();
    assert_eq!(refused(&again).unwrap(), 401);
    running.stop().await;
}

#[tokio::test]
async fn scopes_that_are_taken_away_are_gone_at_once() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let mut socket = phone.socket(app, None).await;
    let id = PhoneId(phone.id.parse().unwrap());
    let change = serde_json::from_value(json!({ "name": "tablet", "scopes": ["read"] })).unwrap();
    assert_eq!(pairing::change(app, id, change).await.unwrap().name, "tablet");
    phone.post(app, "/api/stream/start", json!({})).await.is(403, "SCOPE_MISSING");
    socket.say(json!({ "type": "streamStart", "requestId": "1", "data": {} })).await;
    assert_eq!(socket.answer("1").await["data"]["code"], "SCOPE_MISSING");
    let none = serde_json::from_value(json!({ "scopes": [] })).unwrap();
    pairing::change(app, id, none).await.unwrap();
    assert_eq!(tokio::time::timeout(SOON, socket.closed()).await.unwrap(), 1008);
    running.stop().await;
}

#[tokio::test]
async fn a_named_token_may_do_what_its_scopes_say_until_it_is_revoked() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let reader = token(app, &["read"]).await;
    assert_eq!(call(app, "GET", "/api/sessions", Some(&reader), None).await.status, 200);
    call(app, "POST", "/api/stream/start", Some(&reader), Some(&json!({}))).await.is(403, "SCOPE_MISSING");
    let id = pairing::tokens_shown(app).await.unwrap().tokens[0].id;
    pairing::revoke_token(app, domain::ApiTokenId(id)).await.unwrap();
    call(app, "GET", "/api/sessions", Some(&reader), None).await.is(401, "NOT_PAIRED");
    running.stop().await;
}

#[tokio::test]
async fn a_revoked_phone_that_does_not_read_is_gone_within_a_second_too() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "lost").await;
    let session = crate::api_world::events(&running, 0).await;
    let mut stuck = phone.socket(app, None).await;
    stuck.of_type("caughtUp").await;
    // More than the system keeps for a connection whose other side does not read.
    let text = "x".repeat(1_000_000);
    let fill = app.store.write(move |tx| {
        (0..16).try_for_each(|_| {
            let event = domain::event::Event::Noticed { text: text.clone() };
            store::events::append(tx, session, &event, gateway::clock::now()).map(drop)
        })
    });
    fill.await.unwrap();
    let connected = async || pairing::phones_shown(app).await.unwrap().phones[0].connected;
    assert_eq!(connected().await, 1);
    let ticket = phone.post(app, "/api/ticket", json!(null)).await.body["ticket"].as_str().unwrap().to_owned();
    let began = Instant::now();
    pairing::revoke(app, PhoneId(phone.id.parse().unwrap())).await.unwrap();
    until(SOON, async || (connected().await == 0).then_some(())).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let late = Socket::at(app, &format!("/ws?ticket={ticket}"), &[]).await.err().unwrap();
    assert_eq!(refused(&late).unwrap(), 401, "a ticket it still held opens nothing");
    running.stop().await;
}

#[tokio::test]
async fn a_code_that_somebody_photographed_opens_nothing_once_it_was_used_or_replaced() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let used = pairing::offer(app, true).code;
    assert_eq!(pair_with(app, &used).await.status, 200);
    pair_with(app, &used).await.is(403, "PAIRING_FAILED");
    let replaced = pairing::offer(app, true).code;
    let shown = pairing::offer(app, true).code;
    pair_with(app, &replaced).await.is(403, "PAIRING_FAILED");
    let phone = pairing::phones_shown(app).await.unwrap().phones.remove(0);
    pairing::not_me(app, PhoneId(phone.id)).await.unwrap();
    pair_with(app, &shown).await.is(403, "PAIRING_FAILED");
    assert_ne!(pairing::offer(app, false).code, shown, "\"this was not me\" replaces the code that is shown");
    running.stop().await;
}
