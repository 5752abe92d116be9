//! Our check and the stand-in's signatures against Twilio's own libraries, over random webhooks.

use accounts::twilio::{Called, Proof, Signer};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde::Serialize;
use standins::{oracle, twilio::sign};
use std::process::Command;

const CASES: usize = 400;
const NAMES: &[&str] = &["Body", "From", "To", "MessageSid", "body", "Body2", "é", "A b", "NumMedia", "x&y", ""];
const VALUES: &[&str] =
    &["", " ", "yes", "+15551230001", "a=b&c", "é😀", "line\r\nline", "0", "%41", "\u{7f}", "日本", "  padded "];
const BASES: &[&str] = &[
    "https://desk.example",
    "https://desk.example:8443",
    "http://desk.example",
    "http://10.0.0.1:3001",
    "https://a-b.c.example:443",
];
const PATHS: &[&str] = &["/sms", "/sms?x=1", "/a%20b?q=%C3%A9&q=2", "/", "/sms?empty=&b"];

#[derive(Serialize)]
struct Case {
    token: String,
    url: String,
    pairs: Vec<(String, String)>,
    body: Option<String>,
    settings: String,
    ours: String,
    #[serde(skip)]
    base: &'static str,
    #[serde(skip)]
    path: String,
}

impl Case {
    fn random(random: &mut StdRng) -> Self {
        let pick = |random: &mut StdRng, from: &[&'static str]| *from.choose(random).unwrap();
        let base = pick(random, BASES);
        let path = pick(random, PATHS).to_owned();
        let url = format!("{base}{path}");
        let token = format!("{:032x}", random.random::<u128>());
        let count = random.random_range(0..25);
        let pairs: Vec<_> =
            (0..count).map(|_| (pick(random, NAMES).to_owned(), pick(random, VALUES).to_owned())).collect();
        let ours = sign(&token, &url, &pairs);
        Self { token, url, pairs, body: None, settings: String::new(), ours, base, path }
    }

    /// Signed over its address alone, which carries the hash of the body.
    fn with_body(random: &mut StdRng) -> Self {
        let mut case = Self::random(random);
        let body = format!("{{\"a\":\"{}\"}}", VALUES.choose(random).unwrap().replace(|c: char| c.is_control(), "."));
        let hash: String = <sha2::Sha256 as sha2::Digest>::digest(&body).iter().map(|b| format!("{b:02x}")).collect();
        case.path = format!("/json?bodySHA256={hash}");
        case.url = format!("{}{}", case.base, case.path);
        case.ours = sign(&case.token, &case.url, &[]);
        (case.pairs, case.body) = (Vec::new(), Some(body));
        case
    }

    fn holds(&self, signature: &str) -> bool {
        let secret = self.token.as_str().into();
        let signer = Signer::new(&secret).with_shared_key(&secret);
        let called = Called { base: self.base, path_and_query: &self.path };
        let proof = Proof { signature, settings: Some(&self.settings) };
        match &self.body {
            Some(body) => signer.verify_body(called, body.as_bytes(), proof),
            None => signer.verify_form(called, &self.pairs, proof),
        }
    }
}

/// Asks the library for its signature of each case and for its opinion of ours.
fn check(mut library: Command, cases: &[Case]) {
    let input = serde_json::to_value(cases).unwrap();
    let answers: Vec<(String, bool)> = serde_json::from_value(oracle::ask(&mut library, &input).unwrap()).unwrap();
    assert_eq!(answers.len(), cases.len());
    for (case, (theirs, accepted)) in cases.iter().zip(answers) {
        let shown = serde_json::to_string(case).unwrap();
        assert!(case.holds(&theirs), "their signature does not hold: {theirs} {shown}");
        let sha1 = case.settings.is_empty();
        assert_eq!(accepted, sha1, "what they say of the stand-in's signature: {shown}");
        assert_eq!(case.holds(&case.ours), sha1, "what we say of it: {shown}");
        let mut wrong: Vec<char> = theirs.chars().collect();
        wrong[3] = if wrong[3] == 'A' { 'B' } else { 'A' };
        assert!(!case.holds(&wrong.into_iter().collect::<String>()), "a wrong one holds: {shown}");
    }
}

fn cases() -> Vec<Case> {
    let seed = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    (0..CASES).map(|n| if n % 5 == 0 { Case::with_body(&mut random) } else { Case::random(&mut random) }).collect()
}

fn python() -> Command {
    let mut library = Command::new(oracle::python(&["twilio==9.13.0"]).unwrap());
    library.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/signatures.py"));
    library
}

#[test]
fn the_python_library_agrees_on_every_signature() {
    check(python(), &cases());
}

#[test]
fn the_python_library_agrees_on_shared_keys() {
    let mut cases = cases();
    for case in &mut cases {
        case.settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256".to_owned();
    }
    check(python(), &cases);
}

#[test]
fn the_node_library_agrees_on_every_signature() {
    let modules = oracle::node(&["twilio@6.2.0"]).unwrap();
    let mut library = Command::new("node");
    library
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/signatures.js"))
        .env("NODE_PATH", modules.join("node_modules"));
    check(library, &cases());
}
