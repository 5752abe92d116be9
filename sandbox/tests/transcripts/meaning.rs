//! What every recording means.

use super::recorded::{Transcript, VERSIONS};
use domain::agent::{AgentEvent as E, AgentFault as F, AskAbout, Notice, Rule, TurnOutcome};
use sandbox::agent::Heard;
use std::fmt::Write as _;

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
            E::Took { .. } => "took".into(),
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
