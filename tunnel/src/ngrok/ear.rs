//! Reads along what the edge says on a link, for three things the SDK (ngrok 0.19.0) does not tell: that a tunnel is
//! bound again after a reconnect, at which URL, and that ngrok stopped it (after a reconnect the SDK drops that).
//!
//! Streams we open carry one JSON answer up to their end; streams the edge opens begin with their type, u32. Nothing is
//! changed or held back, and what cannot be understood is left to the SDK.

use super::frames::{DATA, Frame, Piece, RESET};
use serde::Deserialize;
use std::collections::HashMap;

const STOP_TUNNEL: [u8; 4] = 9u32.to_be_bytes();
/// Answers are about 1 kB; a heartbeat stream, which never ends, is dropped at this.
const LONGEST: usize = 64 * 1024;
/// Streams listened to at once; an agent has three calls under way at most.
const MOST: usize = 64;

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Bound { url: String },
    Stopped { message: String, code: Option<String> },
}

#[derive(Deserialize)]
struct Bound {
    #[serde(rename = "URL")]
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stopped {
    message: String,
    error_code: Option<String>,
}

#[derive(Default)]
pub(super) struct Ear {
    streams: HashMap<u32, Vec<u8>>,
    bound: bool,
}

impl Ear {
    /// Takes the next piece of the link and gives what it completed.
    pub(super) fn hear(&mut self, piece: &Piece<'_>) -> Option<Heard> {
        if piece.head.is_some() {
            self.begin(piece.frame);
        }
        self.body(piece.frame, piece.body);
        if piece.last { self.end(piece.frame) } else { None }
    }

    fn begin(&mut self, frame: Frame) {
        let interesting = if frame.ours() { !self.bound } else { frame.opens() };
        if frame.kind == DATA && interesting && self.streams.len() < MOST {
            self.streams.entry(frame.stream).or_default();
        }
    }

    fn body(&mut self, frame: Frame, body: &[u8]) {
        let Some(said) = self.streams.get_mut(&frame.stream).filter(|_| frame.kind == DATA) else { return };
        said.extend_from_slice(body);
        let visitor = !frame.ours() && said.len() >= 4 && !said.starts_with(&STOP_TUNNEL);
        if visitor || said.len() > LONGEST {
            self.streams.remove(&frame.stream);
        }
    }

    /// A frame is whole: perhaps so is what its stream says.
    fn end(&mut self, frame: Frame) -> Option<Heard> {
        if frame.kind == RESET {
            self.streams.remove(&frame.stream);
            return None;
        }
        let said = self.streams.get(&frame.stream)?;
        let heard = match frame.ours() {
            true if frame.finishes() => bound(said),
            true => None,
            false => stopped(said),
        };
        if heard.is_some() || frame.finishes() {
            self.streams.remove(&frame.stream);
        }
        if matches!(heard, Some(Heard::Bound { .. })) {
            self.bound = true;
            self.streams.retain(|stream, _| stream.is_multiple_of(2));
        }
        heard
    }
}

fn bound(said: &[u8]) -> Option<Heard> {
    let Bound { url } = serde_json::from_slice(said).ok()?;
    (!url.is_empty()).then_some(Heard::Bound { url })
}

fn stopped(said: &[u8]) -> Option<Heard> {
    let Stopped { message, error_code } = serde_json::from_slice(said.get(4..)?).ok()?;
    Some(Heard::Stopped { message, code: error_code.filter(|code| !code.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use super::super::frames::{Frames, tests::frame};

    const FIN: u8 = 1;
    const SYN: u8 = 2;

    fn heard(ear: &mut Ear, frames: &mut Frames, mut bytes: &[u8]) -> Vec<Heard> {
        let mut all = Vec::new();
        while let Some(piece) = frames.next(&mut bytes) {
            all.extend(ear.hear(&piece));
        }
        all
    }

    /// A link's first words: heartbeats, sign-in, bind in two frames, a visitor, then the tunnel is stopped.
    fn said() -> Vec<u8> {
        let stop = [&STOP_TUNNEL[..], br#"{"Id":"t","Message":"over","ErrorCode":null}"#].concat();
        [
            frame(DATA, 0, 1, &[1, 2, 3, 4]),
            frame(DATA, 0, 3, br#"{"Version":"3","ClientId":"c","Extra":{}}"#),
            frame(DATA, FIN, 3, b""),
            frame(2, 0, 5, &[0, 0, 1, 0]),
            frame(DATA, 0, 5, br#"{"Id":"t","URL":"https://a."#),
            frame(DATA, FIN, 5, br#"test","Proto":"https"}"#),
            frame(DATA, SYN, 2, &[0, 0]),
            frame(DATA, 0, 2, b"\0\x03{\"URL\":\"https://not-ours.test\"}"),
            frame(DATA, SYN | FIN, 4, &stop),
        ]
        .concat()
    }

    fn expected() -> Vec<Heard> {
        vec![Heard::Bound { url: "https://a.test".into() }, Heard::Stopped { message: "over".into(), code: None }]
    }

    #[test]
    fn a_bind_and_a_stop_are_heard_among_everything_else() {
        assert_eq!(heard(&mut Ear::default(), &mut Frames::default(), &said()), expected());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_split(cuts in prop::collection::vec(1usize..40, 1..40)) {
            let (said, mut ear, mut frames, mut all, mut at) = (said(), Ear::default(), Frames::default(), Vec::new(), 0);
            for cut in cuts.iter().cycle() {
                if at >= said.len() {
                    break;
                }
                let end = (at + cut).min(said.len());
                all.extend(heard(&mut ear, &mut frames, &said[at..end]));
                at = end;
            }
            prop_assert_eq!(all, expected());
        }

        #[test]
        fn no_bytes_make_it_stumble_or_keep_much(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
            let mut ear = Ear::default();
            heard(&mut ear, &mut Frames::default(), &bytes);
            prop_assert!(ear.streams.len() <= MOST);
        }
    }
}
