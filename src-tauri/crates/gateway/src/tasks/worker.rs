//! One task's work, from where it stands to its end.

mod delivery;
mod review;
mod turns;

use super::{
    ended, forges,
    mirror::Mirrors,
    room::{Author, Cloned, Room, Wanted},
    setup::{self, Setup},
    stand,
};
use crate::{
    approvals::internal,
    clock,
    gateway::App,
    sessions::{Pass, Scene, Workshop},
};
use accounts::forge::Forge;
use domain::{
    Code, Problem, SandboxId, SessionId,
    event::Event,
    phrases,
    task::{TaskId, TaskState},
};
use std::time::Duration;
use store::{
    events,
    tasks::{self, TaskResult, TaskRow},
};
use tokio_util::sync::CancellationToken;

/// Where no session may be at work any more, or the store fails.
const AGAIN: Duration = Duration::from_secs(5);

/// Why work on a task went no further.
enum Halt {
    /// It is elsewhere by now: cancelled.
    Elsewhere,
    Failed(Problem),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<store::Error> for Halt {
    fn from(e: store::Error) -> Self {
        Self::Failed(internal(e))
    }
}

impl From<Code> for Halt {
    fn from(code: Code) -> Self {
        Self::Failed(code.into())
    }
}

/// What a forge says before anything is cloned.
struct Who {
    author: Author,
    usual_base: Option<String>,
}

type Step<T = ()> = Result<T, Halt>;

/// Whoever works on one task.
pub struct Worker {
    app: App,
    id: TaskId,
    session: SessionId,
    workshop: Workshop,
    /// Time at work, the owner's time to answer left out.
    worked: Duration,
}

/// The sandbox of a task as it is to be: from an image of the repository's, once it is made so.
pub fn workshop_of(app: &App, task: &TaskRow, sandbox: SandboxId) -> Workshop {
    let workshop = app.workshop.apart(sandbox, Some(&instructions(task)));
    if let Some(image) = task.result.image.as_ref().filter(|_| !task.state.is_before_work()) {
        workshop.set_base(image);
    }
    workshop
}

/// What the agent of a task is told beside the owner's own instructions.
fn instructions(task: &TaskRow) -> String {
    format!(
        "You work alone on a task in a clone of {} in /workspace, on the branch {}. Commit your work there with clear messages. \
         Do not push, and open no pull request: that is done for you when you are finished. End with a short summary of what \
         you changed and how you know that it works: it becomes the pull request's text.",
        task.repository, task.branch
    )
}

impl Worker {
    /// None where the task has no session or sandbox to work in.
    pub fn of(app: &App, task: &TaskRow) -> Option<Self> {
        let (session, sandbox) = (task.session?, task.sandbox?);
        let workshop = app.apart.of(session).unwrap_or_else(|| {
            let workshop = workshop_of(app, task, sandbox);
            app.apart.put(session, workshop.clone());
            workshop
        });
        Some(Self { app: app.clone(), id: task.id, session, workshop, worked: Duration::ZERO })
    }

    /// Works until the task is over, or somebody has ended it. Dropping it leaves the task where it stands.
    pub async fn work(mut self, cancelled: CancellationToken) {
        let went = match cancelled.run_until_cancelled(Box::pin(self.get_there())).await {
            Some(went) => went,
            None => Err(Halt::Elsewhere),
        };
        match went {
            Ok(()) => {}
            Err(Halt::Elsewhere) => tracing::info!(task.id = %self.id, "a task was taken back"),
            Err(Halt::Failed(problem)) => self.fail(&problem).await,
        }
        stand::stop_session(&self.app, Some(self.session)).await;
        self.app.apart.take(self.session);
        // Kept to be looked into, or removed by whoever tidies up; nothing runs in it either way.
        self.workshop.stop().await;
    }

    /// Goes on from where the task stands each time that what stopped it has passed.
    async fn get_there(&mut self) -> Step {
        let mut told = None;
        loop {
            let why = match self.go().await {
                Err(Halt::Failed(why)) if passes(why.code) => why,
                went => return went,
            };
            if told.replace(why.code) != Some(why.code) && why.code != Code::SandboxPaused {
                self.waits(&why).await?;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Said once for each reason; a pause is the owner's own.
    async fn waits(&self, why: &Problem) -> Step {
        tracing::warn!(task.id = %self.id, code = %why.code, "a task waits");
        let (id, code, now) = (self.id, why.code, clock::now());
        let scene = Scene::of(&self.app, self.session);
        let told = self.app.store.write(move |tx| {
            let task = tasks::get(tx, id)?.ok_or(store::Error::Missing)?;
            scene.notice_of_task(tx, &task, &phrases::task_waits(id, code), now).map(drop)
        });
        Ok(told.await?)
    }

    async fn go(&mut self) -> Step {
        let mut task = self.row().await?;
        let settings = self.app.config.tasks.forge(&task.repository);
        self.workshop.set_beside(Some(forges::beside(settings, &task.repository)?));
        let forge = super::forge_of(&self.app, &task.repository).await?;
        let pass = self.workshop.pass(self.session).await;
        let fresh = task.state.is_before_work();
        match fresh {
            true => self.prepare(&task, forge.as_deref(), &pass).await?,
            // Lanyard's own end has stopped it.
            false => self.workshop.make().await?,
        }
        let mut setup = setup::read(&self.workshop).await?;
        if fresh {
            self.make_from_its_image(&mut setup).await?;
        }
        self.workshop.set_env(setup.env.clone());
        // With what the repository says.
        let pass = self.workshop.pass(self.session).await;
        if fresh {
            self.set_up(&setup, &pass).await?;
            self.enter(TaskState::Working).await?;
        }
        task = self.row().await?;
        let (mut key, mut words) = ("begin".to_owned(), task.prompt.clone());
        let mut round = 1;
        loop {
            self.agent_works(&task, &key, words).await?;
            match self.what_is_missing(&task, &setup, &pass, round).await? {
                None => return self.deliver(&task, forge.as_deref(), &pass).await,
                Some(missing) if round >= missing.rounds => return Err(missing.problem.into()),
                Some(missing) => (key, words) = (format!("round:{round}"), missing.words),
            }
            round += 1;
        }
    }

    async fn row(&self) -> Step<TaskRow> {
        let id = self.id;
        Ok(self.app.store.read(move |r| tasks::get(r, id)).await?.ok_or(Code::UnknownTask)?)
    }

    /// Is there already, or goes there.
    async fn enter(&self, state: TaskState) -> Step {
        let (id, now) = (self.id, clock::now());
        let entered = self.app.store.write(move |tx| {
            let known = tasks::get(tx, id)?.ok_or(store::Error::Missing)?;
            Ok(known.state == state || tasks::become_(tx, id, state, now)?.is_some())
        });
        match entered.await? {
            true => {
                crate::may_die!("task-entered");
                Ok(())
            }
            false => Err(Halt::Elsewhere),
        }
    }

    async fn change_result(&self, change: impl FnOnce(&mut TaskResult) + Send + 'static) -> Step<TaskResult> {
        let id = self.id;
        let changed = self.app.store.write(move |tx| {
            let mut result = tasks::get(tx, id)?.ok_or(store::Error::Missing)?.result;
            change(&mut result);
            tasks::set_result(tx, id, &result)?;
            Ok(result)
        });
        Ok(changed.await?)
    }

    /// Sandbox, clone, branch.
    async fn prepare(&self, task: &TaskRow, forge: Option<&dyn Forge>, pass: &Pass) -> Step {
        let mirrors = Mirrors::below(&self.app.paths.cache, self.app.config.tasks.mirrors);
        let make = async {
            self.workshop.make().await?;
            self.enter(TaskState::Cloning).await?;
            Ok::<_, Halt>(mirrors.put_into(&self.workshop, &task.repository).await)
        };
        // Both to their end: a sandbox that is half made when its task fails could not be removed.
        let (who, made) = tokio::join!(Self::who_commits(task, forge), make);
        let (Who { author, usual_base }, known) = (who?, made?);
        let room = Room { workshop: &self.workshop, pass };
        let Cloned { base, size, from } = room
            .clone_it(Wanted {
                task: self.id,
                repository: &task.repository,
                base: task.base.as_deref().or(usual_base.as_deref()),
                branch: &task.branch,
                go_on: task.result.pushed,
                author: &author,
            })
            .await?;
        mirrors.take_from(&self.workshop, &task.repository, size, known).await;
        self.change_result(move |result| {
            result.base = Some(base);
            result.image = None;
            result.from = Some(from);
        })
        .await?;
        Ok(())
    }

    /// The forge knows; a repository that is not there, or that the account may not push to, is told from its answer.
    async fn who_commits(task: &TaskRow, forge: Option<&dyn Forge>) -> Result<Who, Problem> {
        let Some(forge) = forge else {
            let author = Author { name: "Lanyard".into(), email: "lanyard@localhost".into() };
            return Ok(Who { author, usual_base: None });
        };
        let (found, login) = tokio::try_join!(
            forges::tried(|| forge.repository(&task.repository.path)),
            forges::tried(|| forge.whoami())
        )?;
        if !found.may_push {
            return Err(Problem::with_detail(Code::PushRefused, "The account may not push to it."));
        }
        let author = Author { name: login.name, email: login.email };
        Ok(Who { author, usual_base: Some(found.default_branch) })
    }

    /// The image that the repository names, where the owner lets it; the clone is in a volume and stays.
    async fn make_from_its_image(&self, setup: &mut Setup) -> Step {
        let Some(image) = setup.image.take() else { return Ok(()) };
        if !self.app.config.tasks.may_run_on(&image) {
            setup.left_out.push(format!("the image {image}, which tasks.images in the config does not name"));
            return Ok(());
        }
        self.notice(phrases::task_on_image(&image)).await?;
        self.workshop.set_base(&image);
        self.workshop.make().await.map_err(|problem| match problem.code {
            Code::NoImage => Problem::with_detail(Code::SetupFailed, problem.message),
            _ => problem,
        })?;
        self.change_result(|result| result.image = Some(image)).await?;
        Ok(())
    }

    async fn set_up(&self, setup: &Setup, pass: &Pass) -> Step {
        let room = Room { workshop: &self.workshop, pass };
        if !setup.left_out.is_empty() {
            self.notice(format!("Of this repository's set-up these are left out: {}.", setup.left_out.join(", ")))
                .await?;
        }
        if !setup.packages.is_empty() {
            room.set_up(&format!("apt-get update -qq && apt-get install -y -qq {}", setup.packages.join(" "))).await?;
        }
        for line in &setup.commands {
            room.set_up(line).await?;
        }
        Ok(())
    }

    async fn notice(&self, words: String) -> Step {
        let (session, now) = (self.session, clock::now());
        let event = Event::Noticed { text: words };
        self.app.store.write(move |tx| events::append(tx, session, &event, now)).await?;
        Ok(())
    }

    async fn fail(&self, problem: &Problem) {
        tracing::warn!(task.id = %self.id, code = %problem.code, why = problem.message, "a task failed");
        let (id, now, keep) = (self.id, clock::now(), self.app.config.tasks.keep);
        let scene = Scene::of(&self.app, self.session);
        let (code, why) = (problem.code, problem.message.clone());
        let failed = self.app.store.write(move |tx| {
            let Some(task) = tasks::fail(tx, id, code, &why, now)? else { return Ok(()) };
            if !keep.is_zero() {
                tasks::keep_sandbox(tx, id, now + keep)?;
            }
            let words = ended::in_words(tx, &task)?.unwrap_or_default();
            scene.end_of_task(tx, &task, &words, now)
        });
        if let Err(e) = failed.await {
            tracing::error!(task.id = %id, error = ?e, "that a task failed could not be written down");
            // It is begun again where it stands, and not at once: a full disk stays full for a while.
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// What nobody need do anything about in the task: the engine comes up, the owner lets the sandboxes go on.
fn passes(code: Code) -> bool {
    matches!(code, Code::NoEngine | Code::SandboxPaused | Code::Locked)
}
