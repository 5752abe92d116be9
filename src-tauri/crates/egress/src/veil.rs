//! What a host repeats of the credential it was sent: the sandbox gets asterisks in its place.

use crate::answer::{Body, BoxError};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::{
    HeaderMap,
    body::Frame,
    header::{HeaderName, HeaderValue},
};
use memchr::memmem::Finder;

/// Bytes. What is shorter stands in many an answer by chance.
const SHORTEST: usize = 8;

/// Looks for a credential in one answer, also where it comes in pieces. An answer that is compressed all the same passes unseen, which is
/// why the request asks for none that is.
pub(crate) struct Veil {
    hidden: Vec<Finder<'static>>,
    /// The end of what came, which may be the beginning of it.
    held: BytesMut,
}

type Frames = Vec<Result<Frame<Bytes>, BoxError>>;

impl Veil {
    /// Over each of these.
    pub fn over(hidden: &[&str]) -> Self {
        let long = hidden.iter().filter(|text| text.len() >= SHORTEST);
        Self { hidden: long.map(|text| Finder::new(*text).into_owned()).collect(), held: BytesMut::new() }
    }

    pub fn head(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            if let Some(veiled) = self.veiled(value.as_bytes()) {
                *value = HeaderValue::from_bytes(&veiled).unwrap_or(HeaderValue::from_static(""));
            }
        }
        let named = |name: &HeaderName| self.hidden.iter().any(|f| f.find(name.as_str().as_bytes()).is_some());
        for name in headers.keys().filter(|name| named(name)).cloned().collect::<Vec<_>>() {
            headers.remove(name);
        }
    }

    pub fn body(mut self, body: Body) -> Body {
        let frames = BodyStream::new(body).map(Some).chain(stream::iter([None]));
        StreamBody::new(frames.flat_map(move |frame| stream::iter(self.next(frame)))).boxed_unsync()
    }

    /// What passes now. None: the body is over.
    fn next(&mut self, frame: Option<Result<Frame<Bytes>, BoxError>>) -> Frames {
        let last = match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => return self.data(data).map(|data| Ok(Frame::data(data))).into_iter().collect(),
                Err(mut frame) => {
                    frame.trailers_mut().into_iter().for_each(|trailers| self.head(trailers));
                    Some(Ok(frame))
                }
            },
            Some(Err(error)) => Some(Err(error)),
            None => None,
        };
        let rest = Some(self.held.split().freeze()).filter(|rest| !rest.is_empty());
        rest.map(|rest| Ok(Frame::data(rest))).into_iter().chain(last).collect()
    }

    fn data(&mut self, data: Bytes) -> Option<Bytes> {
        let came = match self.held.is_empty() {
            true => data,
            false => {
                self.held.extend_from_slice(&data);
                self.held.split().freeze()
            }
        };
        let mut passes = self.veiled(&came).map_or(came, BytesMut::freeze);
        self.held = BytesMut::from(&passes[passes.len() - self.begun(&passes)..]);
        passes.truncate(passes.len() - self.held.len());
        Some(passes).filter(|passes| !passes.is_empty())
    }

    /// With asterisks; none where there is nothing to hide.
    fn veiled(&self, bytes: &[u8]) -> Option<BytesMut> {
        let mut veiled = None;
        for finder in &self.hidden {
            for at in finder.find_iter(bytes) {
                let veiled = veiled.get_or_insert_with(|| BytesMut::from(bytes));
                veiled[at..at + finder.needle().len()].fill(b'*');
            }
        }
        veiled
    }

    /// How many bytes at the end may be the beginning of what is hidden.
    fn begun(&self, bytes: &[u8]) -> usize {
        let begun = |finder: &Finder<'_>| {
            let longest = bytes.len().min(finder.needle().len() - 1);
            (1..=longest).rev().find(|n| finder.needle().starts_with(&bytes[bytes.len() - n..])).unwrap_or(0)
        };
        self.hidden.iter().map(begun).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "ghp_ghp_owner";

    /// The whole of it after its way in pieces.
    fn passed(pieces: &[&[u8]]) -> Vec<u8> {
        let mut veil = Veil::over(&[SECRET, "other-secret"]);
        let frames = pieces.iter().map(|piece| Some(Ok(Frame::data(Bytes::copy_from_slice(piece)))));
        let frames: Frames = frames.chain([None]).flat_map(|frame| veil.next(frame)).collect();
        frames.into_iter().flat_map(|frame| frame.unwrap().into_data().unwrap()).collect()
    }

    #[test]
    fn what_is_repeated_is_hidden_in_head_and_body_and_all_else_stays() {
        assert_eq!(passed(&[b"a ghp_ghp_owner b other-secret ghp_"]), b"a ************* b ************ ghp_");
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("is ghp_ghp_owner"));
        headers.insert("ghp_ghp_owner", HeaderValue::from_static("1"));
        Veil::over(&[SECRET]).head(&mut headers);
        assert_eq!((headers.len(), &headers["x-echo"]), (1, &HeaderValue::from_static("is *************")));
    }

    #[test]
    fn a_word_that_stands_everywhere_is_not_looked_for() {
        let mut headers = HeaderMap::new();
        headers.insert("x", HeaderValue::from_static("git"));
        Veil::over(&["git"]).head(&mut headers);
        assert_eq!(headers["x"], "git");
    }

    #[test]
    fn nothing_that_begins_nothing_waits() {
        let mut veil = Veil::over(&[SECRET]);
        assert_eq!(veil.data(Bytes::from_static(b"event: x\n\n")).unwrap(), "event: x\n\n");
        assert_eq!(veil.data(Bytes::from_static(b"y ghp_")).unwrap(), "y ");
    }

    proptest! {
        #[test]
        fn however_it_is_cut_it_is_hidden(
            before in "[ghp_x]{0,20}", after in "[ghp_x]{0,20}", cuts in proptest::collection::vec(0usize..60, 0..4),
        ) {
            let text = format!("{before}{SECRET}{after}");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &text.as_bytes()[cut[0]..cut[1]]).collect();
            let passed = passed(&pieces);
            prop_assert_eq!(passed.len(), text.len());
            prop_assert!(memchr::memmem::find(&passed, SECRET.as_bytes()).is_none());
        }
    }
}
