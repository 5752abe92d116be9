//! `domain::segments` against Twilio's own calculator, over random texts.

use domain::segments::{self, Alphabet};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::json;
use standins::oracle;
use std::process::Command;

/// Plain letters, the extension table, accents outside GSM-7, astral characters, line ends: one code point each.
const PIECES: &[&str] = &[
    "a",
    "word ",
    "é",
    "ñ",
    "@",
    "_",
    "€",
    "[",
    "]",
    "{",
    "}",
    "\\",
    "^",
    "~",
    "|",
    "\n",
    "\r\n",
    "\u{c}",
    "ê",
    "ж",
    "日本",
    "“",
    "😀",
    "Δ",
    "Ω",
    "ç",
    "Ç",
    "`",
    "\t",
    "0123456789",
];
/// Several code points that are one character to a reader.
const JOINED: &[&str] = &["👨‍👩‍👧", "🇩🇪", "e\u{301}", "👍🏽"];
/// Lengths around the ends of segments, in characters.
const LENGTHS: &[usize] = &[1, 20, 66, 67, 68, 70, 71, 133, 135, 152, 153, 154, 160, 161, 305, 306, 307, 460];

fn text(random: &mut StdRng, pieces: &[&str]) -> String {
    let gsm = random.random_bool(0.6);
    let wanted = *LENGTHS.choose(random).unwrap();
    let mut text = String::new();
    while text.chars().count() < wanted {
        let piece = if random.random_bool(0.7) { "a" } else { pieces.choose(random).unwrap() };
        if !gsm || segments::alphabet(piece) == Alphabet::Gsm7 {
            text.push_str(piece);
        }
    }
    text
}

/// The calculator's alphabet and number of segments for each text.
fn theirs(texts: &[String]) -> Vec<(String, usize)> {
    let modules = oracle::node(&["sms-segments-calculator@1.3.0"]).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/segments.js");
    let mut calculator = Command::new("node");
    calculator.arg(script).env("NODE_PATH", modules.join("node_modules"));
    serde_json::from_value(oracle::ask(&mut calculator, &json!(texts)).unwrap()).unwrap()
}

fn ours(text: &str) -> (String, usize) {
    let count = segments::count(text);
    let alphabet = match count.alphabet {
        Alphabet::Gsm7 => "GSM-7",
        Alphabet::Ucs2 => "UCS-2",
    };
    (alphabet.to_owned(), count.segments)
}

#[test]
fn segments_are_counted_as_twilio_counts_them() {
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let texts: Vec<String> = (0..2000).map(|_| text(&mut random, PIECES)).collect();
    for (text, theirs) in texts.iter().zip(theirs(&texts)) {
        assert_eq!(ours(text), theirs, "seed {seed}: {text:?}");
    }
}

/// Twilio's calculator does not part a joined character at the end of a segment, which may take it one segment more;
/// phones put the parts together again.
#[test]
fn joined_characters_change_the_count_by_one_at_most() {
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let pieces = [PIECES, JOINED].concat();
    let texts: Vec<String> = (0..1000).map(|_| text(&mut random, &pieces)).collect();
    for (text, (alphabet, segments)) in texts.iter().zip(theirs(&texts)) {
        let ours = ours(text);
        assert_eq!(ours.0, alphabet, "seed {seed}: {text:?}");
        assert!((ours.1..=ours.1 + 1).contains(&segments), "seed {seed}: {segments} {ours:?} {text:?}");
    }
}
