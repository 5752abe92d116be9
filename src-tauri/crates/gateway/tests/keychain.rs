//! The owner's accounts with a real gnome-keyring behind them: unlocked, locked, absent, silent. The program runs in a
//! session of its own.

mod world;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use standins::{
    anthropic::{Anthropic, KEY},
    keyring::{self, Session},
};
use std::{
    fs,
    os::unix::net::UnixListener,
    process::{Child, Command},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};
use world::{SOON, until};

fn main() {
    let facts: [(&str, fn()); 4] = [
        ("a_key_is_kept_in_an_unlocked_keychain_and_nowhere_else", || go(unlocked())),
        ("a_locked_keychain_says_so_and_how_to_unlock_it", || go(locked())),
        ("where_there_is_no_keychain_the_way_forward_is_said", || go(absent())),
        ("a_keychain_that_does_not_answer_holds_nothing_up", || go(silent())),
    ];
    let trial = |(name, fact): (&str, fn())| Trial::test(name, move || run(fact));
    libtest_mimic::run(&Arguments::from_args(), facts.map(trial).into()).exit()
}

fn run(fact: fn()) -> Result<(), Failed> {
    if let Some(program) = keyring::missing() {
        return Err(format!("{program} is missing; `cargo xtask test` installs what this test needs").into());
    }
    fact();
    Ok(())
}

fn go(fact: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(fact);
}

/// `lanyard serve` in a session, between stand-ins.
struct Serving {
    session: Session,
    _anthropic: Anthropic,
    program: Child,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended_already = self.program.kill();
        let _ended = self.program.wait();
    }
}

impl Serving {
    async fn within(session: Session) -> Self {
        let anthropic = Anthropic::start([]).await.unwrap();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[anthropic]\nbase_url = \"{}\"\n[sandbox]\nengine = \"/nowhere/docker.sock\"\n",
            anthropic.url()
        );
        let home = session.home().join("lanyard");
        fs::create_dir_all(&home).unwrap();
        fs::write(home.join("config.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        let program = session.within(command.arg("serve")).env("LANYARD_HOME", &home).spawn().unwrap();
        let serving = Self { session, _anthropic: anthropic, program };
        until(SOON, async || serving.try_ask("GET", "/last", Value::Null).await).await;
        serving
    }

    async fn try_ask(&self, method: &str, path: &str, body: Value) -> Option<(u16, Value)> {
        let door = self.session.home().join("lanyard/run/local.sock");
        let mut stream = UnixStream::connect(door).await.ok()?;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: local\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).ok()?))
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.try_ask(method, path, body).await.expect("it answers")
    }

    async fn shown(&self) -> Value {
        let (_, all) = self.ask("GET", "/accounts", Value::Null).await;
        all.as_array().unwrap().iter().find(|a| a["account"] == "anthropic").cloned().unwrap()
    }

    async fn keep(&self) -> (u16, Value) {
        self.ask("PUT", "/accounts/anthropic", json!({ "secret": KEY })).await
    }

    /// Whether any file but the keychain's own holds the key.
    fn is_written_down(&self) -> bool {
        fn holds(folder: &std::path::Path) -> bool {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).any(|path| match path.is_dir() {
                true => holds(&path),
                false => fs::read(&path).is_ok_and(|bytes| bytes.windows(KEY.len()).any(|w| w == KEY.as_bytes())),
            })
        }
        holds(&self.session.home().join("lanyard"))
    }
}

async fn unlocked() {
    let session = Session::open();
    let _keyring = session.keyring(Some("password"));
    let serving = Serving::within(session).await;
    assert_eq!(serving.shown().await["state"], "missing");
    let (status, kept) = serving.keep().await;
    assert_eq!((status, &kept["state"], &kept["source"]), (200, &json!("kept"), &json!("the keychain")), "{kept}");
    assert_eq!(kept["checked"]["ok"], true);
    assert_eq!(serving.shown().await["state"], "kept");
    assert_eq!(serving.ask("POST", "/accounts/anthropic/check", Value::Null).await.1["checked"]["ok"], true);
    assert!(!serving.is_written_down() && !kept.to_string().contains(KEY));
    let (_, gone) = serving.ask("DELETE", "/accounts/anthropic", Value::Null).await;
    assert_eq!(gone["state"], "missing");
}

async fn locked() {
    let session = Session::open();
    let unlocked = session.keyring(Some("password"));
    let serving = Serving::within(session).await;
    assert_eq!(serving.keep().await.0, 200);
    drop(unlocked);
    let _locked = serving.session.keyring(None);
    let shown = serving.shown().await;
    assert_eq!(
        (&shown["state"], &shown["problem"]["code"]),
        (&json!("locked"), &json!("KEYCHAIN_UNAVAILABLE")),
        "{shown}"
    );
    assert!(shown["problem"]["suggestion"].as_str().unwrap().contains("Unlock the keychain"), "{shown}");
    let (status, refused) = serving.keep().await;
    assert_eq!((status, &refused["data"]["code"]), (503, &json!("KEYCHAIN_UNAVAILABLE")), "{refused}");
}

async fn absent() {
    let serving = Serving::within(Session::open()).await;
    let shown = serving.shown().await;
    assert_eq!(shown["state"], "absent", "{shown}");
    assert!(shown["problem"]["suggestion"].as_str().unwrap().contains("gnome-keyring"), "{shown}");
    fs::remove_file(serving.session.bus_path()).unwrap();
    assert_eq!(serving.keep().await.0, 503);
}

async fn silent() {
    let session = Session::open();
    fs::remove_file(session.bus_path()).unwrap();
    // Connections wait in its backlog for ever.
    let _silent = UnixListener::bind(session.bus_path()).unwrap();
    let serving = Serving::within(session).await;
    let began = Instant::now();
    let (shown, _) = tokio::join!(serving.shown(), async {
        let (status, _) = serving.ask("GET", "/last", Value::Null).await;
        assert!(status == 200 && began.elapsed() < Duration::from_secs(2), "others do not wait");
    });
    assert_eq!(shown["state"], "slow", "{shown}");
    assert!(began.elapsed() < Duration::from_secs(10));
}
