//! What tools gave back.

use super::wire::{Block, User, UserContent};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::agent::{AgentEvent, Picture};
use serde_json::Value;

/// Other words in a person's mouth (interruptions, replays, reminders) are Claude Code's own and are passed over.
pub fn tools_finished(frame: User) -> Vec<AgentEvent> {
    let UserContent::Blocks(blocks) = frame.message.content else { return Vec::new() };
    let mut results: Vec<Block> = blocks.into_iter().filter(|b| b.kind == "tool_result").collect();
    let detail = frame.tool_use_result.filter(|d| d.is_object() && results.len() == 1);
    let mut detail = detail.map(without_bytes);
    results.drain(..).filter_map(|block| finished(block, detail.take())).collect()
}

fn finished(block: Block, detail: Option<Value>) -> Option<AgentEvent> {
    let parts = match block.content.unwrap_or_default() {
        Value::Array(parts) => parts,
        text @ Value::String(_) => vec![serde_json::json!({ "type": "text", "text": text })],
        _ => Vec::new(),
    };
    let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
    Some(AgentEvent::ToolFinished {
        id: block.tool_use_id?,
        ok: !block.is_error.unwrap_or(false),
        text: texts.join("\n"),
        pictures: parts.iter().filter_map(picture).collect(),
        detail,
    })
}

fn picture(part: &Value) -> Option<Picture> {
    let source = &part["source"];
    let bytes = STANDARD.decode(source["data"].as_str()?).ok()?;
    Some(Picture { media_type: source["media_type"].as_str()?.to_owned(), bytes: bytes.into() })
}

/// A picture's bytes are in the result itself.
fn without_bytes(mut detail: Value) -> Value {
    if let Some(file) = detail.get_mut("file").and_then(Value::as_object_mut) {
        file.remove("base64");
    }
    detail
}
