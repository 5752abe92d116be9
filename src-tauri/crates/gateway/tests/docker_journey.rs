//! The phone journey as a person has it: a real browser of a phone's size, the real page, the real gateway behind ngrok's wire,
//! the real sandbox, the real Claude Code. The steps are the page's own (`ui/tests/e2e`); this is the world they are taken in.

mod pages_world;
mod tunnel_world;
mod world;

use serde_json::json;
use standins::{
    anthropic::{Script, Step},
    ngrok::DOMAIN,
};
use std::time::Duration;
use tunnel_world::{Tunnelled, proved};
use world::{Wish, World};

/// All steps; with a real agent each takes some seconds.
const STEPS: Duration = Duration::from_secs(420);
/// Lines of the long answer, which takes some ten seconds.
const LINES: usize = 100;

fn scripts() -> Vec<Script> {
    let long: String = (1..=LINES).map(|n| format!("Line {n} of {LINES}.\n")).collect();
    let file = "/workspace/billing/totals.py";
    let (before, after) = ("    return sum(round(x, 2) for x in lines)\n", "    return round(sum(lines), 2)\n");
    vec![
        pages_world::answers(),
        Script::when("Write a long answer").step(Step::text(long).pace(pages_world::slow(100))),
        Script::when("Edit the rounding")
            // The second time the file is there, and may be written because it was read.
            .step(Step::tool("Read", json!({ "file_path": file })))
            .step(Step::tool("Write", json!({ "file_path": file, "content": format!("def total(lines):\n{before}") })))
            .step(Step::tool("Edit", json!({ "file_path": file, "old_string": before, "new_string": after })))
            .step(Step::text("One file changed.")),
        pages_world::asks(),
    ]
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
    let lanyard = format!("{} --home {}", env!("CARGO_BIN_EXE_lanyard"), t.w.home().display());
    let words = json!({ "long": { "say": "Write a long answer", "answer": format!("Line {LINES} of {LINES}.") } });
    let env = [
        ("LANYARD_URL", format!("https://{DOMAIN}")),
        ("LANYARD_RESOLVE", format!("{DOMAIN} {}", t.edge.public_addr())),
        ("LANYARD_CLI", lanyard),
        ("LANYARD_WORDS", words.to_string()),
    ];
    pages_world::walk("journey", &env.each_ref().map(|(name, value)| (*name, value.as_str())), STEPS).await;
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
