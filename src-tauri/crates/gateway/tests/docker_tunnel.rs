//! A phone far away while its line through ngrok breaks in the middle of an answer: cut, or swallowed without a word. It comes
//! back with the last event it has, and ends with exactly the history that the store holds.

mod api_world;
mod tunnel_world;
mod world;

use api_world::{Phone, Socket};
use domain::event::Event;
use serde_json::{Value, json};
use standins::{
    anthropic::{Script, Step},
    ngrok::DOMAIN,
};
use std::time::Duration;
use tunnel_world::{Tunnelled, proved};
use world::{LATER, Running, Wish, until};

const WORDS: &str = "The first words come before the line breaks, and these come after it.";

/// What a phone has heard over all its lines.
struct Far<'t> {
    t: &'t Tunnelled,
    phone: Phone,
    cursor: i64,
    seqs: Vec<i64>,
    texts: Vec<String>,
}

impl<'t> Far<'t> {
    async fn pair(t: &'t Tunnelled, running: &Running) -> Self {
        let phone = Phone::pair_at(&running.app, t.edge.plain_addr(), DOMAIN, "Far away").await;
        Self { t, phone, cursor: 0, seqs: Vec::new(), texts: Vec::new() }
    }

    /// One try at a line, from what it has heard last.
    async fn line(&self) -> Option<Socket> {
        let token = [("authorization", format!("Bearer {}", self.phone.access))];
        let path = format!("/ws?after={}", self.cursor);
        let opening = Socket::through(self.t.edge.plain_addr(), DOMAIN, &path, &token);
        let mut socket = tokio::time::timeout(Duration::from_secs(2), opening).await.ok()?.ok()?;
        socket.patience = LATER;
        Some(socket)
    }

    /// Reads until `wanted`, keeping what is durable.
    async fn hear(&mut self, socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = socket.next().await.expect("the line lives");
            if let Some(seq) = frame["seq"].as_i64() {
                self.seqs.push(seq);
                self.cursor = seq;
            }
            if frame["data"]["kind"] == "text" {
                self.texts.push(frame["data"]["text"].as_str().unwrap().to_owned());
            }
            if wanted(&frame) {
                return frame;
            }
        }
    }

    async fn has_heard_everything_once(&self, running: &Running) {
        let stored = running.app.store.read(|r| store::events::after(r, 0, 10_000)).await.unwrap();
        assert_eq!(
            self.seqs,
            stored.iter().map(|s| s.seq).collect::<Vec<_>>(),
            "nothing lost, nothing twice, in order"
        );
        let said = stored.iter().filter(|s| matches!(s.event, Event::Said { .. })).count();
        assert_eq!((said, self.texts.as_slice()), (2, [WORDS.to_owned(), "You said: and then".to_owned()].as_slice()));
    }
}

fn is(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |frame| frame["type"] == kind
}

/// Begins an answer, breaks the line in its middle, speaks into the broken line, comes back, and is told everything.
async fn broken_by(break_it: impl Fn(&Tunnelled), mend: impl Fn(&Tunnelled)) {
    world::relay();
    let scripts = vec![Script::when("tell me").step(Step::text(WORDS).hold())];
    let t = Tunnelled::with_token(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = t.start().await;
    proved(&running).await;
    let mut far = Far::pair(&t, &running).await;
    let mut socket = far.line().await.expect("the tunnel is open");
    socket.say(json!({ "type": "streamStart", "requestId": "1", "data": { "prompt": "tell me" } })).await;
    let answer = far.hear(&mut socket, |frame| frame["requestId"] == "1").await;
    let session = answer["data"]["session_id"].as_str().unwrap().to_owned();
    far.hear(&mut socket, |frame| frame["data"]["kind"] == "partial").await;
    break_it(&t);
    let say = json!({ "session_id": session, "text": "and then", "client_id": "said-into-a-broken-line" });
    // Whether the line shows that it is broken or not: the phone has no answer to this.
    let frame = json!({ "type": "streamSend", "requestId": "2", "data": say }).to_string();
    let _lost_on_the_way =
        futures::SinkExt::send(&mut socket.stream, tokio_tungstenite::tungstenite::Message::text(frame)).await;
    t.w.anthropic.release();
    let ended = async || {
        let stored = running.app.store.read(|r| store::events::after(r, 0, 10_000)).await.unwrap();
        stored.iter().any(|s| matches!(s.event, Event::TurnEnded { .. })).then_some(())
    };
    until(LATER, ended).await;
    mend(&t);
    drop(socket);
    let mut socket = until(LATER, async || far.line().await).await;
    far.hear(&mut socket, is("caughtUp")).await;
    assert_eq!(far.texts, [WORDS], "what was written meanwhile is here, whole and once");
    for request in ["3", "4"] {
        socket.say(json!({ "type": "streamSend", "requestId": request, "data": say })).await;
    }
    far.hear(&mut socket, is("streamComplete")).await;
    far.has_heard_everything_once(&running).await;
    running.remove().await;
}

#[tokio::test]
async fn an_answer_cut_in_its_middle_is_whole_when_the_phone_is_back() {
    broken_by(|t| t.edge.cut(), |_| {}).await;
}

#[tokio::test]
async fn an_answer_swallowed_in_its_middle_is_whole_when_the_phone_is_back() {
    broken_by(|t| t.edge.black_hole(true), |t| t.edge.black_hole(false)).await;
}
