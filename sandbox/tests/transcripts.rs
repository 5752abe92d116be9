//! Recorded lines of every Claude Code version met, against what we make of them.

use bytes::Bytes;
use domain::agent::{
    AgentCommand, AgentEvent as E, AgentFault as F, AskAbout, CallId, GatewayTool, Notice, Rule, TurnOutcome,
};
use proptest::prelude::*;
use sandbox::agent::{Heard, Options, Reader, encode};
use serde_json::{Value, json};
use std::{fmt::Write as _, path::PathBuf};

const VERSIONS: [&str; 2] = ["v2.1.197", "v2.1.329"];

struct Transcript {
    name: String,
    status: Option<i64>,
    lines: Vec<(String, Value)>,
}

impl Transcript {
    fn all(version: &str) -> Vec<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(version);
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| Self::read(&file)).collect()
    }

    fn named(version: &str, name: &str) -> Option<Self> {
        Self::all(version).into_iter().find(|t| t.name == name)
    }

    fn read(file: &std::path::Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let mut lines = text.lines().filter(|l| !l.is_empty()).map(|l| serde_json::from_str::<Value>(l).unwrap());
        let status = lines.next().unwrap()["rc"].as_i64();
        let lines = lines.map(|mut l| (l["dir"].as_str().unwrap().to_owned(), l["msg"].take())).collect();
        Self { name: file.file_stem().unwrap().to_string_lossy().into_owned(), status, lines }
    }

    /// The bytes of one direction.
    fn bytes(&self, direction: &str) -> Vec<u8> {
        let of = self.lines.iter().filter(|(d, _)| d == direction);
        of.flat_map(|(_, m)| format!("{}\n", m.as_str().map_or_else(|| m.to_string(), str::to_owned)).into_bytes())
            .collect()
    }

    fn heard(&self) -> Vec<Heard> {
        let mut reader = Reader::new(&Options::default());
        let mut heard = reader.stdout(self.bytes("out").into());
        heard.extend(reader.stderr(self.bytes("err").into()));
        heard.extend(reader.finish(self.status));
        heard
    }

    fn events(&self) -> Vec<E> {
        let event = |heard| if let Heard::Event(event) = heard { Some(event) } else { None };
        self.heard().into_iter().filter_map(event).collect()
    }

    fn outcomes(&self) -> Vec<TurnOutcome> {
        let end = |event| if let E::TurnEnded(end) = event { Some(end.outcome) } else { None };
        self.events().into_iter().filter_map(end).collect()
    }
}

#[test]
fn every_transcript_means_what_it_meant() {
    for version in VERSIONS {
        let mut all = String::new();
        for transcript in Transcript::all(version) {
            writeln!(all, "\n== {}", transcript.name).unwrap();
            all.push_str(&compact(&transcript.heard()));
        }
        insta::assert_snapshot!(version, all);
    }
}

/// One line for each event, partial words summed up, ids and numbers of no meaning left out.
fn compact(heard: &[Heard]) -> String {
    let mut text = String::new();
    let mut partial = (0, 0);
    for heard in heard {
        if let Heard::Event(E::Partial { text: words, offset, .. }) = heard {
            partial = (partial.0 + 1, offset + words.len());
            continue;
        }
        if partial.0 > 0 {
            writeln!(text, "partial: {} pieces, {} bytes in the last block", partial.0, partial.1).unwrap();
            partial = (0, 0);
        }
        writeln!(text, "{}", shown(heard)).unwrap();
    }
    text
}

fn shown(heard: &Heard) -> String {
    match heard {
        Heard::Reply(line) => format!("reply {}", cut(line, 160)),
        Heard::Ready { pid } => format!("ready {}", if pid.is_some() { "with a pid" } else { "without a pid" }),
        Heard::Event(event) => match event {
            E::TurnStarted { model, mode, version, .. } => format!("turn started: {model} {mode:?} {version}"),
            E::Text { text, .. } => format!("text {}", cut(text, 90)),
            E::Thinking { text, .. } => format!("thinking {}", cut(text, 90)),
            E::ToolUsed { tool, input, parent, .. } => {
                format!(
                    "tool {tool} {}{}",
                    cut(&input.to_string(), 90),
                    if parent.is_some() { " (subagent)" } else { "" }
                )
            }
            E::ToolFinished { ok, text, pictures, detail, .. } => {
                let keys: Vec<&str> =
                    detail.iter().filter_map(|d| d.as_object()).flatten().map(|(k, _)| k.as_str()).collect();
                format!("tool finished: ok {ok} {} {pictures:?} {}", cut(text, 70), keys.join(","))
            }
            E::Asked(ask) => match &ask.about {
                AskAbout::Tool { tool, why, rules, .. } => {
                    let rules: Vec<String> = rules.iter().map(Rule::as_flag).collect();
                    format!("asked: {tool} why {why:?} always {rules:?}")
                }
                AskAbout::Question { questions, .. } => {
                    let short = |q: &domain::agent::Question| {
                        format!("{} several {} {}", q.question, q.several, q.options.len())
                    };
                    format!("asked: {}", questions.iter().map(short).collect::<Vec<_>>().join(" | "))
                }
                AskAbout::Plan { plan, .. } => format!("asked: plan {}", cut(plan, 40)),
            },
            E::Withdrawn { .. } => "withdrawn".into(),
            E::Called(call) => format!("called {:?} {}", call.tool, call.call.rpc),
            E::Retrying { attempt, of, status, error, .. } => format!("retrying {attempt}/{of} {status:?} {error}"),
            E::TurnEnded(end) => format!(
                "turn ended: {:?} {} unasked {} tokens {}/{} turns {} cost {} denied {:?}",
                end.outcome,
                cut(&end.text, 70),
                end.unasked,
                end.tokens.input,
                end.tokens.output,
                end.model_turns,
                end.process_cost.map(|c| c.to_string()).unwrap_or_default(),
                end.denials
            ),
            E::ConversationReset { .. } => "conversation reset".into(),
            other => cut(&format!("{other:?}"), 160),
        },
    }
}

fn cut(text: &str, most: usize) -> String {
    let short: String = text.chars().take(most).collect();
    format!("{short:?}{}", if short.len() < text.len() { "…" } else { "" })
}

/// Names as recorded, `None` where a version has no such recording.
fn faults() -> Vec<(&'static str, F)> {
    vec![
        ("05-error-credit", F::CreditTooLow),
        ("05-error-cut", F::StreamBroken),
        ("05-error-e400", F::PromptTooLong),
        ("05-error-e401", F::KeyRefused),
        ("05-error-e403", F::KeyRefused),
        ("05-error-e404", F::ModelUnavailable),
        ("05-error-maxtok", F::OutputLimit),
        ("05-error-midstream", F::StreamBroken),
        ("06-error-429-max2", F::RateLimited),
        ("06-error-500-default", F::ServerError(Some(500))),
        ("06-error-500-max2", F::ServerError(Some(500))),
        ("06-error-529-default", F::Overloaded),
        ("06-error-529-max2", F::Overloaded),
        ("13b-session-id-reuse", F::SessionInUse),
        ("17-resume-unknown", F::UnknownSession),
        ("44-swap-badtoken", F::KeyRefused),
        ("45-no-key-at-all", F::NotLoggedIn),
        ("47-https-proxy-real-host", F::KeyRefused),
    ]
}

#[test]
fn every_recorded_error_has_its_fault_and_its_code() {
    let mut checked = 0;
    for version in VERSIONS {
        for (name, fault) in faults() {
            let Some(transcript) = Transcript::named(version, name) else { continue };
            assert_eq!(transcript.outcomes().first(), Some(&TurnOutcome::Failed(fault.clone())), "{version} {name}");
            assert!((400..600).contains(&fault.code().entry().status));
            checked += 1;
        }
    }
    assert_eq!(checked, 18 + 10, "none was passed over");
}

#[test]
fn a_stop_is_an_interruption_and_the_next_turn_completes() {
    for version in VERSIONS {
        let stopped = Transcript::named(version, "07-interrupt-stream").unwrap().outcomes();
        assert_eq!(stopped, [TurnOutcome::Interrupted, TurnOutcome::Completed], "{version}");
        let denied = Transcript::named(version, "24-perm-deny-interrupt").unwrap().outcomes();
        assert_eq!(denied.first(), Some(&TurnOutcome::Interrupted), "{version}");
        let idle = Transcript::named(version, "09-interrupt-idle").unwrap().outcomes();
        assert!(idle.iter().all(|o| *o == TurnOutcome::Completed), "{version}");
    }
}

#[test]
fn no_recorded_line_is_unknown_or_garbage() {
    for transcript in VERSIONS.iter().flat_map(|v| Transcript::all(v)) {
        for event in transcript.events() {
            let known = !matches!(event, E::Unknown { .. } | E::Notice(Notice::Garbage { .. }));
            assert!(known, "{}: {event:?}", transcript.name);
        }
    }
}

#[test]
fn finished_text_repeats_its_partial_words() {
    for transcript in VERSIONS.iter().flat_map(|v| Transcript::all(v)) {
        let mut streamed = String::new();
        for event in transcript.events() {
            match event {
                E::Partial { offset, text, kind: domain::agent::PartialKind::Text, .. } => {
                    streamed.truncate(offset);
                    assert_eq!(streamed.len(), offset, "{}", transcript.name);
                    streamed += &text;
                }
                E::Text { text, .. } if !streamed.is_empty() => {
                    assert_eq!(std::mem::take(&mut streamed), text, "{}", transcript.name);
                }
                E::TurnEnded(_) => streamed.clear(),
                _ => {}
            }
        }
    }
}

/// The command that says the same as a recorded line; `None` for requests we never make.
fn command(line: &Value) -> Option<AgentCommand> {
    let request = line["response"]["request_id"].as_str().unwrap_or_default().to_owned();
    let answer = &line["response"]["response"];
    let modes = domain::PermissionMode::ALL;
    let mode = |v: &Value| modes.into_iter().find(|m| Some(m.as_str()) == v.as_str());
    match (line["type"].as_str()?, line["request"]["subtype"].as_str(), answer["behavior"].as_str()) {
        ("user", ..) => {
            let text = line["message"]["content"].as_str()?.to_owned();
            Some(AgentCommand::Say { id: uuid::Uuid::nil(), text, pictures: vec![], slash: true })
        }
        ("control_request", Some("interrupt"), _) => Some(AgentCommand::Interrupt),
        ("control_request", Some("set_permission_mode"), _) => {
            mode(&line["request"]["mode"]).map(AgentCommand::SetMode)
        }
        ("control_request", Some("set_model"), _) => {
            Some(AgentCommand::SetModel(line["request"]["model"].as_str()?.into()))
        }
        ("control_response", _, Some("allow")) => {
            let update =
                |kind: &str| answer["updatedPermissions"].as_array().into_iter().flatten().find(|u| u["type"] == kind);
            let rule = |r: &Value| Rule {
                tool: r["toolName"].as_str().unwrap().into(),
                content: r["ruleContent"].as_str().map(Into::into),
            };
            let always = update("addRules").map(|u| u["rules"].as_array().unwrap().iter().map(rule).collect());
            Some(AgentCommand::Allow {
                request,
                input: answer.get("updatedInput")?.clone(),
                always: always.unwrap_or_default(),
                mode: update("setMode").and_then(|u| mode(&u["mode"])),
            })
        }
        ("control_response", _, Some("deny")) => Some(AgentCommand::Deny {
            request,
            message: answer["message"].as_str()?.into(),
            interrupt: answer["interrupt"] == true,
        }),
        ("control_response", ..) if answer["mcp_response"]["result"].get("content").is_some() => {
            let rpc = answer["mcp_response"]["id"].clone();
            Some(AgentCommand::ToolAnswered { call: CallId { request, rpc }, result: Ok("sent".into()) })
        }
        _ => None,
    }
}

#[test]
fn what_we_say_has_the_recorded_shape() {
    let mut said = 0;
    for transcript in VERSIONS.iter().flat_map(|v| Transcript::all(v)) {
        for (_, line) in transcript.lines.iter().filter(|(direction, _)| direction == "in") {
            // Recorded to see what a suggestion does that is echoed as it came: we never do.
            if transcript.name == "27-perm-suggestions" {
                continue;
            }
            let Some(command) = command(line) else { continue };
            let ours: Value = serde_json::from_str(&encode(&command)).unwrap();
            holds(&ours, line, &transcript.name);
            said += 1;
        }
    }
    assert!(said > 200, "{said} lines were compared");
}

/// Everything in `theirs` is in `ours`, with the same value; ids of our own requests are our own.
fn holds(ours: &Value, theirs: &Value, at: &str) {
    match theirs {
        Value::Object(map) => map.iter().filter(|(k, _)| *k != "uuid" && *k != "_t").for_each(|(key, value)| {
            if key == "request_id" && theirs["type"] == "control_request" {
                assert!(ours[key].is_string(), "{at}: {key}");
            } else {
                holds(&ours[key], value, &format!("{at}.{key}"));
            }
        }),
        other => assert_eq!(ours, other, "{at}"),
    }
}

#[test]
fn the_recorded_handshake_of_an_own_tool_is_answered_in_the_recorded_shape() {
    for version in VERSIONS {
        let transcript = Transcript::named(version, "39-sdk-mcp").unwrap();
        let out = String::from_utf8(transcript.bytes("out")).unwrap();
        let out = out.replace("\"server_name\":\"gw\"", "\"server_name\":\"lanyard\"");
        let heard = Reader::new(&Options::default()).stdout(out.into());
        let theirs = transcript
            .lines
            .iter()
            .filter(|(d, m)| d == "in" && m["response"]["response"].get("mcp_response").is_some());
        let theirs: Vec<&Value> = theirs.map(|(_, m)| m).collect();
        let mut answered = 0;
        for heard in &heard {
            let ours: Value = match heard {
                Heard::Reply(line) => serde_json::from_str(line).unwrap(),
                Heard::Event(E::Called(call)) => {
                    let GatewayTool::SendPhoto { path, caption } = &call.tool;
                    assert_eq!((path.as_str(), caption.as_deref()), ("/workspace/shot.png", Some("hi")));
                    let answer = AgentCommand::ToolAnswered { call: call.call.clone(), result: Ok("sent".into()) };
                    serde_json::from_str(&encode(&answer)).unwrap()
                }
                _ => continue,
            };
            let same = |t: &&&Value| t["response"]["request_id"] == ours["response"]["request_id"];
            let theirs = theirs.iter().find(same).expect("a recorded answer");
            let (ours, theirs) =
                (&ours["response"]["response"]["mcp_response"], &theirs["response"]["response"]["mcp_response"]);
            assert_eq!(ours["id"], theirs["id"]);
            let keys = |v: &Value| {
                v["result"].as_object().unwrap().keys().filter(|k| *k != "isError").cloned().collect::<Vec<_>>()
            };
            assert_eq!(keys(ours), keys(theirs), "{version}");
            answered += 1;
        }
        assert_eq!(answered, theirs.len(), "{version}");
    }
}

#[test]
fn a_request_nobody_knows_is_answered_with_an_error() {
    let line = json!({ "type": "control_request", "request_id": "r9", "request": { "subtype": "hook_callback", "callback_id": "h" } });
    let heard = Reader::new(&Options::default()).stdout(format!("{line}\n").into());
    let [Heard::Reply(reply)] = &heard[..] else { panic!("{heard:?}") };
    let reply: Value = serde_json::from_str(reply).unwrap();
    assert_eq!((&reply["response"]["subtype"], &reply["response"]["request_id"]), (&json!("error"), &json!("r9")));
}

#[test]
fn a_line_of_50_mb_is_dropped_without_being_kept() {
    let mut reader = Reader::new(&Options::default());
    let chunk = Bytes::from(vec![b'x'; 1_000_000]);
    for _ in 0..50 {
        assert_eq!(reader.stdout(chunk.clone()), []);
    }
    let heard = reader.stdout(Bytes::from_static(b"\n{\"type\":\"keep_alive\"}\n"));
    assert_eq!(heard, [Heard::Event(E::Notice(Notice::Garbage { bytes: 50_000_000 }))]);
}

#[test]
fn a_turn_that_prints_too_much_is_capped_once_and_still_ends() {
    let mut reader = Reader::new(&Options { turn_cap: 5_000, ..Options::default() });
    let transcript = Transcript::named("v2.1.329", "60-session-state").unwrap();
    let heard = reader.stdout(transcript.bytes("out").into());
    let count = |of: fn(&E) -> bool| heard.iter().filter(|h| matches!(h, Heard::Event(e) if of(e))).count();
    assert_eq!(count(|e| matches!(e, E::Notice(Notice::OutputCapped { cap: 5_000 }))), 1);
    assert_eq!((count(|e| matches!(e, E::Asked(_))), count(|e| matches!(e, E::TurnEnded(_)))), (1, 1));
    assert_eq!(count(|e| matches!(e, E::Activity(_))), 4);
    assert_eq!(count(|e| matches!(e, E::Text { .. })), 0, "the last words came after the cap");
}

#[test]
fn the_cap_is_each_turn_s_own() {
    let mut reader = Reader::new(&Options { turn_cap: 9_000, ..Options::default() });
    let transcript = Transcript::named("v2.1.329", "03-multi-turn").unwrap();
    let heard = reader.stdout(transcript.bytes("out").into());
    assert!(!heard.iter().any(|h| matches!(h, Heard::Event(E::Notice(Notice::OutputCapped { .. })))));
}

#[test]
fn what_is_not_utf_8_is_read_all_the_same() {
    let mut reader = Reader::new(&Options::default());
    let line =
        b"{\"type\":\"assistant\",\"message\":{\"id\":\"m\",\"content\":[{\"type\":\"text\",\"text\":\"a\xffb\"}]}}\n";
    let heard = reader.stdout(Bytes::from_static(line));
    assert_eq!(heard, [Heard::Event(E::Text { message: "m".into(), text: "a\u{fffd}b".into() })]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_cutting_gives_the_same_events(cuts in prop::collection::vec(1usize..40_000, 1..20)) {
        let transcript = Transcript::named("v2.1.329", "29-perm-parallel").unwrap();
        let bytes = Bytes::from(transcript.bytes("out"));
        let mut whole = Reader::new(&Options::default());
        let expected = whole.stdout(bytes.clone());
        let (mut reader, mut got, mut from) = (Reader::new(&Options::default()), Vec::new(), 0);
        for size in cuts.iter().cycle() {
            let to = (from + size).min(bytes.len());
            got.extend(reader.stdout(bytes.slice(from..to)));
            from = to;
            if from == bytes.len() {
                break;
            }
        }
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn any_bytes_at_all_end_in_an_exit(chunks in prop::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let mut reader = Reader::new(&Options::default());
        for chunk in chunks {
            reader.stdout(chunk.clone().into());
            reader.stderr(chunk.into());
        }
        let exited = matches!(reader.finish(None).last(), Some(Heard::Event(E::Exited { .. })));
        prop_assert!(exited);
    }

    /// Recorded lines with one value replaced by one of another kind.
    #[test]
    fn a_field_of_another_kind_never_panics(at in any::<prop::sample::Index>(), path in any::<u64>(), with in 0usize..6) {
        let lines = Transcript::named("v2.1.329", "22-perm-allow").unwrap().lines;
        let mut line = lines[at.index(lines.len())].1.clone();
        let odd = [json!(null), json!(-1), json!("x"), json!([[]]), json!({ "a": 1e300 }), json!(true)][with].clone();
        replace(&mut line, path, odd);
        let mut reader = Reader::new(&Options::default());
        reader.stdout(format!("{line}\n").into());
    }
}

/// Follows `path` down and replaces what is there.
fn replace(value: &mut Value, path: u64, with: Value) {
    let down = match value {
        Value::Object(map) if !map.is_empty() && path % 4 != 3 => {
            let n = path as usize % map.len();
            map.values_mut().nth(n)
        }
        Value::Array(items) if !items.is_empty() && path % 4 != 3 => {
            let n = path as usize % items.len();
            items.get_mut(n)
        }
        _ => None,
    };
    match down {
        Some(inner) => replace(inner, path / 5, with),
        None => *value = with,
    }
}
