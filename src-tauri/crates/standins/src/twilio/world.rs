//! Everything the stand-in knows: numbers, messages, who has opted out, what is to go wrong.

use super::{
    ACCOUNT, Alert, Fault, NUMBER,
    compliance::{Campaign, Verification},
};
use anyhow::{Context, bail};
use bytes::Bytes;
use domain::Timestamp;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Inbound,
    /// Sent over REST.
    Outbound,
    /// Twilio's own answer to STOP, START or HELP.
    Reply,
}

/// A message in either direction.
#[derive(Clone, Debug)]
pub struct Message {
    pub sid: String,
    pub direction: Direction,
    /// None while a messaging service has not chosen.
    pub from: Option<String>,
    pub to: String,
    pub body: String,
    /// Twilio's word: `queued`, `delivered` and so on.
    pub status: &'static str,
    pub error: Option<u32>,
    pub media: Vec<Media>,
    /// Addresses from which the pictures of an outgoing message are fetched.
    pub media_urls: Vec<String>,
    pub service: Option<String>,
    pub status_callback: Option<String>,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

impl Message {
    /// One that is there now, under an id of its own: received, or the first state of one that is to be sent.
    pub(super) fn new(direction: Direction, from: Option<&str>, to: &str, body: &str) -> Self {
        Self {
            sid: new_sid("SM"),
            direction,
            from: from.map(str::to_owned),
            to: to.to_owned(),
            body: body.to_owned(),
            status: if direction == Direction::Inbound { "received" } else { "queued" },
            error: None,
            media: Vec::new(),
            media_urls: Vec::new(),
            service: None,
            status_callback: None,
            created_at: now(),
            sent_at: (direction == Direction::Inbound).then(now),
            updated_at: now(),
        }
    }
}

/// A file of a message, kept by Twilio until it is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub sid: String,
    pub media_type: String,
    pub bytes: Bytes,
    pub deleted: bool,
}

/// A number of the account and its settings.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub sid: String,
    pub number: String,
    pub sms_url: String,
    pub sms_method: String,
    pub application: Option<String>,
}

#[derive(Default)]
pub(super) struct State {
    pub numbers: Vec<Number>,
    pub messages: Vec<Message>,
    /// (phone, our number)
    pub opted_out: HashSet<(String, String)>,
    pub routes: HashMap<String, SocketAddr>,
    pub send_faults: VecDeque<Fault>,
    pub read_faults: VecDeque<Fault>,
    pub refused: HashMap<String, u32>,
    pub undelivered: HashMap<String, u32>,
    /// Numbers that send by the one service, and its campaign.
    pub senders: Vec<String>,
    pub campaign: Option<Campaign>,
    pub verifications: Vec<Verification>,
    pub trial: bool,
    pub outage: bool,
    pub backwards: bool,
    pub pace: Duration,
    pub alerts: Vec<Alert>,
    pub requests: u64,
    pub leaked: bool,
    /// Messages whose life is not over.
    pub living: usize,
    /// Ids of messages a phone's `wait_for` has returned.
    pub read_by_phone: HashSet<String>,
}

impl State {
    pub fn message(&self, sid: &str) -> Option<&Message> {
        self.messages.iter().find(|m| m.sid == sid)
    }

    pub fn message_mut(&mut self, sid: &str) -> Option<&mut Message> {
        self.messages.iter_mut().find(|m| m.sid == sid)
    }

    pub fn number(&self, number: &str) -> Option<&Number> {
        self.numbers.iter().find(|n| n.number == number)
    }
}

pub(super) struct World {
    pub api: SocketAddr,
    pub files: SocketAddr,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

impl World {
    pub fn new(api: SocketAddr, files: SocketAddr, stop: CancellationToken, tasks: TaskTracker) -> Self {
        let world =
            Self { api, files, stop, tasks, state: Mutex::new(State::default()), changed: watch::channel(()).0 };
        world.add_number(NUMBER);
        world.change(|state| state.senders.push(NUMBER.to_owned()));
        world
    }

    /// An absolute address of ours, as the newer interfaces write them.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.api)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state and wakes whoever waits for it.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.lock());
        self.changed.send_replace(());
        done
    }

    /// Waits until `fits` gives something.
    pub async fn wait<T>(
        &self,
        deadline: Duration,
        missing: &str,
        fits: impl Fn(&State) -> Option<T>,
    ) -> anyhow::Result<T> {
        let mut changed = self.changed.subscribe();
        let waiting = async {
            loop {
                if let Some(found) = self.read(&fits) {
                    return Ok(found);
                }
                changed.changed().await.context("the stand-in ended")?;
            }
        };
        match tokio::time::timeout(deadline, waiting).await {
            Ok(found) => found,
            Err(_) => bail!("{missing} after {deadline:?}; {}", self.read(summary)),
        }
    }

    pub fn add_number(&self, number: &str) {
        let number = Number {
            sid: new_sid("PN"),
            number: number.to_owned(),
            sms_url: String::new(),
            sms_method: "POST".to_owned(),
            application: None,
        };
        self.change(|state| state.numbers.push(number));
    }

    pub fn set_webhook(&self, number: &str, url: &str) {
        self.change(|state| {
            for own in state.numbers.iter_mut().filter(|own| own.number == number) {
                own.sms_url = url.to_owned();
            }
        });
    }

    /// `/2010-04-01/Accounts/{sid}{path}`.
    pub fn resource(path: &str) -> String {
        format!("/2010-04-01/Accounts/{ACCOUNT}{path}")
    }
}

fn summary(state: &State) -> String {
    let lines: Vec<String> = state
        .messages
        .iter()
        .map(|m| format!("{} {} to {}: {:?} {:?}", m.sid, m.status, m.to, m.body, m.error))
        .collect();
    format!("messages: {lines:#?}, alerts: {:?}", state.alerts)
}

/// Two letters and 32 hexadecimal digits, never given before.
pub(super) fn new_sid(letters: &str) -> String {
    format!("{letters}{}", uuid::Uuid::new_v4().simple())
}

pub(super) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}
