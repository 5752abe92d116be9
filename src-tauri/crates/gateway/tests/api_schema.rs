//! The description against the gateway it describes: schemathesis, a program of other people, throws requests made from it
//! at a running one, well formed and not, and finds nothing.

mod api_world;
mod world;

use standins::oracle;
use std::process::Command;
use world::{Wish, World};

const ORACLE: &str = "schemathesis==4.32.5";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing() {
    let w =
        World::new(Wish { config: "[api]\nper_minute = 10000000\naddress_per_minute = 10000000\n", ..Wish::default() })
            .await;
    let running = w.start().await;
    let python = tokio::task::spawn_blocking(|| oracle::python(&[ORACLE])).await.unwrap().unwrap();
    let token = api_world::token(&running.app, &["read", "chat", "approve"]).await;
    let session = api_world::events(&running, 20).await;
    // A picture that is none is refused with 415, which no schema can foresee.
    let settings =
        "[checks.positive_data_acceptance]\nexpected-statuses = [\"2xx\", 401, 403, 404, 409, 415, 429, \"5xx\"]\n";
    std::fs::write(w.home().join("schemathesis.toml"), settings).unwrap();
    let url = format!("http://{}/api/openapi.json", running.app.public_addr);
    let mut run = Command::new(python.with_file_name("schemathesis"));
    run.current_dir(w.home())
        .args(["run", &url, "--header", &format!("Authorization: Bearer {token}")])
        // Not what this looks at: an ask waits for an agent, a socket is no request, pairing has ten tries a minute.
        .args(["--exclude-path", "/api/ask", "--exclude-path", "/ws", "--exclude-path", "/api/pair"])
        .args(["--exclude-path", "/api/claude/test"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "40", "--seed", "7", "--no-color"])
        .args(["--generation-database", "none"]);
    let output = tokio::task::spawn_blocking(move || run.output()).await.unwrap().unwrap();
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{words}\n{}", String::from_utf8_lossy(&output.stderr));
    let _in_the_store_for_it_to_find = session;
    running.stop().await;
}
