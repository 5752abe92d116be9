//! A den, a scripted model and a real Claude Code between them.

use domain::agent::{AgentCommand, AgentEvent as E, Ask, AskAbout, TurnEnd};
use futures::StreamExt;
use sandbox::{
    Chunk, Ended,
    agent::{AgentLaunch, Process, ProcessIo, Session},
};
use secrecy::SecretString;
use serde_json::json;
use standins::{
    CLAUDE, CLAUDE_BEFORE, Den,
    anthropic::{Anthropic, KEY, Script, Step},
};
use std::{collections::HashMap, process::Stdio, sync::Mutex, time::Duration};
use tokio_util::{io::ReaderStream, sync::CancellationToken};
use uuid::Uuid;

pub const VERSIONS: [&str; 2] = [CLAUDE, CLAUDE_BEFORE];

/// Far more than anything here takes; a wait that reaches it has failed.
pub const DEADLINE: Duration = Duration::from_secs(40);

/// A den, a model and one process between them.
pub struct World {
    pub den: Den,
    pub model: Anthropic,
    pub agent: Process,
    said: Mutex<HashMap<Uuid, String>>,
}

impl World {
    pub async fn new(version: &str, scripts: impl IntoIterator<Item = Script>) -> Self {
        Self::with(version, scripts, |_| {}).await
    }

    pub async fn with(
        version: &str,
        scripts: impl IntoIterator<Item = Script>,
        change: impl FnOnce(&mut AgentLaunch),
    ) -> Self {
        let (den, model) = (Den::new(version).unwrap(), Anthropic::start(scripts).await.unwrap());
        let agent = start(&den, &model, Session::Start(Uuid::new_v4()), change);
        Self::of(den, model, agent)
    }

    pub fn of(den: Den, model: Anthropic, agent: Process) -> Self {
        Self { den, model, agent, said: Mutex::default() }
    }

    pub async fn ready(self) -> Self {
        self.agent.control.ready(DEADLINE).await.unwrap();
        self
    }

    pub async fn say(&self, text: &str) {
        let id = Uuid::new_v4();
        self.said.lock().unwrap().insert(id, text.to_owned());
        self.tell(AgentCommand::Say { id, text: text.into(), pictures: vec![], slash: false }).await;
    }

    /// The words that were said under this id.
    pub fn words(&self, id: Uuid) -> String {
        self.said.lock().unwrap()[&id].clone()
    }

    pub async fn tell(&self, command: AgentCommand) {
        self.agent.commands.send(command).await.unwrap();
    }

    pub async fn next(&mut self) -> E {
        tokio::time::timeout(DEADLINE, self.agent.events.recv()).await.expect("in time").expect("an event")
    }

    /// Waits for the first event that `pick` takes, and gives those before it too.
    pub async fn until<T>(&mut self, pick: impl Fn(&E) -> Option<T>) -> (T, Vec<E>) {
        let mut before = Vec::new();
        loop {
            let event = self.next().await;
            if let Some(found) = pick(&event) {
                return (found, before);
            }
            assert!(!matches!(event, E::Exited { .. }), "it left: {event:?}");
            before.push(event);
        }
    }

    pub async fn asked(&mut self) -> Ask {
        self.until(|e| if let E::Asked(ask) = e { Some(ask.clone()) } else { None }).await.0
    }

    pub async fn ended(&mut self) -> TurnEnd {
        self.until(|e| if let E::TurnEnded(end) = e { Some(end.clone()) } else { None }).await.0
    }

    pub async fn turn(&mut self, text: &str) -> TurnEnd {
        self.say(text).await;
        self.ended().await
    }

    pub async fn allow(&self, ask: &Ask) {
        let AskAbout::Tool { input, .. } = &ask.about else { panic!("{ask:?}") };
        self.tell(AgentCommand::Allow {
            request: ask.request.clone(),
            input: input.clone(),
            always: vec![],
            mode: None,
        })
        .await;
    }

    /// Everything the model was sent, as one text.
    pub fn sent(&self) -> String {
        self.model.requests().iter().map(|r| r.body.to_string()).collect()
    }
}

pub fn start(den: &Den, model: &Anthropic, session: Session, change: impl FnOnce(&mut AgentLaunch)) -> Process {
    let mut launch = AgentLaunch::new(session, SecretString::from(KEY));
    launch.base_url = model.url();
    launch.proxy = None;
    launch.retries = 1;
    change(&mut launch);
    let mut command = den.command(&launch.argv("claude")[1..]);
    command.envs(launch.env()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let stdout = ReaderStream::new(child.stdout.take().unwrap()).map(|b| Chunk::Stdout(b.unwrap_or_default()));
    let stderr = ReaderStream::new(child.stderr.take().unwrap()).map(|b| Chunk::Stderr(b.unwrap_or_default()));
    let stdin = child.stdin.take().unwrap();
    let kill = CancellationToken::new();
    let killed = kill.clone();
    let waiting = tokio::spawn(async move {
        let _ = killed.run_until_cancelled(child.wait()).await;
        let _ = child.start_kill();
        child.wait().await.ok()?.code().map(i64::from)
    });
    let io = ProcessIo {
        stdin: Box::new(stdin),
        output: futures::stream::select(stdout, stderr).boxed(),
        status: Box::pin(async { waiting.await.ok().flatten() }),
        kill: Box::new(move |_| {
            kill.cancel();
            Box::pin(async { Ok(Ended::Gone) })
        }),
    };
    Process::spawn(io, launch.options())
}

pub fn bash(command: &str) -> Step {
    Step::tool("Bash", json!({ "command": command, "description": "a" }))
}
