//! Carries out what a session's state machine decides: its writes in one transaction, then its acts in order.

mod load;
mod process;
mod scrub;
mod write;

pub use process::READS_WITHIN;

use super::{
    registry::Glance,
    workshop::{Lease, SandboxState, Workshop},
};
use crate::{approvals::behind, clock, gateway::App, parking, tokens::Holder};
use domain::{
    Problem, SessionId, Timestamp,
    agent::{AgentEvent, Picture},
    approval::Decision,
    risk::{Tier, Tiers},
    session::{Input, Phase, Session, Write},
};
use scrub::Scrub;
use std::{sync::Arc, time::Duration};
use store::inbox;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
};
use write::Lost;

/// One session at work.
pub struct Driver {
    app: App,
    session: Session,
    /// None: the one of its task is gone.
    workshop: Option<Workshop>,
    agent: Option<Lease>,
    starting: Option<JoinHandle<Result<Lease, Problem>>>,
    shown: watch::Sender<Glance>,
    doing: Option<String>,
    scrub: Scrub,
    sandbox: watch::Receiver<SandboxState>,
    paused: bool,
    /// The session was just read from the store: what waits there is to be taken up.
    fresh: bool,
}

/// What reaches a driver: inputs, and a bell that says that the store holds words the queue had no room for.
pub struct Rung {
    pub inputs: mpsc::Receiver<Input>,
    pub bell: Arc<Notify>,
}

impl Driver {
    /// Runs until Lanyard stops. Ends its process then. Also ends, without a word lost, when nothing was to be done for as long
    /// as a process is kept for, and when the store fails for good: the next ring starts another.
    pub async fn run(app: App, id: SessionId, rung: Rung, shown: watch::Sender<Glance>) {
        let Some((session, task)) = load::load(&app, id).await else { return };
        let workshop = app.apart.of(id).or_else(|| task.is_none().then(|| app.workshop.clone()));
        let sandbox = workshop.as_ref().unwrap_or(&app.workshop).watch();
        let driver = Self {
            app: app.clone(),
            session,
            workshop,
            agent: None,
            starting: None,
            shown,
            doing: None,
            scrub: Scrub::default(),
            sandbox,
            paused: false,
            fresh: true,
        };
        driver.drive(rung).await;
        app.registry.forget(id);
    }

    async fn drive(mut self, mut rung: Rung) {
        let stop = self.app.stop.clone();
        loop {
            let leaves_after = self.leaves_after();
            let next = match self.at_once() {
                Some(next) => Some(next),
                None => tokio::select! {
                    biased;
                    () = stop.cancelled() => break,
                    Ok(()) = self.sandbox.changed() => self.look_at_sandbox(),
                    input = rung.inputs.recv() => match input {
                        Some(Input::Halt) => {
                            if !self.take_up_for_halt().await {
                                break;
                            }
                            Some(Input::Halt)
                        }
                        Some(input) => Some(input),
                        None => break,
                    },
                    () = rung.bell.notified() => self.what_waits().await,
                    started = process::started(&mut self.starting) => Some(self.take_process(started)),
                    event = process::heard(&mut self.agent) => Some(Input::Agent(event)),
                    () = sleep(self.session.wake_at().map(until)) => Some(Input::Tick),
                    () = sleep(leaves_after) => return self.leave(rung).await,
                },
            };
            if let Some(next) = next
                && !self.take(next).await
            {
                break;
            }
        }
        self.end_process().await;
    }

    fn leaves_after(&self) -> Option<Duration> {
        let closed = matches!(self.session.phase(), Phase::Closed);
        self.session.rests().then_some(if closed { Duration::ZERO } else { self.app.config.patience.idle })
    }

    /// What came at the last moment goes to the next driver.
    async fn leave(self, mut rung: Rung) {
        rung.inputs.close();
        while let Some(input) = rung.inputs.recv().await {
            self.app.registry.ring(&self.app, self.session.id, input).await;
        }
    }

    /// What a session that was just read from the store takes first.
    fn at_once(&mut self) -> Option<Input> {
        if !self.fresh {
            return None;
        }
        self.look_at_sandbox().or_else(|| {
            self.fresh = false;
            Some(Input::GoOn)
        })
    }

    /// A pause or its end, if it is news.
    fn look_at_sandbox(&mut self) -> Option<Input> {
        let paused = *self.sandbox.borrow_and_update() == SandboxState::Paused;
        if std::mem::replace(&mut self.paused, paused) == paused {
            return None;
        }
        Some(if paused { Input::Paused } else { Input::Resumed })
    }

    /// What the store holds for this session and nobody rang for.
    async fn what_waits(&mut self) -> Option<Input> {
        let id = self.session.id;
        match self.app.store.read(move |r| inbox::waiting(r, id)).await {
            Ok(waiting) => Some(Input::Again(waiting.iter().map(inbox::Message::said).collect())),
            Err(e) => {
                tracing::error!(session.id = %id, error = ?e, "what waits for a session could not be read");
                None
            }
        }
    }

    /// Words that were kept before a halt are what it ends, though nobody has rung for them yet.
    async fn take_up_for_halt(&mut self) -> bool {
        parking::forget(&self.app, self.session.id).await;
        if matches!(self.session.phase(), Phase::Working(_)) {
            return true;
        }
        match self.what_waits().await {
            Some(waiting) => self.take(waiting).await,
            None => true,
        }
    }

    /// False once nothing more can be done for this session here.
    async fn take(&mut self, mut input: Input) -> bool {
        if let Input::Agent(event) = &mut input {
            self.scrub.pass(event, || self.app.secrets.in_use());
            self.note(event);
        }
        let input = self.why_it_ended(input).await;
        let pictures = received_pictures(&input);
        let mut step = self.session.step(input, clock::now());
        if let Some(workshop) = &self.workshop {
            behind::look(workshop, &mut step.writes).await;
        }
        let unasked = let_be(&mut step.writes, &self.app.settings.rules().tiers);
        if !step.writes.is_empty() {
            match self.write(&step.writes, pictures).await {
                Ok(()) => self.app.last_failure.note(&step.writes),
                Err(Lost::Stopping) => return false,
                Err(Lost::ForGood(e)) => return self.give_up(&step.writes, e).await,
            }
        }
        self.pay();
        crate::may_die!("driver-after-writes");
        for act in step.acts {
            self.act(act).await;
            crate::may_die!("driver-after-act");
        }
        self.show();
        for decided in unasked {
            if !Box::pin(self.take(decided)).await {
                return false;
            }
        }
        true
    }

    /// From here on this process's requests are paid by the running turn.
    fn pay(&self) {
        if let Some(lease) = &self.agent {
            let holder = Holder { session: Some(self.session.id), turn: self.session.turn() };
            self.app.tokens.assign(lease.token, holder);
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

/// Takes what the owner's rules let the agent do unasked out of what is to be asked; gives the answers.
fn let_be(writes: &mut [Write], tiers: &Tiers) -> Vec<Input> {
    let mut decided = Vec::new();
    for write in writes {
        let Write::Ask { request, subject, .. } = write else { continue };
        if tiers.of(subject) == Tier::Free {
            let (request, subject) = (request.clone(), subject.clone());
            *write = Write::Unasked { subject: subject.clone() };
            decided.push(Input::Decided { request, subject, decision: Decision::Allowed });
        }
    }
    decided
}

/// Pictures that a tool gave back are kept with the event that names them.
fn received_pictures(input: &Input) -> Vec<Picture> {
    match input {
        Input::Agent(AgentEvent::ToolFinished { pictures, .. }) => pictures.clone(),
        _ => Vec::new(),
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
