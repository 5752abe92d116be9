//! The session's process, as its driver has it: started, told things, ended.

use super::Driver;
use crate::{
    gateway::App,
    live::Partial,
    sessions::{
        photo,
        workshop::{Lease, Wanted},
    },
};
use domain::{
    Code, Problem,
    agent::{AgentCommand, AgentEvent, Picture},
    session::{Act, Input, Said},
};
use sandbox::agent::{OVER_MEMORY, Patience};
use std::time::Duration;
use store::sessions;
use tokio::{sync::mpsc::error::SendTimeoutError, task::JoinHandle};
use uuid::Uuid;

/// For the agent to take what it is told; it has room for 16 commands and reads them at once when all is well.
pub const READS_WITHIN: Duration = Duration::from_secs(10);
/// The status of a process that SIGKILL ended, as an engine tells it.
const KILLED: i64 = 137;

impl Driver {
    pub(super) fn take_process(&mut self, started: Result<Lease, Problem>) -> Input {
        self.starting = None;
        match started {
            Ok(lease) => {
                let agent_session = lease.process.control.agent_session();
                self.agent = Some(lease);
                Input::Started { agent_session }
            }
            Err(problem) => Input::StartFailed { code: problem.code, detail: problem.message },
        }
    }

    pub(super) async fn act(&mut self, act: Act) {
        match act {
            Act::Start { resume } => self.start(resume),
            Act::Say { id, said } => self.say(id, said).await,
            Act::Command(command) => self.command(command).await,
            Act::Partial { message, block, offset, text, thinking } => {
                let session = self.session.id;
                let after = *self.app.store.bells().events.borrow();
                self.app.live.say(Partial { session, message, block, offset, text, thinking, after });
            }
            Act::SendPhoto { turn, call } => {
                let Some(agent) = &self.agent else { return };
                let (commands, app) = (agent.process.commands.clone(), self.app.clone());
                let workshop = self.workshop.clone().unwrap_or_else(|| app.workshop.clone());
                self.app.tasks.spawn(photo::send(app, workshop, self.session.id, turn, call, commands));
            }
            Act::End => self.end_process_soon(),
        }
    }

    fn start(&mut self, resume: Option<String>) {
        self.drop_start();
        let (app, session, workshop) = (self.app.clone(), self.session.id, self.workshop.clone());
        let old = self.agent.take();
        self.starting = Some(self.app.tasks.spawn(async move {
            // Two processes must never work in one conversation.
            if let Some(old) = old {
                old.end(&app.tokens).await;
            }
            let rules = app.store.read(move |r| store::rules::of_session(r, session)).await;
            let row = app.store.read(move |r| sessions::get(r, session)).await;
            let (Ok(rules), Ok(Some(row))) = (rules, row) else { return Err(Code::Internal.into()) };
            workshop.ok_or(Code::TaskOver)?.take(Wanted { resume, rules, mode: row.mode, model: row.model }).await
        }));
    }

    /// A process that comes up when nobody wants it any more is ended as any other.
    fn drop_start(&mut self) {
        if let Some(starting) = self.starting.take() {
            let tokens = self.app.tokens.clone();
            self.app.tasks.spawn(async move {
                if let Ok(Ok(lease)) = starting.await {
                    lease.end(&tokens).await;
                }
            });
        }
    }

    async fn say(&mut self, id: Uuid, said: Said) {
        let pictures = match load_pictures(&self.app, &said).await {
            Ok(pictures) => pictures,
            Err(e) => {
                tracing::error!(error = ?e, "pictures of a message could not be loaded");
                Vec::new()
            }
        };
        self.command(AgentCommand::Say { id, text: said.text, pictures, slash: false }).await;
    }

    /// A process that is gone says so itself, as its last event; one that is there and does not read is ended.
    async fn command(&mut self, command: AgentCommand) {
        let Some(agent) = &self.agent else { return };
        if let Err(SendTimeoutError::Timeout(_)) = agent.process.commands.send_timeout(command, READS_WITHIN).await {
            tracing::error!(session.id = %self.session.id, "the agent does not read what it is told; it is ended");
            self.end_process_soon();
        }
    }

    /// Its end comes back as an event; until then the session waits.
    fn end_process_soon(&mut self) {
        self.drop_start();
        if let Some(agent) = &self.agent {
            let control = agent.process.control.clone();
            self.app.tasks.spawn(async move {
                if let Err(e) = control.end(Patience::default()).await {
                    tracing::warn!(error = ?e, "a process could not be ended");
                }
            });
        }
    }

    pub(super) async fn end_process(&mut self) {
        self.drop_start();
        if let Some(lease) = self.agent.take() {
            lease.end(&self.app.tokens).await;
        }
    }

    /// An end by SIGKILL, which nobody here sends unasked, was a memory limit's: the session's if its watcher said
    /// so, the sandbox's if the kernel counted one.
    pub(super) async fn why_it_ended(&self, input: Input) -> Input {
        match input {
            Input::Agent(AgentEvent::Exited { status: Some(KILLED), stderr }) => {
                let short = match &self.workshop {
                    Some(workshop) => workshop.ran_out_of_memory().await,
                    None => false,
                };
                match stderr.contains(OVER_MEMORY) || short {
                    true => Input::OutOfMemory { stderr },
                    false => Input::Agent(AgentEvent::Exited { status: Some(KILLED), stderr }),
                }
            }
            other => other,
        }
    }

    pub(super) fn note(&mut self, event: &AgentEvent) {
        match event {
            AgentEvent::ToolUsed { tool, .. } => self.doing = Some(tool.clone()),
            AgentEvent::TurnEnded(_) => self.doing = None,
            AgentEvent::Exited { .. } => {
                self.doing = None;
                if let Some(lease) = self.agent.take() {
                    self.app.tokens.forget(lease.token);
                }
            }
            _ => {}
        }
    }
}

async fn load_pictures(app: &App, said: &Said) -> store::Result<Vec<Picture>> {
    if said.pictures.is_empty() {
        return Ok(Vec::new());
    }
    let ids = said.pictures.clone();
    let artifacts = app
        .store
        .read(move |r| ids.iter().map(|id| store::artifacts::get(r, *id)).collect::<store::Result<Vec<_>>>())
        .await?;
    let picture = |a: store::artifacts::Artifact| Picture { media_type: a.media_type, bytes: a.bytes.into() };
    Ok(artifacts.into_iter().flatten().map(picture).collect())
}

pub(super) async fn started(starting: &mut Option<JoinHandle<Result<Lease, Problem>>>) -> Result<Lease, Problem> {
    match starting {
        Some(task) => task.await.unwrap_or_else(|e| Err(Problem::with_detail(Code::Internal, e))),
        None => std::future::pending().await,
    }
}

pub(super) async fn heard(agent: &mut Option<Lease>) -> AgentEvent {
    match agent {
        Some(lease) => match lease.process.events.recv().await {
            Some(event) => event,
            None => AgentEvent::Exited { status: None, stderr: String::new() },
        },
        None => std::future::pending().await,
    }
}
