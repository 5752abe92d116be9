//! What a reader takes for one character: grapheme clusters by the rules of Unicode 10, as Twilio's own calculator parts
//! a text (sms-segments-calculator 1.3.0, which uses grapheme-splitter 1.0.4). Newer rules join more, which would count
//! some emoji differently than Twilio does; so these stay as they are, their exceptions included.

use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Cr,
    Lf,
    Control,
    Extend,
    Regional,
    SpacingMark,
    L,
    V,
    T,
    Lv,
    Lvt,
    Other,
    Prepend,
    Base,
    Modifier,
    Zwj,
    Glue,
    BaseGlue,
}

impl Class {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Control" => Self::Control,
            "Extend" => Self::Extend,
            "Regional" => Self::Regional,
            "SpacingMark" => Self::SpacingMark,
            "L" => Self::L,
            "V" => Self::V,
            "T" => Self::T,
            "Prepend" => Self::Prepend,
            "Base" => Self::Base,
            "Modifier" => Self::Modifier,
            "Zwj" => Self::Zwj,
            "Glue" => Self::Glue,
            "BaseGlue" => Self::BaseGlue,
            _ => return None,
        })
    }

    fn of(c: char) -> Self {
        match c {
            '\r' => Self::Cr,
            '\n' => Self::Lf,
            ' '..='~' => Self::Other,
            '\u{AC00}'..='\u{D7A3}' if (u32::from(c) - 0xAC00).is_multiple_of(28) => Self::Lv,
            '\u{AC00}'..='\u{D7A3}' => Self::Lvt,
            c => listed(u32::from(c)),
        }
    }

    fn is_base(self) -> bool {
        matches!(self, Self::Base | Self::BaseGlue)
    }
}

/// First and last code point of each range, in order.
static TABLE: LazyLock<Vec<(u32, u32, Class)>> = LazyLock::new(|| {
    let mut table = Vec::new();
    for line in include_str!("unicode10.txt").lines() {
        let mut words = line.split(' ');
        let Some(class) = words.next().and_then(Class::named) else { continue };
        table.extend(words.filter_map(range).map(|(first, last)| (first, last, class)));
    }
    table.sort_unstable_by_key(|(first, ..)| *first);
    table
});

/// `300-36F` or `3BF`.
fn range(word: &str) -> Option<(u32, u32)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Some((u32::from_str_radix(first, 16).ok()?, u32::from_str_radix(last, 16).ok()?))
}

fn listed(c: u32) -> Class {
    let after = TABLE.partition_point(|(first, ..)| *first <= c);
    match after.checked_sub(1).and_then(|n| TABLE.get(n)) {
        Some((_, last, class)) if c <= *last => *class,
        Some(_) | None => Class::Other,
    }
}

/// The clusters of `text`, in order, none left out. A line's end of two characters is two.
pub fn clusters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (cluster, after) = rest.split_at(first_end(rest));
        rest = after;
        (!cluster.is_empty()).then_some(cluster)
    })
}

/// Where the first cluster of `text` ends.
fn first_end(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else { return 0 };
    let mut cluster = Cluster::new(Class::of(first));
    for (at, c) in chars {
        let next = Class::of(c);
        if cluster.ends_before(next) {
            return at;
        }
        cluster.push(next);
    }
    text.len()
}

/// What must be known of a cluster's classes so far to tell where it ends.
struct Cluster {
    start: Class,
    last: Class,
    before_last: Option<Class>,
    /// Classes after the first.
    more: usize,
    /// How many of them are Extend, and how many Regional, before any other one and in all.
    extends: usize,
    leading_regionals: usize,
    regionals: usize,
}

impl Cluster {
    fn new(start: Class) -> Self {
        Self { start, last: start, before_last: None, more: 0, extends: 0, leading_regionals: 0, regionals: 0 }
    }

    fn push(&mut self, class: Class) {
        self.extends += usize::from(class == Class::Extend);
        if class == Class::Regional {
            self.leading_regionals += usize::from(self.leading_regionals == self.more);
            self.regionals += 1;
        }
        self.more += 1;
        self.before_last = Some(std::mem::replace(&mut self.last, class));
    }

    fn ends_before(&self, next: Class) -> bool {
        use Class::{Control, Cr, Extend, Glue, L, Lf, Lv, Lvt, Modifier, Prepend, Regional, SpacingMark, T, V, Zwj};
        if next == Modifier && self.more > 0 && self.extends == self.more && !self.takes_modifiers() {
            return true;
        }
        // A flag with a mark on it takes nothing more.
        let flag_is_whole = self.regionals > 0 && self.regionals == self.leading_regionals && next != Regional;
        if flag_is_whole && !matches!(self.last, Prepend | Regional) {
            return true;
        }
        match (self.last, next) {
            // Twilio's calculator parts them again.
            (Cr, Lf) | (Control | Cr | Lf, _) | (_, Control | Cr | Lf) => true,
            (L, L | V | Lv | Lvt) | (Lv | V, V | T) | (Lvt | T, T) => false,
            (_, Extend | Zwj | SpacingMark) | (Prepend, _) => false,
            (_, Modifier) if self.is_ready_for_a_modifier() => false,
            (Zwj, Glue | Class::BaseGlue) => false,
            (Regional, Regional) => self.regionals > 0,
            _ => true,
        }
    }

    fn takes_modifiers(&self) -> bool {
        self.start == Class::Extend || self.start.is_base()
    }

    /// A base, or a base with one mark, stands last; a mark anywhere before hides it.
    fn is_ready_for_a_modifier(&self) -> bool {
        match self.last {
            Class::Extend => self.before_last.is_some_and(Class::is_base),
            last => last.is_base() && self.extends == 0 && self.start != Class::Extend,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str, expected: &[&str]) {
        assert_eq!(clusters(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_belongs_together_stays_together() {
        parts("e\u{301}a", &["e\u{301}", "a"]);
        parts("🇩🇪🇫🇷", &["🇩🇪", "🇫🇷"]);
        parts("👍🏽!", &["👍🏽", "!"]);
        parts("👨‍👩‍👧x", &["👨‍👩‍👧", "x"]);
        parts("각\u{11A8}", &["각\u{11A8}"]);
        parts("a\r\nb", &["a", "\r", "\n", "b"]);
    }

    #[test]
    fn every_class_has_its_range() {
        assert_eq!(TABLE.len(), 553);
        assert_eq!(Class::of('\u{301}'), Class::Extend);
        assert_eq!(Class::of('\u{1F469}'), Class::BaseGlue);
        assert_eq!(Class::of('é'), Class::Other);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in any::<String>()) {
            prop_assert_eq!(clusters(&text).collect::<String>(), text);
        }
    }
}
