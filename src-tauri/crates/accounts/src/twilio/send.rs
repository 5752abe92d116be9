//! A text goes out. Twilio has no idempotency key for it, so a send without a clear answer is settled by looking for
//! the message in the account's list before it is sent again.

use super::{CallError, ListQuery, Listed, MessageStatus, Refusal, Twilio};
use crate::Cause;
use domain::{Address, Code, Timestamp};
use reqwest::Method;
use std::{fmt, time::Duration};
use url::Url;

/// How far the clocks of this computer and of Twilio may differ (they are compared in whole seconds).
const CLOCKS: Duration = Duration::from_secs(120);
/// Pages looked through for a message that may have been sent: 500 messages to one number since then.
const PAGES: usize = 5;
/// What Twilio puts before every text of a trial account.
const TRIAL: &str = "Sent from your Twilio trial account - ";

/// Who a message comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    Address(Address),
    /// `MG..`: Twilio chooses among the service's numbers.
    MessagingService(String),
}

/// One message to send: at most 1600 characters and 10 pictures.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub to: Address,
    pub from: Sender,
    pub body: String,
    /// Fetched by Twilio itself, first by HEAD and then by GET.
    pub media_urls: Vec<Url>,
    /// Where receipts are posted. Naming the message in it settles an ambiguous send as well.
    pub status_callback: Option<Url>,
}

/// Log-safe: no text, no link, no whole number.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (characters, pictures) = (self.body.chars().count(), self.media_urls.len());
        write!(f, "Outgoing({:?}, {characters} characters, {pictures} pictures)", self.to)
    }
}

/// A message as Twilio took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// `SM..` or `MM..`.
    pub sid: String,
    pub status: MessageStatus,
    /// 0 while a messaging service has not chosen a number yet.
    pub segments: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("Twilio refused the message ({0})")]
    Refused(Refusal),
    /// Error 21610: the phone texted STOP.
    #[error("the number has opted out")]
    OptedOut,
    #[error("Twilio limits the rate of messages")]
    RateLimited { retry_after: Option<Duration> },
    /// It never left: sending it again cannot double it.
    #[error("Twilio could not be reached")]
    Unreachable(#[source] Cause),
    /// It left and may have been taken: [`Twilio::find_sent`] tells, before it is sent again.
    #[error("Twilio gave no clear answer to a message")]
    Ambiguous(#[source] Cause),
}

impl SendError {
    pub fn code(&self) -> Code {
        match self {
            SendError::Refused(_) => Code::TwilioRefused,
            SendError::OptedOut => Code::OptedOut,
            SendError::RateLimited { .. } | SendError::Unreachable(_) | SendError::Ambiguous(_) => {
                Code::TwilioUnreachable
            }
        }
    }

    /// Whether sending it again, after a look for an ambiguous one, may help.
    pub fn retryable(&self) -> bool {
        match self {
            SendError::Refused(refusal) => refusal.retryable(),
            SendError::OptedOut => false,
            SendError::RateLimited { .. } | SendError::Unreachable(_) | SendError::Ambiguous(_) => true,
        }
    }

    /// As a person reads it, Twilio's reason in plain words.
    pub fn problem(&self) -> domain::Problem {
        match self {
            SendError::Refused(refusal) => domain::Problem::with_detail(self.code(), refusal.words()),
            _ => self.code().into(),
        }
    }
}

impl From<CallError> for SendError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(Refusal { code: Some(21610), .. }) => SendError::OptedOut,
            CallError::Refused(refusal) => SendError::Refused(refusal),
            CallError::RateLimited { retry_after } => SendError::RateLimited { retry_after },
            CallError::Unreachable(cause) => SendError::Unreachable(cause),
            CallError::NoAnswer(cause) => SendError::Ambiguous(cause),
        }
    }
}

impl Twilio {
    /// Gives a message to Twilio; at most 15 s. Taken is not delivered: receipts tell the rest.
    pub async fn send(&self, message: &Outgoing) -> Result<Sent, SendError> {
        let request = self.api.request(Method::POST, self.api.resource("/Messages.json")).form(&form(message));
        let taken: Listed = self.api.json(request).await?;
        Ok(taken.into())
    }

    /// Looks for a message whose send ended [`SendError::Ambiguous`]: same sender, recipient, text and number of
    /// pictures, made at or after `since` (when that send began), and not one of `known` (the ids of other sends of
    /// the same words). `None` means that it may be sent again.
    ///
    /// Twilio may list a message only seconds after taking it: ask twice with some time between before believing
    /// `None`.
    pub async fn find_sent(
        &self,
        message: &Outgoing,
        since: Timestamp,
        known: &[String],
    ) -> Result<Option<Sent>, CallError> {
        let earliest = since - CLOCKS;
        let from = match &message.from {
            Sender::Address(address) => Some(address.clone()),
            Sender::MessagingService(_) => None,
        };
        let query = ListQuery { to: Some(message.to.clone()), from, sent_after: None, page_size: 100 };
        let mut page = self.list(&query).await?;
        for _ in 0..PAGES {
            let found = page
                .messages
                .iter()
                .find(|m| is_same(message, m) && m.created_at() >= Some(earliest) && !known.contains(&m.sid));
            if let Some(found) = found {
                return Ok(Some(found.clone().into()));
            }
            // Newest first: what follows a page of older messages is older still.
            let all_older = page.messages.last().is_none_or(|m| m.created_at() < Some(earliest));
            match page.next.take() {
                Some(next) if !all_older => page = self.next_page(&next).await?,
                _ => break,
            }
        }
        Ok(None)
    }
}

fn form(message: &Outgoing) -> Vec<(&'static str, String)> {
    let mut fields = vec![("To", message.to.to_string())];
    fields.push(match &message.from {
        Sender::Address(address) => ("From", address.to_string()),
        Sender::MessagingService(sid) => ("MessagingServiceSid", sid.clone()),
    });
    if !message.body.is_empty() {
        fields.push(("Body", message.body.clone()));
    }
    fields.extend(message.media_urls.iter().map(|url| ("MediaUrl", url.to_string())));
    fields.extend(message.status_callback.iter().map(|url| ("StatusCallback", url.to_string())));
    fields
}

fn is_same(ours: &Outgoing, listed: &Listed) -> bool {
    let body = listed.body.as_deref().unwrap_or_default();
    let body = body.strip_prefix(TRIAL).unwrap_or(body);
    listed.is_outbound() && body.trim() == ours.body.trim() && listed.media_count() == ours.media_urls.len()
}

impl From<Listed> for Sent {
    fn from(listed: Listed) -> Self {
        let segments = listed.num_segments.as_deref().and_then(|n| n.parse().ok()).unwrap_or(0);
        Sent { sid: listed.sid, status: listed.status, segments }
    }
}
