//! Bytes from inside a sandbox, as one connection to a door. `PORT` in them stands for the far host's port.

use super::{
    inside::Inside,
    pieces,
    world::{KEY, SECRET, TOKEN, Told, World},
};
use crate::{Decision, Door, HostRule, Kind, Policy, Settings};
use domain::SandboxId;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, PROXY_AUTHORIZATION};
use memchr::memmem;
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

const SANDBOX: SandboxId = SandboxId(uuid::Uuid::nil());
/// A connection that has said all it has to say ends long before.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// # Panics
/// When something is let out that no rule allows, the model is asked without the token, or the door is not well afterwards.
pub fn door(input: &[u8]) {
    thread_local!(static STAGE: Stage = Stage::new());
    STAGE.with(|stage| drop(stage.runtime.block_on(stage.hear(input))));
}

struct Stage {
    runtime: Runtime,
    world: World,
    door: Door,
    port: u16,
}

impl Stage {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let world = World::default();
        let (model, far) = runtime.block_on(async { (world.model().await, World::far().await) });
        let settings = settings(model.port(), far.port());
        let door = Door::with_names(settings, Arc::new(world.clone()), Arc::new(world.clone())).expect("a door");
        Self { runtime, world, door, port: far.port() }
    }

    async fn hear(&self, input: &[u8]) -> Told {
        let input = with_port(input, self.port);
        let (bytes, pieces) = pieces(&input);
        let answer = self.connection(&pieces).await;
        let told = std::mem::take(&mut *self.world.told());
        judge(&told, bytes, &answer, self.port);
        let answer = self.connection(&[b"GET / HTTP/1.1\r\nhost: door\r\n\r\n"]).await;
        assert!(answer.starts_with(b"HTTP/1.1 200"), "the door is well for the next connection");
        told
    }

    /// What the door answers to a connection that says this.
    async fn connection(&self, pieces: &[&[u8]]) -> Vec<u8> {
        let inside = Inside::saying(pieces, self.world.clone());
        let heard = inside.heard();
        let served = timeout(ENDS_WITHIN, self.door.serve(inside, SANDBOX, CancellationToken::new())).await;
        served.expect("a connection ends");
        timeout(ENDS_WITHIN, self.door.settled()).await.expect("what was spent is recorded");
        std::mem::take(&mut *heard.lock().expect("nothing panics while it writes"))
    }
}

/// Every wait is short and every bound small, so that inputs meet them. One connection: a place that is not given back shows.
fn settings(model: u16, far: u16) -> Settings {
    let rule = |text: String| text.parse::<HostRule>().expect("a rule");
    let allow = [
        format!("far.example:{far} private"),
        format!("GET,HEAD read.example:{far} private"),
        format!("*.wild.example:{far} private"),
        format!("home.example:{far}"),
    ];
    let credentials = vec![format!("far.example:{far}/acme bearer secret=far").parse().expect("a rule")];
    let deny = vec![rule("bad.wild.example".into())];
    let policy = Policy { allow: allow.map(rule).into(), deny, credentials, ..Policy::default() };
    Settings {
        policy,
        first_byte_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_millis(50),
        tunnel_idle: Duration::from_millis(50),
        drain: Duration::from_millis(20),
        max_request: 2048,
        max_connections: 1,
        ..Settings::new(format!("http://127.0.0.1:{model}").parse().expect("a URL"))
    }
}

fn judge(told: &Told, input: &[u8], answer: &[u8], far: u16) {
    let shown = memmem::find_iter(input, TOKEN).count();
    assert!(told.admitted <= shown, "the model is asked no more often than the token was shown");
    assert!(told.spent <= told.admitted, "what is asked is paid once");
    for (path, headers) in &told.asked {
        judge_asked(path, headers);
    }
    let out = told.decisions.iter().filter(|decision| decision.refused.is_none()).count();
    assert!(out <= told.known, "nothing goes out without the token");
    for decision in told.decisions.iter().filter(|decision| decision.refused.is_none()) {
        assert!(may_go_out(decision, far), "let out: {decision:?}");
    }
    for (host, port) in &told.looked_up {
        assert!(*port == far && (host == "home.example" || named(host)), "looked up: {host}:{port}");
    }
    for secret in [KEY, SECRET] {
        let told = |bytes: &[u8]| memmem::find(bytes, secret.as_bytes()).is_some();
        assert!(!told(answer) || told(input), "{secret} stays outside");
    }
}

/// A request as the model gets it. One that only opens a connection has no key.
fn judge_asked(path: &str, headers: &HeaderMap) {
    let known = ["/v1/messages", "/v1/messages/count_tokens", "/v1/models", "/"].contains(&path);
    assert!(
        known || path.strip_prefix("/v1/models/").is_some_and(|id| !id.contains('/')),
        "asked of the model: {path}"
    );
    assert!(headers.get("x-api-key").map_or(path == "/", |key| key == KEY), "the owner's key and no other");
    for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
        assert!(!headers.contains_key(&name), "{name} stays inside");
    }
}

fn may_go_out(decision: &Decision, far: u16) -> bool {
    let host = decision.host.to_ascii_lowercase();
    decision.port == far && named(&host) && !(host == "read.example" && decision.kind == Kind::Tunnel)
}

/// By a rule that lets it be on this computer.
fn named(host: &str) -> bool {
    let below = host.strip_suffix(".wild.example").is_some_and(|name| !name.is_empty() && name != "bad");
    below || host == "far.example" || host == "read.example"
}

fn with_port(input: &[u8], port: u16) -> Vec<u8> {
    let (mut written, mut rest) = (Vec::with_capacity(input.len() + 16), input);
    while let Some(at) = memmem::find(rest, b"PORT") {
        written.extend_from_slice(&rest[..at]);
        written.extend_from_slice(port.to_string().as_bytes());
        rest = &rest[at + 4..];
    }
    written.extend_from_slice(rest);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(input: &[u8]) -> Told {
        let stage = Stage::new();
        stage.runtime.block_on(stage.hear(input))
    }

    /// What goes wrong behind them would not be seen otherwise.
    #[test]
    fn kept_inputs_get_as_far_as_the_model_and_the_hosts_outside() {
        let asked = told(include_bytes!("../../fuzz/seeds/door/messages"));
        assert!(asked.admitted > 0 && asked.asked.iter().any(|(path, _)| path == "/v1/messages"));
        for input in [
            &include_bytes!("../../fuzz/seeds/door/plain")[..],
            include_bytes!("../../fuzz/seeds/door/tunnel"),
            include_bytes!("../../fuzz/seeds/door/tls"),
        ] {
            assert!(told(input).decisions[0].refused.is_none());
        }
        let pushed = told(include_bytes!("../../fuzz/seeds/door/push"));
        assert!(pushed.pushes == 1 && pushed.decisions.iter().all(|decision| decision.refused.is_some()));
        let refused = told(include_bytes!("../../fuzz/seeds/door/refused"));
        assert!(refused.decisions.len() > 2 && refused.decisions.iter().all(|decision| decision.refused.is_some()));
    }
}
