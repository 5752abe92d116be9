//! Claude Code where it belongs: in a sandbox, with the stand-in model at the end of the relay.

#[path = "docker/world.rs"]
#[allow(dead_code, reason = "shared with the tests of the sandbox itself, which use all of it")]
mod world;

use domain::{
    SandboxId,
    agent::{AgentCommand, AgentEvent as E, AskAbout, GatewayTool, TurnEnd},
};
use sandbox::{
    Command, Ended, Incoming, Sandboxes,
    agent::{AgentLaunch, Patience, Process, Session},
};
use secrecy::SecretString;
use serde_json::json;
use standins::{
    anthropic::{Anthropic, KEY, Script, Step},
    rehearsal,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, sync::mpsc};
use uuid::Uuid;
use world::World;

const DEADLINE: Duration = Duration::from_secs(60);

/// A sandbox that is up, whose way out leads to the model and nowhere else.
struct Room {
    _world: World,
    sandboxes: Sandboxes,
    model: Anthropic,
    id: SandboxId,
}

impl Room {
    async fn new(scripts: impl IntoIterator<Item = Script>) -> Self {
        let (world, model) = (World::new().await, Anthropic::start(scripts).await.unwrap());
        world.sandboxes.clone().close().await;
        let (sandboxes, incoming) = Sandboxes::connect(world.settings.clone()).await.unwrap();
        tokio::spawn(lead_to(model.address(), incoming));
        let spec = world::spec();
        sandboxes.ensure(&spec).await.unwrap();
        Self { _world: world, sandboxes, model, id: spec.id }
    }

    async fn agent(&self, session: Session) -> Process {
        let launch = AgentLaunch::new(session, SecretString::from(KEY));
        let agent = self.sandboxes.start_agent(self.id, launch).await.unwrap();
        agent.control.ready(DEADLINE).await.unwrap();
        agent
    }

    async fn sh(&self, script: &str) -> String {
        let output = self.sandboxes.exec(self.id, Command::new(["bash", "-c", script])).await.unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

async fn lead_to(model: SocketAddr, mut incoming: mpsc::Receiver<Incoming>) {
    while let Some(mut connection) = incoming.recv().await {
        tokio::spawn(async move {
            let mut out = TcpStream::connect(model).await?;
            tokio::io::copy_bidirectional(&mut connection.stream, &mut out).await
        });
    }
}

async fn say(agent: &Process, text: &str) {
    let say = AgentCommand::Say { id: Uuid::new_v4(), text: text.into(), pictures: vec![], slash: false };
    agent.commands.send(say).await.unwrap();
}

async fn next(agent: &mut Process) -> E {
    tokio::time::timeout(DEADLINE, agent.events.recv()).await.expect("in time").expect("an event")
}

/// Says yes to everything until the turn is over.
async fn through(agent: &mut Process, photos: &mut Vec<String>) -> TurnEnd {
    loop {
        let answer = match next(agent).await {
            E::Asked(ask) => {
                let AskAbout::Tool { input, .. } = ask.about else { panic!("{ask:?}") };
                AgentCommand::Allow { request: ask.request, input, always: vec![], mode: None }
            }
            E::Called(call) => {
                let GatewayTool::SendPhoto { path, .. } = call.tool;
                photos.push(path);
                AgentCommand::ToolAnswered { call: call.call, result: Ok("Sent.".into()) }
            }
            E::TurnEnded(end) => return end,
            E::Exited { stderr, .. } => panic!("it left: {stderr}"),
            _ => continue,
        };
        agent.commands.send(answer).await.unwrap();
    }
}

#[tokio::test]
async fn the_rehearsal_walk_ends_with_a_mended_project_and_a_real_picture() {
    let room = Room::new([rehearsal::script("/workspace", "lanyard-shot")]).await;
    for (path, contents) in rehearsal::PROJECT {
        let write = format!("mkdir -p $(dirname billing/{path}) && cat > billing/{path}");
        let command = Command::new(["bash", "-c", &write]).stdin(*contents);
        assert_eq!(room.sandboxes.exec(room.id, command).await.unwrap().status, 0);
    }
    let mut agent = room.agent(Session::Start(Uuid::new_v4())).await;
    say(&agent, rehearsal::WORDS).await;
    let mut photos = Vec::new();
    let end = through(&mut agent, &mut photos).await;
    assert!(end.text.starts_with("Done: "), "{end:?}");
    assert_eq!(photos, [format!("/workspace/{}", rehearsal::PICTURE)]);
    let kind = room.sh(&format!("head -c 8 {} | od -An -tx1", photos[0])).await;
    assert_eq!(kind, "89 50 4e 47 0d 0a 1a 0a", "a PNG");
    assert_eq!(room.sh("cd billing && node --test >/dev/null 2>&1; echo $?").await, "0");
    agent.end(Patience::default()).await.unwrap();
}

#[tokio::test]
async fn nothing_the_agent_started_outlives_it() {
    let command = "setsid nohup sleep 1007 >/dev/null 2>&1 & tail -f /dev/null";
    let script = Script::when("go").step(Step::tool("Bash", json!({ "command": command, "description": "a" })));
    let room = Room::new([script]).await;
    let mut agent = room.agent(Session::Start(Uuid::new_v4())).await;
    say(&agent, "go").await;
    loop {
        if let E::Asked(ask) = next(&mut agent).await {
            let AskAbout::Tool { input, .. } = ask.about else { panic!("{ask:?}") };
            let allow = AgentCommand::Allow { request: ask.request, input, always: vec![], mode: None };
            agent.commands.send(allow).await.unwrap();
            break;
        }
    }
    world::until("the sleeper sleeps", || async { room.sh("pgrep -fc '^sleep 1007' || true").await == "1" }).await;
    let ending = agent.end(Patience::default()).await.unwrap();
    assert!(matches!(ending.how, Ended::Killed(1..)), "{ending:?}");
    assert!(matches!(ending.last.last(), Some(E::Exited { .. })), "{ending:?}");
    assert_eq!(room.sh("pgrep -fc '^sleep 1007|^claude|^tail -f' || true").await, "0");
}

#[tokio::test]
async fn a_conversation_is_taken_up_after_its_process_was_ended() {
    let room = Room::new([Script::when("first").step(Step::text("The word is heron."))]).await;
    let mut agent = room.agent(Session::Start(Uuid::new_v4())).await;
    say(&agent, "first").await;
    let session = through(&mut agent, &mut Vec::new()).await.agent_session;
    agent.end(Patience::default()).await.unwrap();
    let mut again = room.agent(Session::Resume(session.clone())).await;
    say(&again, "second").await;
    assert_eq!(through(&mut again, &mut Vec::new()).await.agent_session, session);
    let last = room.model.requests().pop().unwrap();
    assert!(last.body.to_string().contains("The word is heron."));
    again.end(Patience::default()).await.unwrap();
}
