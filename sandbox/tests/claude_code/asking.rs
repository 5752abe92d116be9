//! What the agent asks and what it is told.

use super::world::{VERSIONS, World, bash};
use domain::{
    PermissionMode,
    agent::{AgentCommand, AgentEvent as E, AskAbout, GatewayTool, Rule, TurnOutcome},
};
use serde_json::json;
use standins::anthropic::{Script, Step};

#[tokio::test]
async fn a_tool_asks_runs_when_allowed_and_not_when_denied() {
    for version in VERSIONS {
        let scripts = [Script::when("touch").step(bash("touch made && echo it-ran")).step(Step::text("{{result}}"))];
        let mut world = World::new(version, scripts).await;
        world.say("touch it").await;
        let ask = world.asked().await;
        world.allow(&ask).await;
        assert_eq!(world.ended().await.text, "it-ran", "{version}");
        assert!(world.den.workspace().join("made").exists());
        world.say("touch again").await;
        let ask = world.asked().await;
        let deny = AgentCommand::Deny { request: ask.request, message: "The owner said no.".into(), interrupt: false };
        world.tell(deny).await;
        let end = world.ended().await;
        assert_eq!(
            (end.text.contains("The owner said no."), end.denials),
            (true, vec!["Bash".to_owned()]),
            "{version}"
        );
    }
}

#[tokio::test]
async fn always_is_asked_once_and_leaves_no_file() {
    for version in VERSIONS {
        let scripts = [Script::when("go")
            .step(bash("touch one && echo 1"))
            .step(bash("touch one && echo 2"))
            .step(Step::text("{{result}}"))];
        let mut world = World::new(version, scripts).await;
        world.say("go").await;
        let ask = world.asked().await;
        let AskAbout::Tool { input, .. } = ask.about else { panic!() };
        let always = vec![Rule { tool: "Bash".into(), content: None }];
        world.tell(AgentCommand::Allow { request: ask.request, input, always, mode: None }).await;
        assert_eq!(world.ended().await.text, "2", "{version}: not asked again");
        assert!(!world.den.workspace().join(".claude").exists());
    }
}

#[tokio::test]
async fn rules_given_at_the_start_are_not_asked_about() {
    for version in VERSIONS {
        let scripts = [Script::when("go").step(bash("touch one")).step(Step::text("made"))];
        let rule = Rule { tool: "Bash".into(), content: Some("touch *".into()) };
        let mut world = World::with(version, scripts, |l| l.rules = vec![rule]).await;
        assert_eq!(world.turn("go").await.text, "made", "{version}");
    }
}

#[tokio::test]
async fn a_question_s_answers_go_back_inside_its_input() {
    let questions = json!({ "questions": [{ "question": "Which database?", "header": "DB", "multiSelect": false,
        "options": [{ "label": "SQLite", "description": "a" }, { "label": "Postgres", "description": "b" }] }] });
    for version in VERSIONS {
        let script =
            Script::when("ask").step(Step::tool("AskUserQuestion", questions.clone())).step(Step::text("{{result}}"));
        let mut world = World::new(version, [script]).await;
        world.say("ask me").await;
        let ask = world.asked().await;
        let AskAbout::Question { questions, mut input } = ask.about else { panic!("{version}") };
        assert_eq!((questions[0].options.len(), questions[0].several), (2, false));
        input["answers"] = json!({ "Which database?": "Postgres" });
        world.tell(AgentCommand::Allow { request: ask.request, input, always: vec![], mode: None }).await;
        let said = world.ended().await.text;
        assert!(said.contains("Postgres"), "{version}: {said}");
    }
}

#[tokio::test]
async fn a_plan_is_shown_and_started_in_the_mode_that_is_chosen() {
    for version in VERSIONS {
        let script = Script::when("plan")
            .step(Step::tool("ExitPlanMode", json!({ "plan": "# Plan\n1. Write it" })))
            .step(Step::tool("Write", json!({ "file_path": "x.txt", "content": "hey" })))
            .step(Step::text("written"));
        let mut world = World::with(version, [script], |l| l.mode = PermissionMode::Plan).await;
        world.say("plan it").await;
        let ask = world.asked().await;
        let AskAbout::Plan { input, .. } = ask.about else { panic!("{version}: {ask:?}") };
        let mode = Some(PermissionMode::AcceptEdits);
        world.tell(AgentCommand::Allow { request: ask.request, input, always: vec![], mode }).await;
        assert_eq!(world.ended().await.text, "written", "{version}");
    }
}

#[tokio::test]
async fn a_picture_is_sent_by_lanyard_s_own_tool_and_its_refusal_is_read() {
    for version in VERSIONS {
        let photo = |path: &str| Step::tool("mcp__lanyard__send_photo", json!({ "path": path, "caption": "A page" }));
        let script = Script::when("send")
            .step(photo("/workspace/a.png"))
            .step(photo("/nowhere"))
            .step(Step::text("{{result 1}} / {{result 2}}"));
        let mut world = World::new(version, [script]).await;
        world.say("send it").await;
        for result in [Ok("The picture was sent.".to_owned()), Err("There is no such file.".to_owned())] {
            let (call, _) = world.until(|e| if let E::Called(call) = e { Some(call.clone()) } else { None }).await;
            let GatewayTool::SendPhoto { caption, .. } = &call.tool;
            assert_eq!(caption.as_deref(), Some("A page"), "{version}");
            world.tell(AgentCommand::ToolAnswered { call: call.call, result }).await;
        }
        let said = world.ended().await.text;
        assert!(said.contains("The picture was sent.") && said.contains("There is no such file."), "{version}: {said}");
    }
}

#[tokio::test]
async fn an_ask_is_withdrawn_when_its_turn_is_stopped() {
    for version in VERSIONS {
        let mut world = World::new(version, [Script::when("go").step(bash("touch one"))]).await;
        world.say("go").await;
        let ask = world.asked().await;
        world.tell(AgentCommand::Interrupt).await;
        let (withdrawn, _) =
            world.until(|e| if let E::Withdrawn { request } = e { Some(request.clone()) } else { None }).await;
        assert_eq!(withdrawn, ask.request, "{version}");
        assert_eq!(world.ended().await.outcome, TurnOutcome::Interrupted, "{version}");
    }
}
