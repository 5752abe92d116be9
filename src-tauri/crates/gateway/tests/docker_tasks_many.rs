//! Twenty tasks over five repositories, the program killed three times meanwhile: each ends in the state it should, every branch is
//! what its agent made, and nothing is left.

mod program;
mod tasks_world;
mod world;

use program::{Program, lanyard};
use serde_json::Value;
use standins::anthropic::{Script, Step};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, Instant},
};
use tasks_world::{Place, bash, does, seed, sh};
use world::World;

/// For all of them on two cores.
const ALL: Duration = Duration::from_secs(600);
/// Megabytes of the large repository; by hand 500.
fn large() -> usize {
    std::env::var("LANYARD_LARGE_MB").ok().and_then(|mb| mb.parse().ok()).unwrap_or(20)
}

async fn said(w: &World, arguments: &[&str]) -> Value {
    let output = lanyard(w, arguments).arg("--json").output().await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Adds a line to a file of its own once, however often it runs.
fn adds(word: &str) -> Script {
    let line =
        format!("grep -qs {word} {word}.txt || echo {word} >> {word}.txt; python3 -c 'import time; time.sleep(2)'");
    Script::matching(format!("add {word}\\b")).step(bash(&line)).step(Step::text("I added it."))
}

/// What each prompt is to lead to: the end, and the code where that is a failure.
fn wishes() -> Vec<(String, String, &'static str, Option<&'static str>)> {
    let mut all: Vec<(String, String, &'static str, Option<&'static str>)> = Vec::new();
    for n in 0..14 {
        let repository = ["one", "two", "three", "four", "large"][n % 5];
        all.push((format!("acme/{repository}"), format!("add word{n}"), "done", None));
    }
    all.push(("acme/three".into(), "refused add worda".into(), "failed", Some("PUSH_REFUSED")));
    all.push(("acme/three".into(), "refused add wordb".into(), "failed", Some("PUSH_REFUSED")));
    all.push(("acme/nowhere".into(), "add wordc".into(), "failed", Some("REPOSITORY_REFUSED")));
    all.push(("acme/two".into(), "hang".into(), "failed", Some("TESTS_FAILED")));
    all.push(("acme/one".into(), "collide".into(), "done", None));
    all.push(("acme/four".into(), "look at it".into(), "failed", Some("NOTHING_CHANGED")));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_tasks_over_five_repositories_end_as_they_should_though_the_program_is_killed_three_times() {
    world::relay();
    let place = Place::new(&["acme/one", "acme/two", "acme/three", "acme/four", "acme/large"]).await;
    place.trusted(many(&place)).await;
}

async fn many(place: &Place) {
    let folder = place.folder.path();
    for (repository, line) in [
        ("acme/two", "printf 'test = \"test ! -f hang || sleep 600\"\\n' > .lanyard.toml".to_owned()),
        ("acme/large", format!("head -c {}000000 /dev/urandom > large.bin", large())),
    ] {
        sh(folder, &format!("rm -rf {repository}.git"));
        seed(folder, repository, &line);
    }
    let hook = "#!/bin/sh\nwhile read old new ref; do case $ref in *refused*) echo no such branches here >&2; exit 1;; esac; done\n";
    fs::write(folder.join("acme/three.git/hooks/pre-receive"), hook).unwrap();
    sh(folder, "chmod 755 acme/three.git/hooks/pre-receive");

    let mut scripts: Vec<Script> = (0..14).map(|n| adds(&format!("word{n}"))).collect();
    scripts.extend(["worda", "wordb", "wordc"].map(adds));
    scripts.extend([
        Script::when("moved on meanwhile")
            .step(bash("echo both > greeting.txt; git add -A; git commit -q --no-edit"))
            .step(Step::text("Both.")),
        Script::when("Mend that").step(Step::text("I cannot tell why they hang.")),
        does("hang", "touch hang"),
        Script::when("look at it").step(Step::text("I looked, and all is well.")),
        does("collide", "echo mine > greeting.txt; python3 -c 'import time; time.sleep(8)'"),
    ]);
    let w = place.world(scripts, "at_once = 6\ntest_minutes = 1\nkeep_hours = 0\n").await;
    let began = Instant::now();
    let mut program = Program::start(&w, "").await;
    let wishes = wishes();
    for (repository, prompt, ..) in &wishes {
        let repository = format!("{}/{repository}", place.host());
        let added = said(&w, &["task", "add", &repository, prompt]).await;
        assert!(added["id"].is_u64(), "{prompt}: {added}");
    }
    let mut kills = [20, 45, 75].into_iter().map(Duration::from_secs).peekable();
    let mut moved = false;
    let ends = loop {
        assert!(began.elapsed() < ALL, "{:#}", said(&w, &["task", "list"]).await);
        let page = said(&w, &["task", "list"]).await;
        let tasks = page["tasks"].as_array().cloned().unwrap_or_default();
        let over =
            |task: &&Value| ["done", "failed", "cancelled"].contains(&task["state"].as_str().unwrap_or_default());
        if !moved && tasks.iter().any(|task| task["prompt"] == "collide" && task["doing"] == "Bash") {
            moved = true;
            sh(
                folder,
                "rm -rf other; git clone -q acme/one.git other; cd other; echo theirs > greeting.txt
                 git -c user.name=me -c user.email=me@example.com commit -qam theirs; git push -q origin HEAD:main",
            );
        }
        if kills.next_if(|at| began.elapsed() > *at).is_some() {
            program.kill().await;
            program = Program::start(&w, "").await;
        } else if tasks.len() == wishes.len()
            && tasks.iter().filter(over).count() == wishes.len()
            && kills.peek().is_none()
        {
            break tasks;
        }
        for open in said(&w, &["approve"]).await.as_array().cloned().unwrap_or_default() {
            if let Some(number) = open["number"].as_u64() {
                said(&w, &["approve", &number.to_string()]).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    assert!(moved, "the base moved on under the one that collides");
    println!("twenty tasks took {} s", began.elapsed().as_secs());

    let by_prompt: BTreeMap<&str, &Value> = ends.iter().map(|task| (task["prompt"].as_str().unwrap(), task)).collect();
    let mut heads = BTreeSet::new();
    for (repository, prompt, state, code) in &wishes {
        let task = by_prompt[prompt.as_str()];
        assert_eq!((task["state"].as_str(), task["error"]["code"].as_str()), (Some(*state), *code), "{task:#}");
        let branch = task["branch"].as_str().unwrap();
        if *state == "done" {
            let commits = place.git(repository, &["rev-list", "--count", "--no-merges", &format!("main..{branch}")]);
            assert_eq!(commits, "1", "{prompt}");
            heads.insert((repository.clone(), branch.to_owned()));
        }
    }
    for (n, (repository, prompt, ..)) in wishes.iter().take(14).enumerate() {
        let branch = by_prompt[prompt.as_str()]["branch"].as_str().unwrap();
        assert_eq!(place.git(repository, &["show", &format!("{branch}:word{n}.txt")]), format!("word{n}"));
    }
    let pulls: BTreeSet<_> = place.forge.pulls().into_iter().map(|pull| (pull.repository, pull.head)).collect();
    assert_eq!((place.forge.pulls().len(), &pulls), (15, &heads), "one pull request for each that is done");

    let ours = w.home().join("data");
    // The sandbox of all sessions and the one kept ready: a container and two volumes each.
    world::until(ALL, async || (standins::engine::left(&ours).len() <= 6).then_some(())).await;
    program.remove(&w).await;
    let left = standins::engine::left(&ours);
    assert!(left.len() <= 3, "only the one kept ready: {left:?}");
}
