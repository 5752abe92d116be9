//! What a text means to the desk.

use crate::world::{self, OTHER, PUBLIC_URL, Running, SOON, Wish, World, events, until};
use domain::{Timestamp, segments};
use standins::twilio::{Fault, NUMBER};
use store::inbox;

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
async fn an_opt_out_is_mirrored_and_not_fought() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.phone.text(NUMBER, "STOP").await.unwrap();
    let out = async || running.app.store.read(|r| store::numbers::all_opted_out(r)).await.unwrap().pop();
    assert_eq!(until(SOON, out).await.0, world::OWNER);
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
async fn a_number_that_waits_for_its_pictures_holds_up_nobody_not_even_its_own_halt() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    crate::reconciled(&running.app).await;
    w.twilio.fail_next_read(Fault::TakenThenSilence);
    let before = w.twilio.requests();
    w.phone.text_with(NUMBER, "look at this", vec![("image/png".into(), world::png().into())]).await.unwrap();
    until(SOON, async || (w.twilio.requests() > before).then_some(())).await;
    let other = w.twilio.phone(OTHER);
    other.text(NUMBER, "halt").await.unwrap();
    assert!(other.wait_for(|m| m.body.contains("Nothing is running"), SOON).await.is_ok());
    w.text("status").await;
    assert!(w.arrives(SOON).await.body.contains("No session yet"), "the picture is still waited for");
    w.text("halt").await;
    assert!(w.arrives(SOON).await.body.contains("Stopped"), "words that did not get to the agent are taken back");
    assert!(!running.app.store.read(|r| inbox::is_unread(r, 1)).await.unwrap());
    running.stop().await;
}

#[tokio::test]
async fn a_session_takes_only_so_many_messages_and_keeps_the_others_in_the_inbox() {
    let w = World::new(Wish { config: "[agent]\nwaiting = 2\n", ..Wish::default() }).await;
    let running = w.start().await;
    for n in 0..5 {
        w.text(&format!("do thing {n}")).await;
    }
    let full = w.phone.wait_for(|m| m.body.contains("Too many messages wait"), SOON).await.unwrap();
    assert!(full.body.contains("kept"), "{}", full.body);
    w.text("status").await;
    let status = w.phone.wait_for(|m| m.body.contains("waiting"), SOON).await.unwrap();
    assert!(status.body.contains("2 waiting"), "{}", status.body);
    let unread = async || running.app.store.read(|r| inbox::unread(r, 0, 10)).await.unwrap().len();
    assert_eq!(unread().await, 3);
    w.text("halt").await;
    until(SOON, async || (unread().await == 2).then_some(())).await;
    let told = w.phone.received().iter().filter(|m| m.body.contains("Too many messages wait")).count();
    assert_eq!(told, 1);
    running.stop().await;
}

/// A number whose session cannot be read: everything it says fails, always.
#[tokio::test]
async fn a_text_that_always_fails_is_put_aside_and_its_sender_told() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let damage = format!(
        "INSERT INTO sessions (id, number, agent, title, mode, created_at, last_at) VALUES ('damaged', 1, 'claude', '', 'default', 0, 0);
         INSERT INTO numbers (address, session) VALUES ('{}', 'damaged');",
        world::OWNER
    );
    let damaged = running.app.store.write(move |tx| Ok(store::Rows::conn(tx).execute_batch(&damage)?));
    damaged.await.unwrap();
    w.text("fix the test").await;
    assert!(w.arrives(SOON).await.body.contains("went wrong"));
    let failed = running.app.store.read(|r| inbox::all_failed(r)).await.unwrap();
    assert_eq!(failed, [(1, "INTERNAL".to_owned())]);
    w.text("menu").await;
    assert!(w.arrives(SOON).await.body.contains("Just write"), "what comes after it is read");
    running.stop().await;
}

#[tokio::test]
async fn a_text_that_cannot_be_read_holds_up_nothing_and_its_sender_is_told() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let damage = format!(
        "INSERT INTO inbox (channel, external, sender, text, media, received_at)
         VALUES ('sms', 'SMdamaged', '{}', 'fix it', 'no JSON', 0);",
        world::OWNER
    );
    running.app.store.write(move |tx| Ok(store::Rows::conn(tx).execute_batch(&damage)?)).await.unwrap();
    w.text("menu").await;
    for words in ["went wrong", "Just write"] {
        w.phone.wait_for(|m| m.body.contains(words), SOON).await.unwrap();
    }
    let failed = running.app.store.read(|r| inbox::all_failed(r)).await.unwrap();
    assert_eq!(failed, [(1, "INTERNAL".to_owned())]);
    running.stop().await;
}

#[tokio::test]
async fn several_questions_are_answered_one_text_at_a_time() {
    let answers = vec!["Blue".to_owned(), "Red".to_owned()];
    assert_eq!(asked_two("2", "1").await, domain::approval::Decision::Answered { answers });
}

#[tokio::test]
async fn no_to_one_of_several_questions_is_an_answer_and_with_the_number_refuses_them() {
    let answers = vec!["Blue".to_owned(), "no".to_owned()];
    assert_eq!(asked_two("2", "no").await, domain::approval::Decision::Answered { answers });
    assert_eq!(asked_two("2", "no 1").await, domain::approval::Decision::Denied { message: None });
}

/// The owner's number is in a new session.
async fn in_a_session() -> (World, Running, domain::SessionId) {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    w.text("new").await;
    w.arrives(SOON).await;
    let session = running.app.store.read(|r| store::numbers::current(r, world::OWNER)).await.unwrap().unwrap();
    (w, running, session)
}

/// What becomes of two questions asked together, answered by two texts.
async fn asked_two(first: &str, second: &str) -> domain::approval::Decision {
    let (w, running, session) = in_a_session().await;
    let app = &running.app;
    let question = |words: &str| domain::agent::Question {
        question: words.into(),
        header: None,
        several: false,
        options: ["Red", "Blue"]
            .map(|label| domain::agent::QuestionOption { label: label.into(), description: String::new() })
            .into(),
    };
    let questions = vec![question("Which colour?"), question("And the border?")];
    let subject = domain::approval::Subject::Question { questions, input: serde_json::json!({}) };
    let scene = gateway::sessions::Scene::of(app, session);
    let asked = move |tx: &store::Tx<'_>| scene.ask(tx, Some("r1".into()), subject, None, gateway::clock::now());
    app.store.write(asked).await.unwrap();
    w.text(first).await;
    let next = w.phone.wait_for(|m| m.body.contains("2/2 And the border?"), SOON).await.unwrap();
    assert!(next.body.contains("1) Red") && !next.body.contains("Which colour?"), "{}", next.body);
    w.text(second).await;
    let open = async || app.store.read(|r| store::approvals::all_open(r)).await.unwrap().is_empty().then_some(());
    until(SOON, open).await;
    let answered = events(&running).await.into_iter().find_map(|event| match event {
        domain::event::Event::Resolved { decision, .. } => Some(decision),
        _ => None,
    });
    running.stop().await;
    answered.unwrap()
}

#[tokio::test]
async fn halt_takes_back_words_that_were_kept_and_nobody_has_taken_up() {
    let (w, running, session) = in_a_session().await;
    let app = &running.app;
    let kept = app.store.write(move |tx| {
        let arrival = inbox::Arrival {
            channel: domain::event::Channel::Sms,
            external: "SMkept".into(),
            sender: Some(world::OWNER.into()),
            receiver: None,
            text: "delete the old branch".into(),
            media: vec![],
        };
        let message = inbox::receive(tx, &arrival, gateway::clock::now())?.message;
        inbox::route(tx, message, session, "delete the old branch", &[], domain::event::When::Queue)
    });
    kept.await.unwrap();
    w.text("halt").await;
    let told = w.arrives(SOON).await.body;
    assert_eq!(told, domain::phrases::halted());
    assert_eq!(app.store.read(move |r| inbox::count_waiting(r, session)).await.unwrap(), 0);
    running.stop().await;
}
