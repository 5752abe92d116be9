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
/// Several code points that are one character to a reader, wholly or by some rules only: families, flags, flags with a
/// mark, accents, skin tones (after a sign that takes none, too), signs that newer rules join, syllables in parts.
const JOINED: &[&str] = &[
    "👨‍👩‍👧",
    "🇩🇪",
    "🇩",
    "🇩🇪\u{301}\u{301}",
    "e\u{301}",
    "👍🏽",
    "👍\u{fe0f}🏽",
    "x🏽",
    "🏴‍☠️",
    "🏳️‍🌈",
    "🧑‍🚀",
    "❤️‍🔥",
    "1\u{fe0f}\u{20e3}",
    "क्षि",
    "ำ",
    "\u{600}1",
    "\u{1112}\u{1161}\u{11ab}",
    "각\u{11a8}",
    "\u{200d}",
    "\u{301}",
];
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

#[test]
fn joined_characters_are_counted_as_twilio_counts_them() {
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let pieces = [PIECES, JOINED, JOINED, JOINED].concat();
    let texts: Vec<String> = (0..3000).map(|_| text(&mut random, &pieces)).collect();
    for (text, theirs) in texts.iter().zip(theirs(&texts)) {
        assert_eq!(ours(text), theirs, "seed {seed}: {text:?}");
    }
}

/// Any character of Unicode beside any other, at the end of a segment where it counts whether they are one.
#[test]
fn any_two_characters_are_joined_where_twilio_joins_them() {
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let mut texts = Vec::new();
    while texts.len() < 4000 {
        let c =
            if random.random_bool(0.3) { random.random_range(0x300..0x3100) } else { random.random_range(0..0x1F_A00) };
        let Some(c) = char::from_u32(c) else { continue };
        let before: String = "ж".repeat(random.random_range(60..67));
        let other = JOINED.choose(&mut random).unwrap();
        texts.push(format!("{before}{c}{other}{c}{}", "ж".repeat(random.random_range(55..64))));
    }
    for (text, theirs) in texts.iter().zip(theirs(&texts)) {
        assert_eq!(ours(text), theirs, "seed {seed}: {text:?}");
    }
}
