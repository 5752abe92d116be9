//! How far a message has come. Receipts may arrive in any order; a message never goes back.

use std::{fmt, str::FromStr};

/// Twilio's status of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageStatus {
    Scheduled,
    Accepted,
    Queued,
    Sending,
    Sent,
    PartiallyDelivered,
    Delivered,
    Undelivered,
    Failed,
    Canceled,
    Read,
    /// Inbound, on its way to us.
    Receiving,
    /// Inbound, here.
    Received,
}

impl MessageStatus {
    pub const ALL: &'static [MessageStatus] = &[
        MessageStatus::Scheduled,
        MessageStatus::Accepted,
        MessageStatus::Queued,
        MessageStatus::Sending,
        MessageStatus::Sent,
        MessageStatus::PartiallyDelivered,
        MessageStatus::Delivered,
        MessageStatus::Undelivered,
        MessageStatus::Failed,
        MessageStatus::Canceled,
        MessageStatus::Read,
        MessageStatus::Receiving,
        MessageStatus::Received,
    ];

    /// As Twilio writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            MessageStatus::Scheduled => "scheduled",
            MessageStatus::Accepted => "accepted",
            MessageStatus::Queued => "queued",
            MessageStatus::Sending => "sending",
            MessageStatus::Sent => "sent",
            MessageStatus::PartiallyDelivered => "partially_delivered",
            MessageStatus::Delivered => "delivered",
            MessageStatus::Undelivered => "undelivered",
            MessageStatus::Failed => "failed",
            MessageStatus::Canceled => "canceled",
            MessageStatus::Read => "read",
            MessageStatus::Receiving => "receiving",
            MessageStatus::Received => "received",
        }
    }

    /// The order of a message's life; the ends of it share a rank.
    pub fn rank(self) -> u8 {
        match self {
            MessageStatus::Scheduled => 0,
            MessageStatus::Accepted => 1,
            MessageStatus::Queued | MessageStatus::Receiving => 2,
            MessageStatus::Sending => 3,
            MessageStatus::Sent => 4,
            MessageStatus::PartiallyDelivered => 5,
            MessageStatus::Delivered
            | MessageStatus::Undelivered
            | MessageStatus::Failed
            | MessageStatus::Canceled
            | MessageStatus::Received => 6,
            MessageStatus::Read => 7,
        }
    }

    /// The status after a receipt says `reported`: forward or where it was. Of two ends the first stays.
    pub fn after(self, reported: MessageStatus) -> MessageStatus {
        if reported.rank() > self.rank() { reported } else { self }
    }

    /// Nothing but `read` comes after it.
    pub fn is_final(self) -> bool {
        self.rank() >= 6
    }

    /// It did not arrive and will not.
    pub fn is_failure(self) -> bool {
        matches!(self, MessageStatus::Undelivered | MessageStatus::Failed | MessageStatus::Canceled)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message status of Twilio's")]
pub struct NotAStatus;

impl FromStr for MessageStatus {
    type Err = NotAStatus;
    fn from_str(written: &str) -> Result<Self, NotAStatus> {
        Self::ALL.iter().copied().find(|s| s.as_str() == written).ok_or(NotAStatus)
    }
}

impl<'de> serde::Deserialize<'de> for MessageStatus {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = std::borrow::Cow::<str>::deserialize(from)?;
        written.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for MessageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_status_is_read_as_it_is_written() {
        for status in MessageStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        assert_eq!("Delivered".parse::<MessageStatus>(), Err(NotAStatus));
    }

    proptest! {
        #[test]
        fn receipts_in_any_order_never_take_a_message_back(order in proptest::collection::vec(0..MessageStatus::ALL.len(), 1..20)) {
            let mut now = MessageStatus::Queued;
            for at in order {
                let next = now.after(MessageStatus::ALL[at]);
                prop_assert!(next.rank() >= now.rank());
                prop_assert!(!now.is_failure() || next.is_failure() || next == MessageStatus::Read);
                now = next;
            }
        }
    }
}
