//! Who may hand in a text, and what is said to all others.

use crate::{
    received,
    world::{SOON, Wish, World, get, request},
};
use standins::twilio::{ACCOUNT, NUMBER, TOKEN, sign};
use store::{facts, inbox, outbox};

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
    assert_eq!(app.refusals.unwritten(), 3, "no write of its own for each");
    let right = request(app, &format!("{SMS}\r\nx-twilio-signature: {}", post.signature), &post.body).await;
    assert!(right.starts_with("HTTP/1.1 200") && right.contains("<Response></Response>"), "{right}");
    assert_eq!(received(app).await, 1);
    let store = app.store.clone();
    running.stop().await;
    let counted = store.read(|r| facts::get(r, facts::BAD_SIGNATURES)).await.unwrap();
    assert_eq!(counted.as_deref(), Some("3"));
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
async fn a_form_of_ten_megabytes_is_refused_whether_it_says_so_or_not() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let said = request(&running.app, SMS, &vec![b'a'; 10 << 20]).await;
    let chunk = [b"100000\r\n".as_slice(), &vec![b'a'; 1 << 20], b"\r\n"].concat();
    let hidden = raw(&running.app, &format!("{SMS}\r\ntransfer-encoding: chunked"), &chunk.repeat(10)).await;
    for answer in [said, hidden] {
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
    w.text("menu").await;
    assert!(w.arrives(SOON).await.body.contains("Just write"), "and it goes on");
    running.stop().await;
}

/// A request with a body that says nothing of its length.
async fn raw(app: &gateway::App, head: &str, body: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(app.public_addr).await.unwrap();
    stream.write_all(format!("{head}\r\n\r\n").as_bytes()).await.unwrap();
    let _refused_before_all_was_read = stream.write_all(body).await;
    let mut answer = [0; 1024];
    let read = stream.read(&mut answer).await.unwrap_or(0);
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test]
async fn another_hosts_name_opens_no_route() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let post = w.phone.compose(NUMBER, "menu", vec![]).unwrap();
    for host in ["evil.example", "desk.example.evil.example", "desk.example:444", ""] {
        let head = SMS.replace("desk.example", host);
        let answer =
            request(&running.app, &format!("{head}\r\nx-twilio-signature: {}", post.signature), &post.body).await;
        assert!(answer.starts_with("HTTP/1.1 421") && answer.contains("WRONG_HOST"), "{host}: {answer}");
    }
    assert!(get(&running.app, "/health").await.starts_with("HTTP/1.1 200"));
    assert_eq!(received(&running.app).await, 0);
    running.stop().await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_as_far_as_they_were_signed() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let sid = format!("SM{}", "a".repeat(32));
    let fields = |body: &str| {
        [
            ("MessageSid", sid.as_str()),
            ("AccountSid", ACCOUNT),
            ("From", crate::world::OWNER),
            ("To", NUMBER),
            ("Body", body),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields("menuXX")).finish();
    let form = form.replace("XX", "%FF%C3");
    let post = async |signed: &str| {
        let signature = sign(TOKEN, "https://desk.example/sms", &fields(signed));
        request(&running.app, &format!("{SMS}\r\nx-twilio-signature: {signature}"), form.as_bytes()).await
    };
    let other = post("menu").await;
    assert!(other.starts_with("HTTP/1.1 403"), "{other}");
    let same = post("menu\u{fffd}\u{fffd}").await;
    assert!(same.starts_with("HTTP/1.1 200"), "{same}");
    let kept = running.app.store.read(|r| inbox::get(r, 1)).await.unwrap();
    assert_eq!(kept.text, "menu\u{fffd}\u{fffd}");
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
