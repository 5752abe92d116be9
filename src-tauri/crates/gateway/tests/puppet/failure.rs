//! What is remembered of an agent that failed.

use super::{
    agent::Puppet,
    world::{SOON, Wish, World, until},
};
use ::store::turns;
use domain::{Code, Timestamp, phrases};
use egress::{House as _, Payer};
use gateway::clock;

#[tokio::test]
async fn an_agent_that_died_is_remembered_until_one_has_worked_again() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let failed = async |code: Option<Code>| until(SOON, async || (app.last_failure.code() == code).then_some(())).await;
    let mut agent = Puppet::stands_ready(app).await;
    w.text("one").await;
    let (one, _) = agent.hears().await;
    agent.begins(&one);
    drop(agent);
    failed(Some(Code::AgentDied)).await;
    let mut agent = Puppet::stands_ready(app).await;
    // The one that stands ready fits a new conversation only.
    w.text("new two").await;
    let (two, _) = agent.hears().await;
    agent.begins(&two);
    agent.ends("Done.");
    failed(None).await;
    running.stop().await;
}

#[tokio::test]
async fn a_turn_that_waits_for_a_limit_says_so_once_and_not_also_that_it_failed() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let app = &running.app;
    let mut agent = Puppet::stands_ready(app).await;
    w.text("one").await;
    let (one, _) = agent.hears().await;
    agent.begins(&one);
    let begun = async || app.store.read(|r| turns::left_open(r)).await.unwrap().pop();
    let (turn, session, _) = until(SOON, begun).await;
    let payer = Payer { session: Some(session), turn: Some(turn) };
    let in_an_hour = Timestamp(clock::now().0 + 3_600_000);
    app.house.limited(payer, in_an_hour).await;
    agent.is_limited();
    assert_eq!(w.arrives(SOON).await.body, phrases::parked(&clock::told(in_an_hour)));
    until(SOON, async || (app.last_failure.code() == Some(Code::RateLimited)).then_some(())).await;
    w.text("two").await;
    let (two, _) = agent.hears().await;
    agent.begins(&two);
    agent.ends("Two is done.");
    assert_eq!(w.arrives(SOON).await.body, "Two is done.");
    running.stop().await;
}
