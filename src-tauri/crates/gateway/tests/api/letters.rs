//! Where what was said to the owner went: beside it, when it changes, and after a phone was away.

use crate::{
    api_world::{Phone, events},
    world::{OWNER, Wish, World},
};
use domain::{
    TurnId,
    event::{Event, Outcome},
};
use serde_json::{Value, json};
use store::outbox::{self, Letter};

fn way(sent: &Value) -> (&Value, &Value, &Value) {
    (&sent[0]["to"], &sent[0]["name"], &sent[0]["state"])
}

#[tokio::test]
async fn a_turns_end_says_where_its_answer_went_until_it_arrived() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "Ada's phone").await;
    let session = events(&running, 1).await;
    let mut socket = phone.socket(app, Some(0)).await;
    socket.of_type("caughtUp").await;
    let ended = move |tx: &store::Tx<'_>| {
        let (turn, now) = (TurnId::new(), gateway::clock::now());
        let end = Event::TurnEnded {
            turn,
            outcome: Outcome::Completed,
            tokens: Default::default(),
            cost: Default::default(),
            duration_ms: 5,
        };
        let seq = store::events::append(tx, session, &end, now)?;
        let letter = Letter { address: OWNER.into(), body: "Done.".into(), event: Some(seq), ..Letter::default() };
        outbox::put(tx, &letter, now)?;
        Ok(seq)
    };
    let seq = app.store.write(ended).await.unwrap();
    let end = socket.of_type("streamComplete").await;
    assert_eq!((&end["seq"], &end["data"]["sent"][0]["name"]), (&json!(seq), &json!("..0001")));
    let arrived =
        |frame: &Value| frame["data"]["kind"] == "letters" && frame["data"]["sent"][0]["state"] == "delivered";
    let told = socket.until(arrived).await;
    assert_eq!((&told["data"]["seq"], &told["seq"]), (&json!(seq), &Value::Null));
    let delivered = (&json!("sms"), &json!("..0001"), &json!("delivered"));
    let history = phone.get(app, &format!("/api/sessions/{session}/events")).await;
    let kept = &history.body["events"].as_array().unwrap().last().unwrap()["data"]["sent"];
    assert_eq!(way(kept), delivered);
    // Away meanwhile: what it has it is told anew, what it has not comes as it is now.
    let mut again = phone.socket(app, Some(seq - 1)).await;
    let welcome = again.of_type("welcome").await;
    assert_eq!(way(&welcome["data"]["letters"][0]["sent"]), delivered);
    assert_eq!(way(&again.of_type("streamComplete").await["data"]["sent"]), delivered);
    running.stop().await;
}
