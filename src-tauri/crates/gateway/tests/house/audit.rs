//! The audit of a running gateway: what is in it, and what is found when somebody had their hands in it.

use crate::{
    api_world::{Phone, local},
    well,
    world::{Running, SOON, Wish, World, until},
};
use serde_json::{Value, json};
use store::Rows as _;

async fn verified(running: &Running) -> Value {
    well(local(&running.app, "POST", "/audit/verify", None).await)
}

/// Once all that was written is signed.
async fn signed(running: &Running) -> Value {
    let all = async || Some(verified(running).await).filter(|shown| shown["signed"] == shown["rows"]);
    until(SOON, all).await
}

async fn run(running: &Running, sql: &'static str) {
    running.app.store.write(move |tx| Ok(tx.conn().execute_batch(sql)?)).await.unwrap();
}

async fn says(running: &Running) -> String {
    verified(running).await["broken"]["says"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_was_done_is_in_the_chain_and_no_secret_is() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let phone = Phone::pair(app, "Ada's").await;
    well(local(app, "PATCH", "/settings", Some(&json!({ "spend": { "day": 7 } }))).await);
    well(local(app, "POST", "/hosts", Some(&json!({ "host": "packages.example" }))).await);
    well(local(app, "POST", "/lock", None).await);
    well(local(app, "POST", "/unlock", None).await);
    assert_eq!(signed(&running).await["broken"], Value::Null);
    let export = local(app, "GET", "/audit", None).await.text;
    let rows: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    let expected = ["paired", "settings_changed", "host_allowed", "locked", "revoked", "unlocked", "exported"];
    assert_eq!(kinds, expected, "{export}");
    assert_eq!(rows[0]["body"]["name"], "Ada's");
    assert_eq!(rows[1]["body"]["keys"], json!(["spend.day"]));
    for secret in [crate::world::KEY, phone.access.as_str()] {
        assert!(!export.contains(secret));
    }
    running.stop().await;
}

#[tokio::test]
async fn rows_that_are_old_enough_are_cut_off_and_only_a_signed_stub_may_stand_for_them() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    for host in ["a.example", "b.example", "c.example"] {
        well(local(&running.app, "POST", "/hosts", Some(&json!({ "host": host }))).await);
    }
    let future = domain::Timestamp(gateway::clock::now().0 + 1000);
    assert_eq!(gateway::audit::cut_older(&running.app, domain::Timestamp(0)).await, Ok(0), "nothing is that old");
    assert_eq!(gateway::audit::cut_older(&running.app, future).await, Ok(2), "the last row stays");
    let shown = signed(&running).await;
    assert_eq!(shown, json!({ "rows": 4, "signed": 4, "cut": 2, "broken": null }));
    let export = local(&running.app, "GET", "/audit", None).await.text;
    let rows: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows[0]["cut"]["id"].clone(), rows[1]["id"].clone()), (json!(2), json!(3)), "{export}");
    assert_eq!(rows[2]["kind"], "cut");

    signed(&running).await;
    run(&running, "CREATE TABLE kept AS SELECT * FROM audit").await;
    run(&running, "DELETE FROM audit WHERE id = 3").await;
    assert_eq!(says(&running).await, "Row 3 was taken out.");
    assert_eq!(gateway::audit::cut_older(&running.app, future).await, Ok(0), "what was tampered with stays as it is");
    run(&running, "INSERT INTO audit SELECT * FROM kept WHERE id = 3").await;
    assert_eq!(says(&running).await, "");
    // Who has the database moves the stub further, and has no key to sign it with.
    let forged =
        "DELETE FROM audit WHERE id = 3; UPDATE facts SET value = json_set(value, '$.id', 3) WHERE name = 'audit_stub'";
    run(&running, forged).await;
    assert_eq!(says(&running).await, "Rows 1 to 3 were taken out.");
    running.stop().await;
}

#[tokio::test]
async fn a_row_that_is_changed_or_taken_out_or_cut_off_at_the_end_is_named() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    for host in ["a.example", "b.example", "c.example", "d.example"] {
        well(local(&running.app, "POST", "/hosts", Some(&json!({ "host": host }))).await);
    }
    signed(&running).await;
    run(&running, "CREATE TABLE kept AS SELECT * FROM audit").await;
    let undo = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept";
    run(&running, "UPDATE audit SET body = '{\"host\":\"x\"}' WHERE id = 2").await;
    assert_eq!(says(&running).await, "Row 2 is not as it was written, or was put in.");
    run(&running, undo).await;
    run(&running, "DELETE FROM audit WHERE id = 3").await;
    assert_eq!(says(&running).await, "Row 3 was taken out.");
    run(&running, undo).await;
    run(&running, "DELETE FROM audit WHERE id > 2").await;
    assert_eq!(says(&running).await, "Rows 3 to 4 were cut off at the end.");
    // What is written after does not hide it: the signature is not moved over it, not by a restart either.
    well(local(&running.app, "POST", "/hosts", Some(&json!({ "host": "e.example" }))).await);
    well(local(&running.app, "POST", "/hosts", Some(&json!({ "host": "f.example" }))).await);
    well(local(&running.app, "POST", "/hosts", Some(&json!({ "host": "g.example" }))).await);
    running.stop().await;
    let running = w.start().await;
    assert_eq!(says(&running).await, "The chain was written anew: row 4 is not the one that was signed.");
    running.stop().await;
}
