//! A process that says what it is told to, for what the real one will not do.

use bytes::Bytes;
use domain::agent::AgentEvent as E;
use futures::StreamExt;
use sandbox::{
    Chunk, Ended,
    agent::{Process, ProcessIo},
};
use serde_json::json;

/// Prints `stdout`; then it leaves, unless its output is to go on for ever.
pub fn puppet(stdout: impl IntoIterator<Item = Bytes>, events_forever: bool) -> Process {
    let chunks = futures::stream::iter(stdout.into_iter().map(Chunk::Stdout).collect::<Vec<_>>());
    let output = if events_forever { chunks.chain(futures::stream::pending()).boxed() } else { chunks.boxed() };
    let io = ProcessIo {
        stdin: Box::new(tokio::io::sink()),
        output,
        status: Box::pin(async { Some(0) }),
        kill: Box::new(|_| Box::pin(async { Ok(Ended::Killed(1)) })),
    };
    Process::spawn(io, Default::default())
}

#[tokio::test]
async fn a_slow_driver_loses_partial_words_and_nothing_else() {
    let start = json!({ "type": "stream_event", "event": { "type": "message_start", "message": { "id": "m" } } });
    let delta = json!({ "type": "stream_event", "event": { "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "x" } } });
    let text =
        json!({ "type": "assistant", "message": { "id": "m", "content": [{ "type": "text", "text": "whole" }] } });
    let mut lines = vec![format!("{start}\n")];
    lines.extend((0..3000).flat_map(|_| [format!("{delta}\n"), format!("{delta}\n"), format!("{text}\n")]));
    let mut agent = puppet(lines.into_iter().map(Bytes::from), false);
    while agent.events.len() < agent.events.max_capacity() {
        tokio::task::yield_now().await;
    }
    let (mut texts, mut partials) = (0, 0);
    while let Some(event) = agent.events.recv().await {
        match event {
            E::Text { .. } => texts += 1,
            E::Partial { .. } => partials += 1,
            _ => {}
        }
    }
    assert_eq!(texts, 3000);
    assert!(partials < 6000, "some were dropped while nobody took them");
}
