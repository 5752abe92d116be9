//! The agent adapter against the real Claude Code, both versions, on this machine through pipes. The model is scripted.

#![cfg(unix)]

use bytes::Bytes;
use domain::{
    PermissionMode,
    agent::{
        Activity, AgentCommand, AgentEvent as E, AgentFault as F, Ask, AskAbout, GatewayTool, Picture, Rule, TurnEnd,
        TurnOutcome,
    },
};
use futures::StreamExt;
use sandbox::{
    Chunk, Ended,
    agent::{AgentLaunch, NotReady, Patience, Process, ProcessIo, Session},
};
use secrecy::SecretString;
use serde_json::json;
use standins::{
    CLAUDE, CLAUDE_BEFORE, Den,
    anthropic::{Anthropic, Block, Fault, KEY, Script, Step, StopReason},
    rehearsal,
};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio_util::{io::ReaderStream, sync::CancellationToken};
use uuid::Uuid;

const VERSIONS: [&str; 2] = [CLAUDE, CLAUDE_BEFORE];
/// Far more than anything here takes; a wait that reaches it has failed.
const DEADLINE: Duration = Duration::from_secs(40);

/// A den, a model and one process between them.
struct World {
    den: Den,
    model: Anthropic,
    agent: Process,
}

impl World {
    async fn new(version: &str, scripts: impl IntoIterator<Item = Script>) -> Self {
        Self::with(version, scripts, |_| {}).await
    }

    async fn with(
        version: &str,
        scripts: impl IntoIterator<Item = Script>,
        change: impl FnOnce(&mut AgentLaunch),
    ) -> Self {
        let (den, model) = (Den::new(version).unwrap(), Anthropic::start(scripts).await.unwrap());
        let agent = start(&den, &model, Session::Start(Uuid::new_v4()), change);
        Self { den, model, agent }
    }

    async fn ready(self) -> Self {
        self.agent.control.ready(DEADLINE).await.unwrap();
        self
    }

    async fn say(&self, text: &str) {
        let say = AgentCommand::Say { id: Uuid::new_v4(), text: text.into(), pictures: vec![], slash: false };
        self.tell(say).await;
    }

    async fn tell(&self, command: AgentCommand) {
        self.agent.commands.send(command).await.unwrap();
    }

    async fn next(&mut self) -> E {
        tokio::time::timeout(DEADLINE, self.agent.events.recv()).await.expect("in time").expect("an event")
    }

    /// Waits for the first event that `pick` takes, and gives those before it too.
    async fn until<T>(&mut self, pick: impl Fn(&E) -> Option<T>) -> (T, Vec<E>) {
        let mut before = Vec::new();
        loop {
            let event = self.next().await;
            if let Some(found) = pick(&event) {
                return (found, before);
            }
            assert!(!matches!(event, E::Exited { .. }), "it left: {event:?}");
            before.push(event);
        }
    }

    async fn asked(&mut self) -> Ask {
        self.until(|e| if let E::Asked(ask) = e { Some(ask.clone()) } else { None }).await.0
    }

    async fn ended(&mut self) -> TurnEnd {
        self.until(|e| if let E::TurnEnded(end) = e { Some(end.clone()) } else { None }).await.0
    }

    async fn turn(&mut self, text: &str) -> TurnEnd {
        self.say(text).await;
        self.ended().await
    }

    async fn allow(&self, ask: &Ask) {
        let AskAbout::Tool { input, .. } = &ask.about else { panic!("{ask:?}") };
        self.tell(AgentCommand::Allow {
            request: ask.request.clone(),
            input: input.clone(),
            always: vec![],
            mode: None,
        })
        .await;
    }

    /// Everything the model was sent, as one text.
    fn sent(&self) -> String {
        self.model.requests().iter().map(|r| r.body.to_string()).collect()
    }
}

fn start(den: &Den, model: &Anthropic, session: Session, change: impl FnOnce(&mut AgentLaunch)) -> Process {
    let mut launch = AgentLaunch::new(session, SecretString::from(KEY));
    launch.base_url = model.url();
    launch.proxy = None;
    launch.retries = 1;
    change(&mut launch);
    let mut command = den.command(&launch.argv("claude")[1..]);
    command.envs(launch.env()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let stdout = ReaderStream::new(child.stdout.take().unwrap()).map(|b| Chunk::Stdout(b.unwrap_or_default()));
    let stderr = ReaderStream::new(child.stderr.take().unwrap()).map(|b| Chunk::Stderr(b.unwrap_or_default()));
    let stdin = child.stdin.take().unwrap();
    let kill = CancellationToken::new();
    let killed = kill.clone();
    let waiting = tokio::spawn(async move {
        let _ = killed.run_until_cancelled(child.wait()).await;
        let _ = child.start_kill();
        child.wait().await.ok()?.code().map(i64::from)
    });
    let io = ProcessIo {
        stdin: Box::new(stdin),
        output: futures::stream::select(stdout, stderr).boxed(),
        status: Box::pin(async { waiting.await.ok().flatten() }),
        kill: Box::new(move |_| {
            kill.cancel();
            Box::pin(async { Ok(Ended::Gone) })
        }),
    };
    Process::spawn(io, launch.options())
}

fn bash(command: &str) -> Step {
    Step::tool("Bash", json!({ "command": command, "description": "a" }))
}

#[tokio::test]
async fn a_process_started_ahead_is_ready_then_streams_words_and_keeps_its_session() {
    for version in VERSIONS {
        let mut world =
            World::new(version, [Script::when("hello").step(Step::text("Hello, word by word, to you."))]).await;
        let ready = world.agent.control.ready(DEADLINE).await.unwrap();
        assert!(ready.pid.is_some(), "{version}");
        let first = world.agent.control.agent_session();
        world.say("hello").await;
        let (end, before) = world.until(|e| if let E::TurnEnded(end) = e { Some(end.clone()) } else { None }).await;
        let streamed: String = before
            .iter()
            .filter_map(|e| if let E::Partial { text, .. } = e { Some(text.as_str()) } else { None })
            .collect();
        assert_eq!(
            (streamed.as_str(), end.text.as_str()),
            ("Hello, word by word, to you.", "Hello, word by word, to you.")
        );
        assert!(before.iter().any(|e| matches!(e, E::TurnStarted { version: v, .. } if v == version)), "{version}");
        assert!(end.tokens.output > 0 && end.process_cost.is_some());
        world.until(|e| matches!(e, E::Activity(Activity::Idle)).then_some(())).await;
        assert_eq!(world.turn("again").await.agent_session, first, "{version}");
    }
}

#[tokio::test]
async fn a_tool_asks_runs_when_allowed_and_not_when_denied() {
    for version in VERSIONS {
        let scripts = [Script::when("touch").step(bash("touch made && echo it-ran")).step(Step::text("{{result}}"))];
        let mut world = World::new(version, scripts).await;
        world.say("touch it").await;
        let ask = world.asked().await;
        world.allow(&ask).await;
        assert_eq!(world.ended().await.text, "it-ran", "{version}");
        assert!(world.den.workspace().join("made").exists());
        world.say("touch again").await;
        let ask = world.asked().await;
        let deny = AgentCommand::Deny { request: ask.request, message: "The owner said no.".into(), interrupt: false };
        world.tell(deny).await;
        let end = world.ended().await;
        assert_eq!(
            (end.text.contains("The owner said no."), end.denials),
            (true, vec!["Bash".to_owned()]),
            "{version}"
        );
    }
}

#[tokio::test]
async fn always_is_asked_once_and_leaves_no_file() {
    for version in VERSIONS {
        let scripts = [Script::when("go")
            .step(bash("touch one && echo 1"))
            .step(bash("touch one && echo 2"))
            .step(Step::text("{{result}}"))];
        let mut world = World::new(version, scripts).await;
        world.say("go").await;
        let ask = world.asked().await;
        let AskAbout::Tool { input, .. } = ask.about else { panic!() };
        let always = vec![Rule { tool: "Bash".into(), content: None }];
        world.tell(AgentCommand::Allow { request: ask.request, input, always, mode: None }).await;
        assert_eq!(world.ended().await.text, "2", "{version}: not asked again");
        assert!(!world.den.workspace().join(".claude").exists());
    }
}

#[tokio::test]
async fn rules_given_at_the_start_are_not_asked_about() {
    for version in VERSIONS {
        let scripts = [Script::when("go").step(bash("touch one")).step(Step::text("made"))];
        let rule = Rule { tool: "Bash".into(), content: Some("touch *".into()) };
        let mut world = World::with(version, scripts, |l| l.rules = vec![rule]).await;
        assert_eq!(world.turn("go").await.text, "made", "{version}");
    }
}

#[tokio::test]
async fn mode_and_model_can_be_changed_when_a_spare_is_taken() {
    for version in VERSIONS {
        let mut world = World::new(version, [Script::when("go").step(bash("touch one")).step(Step::text("made"))])
            .await
            .ready()
            .await;
        world.tell(AgentCommand::SetMode(PermissionMode::BypassPermissions)).await;
        world.tell(AgentCommand::SetModel("claude-sonnet-4-5".into())).await;
        world.say("go").await;
        let pick = |e: &E| if let E::TurnStarted { mode, model, .. } = e { Some((*mode, model.clone())) } else { None };
        let (started, _) = world.until(pick).await;
        assert_eq!(started, (Some(PermissionMode::BypassPermissions), "claude-sonnet-4-5".to_owned()), "{version}");
        assert_eq!(world.ended().await.text, "made", "{version}: it did not ask");
    }
}

#[tokio::test]
async fn a_question_s_answers_go_back_inside_its_input() {
    let questions = json!({ "questions": [{ "question": "Which database?", "header": "DB", "multiSelect": false,
        "options": [{ "label": "SQLite", "description": "a" }, { "label": "Postgres", "description": "b" }] }] });
    for version in VERSIONS {
        let script =
            Script::when("ask").step(Step::tool("AskUserQuestion", questions.clone())).step(Step::text("{{result}}"));
        let mut world = World::new(version, [script]).await;
        world.say("ask me").await;
        let ask = world.asked().await;
        let AskAbout::Question { questions, mut input } = ask.about else { panic!("{version}") };
        assert_eq!((questions[0].options.len(), questions[0].several), (2, false));
        input["answers"] = json!({ "Which database?": "Postgres" });
        world.tell(AgentCommand::Allow { request: ask.request, input, always: vec![], mode: None }).await;
        let said = world.ended().await.text;
        assert!(said.contains("Postgres"), "{version}: {said}");
    }
}

#[tokio::test]
async fn a_plan_is_shown_and_started_in_the_mode_that_is_chosen() {
    for version in VERSIONS {
        let script = Script::when("plan")
            .step(Step::tool("ExitPlanMode", json!({ "plan": "# Plan\n1. Write it" })))
            .step(Step::tool("Write", json!({ "file_path": "x.txt", "content": "hey" })))
            .step(Step::text("written"));
        let mut world = World::with(version, [script], |l| l.mode = PermissionMode::Plan).await;
        world.say("plan it").await;
        let ask = world.asked().await;
        let AskAbout::Plan { input, .. } = ask.about else { panic!("{version}: {ask:?}") };
        let mode = Some(PermissionMode::AcceptEdits);
        world.tell(AgentCommand::Allow { request: ask.request, input, always: vec![], mode }).await;
        assert_eq!(world.ended().await.text, "written", "{version}");
    }
}

#[tokio::test]
async fn a_picture_is_sent_by_lanyard_s_own_tool_and_its_refusal_is_read() {
    for version in VERSIONS {
        let photo = |path: &str| Step::tool("mcp__lanyard__send_photo", json!({ "path": path, "caption": "A page" }));
        let script = Script::when("send")
            .step(photo("/workspace/a.png"))
            .step(photo("/nowhere"))
            .step(Step::text("{{result 1}} / {{result 2}}"));
        let mut world = World::new(version, [script]).await;
        world.say("send it").await;
        for result in [Ok("The picture was sent.".to_owned()), Err("There is no such file.".to_owned())] {
            let (call, _) = world.until(|e| if let E::Called(call) = e { Some(call.clone()) } else { None }).await;
            let GatewayTool::SendPhoto { caption, .. } = &call.tool;
            assert_eq!(caption.as_deref(), Some("A page"), "{version}");
            world.tell(AgentCommand::ToolAnswered { call: call.call, result }).await;
        }
        let said = world.ended().await.text;
        assert!(said.contains("The picture was sent.") && said.contains("There is no such file."), "{version}: {said}");
    }
}

#[tokio::test]
async fn a_stop_ends_the_turn_and_the_next_one_works() {
    for version in VERSIONS {
        let mut world =
            World::new(version, [Script::when("slow").step(Step::text("one two three four five six").hold())]).await;
        world.say("slow").await;
        world.until(|e| matches!(e, E::Partial { .. }).then_some(())).await;
        world.tell(AgentCommand::Interrupt).await;
        assert_eq!(world.ended().await.outcome, TurnOutcome::Interrupted, "{version}");
        assert_eq!(world.turn("and now").await.outcome, TurnOutcome::Completed, "{version}");
    }
}

#[tokio::test]
async fn an_ask_is_withdrawn_when_its_turn_is_stopped() {
    for version in VERSIONS {
        let mut world = World::new(version, [Script::when("go").step(bash("touch one"))]).await;
        world.say("go").await;
        let ask = world.asked().await;
        world.tell(AgentCommand::Interrupt).await;
        let (withdrawn, _) =
            world.until(|e| if let E::Withdrawn { request } = e { Some(request.clone()) } else { None }).await;
        assert_eq!(withdrawn, ask.request, "{version}");
        assert_eq!(world.ended().await.outcome, TurnOutcome::Interrupted, "{version}");
    }
}

#[tokio::test]
async fn every_fault_of_the_model_is_told_apart_and_the_process_lives_on() {
    let status =
        |status, kind: &str, message: &str| Fault::Status { status, kind: kind.into(), message: message.into() };
    let cases = [
        (Fault::KeyRefused, F::KeyRefused),
        (Fault::Forbidden, F::KeyRefused),
        (Fault::CreditTooLow, F::CreditTooLow),
        (Fault::PromptTooLong, F::PromptTooLong),
        (Fault::BadRequest, F::BadRequest),
        (Fault::UnknownModel, F::ModelUnavailable),
        (Fault::RateLimited { retry_after: 1 }, F::RateLimited),
        (Fault::ServerError, F::ServerError(Some(500))),
        (Fault::Overloaded, F::Overloaded),
        (Fault::Cut, F::StreamBroken),
        (Fault::ErrorEvent, F::Overloaded),
        (status(402, "billing_error", "SPEND_CAP: A spending limit is reached."), F::SpendCap),
        (status(403, "permission_error", "SPEND_CAP: A spending limit is reached."), F::SpendCap),
        (status(401, "authentication_error", "NO_KEY: There is no Anthropic key yet."), F::NotLoggedIn),
        (status(401, "authentication_error", "BAD_SANDBOX_TOKEN: The token is not known."), F::Other),
        (status(502, "api_error", "UPSTREAM_UNREACHABLE: It could not be reached."), F::ServerError(None)),
    ];
    for version in VERSIONS {
        let named = |i: usize| format!("case-{i:02}");
        let fails =
            cases.iter().enumerate().map(|(i, (fault, _))| Script::when(named(i)).step(Step::fail(fault.clone())));
        let full = Script::when("full").step(Step::text("and so on").stop(StopReason::MaxTokens));
        let mut world = World::new(version, fails.chain([full])).await;
        let mut mistaken = Vec::new();
        for (i, (fault, expected)) in cases.iter().enumerate() {
            let end = world.turn(&named(i)).await;
            if end.outcome != TurnOutcome::Failed(expected.clone()) {
                mistaken.push((fault, end));
            }
        }
        assert!(mistaken.is_empty(), "{version}: {mistaken:#?}");
        assert_eq!(world.turn("full").await.outcome, TurnOutcome::Failed(F::OutputLimit), "{version}");
        assert_eq!(world.turn("hello").await.outcome, TurnOutcome::Completed, "{version}");
    }
}

#[tokio::test]
async fn a_text_that_begins_with_a_slash_reaches_the_model_and_lanyard_s_own_does_not() {
    for version in VERSIONS {
        let mut world = World::new(version, []).await;
        assert_eq!(world.turn("/cost").await.model_turns, 1, "{version}");
        let command = AgentCommand::Say { id: Uuid::new_v4(), text: "/cost".into(), pictures: vec![], slash: true };
        world.tell(command).await;
        assert_eq!((world.ended().await.model_turns, world.model.count()), (0, 1), "{version}");
    }
}

#[tokio::test]
async fn clearing_gives_the_conversation_a_new_id() {
    for version in VERSIONS {
        let mut world = World::new(version, []).await;
        let before = world.turn("hello").await.agent_session;
        world
            .tell(AgentCommand::Say { id: Uuid::new_v4(), text: "/clear".into(), pictures: vec![], slash: true })
            .await;
        world.ended().await;
        let after = world.turn("hello").await.agent_session;
        assert_ne!(before, after, "{version}");
        assert_eq!(world.agent.control.agent_session(), after, "{version}");
    }
}

#[tokio::test]
async fn a_picture_of_the_owner_s_reaches_the_model() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dot.png");
    let png = std::fs::read(file).unwrap();
    for version in VERSIONS {
        let mut world = World::new(version, []).await;
        let picture = Picture { media_type: "image/png".into(), bytes: png.clone().into() };
        world
            .tell(AgentCommand::Say { id: Uuid::new_v4(), text: "look".into(), pictures: vec![picture], slash: false })
            .await;
        world.ended().await;
        assert!(world.sent().contains("\"media_type\":\"image/png\""), "{version}");
    }
}

#[tokio::test]
async fn thinking_is_told_apart_from_words() {
    for version in VERSIONS {
        let thought = Step {
            blocks: vec![Block::Thinking("Hm, let me see.".into()), Block::Text("Yes.".into())],
            ..Step::default()
        };
        let mut world = World::new(version, [Script::when("think").step(thought)]).await;
        world.say("think").await;
        let (end, before) = world.until(|e| if let E::TurnEnded(end) = e { Some(end.clone()) } else { None }).await;
        assert_eq!(end.text, "Yes.");
        assert!(before.iter().any(|e| matches!(e, E::Thinking { text, .. } if text == "Hm, let me see.")), "{version}");
    }
}

#[tokio::test]
async fn a_conversation_is_resumed_with_its_history() {
    for version in VERSIONS {
        let mut world = World::new(version, [Script::when("first").step(Step::text("The word is heron."))]).await;
        let session = world.turn("first").await.agent_session;
        world.agent.end(Patience::default()).await.unwrap();
        world.agent = start(&world.den, &world.model, Session::Resume(session.clone()), |_| {});
        assert_eq!(world.turn("second").await.agent_session, session, "{version}");
        let last = world.model.requests().pop().unwrap().body.to_string();
        assert!(last.contains("The word is heron."), "{version}");
    }
}

#[tokio::test]
async fn a_session_that_is_unknown_or_in_use_is_never_ready() {
    for version in VERSIONS {
        let mut world = World::new(version, []).await;
        let session: Uuid = world.turn("hello").await.agent_session.parse().unwrap();
        for (session, expected) in [
            (Session::Start(session), F::SessionInUse),
            (Session::Resume(Uuid::new_v4().to_string()), F::UnknownSession),
        ] {
            let mut second = start(&world.den, &world.model, session, |_| {});
            let refused = second.control.ready(DEADLINE).await.unwrap_err();
            assert!(
                matches!(&refused, NotReady::Exited { fault, .. } if *fault == Some(expected.clone())),
                "{version}: {refused:?}"
            );
            let mut events = Vec::new();
            while let Some(event) = second.events.recv().await {
                events.push(event);
            }
            let ends = events
                .iter()
                .filter(|e| matches!(e, E::TurnEnded(end) if end.outcome == TurnOutcome::Failed(expected.clone())));
            assert_eq!(ends.count(), 1, "{version}");
            assert!(matches!(events.last(), Some(E::Exited { status: Some(1), .. })), "{version}: {events:?}");
        }
    }
}

#[tokio::test]
async fn ending_a_busy_process_interrupts_it_and_hands_over_its_last_words() {
    for version in VERSIONS {
        let mut world =
            World::new(version, [Script::when("slow").step(Step::text("one two three four five six").hold())]).await;
        world.say("slow").await;
        world.until(|e| matches!(e, E::Partial { .. }).then_some(())).await;
        let ending = world.agent.end(Patience::default()).await.unwrap();
        let stopped = |e: &E| matches!(e, E::TurnEnded(end) if end.outcome == TurnOutcome::Interrupted);
        assert!(ending.last.iter().any(stopped), "{version}: {ending:?}");
        assert!(matches!(ending.last.last(), Some(E::Exited { .. })), "{version}: {ending:?}");
        assert!(!world.agent.control.alive());
    }
}

#[tokio::test]
async fn the_workspace_s_notes_are_read_but_its_hooks_and_rules_allow_nothing() {
    let allow = json!({ "hookSpecificOutput": { "hookEventName": "PreToolUse", "permissionDecision": "allow" } });
    let hook = json!({ "matcher": "Bash", "hooks": [{ "type": "command", "command": format!("echo '{allow}'") }] });
    let settings = json!({ "permissions": { "allow": ["Bash"] }, "hooks": { "PreToolUse": [hook] } }).to_string();
    for version in VERSIONS {
        let (den, model) =
            (Den::new(version).unwrap(), Anthropic::start([Script::when("go").step(bash("touch one"))]).await.unwrap());
        den.write(".claude/settings.json", &settings).unwrap();
        den.write(".claude/settings.local.json", &settings).unwrap();
        den.write("CLAUDE.md", "The notes mention a heron.").unwrap();
        let agent = start(&den, &model, Session::Start(Uuid::new_v4()), |_| {});
        let mut world = World { den, model, agent };
        world.say("go").await;
        let event = world.until(|e| matches!(e, E::Asked(_) | E::TurnEnded(_)).then(|| e.clone())).await.0;
        assert!(matches!(event, E::Asked(_)), "{version}: {event:?}");
        assert!(world.sent().contains("The notes mention a heron."), "{version}");
    }
}

#[tokio::test]
async fn the_rehearsal_walk_mends_the_project_and_sends_its_picture() {
    for version in VERSIONS {
        let den = Den::new(version).unwrap();
        for (path, contents) in rehearsal::PROJECT {
            den.write(&format!("billing/{path}"), contents).unwrap();
        }
        let model = Anthropic::start([rehearsal::script(
            &den.workspace().to_string_lossy(),
            "cp /etc/hostname /dev/null; echo",
        )])
        .await
        .unwrap();
        let agent = start(&den, &model, Session::Start(Uuid::new_v4()), |_| {});
        let mut world = World { den, model, agent };
        world.say(rehearsal::WORDS).await;
        let (mut asked, mut sent, mut results) = (Vec::new(), 0, Vec::new());
        let end = loop {
            match world.next().await {
                E::Asked(ask) => {
                    world.allow(&ask).await;
                    if let AskAbout::Tool { tool, .. } = ask.about {
                        asked.push(tool);
                    }
                }
                E::Called(call) => {
                    sent += 1;
                    world.tell(AgentCommand::ToolAnswered { call: call.call, result: Ok("Sent.".into()) }).await;
                }
                E::ToolFinished { text, .. } => results.push(text),
                E::TurnEnded(end) => break end,
                _ => {}
            }
        };
        assert!(end.text.starts_with("Done: ") && sent == 1, "{version}: {end:?}");
        assert!(asked.contains(&"Edit".to_owned()), "{version}: {asked:?}");
        let mended = std::fs::read_to_string(world.den.workspace().join("billing/src/invoice.js")).unwrap();
        assert!(mended.contains(rehearsal::MENDED.1), "{version}");
        let (failed, passed) = (&results[2], &results[4]);
        assert!(failed.contains("# fail 2") || failed.contains("ℹ fail 2"), "{version}: {failed}");
        assert!(passed.contains("# fail 0") || passed.contains("ℹ fail 0"), "{version}: {passed}");
    }
}

/// A process that says what it is told to, for what the real one will not do.
fn puppet(stdout: impl IntoIterator<Item = Bytes>, events_forever: bool) -> Process {
    let chunks = futures::stream::iter(stdout.into_iter().map(Chunk::Stdout).collect::<Vec<_>>());
    let output = if events_forever { chunks.chain(futures::stream::pending()).boxed() } else { chunks.boxed() };
    let io = ProcessIo {
        stdin: Box::new(tokio::io::sink()),
        output,
        status: Box::pin(async { Some(0) }),
        kill: Box::new(|_| Box::pin(async { Ok(Ended::Killed(1)) })),
    };
    Process::spawn(io, Default::default())
}

#[tokio::test]
async fn a_slow_driver_loses_partial_words_and_nothing_else() {
    let start = json!({ "type": "stream_event", "event": { "type": "message_start", "message": { "id": "m" } } });
    let delta = json!({ "type": "stream_event", "event": { "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "x" } } });
    let text =
        json!({ "type": "assistant", "message": { "id": "m", "content": [{ "type": "text", "text": "whole" }] } });
    let mut lines = vec![format!("{start}\n")];
    lines.extend((0..3000).flat_map(|_| [format!("{delta}\n"), format!("{delta}\n"), format!("{text}\n")]));
    let mut agent = puppet(lines.into_iter().map(Bytes::from), false);
    while agent.events.len() < agent.events.max_capacity() {
        tokio::task::yield_now().await;
    }
    let (mut texts, mut partials) = (0, 0);
    while let Some(event) = agent.events.recv().await {
        match event {
            E::Text { .. } => texts += 1,
            E::Partial { .. } => partials += 1,
            _ => {}
        }
    }
    assert_eq!(texts, 3000);
    assert!(partials < 6000, "some were dropped while nobody took them");
}

#[tokio::test]
async fn a_process_that_will_not_leave_is_killed_within_its_patience() {
    let mut agent = puppet([], true);
    let patience = Patience { interrupt: Duration::from_millis(50), leave: Duration::from_millis(50) };
    let ending = agent.end(patience).await.unwrap();
    assert_eq!(ending.how, Ended::Killed(1));
}
