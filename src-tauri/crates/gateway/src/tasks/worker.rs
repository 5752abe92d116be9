//! One task's work, from where it stands to its end.

use super::{
    forges,
    mirror::Mirrors,
    room::{Author, Merge, Room, Work},
    setup::{self, Setup},
    stand::{self, LastWords, Stand},
};
use crate::{
    approvals::internal,
    clock,
    gateway::App,
    sessions::{Pass, Scene, Workshop},
    sms::letters::To,
};
use accounts::forge::{Forge, NewRequest};
use domain::{
    Code, Problem, SessionId, Timestamp,
    event::{Channel, Event, Outcome},
    phrases::{self, TaskDone},
    task::{TaskId, TaskState},
};
use std::time::{Duration, Instant};
use store::{
    Tx, events,
    tasks::{self, TaskResult, TaskRow},
    usage,
};
use tokio_util::sync::CancellationToken;

/// How often failing tests, or a conflict with the base, go back to the agent.
const ROUNDS: u32 = 3;
/// A look at the session where no bell rang.
const LOOK: Duration = Duration::from_secs(5);
/// Where no session may be at work any more, or the store fails.
const AGAIN: Duration = Duration::from_secs(5);
/// Characters of a commit's or pull request's first line.
const TITLE: usize = 70;
/// Characters of the agent's last words that go into a pull request.
const SUMMARY: usize = 20_000;

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

/// What is between an agent's work and its delivery.
struct Missing {
    /// For the agent.
    words: String,
    /// For the owner, where the agent does not get there.
    problem: Problem,
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

/// What the agent of a task is told beside the owner's own instructions.
pub fn instructions(task: &TaskRow) -> String {
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
            let workshop = app.workshop.apart(sandbox, Some(&instructions(task)));
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
        let (scene, post) = (Scene::of(&self.app, self.session), self.app.post());
        let told = self.app.store.write(move |tx| {
            let task = tasks::get(tx, id)?.ok_or(store::Error::Missing)?;
            tell(tx, &scene, &post, &task, &phrases::task_waits(id, code), now)
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
        if fresh {
            self.prepare(&task, forge.as_deref(), &pass).await?;
        }
        let setup = setup::read(&self.workshop).await?;
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
                Some(missing) if round == ROUNDS => return Err(missing.problem.into()),
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
        let author = self.who_commits(task, forge).await?;
        self.workshop.make().await?;
        self.enter(TaskState::Cloning).await?;
        let room = Room { workshop: &self.workshop, pass };
        let mirrors = Mirrors::below(&self.app.paths.cache, self.app.config.tasks.mirrors);
        let known = mirrors.put_into(&self.workshop, &task.repository).await;
        let fetched = room.fetch(&task.repository, task.base.as_deref()).await?;
        mirrors.take_from(&self.workshop, &task.repository, fetched.size, known).await;
        let go_on = task.result.pushed;
        let from = room.check_out(self.id, &fetched.base, &task.branch, go_on, &author).await?;
        self.change_result(move |result| {
            result.base = Some(fetched.base);
            result.from = Some(from);
        })
        .await?;
        Ok(())
    }

    /// The forge knows; a repository that is not there, or that the account may not push to, is told from its answer.
    async fn who_commits(&self, task: &TaskRow, forge: Option<&dyn Forge>) -> Step<Author> {
        let Some(forge) = forge else {
            return Ok(Author { name: "Lanyard".into(), email: "lanyard@localhost".into() });
        };
        let found = forges::tried(|| forge.repository(&task.repository.path)).await?;
        if !found.may_push {
            return Err(Problem::with_detail(Code::PushRefused, "The account may not push to it.").into());
        }
        let login = forges::tried(|| forge.whoami()).await?;
        Ok(Author { name: login.name, email: login.email })
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

    /// Says words and waits until nothing is to be done about them any more.
    async fn agent_works(&mut self, task: &TaskRow, key: &str, words: String) -> Step {
        loop {
            match stand::say_once(&self.app, task, key, words.clone(), clock::now()).await {
                Ok(()) => break,
                Err(problem) if problem.code == Code::SessionLimit => tokio::time::sleep(AGAIN).await,
                Err(problem) => return Err(problem.into()),
            }
        }
        let session = self.session;
        let mut bell = self.app.store.bells().events.subscribe();
        loop {
            bell.mark_unchanged();
            let since = Instant::now();
            let stand = self.app.store.read(move |r| stand::of(r, session)).await?;
            match stand {
                Stand::Rests(outcome) => return self.ended(outcome.map(|(_, outcome)| outcome)).await,
                Stand::Asks => self.enter(TaskState::NeedsYou).await?,
                Stand::Works => self.enter(TaskState::Working).await?,
            }
            let _rang_or_not = tokio::time::timeout(LOOK, bell.changed()).await;
            if stand == Stand::Works && !self.workshop.is_paused() {
                self.worked += since.elapsed();
                if self.worked > self.app.config.tasks.longest {
                    return Err(Code::TaskTooLong.into());
                }
            }
        }
    }

    async fn ended(&self, outcome: Option<Outcome>) -> Step {
        let session = self.session;
        let LastWords { said, wrong } = self.app.store.read(move |r| stand::last_words(r, session)).await?;
        match outcome {
            Some(Outcome::Completed) => {
                self.change_result(move |result| result.summary = said).await?;
                self.enter(TaskState::Working).await
            }
            Some(Outcome::Halted) => {
                self.enter(TaskState::Cancelled).await?;
                Err(Halt::Elsewhere)
            }
            Some(Outcome::Interrupted) => {
                Err(Problem::with_detail(Code::AgentDied, "Its turn was cut off, and was not run again.").into())
            }
            Some(Outcome::Failed) | None => {
                let (code, detail) = wrong.unwrap_or((Code::AgentDied, String::new()));
                Err(Problem::with_detail(code, detail).into())
            }
        }
    }

    /// What the agent has still to do before its work can go out, in words for it.
    async fn what_is_missing(&self, task: &TaskRow, setup: &Setup, pass: &Pass, round: u32) -> Step<Option<Missing>> {
        let room = Room { workshop: &self.workshop, pass };
        let result = self.row().await?.result;
        let from = result.from.clone().unwrap_or_default();
        let work = room.commit(&from, &task.branch, &title_of(&task.prompt)).await?;
        if work.commits == 0 {
            let said = result.summary.unwrap_or_default();
            return Err(Problem::with_detail(Code::NothingChanged, said).into());
        }
        self.note_work(&room, &from, work, round).await?;
        if let Some(line) = &setup.test {
            let tested = room.test(line, self.app.config.tasks.tests).await?;
            let passed = tested.is_ok();
            self.change_result(move |result| result.tests = Some(passed)).await?;
            if let Err(said) = tested {
                let words = format!("The repository's own tests ({line}) failed. Mend that.\n\n{said}");
                return Ok(Some(Missing { words, problem: Problem::with_detail(Code::TestsFailed, said) }));
            }
        }
        let base = result.base.unwrap_or_default();
        let files = match room.merge(&base).await? {
            Merge::Fits => return Ok(None),
            Merge::Conflicts(files) => files.join(", "),
        };
        let words = format!(
            "The branch {base} has moved on meanwhile, and a merge of it is in conflict in: {files}. The merge is begun. Resolve it so \
             that both sides' intent is kept, and commit the merge."
        );
        Ok(Some(Missing { words, problem: Problem::with_detail(Code::MergeConflict, files) }))
    }

    async fn note_work(&self, room: &Room<'_>, from: &str, work: Work, round: u32) -> Step {
        let diff = room.diff(from).await?;
        let (session, now, id) = (self.session, clock::now(), self.id);
        let caption = format!("Diff of task {id}");
        self.app
            .store
            .write(move |tx| {
                let of = crate::pictures::Of { session: Some(session), turn: None, caption: Some(caption.clone()) };
                let artifact = crate::pictures::keep(tx, of, "text/x-diff", diff, now)?;
                let made = Event::ArtifactMade {
                    turn: None,
                    artifact,
                    media_type: "text/x-diff".to_owned(),
                    caption: Some(caption),
                };
                events::append(tx, session, &made, now)
            })
            .await?;
        tracing::info!(task.id = %id, round, commits = work.commits, files = work.files, "a task's work was looked at");
        self.change_result(move |result| {
            let Work { head, commits, files, added, removed } = work;
            (result.head, result.commits) = (Some(head), commits);
            (result.files, result.added, result.removed) = (files, added, removed);
        })
        .await?;
        Ok(())
    }

    /// The branch goes out, the pull request is opened, and whoever asked is told.
    async fn deliver(&self, task: &TaskRow, forge: Option<&dyn Forge>, pass: &Pass) -> Step {
        self.enter(TaskState::Pushing).await?;
        let room = Room { workshop: &self.workshop, pass };
        room.push(&task.branch).await?;
        crate::may_die!("task-pushed");
        let result = self.change_result(|result| result.pushed = true).await?;
        let request = match forge {
            Some(forge) => {
                let words = self.request(task, &result).await?;
                Some(forges::tried(|| forge.open(&task.repository.path, &words)).await?)
            }
            None => None,
        };
        crate::may_die!("task-requested");
        let (id, now) = (self.id, clock::now());
        let (scene, post) = (Scene::of(&self.app, self.session), self.app.post());
        let ended = self.app.store.write(move |tx| {
            let task = tasks::get(tx, id)?.ok_or(store::Error::Missing)?;
            let result = TaskResult { request, ..task.result };
            tasks::set_result(tx, id, &result)?;
            let Some(task) = tasks::become_(tx, id, TaskState::Done, now)? else { return Ok(false) };
            tell(tx, &scene, &post, &task, &done_words(tx, &task, now)?, now)?;
            Ok(true)
        });
        if ended.await? { Ok(()) } else { Err(Halt::Elsewhere) }
    }

    async fn request(&self, task: &TaskRow, result: &TaskResult) -> Step<NewRequest> {
        let summary: String = result.summary.clone().unwrap_or_default().chars().take(SUMMARY).collect();
        let tests = match result.tests {
            Some(true) => "\n\nThe repository's own tests passed.",
            Some(false) | None => "",
        };
        let asked = domain::shown::shown(task.prompt.trim()).replace('\n', "\n> ");
        let body = format!("{}{tests}\n\n---\nAsked for:\n\n> {asked}\n\nLanyard-Task: {}", summary.trim(), task.id);
        Ok(NewRequest {
            title: title_of(&task.prompt),
            body,
            head: task.branch.clone(),
            base: result.base.clone().unwrap_or_else(|| "main".into()),
        })
    }

    async fn fail(&self, problem: &Problem) {
        tracing::warn!(task.id = %self.id, code = %problem.code, why = problem.message, "a task failed");
        let (id, now, keep) = (self.id, clock::now(), self.app.config.tasks.keep);
        let (scene, post) = (Scene::of(&self.app, self.session), self.app.post());
        let (code, why) = (problem.code, problem.message.clone());
        let failed = self.app.store.write(move |tx| {
            let Some(task) = tasks::fail(tx, id, code, &why, now)? else { return Ok(()) };
            if !keep.is_zero() {
                tasks::keep_sandbox(tx, id, now + keep)?;
            }
            let detail = why.strip_prefix(code.entry().sentence).unwrap_or(&why);
            tell(tx, &scene, &post, &task, &phrases::task_failed(id, code, detail), now)
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

/// In the session's history, and by text where the task was asked for by text.
fn tell(
    tx: &Tx<'_>,
    scene: &Scene,
    post: &crate::sms::letters::Post,
    task: &TaskRow,
    words: &str,
    now: Timestamp,
) -> store::Result<()> {
    scene.notice_here(tx, words, now)?;
    match (&task.sender, task.channel) {
        (Some(number), Channel::Sms) => post.say(tx, &To::address(number), words, now),
        _ => Ok(()),
    }
}

fn done_words(tx: &Tx<'_>, task: &TaskRow, now: Timestamp) -> store::Result<String> {
    let cost = match task.session {
        Some(session) => usage::of_session(tx, session)?.cost,
        None => Default::default(),
    };
    let began = tasks::steps(tx, task.id)?.into_iter().rfind(|step| step.state == TaskState::Starting);
    let TaskResult { files, added, removed, ref request, .. } = task.result;
    Ok(phrases::task_done(&TaskDone {
        id: task.id,
        repository: &task.repository,
        branch: &task.branch,
        request: request.as_ref(),
        files,
        added,
        removed,
        took: now.since(began.map_or(task.state_at, |step| step.at)),
        cost,
    }))
}

/// The first line of the words.
fn title_of(prompt: &str) -> String {
    domain::shown::shown_line(prompt.trim().lines().next().unwrap_or_default().trim(), TITLE)
}
