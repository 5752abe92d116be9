//! The walk as a person sees it: who says what, in a column each.

use crate::browser::Opened;
use console::{Color, style};
use serde_json::Value;
use standins::twilio::Arrived;
use std::{
    path::Path,
    sync::{Arc, Mutex},
};

#[derive(Clone, Default)]
pub struct Screen {
    /// What is being prepared; said once.
    preparing: Arc<Mutex<String>>,
}

impl Screen {
    fn line(&self, who: &str, color: Color, words: &str) {
        let mut lines = words.lines();
        println!("{:>9}  {}", style(who).fg(color).bold(), lines.next().unwrap_or_default());
        for line in lines {
            println!("{:>9}  {line}", "");
        }
    }

    pub fn title(&self, words: &str) {
        println!("\n{}\n", style(words).bold());
    }

    pub fn preparing(&self, step: &str) {
        let mut last = self.preparing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *last != step {
            step.clone_into(&mut last);
            self.line("wait", Color::White, step);
        }
    }

    pub fn reached_at(&self, url: &str) {
        self.line("tunnel", Color::White, &format!("{url} leads here; texts and phones come that way"));
    }

    /// What became of the page.
    pub fn opened(&self, page: Opened) {
        let words = match page {
            Opened::Here => "The page opens in this computer's browser: press Pair there.",
            Opened::NoDisplay => {
                "There is no display here to open the page on: open the address in a browser of this computer."
            }
            Opened::NoBrowser => "No browser could be started here: open the address in one on this computer.",
        };
        self.line("page", Color::White, words);
    }

    pub fn said(&self, words: &str) {
        self.line("you", Color::Cyan, words);
    }

    pub fn arrived(&self, message: &Arrived) {
        self.line("text", Color::Green, &message.body);
    }

    pub fn picture(&self, bytes: usize, file: &Path) {
        self.line("picture", Color::Green, &format!("{} kB, kept at {}", bytes / 1000, file.display()));
    }

    /// One of the session's events, as `lanyard logs --json` prints it.
    pub fn event(&self, entry: &Value) {
        let event = &entry["event"];
        let word = |key: &str| event[key].as_str().unwrap_or_default();
        match word("type") {
            "answered" => self.line("agent", Color::Magenta, word("text")),
            "tool_used" => self.line("does", Color::Yellow, &format!("{} {}", word("tool"), brief(&event["input"]))),
            "tool_finished" if event["ok"] == false => self.line("fails", Color::Red, &first_line(word("text"))),
            "resolved" => self.line("gate", Color::Yellow, event["decision"]["decision"].as_str().unwrap_or_default()),
            "failed" => self.line("failed", Color::Red, &format!("{} {}", word("code"), word("detail"))),
            _ => {}
        }
    }

    pub fn where_to_look(&self, home: &Path, program: &Path) {
        let (home, program) = (home.display(), program.display());
        println!("It stays up. Type a text and press Enter; Ctrl-C ends it. In another terminal:");
        println!("  export LANYARD_HOME={home}");
        for words in ["status", "sessions", "logs", "logs --letters", "send \"say hello\"", "pair", "doctor"] {
            println!("  {program} {words}");
        }
        println!("The project is in {home}/workspace, the log in {home}/lanyard.log.\n");
    }

    pub fn failed(&self, e: &anyhow::Error) {
        eprintln!("\n{} {e:#}", style("The rehearsal failed:").red().bold());
    }
}

fn first_line(text: &str) -> String {
    text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default().chars().take(120).collect()
}

/// The one value of a tool's input that tells most.
fn brief(input: &Value) -> String {
    let word = ["command", "file_path", "path"].iter().find_map(|key| input[*key].as_str());
    word.map_or_else(|| input.to_string(), str::to_owned)
}
