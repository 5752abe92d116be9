//! Killed at each step of a task and started again: the task goes on or is offered again, and what it leads to is there once.

mod program;
mod tasks_world;
mod world;

use program::{Program, lanyard};
use serde_json::Value;
use tasks_world::{Place, does, seed, sh};
use world::{LATER, World};

async fn said(w: &World, arguments: &[&str]) -> Value {
    let output = lanyard(w, arguments).arg("--json").output().await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Says yes to an offer to run again, until the task is over.
async fn until_over(w: &World) -> (Value, usize) {
    let mut offers = 0;
    let looking = async {
        loop {
            let task = said(w, &["task", "show", "1"]).await;
            match task["state"].as_str() {
                Some("done" | "failed" | "cancelled") => return task,
                Some("needs_you") => {
                    let open = said(w, &["approve"]).await;
                    if let Some(number) = open[0]["number"].as_u64() {
                        offers += 1;
                        said(w, &["approve", &number.to_string()]).await;
                    }
                }
                _ => {}
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let task = tokio::time::timeout(LATER, looking).await.expect("it ends");
    (task, offers)
}

/// Dies at each of `steps`, one after another, is started again, and sees the task through.
async fn check(steps: &[&str], offered: usize) {
    world::relay();
    let place = Place::new(&["acme/shop"]).await;
    place.trusted(killed(&place, steps, offered)).await;
}

async fn killed(place: &Place, steps: &[&str], offered: usize) {
    let scripts = vec![does("greet", "grep -q bye greeting.txt || echo bye >> greeting.txt")];
    let w = place.world(scripts, "spare = false\n").await;
    let mut program = Program::start(&w, steps[0]).await;
    let repository = format!("{}/acme/shop", place.host());
    let _may_die_before_it_answers = said(&w, &["task", "add", &repository, "greet"]).await;
    let mut offers = 0;
    for (n, step) in steps.iter().enumerate() {
        let next = steps.get(n + 1).copied().unwrap_or_default();
        let death = async {
            tokio::select! {
                () = program.dies() => 0,
                (task, _) = until_over(&w) => panic!("{step}: it did not die: {task}"),
            }
        };
        offers += death.await;
        program = Program::start(&w, next).await;
    }
    let (task, asked) = until_over(&w).await;
    assert_eq!(task["state"], "done", "{steps:?}: {task}");
    assert_eq!(offers + asked, offered, "{steps:?}: {task}");
    assert_eq!(place.forge.pulls().len(), 1, "{steps:?}");
    let branch = task["branch"].as_str().unwrap();
    assert_eq!(place.git("acme/shop", &["rev-list", "--count", &format!("main..{branch}")]), "1", "{steps:?}");
    let ours = w.home().join("data");
    // A container and two volumes of the sandbox of all sessions.
    world::until(LATER, async || (standins::engine::left(&ours).len() <= 3).then_some(())).await;
    program.remove(&w).await;
    assert_eq!(standins::engine::left(&ours), Vec::<String>::new(), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_any_work_it_begins_anew_unasked() {
    check(&["task-begun=return", "task-entered=return"], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_agents_turn_it_is_offered_again() {
    check(&["driver-after-act=1*off->return"], 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_push_nothing_is_there_twice() {
    check(&["task-pushed=return", "task-requested=return"], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quit_in_the_agents_turn_stops_its_sandbox_and_the_next_start_goes_on_in_it() {
    world::relay();
    let place = Place::new(&["acme/tested"]).await;
    place.trusted(quit(&place)).await;
}

async fn quit(place: &Place) {
    sh(place.folder.path(), "rm -rf acme/tested.git");
    let tested = "printf 'test = \"grep -q bye greeting.txt\"\\n' > .lanyard.toml; echo hello > greeting.txt";
    seed(place.folder.path(), "acme/tested", tested);
    let slow = "echo bye >> greeting.txt; python3 -c 'import time; time.sleep(10)'";
    let w = place.world(vec![does("greet", slow)], "spare = false\n").await;
    let program = Program::start(&w, "").await;
    said(&w, &["task", "add", &format!("{}/acme/tested", place.host()), "greet"]).await;
    let at_work = async || (said(&w, &["task", "show", "1"]).await["doing"] == "Bash").then_some(());
    world::until(LATER, at_work).await;
    program.stop(&w).await;
    let running = world::docker(&[
        "ps",
        "-q",
        "--filter",
        &format!("label=dev.lanyard.instance={}", standins::engine::instance(&w.home().join("data"))),
    ]);
    assert_eq!(running, "", "nothing runs without Lanyard");
    let program = Program::start(&w, "").await;
    let (task, _) = until_over(&w).await;
    assert_eq!(
        (&task["state"], &task["result"]["tests"]),
        (&serde_json::json!("done"), &serde_json::json!(true)),
        "{task}"
    );
    assert_eq!(place.forge.pulls().len(), 1);
    program.remove(&w).await;
}
