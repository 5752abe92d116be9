//! A gateway with a phone whose browser takes pushes, and what is told to it.
#![allow(dead_code, reason = "each test file uses a part")]

use crate::{
    api_world::{Phone, events},
    world::{Running, SOON, Wish, World, until},
};
use domain::{
    SessionId, TurnId,
    approval::{Approval, Subject},
    event::{Event, Outcome},
    session::{Reply, Write},
    usage::Tokens,
};
use gateway::{App, clock, sessions::Scene};
use serde_json::json;
use standins::push::{Arrived, Push};
use store::{approvals, push_letters, turns};

/// What the agent says: no push may hold it.
pub const ANSWER: &str = "heliotrope";

pub struct Told {
    pub world: World,
    pub running: Running,
    pub push: Push,
    pub phone: Phone,
    /// One that nobody texted into.
    pub session: SessionId,
}

impl Told {
    /// `config`: of the table `push`.
    pub async fn new(config: &str) -> Self {
        let push = Push::start().await.unwrap();
        let config = format!("[push]\nbase_url = \"{}\"\n{config}\n", push.url());
        let world = World::new(Wish { config: &config, ..Wish::default() }).await;
        let running = world.start().await;
        let phone = Phone::pair(&running.app, "Ada's phone").await;
        subscribe(&running.app, &phone, &push).await;
        let session = events(&running, 0).await;
        Self { world, running, push, phone, session }
    }

    /// The service worker says that it showed a push.
    pub async fn shows(&self, push: &Arrived) {
        let said =
            self.phone.post(&self.running.app, "/api/push/shown", json!({ "letter": push.words["letter"] })).await;
        assert_eq!(said.status, 204, "{}", said.text);
    }

    /// The states of all letters, once the push service has them.
    pub async fn settled(&self, count: usize) -> Vec<String> {
        let look = async || {
            let all = letters(&self.running.app).await;
            let done = all.len() >= count && all.iter().all(|l| !["queued", "sending"].contains(&l.state.as_str()));
            done.then(|| all.into_iter().map(|l| l.state).collect())
        };
        until(SOON, look).await
    }
}

/// As a browser does it when the owner turns notices on.
pub async fn subscribe(app: &App, phone: &Phone, push: &Push) {
    let key = phone.get(app, "/api/push").await.body["public_key"].as_str().unwrap().to_owned();
    let subscription = push.subscribe(&key).await.unwrap();
    let said = phone.post(app, "/api/push", subscription).await;
    assert_eq!(said.status, 204, "{}", said.text);
}

pub fn bash(command: &str) -> Subject {
    let input = json!({ "command": command });
    Subject::Tool { tool: "Bash".into(), input, why: None, rules: vec![], target: None }
}

/// Asks as an agent's question is written down.
pub async fn ask(app: &App, session: SessionId, subject: Subject) -> Approval {
    told(app, session, Some(uuid::Uuid::new_v4().to_string()), subject).await
}

pub async fn told(app: &App, session: SessionId, request: Option<String>, subject: Subject) -> Approval {
    let scene = Scene::of(app, session);
    let asked = move |tx: &store::Tx<'_>| {
        scene.ask(tx, request, subject, None, clock::now())?;
        Ok(approvals::all_open(tx)?.pop().unwrap())
    };
    app.store.write(asked).await.unwrap()
}

/// A turn that answered, or not, ends.
pub async fn ended(app: &App, session: SessionId, outcome: Outcome) {
    let (scene, turn) = (Scene::of(app, session), TurnId::new());
    let reply = Some(Reply::Answer { text: ANSWER.into(), unasked: false });
    let words = Event::Answered { turn: Some(turn), message: "m".into(), text: ANSWER.into() };
    let end = Write::EndTurn { turn, outcome, tokens: Tokens::default(), duration_ms: 1, reply };
    let write = move |tx: &store::Tx<'_>| {
        turns::begin(tx, turn, session, clock::now())?;
        scene.write_all(tx, &[Write::Append(words), end], &[], clock::now())
    };
    app.store.write(write).await.unwrap();
}

/// The newest first.
pub async fn letters(app: &App) -> Vec<push_letters::Fate> {
    app.store.read(|r| push_letters::latest(r, 100)).await.unwrap()
}
