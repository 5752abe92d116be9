//! Permission modes: they reach the program and do what they say.

use super::world::{VERSIONS, World, bash};
use domain::{
    PermissionMode,
    agent::{AgentCommand, AgentEvent as E, AskAbout},
};
use serde_json::json;
use standins::{
    CLAUDE, CLAUDE_BEFORE,
    anthropic::{Script, Step},
};

/// Writes a file, then runs a command that writes another.
fn script() -> Script {
    Script::when("go")
        .step(Step::tool("Write", json!({ "file_path": "written", "content": "by the tool" })))
        .step(bash("python3 -c \"open('ran', 'w')\""))
        .step(Step::text("Ended."))
}

/// Which tools it asks about in this mode (each is allowed), and which of the two files are there at the end.
async fn asked_and_made(version: &str, mode: PermissionMode, set_later: bool) -> (Vec<String>, Vec<&'static str>) {
    let at_start = if set_later { PermissionMode::Default } else { mode };
    let mut world = World::with(version, [script()], |l| l.mode = at_start).await.ready().await;
    if set_later {
        world.tell(AgentCommand::SetMode(mode)).await;
    }
    world.say("go").await;
    let mut asked = Vec::new();
    loop {
        match world.next().await {
            E::TurnStarted { mode: told, .. } => assert_eq!(told, Some(mode), "{version}"),
            E::Asked(ask) => {
                world.allow(&ask).await;
                let AskAbout::Tool { tool, .. } = ask.about else { panic!("{version}: {ask:?}") };
                asked.push(tool);
            }
            E::TurnEnded(end) => {
                assert_eq!(end.text, "Ended.", "{version}");
                let made = ["written", "ran"].into_iter().filter(|f| world.den.workspace().join(f).exists());
                return (asked, made.collect());
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn each_mode_asks_about_what_it_says_at_the_start_and_when_set_later() {
    let cases: [(PermissionMode, &[&str]); 3] = [
        (PermissionMode::Default, &["Write", "Bash"]),
        (PermissionMode::AcceptEdits, &["Bash"]),
        (PermissionMode::BypassPermissions, &[]),
    ];
    for version in VERSIONS {
        for (mode, expected) in cases {
            for set_later in [false, true] {
                let (asked, made) = asked_and_made(version, mode, set_later).await;
                assert_eq!(asked, expected, "{version} {mode:?}, later: {set_later}");
                assert_eq!(made, ["written", "ran"], "{version} {mode:?}, later: {set_later}");
            }
        }
    }
}

#[tokio::test]
async fn planning_runs_nothing_that_was_not_asked_about() {
    for (version, set_later) in [(CLAUDE, false), (CLAUDE, true), (CLAUDE_BEFORE, false)] {
        let (asked, made) = asked_and_made(version, PermissionMode::Plan, set_later).await;
        for (tool, file) in [("Write", "written"), ("Bash", "ran")] {
            let unasked = made.contains(&file) && !asked.iter().any(|a| a == tool);
            assert!(!unasked, "{version}, later: {set_later}: {tool} ran, asked was {asked:?}");
        }
        assert!(asked.contains(&"Write".to_owned()), "{version}, later: {set_later}: {asked:?}");
    }
}

#[tokio::test]
async fn mode_and_model_can_be_changed_when_a_spare_is_taken() {
    for version in VERSIONS {
        let mut world = World::new(version, [Script::when("go").step(bash("touch one")).step(Step::text("made"))])
            .await
            .ready()
            .await;
        world.tell(AgentCommand::SetMode(PermissionMode::BypassPermissions)).await;
        world.tell(AgentCommand::SetModel("claude-sonnet-4-5".into())).await;
        world.say("go").await;
        let pick = |e: &E| if let E::TurnStarted { mode, model, .. } = e { Some((*mode, model.clone())) } else { None };
        let (started, _) = world.until(pick).await;
        assert_eq!(started, (Some(PermissionMode::BypassPermissions), "claude-sonnet-4-5".to_owned()), "{version}");
        assert_eq!(world.ended().await.text, "made", "{version}: it did not ask");
    }
}
