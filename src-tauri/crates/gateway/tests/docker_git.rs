//! Git over https in a real sandbox, by the real Claude Code: the owner's credential is on what leaves, nothing of it is inside, and
//! a protected branch is asked for.

mod api_world;
mod world;

use api_world::local;
use serde_json::{Value, json};
use standins::{
    anthropic::{Script, Step},
    git::GitServer,
};
use std::{fs, path::Path, process::Command};
use world::{LATER, Wish, World};

const SECRET: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
/// `x-access-token:` and the secret.
const PASSWORD: &str = "Basic eC1hY2Nlc3MtdG9rZW46Z2hwXzAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg==";

fn sh(folder: &Path, line: &str) {
    let done = Command::new("sh").args(["-ec", line]).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{line}: {done:?}");
}

fn bash(command: &str) -> Step {
    Step::tool("Bash", json!({ "command": command, "description": "test" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn git_clones_and_pushes_with_nothing_secret_inside_and_a_protected_branch_is_asked_for() {
    world::relay();
    let folder = tempfile::tempdir().unwrap();
    sh(
        folder.path(),
        "git init -q --bare -b main acme/shop.git; git -C acme/shop.git config http.receivepack true
         git clone -q acme/shop.git seed 2> /dev/null; cd seed; echo one > a.txt; git add a.txt
         git -c user.name=me -c user.email=me@example.com commit -qm one; git push -q origin HEAD:main",
    );
    let server = GitServer::start(folder.path(), PASSWORD).await.unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, &server.ca).unwrap();
    temp_env::async_with_vars([("SSL_CERT_FILE", Some(ca))], Box::pin(pushed(&server))).await;
}

async fn pushed(server: &GitServer) {
    let place = server.url.strip_prefix("https://").unwrap();
    let work = format!(
        "cd /tmp && git clone -q {}/acme/shop.git && cd shop && git config user.name a && git config user.email a@example.com &&
         echo two >> a.txt && git commit -qam two && git push -q origin HEAD:feature && env && git config --list && cat .git/config",
        server.url
    );
    let scripts = vec![
        Script::when("branch").step(bash(&work)).step(Step::text("Pushed.")),
        Script::when("main").step(bash("cd /tmp/shop && git push -q origin HEAD:main")).step(Step::text("Ended.")),
        Script::when("again").step(bash("cd /tmp/shop && git push -q origin HEAD:main")).step(Step::text("Ended.")),
    ];
    let config = format!(
        "[agent]\nmode = \"bypassPermissions\"\n[egress]\nallow = [\"{place} private\"]\n\
         credentials = [\"{place}/acme basic=x-access-token secret=shop\"]\n"
    );
    let w = World::new(Wish { sandbox: true, scripts, config: &config }).await;
    let kept = json!({ "shop": SECRET }).to_string();
    let mut secrets = fs::read_to_string(w.home().join("secrets.toml")).unwrap();
    secrets.push_str(&format!("hosts = '{kept}'\n"));
    fs::write(w.home().join("secrets.toml"), secrets).unwrap();
    let running = w.start().await;
    let app = &running.app;

    w.text("branch").await;
    assert_eq!(w.arrives(LATER).await.body, "Pushed.");
    let inside = w.anthropic.requests().pop().unwrap().body.to_string();
    assert!(inside.contains("GIT_CONFIG_COUNT") && !inside.contains(SECRET), "{inside}");
    assert_eq!(server.git("acme/shop.git", &["log", "-1", "--format=%s", "feature"]).unwrap(), "two");

    let decide = async |decision: &str| {
        let open = world::until(LATER, async || {
            let shown = local(app, "GET", "/api/permissions", None).await.body;
            shown["permissions"].as_array().and_then(|all| all.iter().find(|a| a["kind"] == "push").cloned())
        })
        .await;
        let answer: Value = json!({ "decision": decision, "input_hash": open["input_hash"] });
        let path = format!("/api/permission/{}", open["id"].as_str().unwrap());
        let said = local(app, "POST", &path, Some(&answer)).await;
        assert_eq!(said.status, 200, "{}", said.text);
        open
    };
    w.text("main").await;
    let asked = w.arrives(LATER).await.body;
    assert!(asked.contains("may it push to acme/shop at") && asked.contains("main from"), "{asked}");
    decide("deny").await;
    assert_eq!(w.arrives(LATER).await.body, "#1 was refused elsewhere.");
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    assert_eq!(server.git("acme/shop.git", &["log", "-1", "--format=%s", "main"]).unwrap(), "one");

    // What was refused stays so for a while; another change is another question.
    sh(
        Path::new("/"),
        &format!(
            "docker exec -u 1000 -w /tmp/shop {} sh -c 'echo three >> a.txt; git commit -qam three'",
            world::container(&running)
        ),
    );
    w.text("again").await;
    w.arrives(LATER).await;
    let shown = decide("allow").await;
    assert_eq!(shown["input"]["refs"][0]["name"], "refs/heads/main", "{shown}");
    assert_eq!(w.arrives(LATER).await.body, "#2 was allowed elsewhere.");
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    assert_eq!(server.git("acme/shop.git", &["log", "-1", "--format=%s", "main"]).unwrap(), "three");
    running.remove().await;
}
