//! A push service and the browsers behind it. What it is handed is checked by other people's programs (PyPI's `cryptography`
//! and `http_ece`): who sends must be who the browser subscribed with (RFC 8292), the words must open with the browser's keys
//! (RFC 8291). A real browser has a line of its own ([`Push::line`]) and opens them itself.

mod line;

use crate::oracle;
use anyhow::Context;
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// The packages that check what arrives.
const PACKAGES: &[&str] = &["http_ece==1.2.1", "cryptography==50.0.2"];
const CHECK: &str = include_str!("push/check.py");

/// Who holds the keys of a subscription.
#[derive(Clone)]
enum Reader {
    /// This stand-in, with these keys.
    Here(Value),
    /// A real browser, by the name that its line goes under.
    There(String),
}

/// A browser that took a subscription.
struct Browser {
    /// Of the gateway it subscribed with.
    server_key: String,
    reader: Reader,
    /// Whether it still takes pushes there.
    gone: bool,
}

/// A push that was taken.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The subscription it came to.
    pub endpoint: String,
    /// Null where a real browser opens it.
    pub words: Value,
    pub ttl: u64,
    pub urgency: String,
    pub topic: String,
    /// The signed claims of its sender.
    pub claims: Value,
}

#[derive(Default)]
struct World {
    browsers: HashMap<String, Browser>,
    arrived: Vec<Arrived>,
    /// Pushes that were refused, and why.
    refused: Vec<String>,
    /// What is answered instead of taking a push.
    answers: Option<u16>,
    asked: usize,
    lines: line::Lines,
}

#[derive(Clone)]
struct Shared(Arc<(Mutex<World>, watch::Sender<()>, String)>);

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        let _nobody_waits = self.0.1.send(());
    }
}

pub struct Push {
    shared: Shared,
    serving: JoinHandle<()>,
}

impl Drop for Push {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Push {
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Shared(Arc::new((Mutex::default(), watch::Sender::new(()), url)));
        let router =
            Router::new().route("/push/{browser}", post(take)).route("/", get(line::open)).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("loopback serves") });
        Ok(Self { shared, serving })
    }

    /// For `push.base_url`.
    pub fn url(&self) -> &str {
        &self.shared.0.2
    }

    /// What `PushSubscription.toJSON()` gives in a browser that subscribed with `server_key`.
    pub async fn subscribe(&self, server_key: &str) -> anyhow::Result<Value> {
        let keys = ask(json!({ "do": "keys" })).await?;
        let name = uuid::Uuid::new_v4().to_string();
        let browser = Browser { server_key: server_key.to_owned(), reader: Reader::Here(keys.clone()), gone: false };
        let endpoint = format!("{}/push/{name}", self.url());
        self.shared.world().browsers.insert(name, browser);
        let shown = json!({ "p256dh": keys["p256dh"], "auth": keys["auth"] });
        Ok(json!({ "endpoint": endpoint, "expirationTime": null, "keys": shown }))
    }

    /// Where a real Firefox finds this service: its setting `dom.push.serverURL`.
    pub fn line(&self) -> String {
        self.url().replacen("http", "ws", 1) + "/"
    }

    /// Real browsers lose their lines and get none until [`Push::mend_lines`]. Pushes are taken all the same.
    pub fn cut_lines(&self) {
        self.shared.world().lines.cut = true;
        self.shared.ring();
    }

    pub fn mend_lines(&self) {
        self.shared.world().lines.cut = false;
    }

    /// How many pushes real browsers said they took.
    pub fn taken(&self) -> usize {
        self.shared.world().lines.taken
    }

    /// Every browser is gone: pushes to them are answered with 410.
    pub fn browsers_leave(&self) {
        self.shared.world().browsers.values_mut().for_each(|b| b.gone = true);
    }

    /// From now on this HTTP status, or nothing of that kind.
    pub fn answers(&self, status: Option<u16>) {
        self.shared.world().answers = status;
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.shared.world().arrived.clone()
    }

    pub fn refused(&self) -> Vec<String> {
        self.shared.world().refused.clone()
    }

    /// How many pushes were handed over, whatever became of them.
    pub fn asked(&self) -> usize {
        self.shared.world().asked
    }

    /// Waits until that many have opened; the last.
    pub async fn wait_for(&self, count: usize, within: Duration) -> anyhow::Result<Arrived> {
        let mut bell = self.shared.0.1.subscribe();
        let waiting = async {
            loop {
                bell.mark_unchanged();
                if let Some(arrived) = self.arrived().get(count - 1) {
                    return arrived.clone();
                }
                let _sender_lives_as_long = bell.changed().await;
            }
        };
        let waited = tokio::time::timeout(within, waiting).await;
        waited.with_context(|| format!("no push arrived; refused: {:?}", self.refused()))
    }
}

/// `201`, or as a real service refuses.
async fn take(State(shared): State<Shared>, Path(name): Path<String>, head: HeaderMap, body: Bytes) -> StatusCode {
    shared.world().asked += 1;
    if let Some(status) = shared.world().answers {
        return StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    }
    let known = shared.world().browsers.get(&name).map(|b| (b.gone, b.server_key.clone(), b.reader.clone()));
    let (server_key, reader) = match known {
        None => return StatusCode::NOT_FOUND,
        Some((true, ..)) => return StatusCode::GONE,
        Some((false, server_key, reader)) => (server_key, reader),
    };
    let status = match opened(&shared, &name, &server_key, &reader, &head, &body).await {
        Ok(arrived) => {
            let mut world = shared.world();
            if let Reader::There(browser) = &reader {
                world.lines.put(browser, &name, &arrived.topic, &body);
            }
            world.arrived.push(arrived);
            StatusCode::CREATED
        }
        Err(why) => {
            shared.world().refused.push(format!("{why:#}"));
            StatusCode::FORBIDDEN
        }
    };
    shared.ring();
    status
}

async fn opened(
    shared: &Shared,
    name: &str,
    server_key: &str,
    reader: &Reader,
    head: &HeaderMap,
    body: &[u8],
) -> anyhow::Result<Arrived> {
    let word = |name: &str| head.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    anyhow::ensure!(word("content-encoding") == "aes128gcm", "content-encoding is {}", word("content-encoding"));
    anyhow::ensure!(body.len() <= 4096, "{} bytes are too many", body.len());
    let origin = &shared.0.2;
    let mut asked =
        json!({ "do": "sender", "authorization": word("authorization"), "server_key": server_key, "origin": origin });
    if let Reader::Here(keys) = reader {
        asked["do"] = "open".into();
        asked["keys"] = keys.clone();
        asked["body"] = URL_SAFE_NO_PAD.encode(body).into();
    }
    let opened = ask(asked).await?;
    Ok(Arrived {
        endpoint: format!("{origin}/push/{name}"),
        words: opened["words"].as_str().map_or(Ok(Value::Null), serde_json::from_str)?,
        ttl: word("ttl").parse().context("TTL is a number of seconds")?,
        urgency: word("urgency"),
        topic: word("topic"),
        claims: opened["claims"].clone(),
    })
}

async fn ask(input: Value) -> anyhow::Result<Value> {
    tokio::task::spawn_blocking(move || {
        let python = oracle::python(PACKAGES)?;
        oracle::ask(Command::new(python).args(["-c", CHECK]), &input)
    })
    .await?
}
