//! The agent adapter against the real Claude Code, both versions, on this machine through pipes. The model is scripted.

#![cfg(unix)]

#[path = "claude_code/asking.rs"]
mod asking;
#[path = "claude_code/conversations.rs"]
mod conversations;
#[path = "claude_code/ending.rs"]
mod ending;
#[path = "claude_code/faults.rs"]
mod faults;
#[path = "claude_code/modes.rs"]
mod modes;
#[path = "claude_code/puppet.rs"]
mod puppet;
#[path = "claude_code/steering.rs"]
mod steering;
#[path = "claude_code/walk.rs"]
mod walk;
#[path = "claude_code/words.rs"]
mod words;
#[path = "claude_code/world.rs"]
mod world;
