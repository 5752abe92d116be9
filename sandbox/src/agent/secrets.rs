//! Secrets of known shapes, taken out of text. Shapes as their makers publish them, as secret scanners look for them; beside
//! them whatever is given to a name that says it is secret.

use regex::{Captures, Regex};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

/// What stands in a secret's place.
const GONE: &str = "[secret taken out]";

/// What comes before the secret and is kept is group `k`; a value that may as well be no secret is group `v`.
static SHAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let shapes = [
        // Private keys, whole or without their end.
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
        // Anthropic and OpenAI.
        r"\bsk-[A-Za-z0-9_-]{16,}",
        // GitHub and GitLab.
        r"\bgh[pousr]_[A-Za-z0-9]{20,}",
        r"\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"\bgl(?:pat|ptt|dt|rt|cbt|ft|soat)-[A-Za-z0-9_-]{16,}",
        // AWS: the key's id; the key itself has no shape but its name's.
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
        // Slack, Google, Stripe, Twilio, SendGrid, npm, PyPI, Hugging Face, ngrok's and others' like them.
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"\bhooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
        r"\bAIza[A-Za-z0-9_-]{35}",
        r"\bya29\.[A-Za-z0-9_-]{20,}",
        r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"\bwhsec_[A-Za-z0-9+/=]{16,}",
        r"\bSK[0-9a-f]{32}\b",
        r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"\bnpm_[A-Za-z0-9]{30,}",
        r"\bpypi-[A-Za-z0-9_-]{40,}",
        r"\bhf_[A-Za-z0-9]{30,}",
        r"\b[A-Za-z0-9]{26,28}_[A-Za-z0-9]{19,22}\b",
        // JSON web tokens.
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*",
        // A password in an address, a bearer token, a value with a telling name.
        r"(?P<k>://[^\s:/@]{0,100}:)[^\s:/@]{3,}@",
        r"(?P<k1>(?i:\b(?:bearer|basic)\s+))(?P<v1>[A-Za-z0-9._~+/-]{16,}=*)",
        r#"(?P<k2>(?i:(?:secret|token|passw(?:or)?d|passphrase|api_?-?key|access_?-?key|private_?-?key|auth)[\w-]*)\\?["']?\s*(?::|=|=>)\s*\\?["']?)(?P<v2>[A-Za-z0-9._~+/=-]{16,})"#,
        // As a command is given it: an option, a user with a password, a variable, a field whose name leaves no doubt.
        r#"(?P<k3>--[a-z-]*(?:token|passw(?:or)?d|passphrase|secret|api-?key)[= ]\\?["']?)[^\s"'\\$<-][^\s"'\\]{5,}"#,
        r#"(?P<k4>\s(?:-u|--user)[= ]?\\?["']?[^\s"':/]{1,100}:)[^\s"'\\]*[^\s"'\\0-9][^\s"'\\]*"#,
        r#"(?P<k5>\b[A-Z0-9_]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)[A-Z0-9_]*=)(?:\\?"[^"$]{4,}?\\?"|'[^']{4,}'|[^\s"'\\$<;&|)]{6,})"#,
        r#"(?P<k6>(?i:passw(?:or)?d|passphrase)\\?["']?\s*(?::|=|=>)\s*\\?["'])[^\s"'\\]{4,}"#,
    ];
    // Each is held by a test; one that does not compile would be found there.
    Regex::new(&shapes.join("|")).ok()
});

static TELLING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:secret|token|passw(?:or)?d|passphrase|api_?-?key|access_?-?key|private_?-?key)$").ok()
});

/// The owner's own secrets, which have to have no shape to be known.
#[derive(Clone, Default)]
pub struct Known(Arc<[SecretString]>);

impl Known {
    pub fn of(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        // A short one would be found everywhere.
        Self(secrets.into_iter().filter(|secret| secret.expose_secret().len() >= 12).collect())
    }

    /// The text with asterisks in place of them and of what has a secret's shape, as long as it was.
    pub fn veil(&self, text: &str) -> String {
        let mut text = veiled(text).into_owned();
        for secret in self.0.iter() {
            let secret = secret.expose_secret();
            if text.contains(secret) {
                text = text.replace(secret, &"*".repeat(secret.len()));
            }
        }
        text
    }

    /// The text without them and without what has a secret's shape; none where there is nothing to take out.
    pub fn clean(&self, text: &str) -> Option<String> {
        let (own, found) = self.take_out(text.as_bytes());
        let own = String::from_utf8_lossy(&own);
        let (clean, shaped) = take_out(&own);
        (found + shaped > 0).then(|| clean.into_owned())
    }

    /// The same in every text of `value`, and what has a telling name there.
    pub fn clean_value(&self, value: &mut Value) {
        self.own_out_of(value);
        take_out_of(value);
    }

    fn own_out_of(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let (clean, found) = self.take_out(text.as_bytes());
                if found > 0 {
                    *text = String::from_utf8_lossy(&clean).into_owned();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.own_out_of(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.own_out_of(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A line without them, and how many there were.
    pub fn take_out<'l>(&self, line: &'l [u8]) -> (Cow<'l, [u8]>, u64) {
        let (mut line, mut found) = (Cow::Borrowed(line), 0);
        for secret in self.0.iter() {
            let secret = secret.expose_secret().as_bytes();
            let places: Vec<usize> = memchr::memmem::find_iter(&line, secret).collect();
            for &at in places.iter().rev() {
                line.to_mut().splice(at..at + secret.len(), GONE.bytes());
            }
            found += places.len() as u64;
        }
        (line, found)
    }
}

/// The text without its secrets, and how many there were.
pub fn take_out(text: &str) -> (Cow<'_, str>, u64) {
    replaced(text, &|_| Cow::Borrowed(GONE))
}

/// The text with as many asterisks as its secrets have bytes, so that what is counted in bytes stays where it is.
pub fn veiled(text: &str) -> Cow<'_, str> {
    replaced(text, &|secret| Cow::Owned("*".repeat(secret.len()))).0
}

fn replaced<'t>(text: &'t str, with: &dyn Fn(&str) -> Cow<'static, str>) -> (Cow<'t, str>, u64) {
    let Some(shapes) = &*SHAPES else { return (Cow::Owned(with(text).into_owned()), 1) };
    let mut found = 0;
    let clean = shapes.replace_all(text, |shape: &Captures<'_>| {
        let before = ["k", "k1", "k2", "k3", "k4", "k5", "k6"]
            .iter()
            .find_map(|name| shape.name(name))
            .map_or("", |m| m.as_str());
        let value = shape.name("v1").or_else(|| shape.name("v2")).map(|value| value.as_str());
        if let Some(value) = value.filter(|value| !looks_random(value)) {
            // By its name alone it is none; by its shape it may be one.
            let (value, shaped) = replaced(value, with);
            found += shaped;
            return format!("{before}{value}");
        }
        found += 1;
        let after = if shape.name("k").is_some() { "@" } else { "" };
        let secret = &shape[0][before.len()..shape[0].len() - after.len()];
        format!("{before}{}{after}", with(secret))
    });
    (clean, found)
}

/// A value with letters and digits; `process.env.API_TOKEN` and the like are none.
fn looks_random(value: &str) -> bool {
    value.bytes().any(|b| b.is_ascii_digit()) && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// The same in every text of a tool's input, and what has a telling name there.
pub fn take_out_of(value: &mut Value) -> u64 {
    match value {
        Value::String(text) => {
            let (clean, found) = take_out(text);
            if found > 0 {
                *text = clean.into_owned();
            }
            found
        }
        Value::Array(items) => items.iter_mut().map(take_out_of).sum(),
        Value::Object(fields) => fields.iter_mut().map(|(name, value)| field(name, value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn field(name: &str, value: &mut Value) -> u64 {
    let telling = TELLING.as_ref().is_none_or(|telling| telling.is_match(name));
    match value {
        Value::String(text) if telling && text.len() >= 8 => {
            GONE.clone_into(text);
            1
        }
        value => take_out_of(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Made up, of the right shapes; written in two halves so that no scanner takes this file for a leak.
    fn secrets() -> Vec<String> {
        let long = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
        [
            format!("sk-{}", format_args!("ant-api03-{long}")),
            format!("sk-{}", format_args!("proj-{long}")),
            format!("gh{}", format_args!("p_{long}")),
            format!("github_{}", format_args!("pat_{long}")),
            format!("gl{}", format_args!("pat-{long}")),
            format!("AK{}", "IAIOSFODNN7EXAMPLE"),
            format!("xo{}", format_args!("xb-{long}")),
            format!("AI{}", format_args!("za{}", &long[..35])),
            format!("sk{}", format_args!("_live_{long}")),
            format!("SK{}", "0123456789abcdef0123456789abcdef"),
            format!("npm{}", format_args!("_{long}")),
            format!("hf{}", format_args!("_{}", long)),
            format!("ey{0}.ey{0}.{1}", "JhbGciOiJIUzI1NiJ9", long),
        ]
        .into()
    }

    #[test]
    fn every_known_shape_is_taken_out_and_counted_wherever_it_stands() {
        for secret in secrets() {
            for text in
                [secret.clone(), format!("key={secret};"), format!("\"{secret}\",\nnext"), format!("see ({secret})")]
            {
                let (clean, found) = take_out(&text);
                assert!(!clean.contains(&secret) && found == 1, "{text}: {clean}");
            }
        }
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
        let (clean, found) = take_out(key);
        assert_eq!((clean.as_ref(), found), (GONE, 1));
        assert_eq!(take_out("-----BEGIN PRIVATE KEY-----\nMIIE cut off").0, GONE);
        assert_eq!(take_out("token=sk-abcdefghijklmnopqrstuvwxyz"), (format!("token={GONE}").into(), 1));
    }

    #[test]
    fn what_a_name_or_an_address_says_is_secret_is_taken_out_and_what_surrounds_it_stays() {
        let clean = |text: &str| take_out(text).0.into_owned();
        assert_eq!(clean("postgres://ada:hunter2@db/shop"), format!("postgres://ada:{GONE}@db/shop"));
        assert_eq!(clean("Authorization: Bearer abcdef0123456789abcd"), format!("Authorization: Bearer {GONE}"));
        assert_eq!(
            clean("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY"),
            format!("AWS_SECRET_ACCESS_KEY={GONE}")
        );
        assert_eq!(clean("{\"auth_token\": \"0123456789abcdef0123\"}"), format!("{{\"auth_token\": \"{GONE}\"}}"));
        let mut input =
            serde_json::json!({ "env": { "PASSWORD": "short one" }, "command": "curl -u a", "n": [1, "plain"] });
        assert_eq!(take_out_of(&mut input), 1);
        assert_eq!(
            input,
            serde_json::json!({ "env": { "PASSWORD": GONE }, "command": "curl -u a", "n": [1, "plain"] })
        );
    }

    #[test]
    fn what_a_command_is_given_is_taken_out() {
        for (before, secret, after) in [
            ("redis://:", "hunter2", "@host:6379/0"),
            ("ngrok config add-authtoken ", "2abcDEFGhijKLMNopqRSTuvwxyz_5AbCdEfGhIjKlMnOpQrSt", ""),
            ("curl -u AC0123456789abcdef0123456789abcdef:", "fedcba9876543210fedcba9876543210", " https://x.test"),
            ("npm publish --token ", "secretword", " --access public"),
            ("mysql --password=", "hunter2", " shop"),
            ("PGPASSWORD=", "hunter2", " psql"),
            ("export DB_PASSWORD=", "'S3cr#t, with; all'", ""),
            ("{\"password\": \"", "hunter2", "\"}"),
            ("{\\\"password\\\": \\\"", "hunter2", "\\\"}"),
        ] {
            let (clean, found) = {
                let text = format!("$ {before}{secret}{after}");
                let (clean, found) = take_out(&text);
                (clean.into_owned(), found)
            };
            assert_eq!((clean, found), (format!("$ {before}{GONE}{after}"), 1));
        }
    }

    #[test]
    fn the_owners_own_are_taken_out_whatever_their_shape() {
        let known = Known::of(["plain words as a key", "short"].map(SecretString::from));
        let line = b"{\"a\":\"x plain words as a key y plain words as a key\",\"b\":\"short\"}";
        let (clean, found) = known.take_out(line);
        let clean = String::from_utf8(clean.into_owned()).unwrap();
        assert_eq!((clean, found), (format!("{{\"a\":\"x {GONE} y {GONE}\",\"b\":\"short\"}}"), 2));
    }

    #[test]
    fn a_veil_is_as_long_as_what_it_hides() {
        let known = Known::of([SecretString::from("plain words as a key")]);
        let text = "ü postgres://ada:hunter2@db and plain words as a key";
        assert_eq!(known.veil(text), "ü postgres://ada:*******@db and ********************");
        let mut value = serde_json::json!({ "a": ["plain words as a key!"], "password": "short one" });
        known.clean_value(&mut value);
        assert_eq!(value, serde_json::json!({ "a": [format!("{GONE}!")], "password": GONE }));
        assert_eq!(known.clean("nothing"), None);
    }

    #[test]
    fn words_and_code_without_secrets_stay_as_they_are() {
        for text in [
            "the token count is wrong: tokens = usage.output_tokens",
            "token: process.env.SOME_API_TOKEN_NAME",
            "token=abcdefghijklmnopqrstuvwxyz",
            "https://docs.example/path?x=1",
            "class SkipList: pass # sk-learn",
            "git commit -m 'authentication: added'",
            "docker run -u 1000:1000 --rm image",
            "export GITHUB_TOKEN=$(gh auth token) API_KEY=\"$KEY\"",
            "cargo login --token <token>",
            "a task-list of ask-me-anything-you-want-here",
        ] {
            assert_eq!(take_out(text), (Cow::Borrowed(text), 0));
        }
    }

    proptest! {
        #[test]
        fn a_key_never_comes_through_whatever_stands_around_it(before in "\\PC{0,40}", after in "[^A-Za-z0-9_-]\\PC{0,40}") {
            let secret = format!("sk-{}", "ant-api03-a1B2c3D4e5F6g7H8i9J0");
            let text = format!("{before} {secret}{after}");
            prop_assert!(!take_out(&text).0.contains(&secret));
        }
    }
}
