//! Permission modes: they reach the program and do what they say.

use super::world::{VERSIONS, World, bash};
use domain::{
    PermissionMode,
    agent::{AgentCommand, AgentEvent as E, AskAbout},
};
use serde_json::json;
use standins::anthropic::{Script, Step};

/// Writes a file, then runs a command that writes another.
fn script() -> Script {
    Script::when("go")
        .step(Step::tool("Write", json!({ "file_path": "written", "content": "by the tool" })))
        .step(bash("touch ran"))
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
    let cases: [(PermissionMode, &[&str]); 4] = [
        (PermissionMode::Default, &["Write", "Bash"]),
        (PermissionMode::AcceptEdits, &["Bash"]),
        (PermissionMode::Plan, &["Write", "Bash"]),
        (PermissionMode::BypassPermissions, &[]),
    ];
    for version in VERSIONS {
        for (mode, expected) in cases {
            for set_later in [false, true] {
                let (asked, made) = asked_and_made(version, mode, set_later).await;
                assert_eq!(
                    (asked.as_slice(), made.as_slice()),
                    (expected, &["written", "ran"][..]),
                    "{version} {mode:?} {set_later}"
                );
            }
        }
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
