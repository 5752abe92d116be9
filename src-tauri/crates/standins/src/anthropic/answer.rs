//! From a request to the step that answers it, filled in.

use super::{Block, Fault, Purpose, Script, Step, request::Asked};
use serde_json::{Value, json};
use std::collections::HashMap;

/// How often each human text has met its fault.
pub(crate) type Tries = HashMap<String, u32>;

/// The step for this request with all its places filled in.
pub(crate) fn answer(scripts: &[Script], asked: &Asked, tries: &mut Tries) -> Step {
    let mut step = match asked.purpose {
        Purpose::Turn => scripted(scripts, asked),
        Purpose::Title => Step::text(json!({ "title": "A conversation with the stand-in" }).to_string()),
        Purpose::Probe => Step::text("#"),
        Purpose::Side => Step::text("The stand-in has nothing to add."),
    };
    step.fault = step.fault.take().and_then(|fault| due(fault, asked, tries));
    for block in &mut step.blocks {
        fill_block(block, asked);
    }
    step
}

fn scripted(scripts: &[Script], asked: &Asked) -> Step {
    match scripts.iter().find(|s| s.when.fits(&asked.text)) {
        Some(script) => script.at(asked.step),
        None => Step::text("You said: {{text}}"),
    }
}

fn due(fault: Fault, asked: &Asked, tries: &mut Tries) -> Option<Fault> {
    let Fault::Times { times, fault } = fault else { return Some(fault) };
    let met = tries.entry(asked.text.clone()).or_default();
    *met += 1;
    (*met <= times).then_some(*fault)
}

fn fill_block(block: &mut Block, asked: &Asked) {
    match block {
        Block::Text(text) | Block::Thinking(text) => *text = fill(text, asked),
        Block::Tool { input, .. } => fill_value(input, asked),
    }
}

fn fill_value(value: &mut Value, asked: &Asked) {
    match value {
        Value::String(text) => *text = fill(text, asked),
        Value::Array(items) => items.iter_mut().for_each(|v| fill_value(v, asked)),
        Value::Object(map) => map.values_mut().for_each(|v| fill_value(v, asked)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn fill(text: &str, asked: &Asked) -> String {
    if !text.contains("{{") {
        return text.to_owned();
    }
    let newest = asked.results.last().map_or("", String::as_str);
    let mut filled = text.replace("{{text}}", &asked.text).replace("{{result}}", newest);
    for (i, result) in asked.results.iter().enumerate() {
        filled = filled.replace(&format!("{{{{result {}}}}}", i + 1), result);
    }
    filled
}
