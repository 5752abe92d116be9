//! A sandbox that was paused: from the call that resumes it to the first word of a turn, against the same turn without.

use crate::{
    desk::{Wish, at_a_desk},
    figures::{Figures, Series},
    rows::warm_turn::warm_session,
};
use anyhow::Result;
use serde_json::json;
use std::time::Instant;

const WORDS: &str = "say something";
const ROUNDS: usize = 100;

pub async fn measure() -> Result<Figures> {
    at_a_desk(Wish::SANDBOX, async |desk| {
        let (mut talk, session) = warm_session(desk).await?;
        let (mut ours, mut other) = (Series::default(), Series::default());
        for _ in 0..ROUNDS {
            talk.door.post("/sandbox/pause", &json!({})).await?;
            let woken = Instant::now();
            talk.door.post("/sandbox/resume", &json!({})).await?;
            ours.push_ms(talk.turn(WORDS, Some(session)).await?.first_word.duration_since(woken));
            other.push_ms(talk.turn(WORDS, Some(session)).await?.took);
        }
        let more = ours.median() - other.median();
        let goal = format!("at most 100 ms more ({more:.1})");
        Ok(Figures::of("sandbox-wake", "ms", &ours, &other).judged(goal, more <= 100.0))
    })
    .await
}
