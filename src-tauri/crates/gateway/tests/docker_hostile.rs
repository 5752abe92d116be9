//! A hostile program in a real sandbox, run by the real Claude Code with the agent's own token. It tries to get out, to be more than it
//! is, to take more than its share, to answer for the owner: each attempt is refused, what meets the door is written down, and the
//! gateway is well after it.
//!
//! Not here, for it is elsewhere: memory over a session's share and over the sandbox's (`docker_sessions`), a fork bomb that goes on and
//! the read-only root (`sandbox/tests/docker`), a name that is bound anew between two look-ups (`egress/tests/door/proxy`).
// The engine's computer is this one: its loopback and its sockets are what the program looks for.
#![cfg(target_os = "linux")]

mod api_world;
#[path = "hostile/rounds.rs"]
mod rounds;
mod world;

use api_world::local;
use domain::{Code, approval::Approval, event::Event, usage::MicroDollars};
use rounds::{DOOR, FILLING, NOBODYS, OWN_ANSWERS, PLANTED, PROGRAM, REFUSED, SMUGGLED, SPENDING, WALLS};
use sandbox::{Health, Size};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use standins::{
    anthropic::{Script, Step},
    twilio,
};
use std::{
    fs,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
};
use store::{approvals, audit, reached, usage};
use world::{KEY, LATER, Running, Wish, World, container, docker, events};

const BYPASS: &str = "[agent]\nmode = \"bypassPermissions\"\n";

/// What became of one attempt.
#[derive(Debug, Deserialize)]
struct Attempt {
    attempt: String,
    held: bool,
    #[expect(dead_code, reason = "told where one did not hold")]
    detail: String,
}

/// A world whose agent has the program in its workspace, and what of the owner's is near.
struct Place {
    world: World,
    workspace: tempfile::TempDir,
    /// A program of the owner's on this computer, and one that has neither file nor port.
    owners: TcpListener,
    unseen: UnixListener,
}

impl Place {
    /// The config lets out `localhost` with the port of the owner's program, which is no word for private places, and
    /// `allowed.example`. About other hosts nobody is asked.
    async fn new(config: &str, scripts: Vec<Script>) -> Self {
        world::relay();
        let owners = TcpListener::bind("127.0.0.1:0").unwrap();
        owners.set_nonblocking(true).unwrap();
        let name = SocketAddr::from_abstract_name(format!("lanyard-{}", uuid::Uuid::new_v4())).unwrap();
        let unseen = UnixListener::bind_addr(&name).unwrap();
        let workspace = world::agents_folder();
        for (file, text) in PROGRAM {
            fs::write(workspace.path().join(file), text).unwrap();
        }
        let (folder, port) = (workspace.path().display(), owners.local_addr().unwrap().port());
        let config = format!(
            "workspace = \"{folder}\"\n[egress]\nask_seconds = 0\nallow = [\"allowed.example\", \"localhost:{port}\"]\n{config}"
        );
        let well = Script::when("are you well").step(Step::text("Well."));
        let scripts = scripts.into_iter().chain([well]).collect();
        let world = World::new(Wish { sandbox: true, scripts, config: &config }).await;
        Self { world, workspace, owners, unseen }
    }

    async fn start(&self) -> Running {
        let running = self.world.start().await;
        self.tell(&running, &json!({ "id": uuid::Uuid::nil(), "hash": "0".repeat(64) }));
        running
    }

    /// What the program has to know; `approval` is what it tries to answer.
    fn tell(&self, running: &Running, approval: &Value) {
        let backwards = |secret: &str| secret.chars().rev().collect::<String>();
        let unseen = self.unseen.local_addr().unwrap();
        let job = json!({
            "ports": {
                "public": running.app.public_addr.port(),
                "model": self.world.anthropic.address().port(),
                "owner": self.owners.local_addr().unwrap().port(),
            },
            "abstract": unseen.as_abstract_name().and_then(|name| std::str::from_utf8(name).ok()).unwrap(),
            "home": self.world.home(),
            "local_door": running.app.paths.local_door(),
            "secrets": { "key": backwards(KEY), "Twilio token": backwards(twilio::TOKEN) },
            "approval": approval,
            "limits": { "file": running.app.config.limits.file, "pids": Size::Small.pids() },
            "request": greedy_request(),
            "ran": "/workspace/ran",
        });
        fs::write(self.workspace.path().join("job.json"), job.to_string()).unwrap();
    }

    /// Every attempt of a round was made, once, and held.
    fn held(&self, round: &str, expected: &[&str]) {
        let lines = fs::read_to_string(self.workspace.path().join(format!("{round}.jsonl"))).unwrap();
        let made: Vec<Attempt> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let through: Vec<&Attempt> = made.iter().filter(|attempt| !attempt.held).collect();
        assert!(through.is_empty(), "{through:#?}");
        let (mut made, mut expected) =
            (made.iter().map(|attempt| attempt.attempt.as_str()).collect::<Vec<_>>(), expected.to_vec());
        made.sort_unstable();
        expected.sort_unstable();
        assert_eq!(made, expected);
    }

    /// Nobody came to the owner's programs, and nothing that was smuggled, nor the sandbox's token, came to the model.
    fn nothing_came_out(&self) {
        self.unseen.set_nonblocking(true).unwrap();
        assert!(self.owners.accept().is_err() && self.unseen.accept().is_err());
        for seen in self.world.anthropic.requests() {
            let told = format!("{} {:?}", seen.body, seen.headers);
            assert!(seen.key == KEY && !told.contains(SMUGGLED), "{told}");
            assert!(seen.headers.iter().all(|(_, value)| !value.contains("lanyard-sandbox-")), "{:?}", seen.headers);
        }
    }

    /// A turn of another session ends as ever, the sandbox is as it should be, what was written down is whole.
    async fn is_well(&self, running: &Running) {
        self.world.text("new are you well").await;
        let answered = self.world.phone.wait_for(|m| m.body.ends_with("Well."), LATER).await;
        assert!(answered.is_ok(), "{:?}", self.world.phone.received());
        let status = local(&running.app, "GET", "/status", None).await;
        assert_eq!((status.status, &status.body["sandbox"]["state"]), (200, &json!("ready")), "{}", status.text);
        assert_eq!(running.app.workshop.health().await.unwrap(), Health::Well);
        let audit = local(&running.app, "POST", "/audit/verify", None).await;
        assert_eq!((audit.status, &audit.body["broken"]), (200, &Value::Null), "{}", audit.text);
    }
}

/// The agent runs these rounds, one after another.
fn attacks(rounds: &[&str]) -> Script {
    let command = format!("for round in {}; do python3 attack.py $round; done", rounds.join(" "));
    Script::when("attack")
        .step(Step::tool("Bash", json!({ "command": command, "description": "attack" })))
        .step(Step::text("Attacked."))
}

#[tokio::test]
async fn a_hostile_program_finds_no_way_out_no_privilege_and_no_secret() {
    let config = format!("{BYPASS}[limits]\nfile_gb = 0.02\n");
    let place = Place::new(&config, vec![attacks(&["walls", "door", "filling"])]).await;
    let running = place.start().await;
    place.world.text("attack").await;
    assert_eq!(place.world.arrives(LATER).await.body, "Attacked.");
    place.held("walls", WALLS);
    place.held("door", &[DOOR, OWN_ANSWERS].concat());
    place.held("filling", FILLING);
    place.nothing_came_out();
    it_is_all_written_down(&place, &running).await;
    place.is_well(&running).await;
    running.remove().await;
}

/// A row and a line of the audit for each refusal, under the session whose token it was, and none for anything let out.
async fn it_is_all_written_down(place: &Place, running: &Running) {
    running.app.house.settle().await;
    let (rows, lines, sessions) = running
        .app
        .store
        .read(|r| Ok((reached::latest(r, 1000)?, audit::after(r, 0, 1000)?, store::sessions::latest(r, 10)?)))
        .await
        .unwrap();
    let [session] = sessions.as_slice() else { panic!("one session") };
    let count = |kind: audit::Kind| lines.iter().filter(|line| line.kind == kind.as_str()).count();
    assert_eq!((count(audit::Kind::HostBlocked), count(audit::Kind::HostReached)), (rows.len(), 0));
    let refused = |session, (host, port, why): (&str, u16, &str)| {
        rows.iter().any(|(_, r)| {
            !r.allowed && (r.session, r.host.as_str(), r.port, r.why.as_str()) == (session, host, port, why)
        })
    };
    let (public, model) = (running.app.public_addr.port(), place.world.anthropic.address().port());
    let owners = place.owners.local_addr().unwrap().port();
    let at_home = [("localhost", owners), ("127.0.0.1", public), ("127.0.0.1", model)];
    let at_home = at_home.map(|(host, port)| (host, port, "HOST_BLOCKED"));
    for expected in REFUSED.iter().chain(&at_home) {
        assert!(refused(Some(session.id), *expected), "{expected:?} is not among {rows:#?}");
    }
    assert!(refused(None, NOBODYS), "{rows:#?}");
    let names = rows.iter().filter(|(_, r)| r.host.ends_with(".leak.example"));
    assert_eq!(names.map(|(_, r)| r.why.as_str()).collect::<Vec<_>>(), ["BAD_REQUEST", "HOST_BLOCKED"], "{rows:#?}");
}

/// One answer costs a dollar: 10 000 tokens of output, at a price of the owner's.
const GREEDY: &str = "[spend]\nturn = 5.5\nprices = [\"greedy 0 100\"]\n";
const CAP: MicroDollars = MicroDollars(5_500_000);
const ONE_ANSWER: MicroDollars = MicroDollars(1_000_000);

fn greedy_request() -> Value {
    json!({ "model": "greedy", "max_tokens": 10_000, "messages": [{ "role": "user", "content": "spend it all" }] })
}

#[tokio::test]
async fn a_hostile_program_spends_no_more_than_the_cap_and_one_answer() {
    let long = Script::when("spend it all").step(Step::text("x".repeat(40_000)));
    let place = Place::new(&format!("{BYPASS}{GREEDY}"), vec![long, attacks(&["spending"])]).await;
    let running = place.start().await;
    place.world.text("attack").await;
    let ends = ["Attacked.", Code::SpendCap.entry().sms];
    let end = place.world.phone.wait_for(|m| ends.contains(&m.body.as_str()), LATER).await.unwrap();
    place.held("spending", SPENDING);
    assert_eq!(end.body, ends[1], "the agent's own next request meets the cap too");
    let turn = events(&running).await.into_iter().find_map(|event| match event {
        Event::TurnStarted { turn, .. } => Some(turn),
        _ => None,
    });
    let turn = turn.unwrap();
    let (spent, open) =
        running.app.store.read(move |r| Ok((usage::of_turn(r, turn)?, approvals::all_open(r)?))).await.unwrap();
    assert!((CAP.0..=CAP.0 + ONE_ANSWER.0).contains(&spent.cost.0), "{spent:?}");
    assert_eq!(open.len(), 1, "of many requests that met the cap one question was made: {open:?}");
    place.nothing_came_out();
    place.is_well(&running).await;
    running.remove().await;
}

/// What turns the direction of writing, and what is not seen. With a control character in its command Claude Code 2.1.329 does not ask.
const DISGUISED: &str = "python3 -c 'print(\"\u{202e}exe.txt\u{200b}\")'";
/// What clears a screen.
const CLEARS: &str = "\u{1b}[2J";

// The program runs while this thread waits for it, and the gateway answers it.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_command_is_shown_for_what_it_is_and_cannot_say_yes_to_itself() {
    let bash = Step::tool("Bash", json!({ "command": DISGUISED, "description": CLEARS }));
    let place = Place::new("", vec![Script::when("disguise").step(bash).step(Step::text("Ended."))]).await;
    let running = place.start().await;
    place.world.text("disguise").await;
    let texted = place.world.arrives(LATER).await.body;
    let asked = the_open_one(&running).await;
    let listed = local(&running.app, "GET", "/approvals", None).await.body[0]["shown"].as_str().unwrap().to_owned();
    for shown in [texted, listed, asked.subject.in_full(), asked.subject.in_a_text().words] {
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{200b}']), "{shown:?}");
        assert!(shown.contains("<U+202E>exe.txt<U+200B>") && shown.contains("\\u001b[2J"), "{shown:?}");
    }

    place.tell(&running, &json!({ "id": asked.id, "hash": asked.hash }));
    // Beside the agent, which waits: as its user, with a token of this gateway's.
    let (token, _) = running.app.tokens.mint(running.app.workshop.sandbox());
    let (user, token) = (running.app.config.agent_uid.to_string(), token.expose_secret());
    let (own, name) = (format!("ANTHROPIC_AUTH_TOKEN={token}"), container(&running));
    docker(&["exec", "-u", &user, "-e", &own, "-w", "/workspace", &name, "python3", "attack.py", "own_answers"]);
    place.held("own_answers", OWN_ANSWERS);
    assert_eq!(the_open_one(&running).await.decision, None);
    place.world.text("no").await;
    assert_eq!(place.world.arrives(LATER).await.body, "Ended.");
    place.is_well(&running).await;
    running.remove().await;
}

async fn the_open_one(running: &Running) -> Approval {
    let mut open = running.app.store.read(|r| approvals::all_open(r)).await.unwrap();
    assert_eq!(open.len(), 1, "{open:?}");
    open.remove(0)
}

#[tokio::test]
async fn what_a_hostile_program_leaves_in_the_agents_path_is_run_by_nobody_else() {
    let place = Place::new(BYPASS, vec![attacks(&["planted"])]).await;
    let running = place.start().await;
    place.world.text("attack").await;
    assert_eq!(place.world.arrives(LATER).await.body, "Attacked.");
    place.held("planted", PLANTED);
    place.is_well(&running).await;
    // The sandbox is stopped and started with it, its home stays.
    running.stop().await;
    let running = place.start().await;
    place.is_well(&running).await;
    let ran = fs::read_to_string(place.workspace.path().join("ran")).unwrap();
    assert!(ran.is_empty(), "{ran}");
    place.nothing_came_out();
    running.remove().await;
}
