//! Lines of any length, held only up to a limit.

use std::io::{self, BufRead};

/// A record with a large picture or a large file in it; what is longer is passed over.
const LONGEST: usize = 32 * 1024 * 1024;

pub struct Lines<R> {
    from: R,
    line: Vec<u8>,
    /// Up to the end of the last whole line.
    pub bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub fn of(from: R) -> Self {
        Self { from, line: Vec::new(), bytes: 0 }
    }

    /// The next whole line without its end; `Some(None)` for one that is too long. What has no end yet is no line.
    pub fn next_line(&mut self) -> io::Result<Option<Option<&[u8]>>> {
        self.line.clear();
        self.line.shrink_to(1024 * 1024);
        let (mut read, mut too_long) = (0, false);
        loop {
            let piece = self.from.fill_buf()?;
            if piece.is_empty() {
                return Ok(None);
            }
            let end = memchr::memchr(b'\n', piece);
            let part = &piece[..end.unwrap_or(piece.len())];
            too_long |= self.line.len() + part.len() > LONGEST;
            if !too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.from.consume(used);
            read += used as u64;
            if end.is_some() {
                self.bytes += read;
                return Ok(Some((!too_long).then_some(self.line.as_slice())));
            }
        }
    }
}
