//! Tasks and schedules.

use super::{T, World, session, world};
use crate::{
    Store, plan,
    schedules::{self, Template},
    tasks::{self, Counts, NewTask, TaskResult},
};
use domain::{
    Code, SandboxId, SessionId, Timestamp,
    event::Channel,
    task::{Priority, TaskId, TaskState},
    usage::MicroDollars,
};

fn new(external: &str) -> NewTask {
    NewTask {
        repository: "acme/shop".parse().unwrap(),
        prompt: "fix the login test".into(),
        base: None,
        branch: None,
        agent: "claude".into(),
        budget: Some(MicroDollars(2_000_000)),
        priority: Priority::High,
        not_before: T,
        channel: Channel::Sms,
        external: external.into(),
        sender: Some("+15551230001".into()),
    }
}

async fn queued(store: &Store, external: &'static str) -> TaskId {
    store.write(move |tx| tasks::queue(tx, &new(external), T)).await.unwrap().id
}

async fn begun(World { store, .. }: &World, id: TaskId) -> (SandboxId, SessionId) {
    let (sandbox, session) = (SandboxId::new(), session(store).await);
    let row = store.write(move |tx| tasks::begin(tx, id, sandbox, session, T)).await.unwrap().unwrap();
    assert_eq!((row.state, row.sandbox, row.session), (TaskState::Starting, Some(sandbox), Some(session)));
    (sandbox, session)
}

#[tokio::test]
async fn the_same_key_of_a_channel_is_the_same_task_and_every_state_has_its_time() {
    let w = world();
    let id = queued(&w.store, "SM1").await;
    let again = w.store.write(|tx| tasks::queue(tx, &new("SM1"), Timestamp(9))).await.unwrap();
    assert_eq!(again, tasks::Queued { id, fresh: false });
    let row = w.store.read(move |r| tasks::get(r, id)).await.unwrap().unwrap();
    assert_eq!((row.branch.as_str(), row.budget), ("lanyard/1-fix-the-login-test", Some(MicroDollars(2_000_000))));
    let waiting = w.store.read(|r| tasks::waiting(r, T)).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].priority), (1, Priority::High));
    assert!(w.store.read(|r| tasks::waiting(r, Timestamp(T.0 - 1))).await.unwrap().is_empty(), "not before its time");
    assert_eq!(w.store.read(|r| tasks::next_at(r, Timestamp(0))).await.unwrap(), Some(T));

    let (sandbox, session) = begun(&w, id).await;
    let second = w.store.write(move |tx| tasks::begin(tx, id, SandboxId::new(), session, T)).await.unwrap();
    assert_eq!(second, None, "a task begins once");
    for (n, state) in [TaskState::Cloning, TaskState::Working, TaskState::NeedsYou].into_iter().enumerate() {
        let now = Timestamp(2_000 + n as i64);
        assert!(w.store.write(move |tx| tasks::become_(tx, id, state, now)).await.unwrap().is_some());
    }
    assert_eq!(w.store.write(move |tx| tasks::become_(tx, id, TaskState::Done, T)).await.unwrap(), None);
    let counts = w.store.read(|r| tasks::counts(r)).await.unwrap();
    assert_eq!(counts, Counts { queued: 0, running: 1, needs_you: 1 });
    assert_eq!(w.store.read(move |r| tasks::of_session(r, session)).await.unwrap().unwrap().id, id);

    let failed = w.store.write(move |tx| tasks::fail(tx, id, Code::AgentDied, "it went", Timestamp(3_000)));
    assert_eq!(failed.await.unwrap().unwrap().failed, Some((Code::AgentDied, "it went".into())));
    let steps = w.store.read(move |r| tasks::steps(r, id)).await.unwrap();
    let states: Vec<_> = steps.iter().map(|step| step.state.name()).collect();
    assert_eq!(states, ["queued", "starting", "cloning", "working", "needs_you", "failed"]);

    let result = TaskResult { files: 3, ..TaskResult::default() };
    let kept = result.clone();
    w.store
        .write(move |tx| {
            tasks::set_result(tx, id, &kept)?;
            tasks::forget_sandbox(tx, sandbox)
        })
        .await
        .unwrap();
    let row = w.store.write(move |tx| tasks::again(tx, id, Some("and the logout test"), T)).await.unwrap().unwrap();
    assert_eq!((row.attempt, row.failed, row.sandbox, row.result), (2, None, None, result));
    assert_eq!(row.prompt, "fix the login test\n\nand the logout test");
}

#[tokio::test]
async fn what_was_cut_off_before_any_work_begins_anew_as_the_same_attempt() {
    let w = world();
    let id = queued(&w.store, "SM1").await;
    begun(&w, id).await;
    let row = w.store.write(move |tx| tasks::again(tx, id, None, T)).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempt), (TaskState::Queued, 1));
    begun(&w, id).await;
    for state in [TaskState::Cloning, TaskState::Working] {
        w.store.write(move |tx| tasks::become_(tx, id, state, T)).await.unwrap().unwrap();
    }
    assert_eq!(w.store.write(move |tx| tasks::again(tx, id, None, T)).await.unwrap(), None);
}

#[tokio::test]
async fn no_list_of_tasks_walks_through_all_of_them() {
    let w = world();
    let id = queued(&w.store, "SM1").await;
    let (_, session) = begun(&w, id).await;
    let plans = plan::of_all(&w.store, move |r| {
        tasks::latest(r, None, 10)?;
        tasks::running(r)?;
        tasks::waiting(r, T)?;
        tasks::next_at(r, T)?;
        tasks::counts(r)?;
        tasks::with_sandbox(r)?;
        tasks::of_session(r, session)?;
        tasks::steps(r, id)
    });
    let plans = plans.await;
    for index in ["tasks_queued", "tasks_running", "tasks_with_sandbox", "tasks_by_session", "task_steps_by_task"] {
        plans.use_index(index);
    }
}

#[tokio::test]
async fn a_schedule_queues_one_task_for_each_time() {
    let w = world();
    let task = Template {
        repository: "acme/shop".parse().unwrap(),
        prompt: "update the packages".into(),
        base: None,
        agent: "claude".into(),
        budget: None,
        priority: Priority::Low,
    };
    let add = move |tx: &crate::Tx<'_>| schedules::add(tx, "0 7 * * 1", &task, Channel::Cli, None, Timestamp(5_000), T);
    let id = w.store.write(add).await.unwrap();
    let due = w.store.read(|r| schedules::all(r)).await.unwrap().remove(0);
    let late = due.clone();
    let first = w.store.write(move |tx| schedules::due(tx, &due, Timestamp(9_000), Timestamp(6_000))).await.unwrap();
    assert!(first.unwrap().fresh);
    let second = w.store.write(move |tx| schedules::due(tx, &late, Timestamp(9_000), Timestamp(6_000))).await.unwrap();
    assert_eq!(second, None, "that time is done with");
    assert_eq!(w.store.read(|r| schedules::all(r)).await.unwrap()[0].next_at, Timestamp(9_000));
    assert!(w.store.write(move |tx| schedules::remove(tx, id)).await.unwrap());
    assert!(w.store.read(|r| schedules::all(r)).await.unwrap().is_empty());
}
