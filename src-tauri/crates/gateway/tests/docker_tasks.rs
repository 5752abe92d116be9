//! Tasks in real sandboxes, by the real Claude Code, against a real git server and a forge beside it.

mod api_world;
mod tasks_world;
mod world;

use api_world::local;
use serde_json::{Value, json};
use standins::{
    anthropic::{Script, Step},
    forge::Outcome,
};
use std::{fs, time::Duration};
use tasks_world::{Place, TOKEN, bash, does, seed, sh};
use world::{LATER, Running};

async fn task(running: &Running, id: u32) -> Value {
    local(&running.app, "GET", &format!("/api/tasks/{id}"), None).await.body
}

async fn until_over(running: &Running, id: u32) -> Value {
    world::until(LATER, async || {
        let shown = task(running, id).await;
        let over = ["done", "failed", "cancelled"].contains(&shown["state"].as_str().unwrap_or_default());
        over.then_some(shown)
    })
    .await
}

async fn add(running: &Running, place: &Place, repository: &str, prompt: &str) -> u32 {
    let wish = json!({ "repository": format!("{}/{repository}", place.host()), "prompt": prompt });
    let made = local(&running.app, "POST", "/api/tasks", Some(&wish)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["id"].as_u64().unwrap() as u32
}

/// Names of the containers and volumes of this gateway, beside those of its own sandbox and of the one kept ready.
async fn left(running: &Running) -> Vec<String> {
    let spare = running.app.store.read(|r| store::facts::get(r, store::facts::SPARE_SANDBOX)).await.unwrap();
    let own =
        [Some(running.app.workshop.sandbox().to_string()), spare].into_iter().flatten().filter(|id| !id.is_empty());
    let own: Vec<String> = own.map(|id| id.replace('-', "")).collect();
    let main = world::container(running);
    let ours = main.rsplit_once('-').unwrap().0;
    let all = world::docker(&["ps", "-a", "--format", "{{.Names}}"]) + &world::docker(&["volume", "ls", "-q"]);
    let others = all.lines().filter(|name| name.starts_with(ours) && !own.iter().any(|id| name.contains(id.as_str())));
    others.map(str::to_owned).collect()
}

async fn until_nothing_is_left(running: &Running) {
    world::until(LATER, async || left(running).await.is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_becomes_a_pull_request_and_its_sandbox_goes() {
    world::relay();
    let place = Place::new(&["acme/shop"]).await;
    place.trusted(pull_request(&place)).await;
}

async fn pull_request(place: &Place) {
    let work = "cat CLAUDE.md 2>/dev/null; git log --oneline; echo bye >> greeting.txt && git commit -qam 'Say bye' && env && git config --list";
    let scripts = vec![does("again", "echo more >> greeting.txt"), does("mend the greeting", work)];
    let w = place.world(scripts, "").await;
    let running = w.start().await;
    w.text(&format!("task {}/acme/shop mend the greeting", place.host())).await;
    let queued = w.arrives(LATER).await.body;
    assert!(queued.starts_with("Task 1 for ") && queued.ends_with("To take it back: drop 1"), "{queued}");
    let done = w.arrives(LATER).await.body;
    assert!(done.starts_with("Task 1 is done: ") && done.contains("acme/shop #1, 1 file, +1 -0"), "{done}");

    let shown = task(&running, 1).await;
    assert_eq!(shown["state"], "done", "{shown}");
    let states: Vec<&str> = shown["steps"].as_array().unwrap().iter().map(|s| s["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["queued", "starting", "cloning", "working", "pushing", "done"]);
    let pull = place.forge.pulls().remove(0);
    assert_eq!((pull.title.as_str(), pull.base.as_str()), ("mend the greeting", "main"));
    assert_eq!(pull.head, "lanyard/1-mend-the-greeting");
    assert!(
        pull.body.starts_with("I mended it, and ran it.") && pull.body.ends_with("Lanyard-Task: 1"),
        "{}",
        pull.body
    );
    let commit = place.git("acme/shop", &["log", "-1", "--format=%an|%s|%(trailers:key=Lanyard-Task)", &pull.head]);
    let author = commit.split('|').next().unwrap();
    assert!(!author.is_empty() && author != "Lanyard" && commit.contains("|Say bye|Lanyard-Task: 1"), "{commit}");
    let inside = w.anthropic.requests().pop().unwrap().body.to_string();
    assert!(inside.contains("GIT_CONFIG_COUNT") && !inside.contains(TOKEN), "{inside}");
    until_nothing_is_left(&running).await;

    // More words go on where it left off, and the same pull request has them.
    w.text("retry 1: again").await;
    assert_eq!(w.arrives(LATER).await.body, "Task 1 is in the queue again, attempt 2.");
    let done = w.arrives(LATER).await.body;
    assert!(done.starts_with("Task 1 is done: "), "{done}");
    assert_eq!(place.forge.pulls().len(), 1);
    assert_eq!(place.git("acme/shop", &["show", &format!("{}:greeting.txt", pull.head)]), "hello\nbye\nmore");
    until_nothing_is_left(&running).await;
    running.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_said_and_each_task_ends_in_its_state() {
    world::relay();
    let place = Place::new(&["acme/shop", "acme/tested", "acme/hangs", "acme/closed"]).await;
    place.trusted(wrong(&place)).await;
}

async fn wrong(place: &Place) {
    let folder = place.folder.path();
    let tested = "printf 'setup = \"echo ready > ready.txt; echo ready.txt > .git/info/exclude\"\\ntest = \"grep -q good greeting.txt && test -f ready.txt\"\\n' > .lanyard.toml; echo hello > greeting.txt";
    for (repository, line) in
        [("acme/tested", tested), ("acme/hangs", "printf 'test = \"sleep 600\"\\n' > .lanyard.toml")]
    {
        sh(folder, &format!("rm -rf {repository}.git"));
        seed(folder, repository, line);
    }
    fs::write(folder.join("acme/closed.git/hooks/pre-receive"), "#!/bin/sh\necho closed for the night >&2\nexit 1\n")
        .unwrap();
    sh(folder, "chmod 755 acme/closed.git/hooks/pre-receive");
    let scripts = vec![
        does("Mend that", "echo good >> greeting.txt"),
        does("change something", "echo bye >> greeting.txt"),
        Script::when("look at it").step(Step::text("I looked, and all is well.")),
        does(
            "push elsewhere",
            "echo bye >> greeting.txt; git push -q origin HEAD:elsewhere 2> /tmp/said; cat /tmp/said",
        ),
        does("take your time", "python3 -c 'import time; time.sleep(300)'"),
        Script::when("moved on meanwhile")
            .step(bash("printf 'both\\n' > greeting.txt && git add -A && git commit -q --no-edit"))
            .step(Step::text("Both are kept.")),
        does("collide", "echo mine > greeting.txt; python3 -c 'import time; time.sleep(5)'"),
    ];
    let w = place.world(scripts, "at_once = 2\ntest_minutes = 1\nkeep_hours = 0\n").await;
    let running = w.start().await;

    let missing = add(&running, place, "acme/nowhere", "change something").await;
    let nothing = add(&running, place, "acme/shop", "look at it").await;
    let closed = add(&running, place, "acme/closed", "change something").await;
    let tested = add(&running, place, "acme/tested", "change something").await;
    let slow = add(&running, place, "acme/shop", "take your time").await;
    let failed = async |id: u32, code: &str| {
        let shown = until_over(&running, id).await;
        assert_eq!((shown["state"].as_str(), shown["error"]["code"].as_str()), (Some("failed"), Some(code)), "{shown}");
        shown
    };
    failed(missing, "REPOSITORY_REFUSED").await;
    failed(nothing, "NOTHING_CHANGED").await;
    let shown = failed(closed, "PUSH_REFUSED").await;
    assert!(shown["error"]["message"].as_str().unwrap().contains("closed for the night"), "{shown}");
    let shown = until_over(&running, tested).await;
    assert_eq!((shown["state"].as_str(), shown["result"]["tests"].as_bool()), (Some("done"), Some(true)), "{shown}");
    assert_eq!(
        place.git("acme/tested", &["show", &format!("{}:greeting.txt", shown["branch"].as_str().unwrap())]),
        "hello\nbye\ngood"
    );

    world::until(LATER, async || (task(&running, slow).await["doing"] == "Bash").then_some(())).await;
    let dropped = local(&running.app, "DELETE", &format!("/api/tasks/{slow}"), None).await;
    assert_eq!(dropped.body["state"], "cancelled", "{}", dropped.text);
    let twice = local(&running.app, "DELETE", &format!("/api/tasks/{slow}"), None).await;
    assert_eq!(twice.body["data"]["code"], "TASK_STATE", "{}", twice.text);

    // Another branch than its own is asked for, and a forge that is away for a moment is waited for.
    place.forge.fail_next(1, 502);
    let elsewhere = add(&running, place, "acme/shop", "push elsewhere").await;
    let asked = world::until(LATER, async || {
        let open = local(&running.app, "GET", "/api/permissions", None).await.body;
        open["permissions"].as_array().and_then(|all| all.iter().find(|a| a["kind"] == "push").cloned())
    })
    .await;
    world::until(LATER, async || (task(&running, elsewhere).await["state"] == "needs_you").then_some(())).await;
    let no = json!({ "decision": "deny", "input_hash": asked["input_hash"] });
    local(&running.app, "POST", &format!("/api/permission/{}", asked["id"].as_str().unwrap()), Some(&no)).await;
    assert_eq!(until_over(&running, elsewhere).await["state"], "done");
    assert!(!place.git("acme/shop", &["branch", "--list"]).lines().any(|line| line.trim() == "elsewhere"));

    let hangs = add(&running, place, "acme/hangs", "change something").await;
    let collides = add(&running, place, "acme/shop", "collide").await;
    world::until(LATER, async || (task(&running, collides).await["doing"] == "Bash").then_some(())).await;
    sh(
        folder,
        "rm -rf other; git clone -q acme/shop.git other; cd other; echo theirs > greeting.txt; git -c user.name=me -c user.email=me@example.com commit -qam theirs; git push -q origin HEAD:main",
    );
    let shown = until_over(&running, collides).await;
    assert_eq!(shown["state"], "done", "{shown}");
    let branch = shown["branch"].as_str().unwrap();
    assert_eq!(place.git("acme/shop", &["show", &format!("{branch}:greeting.txt")]), "both");
    assert_eq!(place.git("acme/shop", &["rev-list", "--count", &format!("{branch}..main")]), "0", "main is in it");
    local(&running.app, "DELETE", &format!("/api/tasks/{hangs}"), None).await;
    until_nothing_is_left(&running).await;
    running.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_that_fail_are_told_and_go_back_to_the_agent_with_what_people_wrote() {
    world::relay();
    let place = Place::new(&["acme/shop"]).await;
    place.trusted(checks(&place)).await;
}

async fn checks(place: &Place) {
    let scripts =
        vec![does("the check build failed", "echo mended >> greeting.txt"), does("greet", "echo bye >> greeting.txt")];
    let w = place.world(scripts, "").await;
    let running = w.start().await;
    w.text(&format!("task {}/acme/shop greet", place.host())).await;
    w.arrives(LATER).await;
    assert!(w.arrives(LATER).await.body.starts_with("Task 1 is done"));
    let pull = place.forge.pulls().remove(0);
    place.forge.set_checks(
        "acme/shop",
        &pull.head_sha,
        "build",
        Outcome::Failed("greeting.txt:2: no bye, please".into()),
    );
    place.forge.comment("acme/shop", pull.number, "carol", "Use tabs.", Some(("greeting.txt", 2)));
    gateway::tasks::look(&running.app).await;
    let told = w.arrives(LATER).await.body;
    assert_eq!(told, "Task 1: checks failed on #1 (build). To hand them to the agent: fix 1");
    assert_eq!(task(&running, 1).await["result"]["request"]["checks"], "failed");
    w.text("fix 1").await;
    assert_eq!(w.arrives(LATER).await.body, "Task 1 is in the queue again, attempt 2.");
    assert!(w.arrives(LATER).await.body.starts_with("Task 1 is done"));
    let heard = w.anthropic.requests().iter().map(|r| r.body.to_string()).collect::<String>();
    assert!(heard.contains("no bye, please") && heard.contains("carol commented on greeting.txt:2"), "it heard both");
    assert_eq!(place.git("acme/shop", &["show", &format!("{}:greeting.txt", pull.head)]), "hello\nbye\nmended");
    tokio::time::timeout(Duration::from_secs(60), until_nothing_is_left(&running)).await.unwrap();
    running.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_every_task_and_fails_none() {
    world::relay();
    let place = Place::new(&["acme/shop"]).await;
    place.trusted(paused(&place)).await;
}

async fn paused(place: &Place) {
    let work = "echo bye >> greeting.txt; python3 -c 'import time; time.sleep(3)'";
    let w = place.world(vec![does("greet", work)], "").await;
    let running = w.start().await;
    let first = add(&running, place, "acme/shop", "greet").await;
    world::until(LATER, async || (task(&running, first).await["doing"] == "Bash").then_some(())).await;
    assert_eq!(local(&running.app, "POST", "/sandbox/pause", None).await.status, 200);
    let second = add(&running, place, "acme/shop", "greet again").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(task(&running, first).await["state"], "working");
    assert_eq!(task(&running, second).await["state"], "queued", "none begins meanwhile");
    assert_eq!(local(&running.app, "POST", "/sandbox/resume", None).await.status, 200);
    assert_eq!(until_over(&running, first).await["state"], "done");
    assert_eq!(until_over(&running, second).await["state"], "done");
    until_nothing_is_left(&running).await;
    running.remove().await;
}

/// An image as a company might have one: a tool of its own off the usual path, a Node of its own, a volume that nobody names.
fn company_image(name: &str) {
    let tool = "mkdir -p /opt/company/bin && printf '#!/bin/sh\\necho made by our own tool\\n' > /opt/company/bin/ours \
                && cp /opt/company/bin/ours /opt/company/bin/node && chmod 755 /opt/company/bin/*";
    let base = std::env::var("LANYARD_BASE").unwrap_or_else(|_| "lanyard-base:bookworm".into());
    let recipe =
        format!("FROM {base}\nRUN {tool}\nENV PATH=/opt/company/bin:/usr/bin:/bin\nVOLUME /scratch\nUSER 1234\n");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), recipe).unwrap();
    world::docker(&["build", "-q", "-t", name, folder.path().to_str().unwrap()]);
}

/// Those that an image wished for and that nobody named.
fn unnamed_volumes() -> std::collections::BTreeSet<String> {
    let all = world::docker(&["volume", "ls", "-q"]);
    all.lines().filter(|name| name.len() == 64).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_s_tasks_run_on_its_own_image_where_the_owner_lets_it() {
    world::relay();
    let place = Place::new(&["acme/own", "acme/foreign", "acme/away"]).await;
    place.trusted(own_image(&place)).await;
}

async fn own_image(place: &Place) {
    // A name of its own, so that nobody else's image is built on, or taken away at the end.
    let image = format!("lanyard-test-company:{}", std::process::id());
    company_image(&image);
    let away = "127.0.0.1:9/company/base:1";
    for (repository, line) in [
        ("acme/own", format!("printf 'image = \"{image}\"\ntest = \"ours\"\n' > .lanyard.toml")),
        ("acme/foreign", "printf '{ \"image\": \"elsewhere.example/base\" }' > .devcontainer.json".to_owned()),
        ("acme/away", format!("printf 'image = \"{away}\"\n' > .lanyard.toml")),
    ] {
        sh(place.folder.path(), &format!("rm -rf {repository}.git"));
        seed(place.folder.path(), repository, &line);
    }
    let scripts =
        vec![does("use the tool", "(ours; node --version; id -u; echo $HOME; python3 --version) > made.txt; true")];
    let w = place.world(scripts, &format!("images = [\"{image}\", \"127.0.0.1:9/*\"]\nkeep_hours = 0\n")).await;
    let running = w.start().await;
    let before = unnamed_volumes();
    let ids = [
        add(&running, place, "acme/own", "use the tool").await,
        add(&running, place, "acme/foreign", "use the tool").await,
        add(&running, place, "acme/away", "use the tool").await,
    ];
    let own = until_over(&running, ids[0]).await;
    assert_eq!((own["state"].as_str(), own["result"]["tests"].as_bool()), (Some("done"), Some(true)), "{own}");
    let made = place.git("acme/own", &["show", &format!("{}:made.txt", own["branch"].as_str().unwrap())]);
    let uid = running.app.config.agent_uid.to_string();
    let lines: Vec<&str> = made.lines().collect();
    assert_eq!(lines[..2], ["made by our own tool"; 2], "its own programs go first: {made}");
    assert_eq!(lines[2..4], [uid.as_str(), "/home/agent"], "{made}");
    assert!(lines[4].starts_with("Python 3"), "{made}");

    let foreign = until_over(&running, ids[1]).await;
    assert_eq!(foreign["state"], "done", "{foreign}");
    let made = place.git("acme/foreign", &["show", &format!("{}:made.txt", foreign["branch"].as_str().unwrap())]);
    assert!(!made.contains("our own tool") && made.contains("v22."), "{made}");
    let session = foreign["session_id"].as_str().unwrap().to_owned();
    let events = local(&running.app, "GET", &format!("/api/sessions/{session}/events"), None).await;
    assert!(events.text.contains("left out: the image elsewhere.example/base, which tasks.images"), "{}", events.text);

    let failed = until_over(&running, ids[2]).await;
    assert_eq!((failed["state"].as_str(), failed["error"]["code"].as_str()), (Some("failed"), Some("SETUP_FAILED")));
    let why = failed["error"]["message"].as_str().unwrap_or_default();
    assert!(why.contains(away) && why.contains("could not be pulled"), "{failed}");
    until_nothing_is_left(&running).await;
    assert_eq!(unnamed_volumes().difference(&before).collect::<Vec<_>>(), Vec::<&String>::new());
    let built = world::docker(&["images", "-q", "-f", "label=dev.lanyard.image.path=/opt/company/bin:/usr/bin:/bin"]);
    running.remove().await;
    for id in built.lines() {
        world::docker(&["rmi", "-f", id]);
    }
    world::docker(&["rmi", &image]);
}
