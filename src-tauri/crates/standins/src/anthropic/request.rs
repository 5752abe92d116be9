//! A request to `/v1/messages`, checked as the API checks it, and what of it matters to a script.

use serde_json::Value;
use std::sync::Arc;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub purpose: Purpose,
    pub model: String,
    /// The newest human text.
    pub text: String,
    /// Answers given since that text.
    pub step: usize,
    /// All headers but the key.
    pub headers: Vec<(String, String)>,
    /// The key it came with.
    pub key: String,
    pub body: Arc<Value>,
}

/// Why Claude Code asks. Only turns are answered from scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The conversation, or a subagent's.
    Turn,
    /// A name for the conversation.
    Title,
    /// One token, to see whether the key works.
    Probe,
    /// Anything else without tools: summaries, file name extraction, …
    Side,
}

/// What a script is chosen and filled in by.
pub(crate) struct Asked {
    pub purpose: Purpose,
    pub model: String,
    pub stream: bool,
    pub text: String,
    pub step: usize,
    /// Texts of the tool results since the human text, oldest first.
    pub results: Vec<String>,
}

impl Asked {
    /// The error is the sentence of a 400.
    pub fn read(body: &Value) -> Result<Self, String> {
        let messages = check(body)?;
        let human = messages.iter().rposition(|m| m["role"] == "user" && human_text(m).is_some());
        let text = human.and_then(|i| human_text(&messages[i])).unwrap_or_default();
        let since = messages.get(human.map_or(0, |i| i + 1)..).unwrap_or_default();
        let step = since.iter().filter(|m| m["role"] == "assistant").count();
        let results = since.iter().filter(|m| m["role"] == "user").flat_map(tool_results).collect();
        Ok(Self {
            purpose: purpose(body, &text),
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            stream: body["stream"] == true,
            text,
            step,
            results,
        })
    }
}

fn purpose(body: &Value, text: &str) -> Purpose {
    let tools = body["tools"].as_array().map_or(0, Vec::len);
    let system = body["system"].to_string();
    match body["max_tokens"].as_u64() {
        Some(1) => Purpose::Probe,
        _ if tools > 0 => Purpose::Turn,
        _ if system.contains("title") || text.contains("title for") => Purpose::Title,
        // A script may still speak where no tools are given: a plain client of the API has none.
        _ if system.contains("Claude Code") => Purpose::Side,
        _ => Purpose::Turn,
    }
}

/// The rules of the API that a broken client would break, with its sentences.
fn check(body: &Value) -> Result<&Vec<Value>, String> {
    if !body["model"].is_string() {
        return Err("model: Field required".into());
    }
    if body["max_tokens"].as_u64().is_none_or(|n| n == 0) {
        return Err("max_tokens: Field required".into());
    }
    let messages = body["messages"].as_array().ok_or("messages: Field required")?;
    if messages.is_empty() {
        return Err("messages: at least one message is required".into());
    }
    for (i, message) in messages.iter().enumerate() {
        if !matches!(message["role"].as_str(), Some("user" | "assistant" | "system")) {
            return Err(format!("messages.{i}.role: Input should be 'user' or 'assistant'"));
        }
        if message["content"].is_null() {
            return Err(format!("messages.{i}.content: Field required"));
        }
    }
    unanswered_tool(messages).map_or(Ok(messages), Err)
}

/// Every `tool_use` must have its `tool_result` in the next user message.
fn unanswered_tool(messages: &[Value]) -> Option<String> {
    messages.iter().enumerate().find_map(|(i, message)| {
        let next = messages[i + 1..].iter().find(|m| m["role"] == "user");
        let answered = |id: &Value| next.is_some_and(|m| blocks(m).any(|b| b["tool_use_id"] == *id));
        let open = blocks(message).find(|b| b["type"] == "tool_use" && !answered(&b["id"]))?;
        Some(format!(
            "messages.{i}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each \
             `tool_use` block must have a corresponding `tool_result` block in the next message.",
            open["id"].as_str().unwrap_or_default()
        ))
    })
}

fn blocks(message: &Value) -> impl Iterator<Item = &Value> {
    message["content"].as_array().into_iter().flatten()
}

/// What a person wrote last in this message; `None` where all of it is the agent program's own. Claude Code joins a
/// message that failed with the next one, so an earlier text may stand in it too.
fn human_text(message: &Value) -> Option<String> {
    let texts: Vec<&str> = match &message["content"] {
        Value::String(text) => vec![text],
        _ => blocks(message).filter(|b| b["type"] == "text").filter_map(|b| b["text"].as_str()).collect(),
    };
    texts.into_iter().rfind(|text| !by_program(text)).map(str::to_owned)
}

/// Texts that Claude Code 2.1.197 and 2.1.329 put into user messages by themselves.
fn by_program(text: &str) -> bool {
    let text = text.trim_start();
    text.is_empty()
        || [
            "<system-reminder>",
            "[Request interrupted",
            "[Your previous response",
            "Output token limit hit",
            "<local-command-",
            "Your tool call was",
        ]
        .iter()
        .any(|start| text.starts_with(start))
}

fn tool_results(message: &Value) -> Vec<String> {
    let text_of = |block: &Value| match &block["content"] {
        Value::String(text) => text.clone(),
        _ => blocks(block).filter_map(|b| b["text"].as_str()).collect::<Vec<_>>().join("\n"),
    };
    blocks(message).filter(|b| b["type"] == "tool_result").map(text_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(messages: Value) -> Result<Asked, String> {
        Asked::read(&json!({ "model": "m", "max_tokens": 9, "messages": messages }))
    }

    #[test]
    fn the_newest_human_text_is_found_behind_reminders_and_results() {
        let asked = ask(json!([
            { "role": "user", "content": "old" },
            { "role": "assistant", "content": [{ "type": "text", "text": "yes" }] },
            { "role": "user", "content": [
                { "type": "text", "text": "<system-reminder>date</system-reminder>" },
                { "type": "text", "text": "new" }] },
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "t1", "name": "Bash", "input": {} }] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t1", "content": "out" }] }
        ]))
        .unwrap();
        assert_eq!((asked.text.as_str(), asked.step, asked.results), ("new", 1, vec!["out".to_owned()]));
    }

    #[test]
    fn a_tool_call_without_its_result_is_refused() {
        let refused = ask(json!([
            { "role": "user", "content": "a" },
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "t1", "name": "Bash", "input": {} }] },
            { "role": "user", "content": "b" }
        ]));
        assert!(refused.is_err_and(|e| e.contains("without `tool_result`")));
    }
}
