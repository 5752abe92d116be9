//! Lets the SDK see each visitor's stream only when its head is whole. The SDK (ngrok 0.19.0, muxado 0.5.4) queues 64 new
//! streams and reads their heads one by one, waiting for each; a link whose reader stands before the full queue can bring
//! no head, so a burst of more visitors than that, their heads behind their first frames, stops the tunnel for good.
//! With every head right behind its first frame nobody waits.

use super::frames::{DATA, Piece};
use std::collections::HashMap;

/// The type of a visitor's stream, and where its head's length (i64, little-endian) ends.
const VISITOR: [u8; 4] = 3u32.to_be_bytes();
const LENGTH_ENDS: usize = 12;
/// A head is about 150 bytes.
const LONGEST: usize = 64 * 1024;
/// muxado's own limit of streams.
const MOST: usize = 512;

#[derive(Default)]
struct Held {
    /// Everything that came on the stream, frames and all.
    raw: Vec<u8>,
    /// What it says.
    said: Vec<u8>,
}

#[derive(Default)]
pub(super) struct Beginnings {
    held: HashMap<u32, Held>,
}

impl Beginnings {
    /// Takes the next piece of the link and adds to `out` what the SDK may see now.
    pub(super) fn pass(&mut self, piece: &Piece<'_>, out: &mut Vec<u8>) {
        let frame = piece.frame;
        let begins = piece.head.is_some() && frame.kind == DATA && frame.opens() && !frame.ours();
        if begins && self.held.len() < MOST {
            self.held.entry(frame.stream).or_default();
        }
        let Some(held) = self.held.get_mut(&frame.stream) else {
            out.extend(piece.head.iter().flatten());
            return out.extend_from_slice(piece.body);
        };
        held.raw.extend(piece.head.iter().flatten());
        held.raw.extend_from_slice(piece.body);
        if frame.kind == DATA {
            held.said.extend_from_slice(piece.body);
        }
        let over = frame.kind != DATA || frame.finishes();
        if piece.last && (over || is_whole(&held.said)) {
            out.append(&mut held.raw);
            self.held.remove(&frame.stream);
        }
    }
}

/// Whether the SDK will find the head that it waits for. What makes no sense is its to judge.
fn is_whole(said: &[u8]) -> bool {
    if said.len() < VISITOR.len() {
        return false;
    }
    if !said.starts_with(&VISITOR) {
        return true;
    }
    let Some(length) = said.get(VISITOR.len()..LENGTH_ENDS).and_then(|bytes| bytes.try_into().ok()) else {
        return false;
    };
    let length = usize::try_from(i64::from_le_bytes(length)).unwrap_or(usize::MAX);
    length > LONGEST || said.len() >= LENGTH_ENDS + length
}

#[cfg(test)]
mod tests {
    use super::super::frames::{Frames, tests::frame};
    use super::*;
    use proptest::prelude::*;

    const SYN: u8 = 2;

    fn passed(beginnings: &mut Beginnings, frames: &mut Frames, mut bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(piece) = frames.next(&mut bytes) {
            beginnings.pass(&piece, &mut out);
        }
        out
    }

    /// The frames of visitor `n`: type, length, head, and a first word.
    fn visitor(n: u32) -> Vec<Vec<u8>> {
        let head = format!("head of {n}");
        let length = i64::try_from(head.len()).unwrap().to_le_bytes();
        vec![frame(DATA, SYN, n, &VISITOR), frame(DATA, 0, n, &length), frame(DATA, 0, n, head.as_bytes())]
    }

    #[test]
    fn heads_that_come_late_are_each_put_behind_their_first_frame() {
        let (a, b) = (visitor(2), visitor(4));
        let came = [&a[0], &b[0], &b[1], &a[1], &b[2], &a[2]].map(Vec::as_slice).concat();
        let seen = passed(&mut Beginnings::default(), &mut Frames::default(), &came);
        assert_eq!(seen, [b.concat(), a.concat()].concat());
    }

    #[test]
    fn what_is_no_visitor_passes_as_it_came() {
        let answer = frame(DATA, 0, 3, b"{}");
        let beat = [frame(DATA, SYN, 2, &[0xff; 4]), frame(2, 0, 5, &[0, 0, 0, 9]), frame(0, 0, 5, &[0; 4])].concat();
        let came = [answer, beat].concat();
        assert_eq!(passed(&mut Beginnings::default(), &mut Frames::default(), &came), came);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_wherever_they_are_split(cuts in prop::collection::vec(1usize..30, 1..40), order in Just((1u32..40).collect::<Vec<_>>()).prop_shuffle()) {
            // Visitors' frames one kind after the other, as a burst has them, each kind in another order.
            let visitors: Vec<_> = order.iter().map(|n| visitor(n * 2)).collect();
            let came: Vec<u8> = (0..3).flat_map(|part| visitors.iter().flat_map(move |v| v[part].clone())).collect();
            let (mut beginnings, mut frames, mut seen, mut at) = (Beginnings::default(), Frames::default(), Vec::new(), 0);
            for cut in cuts.iter().cycle() {
                if at >= came.len() {
                    break;
                }
                let end = (at + cut).min(came.len());
                seen.extend(passed(&mut beginnings, &mut frames, &came[at..end]));
                at = end;
            }
            prop_assert_eq!(seen, visitors.concat().concat());
            prop_assert!(beginnings.held.is_empty());
        }

        #[test]
        fn no_bytes_make_it_stumble(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
            let seen = passed(&mut Beginnings::default(), &mut Frames::default(), &bytes);
            prop_assert!(seen.len() <= bytes.len());
        }
    }
}
