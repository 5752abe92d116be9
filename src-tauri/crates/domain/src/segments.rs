//! How a text becomes SMS: which alphabet it needs, how many segments it takes, and where to cut it.
//!
//! GSM 03.38: a message in the GSM-7 alphabet holds 160 septets alone or 153 in each part; characters of the extension
//! table take two. Any character outside both tables turns the whole message to UCS-2: 70 code units alone, 67 in parts.
//! Neither an escape pair nor a surrogate pair is split between parts.

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
    if all <= alone {
        return Count { alphabet, segments: 1 };
    }
    let mut segments = 1;
    let mut used = 0;
    for c in text.chars() {
        let units = alphabet.units(c);
        if used + units > part {
            segments += 1;
            used = 0;
        }
        used += units;
    }
    Count { alphabet, segments }
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
    let ends: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
    let fits = |end: usize| count(&format!("{}{tail}", text[..end].trim_end())).segments <= segments;
    let longest = match ends.partition_point(|&end| fits(end)) {
        0 => 0,
        n => ends[n - 1],
    };
    let end = soft_end(&text[..longest]);
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
