//! Texting without a sandbox: what arrives, what is refused, what is said back, and what survives a stop.

mod world;

use domain::{Timestamp, segments};
use standins::twilio::{Fault, NUMBER};
use std::time::Duration;
use store::{facts, inbox, outbox};
use world::{PUBLIC_URL, SOON, Wish, World, request};

async fn received(app: &gateway::App) -> i64 {
    app.store.read(|r| inbox::count(r)).await.unwrap()
}

const SMS: &str = "POST /sms HTTP/1.1\r\nhost: desk.example\r\ncontent-type: application/x-www-form-urlencoded";

#[tokio::test]
async fn only_what_twilio_signed_for_this_address_is_taken() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let (post, app) = (w.phone.compose(NUMBER, "menu", vec![]).unwrap(), &running.app);
    let unsigned = request(app, SMS, &post.body).await;
    let wrong = request(app, &format!("{SMS}\r\nx-twilio-signature: AAAA{}", &post.signature[4..]), &post.body).await;
    let other_body = String::from_utf8_lossy(&post.body).replace("menu", "halt");
    let tampered =
        request(app, &format!("{SMS}\r\nx-twilio-signature: {}", post.signature), other_body.as_bytes()).await;
    for answer in [unsigned, wrong, tampered] {
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("BAD_SIGNATURE"), "{answer}");
        assert!(answer.contains("suggestion"), "{answer}");
    }
    assert_eq!(received(app).await, 0);
    let counted = app.store.read(|r| facts::get(r, facts::BAD_SIGNATURES)).await.unwrap();
    assert_eq!(counted.as_deref(), Some("3"));
    let right = request(app, &format!("{SMS}\r\nx-twilio-signature: {}", post.signature), &post.body).await;
    assert!(right.starts_with("HTTP/1.1 200") && right.contains("<Response></Response>"), "{right}");
    assert_eq!(received(app).await, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_repeated_webhook_starts_no_second_turn() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let post = w.phone.compose(NUMBER, "menu", vec![]).unwrap();
    for _ in 0..3 {
        assert_eq!(w.phone.post(&post).await.unwrap().status, Some(200));
    }
    w.arrives(SOON).await;
    assert_eq!(received(&running.app).await, 1);
    assert_eq!(running.app.store.read(|r| outbox::latest(r, 10)).await.unwrap().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn strangers_meet_silence() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let stranger = w.twilio.phone("+15559990000");
    let called = stranger.text(NUMBER, "list").await.unwrap();
    assert_eq!(called.status, Some(200), "Twilio is answered, so that it does not try again");
    assert_eq!(received(&running.app).await, 0);
    running.stop().await;
    assert!(stranger.received().is_empty());
}

#[tokio::test]
async fn bad_requests_get_a_code_a_sentence_and_a_suggestion() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let huge = vec![b'a'; 10 << 20];
    let cases = [
        (request(app, SMS, &huge).await, "413", ""),
        (request(app, "POST /sms HTTP/1.1\r\nhost: evil.example", b"").await, "421", "WRONG_HOST"),
        (
            request(
                app,
                "POST /sms HTTP/1.1\r\nhost: desk.example\r\nx-twilio-signature: x\r\ncontent-type: application/json",
                b"{}",
            )
            .await,
            "400",
            "BAD_FORM",
        ),
        (
            request(app, &format!("{SMS}\r\nx-twilio-signature: x"), b"Body=%FF%FE&MessageSid=1").await,
            "403",
            "BAD_SIGNATURE",
        ),
        (request(app, "GET /settings HTTP/1.1\r\nhost: desk.example", b"").await, "404", "NOT_FOUND"),
        (request(app, "GET /m/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nhost: desk.example", b"").await, "404", "NOT_FOUND"),
        (request(app, "GET /m/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nhost: desk.example", b"").await, "404", "NOT_FOUND"),
    ];
    for (answer, status, code) in cases {
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(code),
            "{status} {code}: {answer}"
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn commands_are_answered_by_text() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    for (words, answer) in [
        ("menu", "Just write"),
        ("list", "No sessions"),
        ("status", "No session yet"),
        ("yes", "Nothing is waiting"),
        ("more", "all of it"),
        ("halt", "Nothing is running"),
        ("use 7", "no session 7"),
        ("new", "New session (1)"),
        ("use 1", "Now in 1"),
        ("list", "1* new session"),
    ] {
        w.text(words).await;
        let arrived = w.arrives(SOON).await;
        assert!(arrived.body.contains(answer), "{words}: {}", arrived.body);
        assert_eq!(segments::count(&arrived.body).segments, 1);
    }
    running.stop().await;
}

#[tokio::test]
async fn without_an_engine_the_words_are_kept_and_the_owner_is_told_once() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.text("fix the test").await;
    let told = w.arrives(SOON).await;
    assert!(told.body.contains("Docker is not running"), "{}", told.body);
    w.text("and the other").await;
    w.text("status").await;
    let status = w.arrives(SOON).await;
    assert!(status.body.contains("2 waiting"), "{}", status.body);
    running.stop().await;
}

#[tokio::test]
async fn a_thousand_texts_at_once_are_all_kept() {
    let w = World::new(Wish { config: "[sms]\nper_minute = 5\n", ..Wish::default() }).await;
    let running = w.start().await;
    let posts: Vec<_> = (0..1000).map(|n| w.phone.compose(NUMBER, &format!("message {n}"), vec![]).unwrap()).collect();
    let sent = futures::future::join_all(posts.iter().map(|post| w.phone.post(post))).await;
    assert!(sent.into_iter().all(|called| called.unwrap().status == Some(200)));
    assert_eq!(received(&running.app).await, 1000);
    let slow = w.phone.wait_for(|m| m.body.contains("Slow down"), SOON).await.unwrap();
    assert!(slow.body.contains("kept"));
    running.stop().await;
}

#[tokio::test]
async fn a_text_whose_webhook_was_lost_is_fetched_at_the_next_start() {
    let w = World::new(Wish::default()).await;
    w.start().await.stop().await;
    w.twilio.set_outage(true);
    let lost = w.phone.text(NUMBER, "menu").await.unwrap();
    assert_eq!(lost.status, None);
    w.twilio.set_outage(false);
    let running = w.start().await;
    assert!(w.arrives(SOON).await.body.contains("Just write"));
    running.stop().await;
    let again = w.start().await;
    w.twilio.settled(SOON).await.unwrap();
    assert_eq!(received(&again.app).await, 1, "and only once");
    again.stop().await;
}

#[tokio::test]
async fn what_was_said_before_the_first_start_is_not_for_lanyard() {
    let w = World::new(Wish::default()).await;
    w.twilio.set_outage(true);
    w.phone.text(NUMBER, "menu").await.unwrap();
    w.twilio.set_outage(false);
    let running = w.start().await;
    reconciled(&running.app).await;
    assert_eq!(received(&running.app).await, 0);
    running.stop().await;
}

#[tokio::test]
async fn an_answer_whose_send_ended_unclear_arrives_once() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    for fault in [Fault::TakenThenCut, Fault::TakenThenStatus(500)] {
        w.twilio.fail_next_send(fault);
        w.text("menu").await;
        w.arrives(SOON).await;
    }
    let settled = async {
        loop {
            let fates = running.app.store.read(|r| outbox::latest(r, 10)).await.unwrap();
            if fates.iter().all(|f| f.state == "sent") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), settled).await.unwrap();
    assert_eq!(w.phone.received().len(), 2);
    running.stop().await;
}

#[tokio::test]
async fn a_refused_send_is_shown_with_twilios_reason() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.twilio.refuse_recipient(world::OWNER, 21408);
    w.text("menu").await;
    let failed = async {
        loop {
            let fates = running.app.store.read(|r| outbox::latest(r, 1)).await.unwrap();
            if let Some(fate) = fates.into_iter().find(|f| f.state == "failed") {
                return fate;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let fate = tokio::time::timeout(SOON, failed).await.unwrap();
    assert_eq!(fate.error, Some(21408));
    assert!(fate.why.is_some_and(|why| why.len() > 20));
    running.stop().await;
}

#[tokio::test]
async fn receipts_out_of_order_never_go_back() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.twilio.set_receipts_backwards(true);
    w.text("menu").await;
    w.arrives(SOON).await;
    w.twilio.settled(SOON).await.unwrap();
    let fate = running.app.store.read(|r| outbox::latest(r, 1)).await.unwrap().remove(0);
    assert_eq!(fate.status.as_deref(), Some("delivered"));
    running.stop().await;
}

#[tokio::test]
async fn an_opt_out_is_mirrored_and_not_fought() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.phone.text(NUMBER, "STOP").await.unwrap();
    let out = async {
        while running.app.store.read(|r| store::numbers::all_opted_out(r)).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, out).await.unwrap();
    w.phone.text(NUMBER, "START").await.unwrap();
    w.text("menu").await;
    assert!(w.phone.wait_for(|m| m.body.contains("Just write"), SOON).await.is_ok());
    let since: Vec<(String, Timestamp)> = running.app.store.read(|r| store::numbers::all_opted_out(r)).await.unwrap();
    assert!(since.is_empty());
    running.stop().await;
}

#[tokio::test]
async fn whatsapp_is_the_same_path() {
    let w = World::new(Wish::default()).await;
    w.twilio.add_number(&format!("whatsapp:{NUMBER}"));
    w.twilio.set_webhook(&format!("whatsapp:{NUMBER}"), &format!("{PUBLIC_URL}/sms"));
    let running = w.start().await;
    let phone = w.twilio.phone(&format!("whatsapp:{}", world::OWNER));
    phone.text(&format!("whatsapp:{NUMBER}"), "menu").await.unwrap();
    let arrived = phone.wait_for(|_| true, SOON).await.unwrap();
    assert!(arrived.from.starts_with("whatsapp:"), "{}", arrived.from);
    running.stop().await;
}

#[tokio::test]
async fn a_second_lanyard_on_the_same_folder_is_refused() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let second = gateway::Gateway::build(w.resolved(), w.paths()).await.err().unwrap();
    assert_eq!(second.code, domain::Code::AlreadyRunning);
    running.stop().await;
}

/// Waits until Twilio's list was compared once.
async fn reconciled(app: &gateway::App) {
    let done = async {
        while app.store.read(|r| facts::get(r, facts::RECONCILED_AT)).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, done).await.unwrap();
}
