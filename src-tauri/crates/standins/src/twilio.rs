//! Twilio as a server on loopback: the Messages, Media, IncomingPhoneNumbers and Accounts resources with their real
//! JSON, errors and paging; the life of a message with signed receipts; phones that text and are texted. Checked by
//! Twilio's own helper libraries for Python and Node and by its published OpenAPI description (`tests/twilio_*.rs`).
//!
//! ```no_run
//! # async fn f() -> anyhow::Result<()> {
//! use standins::twilio::{NUMBER, Twilio};
//! let twilio = Twilio::start().await?;
//! twilio.set_webhook(NUMBER, "https://desk.example/twilio/sms");
//! twilio.route("https://desk.example", "127.0.0.1:3001".parse()?);
//! let phone = twilio.phone("+15551230001");
//! phone.text(NUMBER, "fix the failing test").await?;
//! let answer = phone.wait_for(|m| m.body.contains("done"), std::time::Duration::from_secs(30)).await?;
//! # let _ = answer; twilio.stop().await; Ok(()) }
//! ```

mod compliance;
mod create;
mod fault;
mod files;
mod life;
mod phone;
mod post;
mod rest;
mod serve;
mod shapes;
mod world;

pub use fault::{Alert, Fault};
pub use phone::{Arrived, Phone, Shown};
pub use post::{Attempt, Called, Post, sign};
pub use world::{Direction, Message};

use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use world::World;

/// The one account there is.
pub const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// Its auth token: REST password and key of the webhooks' signature.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// An API key of the account and its secret.
pub const API_KEY: &str = "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub const API_SECRET: &str = "standin-api-secret";
/// The number the account has from the start; SMS and MMS.
pub const NUMBER: &str = "+15550001111";
/// A messaging service with that number as its sender.
pub const SERVICE: &str = "MGcccccccccccccccccccccccccccccccc";

/// A running stand-in. It ends when dropped.
pub struct Twilio {
    at: SocketAddr,
    world: Arc<World>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Twilio {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// As [`Twilio::start`], at a chosen address.
    pub async fn start_at(at: SocketAddr) -> anyhow::Result<Self> {
        let api = tokio::net::TcpListener::bind(at).await?;
        let files = tokio::net::TcpListener::bind((at.ip(), 0)).await?;
        let (at, files_at) = (api.local_addr()?, files.local_addr()?);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let world = Arc::new(World::new(at, files_at, stop.clone(), tasks.clone()));
        tasks.spawn(serve::run(api, rest::router(world.clone()), stop.clone()));
        tasks.spawn(serve::run(files, files::router(world.clone()), stop.clone()));
        Ok(Self { at, world, stop, tasks })
    }

    /// `http://127.0.0.1:<port>`, in place of `https://api.twilio.com`.
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// The one Messaging Service has these senders and a campaign of this status (`PENDING`, `IN_PROGRESS`, `VERIFIED`, or
    /// `FAILED` with reasons).
    pub fn register_campaign(&self, numbers: &[&str], status: &str, errors: &[&str]) {
        self.world.change(|state| {
            state.senders = numbers.iter().map(|n| (*n).to_owned()).collect();
            let errors = errors.iter().map(|e| (*e).to_owned()).collect();
            state.campaign = Some(compliance::Campaign { status: status.to_owned(), errors });
        });
    }

    /// A toll-free number of the account was sent in for verification, which stands at `PENDING_REVIEW`, `IN_REVIEW`,
    /// `TWILIO_APPROVED` or, with its reason, `TWILIO_REJECTED`.
    pub fn verify_toll_free(&self, number: &str, status: &str, reason: Option<&str>) {
        self.world.change(|state| {
            state.verifications.retain(|v| v.number != number);
            let (number, status, reason) = (number.to_owned(), status.to_owned(), reason.map(str::to_owned));
            state.verifications.push(compliance::Verification { number, status, reason });
        });
    }

    /// Whether the account is one to try Twilio with, which texts verified numbers only.
    pub fn set_trial(&self, trial: bool) {
        self.world.change(|state| state.trial = trial);
    }

    /// Gives the account another number, which sends and receives SMS and MMS (or WhatsApp, as `whatsapp:+..`).
    pub fn add_number(&self, number: &str) {
        self.world.add_number(number);
    }

    /// Where texts to this number are posted, as typed into Twilio's console; may have a fragment like `#rc=5&rp=all`.
    pub fn set_webhook(&self, number: &str, url: &str) {
        self.world.set_webhook(number, url);
    }

    /// Plays the internet: whoever calls this public origin (`https://desk.example`) reaches this address, without
    /// TLS. Origins on `http://127.0.0.1` need no route.
    pub fn route(&self, public_origin: &str, to: SocketAddr) {
        self.world.change(|state| {
            state.routes.insert(public_origin.trim_end_matches('/').to_owned(), to);
        });
    }

    /// A person's phone: `+15551230001`, or `whatsapp:+15551230001`.
    pub fn phone(&self, address: &str) -> Phone {
        Phone::new(self.world.clone(), address)
    }

    /// The next message to be sent meets this; several queue up.
    pub fn fail_next_send(&self, fault: Fault) {
        self.world.change(|state| state.send_faults.push_back(fault));
    }

    /// The next request that is not a send meets this; several queue up.
    pub fn fail_next_read(&self, fault: Fault) {
        self.world.change(|state| state.read_faults.push_back(fault));
    }

    /// Sends to this address are refused with this error, as 21211, 21408, 21608 or 21614.
    pub fn refuse_recipient(&self, address: &str, code: u32) {
        self.world.change(|state| {
            state.refused.insert(address.to_owned(), code);
        });
    }

    /// Messages to this address are taken but end undelivered with this error, as 30003 or 30034.
    pub fn leave_undelivered(&self, address: &str, code: u32) {
        self.world.change(|state| {
            state.undelivered.insert(address.to_owned(), code);
        });
    }

    /// While true nothing reaches the account's webhooks: each is tried by Twilio's rules and then lost.
    pub fn set_outage(&self, outage: bool) {
        self.world.change(|state| state.outage = outage);
    }

    /// While true each message's receipts are posted last first, once it has arrived.
    pub fn set_receipts_backwards(&self, backwards: bool) {
        self.world.change(|state| state.backwards = backwards);
    }

    /// How long a message rests in each state of its life (none at first).
    pub fn set_pace(&self, pace: Duration) {
        self.world.change(|state| state.pace = pace);
    }

    /// Every message, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.world.read(|state| state.messages.clone())
    }

    /// What Twilio's error log would show: webhooks that failed, pictures that could not be fetched.
    pub fn alerts(&self) -> Vec<Alert> {
        self.world.read(|state| state.alerts.clone())
    }

    /// How many REST requests came, refused ones included.
    pub fn requests(&self) -> u64 {
        self.world.read(|state| state.requests)
    }

    /// Whether the account's credentials were ever shown to the host that stores files.
    pub fn credentials_leaked(&self) -> bool {
        self.world.read(|state| state.leaked)
    }

    /// Waits until every message taken so far has come to the end of its life and its receipts are posted.
    pub async fn settled(&self, deadline: Duration) -> anyhow::Result<()> {
        self.world.wait(deadline, "messages still on their way", |state| (state.living == 0).then_some(())).await
    }

    /// Waits until the world is as `fits` says of its messages.
    pub async fn wait_for<T>(&self, deadline: Duration, fits: impl Fn(&[Message]) -> Option<T>) -> anyhow::Result<T> {
        self.world.wait(deadline, "no message fits", |state| fits(&state.messages)).await
    }

    /// Closes every connection and waits for the end of all it does.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Twilio {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
