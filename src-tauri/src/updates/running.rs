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
    /// What the running program was started by.
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
                self.making_way = Some(tokio::spawn(make_way(self.with.desk.clone(), self.with.ticks.clone())));
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
        let again = self.course.starts_again();
        let record = Record {
            from: self.current.clone(),
            to: shown.version.unwrap_or_default(),
            file: match &installation {
                Installation::File(file) => Some(file.clone()),
                Installation::Package | Installation::Bundle => None,
            },
            problem: None,
            staged: !again && matches!(installation, Installation::File(_)),
        };
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
            staged: false,
        };
        if let Err(e) = record.write(&self.with.data) {
            tracing::warn!(error = %e, "what became of an update could not be written down");
        }
    }

    /// The same arguments as this start had; what went wrong, or was started by a person, is shown in a window.
    fn leave(&self, then: Then) {
        let hidden = then == Then::New && !self.course.started_again();
        let arguments = std::env::args_os().skip(1).filter(|word| hidden || word != "--minimized");
        let program = match &self.installation {
            Some(Installation::File(file)) => file.clone(),
            Some(Installation::Package | Installation::Bundle) | None => self.program.clone(),
        };
        if then != Then::Nothing {
            let trial = Trial { data: self.with.data.clone(), program, arguments: arguments.collect() };
            let _decided_before = self.with.successor.set(trial);
        }
        self.with.leaving.leave();
    }
}

/// Stops the gateway as soon as no turn runs, and tells the controller. Where there is no gateway there is no turn. One that
/// somebody else stops is left to them: either another follows it, or the app ends.
async fn make_way(mut desk: watch::Receiver<Option<Desk>>, ticks: mpsc::Sender<Tick>) {
    let mut others_stop = false;
    loop {
        let running = desk.borrow_and_update().clone();
        let idle = match &running {
            Some(running) => running.until_idle().await,
            None => !others_stop,
        };
        if idle {
            // Nothing is waited for between the stop and its tick: whoever calls this off finds both or neither.
            let Ok(told) = ticks.reserve().await else { return };
            if running.is_none_or(|running| running.stop_if_idle()) {
                return told.send(Tick::MakeWay);
            }
            continue;
        }
        others_stop = true;
        if desk.changed().await.is_err() {
            return;
        }
    }
}

/// All that is needed to undo it is kept first.
fn put_in_place(feed: &Feed, record: &Record, data: &Path, again: bool) -> Result<(), Problem> {
    let put = (|| {
        if record.file.is_some() && !record.staged {
            kept::take(data).map_err(|e| problems::not_written(&e))?;
        }
        // One that waits is there before anything says so.
        if record.staged {
            feed.install(again, data)?;
        }
        record.write(data).map_err(|e| problems::not_written(&e))?;
        if record.staged { Ok(()) } else { feed.install(again, data) }
    })();
    if put.is_err() {
        Record::remove(data);
        kept::forget(data);
    }
    put
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use gateway::{
        Gateway,
        config::{self, Paths, Resolved},
    };
    use std::{fs, os::unix::fs::PermissionsExt};

    /// One where no turn runs, in a folder of its own.
    async fn built(folder: &Path) -> Gateway {
        let secrets = folder.join("secrets.toml");
        fs::write(&secrets, "anthropic = \"sk-ant-none\"\n").unwrap();
        fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[secrets]\nfile = \"{}\"\n[sandbox]\nengine = \"/nowhere/docker.sock\"\n",
            secrets.display()
        );
        let config = Resolved::new(config::parse(&config).unwrap()).unwrap();
        Gateway::build(config, Paths::find(Some(folder)).unwrap()).await.unwrap()
    }

    async fn others_work() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_gateway_that_somebody_stops_makes_way_for_no_update() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (first, next) = (built(folders[0].path()).await, built(folders[1].path()).await);
        let (first, next) = (Desk::of(&first.app), Desk::of(&next.app));
        first.stop();
        assert!(!first.until_idle().await && !first.stop_if_idle());
        let (desk, (ticks, mut ticking)) = (watch::Sender::new(Some(first)), mpsc::channel(1));
        let making_way = tokio::spawn(make_way(desk.subscribe(), ticks));
        others_work().await;
        desk.send_replace(None);
        others_work().await;
        assert!(ticking.try_recv().is_err() && !making_way.is_finished());
        desk.send_replace(Some(next.clone()));
        assert!(matches!(ticking.recv().await, Some(Tick::MakeWay)));
        assert!(!next.stop_if_idle(), "it stops already");
    }

    #[tokio::test]
    async fn where_there_is_no_gateway_there_is_no_turn() {
        let (desk, (ticks, mut ticking)) = (watch::Sender::new(None), mpsc::channel(1));
        make_way(desk.subscribe(), ticks).await;
        assert!(matches!(ticking.recv().await, Some(Tick::MakeWay)));
    }
}
