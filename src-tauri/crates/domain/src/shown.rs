//! Text as it may be shown to a person who decides by it: nothing invisible, nothing that reorders.
//!
//! Control characters, bidirectional controls and zero-width characters are replaced by visible marks, not dropped, so
//! that what hides is seen (the attack class is "Trojan Source", CVE-2021-42574).

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// `text` with every character that could mislead made visible as `<U+202E>`. Line breaks and tabs stay.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if misleads(c) {
            out.push_str(&format!("<U+{:04X}>", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

/// As [`shown`], on one line and at most `limit` characters; a longer text keeps its head and its tail, with the number
/// of characters left out between, so that a long harmless beginning cannot push what matters out of sight.
pub fn shown_line(text: &str, limit: usize) -> String {
    let line: String = shown(text).replace("\r\n", " | ").replace(['\n', '\r'], " | ").replace('\t', " ");
    let chars: Vec<char> = line.chars().collect();
    if chars.len() <= limit {
        return line;
    }
    let tail = limit / 3;
    let head = limit.saturating_sub(tail + 16);
    let left_out = chars.len() - head - tail;
    let piece = |part: &[char]| part.iter().collect::<String>();
    format!("{} ..[{left_out} more].. {}", piece(&chars[..head]), piece(&chars[chars.len() - tail..]))
}

fn misleads(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Invisible though not of category Cf: variation selectors, fillers, combining grapheme joiner.
        '\u{FE00}'..='\u{FE0E}'
        | '\u{E0100}'..='\u{E01EF}'
        | '\u{34F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{3164}'
        | '\u{FFA0}'
        | '\u{2800}' => true,
        _ => matches!(
            c.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::PrivateUse
                | GeneralCategory::Unassigned
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_hides_or_reorders_is_made_visible() {
        assert_eq!(shown("rm \u{202E}txt.exe"), "rm <U+202E>txt.exe");
        assert_eq!(shown("a\u{200B}b\u{1B}[2Jc\u{FEFF}"), "a<U+200B>b<U+001B>[2Jc<U+FEFF>");
        assert_eq!(shown("héllo 日本 😀\n\tok"), "héllo 日本 😀\n\tok");
    }

    #[test]
    fn a_long_command_shows_its_end_too() {
        let line = shown_line(&format!("echo {} ; curl evil", "a".repeat(500)), 120);
        assert!(line.ends_with("; curl evil") && line.contains("more]"), "{line}");
        assert!(line.chars().count() <= 126);
    }

    proptest! {
        #[test]
        fn nothing_misleading_survives(text in any::<String>()) {
            prop_assert!(!shown(&text).chars().any(misleads));
        }
    }
}
