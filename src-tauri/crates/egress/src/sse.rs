//! Server-sent events out of bytes as they come, cut anywhere. Only what a meter needs: the data of each event.
//!
//! Own, because the crates for this are streams or decoders that own the bytes; here the bytes have gone on to the
//! sandbox already and are only looked at in passing.

use memchr::memchr2;

/// An event larger than this, or with a line that is, is no bookkeeping event; it is passed over.
const LARGEST: usize = if cfg!(fuzzing) { 512 } else { 1 << 20 };

#[derive(Debug, Default)]
pub(crate) struct Events {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// The data of the event under way, its lines joined by `\n`.
    data: Vec<u8>,
    any_data: bool,
    too_large: bool,
    /// The last byte was a CR: an LF next belongs to it.
    after_cr: bool,
    /// Where in the bytes being read the event under way begins; 0 if it began before them.
    begins: usize,
}

impl Events {
    /// Calls `each` with the data of every event that `bytes` completes, and with where in `bytes` that event begins (0 if
    /// it began before them).
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8], usize)) {
        let whole = bytes.len();
        // Nothing was read: a CR before it still waits for its LF.
        if whole == 0 {
            return;
        }
        self.begins = 0;
        if std::mem::take(&mut self.after_cr) && bytes.first() == Some(&b'\n') {
            bytes = &bytes[1..];
        }
        while let Some(end) = memchr2(b'\n', b'\r', bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            let crlf = bytes[end] == b'\r' && rest.first() == Some(&b'\n');
            self.after_cr = bytes[end] == b'\r' && rest.is_empty();
            let after = if crlf { &rest[1..] } else { rest };
            self.end_line(line, whole - after.len(), &mut each);
            bytes = after;
        }
        self.keep_line(bytes);
    }

    /// Whether nothing of an event is pending: something may be put between here.
    pub fn between_events(&self) -> bool {
        self.line.is_empty() && !self.any_data
    }

    fn keep_line(&mut self, bytes: &[u8]) {
        let bytes = self.within(bytes, LARGEST - self.line.len());
        self.line.extend_from_slice(bytes);
    }

    /// As much of a line as there is room for.
    fn within<'a>(&mut self, bytes: &'a [u8], room: usize) -> &'a [u8] {
        self.too_large |= bytes.len() > room;
        &bytes[..bytes.len().min(room)]
    }

    fn end_line(&mut self, rest: &[u8], next: usize, each: &mut impl FnMut(&[u8], usize)) {
        if self.line.is_empty() {
            let line = self.within(rest, LARGEST);
            return self.line(line, next, each);
        }
        self.keep_line(rest);
        let line = std::mem::take(&mut self.line);
        self.line(&line, next, each);
        self.line = line;
        self.line.clear();
    }

    /// `next` is where the line after this one begins.
    fn line(&mut self, line: &[u8], next: usize, each: &mut impl FnMut(&[u8], usize)) {
        if line.is_empty() {
            if self.any_data && !self.too_large {
                each(&self.data, self.begins);
            }
            self.begins = next;
            self.data.clear();
            (self.any_data, self.too_large) = (false, false);
        } else if let Some(value) = line.strip_prefix(b"data").and_then(field_value) {
            self.add_data(value);
        }
    }

    fn add_data(&mut self, value: &[u8]) {
        if self.data.len() + value.len() > LARGEST {
            self.too_large = true;
            self.data.clear();
        } else if !self.too_large {
            if self.any_data {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value);
        }
        self.any_data = true;
    }
}

/// What follows a field's name: nothing, or a colon, perhaps one space, and the value.
fn field_value(after: &[u8]) -> Option<&[u8]> {
    match after {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(chunks: &[&[u8]]) -> Vec<String> {
        let (mut events, mut seen) = (Events::default(), Vec::new());
        for chunk in chunks {
            events.feed(chunk, |data, _| seen.push(String::from_utf8_lossy(data).into_owned()));
        }
        seen
    }

    #[test]
    fn data_is_read_as_the_standard_says() {
        let text = b"event: a\ndata: one\n\n: comment\ndata:two\ndata: more\n\ndata\n\ndatax: no\n\nid: 5\n\ndata: unfinished\n";
        assert_eq!(read(&[text]), ["one", "two\nmore", ""]);
    }

    #[test]
    fn all_three_line_ends_are_ends() {
        assert_eq!(read(&[b"data: a\r\n\r\ndata: b\r\rdata: c\n\n"]), ["a", "b", "c"]);
        assert_eq!(read(&[b"data: a\r", b"\n\r", b"\ndata: b\n", b"\n"]), ["a", "b"]);
        assert_eq!(read(&[b"data: a\r", b"", b"\n"]), Vec::<String>::new(), "nothing between CR and LF");
    }

    #[test]
    fn a_giant_event_is_passed_over_and_the_next_is_read() {
        let giant = [b"data: ".as_slice(), &vec![b'x'; LARGEST + 10], b"\n\ndata: next\n\n"].concat();
        assert_eq!(read(&[&giant]), ["next"]);
        assert_eq!(read(&giant.chunks(70_000).collect::<Vec<_>>()), ["next"]);
    }

    #[test]
    fn a_giant_line_is_the_same_in_one_piece_and_in_many() {
        for start in [": ", "data: ", "da"] {
            let giant = [start.as_bytes(), &vec![b'x'; LARGEST - 3], b"\ndata: a\n\ndata: next\n\n"].concat();
            let (mut whole, mut cut) = (Events::default(), Events::default());
            let (mut at_once, mut by_pieces) = (Vec::new(), Vec::new());
            whole.feed(&giant[..giant.len() - 20], |data, _| at_once.push(data.to_vec()));
            giant[..giant.len() - 20].chunks(70_000).for_each(|c| cut.feed(c, |data, _| by_pieces.push(data.to_vec())));
            assert_eq!((at_once, whole.between_events()), (by_pieces, cut.between_events()), "{start:?}");
            assert_eq!(read(&[&giant]), read(&giant.chunks(70_000).collect::<Vec<_>>()), "{start:?}");
        }
    }

    #[test]
    fn each_event_is_told_with_where_it_begins() {
        let (mut events, mut begins) = (Events::default(), Vec::new());
        for chunk in [b"data: a\r\n\r\nevent: b\ndata: b\n\ndata".as_slice(), b": c\n\n\ndata: d\n\n"] {
            events.feed(chunk, |data, begin| begins.push((String::from_utf8_lossy(data).into_owned(), begin)));
        }
        let expected = [("a", 0), ("b", 11), ("c", 0), ("d", 6)];
        assert_eq!(begins, expected.map(|(data, begin)| (data.to_owned(), begin)));
    }

    proptest! {
        #[test]
        fn any_cutting_gives_the_same_events(text in "(data: ?[a-z]{0,5}|event: x|:|[\r\n]|\r\n|\n\n){0,40}", cuts in prop::collection::vec(0usize..200, 0..12)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            prop_assert_eq!(read(&chunks), read(&[bytes]));
        }
    }
}
