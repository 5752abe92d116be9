//! Token counts that look like the API's: by the length of the text, with the prompt cache accounted for.

use serde_json::{Value, json};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

/// What of which conversation is cached, in tokens.
#[derive(Default)]
pub(crate) struct PromptCache {
    prefixes: HashMap<u64, u64>,
}

/// The prompt's side of `usage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PromptUsage {
    pub input: u64,
    pub written: u64,
    pub read: u64,
}

/// About four bytes to a token, as English text has with Claude's tokenizer.
pub(crate) fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4).max(1)
}

impl PromptCache {
    /// A prompt with `cache_control` in it is cached but for its last few words: what an earlier prompt of the same
    /// conversation held is read, the rest is written.
    pub fn account(&mut self, body: &Value) -> PromptUsage {
        let (system, tools, messages) =
            (body["system"].to_string(), body["tools"].to_string(), body["messages"].to_string());
        let whole = tokens(system.len() + tools.len() + messages.len());
        if !(system.contains("cache_control") || messages.contains("cache_control")) {
            return PromptUsage { input: whole, ..PromptUsage::default() };
        }
        let fresh = whole.min(3);
        let cached = whole - fresh;
        let before = self.prefixes.insert(conversation(body, &tools), cached).unwrap_or(0).min(cached);
        PromptUsage { input: fresh, written: cached - before, read: before }
    }
}

fn conversation(body: &Value, tools: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    body["model"].to_string().hash(&mut hasher);
    tools.hash(&mut hasher);
    body["messages"][0].to_string().len().hash(&mut hasher);
    hasher.finish()
}

impl PromptUsage {
    /// `usage` of `message_start`, or of a whole answer.
    pub fn json(self, output: u64) -> Value {
        json!({
            "input_tokens": self.input,
            "cache_creation_input_tokens": self.written,
            "cache_read_input_tokens": self.read,
            "cache_creation": { "ephemeral_5m_input_tokens": self.written, "ephemeral_1h_input_tokens": 0 },
            "output_tokens": output,
            "service_tier": "standard"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_prompt_of_a_conversation_reads_what_the_first_wrote() {
        let mut cache = PromptCache::default();
        let first = json!({ "model": "m", "system": [{ "text": "x".repeat(4000), "cache_control": {} }], "messages": [{ "content": "a" }] });
        let mut second = first.clone();
        second["messages"].as_array_mut().unwrap().push(json!({ "content": "y".repeat(400) }));
        let (one, two) = (cache.account(&first), cache.account(&second));
        assert_eq!((one.read, two.read), (0, one.written));
        assert!(two.written >= 100 && two.written < 120, "{two:?}");
    }
}
