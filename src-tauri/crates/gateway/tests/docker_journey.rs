//! The phone journey as a person has it: a real browser of a phone's size, the real page, the real gateway behind ngrok's wire,
//! the real sandbox, the real Claude Code. The steps are the page's own (`ui/tests/e2e`); this is the world they are taken in.

mod tunnel_world;
mod world;

use serde_json::json;
use standins::{
    anthropic::{Pace, Script, Step},
    ngrok::DOMAIN,
};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::process::Command;
use tunnel_world::{Tunnelled, proved};
use world::{Wish, World};

/// All steps; with a real agent each takes some seconds.
const STEPS: Duration = Duration::from_secs(420);
/// Lines of the long answer, which takes some ten seconds.
const LINES: usize = 100;
const ANSWER: &str = "The test failed because `invoice_total` rounds **each line** and not the sum.\n\n\
    ```python\ndef invoice_total(lines):\n    total = sum(line.amount for line in lines)\n    return round(total, 2)\n```\n\n\
    - All 48 tests pass.\n- The sum is rounded once, at its end, and nowhere before.\n";
const PUSH: &str = "python3 -c \"open('pushed', 'a').write('once')\"";

fn scripts() -> Vec<Script> {
    let slow = |ms| Pace { between_ms: ms, ..Pace::default() };
    let long: String = (1..=LINES).map(|n| format!("Line {n} of {LINES}.\n")).collect();
    let file = "/workspace/billing/totals.py";
    let (before, after) = ("    return sum(round(x, 2) for x in lines)\n", "    return round(sum(lines), 2)\n");
    vec![
        Script::when("Fix the failing test").step(Step::text(ANSWER).pace(slow(100))),
        Script::when("Write a long answer").step(Step::text(long).pace(slow(100))),
        Script::when("Edit the rounding")
            // The second time the file is there, and may be written because it was read.
            .step(Step::tool("Read", json!({ "file_path": file })))
            .step(Step::tool("Write", json!({ "file_path": file, "content": format!("def total(lines):\n{before}") })))
            .step(Step::tool("Edit", json!({ "file_path": file, "old_string": before, "new_string": after })))
            .step(Step::text("One file changed.")),
        Script::when("Push it")
            .step(Step::tool("Bash", json!({ "command": PUSH, "description": "Push the branch" })))
            .step(Step::text("Pushed to `billing-fix`.")),
    ]
}

fn ui() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../ui").canonicalize().unwrap()
}

/// The page's steps as a child; what it says comes with the failure.
async fn steps(t: &Tunnelled) {
    let shots = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("journey");
    let words = json!({ "long": { "say": "Write a long answer", "answer": format!("Line {LINES} of {LINES}.") } });
    let mut node = Command::new("node");
    node.args(["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.e2e.config.ts"]).current_dir(ui());
    node.env("LANYARD_URL", format!("https://{DOMAIN}"))
        .env("LANYARD_RESOLVE", format!("{DOMAIN} {}", t.edge.public_addr()))
        .env("LANYARD_CLI", format!("{} --home {}", env!("CARGO_BIN_EXE_lanyard"), t.w.home().display()))
        .env("LANYARD_WORDS", words.to_string())
        .env("LANYARD_SHOTS", &shots)
        .env("NO_COLOR", "1");
    let child = node.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
    let child = child.expect("Node.js is there: run the tests with cargo xtask test");
    let ended = tokio::time::timeout(STEPS, child.wait_with_output()).await;
    let output = ended.unwrap_or_else(|_| panic!("the steps took longer than {STEPS:?}")).unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}{}", said(&output.stdout), said(&output.stderr));
    assert!(
        output.status.success(),
        "a step of the journey failed: see above, and the pictures in {}",
        shots.display()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_paired_by_its_camera_and_carried_through_everything_until_it_is_revoked() {
    world::relay();
    // Edits go without asking, as an owner may set it; commands ask.
    let config = "[agent]\nmode = \"acceptEdits\"\n[limits]\nsessions = 40\n";
    let t = Tunnelled::with_token(Wish { sandbox: true, scripts: scripts(), config }).await;
    let mut config = t.config();
    // Some fifteen sessions in two gigabytes: those that rest give their process back.
    config.patience.idle = Duration::from_secs(4);
    let running = t.start_with(config).await;
    proved(&running).await;
    steps(&t).await;
    let pushed = running.app.workshop.read_file("/workspace/pushed", 100).await.unwrap();
    assert_eq!(pushed, b"onceonce", "what two phones allowed ran, each once");
    assert_key_is_nowhere(&t.w);
    running.remove().await;
}

/// Neither in the database nor in what the page was given.
fn assert_key_is_nowhere(w: &World) {
    for file in ["lanyard.db", "lanyard.db-wal"] {
        let bytes = std::fs::read(w.home().join("data").join(file)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("sk-ant-planted"), "the key is in {file}");
    }
}
