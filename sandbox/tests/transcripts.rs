//! Recorded lines of every Claude Code version met, against what we make of them.

#[path = "transcripts/limits.rs"]
mod limits;
#[path = "transcripts/meaning.rs"]
mod meaning;
#[path = "transcripts/recorded.rs"]
mod recorded;
#[path = "transcripts/saying.rs"]
mod saying;
