//! What an agent says is kept, shown and sent without secrets: the owner's own, and what has the shape of one. Questions are left as they
//! are, for what is allowed must be what was shown.

use domain::agent::{AgentEvent, Notice};
use sandbox::agent::secrets::Known;
use secrecy::SecretString;

/// Bytes at the end of partial words that pass though a secret may begin with them: common words are shorter than this.
const PASSES: usize = 12;
/// Bytes of a line that are remembered for what comes after them.
const REMEMBERED: usize = 4096;
const KEY_BEGINS: &str = "PRIVATE KEY-----";

#[derive(Default)]
pub struct Scrub {
    known: Known,
    block: Option<Block>,
}

/// The block whose partial words come now.
struct Block {
    message: String,
    number: u32,
    /// Where in the block `line` begins.
    at: usize,
    /// The line that is being written, as the agent wrote it.
    line: String,
    /// How much of it was passed on.
    sent: usize,
    /// Within a private key, whose lines look like nothing.
    in_key: bool,
}

impl Scrub {
    /// Takes the secrets out of one event. `in_use`: the owner's own, asked for once a turn.
    pub fn pass(&mut self, event: &mut AgentEvent, in_use: impl FnOnce() -> Vec<SecretString>) {
        match event {
            AgentEvent::TurnStarted { .. } => self.known = Known::of(in_use()),
            AgentEvent::Partial { message, block, offset, text, .. } => self.partial(message, *block, offset, text),
            AgentEvent::Text { text, .. } | AgentEvent::Thinking { text, .. } => self.clean(text),
            AgentEvent::ToolUsed { input, .. } => self.known.clean_value(input),
            AgentEvent::ToolFinished { text, detail, .. } => {
                self.clean(text);
                detail.iter_mut().for_each(|detail| self.known.clean_value(detail));
            }
            AgentEvent::TurnEnded(end) => self.clean(&mut end.text),
            AgentEvent::Retrying { error: text, .. }
            | AgentEvent::Notice(Notice::Said(text))
            | AgentEvent::Exited { stderr: text, .. } => self.clean(text),
            AgentEvent::Took { .. }
            | AgentEvent::Activity(_)
            | AgentEvent::Asked(_)
            | AgentEvent::Withdrawn { .. }
            | AgentEvent::Called(_)
            | AgentEvent::ConversationReset { .. }
            | AgentEvent::Notice(Notice::OutputCapped { .. } | Notice::Garbage { .. })
            | AgentEvent::Unknown { .. } => {}
        }
    }

    fn clean(&self, text: &mut String) {
        if let Some(clean) = self.known.clean(text) {
            *text = clean;
        }
    }

    /// Words come in pieces that cut a secret anywhere: the last word of what is there waits while it may be one, and asterisks as
    /// long as the secret keep the count of bytes. Lossy as partial words are: the finished block says all of it.
    fn partial(&mut self, message: &str, number: u32, offset: &mut usize, text: &mut String) {
        let follows = |block: &Block| {
            block.message == message && block.number == number && block.at + block.line.len() == *offset
        };
        if !self.block.as_ref().is_some_and(follows) {
            let (message, line) = (message.to_owned(), String::new());
            self.block = Some(Block { message, number, at: *offset, line, sent: 0, in_key: false });
        }
        let Some(block) = &mut self.block else { return };
        (*offset, *text) = block.passes(text, &self.known);
    }
}

impl Block {
    /// What may be passed on now, and where in the block it stands.
    fn passes(&mut self, more: &str, known: &Known) -> (usize, String) {
        self.line.push_str(more);
        let word = self.line.rfind(char::is_whitespace).map_or(0, |at| self.line.ceil_char_boundary(at + 1));
        let end = if self.line.len() - word < PASSES { self.line.len() } else { word };
        let (from, start) = (self.at + self.sent, self.sent);
        let end = end.max(start);
        let shown = self.veiled(known).get(start..end).unwrap_or_default().to_owned();
        self.sent = end;
        self.forget();
        (from, shown)
    }

    fn veiled(&mut self, known: &Known) -> String {
        let mut shown = String::with_capacity(self.line.len());
        for line in self.line.split_inclusive('\n') {
            self.in_key |= line.contains("-----BEGIN ") && line.contains(KEY_BEGINS);
            match self.in_key {
                true => shown.push_str(&"*".repeat(line.len())),
                false => shown.push_str(&known.veil(line)),
            }
            self.in_key &= !(line.contains("-----END ") && line.ends_with('\n'));
        }
        shown
    }

    /// Whole lines are done with, and so is the beginning of an endless one.
    fn forget(&mut self) {
        let lines = self.line[..self.sent].rfind('\n').map_or(0, |at| at + 1);
        let long = self.sent.saturating_sub(REMEMBERED);
        let done = self.line.floor_char_boundary(lines.max(long));
        self.line.drain(..done);
        (self.at, self.sent) = (self.at + done, self.sent - done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::agent::PartialKind;
    use proptest::prelude::*;

    const OWN: &str = "the-owners-own-key";

    fn shaped() -> String {
        format!("gh{}", "p_a1B2c3D4e5F6g7H8i9J0k1L2")
    }

    /// What a page has after these pieces of one block, put where they say they stand.
    fn page(pieces: &[&str]) -> String {
        let mut scrub = Scrub { known: Known::of([SecretString::from(OWN)]), block: None };
        let (mut page, mut at) = (String::new(), 0);
        for piece in pieces {
            let (message, kind) = ("m".to_owned(), PartialKind::Text);
            let mut event = AgentEvent::Partial { message, block: 0, offset: at, text: (*piece).to_owned(), kind };
            scrub.pass(&mut event, Vec::new);
            at += piece.len();
            let AgentEvent::Partial { offset, text, .. } = event else { unreachable!() };
            assert_eq!(offset, page.len(), "no gap and nothing twice");
            page.push_str(&text);
        }
        page
    }

    #[test]
    fn common_words_pass_at_once_and_a_long_one_with_the_next_blank() {
        assert_eq!(page(&["Fixed", " the te", "st."]), "Fixed the test.");
        assert_eq!(page(&["internationalization"]), "");
        assert_eq!(page(&["internationalization", " is"]), "internationalization is");
    }

    #[test]
    fn a_private_key_is_hidden_line_by_line() {
        let key = ["-----BEGIN PRIVATE ", "KEY-----\nMIIE\n", "abcd\n-----END PRIVATE KEY-----", "\nDone. "];
        let page = page(&key);
        assert!(page.ends_with("Done. ") && !page.contains("MIIE") && !page.contains("abcd"), "{page}");
    }

    proptest! {
        #[test]
        fn however_words_are_cut_no_secret_comes_through_and_nothing_else_is_lost(
            before in "[a-zü \\n]{0,30}", after in "[a-zü \\n]{0,30}", own in any::<bool>(),
            cuts in prop::collection::vec(0usize..100, 0..8),
        ) {
            let secret = if own { OWN.to_owned() } else { shaped() };
            let text = format!("{before} {secret} {after} \n");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
            let page = page(&pieces);
            prop_assert_eq!(page.len(), text.len());
            prop_assert!(!page.contains(&secret));
            let (head, tail) = (format!("{before} "), format!(" {after} \n"));
            prop_assert!(page.starts_with(&head) && page.ends_with(&tail));
            let shown = &page[before.len() + 1..][..secret.len()];
            // At most the beginning of a word passes before it is known to be one.
            prop_assert!(shown[PASSES..].chars().all(|c| c == '*'), "{}", shown);
        }
    }
}
