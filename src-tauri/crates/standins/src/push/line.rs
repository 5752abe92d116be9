//! The line to a real browser: what Firefox and Mozilla's push service say to each other over a WebSocket (hello, register,
//! unregister, notification, ack; `{}` is a ping). What a browser has not acknowledged comes again on its next line.

use super::{Browser, Reader, Shared};
use axum::{
    body::Bytes,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

/// What real browsers have not taken yet, and whether they have lines at all.
#[derive(Default)]
pub struct Lines {
    pub cut: bool,
    pub taken: usize,
    waiting: Vec<Waiting>,
}

struct Waiting {
    browser: String,
    channel: String,
    version: String,
    topic: String,
    body: String,
}

impl Lines {
    /// Keeps a push for `browser`, in place of one with the same topic that has not arrived.
    pub fn put(&mut self, browser: &str, channel: &str, topic: &str, body: &Bytes) {
        self.waiting.retain(|w| w.channel != channel || w.topic.is_empty() || w.topic != topic);
        self.waiting.push(Waiting {
            browser: browser.to_owned(),
            channel: channel.to_owned(),
            version: Uuid::new_v4().to_string(),
            topic: topic.to_owned(),
            body: URL_SAFE_NO_PAD.encode(body),
        });
    }

    fn took(&mut self, version: &str) {
        let before = self.waiting.len();
        self.waiting.retain(|w| w.version != version);
        self.taken += before - self.waiting.len();
    }

    fn of(&self, browser: &str) -> Vec<(String, Value)> {
        let said = |w: &Waiting| {
            let notification = json!({ "messageType": "notification", "channelID": w.channel, "version": w.version,
                                       "data": w.body, "headers": { "encoding": "aes128gcm" } });
            (w.version.clone(), notification)
        };
        self.waiting.iter().filter(|w| w.browser == browser).map(said).collect()
    }
}

pub async fn open(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let cut = shared.world().lines.cut;
    match cut {
        true => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        // Firefox asks for this subprotocol.
        false => upgrade.protocols(["push-notification"]).on_upgrade(|socket| talk(shared, socket)),
    }
}

/// Until the browser leaves or its line is cut.
async fn talk(shared: Shared, mut socket: WebSocket) {
    let mut bell = shared.0.1.subscribe();
    let mut browser = None;
    let mut sent: Vec<String> = Vec::new();
    loop {
        bell.mark_unchanged();
        if shared.world().lines.cut {
            return;
        }
        let waiting = browser.as_deref().map(|b| shared.world().lines.of(b)).unwrap_or_default();
        for (version, notification) in waiting {
            if !sent.contains(&version) && say(&mut socket, notification).await {
                sent.push(version);
            }
        }
        tokio::select! {
            _ = bell.changed() => {}
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => {
                    let answer = hear(&shared, &mut browser, serde_json::from_str(&text).unwrap_or_default());
                    if let Some(answer) = answer && !say(&mut socket, answer).await {
                        return;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

async fn say(socket: &mut WebSocket, words: Value) -> bool {
    socket.send(Message::text(words.to_string())).await.is_ok()
}

/// The answer to what a browser says, if it has one. `browser` is who speaks, once it said hello.
fn hear(shared: &Shared, browser: &mut Option<String>, said: Value) -> Option<Value> {
    let word = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    let channel = word("channelID");
    match (said["messageType"].as_str(), browser.clone()) {
        (Some("hello"), _) => {
            let known = Some(word("uaid")).filter(|name| !name.is_empty());
            let name = browser.insert(known.unwrap_or_else(|| Uuid::new_v4().simple().to_string()));
            Some(json!({ "messageType": "hello", "status": 200, "uaid": name, "use_webpush": true, "broadcasts": {} }))
        }
        (Some("register"), Some(name)) => {
            let endpoint = format!("{}/push/{channel}", shared.0.2);
            let subscribed = Browser {
                server_key: word("key").trim_end_matches('=').to_owned(),
                reader: Reader::There(name),
                gone: false,
            };
            shared.world().browsers.insert(channel.clone(), subscribed);
            Some(json!({ "messageType": "register", "status": 200, "channelID": channel, "pushEndpoint": endpoint }))
        }
        (Some("unregister"), Some(_)) => {
            shared.world().browsers.get_mut(&channel).into_iter().for_each(|b| b.gone = true);
            Some(json!({ "messageType": "unregister", "status": 200, "channelID": channel }))
        }
        (Some("ack"), Some(_)) => {
            let took = said["updates"].as_array().into_iter().flatten().filter_map(|u| u["version"].as_str());
            took.for_each(|version| shared.world().lines.took(version));
            shared.ring();
            None
        }
        (None, _) => Some(json!({})),
        (Some(_), _) => None,
    }
}
