//! The oracle of the Anthropic stand-in: the real Claude Code, in both versions that are supported, must live with it.

#![cfg(unix)]

use serde_json::{Value, json};
use standins::{
    CLAUDE, CLAUDE_BEFORE, Den,
    anthropic::{Anthropic, Block, Fault, KEY, Pace, Purpose, Script, Step, StopReason},
};
use std::process::Stdio;

const VERSIONS: [&str; 2] = [CLAUDE, CLAUDE_BEFORE];

/// What one `claude -p` said: the frames of its output, in order.
struct Said(Vec<Value>);

impl Said {
    fn result(&self) -> &Value {
        self.0.iter().rfind(|f| f["type"] == "result").expect("a result")
    }

    fn retries(&self) -> usize {
        self.0.iter().filter(|f| f["subtype"] == "api_retry").count()
    }
}

async fn ask(model: &Anthropic, version: &str, words: &str, more: &[&str]) -> Said {
    let den = Den::new(version).unwrap();
    ask_in(&den, model, words, more).await
}

async fn ask_in(den: &Den, model: &Anthropic, words: &str, more: &[&str]) -> Said {
    let usual = ["-p", words, "--output-format", "stream-json", "--verbose", "--include-partial-messages"];
    let mut command = den.command(usual.iter().chain(more));
    command
        .env("ANTHROPIC_BASE_URL", model.url())
        .env("ANTHROPIC_AUTH_TOKEN", KEY)
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("DISABLE_AUTOUPDATER", "1")
        .env("CLAUDE_CODE_MAX_RETRIES", "1")
        .stdin(Stdio::null());
    let output = tokio::process::Command::from(command).kill_on_drop(true).output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(60), output).await.expect("in time").unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    Said(lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect())
}

#[tokio::test]
async fn plain_words_are_answered_and_streamed() {
    let model = Anthropic::start([Script::when("hello").step(Step::text("Hello from the stand-in, word by word."))])
        .await
        .unwrap();
    for version in VERSIONS {
        let said = ask(&model, version, "hello there", &[]).await;
        assert_eq!(said.result()["result"], "Hello from the stand-in, word by word.", "{version}");
        let deltas = said.0.iter().filter(|f| f["event"]["delta"]["type"] == "text_delta").count();
        assert_eq!(deltas, 3, "{version}: pieces of 16 characters");
        assert_eq!(said.0.iter().filter(|f| f["event"]["type"] == "message_stop").count(), 1);
    }
    let seen = model.requests();
    assert_eq!(seen.len(), 2, "no requests beside the turns");
    assert!(seen.iter().all(|s| s.purpose == Purpose::Turn && s.text == "hello there" && s.key == KEY));
}

#[tokio::test]
async fn without_a_script_the_words_come_back() {
    let model = Anthropic::start([]).await.unwrap();
    let said = ask(&model, CLAUDE, "anything at all", &[]).await;
    assert_eq!(said.result()["result"], "You said: anything at all");
}

#[tokio::test]
async fn tools_run_and_later_steps_use_their_results() {
    let script = Script::when("look")
        .step(
            Step { blocks: vec![Block::Thinking("A listing will do.".into())], ..Step::default() }
                .and_text("I look.")
                .and_tool("Bash", json!({ "command": "echo one", "description": "a" })),
        )
        .step(Step::tool("Bash", json!({ "command": "echo two {{result 1}}", "description": "b" })))
        .step(Step::text("First {{result 1}}, then {{result}}."));
    let model = Anthropic::start([script]).await.unwrap();
    for version in VERSIONS {
        let said = ask(&model, version, "look around", &["--permission-mode", "bypassPermissions"]).await;
        assert_eq!(said.result()["result"], "First one, then two one.", "{version}");
        let thought = said.0.iter().any(|f| f["message"]["content"][0]["thinking"] == "A listing will do.");
        assert!(thought, "{version}");
    }
}

#[tokio::test]
async fn every_fault_is_taken_for_what_it_is() {
    let cases = [
        ("bad request", Fault::BadRequest, json!(400), 0),
        ("too long", Fault::PromptTooLong, json!(400), 0),
        ("no credit", Fault::CreditTooLow, json!(400), 0),
        ("bad key", Fault::KeyRefused, json!(401), 1),
        ("forbidden", Fault::Forbidden, json!(403), 0),
        ("no model", Fault::UnknownModel, json!(404), 0),
        ("rate limit", Fault::RateLimited { retry_after: 1 }, json!(429), 1),
        ("server error", Fault::ServerError, json!(500), 1),
    ];
    for version in VERSIONS {
        let scripts = cases.iter().map(|(words, fault, ..)| Script::when(*words).step(Step::fail(fault.clone())));
        let model = Anthropic::start(scripts).await.unwrap();
        for (words, _, status, retries) in &cases {
            let said = ask(&model, version, words, &[]).await;
            assert_eq!(&said.result()["api_error_status"], status, "{version}: {words}: {}", said.result());
            assert_eq!(said.retries(), *retries, "{version}: {words}");
            assert_eq!(said.result()["is_error"], true);
        }
    }
}

#[tokio::test]
async fn a_broken_stream_and_a_full_answer_end_as_errors() {
    let scripts = [
        Script::when("cut").step(Step::fail(Fault::Cut)),
        Script::when("event").step(Step::fail(Fault::ErrorEvent)),
        Script::when("full").step(Step::text("and so on").stop(StopReason::MaxTokens)),
        Script::when("busy").step(Step::fail(Fault::Overloaded)),
    ];
    let model = Anthropic::start(scripts).await.unwrap();
    for version in VERSIONS {
        for words in ["cut", "event", "full", "busy"] {
            let said = ask(&model, version, words, &[]).await;
            assert_eq!(said.result()["is_error"], true, "{version}: {words}: {}", said.result());
        }
    }
}

#[tokio::test]
async fn a_fault_that_passes_is_retried_into_an_answer() {
    let passing = Fault::Times { times: 1, fault: Box::new(Fault::Overloaded) };
    let script = Script::when("again").step(Step { fault: Some(passing), ..Step::text("Now it works.") });
    let model = Anthropic::start([script]).await.unwrap();
    let said = ask(&model, CLAUDE, "again", &[]).await;
    assert_eq!((said.result()["result"].as_str(), said.retries()), (Some("Now it works."), 1));
}

#[tokio::test]
async fn an_unknown_key_is_refused_as_the_api_does() {
    let model = Anthropic::start([]).await.unwrap();
    model.accept_keys(["another"]);
    let said = ask(&model, CLAUDE, "hello", &[]).await;
    assert_eq!(said.result()["api_error_status"], 401);
    assert_eq!(model.count(), 0);
}

#[tokio::test]
async fn a_resumed_conversation_passes_the_rules_of_the_api() {
    let script = Script::when("first")
        .step(Step::tool("Bash", json!({ "command": "echo kept", "description": "a" })))
        .step(Step::text("It says {{result}}."));
    let model = Anthropic::start([script]).await.unwrap();
    for version in VERSIONS {
        let den = Den::new(version).unwrap();
        let first = ask_in(&den, &model, "first", &["--permission-mode", "bypassPermissions"]).await;
        let id = first.result()["session_id"].as_str().unwrap().to_owned();
        let second = ask_in(&den, &model, "second", &["--resume", &id]).await;
        assert_eq!(second.result()["result"], "You said: second", "{version}");
        let body = model.requests().pop().unwrap().body;
        assert!(body["messages"].to_string().contains("It says kept."), "{version}: the history was sent");
    }
}

#[tokio::test]
async fn the_pace_is_kept() {
    let model = Anthropic::start([Script::when("slow").step(Step::text("0123456789"))]).await.unwrap();
    model.set_pace(Pace { first_ms: 300, between_ms: 20, piece: 1 });
    let said = ask(&model, CLAUDE, "slow", &[]).await;
    let api_ms = said.result()["duration_api_ms"].as_u64().unwrap();
    assert!(api_ms >= 300 + 10 * 20, "{api_ms}");
}
