//! Too much, cut anywhere, broken, of another kind: it is read all the same.

use super::recorded::Transcript;
use bytes::Bytes;
use domain::agent::{AgentEvent as E, Notice};
use proptest::prelude::*;
use sandbox::agent::{Heard, Options, Reader};
use serde_json::{Value, json};

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
