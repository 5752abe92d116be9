//! An answer of the model, whole and in pieces, and a request, with a second reading of what it asks for.

use super::pieces;
use crate::{Prices, Settings, meter::Meter, outline::Outline, prices::Billed};
use serde_json::Value;
use std::sync::Arc;

/// # Panics
/// When pieces are counted otherwise than the whole, or a request passes that the model's servers would fetch something for.
pub fn usage(input: &[u8]) {
    let (bytes, pieces) = pieces(input);
    for meter in [Meter::streamed, Meter::whole] {
        let (whole, cut) = (count(meter(), &[bytes]), count(meter(), &pieces));
        assert_eq!(whole.seen(), cut.seen(), "pieces are counted as the whole");
        assert_eq!(whole.last.is_some(), cut.last.is_some());
        if let (Some(whole), Some((began, cut))) = (whole.last, cut.last) {
            let held = &bytes[cut..whole.1.max(began)];
            assert!(matches!(held, b"" | b"\n"), "what is before the last event goes on at once");
        }
    }
    outline(bytes);
}

struct Counted {
    billed: Billed,
    model: Option<String>,
    complete: bool,
    between: bool,
    /// Of the piece in which the count was final: where it begins, and where what is held back begins.
    last: Option<(usize, usize)>,
}

impl Counted {
    fn seen(&self) -> (&Billed, &Option<String>, bool, bool) {
        (&self.billed, &self.model, self.complete, self.between)
    }
}

fn count(mut meter: Meter, pieces: &[&[u8]]) -> Counted {
    let (mut at, mut last) = (0, None);
    for piece in pieces {
        let held = meter.read(piece);
        assert!(held.is_none_or(|held| held <= piece.len()), "what is held back is in the piece");
        last = last.or(held.map(|held| (at, at + held)));
        at += piece.len();
    }
    let between = meter.between_events();
    meter.end();
    let billed = meter.billed();
    Prices::default().cost("claude-haiku-5-5", &billed);
    Counted { billed, model: meter.model().map(str::to_owned), complete: meter.is_complete(), between, last }
}

fn outline(body: &[u8]) {
    let settings = Settings::new("http://127.0.0.1:1".parse().expect("a URL"));
    if Outline::read(body, &settings, Arc::default()).is_err() {
        return;
    }
    let text = std::str::from_utf8(body).expect("what passes is text");
    // Half a character, or a number without end, is passed over by the first reading and is none of this one's.
    let Ok(request) = serde_json::from_str::<Value>(text) else { return };
    for tool in request["tools"].as_array().into_iter().flatten() {
        let kind = tool["type"].as_str().unwrap_or_default();
        assert!(!settings.refused_tools.iter().any(|refused| kind.starts_with(refused)), "{kind} runs elsewhere");
    }
    assert!(request["mcp_servers"].as_array().is_none_or(Vec::is_empty), "no server is called for the sandbox");
    assert!(!fetches(&request["messages"], false), "nothing is fetched for the sandbox");
}

/// Is there a block whose source is a URL, in a message or in another block?
fn fetches(piece: &Value, source: bool) -> bool {
    let object = piece.as_object().into_iter().flatten().any(|(key, value)| match key.as_str() {
        "content" => fetches(value, false),
        "source" => fetches(value, true),
        "type" => source && value == "url",
        _ => false,
    });
    object || piece.as_array().into_iter().flatten().any(|piece| fetches(piece, source))
}
