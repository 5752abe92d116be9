//! An answer as the API sends it: server-sent events, or one JSON object.

use super::{
    Block, Fault, Pace, Step,
    cache::{PromptUsage, tokens},
    fault::error_json,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::{collections::VecDeque, io};
use tokio::sync::watch;

/// An answer with its ids, ready to be sent.
pub(crate) struct Message {
    pub id: String,
    pub model: String,
    pub step: Step,
    pub prompt: PromptUsage,
}

/// One thing to send, or to wait for.
enum Out {
    Event(Bytes),
    /// Wait a piece's time.
    Beat,
    /// Wait for the release.
    Hold,
    /// Close the connection without an end.
    Cut,
}

impl Message {
    fn output_tokens(&self) -> u64 {
        let length = |b: &Block| match b {
            Block::Text(t) | Block::Thinking(t) => t.len(),
            Block::Tool { input, .. } => input.to_string().len(),
        };
        tokens(self.step.blocks.iter().map(length).sum())
    }

    /// The answer where `stream` was not asked for.
    pub fn json(&self) -> Value {
        let content: Vec<Value> =
            self.step.blocks.iter().enumerate().map(|(i, b)| whole_block(&self.id, i, b)).collect();
        let mut message = self.head(self.output_tokens());
        message["content"] = content.into();
        message["stop_reason"] = json!(self.step.stop_reason());
        message
    }

    fn head(&self, output: u64) -> Value {
        json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": self.prompt.json(output)
        })
    }

    /// The body of a streamed answer.
    pub fn stream(
        self,
        pace: Pace,
        released: watch::Receiver<u64>,
    ) -> impl futures::Stream<Item = io::Result<Bytes>> + Send + 'static {
        let outs = VecDeque::from(self.outs(pace.piece.max(1)));
        futures::stream::unfold((outs, released, false), move |(mut outs, mut released, mut begun)| async move {
            if !begun {
                tokio::time::sleep(pace.first()).await;
                begun = true;
            }
            loop {
                match outs.pop_front()? {
                    Out::Event(bytes) => return Some((Ok(bytes), (outs, released, begun))),
                    Out::Beat if pace.between_ms > 0 => tokio::time::sleep(pace.between()).await,
                    Out::Beat => {}
                    Out::Hold => {
                        let _ = released.changed().await;
                    }
                    Out::Cut => {
                        outs.clear();
                        return Some((Err(io::ErrorKind::ConnectionReset.into()), (outs, released, begun)));
                    }
                }
            }
        })
    }

    fn outs(&self, piece: usize) -> Vec<Out> {
        let mut outs = vec![event(json!({ "type": "message_start", "message": self.head(1) }))];
        for (i, block) in self.step.blocks.iter().enumerate() {
            let start = empty_block(&self.id, i, block);
            outs.push(event(json!({ "type": "content_block_start", "index": i, "content_block": start })));
            if i == 0 {
                outs.push(event(json!({ "type": "ping" })));
            }
            for (n, delta) in deltas(block, piece).into_iter().enumerate() {
                outs.push(event(json!({ "type": "content_block_delta", "index": i, "delta": delta })));
                outs.push(Out::Beat);
                if self.step.hold && i == 0 && n == 0 {
                    outs.push(Out::Hold);
                }
                if let Some(broken) = self.breaks() {
                    outs.push(broken);
                    return outs;
                }
            }
            outs.push(event(json!({ "type": "content_block_stop", "index": i })));
        }
        outs.extend(self.end());
        outs
    }

    fn breaks(&self) -> Option<Out> {
        match self.step.fault {
            Some(Fault::Cut) => Some(Out::Cut),
            Some(Fault::ErrorEvent) => Some(event(error_json("overloaded_error", "Overloaded", None))),
            _ => None,
        }
    }

    fn end(&self) -> [Out; 2] {
        let delta = json!({ "stop_reason": self.step.stop_reason(), "stop_sequence": null });
        let mut usage = self.prompt.json(self.output_tokens());
        if let Some(usage) = usage.as_object_mut() {
            usage.retain(|name, _| name.ends_with("_tokens"));
        }
        let delta = json!({ "type": "message_delta", "delta": delta, "usage": usage });
        [event(delta), event(json!({ "type": "message_stop" }))]
    }
}

fn event(data: Value) -> Out {
    let name = data["type"].as_str().unwrap_or_default();
    Out::Event(Bytes::from(format!("event: {name}\ndata: {data}\n\n")))
}

/// A block's id must be the same however the answer is sent, and its own in the conversation.
fn tool_id(message: &str, index: usize) -> String {
    format!("toolu_{index:02}{}", message.trim_start_matches("msg_"))
}

fn empty_block(message: &str, index: usize, block: &Block) -> Value {
    match block {
        Block::Text(_) => json!({ "type": "text", "text": "" }),
        Block::Thinking(_) => json!({ "type": "thinking", "thinking": "", "signature": "" }),
        Block::Tool { name, .. } => {
            json!({ "type": "tool_use", "id": tool_id(message, index), "name": name, "input": {} })
        }
    }
}

fn whole_block(message: &str, index: usize, block: &Block) -> Value {
    let mut whole = empty_block(message, index, block);
    match block {
        Block::Text(text) => whole["text"] = text.as_str().into(),
        Block::Thinking(text) => {
            whole["thinking"] = text.as_str().into();
            whole["signature"] = SIGNATURE.into();
        }
        Block::Tool { input, .. } => whole["input"] = input.clone(),
    }
    whole
}

const SIGNATURE: &str = "c3RhbmQtaW4gc2lnbmF0dXJl";

fn deltas(block: &Block, piece: usize) -> Vec<Value> {
    match block {
        Block::Text(text) => pieces(text, piece).map(|t| json!({ "type": "text_delta", "text": t })).collect(),
        Block::Thinking(text) => pieces(text, piece)
            .map(|t| json!({ "type": "thinking_delta", "thinking": t }))
            .chain([json!({ "type": "signature_delta", "signature": SIGNATURE })])
            .collect(),
        Block::Tool { input, .. } => {
            let input = input.to_string();
            pieces(&input, piece).map(|t| json!({ "type": "input_json_delta", "partial_json": t })).collect()
        }
    }
}

/// `text` in pieces of at most `size` characters.
fn pieces(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let cut = rest.char_indices().nth(size).map_or(rest.len(), |(i, _)| i);
        let (piece, after) = rest.split_at(cut);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}
