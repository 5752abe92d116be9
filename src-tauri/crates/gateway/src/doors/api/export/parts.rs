//! What a session's history is for a person to read: words, blocks of text, changes of files and pictures, in order.

use super::diff::{Diff, is_edit};
use domain::{
    ArtifactId,
    event::Event,
    shown::{shown, shown_line},
};
use serde_json::Value;
use store::{Rows, artifacts, events::Stored, sessions::SessionRow};

/// Bytes of pictures that one file holds; a picture beyond them is named, and left out. A session's pictures are screens and
/// photographs of 0.1 to 5 MB, and a file that a mail or a browser does not take helps nobody.
const PICTURES: usize = 24_000_000;
/// Kinds that a browser shows as a picture and as nothing else.
const SHOWN: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const CAPTION: usize = 200;

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Markdown: ours, or what was written by person or agent.
    Words(String),
    /// To the letter.
    Block(String),
    Change(Diff),
    Picture {
        id: ArtifactId,
        media_type: String,
        caption: String,
        bytes: Vec<u8>,
    },
}

/// Takes a session's events, oldest first.
#[derive(Default)]
pub struct Parts {
    pub parts: Vec<Part>,
    /// Changes of files that were asked for and have not ended: their calls' ids, tools and inputs.
    edits: Vec<(String, String, Value)>,
    pictures: usize,
}

impl Parts {
    pub fn of(row: &SessionRow) -> Self {
        let title = if row.title.is_empty() { "Session" } else { &row.title };
        let mut parts = Self::default();
        parts.words(format!("# {}", shown_line(title, CAPTION)));
        parts.words(format!("Session {}, begun {}", row.number, time(row.created_at.0)));
        parts
    }

    fn words(&mut self, words: impl Into<String>) {
        self.parts.push(Part::Words(words.into()));
    }

    fn block(&mut self, text: &str) {
        self.parts.push(Part::Block(shown(text).trim_end().to_owned()));
    }

    /// # Errors
    /// As the store's.
    pub fn take(&mut self, rows: &impl Rows, stored: Stored) -> store::Result<()> {
        let at = time(stored.at.0);
        match stored.event {
            Event::Said { channel, text, pictures, .. } => {
                self.words(format!("## You, by {} ({at})", channel.as_str()));
                self.words(shown(&text));
                self.pictures(rows, &pictures)?;
            }
            Event::Answered { text, .. } => self.words(shown(&text)),
            Event::ToolUsed { id, tool, input, .. } if is_edit(&tool) => self.edits.push((id, tool, input)),
            Event::ToolUsed { tool, input, .. } => {
                self.words(format!("**{}**", shown(&tool)));
                self.block(&tool_words(&input));
            }
            Event::ToolFinished { id, ok, text, detail, pictures } => {
                self.finished(&id, ok, &text, detail.as_ref());
                self.pictures(rows, &pictures)?;
            }
            Event::Asked { number, subject, risk, .. } => {
                self.words(format!("**Asked** (#{number}, {} risk)", risk.as_str()));
                self.block(&subject.in_full());
            }
            Event::Resolved { decision, .. } => self.words(format!("**{}**", decision.as_str())),
            Event::Failed { code, detail, .. } => {
                self.words(format!("**{code}** {}", code.entry().sentence));
                if !detail.is_empty() {
                    self.block(&detail);
                }
            }
            Event::Noticed { text } => self.words(format!("*{}*", shown(&text))),
            Event::TurnEnded { cost, duration_ms, .. } => {
                self.words("---");
                self.words(format!("*{:.1} s, {cost}*", duration_ms as f64 / 1000.0));
            }
            Event::ArtifactMade { artifact, media_type, caption, .. } if SHOWN.contains(&&*media_type) => {
                self.picture(rows, artifact, caption)?;
            }
            Event::ArtifactMade { media_type, caption, .. } => {
                let caption = caption.unwrap_or_else(|| "a file".to_owned());
                self.words(format!("*{}: {}*", shown(&media_type), shown_line(&caption, CAPTION)));
            }
            Event::TurnStarted { .. } | Event::Steered { .. } | Event::ModeChanged { .. } | Event::Closed => {}
        }
        Ok(())
    }

    /// What had not ended stands at the end.
    pub fn end(mut self) -> Vec<Part> {
        for (_, tool, input) in std::mem::take(&mut self.edits) {
            self.change(&tool, &input, None);
        }
        self.parts
    }

    /// What a change of a file gives, where it worked, is the file once more: the change alone is shown.
    fn finished(&mut self, id: &str, ok: bool, text: &str, detail: Option<&Value>) {
        let edit = self.edits.iter().position(|(edit, ..)| edit == id).map(|at| self.edits.remove(at));
        if let Some((_, tool, input)) = &edit {
            self.change(tool, input, detail.filter(|_| ok));
        }
        if edit.is_none() || !ok {
            self.words(if ok { "gave" } else { "failed" });
            self.block(text);
        }
    }

    fn change(&mut self, tool: &str, input: &Value, detail: Option<&Value>) {
        self.words(format!("**{tool}**"));
        self.parts.push(Part::Change(Diff::of(tool, input, detail)));
    }

    fn pictures(&mut self, rows: &impl Rows, pictures: &[ArtifactId]) -> store::Result<()> {
        pictures.iter().try_for_each(|id| self.picture(rows, *id, None))
    }

    fn picture(&mut self, rows: &impl Rows, id: ArtifactId, caption: Option<String>) -> store::Result<()> {
        let Some(found) = artifacts::get(rows, id)? else { return Ok(()) };
        let caption = caption.or(found.caption).unwrap_or_else(|| "picture".to_owned());
        let (caption, size) = (shown_line(&caption, CAPTION), found.bytes.len());
        if !SHOWN.contains(&&*found.media_type) || self.pictures + size > PICTURES {
            let megabytes = size as f64 / 1e6;
            self.words(format!("*{caption} ({}, {megabytes:.1} MB) is left out here*", shown(&found.media_type)));
            return Ok(());
        }
        self.pictures += size;
        self.parts.push(Part::Picture { id, media_type: found.media_type, caption, bytes: found.bytes });
        Ok(())
    }
}

fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map(|t| t.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default()
}

fn tool_words(input: &Value) -> String {
    match input.get("command").and_then(Value::as_str) {
        Some(command) => command.to_owned(),
        None => serde_json::to_string_pretty(input).unwrap_or_default(),
    }
}
