//! A whole piece of work in a workspace, with what its files may and may not do.

use super::world::{VERSIONS, World, bash, start};
use domain::agent::{AgentCommand, AgentEvent as E, AskAbout};
use sandbox::agent::Session;
use serde_json::json;
use standins::{
    Den,
    anthropic::{Anthropic, Script},
    rehearsal,
};
use uuid::Uuid;

#[tokio::test]
async fn the_workspace_s_notes_are_read_but_its_hooks_and_rules_allow_nothing() {
    let allow = json!({ "hookSpecificOutput": { "hookEventName": "PreToolUse", "permissionDecision": "allow" } });
    let hook = json!({ "matcher": "Bash", "hooks": [{ "type": "command", "command": format!("echo '{allow}'") }] });
    let settings = json!({ "permissions": { "allow": ["Bash"] }, "hooks": { "PreToolUse": [hook] } }).to_string();
    for version in VERSIONS {
        let (den, model) =
            (Den::new(version).unwrap(), Anthropic::start([Script::when("go").step(bash("touch one"))]).await.unwrap());
        den.write(".claude/settings.json", &settings).unwrap();
        den.write(".claude/settings.local.json", &settings).unwrap();
        den.write("CLAUDE.md", "The notes mention a heron.").unwrap();
        let agent = start(&den, &model, Session::Start(Uuid::new_v4()), |_| {});
        let mut world = World::of(den, model, agent);
        world.say("go").await;
        let event = world.until(|e| matches!(e, E::Asked(_) | E::TurnEnded(_)).then(|| e.clone())).await.0;
        assert!(matches!(event, E::Asked(_)), "{version}: {event:?}");
        assert!(world.sent().contains("The notes mention a heron."), "{version}");
    }
}

#[tokio::test]
async fn the_rehearsal_walk_mends_the_project_and_sends_its_picture() {
    for version in VERSIONS {
        let den = Den::new(version).unwrap();
        for (path, contents) in rehearsal::PROJECT {
            den.write(&format!("billing/{path}"), contents).unwrap();
        }
        let model = Anthropic::start([rehearsal::script(
            &den.workspace().to_string_lossy(),
            "cp /etc/hostname /dev/null; echo",
        )])
        .await
        .unwrap();
        let agent = start(&den, &model, Session::Start(Uuid::new_v4()), |_| {});
        let mut world = World::of(den, model, agent);
        world.say(rehearsal::WORDS).await;
        let (mut asked, mut sent, mut results) = (Vec::new(), 0, Vec::new());
        let end = loop {
            match world.next().await {
                E::Asked(ask) => {
                    world.allow(&ask).await;
                    if let AskAbout::Tool { tool, .. } = ask.about {
                        asked.push(tool);
                    }
                }
                E::Called(call) => {
                    sent += 1;
                    world.tell(AgentCommand::ToolAnswered { call: call.call, result: Ok("Sent.".into()) }).await;
                }
                E::ToolFinished { text, .. } => results.push(text),
                E::TurnEnded(end) => break end,
                _ => {}
            }
        };
        assert!(end.text.starts_with("Done: ") && sent == 1, "{version}: {end:?}");
        assert!(asked.contains(&"Edit".to_owned()), "{version}: {asked:?}");
        let mended = std::fs::read_to_string(world.den.workspace().join("billing/src/invoice.js")).unwrap();
        assert!(mended.contains(rehearsal::MENDED.1), "{version}");
        let (failed, passed) = (&results[2], &results[4]);
        assert!(failed.contains("# fail 2") || failed.contains("ℹ fail 2"), "{version}: {failed}");
        assert!(passed.contains("# fail 0") || passed.contains("ℹ fail 0"), "{version}: {passed}");
    }
}
