//! The pages' own steps (`ui/tests/e2e`) in a real browser, taken at a real gateway, and what its agent says in them.
#![allow(dead_code, reason = "each test file uses a part")]

use serde_json::json;
use standins::anthropic::{Pace, Script, Step};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

const ANSWER: &str = "The test failed because `invoice_total` rounds **each line** and not the sum.\n\n\
    ```python\ndef invoice_total(lines):\n    total = sum(line.amount for line in lines)\n    return round(total, 2)\n```\n\n\
    - All 48 tests pass.\n- The sum is rounded once, at its end, and nowhere before.\n";
const PUSH: &str = "python3 -c \"open('pushed', 'a').write('once')\"";

pub fn slow(between_ms: u64) -> Pace {
    Pace { between_ms, ..Pace::default() }
}

/// An answer that is written before one's eyes.
pub fn answers() -> Script {
    Script::when("Fix the failing test").step(Step::text(ANSWER).pace(slow(100)))
}

/// A command that asks first; each time that it runs, `pushed` in the workspace has one more `once`.
pub fn asks() -> Script {
    Script::when("Push it")
        .step(Step::tool("Bash", json!({ "command": PUSH, "description": "Push the branch" })))
        .step(Step::text("Pushed to `billing-fix`."))
}

/// Takes the steps that `env` chooses (`ui/vitest.e2e.config.ts`); what is said in them is printed, with the failure too.
pub async fn walk(name: &str, env: &[(&str, &str)], within: Duration) {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui").canonicalize().unwrap();
    let shots = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut node = Command::new("node");
    node.args(["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.e2e.config.ts"]).current_dir(ui);
    node.envs(env.iter().copied()).env("LANYARD_SHOTS", &shots).env("NO_COLOR", "1");
    let child = node.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
    let child = child.expect("Node.js is there: run the tests with cargo xtask test");
    let ended = tokio::time::timeout(within, child.wait_with_output()).await;
    let output = ended.unwrap_or_else(|_| panic!("the steps took longer than {within:?}")).unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}{}", said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "a step failed: see above, and the pictures in {}", shots.display());
}
