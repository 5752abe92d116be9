//! How a text becomes SMS: which alphabet it needs, how many segments it takes, and where to cut it.
//!
//! GSM 03.38: a message in the GSM-7 alphabet holds 160 septets alone or 153 in each part; characters of the extension
//! table take two. Any character outside both tables turns the whole message to UCS-2: 70 code units alone, 67 in parts.
//! What a reader takes for one character (an escape pair, a flag, a letter with its accent) is not split between parts.
//! All of it as Twilio's own calculator counts, which the tests hold it against.

mod clusters;

use clusters::clusters;

/// The GSM-7 basic table (3GPP TS 23.038, 6.2.1), without the escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: each costs an escape septet more.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    Gsm7,
    Ucs2,
}

impl Alphabet {
    /// Units (septets or UTF-16 code units) a message holds alone, and in each of several parts.
    const fn room(self) -> (usize, usize) {
        match self {
            Alphabet::Gsm7 => (160, 153),
            Alphabet::Ucs2 => (70, 67),
        }
    }

    fn units(self, c: char) -> usize {
        match self {
            Alphabet::Gsm7 if c.is_ascii_alphanumeric() || c == ' ' => 1,
            Alphabet::Gsm7 => 1 + usize::from(EXTENDED.contains(c)),
            Alphabet::Ucs2 => c.len_utf16(),
        }
    }

    /// The units of each character that is not parted.
    fn sizes(self, text: &str) -> Vec<usize> {
        match self {
            Alphabet::Gsm7 => text.chars().map(|c| self.units(c)).collect(),
            Alphabet::Ucs2 => clusters(text).map(|cluster| cluster.encode_utf16().count()).collect(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub alphabet: Alphabet,
    pub segments: usize,
}

fn is_gsm7(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ' ' || BASIC.contains(c) || EXTENDED.contains(c)
}

/// The alphabet a text needs as it stands.
pub fn alphabet(text: &str) -> Alphabet {
    if text.chars().all(is_gsm7) { Alphabet::Gsm7 } else { Alphabet::Ucs2 }
}

/// How many segments the carrier bills for `text` (an empty text is one).
pub fn count(text: &str) -> Count {
    let alphabet = alphabet(text);
    let (alone, part) = alphabet.room();
    let all: usize = text.chars().map(|c| alphabet.units(c)).sum();
    let segments = if all <= alone { 1 } else { parts(&alphabet.sizes(text), alone, part) };
    Count { alphabet, segments }
}

/// The segments of a text that is too long for one. The first is filled as if it were alone; when the text turns out
/// longer, what its header has no room for goes to the second, whatever that holds then.
fn parts(sizes: &[usize], alone: usize, part: usize) -> usize {
    let (mut used, mut first) = (0, 0);
    while first < sizes.len() && used + sizes[first] <= alone {
        used += sizes[first];
        first += 1;
    }
    let mut kept = first;
    let mut moved = 0;
    while used > part {
        kept -= 1;
        used -= sizes[kept];
        moved += sizes[kept];
    }
    let (mut segments, mut used) = (2, moved + sizes.get(first).copied().unwrap_or(0));
    for size in sizes.iter().skip(first + 1) {
        if used + size > part {
            segments += 1;
            used = 0;
        }
        used += size;
    }
    segments
}

/// Replaces typographic characters by their plain cousins where nothing is lost, so that GSM-7 suffices more often.
/// Accents outside GSM-7 and emoji stay: they are the writer's words.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{2032}' | '`' | '\u{B4}' => out.push('\''),
            '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{2033}' | '«' | '»' => out.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '\u{2026}' => out.push_str("..."),
            '\u{2022}' | '\u{2023}' | '\u{25AA}' | '\u{25CF}' | '\u{B7}' => out.push('-'),
            '\u{2190}' => out.push_str("<-"),
            '\u{2192}' | '\u{279C}' => out.push_str("->"),
            '\u{21D2}' => out.push_str("=>"),
            '\u{2713}' | '\u{2714}' | '\u{2705}' => out.push_str("ok"),
            '\u{2717}' | '\u{2718}' | '\u{274C}' => out.push('x'),
            '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{3000}' | '\t' => out.push(' '),
            '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{FE0F}' => {}
            '©' => out.push_str("(c)"),
            '®' => out.push_str("(R)"),
            '™' => out.push_str("(TM)"),
            '×' => out.push('x'),
            c => out.push(c),
        }
    }
    out
}

/// The longest beginning of `text` that, followed by `tail`, still fits `segments` segments, and what is left over.
/// Cuts at a paragraph, a line, a sentence or a word where one ends in the last third, else between characters.
/// `None` when all of `text` fits without the tail.
pub fn cut<'t>(text: &'t str, tail: &str, segments: usize) -> Option<(&'t str, &'t str)> {
    if count(text).segments <= segments {
        return None;
    }
    let mut end = 0;
    let starts = clusters(text).map(|cluster| (end, end += cluster.len()).0).collect::<Vec<usize>>();
    let fits = |end: usize| count(&format!("{}{tail}", text[..end].trim_end())).segments <= segments;
    let longest = match starts.partition_point(|&end| fits(end)) {
        0 => 0,
        n => starts[n - 1],
    };
    let end = soft_end(&text[..longest]);
    // A cut may join the tail's first character to the last one kept.
    let end = if fits(end) { end } else { starts.iter().rev().copied().find(|&s| s < end && fits(s)).unwrap_or(0) };
    Some((text[..end].trim_end(), text[end..].trim_start()))
}

fn soft_end(fitting: &str) -> usize {
    let earliest = fitting.len() * 2 / 3;
    ["\n\n", "\n", ". ", " "]
        .iter()
        .filter_map(|mark| fitting.rfind(mark).map(|at| at + mark.len()))
        .find(|&at| at >= earliest)
        .unwrap_or(fitting.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, alphabet: Alphabet, segments: usize) {
        assert_eq!(count(text), Count { alphabet, segments }, "{} characters", text.chars().count());
    }

    #[test]
    fn segments_are_counted_as_the_carrier_bills_them() {
        check("", Alphabet::Gsm7, 1);
        check(&"a".repeat(160), Alphabet::Gsm7, 1);
        check(&"a".repeat(161), Alphabet::Gsm7, 2);
        check(&"a".repeat(306), Alphabet::Gsm7, 2);
        check(&"a".repeat(307), Alphabet::Gsm7, 3);
        check(&"€".repeat(80), Alphabet::Gsm7, 1);
        check(&"ж".repeat(70), Alphabet::Ucs2, 1);
        check(&"ж".repeat(71), Alphabet::Ucs2, 2);
        check(&"😀".repeat(35), Alphabet::Ucs2, 1);
        check(&"😀".repeat(36), Alphabet::Ucs2, 2);
    }

    #[test]
    fn a_pair_is_never_split_between_segments() {
        // 152 septets, then an escape pair: the pair moves whole to the second part.
        check(&format!("{}€{}", "a".repeat(152), "a".repeat(151)), Alphabet::Gsm7, 2);
        check(&format!("{}€{}", "a".repeat(152), "a".repeat(152)), Alphabet::Gsm7, 3);
    }

    #[test]
    fn what_is_one_character_to_a_reader_is_never_split() {
        // 133 units, then a flag of four: it moves whole to the third part, though two of its units had room.
        check(&format!("{}🇩🇪{}", "ж".repeat(132), "ж".repeat(63)), Alphabet::Ucs2, 3);
        check(&format!("{}🇩🇪{}", "ж".repeat(132), "ж".repeat(64)), Alphabet::Ucs2, 4);
        let families = "👨‍👩‍👧".repeat(20);
        let (head, _) = cut(&families, "", 1).unwrap();
        assert!(head.ends_with("👨‍👩‍👧"), "{head}");
    }

    #[test]
    fn typography_becomes_plain_but_words_stay() {
        assert_eq!(plain("“it’s – done…” naïve 日本"), "\"it's - done...\" naïve 日本");
        assert_eq!(alphabet(&plain("‘quoted’ → next")), Alphabet::Gsm7);
    }

    #[test]
    fn a_long_text_is_cut_at_a_word() {
        let text = "word ".repeat(100);
        let (head, rest) = cut(&text, " (more)", 2).unwrap();
        assert!(head.ends_with("word") && rest.starts_with("word"));
        assert_eq!(cut("short", " (more)", 1), None);
    }

    proptest! {
        #[test]
        fn what_is_cut_fits_and_loses_nothing_but_blanks(text in "(\\PC|\n| ){0,1200}", segments in 1usize..6) {
            if let Some((head, rest)) = cut(&text, "\n(more)", segments) {
                let sent = format!("{head}\n(more)");
                prop_assert!(count(&sent).segments <= segments);
                let squeeze = |s: &str| s.split_whitespace().collect::<String>();
                prop_assert_eq!(squeeze(head) + &squeeze(rest), squeeze(&text));
            } else {
                prop_assert!(count(&text).segments <= segments);
            }
        }
    }
}
