//! What Twilio posts to us: a text that came in, or how far one of ours has come. Read only after the signature held.

use super::{MediaRef, MessageStatus, is_sid};
use domain::Address;
use std::{borrow::Cow, fmt};

/// Twilio sends about 30 fields; more than this is no form of Twilio's.
const MOST_FIELDS: usize = 300;
/// An MMS has at most ten files.
const MOST_MEDIA: usize = 10;

/// A form's fields, decoded, in the order they came, none left out: what the signature covers.
pub type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("the form has too many fields")]
    TooManyFields,
    #[error("the form has no {0}")]
    Missing(&'static str),
    #[error("the form's {0} is not what Twilio sends")]
    Malformed(&'static str),
    /// A short code or a name: signed, but never the owner's phone. Answer well and forget it.
    #[error("the sender is no phone number")]
    NotAPhone,
}

impl WebhookError {
    pub fn code(&self) -> domain::Code {
        domain::Code::BadForm
    }
}

/// Splits and decodes a form's body. Text that is not UTF-8 is replaced, so its signature will not hold.
pub fn parse_form(body: &[u8]) -> Result<Pairs<'_>, WebhookError> {
    let pairs: Pairs<'_> = form_urlencoded::parse(body).take(MOST_FIELDS + 1).collect();
    if pairs.len() > MOST_FIELDS { Err(WebhookError::TooManyFields) } else { Ok(pairs) }
}

/// What the person did with Twilio's own words for leaving and coming back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOut {
    Stop,
    Start,
    Help,
}

/// A text or picture message from a person's phone.
#[derive(Clone, PartialEq, Eq)]
pub struct InboundText {
    /// `SM..` or `MM..`; the same when Twilio posts it again.
    pub sid: String,
    pub account_sid: String,
    pub from: Address,
    pub to: Address,
    pub body: String,
    pub media: Vec<MediaRef>,
    /// Told by messaging services with advanced opt-out, and read from the word itself otherwise.
    pub opt_out: Option<OptOut>,
}

/// Log-safe.
impl fmt::Debug for InboundText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InboundText({}, from {:?}, {} pictures)", self.sid, self.from, self.media.len())
    }
}

impl InboundText {
    pub fn read(pairs: &Pairs<'_>) -> Result<Self, WebhookError> {
        let body = field(pairs, "Body").unwrap_or_default();
        let address = |name| need(pairs, name)?.parse::<Address>().map_err(|_| WebhookError::NotAPhone);
        Ok(Self {
            sid: message_sid(pairs)?,
            account_sid: need(pairs, "AccountSid")?.to_owned(),
            from: address("From")?,
            to: address("To")?,
            media: media(pairs)?,
            opt_out: opt_out(field(pairs, "OptOutType"), body),
            body: body.to_owned(),
        })
    }
}

/// How far a message of ours has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    pub sid: String,
    pub status: MessageStatus,
    /// See [`super::explain`].
    pub error: Option<u32>,
}

impl StatusReport {
    pub fn read(pairs: &Pairs<'_>) -> Result<Self, WebhookError> {
        let status = need(pairs, "MessageStatus")?.parse().map_err(|_| WebhookError::Malformed("MessageStatus"))?;
        let error = field(pairs, "ErrorCode").and_then(|code| code.parse().ok()).filter(|code| *code != 0);
        Ok(Self { sid: message_sid(pairs)?, status, error })
    }
}

fn field<'a>(pairs: &'a Pairs<'_>, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
}

fn need<'a>(pairs: &'a Pairs<'_>, name: &'static str) -> Result<&'a str, WebhookError> {
    field(pairs, name).filter(|value| !value.is_empty()).ok_or(WebhookError::Missing(name))
}

fn message_sid(pairs: &Pairs<'_>) -> Result<String, WebhookError> {
    let sid = need(pairs, "MessageSid")?;
    match is_sid(sid, "SM") || is_sid(sid, "MM") {
        true => Ok(sid.to_owned()),
        false => Err(WebhookError::Malformed("MessageSid")),
    }
}

fn media(pairs: &Pairs<'_>) -> Result<Vec<MediaRef>, WebhookError> {
    let count: usize =
        field(pairs, "NumMedia").unwrap_or("0").parse().map_err(|_| WebhookError::Malformed("NumMedia"))?;
    if count > MOST_MEDIA {
        return Err(WebhookError::Malformed("NumMedia"));
    }
    let one = |n| {
        let url = field(pairs, &format!("MediaUrl{n}")).ok_or(WebhookError::Malformed("NumMedia"))?;
        let media_type = field(pairs, &format!("MediaContentType{n}")).unwrap_or_default();
        Ok(MediaRef { url: url.to_owned(), media_type: media_type.to_owned() })
    };
    (0..count).map(one).collect()
}

/// The words Twilio acts on itself for a long code (twilio.com/docs: default opt-out keywords). Without advanced
/// opt-out a bare `YES` is one of them too, but only for a number that has opted out; here it stays an answer.
fn opt_out(told: Option<&str>, body: &str) -> Option<OptOut> {
    match told {
        Some("STOP") => return Some(OptOut::Stop),
        Some("START") => return Some(OptOut::Start),
        Some("HELP") => return Some(OptOut::Help),
        _ => {}
    }
    match body.trim().to_ascii_uppercase().as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT" => Some(OptOut::Stop),
        "START" | "UNSTOP" => Some(OptOut::Start),
        "HELP" | "INFO" => Some(OptOut::Help),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SID: &str = "MMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn form(more: &str) -> String {
        format!("MessageSid={SID}&AccountSid=AC1&From=%2B15551230001&To=%2B15550001111&{more}")
    }

    fn read(more: &str) -> Result<InboundText, WebhookError> {
        InboundText::read(&parse_form(form(more).as_bytes()).unwrap())
    }

    #[test]
    fn a_text_is_read_with_its_pictures_and_its_exact_words() {
        let text =
            read("Body=+fix+it+%F0%9F%91%8D%0A&NumMedia=1&MediaUrl0=https%3A%2F%2Fx%2F1&MediaContentType0=image%2Fpng")
                .unwrap();
        assert_eq!(text.body, " fix it 👍\n");
        assert_eq!(text.media, [MediaRef { url: "https://x/1".into(), media_type: "image/png".into() }]);
        assert_eq!((text.from.to_string().as_str(), text.opt_out), ("+15551230001", None));
    }

    #[test]
    fn what_is_no_message_from_a_phone_is_told_apart() {
        assert_eq!(read("NumMedia=11").unwrap_err(), WebhookError::Malformed("NumMedia"));
        assert_eq!(read("NumMedia=2&MediaUrl0=x").unwrap_err(), WebhookError::Malformed("NumMedia"));
        let short = form("Body=x").replace("%2B15551230001", "22000");
        assert_eq!(InboundText::read(&parse_form(short.as_bytes()).unwrap()), Err(WebhookError::NotAPhone));
        let forged = form("").replace(SID, "MM%27%20OR%201");
        assert_eq!(
            InboundText::read(&parse_form(forged.as_bytes()).unwrap()),
            Err(WebhookError::Malformed("MessageSid"))
        );
    }

    #[test]
    fn opting_out_is_seen_by_word_or_by_twilio_saying_so() {
        assert_eq!(read("Body=+stop+").unwrap().opt_out, Some(OptOut::Stop));
        assert_eq!(read("Body=stop+that").unwrap().opt_out, None);
        assert_eq!(read("Body=arret&OptOutType=STOP").unwrap().opt_out, Some(OptOut::Stop));
        assert_eq!(read("Body=yes").unwrap().opt_out, None);
    }

    #[test]
    fn a_receipt_is_read() {
        let pairs = format!("MessageSid={SID}&MessageStatus=undelivered&ErrorCode=30003");
        let report = StatusReport::read(&parse_form(pairs.as_bytes()).unwrap()).unwrap();
        assert_eq!((report.status, report.error), (MessageStatus::Undelivered, Some(30003)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_form_or_an_error(body in proptest::collection::vec(any::<u8>(), 0..2000)) {
            if let Ok(pairs) = parse_form(&body) {
                let _ = (InboundText::read(&pairs), StatusReport::read(&pairs));
            }
        }

        #[test]
        fn a_form_comes_back_as_it_was_written(fields in proptest::collection::vec(("\\PC{0,9}", "(\\PC|\r|\n){0,40}"), 0..40)) {
            let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            let read: Vec<(String, String)> = parse_form(written.as_bytes()).unwrap().into_iter().map(|(k, v)| (k.into(), v.into())).collect();
            prop_assert_eq!(read, fields);
        }
    }
}
