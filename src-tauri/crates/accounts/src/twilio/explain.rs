//! Twilio's error numbers in plain words. Sources: Twilio's error index (twilio.com/docs/api/errors) and its REST
//! description; the words are ours.

/// What has to change before the same thing can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// This message: its text, its pictures, its length.
    Message,
    /// The phone it goes to, or its carrier.
    Recipient,
    /// The owner's Twilio account: keys, numbers, registration, money. Other messages fail too until it is mended.
    Account,
    /// Nothing: it may succeed later.
    Moment,
}

#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    pub code: u32,
    pub blame: Blame,
    /// A sentence or two: what happened and what helps.
    pub words: &'static str,
}

/// What a Twilio error number means; `None` for one that is not in the list.
pub fn explain(code: u32) -> Option<&'static Explanation> {
    let at = TABLE.binary_search_by_key(&code, |known| known.code).ok()?;
    Some(&TABLE[at])
}

use Blame::{Account, Message, Moment, Recipient};

const fn e(code: u32, blame: Blame, words: &'static str) -> Explanation {
    Explanation { code, blame, words }
}

/// Sorted by number.
#[rustfmt::skip]
const TABLE: &[Explanation] = &[
    e(10004, Moment, "Too many calls at the same time on this Twilio account. It is tried again."),
    e(11200, Moment, "Twilio could not fetch from this computer's public address. Check that the tunnel is up."),
    e(11205, Moment, "Twilio could not connect to this computer's public address. Check that the tunnel is up."),
    e(11237, Account, "Twilio does not trust the certificate of the public address. Use the tunnel's own address."),
    e(11751, Message, "The pictures are larger than the 5 MB an MMS may hold."),
    e(12100, Message, "Twilio could not read the answer to its webhook."),
    e(12300, Message, "Twilio cannot send this type of file by MMS. JPEG, PNG and GIF work everywhere."),
    e(14107, Moment, "Too many messages in a short time. It is tried again."),
    e(20003, Account, "Twilio does not accept the account id and key. Check them in Twilio's console and set them again."),
    e(20005, Account, "The Twilio account is suspended or closed. Look at it in Twilio's console; it may need money."),
    e(20404, Account, "Twilio does not know this account, number or message. Check the ids in the config."),
    e(20429, Moment, "Too many requests to Twilio in a short time. It is tried again."),
    e(20500, Moment, "Twilio had an internal error. It is tried again."),
    e(20503, Moment, "Twilio is not available at the moment. It is tried again."),
    e(21211, Recipient, "That is not a phone number Twilio can send to. Write it with + and the country code."),
    e(21266, Recipient, "The message would go from a number to itself."),
    e(21408, Account, "The Twilio account may not text this country. Allow it under Messaging, Settings, Geo permissions."),
    e(21602, Message, "The message has neither text nor picture."),
    e(21603, Account, "No sender is set. Set the Twilio number or messaging service in the config."),
    e(21604, Recipient, "The message has no recipient."),
    e(21606, Account, "The number it is sent from is not one of this Twilio account that can text."),
    e(21608, Account, "A trial account may only text numbers verified in Twilio's console. Verify the number or upgrade."),
    e(21610, Recipient, "This number has texted STOP. Its owner texts START to the number to get messages again."),
    e(21611, Moment, "The sending number's queue is full. It is tried again."),
    e(21612, Recipient, "There is no route from this number to that phone. Another kind of sender may work."),
    e(21614, Recipient, "That number cannot receive texts; it is not a mobile number."),
    e(21617, Message, "The text is longer than the 1600 characters Twilio takes."),
    e(21620, Message, "Twilio does not accept the picture's address."),
    e(21623, Message, "More than 10 pictures in one message."),
    e(21659, Account, "The number it is sent from is not one of this Twilio account's numbers."),
    e(21660, Account, "The number it is sent from belongs to another Twilio account."),
    e(21703, Account, "The messaging service has no number to send from."),
    e(21704, Account, "The messaging service has no number to send from."),
    e(30001, Moment, "Twilio's queue ran over and the message was dropped. Sending more slowly helps."),
    e(30002, Account, "The Twilio account was suspended while the message waited."),
    e(30003, Recipient, "The phone could not be reached: off, without signal, or not able to receive texts."),
    e(30004, Recipient, "The phone or its carrier blocks messages from this number."),
    e(30005, Recipient, "The number does not exist or is no longer in use."),
    e(30006, Recipient, "The number is a landline, or its carrier takes no texts."),
    e(30007, Message, "The carrier's spam filter held the message back. Links and repeated texts cause this."),
    e(30008, Recipient, "The carrier did not deliver it and gave no reason. Try again, or a shorter plain text."),
    e(30010, Message, "The message costs more than the limit set for it."),
    e(30022, Account, "The campaign's limit of messages a day is reached."),
    e(30023, Account, "The brand's limit of messages a day at this carrier is reached."),
    e(30032, Account, "The toll-free number is not verified yet. Send in the toll-free verification in Twilio's console."),
    e(30034, Account, "US carriers block this number until it is registered (A2P 10DLC: a brand and a campaign). Do so in Twilio's console."),
    e(30035, Account, "The US registration (A2P 10DLC) of this number is not complete yet."),
    e(63003, Recipient, "There is no WhatsApp at that number."),
    e(63007, Account, "The WhatsApp sender is not set up in this Twilio account."),
    e(63016, Recipient, "WhatsApp takes free text only within 24 hours after the person's last message. They text first, then it works."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_number_has_its_own_words_in_order() {
        assert!(TABLE.windows(2).all(|two| two[0].code < two[1].code));
        for known in TABLE {
            assert_eq!(explain(known.code).map(|k| k.words), Some(known.words));
            assert!(known.words.ends_with('.'), "{}", known.code);
        }
        assert!(explain(1).is_none());
    }

    #[test]
    fn what_texting_meets_is_explained() {
        let met = [
            20003, 20404, 20429, 21211, 21266, 21408, 21602, 21606, 21608, 21610, 21612, 21614, 21617, 21620, 21623,
            21659, 11751, 12300, 30001, 30003, 30004, 30005, 30006, 30007, 30008, 30032, 30034,
        ];
        assert!(met.into_iter().all(|code| explain(code).is_some()));
    }
}
