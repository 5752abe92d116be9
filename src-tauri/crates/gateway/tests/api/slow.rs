//! Clients that read slowly, late or not at all, and many at once: they harm nobody.

use crate::{
    api_world::{Phone, Socket, append, call, events, token},
    world::{SOON, Wish, World, resident_mb, until},
};
use domain::event::Event;
use futures::StreamExt;
use gateway::{config::Pace, live::Partial};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn a_client_that_reads_a_byte_a_second_harms_nobody_and_loses_words_not_events() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let session = events(&running, 0).await;
    let (mut slow, mut quick) = (phone.socket(app, None).await, phone.socket(app, None).await);
    slow.of_type("caughtUp").await;
    quick.of_type("caughtUp").await;
    let partial = |n: usize| Partial {
        session,
        message: "m".into(),
        block: 0,
        offset: n * 4000,
        text: "w".repeat(4000),
        thinking: false,
        after: *app.store.bells().events.borrow(),
    };
    let (mut heard, before) = (0, resident_mb());
    let mut byte = [0u8];
    for n in 0..3000 {
        app.live.say(partial(n));
        if n % 10 == 0 {
            append(&running, session, 1).await;
            let event = quick.until(|f| f["seq"].is_i64()).await;
            heard += 1;
            assert_eq!(event["seq"], heard, "the quick one is there at once");
        }
        if n % 1000 == 0 {
            slow.stream.get_mut().read_exact(&mut byte).await.unwrap();
        }
    }
    let grown = resident_mb().saturating_sub(before);
    assert!(grown < 48, "{grown} MB while 12 MB of words were said");
    // It lost its place in the stream of bytes; by its cursor it gets every event.
    drop(slow);
    let mut back = phone.socket(app, Some(0)).await;
    for seq in 1..=heard {
        assert_eq!(back.until(|f| f["seq"].is_i64()).await["seq"], seq);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_slow_reader_that_comes_back_gets_every_event_and_not_every_word() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "phone").await;
    let session = events(&running, 0).await;
    let mut slow = phone.socket(app, None).await;
    slow.of_type("caughtUp").await;
    let words = 6000;
    for n in 0..words {
        let after = *app.store.bells().events.borrow();
        app.live.say(Partial {
            session,
            message: "m".into(),
            block: 0,
            offset: n,
            text: "w".repeat(2000),
            thinking: false,
            after,
        });
        if n % 100 == 0 {
            append(&running, session, 1).await;
        }
    }
    append(&running, session, 1).await;
    let (mut partials, mut events) = (0, 0);
    while events < words / 100 + 1 {
        let frame = slow.next().await.unwrap();
        if frame["data"]["kind"] == "partial" {
            partials += 1;
        } else if let Some(seq) = frame["seq"].as_u64() {
            events += 1;
            assert_eq!(seq as usize, events);
        }
    }
    assert!(partials < words, "words were lost first: {partials}");
    running.stop().await;
}

#[tokio::test]
async fn a_hundred_phones_see_the_same_and_one_that_does_not_read_harms_none() {
    let w = World::new(Wish { config: "[api]\nper_minute = 100000\naddress_per_minute = 100000\n", ..Wish::default() })
        .await;
    let running = w.start().await;
    let app = &running.app;
    let session = events(&running, 10).await;
    let mut sockets = Vec::new();
    for _ in 0..100 {
        let each = token(app, &["read"]).await;
        sockets.push(Socket::open(app, &each, Some(0)).await.unwrap());
    }
    let mut stuck = sockets.pop().unwrap();
    let text = "x".repeat(100_000);
    let write = app.store.write(move |tx| {
        (0..40).try_for_each(|_| {
            let event = Event::Noticed { text: text.clone() };
            store::events::append(tx, session, &event, gateway::clock::now()).map(drop)
        })
    });
    let began = Instant::now();
    write.await.unwrap();
    let reading = sockets.iter_mut().map(|socket| async {
        for seq in 1..=50 {
            assert_eq!(socket.until(|f| f["seq"].is_i64()).await["seq"], seq);
        }
    });
    futures::future::join_all(reading).await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    for seq in 1..=50 {
        assert_eq!(stuck.until(|f| f["seq"].is_i64()).await["seq"], seq, "it only comes later");
    }
    let metrics = async || call(app, "GET", "/metrics", Some(&token(app, &["read"]).await), None).await.text;
    assert!(metrics().await.contains("lanyard_sockets 100"));
    drop((sockets, stuck));
    until(SOON, async || metrics().await.contains("lanyard_sockets 0").then_some(())).await;
    running.stop().await;
}

#[tokio::test]
async fn a_silent_client_is_dropped_and_one_that_answers_pings_is_not() {
    let w = World::new(Wish::default()).await;
    let mut config = w.resolved();
    config.api.pace = Pace { ping: Duration::from_millis(200), silence: Duration::from_millis(1500) };
    let running = w.start_with(config).await;
    let phone = Phone::pair(&running.app, "phone").await;
    let mut lively = phone.socket(&running.app, None).await;
    let silent = phone.socket(&running.app, None).await;
    let living = tokio::spawn(async move {
        // Reading is enough: the client's library answers each ping.
        while let Some(Ok(_)) = lively.stream.next().await {}
    });
    let connected = async || gateway::pairing::phones_shown(&running.app).await.unwrap().phones[0].connected;
    until(SOON, async || (connected().await == 2).then_some(())).await;
    until(SOON, async || (connected().await == 1).then_some(())).await;
    assert!(!living.is_finished());
    drop(silent);
    running.stop().await;
    living.await.unwrap();
}
