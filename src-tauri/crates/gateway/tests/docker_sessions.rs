//! The whole way with a real sandbox and the real Claude Code: what is said, asked, allowed, sent, and never leaked.

mod world;

use domain::event::Event;
use standins::anthropic::{Script, Step};
use store::usage;
use world::{KEY, LATER, SOON, Wish, World, container, docker, events};

fn bash(command: &str) -> Step {
    Step::tool("Bash", serde_json::json!({ "command": command, "description": "test" }))
}

#[tokio::test]
async fn a_yes_by_text_runs_exactly_what_was_asked_and_a_no_does_not() {
    world::relay();
    let scripts =
        vec![Script::when("touch it").step(bash("python3 -c \"open('made','w')\"")).step(Step::text("Ended."))];
    let w = World::new(Wish { sandbox: true, scripts, config: "[approvals]\nsms_grants = \"medium\"\n" }).await;
    let running = w.start().await;
    w.text("touch it").await;
    let asked = w.arrives(LATER).await;
    assert!(asked.body.contains("#1 may it run: python3 -c"), "{}", asked.body);
    w.text("no use node").await;
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    assert!(running.app.workshop.read_file("/workspace/made", 10).await.is_err(), "refused, so it did not run");
    w.text("touch it").await;
    w.arrives(LATER).await;
    w.text("yes").await;
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    assert!(running.app.workshop.read_file("/workspace/made", 10).await.is_ok());
    running.remove().await;
}

/// The agent is made the one that the kernel takes first: else it takes what eats the memory.
const EAT: &str = "for f in /proc/[0-9]*/oom_score_adj; do [ $f = /proc/$$/oom_score_adj ] || echo 1000 > $f; done 2>/dev/null; tail /dev/zero";

#[tokio::test]
async fn an_agent_that_the_memory_limit_ended_says_so_and_works_on() {
    world::relay();
    let scripts = vec![Script::when("eat").step(bash(EAT)).step(Step::text("Ended."))];
    // The session's own share would stop it before.
    let config = "[agent]\nmode = \"bypassPermissions\"\n[limits]\nmemory_gb = 100.0\n";
    let w = World::new(Wish { sandbox: true, scripts, config }).await;
    let running = w.start().await;
    w.text("eat").await;
    assert_eq!(w.arrives(LATER).await.body, domain::Code::MemoryLimit.entry().sms);
    let failed =
        events(&running).await.into_iter().any(|e| matches!(e, Event::Failed { code: domain::Code::MemoryLimit, .. }));
    assert!(failed);
    running.remove().await;
}

#[tokio::test]
async fn a_command_over_its_sessions_memory_is_ended_and_the_owner_is_told() {
    world::relay();
    // It waits with 600 MB in its hands.
    let take = bash("head -c 610000000 /dev/zero | tail -c 600000000 | sleep 10");
    let scripts = vec![Script::when("take").step(take).step(Step::text("Ended."))];
    let config = "[agent]\nmode = \"bypassPermissions\"\n[limits]\nmemory_gb = 0.5\n";
    let w = World::new(Wish { sandbox: true, scripts, config }).await;
    let running = w.start().await;
    w.text("take").await;
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    let told: Vec<String> = events(&running)
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::Noticed { text } => Some(text),
            _ => None,
        })
        .collect();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert!(told.starts_with("Over its limit: tail was ended"), "{told}");
    assert!(told.ends_with("of memory and may use 500 MB."), "{told}");
    running.remove().await;
}

#[tokio::test]
async fn a_high_risk_is_not_granted_by_text() {
    world::relay();
    let scripts = vec![Script::when("push it").step(bash("git push origin main")).step(Step::text("Ended."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    w.text("push it").await;
    let asked = w.arrives(LATER).await;
    assert!(asked.body.contains("High risk") && asked.body.contains("https://desk.example/p/"), "{}", asked.body);
    w.text("yes").await;
    assert!(w.arrives(SOON).await.body.contains("too risky"));
    w.text("no").await;
    assert_eq!(w.arrives(LATER).await.body, "Ended.");
    running.remove().await;
}

#[tokio::test]
async fn the_key_is_nowhere_but_on_the_request_that_leaves() {
    world::relay();
    // What is printed is scrubbed on its way: the file is as it was.
    let look = "{ env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; grep -rs sk-ant- /home /workspace /tmp /run /etc 2>/dev/null | head; } | tee look.txt";
    let scripts = vec![Script::when("look around").step(bash(look)).step(Step::text("Looked."))];
    let w = World::new(Wish {
        sandbox: true,
        scripts,
        config: "[agent]\nmode = \"bypassPermissions\"\n[log]\nlevel = \"trace\"\n",
    })
    .await;
    let log = world::capture_logs();
    let running = w.start().await;
    w.text("look around").await;
    assert_eq!(w.arrives(LATER).await.body, "Looked.");
    assert!(w.anthropic.count() > 0, "the stand-in takes this key only, so it did arrive");
    let seen = events(&running).await;
    let printed =
        seen.iter().find_map(|e| if let Event::ToolFinished { text, .. } = e { Some(text.clone()) } else { None });
    let printed = printed.unwrap();
    assert!(printed.contains("ANTHROPIC_AUTH_TOKEN=["), "{printed}");
    let name = container(&running);
    let found = docker(&["exec", "-u", "0", &name, "cat", "/workspace/look.txt"]);
    assert!(found.contains("ANTHROPIC_AUTH_TOKEN=lanyard-sandbox-"), "the agent has its own token");
    let inspected = docker(&["inspect", &name]);
    let files = docker(&[
        "exec",
        "-u",
        "0",
        &name,
        "sh",
        "-c",
        "cat /proc/*/environ /proc/*/cmdline 2>/dev/null; grep -rsl sk-ant-[p]lanted /home /workspace /tmp /run /etc /var 2>/dev/null; true",
    ]);
    assert!(inspected.contains("\"Type\": \"none\""), "the engine keeps no log of it");
    drop(seen);
    running.remove().await;
    let mut places =
        vec![("printed", printed), ("found", found), ("inspect", inspected), ("files", files), ("log lines", log())];
    for file in ["lanyard.db", "lanyard.db-wal"] {
        let bytes = std::fs::read(w.home().join("data").join(file)).unwrap_or_default();
        places.push(("database", String::from_utf8_lossy(&bytes).into_owned()));
    }
    for (place, text) in places {
        assert!(!text.contains("sk-ant-planted"), "the key {KEY} is in {place}");
    }
}

#[tokio::test]
async fn what_is_spent_is_counted_by_turn_session_and_day_and_capped() {
    world::relay();
    let scripts = vec![Script::always().step(Step::text("Fine."))];
    let w = World::new(Wish { sandbox: true, scripts, config: "[spend]\nsession = 0.02\n" }).await;
    let running = w.start().await;
    w.text("one").await;
    let first = w.arrives(LATER).await;
    let counted = running.app.store.read(|r| usage::since(r, domain::Timestamp(0))).await.unwrap();
    assert!(counted.responses > 0 && counted.cost.0 > 0 && counted.tokens.output > 0, "{counted:?}");
    let mut last = first.body;
    for _ in 0..20 {
        if last.contains("spending limit") {
            break;
        }
        w.text("again").await;
        last = w.arrives(LATER).await.body;
    }
    assert!(last.contains("spending limit"), "{last}");
    running.remove().await;
}

#[tokio::test]
async fn a_picture_by_mms_reaches_the_agent() {
    world::relay();
    let scripts = vec![Script::always().step(Step::text("A lamp."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let called = w.phone.text_with(
        standins::twilio::NUMBER,
        "what is this?",
        vec![("image/png".into(), png.into_inner().into())],
    );
    assert_eq!(called.await.unwrap().status, Some(200));
    assert_eq!(w.arrives(LATER).await.body, "A lamp.");
    let body = w.anthropic.requests().iter().map(|r| r.body.to_string()).collect::<String>();
    assert!(body.contains("\"media_type\":\"image/png\""), "the model was shown it");
    assert!(!w.twilio.credentials_leaked());
    running.remove().await;
}

#[tokio::test]
async fn a_killed_container_heals_and_the_conversation_goes_on() {
    world::relay();
    let scripts = vec![Script::always().step(Step::text("Here."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    w.text("first").await;
    assert_eq!(w.arrives(LATER).await.body, "Here.");
    docker(&["kill", &container(&running)]);
    // Words that come before the end of its process was seen would be lost with it, and said so.
    let seen = async || running.app.registry.glances().values().all(|glance| glance.state == "cold").then_some(());
    world::until(LATER, seen).await;
    w.text("second").await;
    assert_eq!(w.arrives(LATER).await.body, "Here.");
    let last = w.anthropic.requests().pop().unwrap().body.to_string();
    assert!(last.contains("first") && last.contains("second"), "it was resumed by its id");
    running.remove().await;
}

#[tokio::test]
async fn a_question_is_answered_by_number() {
    world::relay();
    let ask = Step::tool(
        "AskUserQuestion",
        serde_json::json!({ "questions": [{ "question": "Which colour?", "header": "Colour",
        "multiSelect": false, "options": [{ "label": "Red", "description": "r" }, { "label": "Blue", "description": "b" }] }] }),
    );
    let w = World::new(Wish {
        sandbox: true,
        scripts: vec![Script::when("paint").step(ask).step(Step::text("Painted."))],
        ..Wish::default()
    })
    .await;
    let running = w.start().await;
    w.text("paint").await;
    let asked = w.arrives(LATER).await;
    assert!(asked.body.contains("Which colour?\n1) Red\n2) Blue"), "{}", asked.body);
    w.text("2").await;
    assert_eq!(w.arrives(LATER).await.body, "Painted.");
    assert!(w.anthropic.requests().pop().unwrap().body.to_string().contains("Blue"));
    running.remove().await;
}

#[tokio::test]
async fn without_a_key_the_owner_is_told_what_to_do() {
    world::relay();
    let w = World::new(Wish { sandbox: true, ..Wish::default() }).await;
    let secrets = w.home().join("secrets.toml");
    std::fs::write(&secrets, format!("twilio = \"{}\"\n", standins::twilio::TOKEN)).unwrap();
    let running = w.start().await;
    w.text("hello").await;
    let told = w.arrives(LATER).await;
    assert!(told.body.contains("no Anthropic key yet") && told.body.contains("set-key anthropic"), "{}", told.body);
    assert_eq!(w.anthropic.count(), 0);
    running.remove().await;
}

#[tokio::test]
async fn halt_stops_a_running_turn_and_steer_goes_into_it() {
    world::relay();
    let scripts =
        vec![Script::when("wait long").step(Step::text("Waiting.").hold()), Script::always().step(Step::text("Fine."))];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    w.text("wait long").await;
    let working = async {
        while w.anthropic.count() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LATER, working).await.unwrap();
    w.text("halt").await;
    assert_eq!(w.arrives(SOON).await.body, "Stopped.");
    w.text("and now?").await;
    assert_eq!(w.arrives(LATER).await.body, "Fine.");
    running.remove().await;
}

#[tokio::test]
async fn a_link_shows_the_whole_answer_and_what_an_approval_would_run_and_refuses_it() {
    world::relay();
    let long = (0..200).map(|n| format!("Line {n} of a **long** answer.")).collect::<Vec<_>>().join("\n\n");
    let scripts = vec![
        Script::when("tell all").step(Step::text(&long)),
        Script::when("push it").step(bash("git push origin main")).step(Step::text("Not pushed.")),
    ];
    let w = World::new(Wish { sandbox: true, scripts, ..Wish::default() }).await;
    let running = w.start().await;
    let link = |body: &str| {
        body.split_whitespace().find_map(|word| word.strip_prefix("https://desk.example")).unwrap().to_owned()
    };
    w.text("tell all").await;
    let first = w.arrives(LATER).await;
    assert!(first.body.contains("more, or https://desk.example/a/"), "{}", first.body);
    w.text("more").await;
    let second = w.arrives(SOON).await;
    assert!(second.body.starts_with("Line ") && !first.body.contains(&second.body[..20]), "{}", second.body);
    let shown = world::get(&running.app, &link(&first.body).replace("/a/", "/api/link/")).await;
    assert!(shown.contains("Line 199 of a **long** answer.") && shown.contains("\"kind\":\"answer\""), "{shown}");
    w.text("push it").await;
    let asked = w.arrives(LATER).await;
    let api = link(&asked.body).replace("/p/", "/api/link/");
    let shown = world::get(&running.app, &api).await;
    assert!(shown.contains("git push origin main") && shown.contains("\"risk\":\"high\""), "{shown}");
    let denied = world::post(&running.app, &format!("{api}/deny")).await;
    assert!(denied.contains("\"state\":\"denied\""), "{denied}");
    let end = w.phone.wait_for(|m| m.body.contains("Not pushed."), LATER).await;
    assert!(end.is_ok());
    running.remove().await;
}
