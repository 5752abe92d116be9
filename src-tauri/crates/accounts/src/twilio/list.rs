//! What Twilio has on its list: to settle a send, and to take up what came while nobody listened.

use super::{CallError, MessageStatus, Twilio};
use domain::{Address, Timestamp};
use reqwest::Method;
use serde::Deserialize;
use std::{fmt, time::Duration};

/// The most pages one look back takes: 2 000 messages. More than that is history, not a gap.
const PAGES: usize = 20;
/// How far the clocks of this computer and of Twilio may differ.
const CLOCKS: Duration = Duration::from_secs(120);

/// Which messages to list. Everything is optional but the size of a page (1 to 1000).
#[derive(Clone, Debug)]
pub struct ListQuery {
    pub to: Option<Address>,
    pub from: Option<Address>,
    /// Twilio leaves out what has no date of sending yet.
    pub sent_after: Option<Timestamp>,
    pub page_size: u16,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { to: None, from: None, sent_after: None, page_size: 100 }
    }
}

/// A message as Twilio lists it.
#[derive(Clone, Deserialize)]
pub struct Listed {
    pub sid: String,
    pub status: MessageStatus,
    pub direction: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub body: Option<String>,
    pub num_segments: Option<String>,
    pub num_media: Option<String>,
    pub error_code: Option<u32>,
    date_created: Option<String>,
    date_sent: Option<String>,
}

impl Listed {
    pub fn created_at(&self) -> Option<Timestamp> {
        moment(self.date_created.as_deref()?)
    }

    pub fn sent_at(&self) -> Option<Timestamp> {
        moment(self.date_sent.as_deref()?)
    }

    pub fn is_outbound(&self) -> bool {
        self.direction.starts_with("outbound")
    }

    pub fn media_count(&self) -> usize {
        self.num_media.as_deref().and_then(|n| n.parse().ok()).unwrap_or(0)
    }
}

/// Log-safe.
impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listed({}, {}, {})", self.sid, self.direction, self.status)
    }
}

/// One page of the list, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    pub messages: Vec<Listed>,
    /// For [`Twilio::next_page`].
    pub next: Option<NextPage>,
}

/// Where the next page is: a path on Twilio's host.
#[derive(Clone, Debug)]
pub struct NextPage(String);

/// A picture (or other file) of a message, still at Twilio.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaRef {
    pub url: String,
    /// What the sender's phone said it is.
    pub media_type: String,
}

/// Log-safe: the type alone.
impl fmt::Debug for MediaRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaRef({})", self.media_type)
    }
}

/// A message that came in, as the list tells it.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    pub sid: String,
    pub from: Address,
    pub to: Address,
    pub body: String,
    pub at: Timestamp,
    pub media: Vec<MediaRef>,
}

/// Log-safe.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Received({}, from {:?}, {} pictures)", self.sid, self.from, self.media.len())
    }
}

#[derive(Deserialize)]
struct ListBody {
    messages: Vec<Listed>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct MediaListBody {
    media_list: Vec<MediaBody>,
}

#[derive(Deserialize)]
struct MediaBody {
    content_type: Option<String>,
    uri: String,
}

impl Twilio {
    /// The newest page of the list.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, CallError> {
        let mut fields = vec![("PageSize", query.page_size.clamp(1, 1000).to_string())];
        fields.extend(query.to.iter().map(|to| ("To", to.to_string())));
        fields.extend(query.from.iter().map(|from| ("From", from.to_string())));
        fields.extend(query.sent_after.iter().map(|at| ("DateSent>", iso(*at))));
        self.page(self.api.request(Method::GET, self.api.resource("/Messages.json")).query(&fields)).await
    }

    pub async fn next_page(&self, next: &NextPage) -> Result<Page, CallError> {
        self.page(self.api.request(Method::GET, self.on_our_host(&next.0)?)).await
    }

    async fn page(&self, request: reqwest::RequestBuilder) -> Result<Page, CallError> {
        let body: ListBody = self.api.json(request).await?;
        Ok(Page { messages: body.messages, next: body.next_page_uri.map(NextPage) })
    }

    /// Every message to `number` (with its pictures' addresses) that Twilio took at or after `since`, oldest first:
    /// what to put into the inbox after a time in which webhooks may have been lost. May contain some that are a
    /// little older, and some that came by webhook: the inbox is unique by id.
    pub async fn received_since(&self, number: &Address, since: Timestamp) -> Result<Vec<Received>, CallError> {
        let query = ListQuery { to: Some(number.clone()), sent_after: Some(since - CLOCKS), ..ListQuery::default() };
        let mut page = self.list(&query).await?;
        let mut received = Vec::new();
        for _ in 0..PAGES {
            for listed in page.messages.iter().filter(|m| m.direction == "inbound") {
                received.extend(self.received(listed).await?);
            }
            match page.next.take() {
                Some(next) => page = self.next_page(&next).await?,
                None => break,
            }
        }
        received.reverse();
        Ok(received)
    }

    /// `None` for a sender that is no phone number (a short code, a name): never the owner.
    async fn received(&self, listed: &Listed) -> Result<Option<Received>, CallError> {
        let address = |written: &Option<String>| written.as_deref()?.parse::<Address>().ok();
        let at = listed.sent_at().or(listed.created_at());
        let (Some(from), Some(to), Some(at)) = (address(&listed.from), address(&listed.to), at) else {
            tracing::debug!(message.sid = listed.sid, "a message whose sender is no phone number was passed over");
            return Ok(None);
        };
        let media = if listed.media_count() > 0 { self.media_of(&listed.sid).await? } else { Vec::new() };
        Ok(Some(Received {
            sid: listed.sid.clone(),
            from,
            to,
            body: listed.body.clone().unwrap_or_default(),
            at,
            media,
        }))
    }

    /// The pictures of a message, in the order of the list.
    pub async fn media_of(&self, message_sid: &str) -> Result<Vec<MediaRef>, CallError> {
        let url = self.api.resource(&format!("/Messages/{message_sid}/Media.json"));
        let body: MediaListBody = self.api.json(self.api.request(Method::GET, url)).await?;
        body.media_list
            .into_iter()
            .map(|media| {
                let url = self.on_our_host(media.uri.trim_end_matches(".json"))?.into();
                Ok(MediaRef { url, media_type: media.content_type.unwrap_or_default() })
            })
            .collect()
    }

    /// Twilio's relative paths on Twilio's host: an answer cannot send the credentials elsewhere.
    fn on_our_host(&self, path: &str) -> Result<url::Url, CallError> {
        let url = self.api.base.join(path).ok();
        url.filter(|url| url.origin() == self.api.base.origin())
            .ok_or_else(|| CallError::NoAnswer("the answer names another host".into()))
    }
}

/// RFC 2822 with whole seconds, as in `Fri, 24 May 2019 17:44:46 +0000`.
fn moment(written: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(written).ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

/// `2019-05-24T17:44:46Z`: a filter on a bare date would mean midnight.
fn iso(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.0.div_euclid(1000)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written_as_twilio_does() {
        assert_eq!(moment("Fri, 24 May 2019 17:44:46 +0000"), Some(Timestamp(1_558_719_886_000)));
        assert_eq!(iso(Timestamp(1_558_719_886_999)), "2019-05-24T17:44:46Z");
        assert_eq!(moment("yesterday"), None);
    }
}
