//! Lines out of chunks that are cut anywhere.

use bytes::{Bytes, BytesMut};

/// One line, or what became of one that was too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Without its line end.
    Whole(Bytes),
    /// It had this many bytes and was dropped as it came.
    TooLong(usize),
}

/// Collects one stream's bytes until a line is whole. Each byte is looked at once, and a line that lies within a chunk is
/// not copied. Holds at most `cap` bytes.
pub struct Lines {
    cap: usize,
    begun: BytesMut,
    /// Bytes of a line that is being dropped.
    dropped: usize,
}

impl Lines {
    pub fn new(cap: usize) -> Self {
        Self { cap, begun: BytesMut::new(), dropped: 0 }
    }

    /// The lines that `chunk` makes whole, in order.
    pub fn push(&mut self, chunk: Bytes) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', &chunk) {
            lines.push(self.close(chunk.slice(from..end)));
            from = end + 1;
        }
        self.begin(&chunk[from..]);
        lines
    }

    /// What was left without a line end when the stream closed.
    pub fn finish(&mut self) -> Option<Line> {
        let left = self.dropped > 0 || !self.begun.is_empty();
        left.then(|| self.close(Bytes::new()))
    }

    fn begin(&mut self, part: &[u8]) {
        if self.dropped > 0 || self.begun.len() + part.len() > self.cap {
            self.dropped += self.begun.len() + part.len();
            self.begun = BytesMut::new();
        } else {
            self.begun.extend_from_slice(part);
        }
    }

    fn close(&mut self, end: Bytes) -> Line {
        if self.begun.is_empty() && self.dropped == 0 && end.len() <= self.cap {
            return Line::Whole(end);
        }
        self.begin(&end);
        match std::mem::take(&mut self.dropped) {
            0 => Line::Whole(self.begun.split().freeze()),
            bytes => Line::TooLong(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(line: &'static str) -> Line {
        Line::Whole(Bytes::from_static(line.as_bytes()))
    }

    #[test]
    fn a_line_over_the_cap_is_dropped_and_the_next_one_is_not() {
        let mut lines = Lines::new(8);
        assert_eq!(lines.push(Bytes::from_static(b"12345")), []);
        assert_eq!(lines.push(Bytes::from_static(b"6789")), []);
        assert_eq!(
            lines.push(Bytes::from_static(b"0\nnext\n123456789\n12345678\n")),
            [Line::TooLong(10), whole("next"), Line::TooLong(9), whole("12345678"),]
        );
        assert!(lines.begun.capacity() <= 64, "nothing of it is kept");
    }

    #[test]
    fn the_last_line_needs_no_end() {
        let mut lines = Lines::new(8);
        lines.push(Bytes::from_static(b"a\nb"));
        assert_eq!((lines.finish(), lines.finish()), (Some(whole("b")), None));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(text in "[a-c\n]{0,60}", cut in 1usize..9) {
            let mut at_once = Lines::new(7);
            let mut expected = at_once.push(Bytes::from(text.clone()));
            expected.extend(at_once.finish());
            let mut in_parts = Lines::new(7);
            let mut got: Vec<Line> = text.as_bytes().chunks(cut).flat_map(|c| in_parts.push(Bytes::copy_from_slice(c))).collect();
            got.extend(in_parts.finish());
            prop_assert_eq!(got, expected);
        }
    }
}
