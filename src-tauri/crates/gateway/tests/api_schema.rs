//! The description against the gateway it describes: schemathesis, a program of other people, throws requests made from it
//! at a running one, well formed and not, and finds nothing.

mod api_world;
mod world;

use api_world::Phone;
use standins::oracle;
use std::process::Command;
use world::{Wish, World};

const ORACLE: &str = "schemathesis==4.32.5";

/// As many requests and sessions as it likes.
const LIMITS: &str = "[api]\nper_minute = 10000000\naddress_per_minute = 10000000\n[limits]\nsessions = 1000000\n";

/// No route is left out but the lock, which would end it all. A request that is right in form may still be refused: a picture that
/// is none with 415 (no schema can foresee it), a pairing code that is not shown with 403, the eleventh in a minute with 429, a
/// key that lies on no curve, a push address that a push service could not have, or a name that no repository and no branch has
/// with 400. There is no engine here, so that what wants an agent's answer says 503 at once, or 504 if it was asked to wait for
/// less than that; only there is that no server's error. A plain request for the WebSocket lacks the handshake, which a
/// description cannot ask for: 400.
const SETTINGS: &str = r#"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 415, 429, "5xx"]

[[operations]]
include-path = "/api/lock"
enabled = false

[[operations]]
include-path = ["/api/ask", "/api/claude/test"]
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", 503, 504]

[[operations]]
include-path = ["/api/pair", "/api/push"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 403, 429]

[[operations]]
include-path = ["/api/tasks", "/api/branches", "/api/repositories", "/api/schedules"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 415, 429, "5xx"]

[[operations]]
include-path = "/ws"
checks.positive_data_acceptance.expected-statuses = [400]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing() {
    let w = World::new(Wish { config: LIMITS, ..Wish::default() }).await;
    let running = w.start().await;
    let python = tokio::task::spawn_blocking(|| oracle::python(&[ORACLE])).await.unwrap().unwrap();
    std::fs::write(w.home().join("schemathesis.toml"), SETTINGS).unwrap();
    let _for_it_to_find = api_world::events(&running, 20).await;
    let throw = async |token: &str, args: &[&str]| {
        let mut run = Command::new(python.with_file_name("schemathesis"));
        run.current_dir(w.home())
            .args(["run", &format!("http://{}/api/openapi.json", running.app.public_addr)])
            .args(["--header", &format!("Authorization: Bearer {token}"), "--generation-database", "none"])
            .args(["--phases", "examples,coverage,fuzzing", "--seed", "7", "--no-color"])
            .args(args);
        let output = tokio::task::spawn_blocking(move || run.output()).await.unwrap().unwrap();
        let words = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{words}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    throw(&api_world::token(&running.app, &["read", "chat", "approve", "tasks"]).await, &["--max-examples", "24"])
        .await;
    // What only a paired phone may: to any other token these say 403 whatever comes.
    let phone = Phone::pair(&running.app, "phone").await;
    let phones = ["--include-path-regex", "^/api/push", "--max-examples", "15"];
    throw(&phone.access, &phones).await;
    running.stop().await;
}
