//! Killed at every step of a turn and started again: nothing is lost, nothing is done twice, an interrupted turn is offered
//! again and never runs again by itself.

mod program;
mod world;

use program::{Program, lanyard};
use standins::{
    anthropic::{Script, Step},
    twilio::Arrived,
};
use world::{LATER, Wish, World};

/// Says yes to everything until the end has arrived; gives all that came.
async fn see_it_through(w: &World) -> Vec<Arrived> {
    loop {
        let message = w.arrives(LATER).await;
        if message.body.ends_with("Ended.") {
            return w.phone.received();
        }
        if message.body.contains("\nyes ") {
            w.phone.text(standins::twilio::NUMBER, "yes").await.unwrap();
        }
    }
}

/// Dies at `step`, starts again, and sees the turn through. `offered`: whether the turn had begun, so that it is offered.
async fn check(step: &str, offered: bool) {
    check_starts(step, &[], offered, 1).await;
}

/// The same, with starts between that die at their own steps before they come up.
///
/// `runs`: how often the command ran that the owner said yes to each time.
async fn check_starts(step: &str, deaths: &[&str], offered: bool, runs: usize) {
    let once = "python3 -c \"open('count','a').write('x')\"";
    let bash = Step::tool("Bash", serde_json::json!({ "command": once, "description": "count" }));
    let scripts = vec![Script::when("count once").step(bash).step(Step::text("Ended."))];
    let workspace = world::agents_folder();
    let at = workspace.path().display();
    let config = format!("workspace = \"{at}\"\n[approvals]\nsms_grants = \"medium\"\n");
    let w = World::new(Wish { sandbox: true, scripts, config: &config }).await;
    let mut program = Program::start(&w, step).await;
    let said = async {
        let _may_die_before_it_answers = w.phone.text(standins::twilio::NUMBER, "count once").await;
        see_it_through(&w).await;
        std::future::pending::<()>().await
    };
    tokio::select! {
        () = program.dies() => {}
        () = said => {}
    }
    for death in deaths {
        Program::spawn(&w, death).dies().await;
    }
    let program = Program::start(&w, "").await;
    // A step near the end may have let the last text out before it died.
    let arrived = match w.phone.received().iter().any(|m| m.body.ends_with("Ended.")) {
        true => w.phone.received(),
        false => see_it_through(&w).await,
    };
    tokio::time::timeout(LATER, w.twilio.settled(LATER)).await.unwrap().unwrap();
    let ends = arrived.iter().filter(|m| m.body.ends_with("Ended.")).count();
    let offers = arrived.iter().filter(|m| m.body.contains("Run it again?")).count();
    let count = std::fs::read(workspace.path().join("count")).unwrap_or_default().len();
    let again = lanyard(&w, &["logs", "--json"]).output().await.unwrap();
    let turns = String::from_utf8_lossy(&again.stdout).matches("\"turn_started\"").count();
    let bodies: Vec<&str> = arrived.iter().map(|m| m.body.as_str()).collect();
    assert_eq!((ends, offers, count), (1, usize::from(offered), runs), "{step}: {bodies:#?}");
    assert_eq!(turns, 1 + usize::from(offered), "{step}: one more turn than the owner asked for");
    program.remove(&w).await;
}

#[tokio::test]
async fn after_the_webhook_was_written_down() {
    check("webhook-after-inbox=return", false).await;
}

#[tokio::test]
async fn before_the_desk_read_it() {
    check("desk-before=return", false).await;
}

#[tokio::test]
async fn after_it_was_routed_to_its_session() {
    check("desk-after=return", false).await;
}

#[tokio::test]
async fn after_the_turn_began_and_before_the_agent_heard_of_it() {
    check("driver-after-writes=2*off->return", true).await;
}

#[tokio::test]
async fn after_the_agent_heard_of_it() {
    check("driver-after-act=1*off->return", true).await;
}

#[tokio::test]
async fn after_the_answer_was_written_and_before_the_agent_heard_of_it() {
    check("approval-after-answer=return", true).await;
}

#[tokio::test]
async fn while_the_turn_s_end_is_written() {
    check_starts("end-turn-in-the-middle=return", &[], true, 2).await;
}

/// Dies in the middle of a turn, then at `step` of the next start, and is started once more.
async fn check_start(step: &str) {
    check_starts("driver-after-act=1*off->return", &[step], true, 1).await;
}

#[tokio::test]
async fn while_the_next_start_takes_up_what_was_left() {
    check_start("launch-in-the-middle=return").await;
}

#[tokio::test]
async fn after_the_next_start_took_up_what_was_left() {
    check_start("launch-after=return").await;
}

#[tokio::test]
async fn before_an_answer_was_sent() {
    check("outbox-before-send=1*off->return", false).await;
}

#[tokio::test]
async fn after_an_answer_was_sent_and_before_that_was_written_down() {
    check("outbox-after-send=1*off->return", false).await;
}
