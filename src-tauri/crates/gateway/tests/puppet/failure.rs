//! What is remembered of an agent that failed.

use super::{
    agent::Puppet,
    world::{SOON, Wish, World, until},
};
use domain::Code;

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
