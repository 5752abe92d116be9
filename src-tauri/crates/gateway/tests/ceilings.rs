//! The ceilings on money and tokens, without a sandbox: what is asked when one is reached, what an answer lets be spent, and
//! the word when one is near.

mod world;

use domain::{
    Code, PermissionMode, Problem, SessionId, Timestamp, TurnId,
    approval::{Approval, Decision, Subject},
    event::{Channel, Event, Outcome, When},
    usage::{MicroDollars, Tokens},
};
use egress::{House as _, Payer, Spend};
use gateway::{
    App,
    approvals::{Answer, answer},
    clock,
    sessions::{Opening, open_session},
};
use std::time::Duration;
use store::{approvals, events, inbox, numbers, turns};
use world::{OWNER, Running, SOON, Wish, World};

struct Place {
    world: World,
    running: Running,
    payer: Payer,
}

impl Place {
    async fn with(config: &str) -> Self {
        let world = World::new(Wish { config, ..Wish::default() }).await;
        let running = world.start().await;
        let payer = turn(&running.app).await;
        Self { world, running, payer }
    }

    fn app(&self) -> &App {
        &self.running.app
    }

    async fn asks_the_model(&self, payer: Payer) -> Result<(), Problem> {
        self.app().house.admit_model(self.app().workshop.sandbox(), payer).await.map(drop)
    }

    async fn spends(&self, dollars: f64, tokens: u64) {
        let spend = Spend {
            payer: self.payer,
            model: "claude".into(),
            tokens: Tokens { cache_read: tokens, ..Tokens::default() },
            cost: MicroDollars::from_dollars(dollars),
            priced: true,
            request_id: None,
            status: 200,
            streamed: true,
            complete: true,
            started: Timestamp(0),
            first_byte_ms: None,
            duration_ms: 1,
        };
        self.app().house.spent(self.app().workshop.sandbox(), spend).await;
    }

    async fn open(&self) -> Vec<Approval> {
        self.app().store.read(|r| approvals::all_open(r)).await.unwrap()
    }

    async fn answer(&self, asked: &Approval, decision: Decision) {
        answer(self.app(), Answer::to(asked, decision, Channel::Desktop)).await.unwrap();
    }

    async fn notices(&self) -> Vec<String> {
        let all = self.app().store.read(|r| events::after(r, 0, 10_000)).await.unwrap();
        let words = |event: Event| if let Event::Noticed { text } = event { Some(text) } else { None };
        all.into_iter().filter_map(|stored| words(stored.event)).collect()
    }
}

/// A running turn that a text of the owner's began.
async fn turn(app: &App) -> Payer {
    let (session, turn, now) = (SessionId::new(), TurnId::new(), clock::now());
    let begin = move |tx: &store::Tx<'_>| {
        open_session(tx, session, &Opening { agent: "claude".into(), mode: PermissionMode::Default }, now)?;
        numbers::set_current(tx, OWNER, session)?;
        let arrival = inbox::Arrival {
            channel: Channel::Sms,
            external: turn.to_string(),
            sender: Some(OWNER.into()),
            receiver: None,
            text: "fix it".into(),
            media: vec![],
        };
        let received = inbox::receive(tx, &arrival, now)?;
        inbox::route(tx, received.message, session, "fix it", &[], When::Queue)?;
        turns::begin(tx, turn, session, now)?;
        inbox::take(tx, received.message, turn)
    };
    app.store.write(begin).await.unwrap();
    Payer { session: Some(session), turn: Some(turn) }
}

#[tokio::test]
async fn at_a_ceiling_the_next_request_is_refused_and_the_owner_is_asked_once_for_more() {
    let place = Place::with("[spend]\nturn = 5.0\n[approvals]\nsms_grants = \"medium\"\n").await;
    place.spends(5.0, 0).await;
    for _ in 0..3 {
        let refused = place.asks_the_model(place.payer).await.unwrap_err();
        assert_eq!(refused.code, Code::SpendCap);
        assert!(refused.message.contains("This turn has spent $5.00 of $5.00 (spend.turn)."), "{refused}");
    }
    let text = place.world.arrives(SOON).await.body;
    assert_eq!(text, "#1 may it spend $5.00 more for this turn ($5.00 of $5.00 are spent)?\nyes 1 or no 1");
    assert_eq!(place.open().await.len(), 1);
    place.world.text("yes 1").await;
    let let_go = async {
        while place.asks_the_model(place.payer).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, let_go).await.expect("a yes lets it spend more");
    place.spends(5.0, 0).await;
    place.asks_the_model(place.payer).await.unwrap_err();
    assert!(place.open().await.is_empty(), "a turn asks once for a ceiling");
    place.running.stop().await;
}

#[tokio::test]
async fn what_was_allowed_above_a_ceiling_holds_after_a_restart() {
    let place = Place::with("[spend]\nday = 1.0\nturn = 3.0\n").await;
    place.spends(1.0, 0).await;
    place.asks_the_model(place.payer).await.unwrap_err();
    let asked = place.open().await.remove(0);
    assert!(matches!(&asked.subject, Subject::Spend { more: 3_000_000, limit: 1_000_000, .. }), "{asked:?}");
    place.answer(&asked, Decision::Allowed).await;
    place.asks_the_model(place.payer).await.unwrap();
    let Place { world, running, payer } = place;
    running.stop().await;
    let place = Place { running: world.start().await, world, payer };
    place.asks_the_model(payer).await.unwrap();
    place.spends(3.0, 0).await;
    place.asks_the_model(payer).await.unwrap_err();
    place.running.stop().await;
}

#[tokio::test]
async fn a_no_holds_for_the_turn_and_its_ceiling_is_asked_about_again_in_the_next() {
    let place = Place::with("[spend]\nsession = 1.0\n").await;
    place.spends(1.0, 0).await;
    place.asks_the_model(place.payer).await.unwrap_err();
    let asked = place.open().await.remove(0);
    place.answer(&asked, Decision::Denied { message: None }).await;
    place.asks_the_model(place.payer).await.unwrap_err();
    assert!(place.open().await.is_empty());
    let (next, session) = (TurnId::new(), place.payer.session.unwrap());
    place.app().store.write(move |tx| turns::begin(tx, next, session, clock::now())).await.unwrap();
    place.asks_the_model(Payer { turn: Some(next), ..place.payer }).await.unwrap_err();
    assert_eq!(place.open().await.len(), 1);
    place.running.stop().await;
}

#[tokio::test]
async fn tokens_have_ceilings_of_their_own() {
    let place = Place::with("[spend]\nsession_tokens = 1000\n").await;
    place.spends(0.0, 999).await;
    place.asks_the_model(place.payer).await.unwrap();
    place.spends(0.0, 1).await;
    let refused = place.asks_the_model(place.payer).await.unwrap_err();
    assert!(refused.message.contains("1 000 tokens of 1 000 tokens (spend.session_tokens)"), "{refused}");
    place.running.stop().await;
}

#[tokio::test]
async fn a_ceiling_that_is_near_is_told_once() {
    let place = Place::with("[spend]\nturn = 10.0\nsession = 100.0\nday = 100.0\n").await;
    place.spends(7.9, 0).await;
    place.spends(0.1, 0).await;
    let text = place.world.arrives(SOON).await.body;
    assert_eq!(text, "This turn: $8.00 of $10.00 are spent.");
    place.spends(0.5, 0).await;
    place.spends(0.5, 0).await;
    place.world.text("status").await;
    let status = place.world.arrives(SOON).await.body;
    assert!(!status.contains("are spent"), "told once: {status}");
    assert_eq!(place.notices().await, ["This turn: $8.00 of $10.00 are spent."]);
    place.running.stop().await;
}

#[tokio::test]
async fn a_turn_that_failed_of_its_ceiling_goes_on_when_more_is_allowed() {
    let place = Place::with("[spend]\nturn = 1.0\n").await;
    place.spends(1.0, 0).await;
    place.asks_the_model(place.payer).await.unwrap_err();
    let (turn, session) = (place.payer.turn.unwrap(), place.payer.session.unwrap());
    place.app().store.write(move |tx| turns::end(tx, turn, Outcome::Failed, 1, clock::now())).await.unwrap();
    let asked = place.open().await.remove(0);
    place.answer(&asked, Decision::Allowed).await;
    let all = place.app().store.read(move |r| events::of_session(r, session, 0, 100)).await.unwrap();
    let said = all.into_iter().find_map(|stored| match stored.event {
        Event::Said { text, channel, .. } => Some((text, channel)),
        _ => None,
    });
    assert_eq!(said, Some(("More may be spent. Go on where you stopped.".into(), Channel::Sms)));
    place.running.stop().await;
}

fn in_an_hour() -> Timestamp {
    Timestamp(clock::now().0 + 3_600_000)
}

impl Place {
    async fn fails(&self, payer: Payer) {
        let turn = payer.turn.unwrap();
        self.app().store.write(move |tx| turns::end(tx, turn, Outcome::Failed, 1, clock::now())).await.unwrap();
    }

    async fn said(&self) -> Vec<String> {
        let session = self.payer.session.unwrap();
        let all = self.app().store.read(move |r| events::of_session(r, session, 0, 100)).await.unwrap();
        let words = |event: Event| if let Event::Said { text, .. } = event { Some(text) } else { None };
        all.into_iter().filter_map(|stored| words(stored.event)).collect()
    }
}

#[tokio::test]
async fn a_turn_that_met_the_providers_limit_says_until_when_and_goes_on_by_itself_once() {
    let place = Place::with("").await;
    let until = in_an_hour();
    for _ in 0..3 {
        place.app().house.limited(place.payer, until).await;
    }
    let told = place.notices().await;
    let expected =
        format!("The model's limit is reached until {}. I go on by myself then; halt stops that.", clock::told(until));
    assert_eq!(told.as_slice(), std::slice::from_ref(&expected));
    assert_eq!(place.world.arrives(SOON).await.body, expected);
    let after = Timestamp(until.0 + 61_000);
    gateway::parking::go_on(place.app(), after).await;
    assert!(place.said().await.is_empty(), "its turn still runs");
    place.fails(place.payer).await;
    gateway::parking::go_on(place.app(), clock::now()).await;
    assert!(place.said().await.is_empty(), "the limit still holds");
    for _ in 0..2 {
        gateway::parking::go_on(place.app(), after).await;
    }
    assert_eq!(place.said().await, ["The limit is over. Go on where you stopped."]);
    place.running.stop().await;
}

#[tokio::test]
async fn what_waits_for_a_limit_is_kept_over_a_restart_and_halt_ends_it() {
    let place = Place::with("").await;
    let until = in_an_hour();
    place.app().house.limited(place.payer, until).await;
    place.fails(place.payer).await;
    place.world.arrives(SOON).await;
    place.running.stop().await;
    let running = place.world.start().await;
    assert_eq!(running.app.store.read(|r| store::parked::all(r)).await.unwrap().len(), 1);
    place.world.text("halt").await;
    assert_eq!(place.world.arrives(SOON).await.body, domain::phrases::halted());
    assert!(running.app.store.read(|r| store::parked::all(r)).await.unwrap().is_empty());
    running.stop().await;
}
