//! "May it reach this host?" without a sandbox: what a connection waits for, and what an answer lets through.

mod world;

use domain::{
    Code, PermissionMode, Problem, SandboxId, SessionId,
    approval::{Approval, Decision, Subject},
    event::{Channel, Event, When},
};
use egress::{HostAsk, House as _, Kind, Payer};
use gateway::{
    App,
    approvals::{Answer, answer},
    clock, hosts,
    sessions::{Opening, open_session},
};
use serde_json::json;
use std::time::Duration;
use store::{approvals, events, inbox, numbers};
use tokio::task::JoinHandle;
use world::{OWNER, Running, SOON, Wish, World};

const HOST: &str = "packages.example";

struct Place {
    world: World,
    running: Running,
    session: SessionId,
}

impl Place {
    async fn with(config: &str) -> Self {
        let world = World::new(Wish { config, ..Wish::default() }).await;
        let running = world.start().await;
        let session = session(&running.app).await;
        Self { world, running, session }
    }

    fn app(&self) -> &App {
        &self.running.app
    }

    /// A connection of this session that wants a host.
    fn wants(&self, host: &str) -> JoinHandle<Result<(), Problem>> {
        wants(self.app(), self.session, host)
    }

    /// The open question about a host, as soon as it is asked.
    async fn asked(&self, host: &str) -> Approval {
        let about = |a: &Approval| matches!(&a.subject, Subject::Host { host: h, .. } if h == host);
        let asked = async {
            loop {
                let open = self.app().store.read(|r| approvals::all_open(r)).await.unwrap();
                if let Some(found) = open.into_iter().find(about) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, asked).await.expect("it was asked")
    }

    async fn answer(&self, host: &str, decision: Decision) {
        let asked = self.asked(host).await;
        answer(self.app(), Answer::to(&asked, decision, Channel::Desktop)).await.unwrap();
    }

    async fn questions(&self) -> usize {
        let all = self.app().store.read(|r| events::after(r, 0, 10_000)).await.unwrap();
        all.iter().filter(|stored| matches!(stored.event, Event::Asked { .. })).count()
    }
}

fn wants(app: &App, session: SessionId, host: &str) -> JoinHandle<Result<(), Problem>> {
    let payer = Payer { session: Some(session), turn: None };
    let ask = HostAsk { sandbox: SandboxId::new(), payer, host: host.to_owned(), port: 443, kind: Kind::Tunnel };
    let house = app.house.clone();
    tokio::spawn(async move { house.admit_host(ask).await })
}

/// One that the owner's number spoke in last.
async fn session(app: &App) -> SessionId {
    let (id, now) = (SessionId::new(), clock::now());
    let open = move |tx: &store::Tx<'_>| {
        open_session(tx, id, &Opening { agent: "claude".into(), mode: PermissionMode::Default }, now)?;
        numbers::set_current(tx, OWNER, id)?;
        let arrival = inbox::Arrival {
            channel: Channel::Sms,
            external: id.to_string(),
            sender: Some(OWNER.into()),
            receiver: None,
            text: "hello".into(),
            media: vec![],
        };
        let received = inbox::receive(tx, &arrival, now)?;
        inbox::route(tx, received.message, id, "hello", &[], When::Queue)?;
        inbox::handled(tx, received.message)
    };
    app.store.write(open).await.unwrap();
    id
}

async fn ended(connection: JoinHandle<Result<(), Problem>>) -> Result<(), Problem> {
    tokio::time::timeout(SOON, connection).await.expect("it waited for the answer").unwrap()
}

#[tokio::test]
async fn many_connections_to_one_host_are_one_question_and_one_answer_is_for_all() {
    let place = Place::with("").await;
    let connections: Vec<_> = (0..20).map(|_| place.wants(HOST)).collect();
    place.asked(HOST).await;
    assert!(connections.iter().all(|c| !c.is_finished()), "they wait");
    place.answer(HOST, Decision::Allowed).await;
    for connection in connections {
        ended(connection).await.unwrap();
    }
    ended(place.wants(HOST)).await.expect("what follows within a while is not asked again");
    assert_eq!(place.questions().await, 1);
    place.running.stop().await;
}

#[tokio::test]
async fn the_question_says_which_command_wants_the_host_and_a_text_may_grant_what_policy_lets_it() {
    let place = Place::with("[approvals]\nsms_grants = \"medium\"\n").await;
    let session = place.session;
    let used = Event::ToolUsed {
        turn: None,
        id: "t1".into(),
        tool: "Bash".into(),
        input: json!({ "command": "npm install left-pad" }),
        parent: None,
    };
    place.app().store.write(move |tx| events::append(tx, session, &used, clock::now())).await.unwrap();
    let connection = place.wants(HOST);
    let text = place.world.arrives(SOON).await.body;
    assert_eq!(
        text,
        "#1 may it reach packages.example?\nfor: npm install left-pad\nyes 1 (15 minutes), session 1, or no 1"
    );
    place.world.text("session 1").await;
    ended(connection).await.unwrap();
    let kept = hosts::shown(place.app()).await.unwrap().hosts;
    assert_eq!((kept[0].host.as_str(), kept[0].session, kept[0].approval), (HOST, Some(1), Some(1)));
    place.running.stop().await;
}

#[tokio::test]
async fn a_text_grants_no_host_by_default_and_may_refuse_it() {
    let place = Place::with("").await;
    let connection = place.wants(HOST);
    let text = place.world.arrives(SOON).await.body;
    assert!(text.contains("Medium risk: allow it on a paired phone or at the desk"), "{text}");
    place.world.text("yes 1").await;
    let refused = place.world.arrives(SOON).await.body;
    assert_eq!(refused, Code::GrantRefused.entry().sms);
    assert!(!connection.is_finished());
    place.world.text("no 1").await;
    assert_eq!(ended(connection).await.unwrap_err().code, Code::HostBlocked);
    place.running.stop().await;
}

#[tokio::test]
async fn for_the_session_means_this_session_and_always_means_all_until_it_is_taken_back() {
    let place = Place::with("").await;
    let other = session(place.app()).await;
    let first = place.wants(HOST);
    place.answer(HOST, Decision::AllowedSession).await;
    ended(first).await.unwrap();
    let elsewhere = wants(place.app(), other, HOST);
    place.answer(HOST, Decision::AllowedAlways { rules: vec![] }).await;
    ended(elsewhere).await.unwrap();
    let third = session(place.app()).await;
    ended(wants(place.app(), third, HOST)).await.expect("in every session");
    for kept in hosts::shown(place.app()).await.unwrap().hosts {
        hosts::take_back(place.app(), kept.id).await.unwrap();
        assert_eq!(hosts::take_back(place.app(), kept.id).await.unwrap_err().code, Code::NotFound);
    }
    let again = wants(place.app(), third, HOST);
    place.answer(HOST, Decision::Denied { message: None }).await;
    ended(again).await.unwrap_err();
    place.running.stop().await;
}

#[tokio::test]
async fn a_refused_host_is_not_asked_for_again_for_a_while() {
    let place = Place::with("").await;
    let first = place.wants(HOST);
    place.answer(HOST, Decision::Denied { message: None }).await;
    let refused = ended(first).await.unwrap_err();
    assert!(refused.message.contains("The owner did not allow packages.example."), "{refused}");
    ended(place.wants(HOST)).await.unwrap_err();
    assert_eq!(place.questions().await, 1);
    place.running.stop().await;
}

#[tokio::test]
async fn a_connection_waits_no_longer_than_is_set_and_the_answer_holds_for_the_next_one() {
    let place = Place::with("[egress]\nask_seconds = 1\n").await;
    let refused = ended(place.wants(HOST)).await.unwrap_err();
    assert!(refused.message.contains("waits for the owner's word"), "{refused}");
    place.answer(HOST, Decision::AllowedSession).await;
    ended(place.wants(HOST)).await.unwrap();
    assert_eq!(place.questions().await, 1);
    place.running.stop().await;
}

#[tokio::test]
async fn where_nobody_is_to_be_asked_a_host_is_refused_at_once() {
    let place = Place::with("[egress]\nask_seconds = 0\n").await;
    let refused = ended(place.wants(HOST)).await.unwrap_err();
    assert_eq!((refused.code, place.questions().await), (Code::HostBlocked, 0));
    place.running.stop().await;
}

#[tokio::test]
async fn a_program_that_makes_up_hosts_reaches_the_owner_with_a_few_of_them() {
    let place = Place::with("").await;
    let mut connections: Vec<_> = (0..40).map(|n| place.wants(&format!("h{n}.example"))).collect();
    let enough = async {
        while connections.iter().filter(|c| c.is_finished()).count() < 35 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, enough).await.unwrap();
    assert_eq!(place.questions().await, 5);
    let (refused, waiting): (Vec<_>, Vec<_>) = connections.drain(..).partition(|c| c.is_finished());
    for connection in refused {
        let why = connection.await.unwrap().unwrap_err();
        assert!(why.message.contains("has asked for too many hosts"), "{why}");
    }
    assert_eq!(waiting.len(), 5);
    waiting.iter().for_each(JoinHandle::abort);
    place.running.stop().await;
}

#[tokio::test]
async fn a_host_is_allowed_at_the_desk_without_being_asked_for() {
    let place = Place::with("").await;
    for bad in ["*.example.com", "", "exa mple.com", "example.com:0"] {
        let refused = hosts::allow(place.app(), bad, clock::now()).await.unwrap_err();
        assert!(refused.code == Code::BadRequest && !refused.suggestion.is_empty(), "{bad}: {refused}");
    }
    hosts::allow(place.app(), "Packages.Example", clock::now()).await.unwrap();
    ended(place.wants(HOST)).await.unwrap();
    assert_eq!(place.questions().await, 0);
    place.running.stop().await;
}

#[tokio::test]
async fn rules_for_one_agent_are_told_whose_session_asks() {
    let place = Place::with("").await;
    let session = place.session;
    let agent = place.app().store.read(move |r| store::sessions::get(r, session)).await.unwrap().unwrap().agent;
    let of = |session| place.app().house.agent(Payer { session, turn: None });
    assert_eq!(of(Some(session)).await, Some(agent));
    assert_eq!((of(None).await, of(Some(SessionId::new())).await), (None, None));
    place.running.stop().await;
}
