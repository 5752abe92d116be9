//! Links in texts: they open what they show until they run out, and the database does not give them away.

use crate::world::{self, OWNER, SOON, Wish, World, get};
use domain::TurnId;
use gateway::{
    App,
    links::{self, Target},
    sms::letters::To,
};
use std::time::Duration;
use store::artifacts;

const HOUR: Duration = Duration::from_secs(3600);

/// A kept picture and a link to it that was made `ago` and lives for an hour.
async fn picture(app: &App, ago: Duration) -> String {
    let now = gateway::clock::now() - ago;
    let (id, artifact) = world::picture(now);
    let made = app.store.write(move |tx| {
        artifacts::put(tx, &artifact)?;
        links::make(tx, Target::Media(id), HOUR, now)
    });
    app.link_key().await.path(&made.await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_link_opens_until_it_runs_out_and_survives_a_restart() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let (good, old) = (picture(&running.app, Duration::ZERO).await, picture(&running.app, 2 * HOUR).await);
    assert!(get(&running.app, &good).await.starts_with("HTTP/1.1 200"));
    for path in [old.clone(), old.replace("/m/", "/api/link/")] {
        let answer = get(&running.app, &path).await;
        assert!(answer.starts_with("HTTP/1.1 410") && answer.contains("LINK_EXPIRED"), "{answer}");
        assert!(answer.contains("suggestion"), "{answer}");
    }
    let forged = format!("/m/{}{}", "A".repeat(22), &good[25..]);
    assert!(get(&running.app, &forged).await.starts_with("HTTP/1.1 404"));
    running.stop().await;
    let again = w.start().await;
    assert!(get(&again.app, &good).await.starts_with("HTTP/1.1 200"), "the key is kept");
    again.stop().await;
}

#[tokio::test]
async fn the_database_holds_no_link_that_opens_anything() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let (post, now) = (running.app.post(), gateway::clock::now());
    let words = "A sentence of a long answer. ".repeat(100);
    let to = To { address: OWNER.into(), session: None, turn: Some(TurnId::new()), event: None };
    running.app.store.write(move |tx| post.answer(tx, &to, &words, now)).await.unwrap();
    let link = |body: &str| body.rsplit_once("https://desk.example/a/").unwrap().1.to_owned();
    let first = w.arrives(SOON).await;
    w.text("more").await;
    let second = w.arrives(SOON).await;
    assert_eq!(link(&first.body), link(&second.body), "the same answer, the same link");
    for arrived in [&first, &second] {
        assert_eq!(domain::segments::count(&arrived.body).segments, 4, "room was counted for the link");
    }
    let proof = link(&first.body)[..22].to_owned();
    running.stop().await;
    let mut looked_at = 0;
    for file in std::fs::read_dir(w.home().join("data")).unwrap().flatten().filter(|f| f.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        looked_at += bytes.len();
        assert!(!bytes.windows(proof.len()).any(|part| part == proof.as_bytes()), "{:?}", file.path());
    }
    assert!(looked_at > 10_000);
}
