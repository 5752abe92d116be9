//! One record of the file. Most kinds (attachments, costs, requests, queues) tell of nothing that was said or done.

use crate::agent::secrets::{take_out, take_out_of};
use domain::{
    Timestamp,
    event::{Channel, Event, When},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// Of a longer text the beginning is kept: the whole is in Claude Code's own file.
const TEXT: usize = 64 * 1024;

#[derive(Deserialize)]
pub struct Record<'l> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Option<jiff::Timestamp>,
    cwd: Option<String>,
    /// Read only where it is one that was said: others call other things so.
    #[serde(borrow)]
    message: Option<&'l RawValue>,
    /// Words that Claude Code said to itself.
    #[serde(default, rename = "isMeta")]
    meta: bool,
    /// Of a subagent: its outcome is in the conversation itself.
    #[serde(default, rename = "isSidechain")]
    aside: bool,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    id: String,
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Blocks(Vec<Block>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    Image {},
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(default)]
        content: Option<Content>,
        #[serde(default)]
        is_error: Option<bool>,
    },
    #[serde(other)]
    Other,
}

impl<'l> Record<'l> {
    /// None: it is no record.
    pub fn read(line: &'l [u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    pub fn at(&self) -> Option<Timestamp> {
        self.timestamp.map(|at| Timestamp(at.as_millisecond()))
    }

    pub fn folder(&self) -> Option<String> {
        self.cwd.clone()
    }

    /// What a person said, if that is what it is.
    pub fn first_words(&self) -> Option<String> {
        let from_person = self.kind == "user" && !self.meta && !self.aside;
        said(&self.message().filter(|_| from_person)?.content)
    }

    fn message(&self) -> Option<Message> {
        serde_json::from_str(self.message?.get()).ok()
    }

    /// What it says happened, its secrets counted and taken out. None: it should say something and cannot be read.
    pub fn events(self, secrets: &mut u64) -> Option<Vec<Event>> {
        let from_person = match self.kind.as_str() {
            "user" => true,
            "assistant" => false,
            _ => return Some(Vec::new()),
        };
        let message = self.message()?;
        if self.meta || self.aside {
            return Some(Vec::new());
        }
        Some(match from_person {
            true => from_a_person(&message, secrets),
            false => from_the_agent(message, secrets),
        })
    }
}

fn from_a_person(message: &Message, secrets: &mut u64) -> Vec<Event> {
    let words = said(&message.content).map(|text| Event::Said {
        message: 0,
        channel: Channel::Cli,
        text: kept(&text, secrets),
        pictures: Vec::new(),
        when: When::Queue,
    });
    let results = blocks(&message.content).iter().filter_map(|block| match block {
        Block::ToolResult { tool_use_id, content, is_error } => Some(Event::ToolFinished {
            id: tool_use_id.clone(),
            ok: is_error != &Some(true),
            text: kept(&content.as_ref().map(words_of).unwrap_or_default(), secrets),
            detail: None,
            pictures: Vec::new(),
        }),
        Block::Text { .. } | Block::Image {} | Block::ToolUse { .. } | Block::Other => None,
    });
    results.chain(words).collect()
}

fn from_the_agent(message: Message, secrets: &mut u64) -> Vec<Event> {
    let Message { id, content } = message;
    let answered = |text: &str, secrets: &mut u64| {
        let text = kept(text, secrets);
        Event::Answered { turn: None, message: id.clone(), text }
    };
    match content {
        Content::Text(text) => vec![answered(&text, secrets)],
        Content::Blocks(blocks) => {
            let event = |block| match block {
                Block::Text { text } => Some(answered(&text, secrets)),
                Block::ToolUse { id, name, mut input } => {
                    *secrets += take_out_of(&mut input);
                    Some(Event::ToolUsed { turn: None, id, tool: name, input, parent: None })
                }
                Block::Image {} | Block::ToolResult { .. } | Block::Other => None,
            };
            blocks.into_iter().filter_map(event).collect()
        }
    }
}

fn blocks(content: &Content) -> &[Block] {
    match content {
        Content::Text(_) => &[],
        Content::Blocks(blocks) => blocks,
    }
}

/// A person's words; none where there are only results, or what a command of Claude Code's own printed.
fn said(content: &Content) -> Option<String> {
    let words = words_of(content);
    match words.trim_start() {
        words if words.is_empty() || words.starts_with("<local-command") => None,
        words if words.starts_with("<command-") => between(words, "<command-name>", "</command-name>"),
        _ => Some(words),
    }
}

fn between(words: &str, start: &str, end: &str) -> Option<String> {
    Some(words.split_once(start)?.1.split_once(end)?.0.to_owned())
}

/// Its texts; a picture is only named.
fn words_of(content: &Content) -> String {
    let words = |block: &Block| match block {
        Block::Text { text } => Some(text.clone()),
        Block::Image {} => Some("[picture]".to_owned()),
        Block::ToolUse { .. } | Block::ToolResult { .. } | Block::Other => None,
    };
    match content {
        Content::Text(text) => text.clone(),
        Content::Blocks(blocks) => blocks.iter().filter_map(words).collect::<Vec<_>>().join("\n"),
    }
}

/// Without its secrets, and not longer than is kept: a secret across the cut is gone before.
fn kept(text: &str, secrets: &mut u64) -> String {
    let (clean, found) = take_out(text);
    *secrets += found;
    if clean.len() <= TEXT {
        return clean.into_owned();
    }
    let end = (0..=TEXT).rev().find(|at| clean.is_char_boundary(*at)).unwrap_or(0);
    format!("{}\n[{} bytes more]", &clean[..end], clean.len() - end)
}
