//! Numbers and the addresses they make on Twilio's channels.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A phone number in E.164: `+`, a country code that does not start with 0, 8 to 15 digits in all (ITU-T E.164).
/// Its `Debug` and [`PhoneNumber::masked`] forms hide all but the last two digits, for logs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a phone number is written as + and 8 to 15 digits, country code first, as in +15551230001")]
pub struct NotANumber;

impl PhoneNumber {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `+1555*****01`: enough to recognise one's own number in a log, too little to use.
    pub fn masked(&self) -> String {
        let (head, tail) = (&self.0[..self.0.len().min(4)], &self.0[self.0.len() - 2..]);
        format!("{head}{}{tail}", "*".repeat(self.0.len().saturating_sub(6)))
    }
}

impl FromStr for PhoneNumber {
    type Err = NotANumber;
    /// Accepts spaces, dashes, dots and brackets between digits, as people write numbers.
    fn from_str(written: &str) -> Result<Self, NotANumber> {
        let plain: String = written.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        let digits = plain.strip_prefix('+').ok_or(NotANumber)?;
        let right =
            (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        right.then_some(Self(plain)).ok_or(NotANumber)
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = NotANumber;
    fn try_from(s: String) -> Result<Self, NotANumber> {
        s.parse()
    }
}

impl From<PhoneNumber> for String {
    fn from(n: PhoneNumber) -> String {
        n.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Which of Twilio's networks carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    Sms,
    Whatsapp,
}

/// A number on a network, as Twilio writes it in From and To: `+15551230001` or `whatsapp:+15551230001`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    pub network: Network,
    pub number: PhoneNumber,
}

impl FromStr for Address {
    type Err = NotANumber;
    fn from_str(written: &str) -> Result<Self, NotANumber> {
        let (network, number) = match written.trim().strip_prefix("whatsapp:") {
            Some(number) => (Network::Whatsapp, number),
            None => (Network::Sms, written),
        };
        Ok(Self { network, number: number.parse()? })
    }
}

impl TryFrom<String> for Address {
    type Error = NotANumber;
    fn try_from(s: String) -> Result<Self, NotANumber> {
        s.parse()
    }
}

impl From<Address> for String {
    fn from(a: Address) -> String {
        a.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            Network::Sms => write!(f, "{}", self.number),
            Network::Whatsapp => write!(f, "whatsapp:{}", self.number),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            Network::Sms => write!(f, "{:?}", self.number),
            Network::Whatsapp => write!(f, "whatsapp:{:?}", self.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it_and_hidden_in_logs() {
        let n: PhoneNumber = "+1 (555) 123-00.01".parse().unwrap();
        assert_eq!(n.as_str(), "+15551230001");
        assert_eq!(format!("{n:?}"), "+155******01");
        for wrong in ["", "+", "5551230001", "+0555123000", "+1555", "+1555123000123456", "+1555a230001"] {
            assert_eq!(wrong.parse::<PhoneNumber>(), Err(NotANumber), "{wrong}");
        }
    }

    #[test]
    fn an_address_keeps_its_network() {
        let a: Address = "whatsapp:+15551230001".parse().unwrap();
        assert_eq!(a.network, Network::Whatsapp);
        assert_eq!(a.to_string(), "whatsapp:+15551230001");
        assert_eq!("+15551230001".parse::<Address>().unwrap().network, Network::Sms);
    }
}
