//! What a `git push` would change: the commands at the head of its request, before the pack.

use crate::Error;
use bytes::{Bytes, BytesMut};
use gix_packetline::{
    PacketLineRef,
    decode::{Stream, streaming},
};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Bytes of commands; a line is about 120, so some 8 000 refs.
const MOST: usize = 1 << 20;

/// One ref that the push would change. Object ids in hexadecimal, all zeros where the ref is not or will not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// `refs/heads/main`.
    pub name: String,
    pub old: String,
    pub new: String,
}

impl RefUpdate {
    /// The branch's name, if it is a branch.
    pub fn branch(&self) -> Option<&str> {
        self.name.strip_prefix("refs/heads/")
    }
}

/// The commands, and what was read of the body for them, which must be sent before the rest of it.
///
/// # Errors
/// `BAD_REQUEST` where they are none that can be judged: signed pushes too, whose commands stand within a certificate.
pub(crate) async fn commands(body: &mut Incoming) -> Result<(Vec<RefUpdate>, Bytes), Error> {
    let mut read = BytesMut::new();
    loop {
        if let Some(updates) = parse(&read)? {
            return Ok((updates, read.freeze()));
        }
        if read.len() > MOST {
            return Err(Error::BadRequest("pushes too many refs at once"));
        }
        match body.frame().await {
            Some(Ok(frame)) => read.extend_from_slice(frame.data_ref().map_or(&[][..], |bytes| bytes)),
            _ => return Err(Error::BadRequest("broke off")),
        }
    }
}

/// All commands up to the flush that ends them; nothing while they are not all there.
pub(crate) fn parse(read: &[u8]) -> Result<Option<Vec<RefUpdate>>, Error> {
    let odd = || Error::BadRequest("pushes in a form that cannot be judged");
    let (mut at, mut updates) = (0, Vec::new());
    loop {
        match streaming(&read[at..]).map_err(|_| odd())? {
            Stream::Incomplete { .. } => return Ok(None),
            Stream::Complete { line: PacketLineRef::Flush, .. } => return Ok(Some(updates)),
            Stream::Complete { line: PacketLineRef::Data(line), bytes_consumed } => {
                at += bytes_consumed;
                // Behind a zero byte the first command has what the client can.
                let command = line.split(|byte| *byte == 0).next().unwrap_or_default();
                let command = std::str::from_utf8(command).map_err(|_| odd())?.trim_end_matches('\n');
                if !command.starts_with("shallow ") {
                    updates.push(update(command).ok_or_else(odd)?);
                }
            }
            Stream::Complete { .. } => return Err(odd()),
        }
    }
}

fn update(command: &str) -> Option<RefUpdate> {
    let (old, rest) = command.split_once(' ')?;
    let (new, name) = rest.split_once(' ')?;
    let id = |text: &str| matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let known = id(old) && id(new) && name.starts_with("refs/") && !name.contains(|c: char| c.is_control() || c == ' ');
    known.then(|| RefUpdate { name: name.to_owned(), old: old.to_owned(), new: new.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";

    fn line(text: &str) -> String {
        format!("{:04x}{text}", text.len() + 4)
    }

    fn push(commands: &[String]) -> Vec<u8> {
        (commands.concat() + "0000PACK...").into_bytes()
    }

    #[test]
    fn the_commands_before_the_pack_are_read() {
        let first = line(&format!("{ZERO} {ONE} refs/heads/main\0 report-status side-band-64k agent=git/2.39"));
        let second = line(&format!("{ONE} {ZERO} refs/tags/v1\n"));
        let read = parse(&push(&[line(&format!("shallow {ONE}")), first, second])).unwrap().unwrap();
        assert_eq!(
            read.iter().map(|u| (u.name.as_str(), u.branch())).collect::<Vec<_>>(),
            [("refs/heads/main", Some("main")), ("refs/tags/v1", None)]
        );
        assert_eq!((read[1].old.as_str(), read[1].new.as_str()), (ONE, ZERO));
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        for text in [
            "push-cert\0caps",
            "push-option",
            &format!("{ZERO} {ONE}"),
            &format!("{ZERO} {ONE} HEAD"),
            &format!("{ZERO} 123 refs/heads/main"),
            &format!("{ZERO} {ONE} refs/heads/a b"),
        ] {
            assert!(parse(&push(&[line(text)])).is_err(), "{text:?}");
        }
        assert!(parse(b"zzzz").is_err());
        assert!(parse(b"00010000").is_err());
    }

    proptest! {
        #[test]
        fn commands_cut_anywhere_are_not_there_yet_or_the_same(cut in 0usize..150) {
            let whole = push(&[line(&format!("{ZERO} {ONE} refs/heads/main\0 report-status"))]);
            let part = &whole[..cut.min(whole.len())];
            if let Some(read) = parse(part).unwrap() {
                prop_assert_eq!(read, parse(&whole).unwrap().unwrap());
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
