//! What the course asks for, done: each effect begins here, and tells its end as an input.

use super::{
    Updates,
    course::{Course, Effect, Then},
    feed::Feed,
    installation::Installation,
    kept, problems,
    record::Record,
    trial::Trial,
};
use crate::{controller::Tick, native_status::UpdateProblem, updates::Input};
use domain::Problem;
use gateway::desk::Desk;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval_at},
};

/// A start has enough to do.
const FIRST_LOOK_AFTER: Duration = Duration::from_secs(30);
/// Whether a day is over is looked at this often: a computer that slept, or was offline, looks soon after.
const PACE: Duration = Duration::from_secs(60 * 60);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

pub(super) struct Running {
    pub(super) with: Updates,
    pub(super) current: String,
    /// The running program, by the path it was started from.
    pub(super) program: PathBuf,
    pub(super) course: Course,
    /// None where updates are off.
    pub(super) feed: Option<Feed>,
    pub(super) installation: Option<Installation>,
    pub(super) making_way: Option<JoinHandle<()>>,
}

impl Running {
    /// Until the app ends.
    pub(super) async fn run(mut self) {
        let mut clock = interval_at(Instant::now() + FIRST_LOOK_AFTER, PACE);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.show().await;
        loop {
            tokio::select! {
                input = self.with.inputs.recv() => match input {
                    Some(input) => self.take(input).await,
                    None => return,
                },
                _ = clock.tick() => if self.due().await { self.take(Input::Look { asked: false }).await },
            }
        }
    }

    /// A day has passed since the last look, or the clock was set back.
    async fn due(&self) -> bool {
        let Some(desk) = self.with.desk.borrow().clone().filter(Desk::looks_for_updates) else { return false };
        let now = gateway::clock::now().0;
        let looked = desk.update_checked_at().await;
        looked.is_ok_and(|at| at.is_none_or(|at| !(at.0..at.0 + DAY_MS).contains(&now)))
    }

    async fn take(&mut self, input: Input) {
        if matches!(input, Input::Found(_)) {
            self.looked().await;
        }
        for effect in self.course.step(input) {
            self.act(effect);
        }
        self.show().await;
    }

    async fn looked(&self) {
        let desk = self.with.desk.borrow().clone();
        if let Some(desk) = desk
            && let Err(e) = desk.update_was_checked().await
        {
            tracing::warn!(error = ?e, "when an update was looked for could not be written down");
        }
    }

    async fn show(&self) {
        let _the_app_is_ending = self.with.ticks.send(Tick::Update(self.course.shown())).await;
    }

    fn act(&mut self, effect: Effect) {
        match effect {
            Effect::Look => self.ask(|feed, tell| async move {
                let input = feed.look().await.map_or_else(Input::NotFound, Input::Found);
                let _the_app_is_ending = tell.send(input).await;
            }),
            Effect::Fetch => self.ask(|feed, tell| async move {
                let part = |part| {
                    let _the_next_tells = tell.try_send(Input::Fetched(part));
                };
                let input = feed.fetch(part).await.map_or_else(Input::NotFetched, |()| Input::Verified);
                let _the_app_is_ending = tell.send(input).await;
            }),
            Effect::MakeWay => {
                self.stay_up();
                let (desk, tell, ticks) = (self.with.desk.clone(), self.with.tell.clone(), self.with.ticks.clone());
                self.making_way = Some(tokio::spawn(make_way(desk, tell, ticks)));
            }
            Effect::StayUp => self.stay_up(),
            Effect::Install => self.install(),
            Effect::Remember(problem) => self.remember(&problem),
            Effect::Leave(then) => self.leave(then),
        }
    }

    fn ask<F: Future<Output = ()> + Send + 'static>(&self, asks: impl FnOnce(Feed, mpsc::Sender<Input>) -> F) {
        if let Some(feed) = &self.feed {
            tokio::spawn(asks(feed.clone(), self.with.tell.clone()));
        }
    }

    fn stay_up(&mut self) {
        if let Some(making_way) = self.making_way.take() {
            making_way.abort();
        }
    }

    fn install(&self) {
        let (Some(feed), Some(installation)) = (self.feed.clone(), self.installation.clone()) else { return };
        let (data, tell, shown) = (self.with.data.clone(), self.with.tell.clone(), self.course.shown());
        let record = Record {
            from: self.current.clone(),
            to: shown.version.unwrap_or_default(),
            file: match installation {
                Installation::File(file) => Some(file),
                Installation::Package | Installation::Bundle => None,
            },
            problem: None,
        };
        let again = self.course.starts_again();
        tokio::task::spawn_blocking(move || {
            let input =
                put_in_place(&feed, &record, &data, again).map_or_else(Input::NotInstalled, |()| Input::Installed);
            let _the_app_is_ending = tell.blocking_send(input);
        });
    }

    fn remember(&self, problem: &Problem) {
        let record = Record {
            from: self.current.clone(),
            to: String::new(),
            file: None,
            problem: Some(UpdateProblem::from(problem)),
        };
        if let Err(e) = record.write(&self.with.data) {
            tracing::warn!(error = %e, "what became of an update could not be written down");
        }
    }

    /// The same arguments as this start had; what went wrong is shown in a window.
    fn leave(&self, then: Then) {
        let arguments = std::env::args_os().skip(1).filter(|word| then == Then::New || word != "--minimized");
        let program = match &self.installation {
            Some(Installation::File(file)) => file.clone(),
            Some(Installation::Package | Installation::Bundle) | None => self.program.clone(),
        };
        if then != Then::Nothing {
            let trial = Trial { data: self.with.data.clone(), program, arguments: arguments.collect() };
            let _decided_before = self.with.successor.set(trial);
        }
        self.with.app.exit(0);
    }
}

/// Stops the gateway as soon as no turn runs. Where there is no gateway there is no turn.
async fn make_way(desk: watch::Receiver<Option<Desk>>, tell: mpsc::Sender<Input>, ticks: mpsc::Sender<Tick>) {
    loop {
        let running = desk.borrow().clone();
        let Some(running) = running else { break };
        running.until_idle().await;
        if running.stop_if_idle() {
            break;
        }
    }
    let _the_app_is_ending = tell.send(Input::MadeWay).await;
    let _the_app_is_ending = ticks.send(Tick::MakeWay).await;
}

/// All that is needed to undo it is kept first.
fn put_in_place(feed: &Feed, record: &Record, data: &Path, again: bool) -> Result<(), Problem> {
    let put = (|| {
        if record.file.is_some() {
            kept::take(data).map_err(|e| problems::not_written(&e))?;
        }
        record.write(data).map_err(|e| problems::not_written(&e))?;
        feed.install(again)
    })();
    if put.is_err() {
        Record::remove(data);
        kept::forget(data);
    }
    put
}
