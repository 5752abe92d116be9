//! Approvals by text with a real sandbox and the real Claude Code: plans, questions with parts, time that runs out, "always"
//! after a restart, modes at work, links.

mod world;

use domain::approval::Subject;
use serde_json::json;
use standins::anthropic::{Script, Step};
use std::time::Duration;
use world::{LATER, SOON, Wish, World};

fn bash(command: &str) -> Step {
    Step::tool("Bash", json!({ "command": command, "description": "test" }))
}

fn last_request(w: &World) -> String {
    w.anthropic.requests().pop().unwrap().body.to_string()
}

fn lanyard(w: &World, arguments: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_lanyard"));
    command.args(arguments).env("LANYARD_HOME", w.home()).kill_on_drop(true);
    command
}

/// Claude Code 2.1.329 shows the plan that the model wrote into a file of a name it was given; this model wrote none.
fn plan() -> Vec<Script> {
    let plan = Step::tool("ExitPlanMode", json!({ "plan": "1. Count the lines" }));
    vec![Script::when("plan it").step(plan).step(Step::text("Ended."))]
}

#[tokio::test]
async fn a_plan_is_refused_by_text_with_words_and_granted_by_text_where_policy_lets_it() {
    world::relay();
    let config = "[agent]\nmode = \"plan\"\n[approvals]\nsms_grants = \"medium\"\n";
    let w = World::new(Wish { sandbox: true, scripts: plan(), config }).await;
    let running = w.start().await;
    w.text("plan it").await;
    let asked = w.arrives(LATER).await.body;
    assert!(asked == "#1 Plan: (it wrote none down)\nyes 1 or no 1", "{asked}");
    w.text("no, count the words instead").await;
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    assert!(last_request(&w).contains("count the words instead"), "the agent reads why");
    w.text("plan it").await;
    w.arrives(LATER).await;
    w.text("yes").await;
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    assert!(last_request(&w).contains("approved"), "{}", last_request(&w));
    running.remove().await;
}

#[tokio::test]
async fn a_plan_that_a_text_may_not_grant_is_granted_at_the_desk() {
    world::relay();
    let w = World::new(Wish { sandbox: true, scripts: plan(), config: "[agent]\nmode = \"plan\"\n" }).await;
    let running = w.start().await;
    w.text("plan it").await;
    let asked = w.arrives(LATER).await.body;
    assert!(
        asked
            .contains("Medium risk: allow it on a paired phone or at the desk (lanyard approve 1). By text only no 1."),
        "{asked}"
    );
    w.text("yes").await;
    assert!(w.arrives(SOON).await.body.contains("too risky"));
    assert!(lanyard(&w, &["approve", "1"]).status().await.unwrap().success());
    assert!(w.arrives(SOON).await.body.contains("#1 was allowed elsewhere."));
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    running.remove().await;
}

#[tokio::test]
async fn a_question_with_several_parts_is_answered_in_one_text() {
    world::relay();
    let option = |label: &str| json!({ "label": label, "description": "" });
    let ask = json!({ "questions": [
        { "question": "Which colour?", "header": "Colour", "multiSelect": false, "options": [option("Red"), option("Blue")] },
        { "question": "Which rooms?", "header": "Rooms", "multiSelect": true, "options": [option("Hall"), option("Attic")] },
    ] });
    let scripts = vec![Script::when("paint").step(Step::tool("AskUserQuestion", ask)).step(Step::text("Painted."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    w.text("paint").await;
    let asked = w.arrives(LATER).await.body;
    let words = "#1 1/2 Which colour?\n1) Red\n2) Blue\n2/2 Which rooms? (several may be picked)\n1) Hall\n2) Attic\n\
        Answer all 2 with numbers or words, a ; between.";
    assert!(asked.starts_with(words), "{asked}");
    w.text("2; 1 2").await;
    assert_eq!(w.arrives(LATER).await.body, "Painted.");
    let read = last_request(&w);
    assert!(read.contains("Blue") && read.contains("Hall, Attic"), "{read}");
    running.remove().await;
}

#[tokio::test]
async fn what_nobody_answers_in_time_is_refused_and_the_owner_reads_it() {
    world::relay();
    let scripts = vec![Script::when("touch it").step(bash("python3 -c 1")).step(Step::text("Ended."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let mut config = w.resolved();
    config.expiry = Duration::from_secs(2);
    let running = w.start_with(config).await;
    w.text("touch it").await;
    assert!(w.arrives(LATER).await.body.contains("#1 may it run: python3 -c 1?"));
    assert_eq!(w.arrives(SOON).await.body, "#1 ran out unanswered, so it was refused.");
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    assert!(last_request(&w).contains("did not answer in time"), "the agent is told no");
    running.remove().await;
}

#[tokio::test]
async fn what_was_allowed_always_is_given_back_when_the_session_is_resumed() {
    world::relay();
    let scripts = vec![Script::when("count").step(bash("python3 -c 1")).step(Step::text("Ended."))];
    let config = "[approvals]\nsms_grants = \"high\"\n";
    let w = World::new(Wish { sandbox: true, scripts, config }).await;
    let running = w.start().await;
    w.text("count").await;
    let asked = w.arrives(LATER).await.body;
    assert!(asked.contains("or always 1: "), "{asked}");
    w.text("always").await;
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    running.stop().await;
    let running = w.start().await;
    w.text("count again").await;
    assert_eq!(w.arrives(LATER).await.body, "Ended.", "it is not asked again");
    running.remove().await;
}

#[tokio::test]
async fn a_mode_set_at_the_desk_reaches_the_agent_that_runs() {
    world::relay();
    let scripts = vec![
        Script::when("hello").step(Step::text("Hello.")),
        Script::when("count").step(bash("python3 -c 1")).step(Step::text("Ended.")),
    ];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    w.text("hello").await;
    assert_eq!(w.arrives(LATER).await.body, "Hello.");
    let set = lanyard(&w, &["mode", "bypassPermissions"]).output().await.unwrap();
    let words = String::from_utf8_lossy(&set.stdout).into_owned();
    assert!(words.starts_with("Session 1: bypassPermissions. It asks nothing"), "{words} {set:?}");
    w.text("count").await;
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    assert!(lanyard(&w, &["mode", "default", "1"]).status().await.unwrap().success());
    w.text("count").await;
    assert!(w.arrives(LATER).await.body.contains("may it run: python3 -c 1?"));
    running.remove().await;
}

#[tokio::test]
async fn a_link_in_the_workspace_is_judged_and_shown_by_where_it_leads() {
    world::relay();
    let write = |path: &str| Step::tool("Write", json!({ "file_path": path, "content": "evil" }));
    let scripts = vec![
        Script::when("plain").step(write("/workspace/fresh.md")).step(Step::text("Ended.")),
        Script::when("link").step(write("/workspace/notes/fresh.md")).step(Step::text("Ended.")),
    ];
    let workspace = world::agents_folder();
    std::os::unix::fs::symlink("/home/agent", workspace.path().join("notes")).unwrap();
    let config = format!("workspace = \"{}\"\n", workspace.path().display());
    let w = World::new(Wish { sandbox: true, scripts, config: &config }).await;
    let running = w.start().await;
    w.text("plain").await;
    let asked = w.arrives(LATER).await.body;
    assert_eq!(asked, "#1 may it write /workspace/fresh.md: \"evil\"?\nyes 1 or no 1");
    w.text("no").await;
    w.arrives(LATER).await;
    w.text("link").await;
    let asked = w.arrives(LATER).await.body;
    let words = "may it write /workspace/notes/fresh.md (a link: really /home/agent/fresh.md): \"evil\"?\nHigh risk";
    assert!(asked.contains(words), "{asked} {}", last_request(&w));
    let open = running.app.store.read(|r| store::approvals::all_open(r)).await.unwrap();
    assert!(matches!(&open[0].subject, Subject::Tool { target: Some(_), .. }), "{open:?}");
    w.text("no").await;
    w.arrives(LATER).await;
    running.remove().await;
}
