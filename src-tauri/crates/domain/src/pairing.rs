//! What a paired phone may do.

use serde::{Deserialize, Serialize};

/// One thing a phone or an API token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Read,
    Chat,
    Approve,
    Terminal,
    Preview,
    Tasks,
}

/// A set of [`Scope`]s, in a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scope {
    pub const ALL: [Scope; 6] = [Self::Read, Self::Chat, Self::Approve, Self::Terminal, Self::Preview, Self::Tasks];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Chat => "chat",
            Self::Approve => "approve",
            Self::Terminal => "terminal",
            Self::Preview => "preview",
            Self::Tasks => "tasks",
        }
    }
}

impl Scopes {
    pub const ALL: Scopes = Scopes(0b11_1111);

    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// What both allow.
    pub fn both(self, other: Scopes) -> Scopes {
        Scopes(self.0 & other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    /// `read chat approve`: how they stand in a column and in a token. Words that are not known are left out, so that a scope
    /// that a later version takes away grants nothing.
    pub fn words(self) -> String {
        self.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }

    pub fn read(words: &str) -> Scopes {
        words.split(' ').filter_map(|word| Scope::ALL.into_iter().find(|scope| scope.as_str() == word)).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | 1 << scope as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_survive_their_words() {
        for bits in 0..64 {
            let scopes = Scopes(bits);
            assert_eq!(Scopes::read(&scopes.words()), scopes);
        }
        assert_eq!(Scopes::read("read fly"), Scopes::from_iter([Scope::Read]));
        assert_eq!(Scopes::ALL.iter().count(), Scope::ALL.len());
    }
}
