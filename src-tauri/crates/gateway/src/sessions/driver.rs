//! Carries out what a session's state machine decides: its writes in one transaction, then its acts in order.

use super::{
    photo,
    registry::Glance,
    workshop::{Lease, Wanted},
    writes,
};
use crate::{clock, gateway::App, live::Partial, tokens::Holder};
use domain::{
    Code, Problem, SessionId, Timestamp,
    agent::{AgentCommand, AgentEvent, Picture},
    session::{Act, Input, Phase, Said, Session, Write},
};
use sandbox::agent::Patience;
use std::time::Duration;
use store::{inbox, sessions};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// After a write failed (a full disk, most likely): how long until it is tried again.
const WRITE_AGAIN: Duration = Duration::from_secs(1);
/// A lost write is tried this often before the session gives up and leaves the rest to the next launch.
const WRITE_TRIES: u32 = 600;

pub struct Driver {
    app: App,
    session: Session,
    agent: Option<Lease>,
    starting: Option<JoinHandle<Result<Lease, Problem>>>,
    shown: watch::Sender<Glance>,
    doing: Option<String>,
}

impl Driver {
    /// Runs until Lanyard stops. Ends its process then.
    pub async fn run(app: App, id: SessionId, inputs: mpsc::Receiver<Input>, shown: watch::Sender<Glance>) {
        match load(&app, id).await {
            Ok(session) => {
                let driver = Self { app, session, agent: None, starting: None, shown, doing: None };
                driver.drive(inputs).await;
            }
            Err(e) => tracing::error!(session.id = %id, error = ?e, "a session could not be loaded"),
        }
    }

    async fn drive(mut self, mut inputs: mpsc::Receiver<Input>) {
        let stop = self.app.stop.clone();
        self.take(Input::GoOn).await;
        loop {
            let wake = self.session.wake_at().map(until);
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                input = inputs.recv() => match input {
                    Some(input) => input,
                    None => break,
                },
                started = started(&mut self.starting) => self.take_process(started),
                event = heard(&mut self.agent) => Input::Agent(event),
                () = sleep(wake) => Input::Tick,
            };
            self.take(next).await;
        }
        self.end_process().await;
    }

    fn take_process(&mut self, started: Result<Lease, Problem>) -> Input {
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

    async fn take(&mut self, input: Input) {
        if let Input::Agent(event) = &input {
            self.note(event);
        }
        let pictures = received_pictures(&input);
        let step = self.session.step(input, clock::now());
        if !step.writes.is_empty() && !self.write(step.writes, pictures).await {
            return;
        }
        self.pay();
        crate::may_die!("driver-after-writes");
        for act in step.acts {
            self.act(act).await;
            crate::may_die!("driver-after-act");
        }
        self.show();
    }

    /// True once the writes are on disk.
    async fn write(&self, writes: Vec<Write>, pictures: Vec<Picture>) -> bool {
        let scene = writes::Scene::of(&self.app, self.session.id);
        for attempt in 1..=WRITE_TRIES {
            let (scene, writes, pictures) = (scene.clone(), writes.clone(), pictures.clone());
            let now = clock::now();
            match self.app.store.write(move |tx| scene.write_all(tx, &writes, &pictures, now)).await {
                Ok(()) => return true,
                Err(e) => {
                    tracing::error!(session.id = %self.session.id, attempt, error = ?e, "a session's step was not written")
                }
            }
            tokio::select! {
                () = self.app.stop.cancelled() => return false,
                () = tokio::time::sleep(WRITE_AGAIN) => {}
            }
        }
        false
    }

    /// From here on this process's requests are paid by the running turn.
    fn pay(&self) {
        if let Some(lease) = &self.agent {
            let holder = Holder { session: Some(self.session.id), turn: self.session.turn() };
            self.app.tokens.assign(lease.token, holder);
        }
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Start { resume } => self.start(resume),
            Act::Say(said) => self.say(said).await,
            Act::Command(command) => self.command(command).await,
            Act::Partial { message, block, offset, text, thinking } => {
                let session = self.session.id;
                let after = *self.app.store.bells().events.borrow();
                self.app.live.say(Partial { session, message, block, offset, text, thinking, after });
            }
            Act::SendPhoto { turn, call } => {
                let Some(agent) = &self.agent else { return };
                let commands = agent.process.commands.clone();
                self.app.tasks.spawn(photo::send(self.app.clone(), self.session.id, turn, call, commands));
            }
            Act::End => self.end_process_soon(),
        }
    }

    fn start(&mut self, resume: Option<String>) {
        self.drop_start();
        let (app, session) = (self.app.clone(), self.session.id);
        let old = self.agent.take();
        self.starting = Some(self.app.tasks.spawn(async move {
            // Two processes must never work in one conversation.
            if let Some(old) = old {
                old.end(&app.tokens).await;
            }
            let rules = app.store.read(move |r| store::rules::of_session(r, session)).await;
            let row = app.store.read(move |r| sessions::get(r, session)).await;
            let (Ok(rules), Ok(Some(row))) = (rules, row) else { return Err(Code::Internal.into()) };
            app.workshop.take(Wanted { resume, rules, mode: row.mode, model: row.model }).await
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

    async fn say(&mut self, said: Said) {
        let pictures = match load_pictures(&self.app, &said).await {
            Ok(pictures) => pictures,
            Err(e) => {
                tracing::error!(error = ?e, "pictures of a message could not be loaded");
                Vec::new()
            }
        };
        let id = uuid::Uuid::now_v7();
        self.command(AgentCommand::Say { id, text: said.text, pictures, slash: false }).await;
    }

    /// A process that no longer listens says so itself, as its last event.
    async fn command(&mut self, command: AgentCommand) {
        if let Some(agent) = &self.agent {
            let _it_has_gone = agent.process.commands.send(command).await;
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

    async fn end_process(&mut self) {
        self.drop_start();
        if let Some(lease) = self.agent.take() {
            lease.end(&self.app.tokens).await;
        }
    }

    fn note(&mut self, event: &AgentEvent) {
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

    fn show(&self) {
        let state = match self.session.phase() {
            Phase::Cold { .. } => "cold",
            Phase::Starting => "starting",
            Phase::Warm { .. } => "idle",
            Phase::Working(_) => "working",
            Phase::Closed => "closed",
        };
        let glance = Glance { state, waiting: self.session.waiting(), doing: self.doing.clone() };
        let changed = self.shown.send_if_modified(|shown| {
            let changed = *shown != glance;
            *shown = glance;
            changed
        });
        if changed {
            self.app.registry.ring_glances();
        }
    }
}

async fn load(app: &App, id: SessionId) -> store::Result<Session> {
    let (row, waiting) = app
        .store
        .read(move |r| Ok((sessions::get(r, id)?.ok_or(store::Error::Missing)?, inbox::waiting(r, id)?)))
        .await?;
    let waiting = waiting.iter().map(inbox::Message::said).collect();
    Ok(Session::new(id, row.agent_session, waiting, app.config.patience))
}

/// Pictures that a tool gave back are kept with the event that names them.
fn received_pictures(input: &Input) -> Vec<Picture> {
    match input {
        Input::Agent(AgentEvent::ToolFinished { pictures, .. }) => pictures.clone(),
        _ => Vec::new(),
    }
}

async fn load_pictures(app: &App, said: &Said) -> store::Result<Vec<Picture>> {
    let ids = said.pictures.clone();
    let artifacts = app
        .store
        .read(move |r| ids.iter().map(|id| store::artifacts::get(r, *id)).collect::<store::Result<Vec<_>>>())
        .await?;
    let picture = |a: store::artifacts::Artifact| Picture { media_type: a.media_type, bytes: a.bytes.into() };
    Ok(artifacts.into_iter().flatten().map(picture).collect())
}

async fn started(starting: &mut Option<JoinHandle<Result<Lease, Problem>>>) -> Result<Lease, Problem> {
    match starting {
        Some(task) => task.await.unwrap_or_else(|e| Err(Problem::with_detail(Code::Internal, e))),
        None => std::future::pending().await,
    }
}

async fn heard(agent: &mut Option<Lease>) -> AgentEvent {
    match agent {
        Some(lease) => match lease.process.events.recv().await {
            Some(event) => event,
            None => AgentEvent::Exited { status: None, stderr: String::new() },
        },
        None => std::future::pending().await,
    }
}

fn until(at: Timestamp) -> Duration {
    at.since(clock::now())
}

async fn sleep(wake: Option<Duration>) {
    match wake {
        Some(wake) => tokio::time::sleep(wake).await,
        None => std::future::pending().await,
    }
}

/// What a session's title says: the first words, on one line.
pub fn title_of(text: &str) -> String {
    let line = domain::shown::shown_line(text.trim(), 200);
    let mut title: String = line.chars().take(60).collect();
    if title.len() < line.len() {
        title = title.rsplit_once(' ').map_or(title.clone(), |(head, _)| head.to_owned()) + " ..";
    }
    title
}
