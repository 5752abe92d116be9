//! What the model says: data, so that tests, the rehearsal and the benches share it. A script can be written in Rust or
//! read from TOML or JSON.

use super::{Fault, Pace};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A conversation's answers, chosen by the newest human text and stepped by the answers given since that text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    pub when: When,
    /// The n-th answer after the human text. When they run out, a last step that fails or stops at `max_tokens` is
    /// repeated; after any other the model says `Done.`.
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    Contains(String),
    /// A regular expression somewhere in the text. One that is not valid fits nothing.
    Matches(String),
    Always,
}

impl When {
    pub(crate) fn fits(&self, text: &str) -> bool {
        match self {
            When::Contains(part) => text.contains(part.as_str()),
            When::Matches(pattern) => regex::Regex::new(pattern).is_ok_and(|r| r.is_match(text)),
            When::Always => true,
        }
    }
}

/// One answer of the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    pub blocks: Vec<Block>,
    /// `None`: `tool_use` if a block is one, else `end_turn`.
    pub stop: Option<StopReason>,
    pub fault: Option<Fault>,
    pub pace: Option<Pace>,
    /// After the first piece of the first block, wait for [`super::Anthropic::release`].
    pub hold: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    EndTurn,
    ToolUse,
    MaxTokens,
    StopSequence,
    Refusal,
}

/// A content block. In every text, and in the strings of a tool's input, `{{text}}` stands for the human text,
/// `{{result}}` for the newest tool result and `{{result N}}` for the N-th since that text (from 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    Text(String),
    Thinking(String),
    Tool { name: String, input: Value },
}

impl Script {
    /// Fits where the human text contains `part`.
    pub fn when(part: impl Into<String>) -> Self {
        Self { when: When::Contains(part.into()), steps: Vec::new() }
    }

    pub fn matching(pattern: impl Into<String>) -> Self {
        Self { when: When::Matches(pattern.into()), steps: Vec::new() }
    }

    pub fn always() -> Self {
        Self { when: When::Always, steps: Vec::new() }
    }

    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The n-th answer, counted from 0.
    pub(crate) fn at(&self, n: usize) -> Step {
        let last = self.steps.last().filter(|s| s.fault.is_some() || s.stop == Some(StopReason::MaxTokens));
        self.steps.get(n).or(last).cloned().unwrap_or_else(|| Step::text("Done."))
    }
}

impl Step {
    pub fn text(text: impl Into<String>) -> Self {
        Self { blocks: vec![Block::Text(text.into())], ..Self::default() }
    }

    pub fn tool(name: impl Into<String>, input: Value) -> Self {
        Self::default().and_tool(name, input)
    }

    pub fn thinking(thought: impl Into<String>) -> Self {
        Self { blocks: vec![Block::Thinking(thought.into())], ..Self::default() }
    }

    pub fn fail(fault: Fault) -> Self {
        Self { blocks: vec![Block::Text("These words are cut off.".into())], fault: Some(fault), ..Self::default() }
    }

    pub fn and_text(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Text(text.into()));
        self
    }

    pub fn and_tool(mut self, name: impl Into<String>, input: Value) -> Self {
        self.blocks.push(Block::Tool { name: name.into(), input });
        self
    }

    pub fn stop(mut self, reason: StopReason) -> Self {
        self.stop = Some(reason);
        self
    }

    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    pub fn hold(mut self) -> Self {
        self.hold = true;
        self
    }

    pub(crate) fn stop_reason(&self) -> StopReason {
        let tool = self.blocks.iter().any(|b| matches!(b, Block::Tool { .. }));
        self.stop.unwrap_or(if tool { StopReason::ToolUse } else { StopReason::EndTurn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads_from_toml_as_it_is_written() {
        let written = "[when]\ncontains = \"hi\"\n[[steps]]\nblocks = [{ text = \"Hello.\" }]\n[[steps]]\n\
                       blocks = [{ tool = { name = \"Bash\", input = { command = \"ls\" } } }]\n";
        let script: Script = toml::from_str(written).unwrap();
        let built = Script::when("hi")
            .step(Step::text("Hello."))
            .step(Step::tool("Bash", serde_json::json!({ "command": "ls" })));
        assert_eq!(script, built);
    }

    #[test]
    fn a_script_that_ran_out_repeats_its_fault_but_not_its_words() {
        assert_eq!(Script::always().step(Step::text("a")).at(1), Step::text("Done."));
        let broken = Script::always().step(Step::fail(Fault::Overloaded));
        assert_eq!(broken.at(7), Step::fail(Fault::Overloaded));
    }
}
