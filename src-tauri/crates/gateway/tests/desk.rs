//! The command line as the real program, against a gateway that runs.

mod api_world;
mod tunnel_world;
mod world;

use api_world::{Phone, ask, call, local};
use gateway::{App, pairing};
use serde_json::Value;
use standins::{
    ngrok::{DOMAIN, TOKEN},
    twilio::NUMBER,
};
use std::{net::SocketAddr, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};
use tunnel_world::{Tunnelled, led, proved};
use world::{Running, SOON, Wish, World, until};

fn lanyard(app: &App, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
    command.args(arguments).env("LANYARD_HOME", app.paths.config.parent().unwrap());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs it to its end; whether it did well, and all it printed.
async fn run(app: &App, arguments: &[&str]) -> (bool, String) {
    let output = timeout(SOON, lanyard(app, arguments).output()).await.expect("it ends in time").unwrap();
    let printed = [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned()).concat();
    (output.status.success(), printed)
}

/// Runs it; it must do well.
async fn says(app: &App, arguments: &[&str]) -> String {
    let (well, printed) = run(app, arguments).await;
    assert!(well, "lanyard {arguments:?}: {printed}");
    printed
}

/// What `doctor` found out about this.
async fn finding(app: &App, what: &str) -> Value {
    let (_, printed) = run(app, &["doctor", "--json"]).await;
    let findings: Value = serde_json::from_str(&printed).unwrap();
    findings.as_array().unwrap().iter().find(|f| f["what"] == what).cloned().unwrap_or_default()
}

/// Begins it, and reads it line by line.
fn begin(app: &App, arguments: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = lanyard(app, arguments).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    timeout(SOON, lines.next_line()).await.expect("a line in time").unwrap().expect("it goes on")
}

async fn json_line(lines: &mut Lines<BufReader<ChildStdout>>) -> Value {
    serde_json::from_str(&line(lines).await).unwrap()
}

async fn started() -> (World, Running) {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    (w, running)
}

#[tokio::test]
async fn pairing_waits_for_the_phone_and_says_who_it_was() {
    let (_w, running) = started().await;
    let (child, mut lines) = begin(&running.app, &["pair"]);
    while !line(&mut lines).await.contains("/pair#c=") {}
    Phone::pair(&running.app, "Ada's phone").await;
    let mut rest = Vec::new();
    while let Ok(Some(line)) = timeout(SOON, lines.next_line()).await.unwrap() {
        rest.push(line);
    }
    assert!(child.wait_with_output().await.unwrap().status.success());
    let rest = rest.join("\n");
    assert!(rest.contains("Paired: Ada's phone") && rest.contains("lanyard phones not-me"), "{rest}");
    running.stop().await;
}

#[tokio::test]
async fn a_code_that_runs_out_gives_way_to_the_next_until_a_phone_has_used_one() {
    let w = World::new(Wish::default()).await;
    let mut config = w.resolved();
    config.api.code_life = Duration::from_millis(800);
    let running = w.start_with(config).await;
    let (mut child, mut lines) = begin(&running.app, &["pair", "--json"]);
    let (first, second) = (json_line(&mut lines).await, json_line(&mut lines).await);
    assert_ne!(first["code"], second["code"]);
    assert!(first["expires_at"].as_i64() < second["expires_at"].as_i64());
    Phone::pair(&running.app, "late").await;
    loop {
        let said = json_line(&mut lines).await;
        if said["name"] == "late" {
            break;
        }
        assert!(said["code"].is_string(), "{said}");
    }
    assert!(timeout(SOON, child.wait()).await.unwrap().unwrap().success());
    let shown: Value = serde_json::from_str(&says(&running.app, &["pair", "--no-wait", "--json"]).await).unwrap();
    assert!(shown["url"].as_str().unwrap().contains("/pair#c="), "and without waiting just one: {shown}");
    running.stop().await;
}

#[tokio::test]
async fn phones_and_tokens_are_renamed_limited_and_shut_out() {
    let (_w, running) = started().await;
    let app = &running.app;
    let phone = Phone::pair(app, "old").await;
    says(app, &["phones", "rename", "old", "new name"]).await;
    says(app, &["phones", "allow", "new name", "read"]).await;
    let listed = says(app, &["phones"]).await;
    assert!(listed.contains("new name") && listed.contains("may read\n"), "{listed}");
    let (well, said) = run(app, &["phones", "revoke", "old"]).await;
    assert!(!well && said.contains("no such phone"), "{said}");
    let code = pairing::offer(app, false).code;
    says(app, &["phones", "not-me", "new name"]).await;
    assert_ne!(pairing::offer(app, false).code, code, "who read the last code has nothing of it");
    assert!(says(app, &["phones"]).await.contains("revoked"));
    assert_eq!(phone.get(app, "/api/info").await.status, 401);
    let token = says(app, &["phones", "make-token", "ci", "read"]).await;
    assert_eq!(call(app, "GET", "/api/info", Some(token.trim()), None).await.status, 200);
    let listed: Value = serde_json::from_str(&says(app, &["phones", "tokens", "--json"]).await).unwrap();
    says(app, &["phones", "revoke-token", listed["tokens"][0]["id"].as_str().unwrap()]).await;
    assert_eq!(call(app, "GET", "/api/info", Some(token.trim()), None).await.status, 401);
    running.stop().await;
}

#[tokio::test]
async fn the_local_networks_door_is_switched_on_and_off() {
    let w = World::new(Wish::default()).await;
    let mut config = w.resolved();
    config.lan.reach = tunnel::Reach::Loopback;
    let running = w.start_with(config).await;
    let on = says(&running.app, &["lan", "on"]).await;
    assert!(on.contains(".local") && on.contains("lanyard-ca.crt"), "{on}");
    assert!(says(&running.app, &["lan", "off"]).await.contains("off"));
    assert!(running.app.lan.urls().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn the_docs_are_served_until_ctrl_c_and_the_api_there_wants_the_token() {
    let (_w, running) = started().await;
    let (mut child, mut lines) = begin(&running.app, &["docs", "--json"]);
    let shown = json_line(&mut lines).await;
    let host = shown["url"].as_str().unwrap().split('/').nth(2).unwrap().to_owned();
    let at: SocketAddr = host.parse().unwrap();
    let named = ("host", host.clone());
    let page = ask(at, "GET", "/api/docs/", std::slice::from_ref(&named), vec![]).await;
    assert!(
        page.status == 200 && page.headers["content-type"].to_str().unwrap().contains("html"),
        "{:?}",
        page.headers
    );
    ask(at, "GET", "/api/info", std::slice::from_ref(&named), vec![]).await.is(401, "NOT_PAIRED");
    let bearer = ("authorization", format!("Bearer {}", shown["token"].as_str().unwrap()));
    assert_eq!(ask(at, "GET", "/api/info", &[named, bearer], vec![]).await.status, 200);
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(timeout(SOON, child.wait()).await.unwrap().unwrap().success());
    running.stop().await;
}

#[tokio::test]
async fn the_tunnel_is_switched_on_and_off_and_ngroks_own_page_is_told_wherever_an_address_is() {
    let t = Tunnelled::with_token(Wish::default()).await;
    t.edge.set_interstitial(true);
    let mut config = t.config();
    config.tunnel.enabled = false;
    let running = t.start_with(config).await;
    let app = &running.app;
    assert_eq!(finding(app, "tunnel").await, Value::Null, "nothing is said of what is off");
    let on = says(app, &["tunnel", "on"]).await;
    assert!(on.contains(DOMAIN) && on.contains("a signed request was taken"), "{on}");
    until(SOON, async || app.address.page_in_the_way().then_some(())).await;
    for told in [&["tunnel"][..], &["pair", "--no-wait"], &["status"]] {
        let said = says(app, told).await.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("Tap Visit Site once"), "{told:?}: {said}");
    }
    assert_eq!(
        (&finding(app, "tunnel").await["state"], &finding(app, "page").await["state"]),
        (&"well".into(), &"note".into())
    );
    let webhook = finding(app, "webhook").await;
    assert!(webhook["state"] == "well" && webhook["says"].as_str().unwrap().contains("signed request"), "{webhook}");
    let off = says(app, &["tunnel", "off"]).await;
    assert!(off.contains("off") && !off.contains("Texts to your number") && !off.contains("Visit Site"), "{off}");
    running.stop().await;
}

#[tokio::test]
async fn doctor_says_why_the_tunnel_is_refused_and_why_texts_may_not_come() {
    let t = Tunnelled::with_token(Wish::default()).await;
    let mut config = t.config();
    // Nobody is where the public side is looked for.
    for (_, at) in &mut config.tunnel.resolve {
        *at = SocketAddr::from(([127, 0, 0, 1], 9));
    }
    let running = t.start_with(config).await;
    led(&running).await;
    let webhook = finding(&running.app, "webhook").await;
    let (says, mend) = (webhook["says"].as_str().unwrap(), webhook["mend"].as_str().unwrap());
    assert!(webhook["state"] == "broken" && says.contains("WEBHOOK_UNPROVED"), "{webhook}");
    assert!(mend.contains("lanyard tunnel on") && !mend.contains("doctor"), "{webhook}");
    running.stop().await;

    let t = Tunnelled::new(Wish::default()).await;
    t.edge.refuse_binds(Some("ERR_NGROK_9999"));
    t.keep_token(TOKEN);
    let running = t.start().await;
    tunnel_world::until_status(&running, |s| s.problem().is_some()).await;
    let refused = finding(&running.app, "tunnel").await;
    assert!(refused["state"] == "broken" && refused["says"].as_str().unwrap().contains("9999"), "{refused}");
    running.stop().await;
}

#[tokio::test]
async fn a_sender_whose_webhook_is_no_numbers_is_not_called_a_strangers() {
    for (from, named) in
        [("whatsapp:+15550009999", "WhatsApp"), ("MG0123456789abcdef0123456789abcdef", "Messaging Service")]
    {
        let w = World::new(Wish::default()).await;
        w.send_as(from);
        let running = w.start().await;
        let webhook = finding(&running.app, "webhook").await;
        assert!(webhook["state"] == "note" && webhook["says"].as_str().unwrap().contains(named), "{webhook}");
        running.stop().await;
    }
    let w = World::new(Wish::default()).await;
    w.send_as(&format!("whatsapp:{NUMBER}"));
    let running = w.start().await;
    assert_eq!(finding(&running.app, "webhook").await["state"], "well", "its number is the account's");
    running.stop().await;
}

#[tokio::test]
async fn an_engine_that_hangs_is_said_in_time() {
    let w = World::new(Wish::default()).await;
    let socket = w.home().join("hangs.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let hangs = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(taken) = listener.accept().await {
            held.push(taken);
        }
    });
    let path = w.home().join("config.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replace("/nowhere/docker.sock", &socket.display().to_string())).unwrap();
    let findings = timeout(SOON, gateway::doctor::without_a_gateway(&w.paths())).await.expect("it does not hang too");
    let engine = findings.iter().find(|f| f.what == "engine").unwrap();
    assert!(engine.says.contains("did not answer within"), "{engine:?}");
    hangs.abort();
}

#[tokio::test]
async fn who_may_read_is_told_how_the_tunnel_stands() {
    let t = Tunnelled::with_token(Wish { config: "[api]\nhosts = [\"desk.example\"]\n", ..Wish::default() }).await;
    let running = t.start().await;
    proved(&running).await;
    let app = &running.app;
    let token = api_world::token(app, &["read"]).await;
    let health = call(app, "GET", "/health", Some(&token), None).await.body;
    assert_eq!((&health["tunnel"], &health["tunnel_state"]), (&format!("https://{DOMAIN}").into(), &"open".into()));
    assert!(call(app, "GET", "/metrics", Some(&token), None).await.text.contains("lanyard_tunnel_open 1\n"));
    t.edge.revoke_token();
    t.edge.cut();
    tunnel_world::until_status(&running, |s| s.url().is_none()).await;
    let health = call(app, "GET", "/health", Some(&token), None).await.body;
    assert_eq!(health["tunnel"], format!("https://{DOMAIN}"), "links keep their address");
    assert_ne!(health["tunnel_state"], "open");
    assert!(call(app, "GET", "/metrics", Some(&token), None).await.text.contains("lanyard_tunnel_open 0\n"));
    assert!(local(app, "GET", "/status", None).await.body["tunnel"]["status"]["state"] != "open");
    running.stop().await;
}
