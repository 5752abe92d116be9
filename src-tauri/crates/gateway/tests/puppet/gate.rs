//! The one gate, hardened: every channel at once, the owner's own tiers, numbers that may not say yes, and the PIN.

use super::{
    agent::Puppet,
    world::{OTHER, Running, SOON, Wish, World, until},
};
use ::store::approvals;
use domain::{
    Code, Problem,
    approval::{Approval, Decision},
    event::Channel,
    pairing::Scopes,
    phrases,
};
use gateway::{
    App,
    approvals::{Answer, answer},
    pairing::{Caller, Who},
    talk,
    wire::Decide,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

/// An agent in the middle of a turn that the owner began by text.
async fn at_work(config: &str) -> (World, Running, Puppet) {
    let w = World::new(Wish { config, ..Wish::default() }).await;
    let running = w.start().await;
    let mut agent = Puppet::stands_ready(&running.app).await;
    w.text("one").await;
    let (one, _) = agent.hears().await;
    agent.begins(&one);
    (w, running, agent)
}

async fn open(app: &App) -> Vec<Approval> {
    app.store.read(|r| approvals::all_open(r)).await.unwrap()
}

/// The one that waits, as soon as it does.
async fn asked(app: &App) -> Approval {
    until(SOON, async || open(app).await.pop()).await
}

fn phone() -> Caller {
    Caller { who: Who::Phone(domain::PhoneId::new()), name: "A phone".into(), scopes: Scopes::ALL }
}

/// A phone's answer, through what REST and WebSocket both call.
async fn by_phone(app: &App, asked: &Approval, word: &str, pin: Option<&str>) -> Result<Approval, Problem> {
    let decide = json!({ "decision": word, "input_hash": asked.hash, "pin": pin });
    let decide: Decide = serde_json::from_value(decide).unwrap();
    talk::decide(app, &phone(), asked.id, decide).await
}

async fn audited(app: &App, kind: &str) -> Vec<Value> {
    let rows = app.store.read(|r| ::store::audit::after(r, 0, 10_000)).await.unwrap();
    let of = rows.into_iter().filter(|row| row.kind == kind);
    of.map(|row| serde_json::from_str(&row.body).unwrap()).collect()
}

/// One of several that answer at the same time.
#[derive(Clone, Debug)]
struct Try {
    channel: Channel,
    allow: bool,
    /// It names what was asked before, not what is asked now.
    stale: bool,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let channel = prop_oneof![
        Just(Channel::Sms),
        Just(Channel::Phone),
        Just(Channel::Api),
        Just(Channel::Desktop),
        Just(Channel::Cli)
    ];
    let one = (channel, any::<bool>(), prop::bool::weighted(0.3));
    prop::collection::vec(one.prop_map(|(channel, allow, stale)| Try { channel, allow, stale }), 1..8)
}

/// Whether it took effect; a text's is seen by what is kept.
async fn tries_to(w: &World, app: &App, asked: &Approval, before: &str, one: &Try) -> Option<bool> {
    let decision = if one.allow { Decision::Allowed } else { Decision::Denied { message: None } };
    let hash = if one.stale { before.to_owned() } else { asked.hash.clone() };
    match one.channel {
        // A text names what is open by its number.
        Channel::Sms => {
            w.text(&format!("{} {}", if one.allow { "yes" } else { "no" }, asked.number)).await;
            None
        }
        channel => {
            let given = Answer { hash, ..Answer::to(asked, decision, channel) };
            let answered = answer(app, given).await;
            assert!(!(one.stale && answered.is_ok()), "an answer to something else takes effect");
            Some(answered.is_ok())
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_channels_answering_at_once_exactly_one_takes_effect_and_the_input_that_was_shown_runs() {
    let (w, running, mut agent) = at_work("[sms]\nper_minute = 10000\nagent_per_hour = 10000\n").await;
    let app = &running.app;
    let mut runner = TestRunner::new(Config::default());
    let mut before = "0".repeat(64);
    for round in 0..40 {
        let (id, input) = (format!("ask-{round}"), json!({ "command": format!("npm test -- {round}") }));
        agent.asks(&id, "Bash", &input);
        let asked = asked(app).await;
        // Somebody at the desk answers in the end, lest none of them does.
        let mut all = tries().new_tree(&mut runner).unwrap().current();
        all.push(Try { channel: Channel::Cli, allow: round % 2 == 0, stale: false });
        let answers = all.iter().map(|one| tries_to(&w, app, &asked, &before, one));
        let by_hand = futures::future::join_all(answers).await.into_iter().flatten().filter(|won| *won).count();
        assert!(by_hand <= 1, "round {round}: {all:?}");

        let (told, verdict) = agent.is_told().await;
        assert_eq!(told, id, "each question is answered once, in its turn");
        let kept = app.store.read(move |r| approvals::expect(r, asked.id)).await.unwrap().decision.unwrap();
        let allowed = verdict["behavior"] == "allow";
        assert_eq!(kept.grants(), allowed, "round {round}: {all:?}");
        assert_eq!(verdict.get("updatedInput"), allowed.then_some(&input), "what was shown is what runs");
        before = asked.hash;
    }
    assert_eq!(audited(app, "answered").await.len(), 40, "one answer each");
    running.stop().await;
}

#[tokio::test]
async fn what_a_rule_of_the_owners_lets_be_runs_unasked_and_the_audit_says_so() {
    let config = "[approvals]\ntiers = [\"free Bash(npm run check)\", \"high Bash(npm test *)\"]\n";
    let (w, running, mut agent) = at_work(config).await;
    let app = &running.app;
    let input = json!({ "command": "npm run check" });
    agent.asks("free", "Bash", &input);
    let (told, verdict) = agent.is_told().await;
    assert_eq!((told.as_str(), &verdict["behavior"], &verdict["updatedInput"]), ("free", &json!("allow"), &input));
    assert!(open(app).await.is_empty());
    assert_eq!(audited(app, "unasked").await[0]["what"], "run: npm run check");

    agent.asks("high", "Bash", &json!({ "command": "npm test" }));
    let asked = asked(app).await;
    assert_eq!(asked.risk, domain::risk::Risk::High, "usually low");
    w.arrives(SOON).await;
    w.text("yes").await;
    assert_eq!(w.arrives(SOON).await.body, phrases::failed(Code::GrantRefused));
    w.text("no").await;
    assert_eq!(agent.is_told().await.1["behavior"], "deny");
    running.stop().await;
}

#[tokio::test]
async fn a_number_that_is_no_approver_may_ask_and_refuse_and_another_is_asked_too() {
    let (w, running, mut agent) = at_work(&format!("[approvals]\napprovers = [\"{OTHER}\"]\n")).await;
    let other = w.twilio.phone(OTHER);
    agent.asks("a", "Bash", &json!({ "command": "npm test" }));
    let asked = asked(&running.app).await;
    w.arrives(SOON).await;
    assert!(other.wait_for(|_| true, SOON).await.unwrap().body.contains("npm test"), "who may say yes is asked");
    w.text("yes").await;
    assert_eq!(w.arrives(SOON).await.body, phrases::failed(Code::GrantRefused));
    assert!(open(&running.app).await.iter().any(|a| a.id == asked.id));
    other.text(standins::twilio::NUMBER, "yes").await.unwrap();
    assert_eq!(agent.is_told().await.1["behavior"], "allow");

    agent.asks("b", "Bash", &json!({ "command": "npm test" }));
    self::asked(&running.app).await;
    w.text("no").await;
    assert_eq!(agent.is_told().await.1["behavior"], "deny", "anybody may refuse");
    running.stop().await;
}

#[tokio::test]
async fn a_phone_allows_only_with_the_pin_where_one_is_needed_and_tries_are_counted_over_a_restart() {
    let (w, running, mut agent) = at_work("[approvals]\npin_from = \"medium\"\nsms_grants = \"high\"\n").await;
    let app = &running.app;
    agent.asks("a", "Bash", &json!({ "command": "npm install" }));
    let first = asked(app).await;
    let missing = by_phone(app, &first, "allow", Some("2468")).await.unwrap_err();
    assert_eq!(missing.code, Code::PinMissing);
    assert_eq!(app.pin.set(app, &"12".into()).await.unwrap_err().code, Code::BadRequest);
    app.pin.set(app, &"2468".into()).await.unwrap();
    assert_eq!(by_phone(app, &first, "allow", None).await.unwrap_err().code, Code::PinNeeded);
    let wrong = by_phone(app, &first, "allow", Some("1111")).await.unwrap_err();
    assert!(wrong.code == Code::PinWrong && wrong.suggestion == "4 tries are left.", "{wrong:?}");
    w.arrives(SOON).await;
    w.text("yes").await;
    assert_eq!(w.arrives(SOON).await.body, phrases::failed(Code::GrantRefused), "whatever texts may grant otherwise");
    by_phone(app, &first, "allow", Some(" 2468 ")).await.unwrap();
    assert_eq!(agent.is_told().await.1["behavior"], "allow");

    agent.asks("b", "Bash", &json!({ "command": "npm test" }));
    let low = asked(app).await;
    by_phone(app, &low, "allow", None).await.expect("what is of lower risk needs none");
    agent.is_told().await;

    agent.asks("c", "Bash", &json!({ "command": "npm install" }));
    let third = asked(app).await;
    for _ in 0..5 {
        by_phone(app, &third, "allow", Some("0000")).await.unwrap_err();
    }
    assert_eq!(by_phone(app, &third, "allow", Some("2468")).await.unwrap_err().code, Code::PinLocked);
    assert_eq!(audited(app, "pin_refused").await.len(), 6);
    by_phone(app, &third, "deny", None).await.expect("refusing needs none");
    agent.is_told().await;
    let kept = std::fs::read_to_string(w.home().join("secrets.toml")).unwrap();
    assert!(!kept.contains("2468") && kept.contains("argon2id"), "only a hash is kept");
    running.stop().await;

    let running = w.start().await;
    let locked = running.app.pin.check(&running.app, &"2468".into()).await.unwrap_err();
    assert_eq!(locked.code, Code::PinLocked, "a restart gives no new tries");
    running.app.pin.set(&running.app, &"13579".into()).await.unwrap();
    running.app.pin.check(&running.app, &"13579".into()).await.expect("the desk sets another");
    running.stop().await;
}
