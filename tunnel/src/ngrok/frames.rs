//! muxado's frames as they pass: length u24, type and flags a nibble each, stream u32, body. Streams we open are odd,
//! those the edge opens are even.

pub(super) const RESET: u8 = 0;
pub(super) const DATA: u8 = 1;
const FIN: u8 = 1;
const SYN: u8 = 2;
const HEAD: usize = 8;

#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) kind: u8,
    flags: u8,
    pub(super) stream: u32,
    left: usize,
}

impl Frame {
    /// Whether it is of a stream that we opened.
    pub(super) fn ours(self) -> bool {
        !self.stream.is_multiple_of(2)
    }

    pub(super) fn opens(self) -> bool {
        self.flags & SYN != 0
    }

    pub(super) fn finishes(self) -> bool {
        self.flags & FIN != 0
    }
}

/// A piece of a frame: its head where it begins here, and as much of its body as is there.
pub(super) struct Piece<'a> {
    pub(super) frame: Frame,
    pub(super) head: Option<[u8; HEAD]>,
    pub(super) body: &'a [u8],
    /// Whether the frame ends with it.
    pub(super) last: bool,
}

#[derive(Default)]
pub(super) struct Frames {
    head: Vec<u8>,
    frame: Option<Frame>,
}

impl Frames {
    /// The next piece of these bytes, which are used up as far as it goes; none when only part of a head is left.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Piece<'a>> {
        if bytes.is_empty() {
            return None;
        }
        let (mut frame, head) = match self.frame.take() {
            Some(frame) => (frame, None),
            None => self.begin(bytes)?,
        };
        let (body, rest) = bytes.split_at(frame.left.min(bytes.len()));
        *bytes = rest;
        frame.left -= body.len();
        let last = frame.left == 0;
        self.frame = (!last).then_some(frame);
        Some(Piece { frame, head, body, last })
    }

    fn begin(&mut self, bytes: &mut &[u8]) -> Option<(Frame, Option<[u8; HEAD]>)> {
        let (missing, rest) = bytes.split_at((HEAD - self.head.len()).min(bytes.len()));
        self.head.extend_from_slice(missing);
        *bytes = rest;
        let head: [u8; HEAD] = self.head.as_slice().try_into().ok()?;
        self.head.clear();
        let [a, b, c, kind_flags, s @ ..] = head;
        let frame = Frame {
            kind: kind_flags >> 4,
            flags: kind_flags & 0xf,
            stream: u32::from_be_bytes(s) & 0x7fff_ffff,
            left: u32::from_be_bytes([0, a, b, c]) as usize,
        };
        Some((frame, Some(head)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    /// A frame as it is on the wire.
    pub(in super::super) fn frame(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let mut out = vec![length[1], length[2], length[3], kind << 4 | flags];
        out.extend(stream.to_be_bytes());
        out.extend(body);
        out
    }
}
