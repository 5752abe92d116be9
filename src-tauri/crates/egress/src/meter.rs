//! Counts the tokens of one answer while it passes.

use crate::{prices::Billed, sse::Events};
use serde::Deserialize;
use std::borrow::Cow;

/// An answer that is not streamed is kept to be read at its end, up to this size. The longest answer a model gives
/// (128 000 tokens) is far below it.
const LARGEST_WHOLE: usize = if cfg!(fuzzing) { 1024 } else { 8 << 20 };

/// Bytes of JSON around the text of one `content_block_delta`.
const DELTA_FRAME: usize = 80;

#[derive(Debug)]
pub(crate) struct Meter {
    form: Form,
    model: Option<String>,
    usage: Usage,
    /// Tokens of output that must have been made for what has passed.
    passed: u64,
    complete: bool,
}

#[derive(Debug)]
enum Form {
    Streamed(Events),
    Whole(Vec<u8>),
    /// It is not kept, and of a part nothing is read.
    TooLarge,
}

/// The counts of a response so far. In a stream each later value replaces the earlier: they are running totals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    server_tool_use: Option<ServerToolUse>,
    inference_geo: Option<String>,
    speed: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct ServerToolUse {
    web_search_requests: Option<u64>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    message: Option<Message>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Message {
    model: Option<String>,
    usage: Option<Usage>,
}

impl Meter {
    pub fn streamed() -> Self {
        Self::new(Form::Streamed(Events::default()))
    }

    pub fn whole() -> Self {
        Self::new(Form::Whole(Vec::new()))
    }

    fn new(form: Form) -> Self {
        Self { form, model: None, usage: Usage::default(), passed: 0, complete: false }
    }

    /// Looks at the next bytes of the answer, in order. Once the count is final, because a streamed answer says
    /// `message_stop`: where in `bytes` that event begins.
    pub fn read(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut form = std::mem::replace(&mut self.form, Form::Whole(Vec::new()));
        let mut last = None;
        match &mut form {
            Form::Streamed(events) => events.feed(bytes, |data, begins| {
                self.event(data);
                last = last.or(self.complete.then_some(begins));
            }),
            Form::Whole(text) if text.len() + bytes.len() <= LARGEST_WHOLE => text.extend_from_slice(bytes),
            Form::Whole(_) => form = Form::TooLarge,
            Form::TooLarge => {}
        }
        self.form = form;
        last
    }

    /// The answer has ended of itself.
    pub fn end(&mut self) {
        if let Form::Whole(text) = &mut self.form
            && let Ok(Message { model, usage: Some(usage) }) = serde_json::from_slice(&std::mem::take(text))
        {
            self.model = model;
            self.usage.replace_by(usage);
            self.complete = true;
        }
    }

    pub fn between_events(&self) -> bool {
        matches!(&self.form, Form::Streamed(events) if events.between_events())
    }

    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// What has been counted so far.
    pub fn billed(&self) -> Billed {
        let usage = &self.usage;
        let reported = usage.output_tokens.unwrap_or(0);
        let written = usage.cache_creation_input_tokens.unwrap_or(0);
        let hour = usage.cache_creation.as_ref().and_then(|c| c.ephemeral_1h_input_tokens).unwrap_or(0).min(written);
        Billed {
            input: usage.input_tokens.unwrap_or(0),
            output: if self.complete { reported } else { reported.max(self.passed) },
            cache_read: usage.cache_read_input_tokens.unwrap_or(0),
            cache_write_5m: written - hour,
            cache_write_1h: hour,
            web_searches: usage.server_tool_use.as_ref().and_then(|s| s.web_search_requests).unwrap_or(0),
            us_only: usage.inference_geo.as_deref() == Some("us"),
            fast: usage.speed.as_deref() == Some("fast"),
        }
    }

    fn event(&mut self, data: &[u8]) {
        // Nearly all events are these; they are measured without being parsed.
        if data.starts_with(br#"{"type":"content_block_delta""#) {
            return self.delta(data);
        }
        let Ok(event) = serde_json::from_slice::<Event>(data) else { return };
        match event.kind.as_ref() {
            "message_start" => {
                let Some(message) = event.message else { return };
                self.model = message.model.or(self.model.take());
                self.usage.replace_by(message.usage.unwrap_or_default());
            }
            "message_delta" => self.usage.replace_by(event.usage.unwrap_or_default()),
            "message_stop" => self.complete = true,
            "content_block_delta" => self.delta(data),
            _ => {}
        }
    }

    /// A token is about four characters of text; every delta is one at least. Signatures are not generated.
    fn delta(&mut self, data: &[u8]) {
        if memchr::memmem::find(data, b"\"signature_delta\"").is_none() {
            self.passed += (data.len().saturating_sub(DELTA_FRAME) as u64 / 4).max(1);
        }
    }
}

impl Usage {
    fn replace_by(&mut self, later: Usage) {
        fn put<T>(old: &mut Option<T>, new: Option<T>) {
            if new.is_some() {
                *old = new;
            }
        }
        put(&mut self.input_tokens, later.input_tokens);
        put(&mut self.output_tokens, later.output_tokens);
        put(&mut self.cache_creation_input_tokens, later.cache_creation_input_tokens);
        put(&mut self.cache_read_input_tokens, later.cache_read_input_tokens);
        put(&mut self.cache_creation, later.cache_creation);
        put(&mut self.server_tool_use, later.server_tool_use);
        put(&mut self.inference_geo, later.inference_geo);
        put(&mut self.speed, later.speed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &str = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude-opus-5\",\"usage\":{\"input_tokens\":25,\"cache_creation_input_tokens\":300,\"cache_read_input_tokens\":4000,\"cache_creation\":{\"ephemeral_5m_input_tokens\":200,\"ephemeral_1h_input_tokens\":100},\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a \\\"usage\\\" of 8 words, or so, and more of it\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"!\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15,\"server_tool_use\":{\"web_search_requests\":2}}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );

    fn whole_stream() -> Billed {
        Billed {
            input: 25,
            output: 15,
            cache_read: 4000,
            cache_write_5m: 200,
            cache_write_1h: 100,
            web_searches: 2,
            ..Billed::default()
        }
    }

    #[test]
    fn a_stream_is_counted_by_its_last_totals() {
        let mut meter = Meter::streamed();
        assert_eq!(meter.read(STREAM.as_bytes()), STREAM.find("event: message_stop"));
        assert_eq!((meter.billed(), meter.model()), (whole_stream(), Some("claude-opus-5")));
    }

    #[test]
    fn a_cut_stream_counts_what_passed() {
        let cut = STREAM.find("event: content_block_stop").unwrap();
        let mut meter = Meter::streamed();
        assert_eq!(meter.read(&STREAM.as_bytes()[..cut]), None);
        let billed = meter.billed();
        assert_eq!((billed.input, billed.cache_read), (25, 4000));
        assert!((2..20).contains(&billed.output), "{}", billed.output);
    }

    #[test]
    fn an_answer_in_one_piece_is_counted_at_its_end() {
        let mut meter = Meter::whole();
        let text = br#"{"type":"message","model":"claude-haiku-4-5","content":[],"usage":{"input_tokens":7,"output_tokens":3,"cache_creation":null}}"#;
        assert_eq!((meter.read(&text[..40]), meter.read(&text[40..])), (None, None));
        meter.end();
        assert!(meter.is_complete());
        assert_eq!(meter.billed(), Billed { input: 7, output: 3, ..Billed::default() });
    }

    #[test]
    fn of_an_answer_that_is_too_large_nothing_is_read_however_it_comes() {
        let giant = vec![b'x'; LARGEST_WHOLE];
        let pieces = [br#"{"usage":{"output_tokens":3},"x":""#.as_slice(), &giant, br#""}"#];
        let (mut whole, mut cut) = (Meter::whole(), Meter::whole());
        whole.read(&pieces.concat());
        for piece in pieces {
            cut.read(piece);
        }
        whole.end();
        cut.end();
        assert!(!whole.is_complete() && !cut.is_complete());
    }

    #[test]
    fn an_error_costs_nothing() {
        let error = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        let (mut whole, mut streamed) = (Meter::whole(), Meter::streamed());
        whole.read(error);
        whole.end();
        streamed.read(&[b"event: error\ndata: ", error.as_slice(), b"\n\n"].concat());
        assert_eq!((whole.billed(), streamed.billed()), (Billed::default(), Billed::default()));
        assert!(!whole.is_complete() && !streamed.is_complete());
    }

    proptest! {
        #[test]
        fn any_cutting_counts_the_same(cuts in prop::collection::vec(0..STREAM.len(), 0..30)) {
            let mut cuts: Vec<usize> = cuts.into_iter().chain([0, STREAM.len()]).collect();
            cuts.sort_unstable();
            let mut meter = Meter::streamed();
            for w in cuts.windows(2) {
                meter.read(&STREAM.as_bytes()[w[0]..w[1]]);
            }
            prop_assert_eq!(meter.billed(), whole_stream());
            prop_assert!(meter.is_complete() && meter.between_events());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), streamed: bool) {
            let mut meter = if streamed { Meter::streamed() } else { Meter::whole() };
            meter.read(&bytes);
            meter.end();
            meter.billed();
        }
    }
}
