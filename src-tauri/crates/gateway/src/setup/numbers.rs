//! The account's numbers, and for each whether carriers let its texts through: what Twilio says of its registration, in
//! plain words.

use crate::wire::desk::{NumberKind, Registration, RegistrationState as State, TwilioNumber};
use accounts::twilio::{Campaign, CampaignStatus, OwnNumber, TollFree, TollFreeStatus, explain};

/// Where registering is explained.
const LONG_CODES: &str = "https://www.twilio.com/docs/messaging/compliance/a2p-10dlc";
const TOLL_FREE: &str = "https://www.twilio.com/docs/messaging/compliance/toll-free";
/// The toll-free codes of the North American plan.
const TOLL_FREE_CODES: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];
/// What carriers answer for numbers that are not registered.
const UNREGISTERED: u32 = 30034;
const UNVERIFIED: u32 = 30032;

/// What Twilio knows of registrations; None where it did not say.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub campaigns: Option<Vec<Campaign>>,
    pub toll_free: Option<Vec<TollFree>>,
}

/// One number as the wizard shows it.
pub fn shown(own: &OwnNumber, known: &Known, ours: &str) -> TwilioNumber {
    let number = own.phone_number.as_str().to_owned();
    let kind = kind(&number);
    TwilioNumber {
        registration: match kind {
            NumberKind::Local => campaign(own, known),
            NumberKind::TollFree => verification(own, known),
            NumberKind::Other => other(),
        },
        sid: own.sid.clone(),
        label: own.friendly_name.clone(),
        sms: own.capabilities.sms,
        mms: own.capabilities.mms,
        webhook: own.sms_url.clone().filter(|url| !url.is_empty()),
        ours: number == ours,
        kind,
        number,
    }
}

fn kind(number: &str) -> NumberKind {
    match number.strip_prefix("+1") {
        Some(rest) if TOLL_FREE_CODES.iter().any(|code| rest.starts_with(code)) => NumberKind::TollFree,
        Some(rest) if rest.len() == 10 => NumberKind::Local,
        _ => NumberKind::Other,
    }
}

fn told(state: State, says: impl Into<String>, suggestion: &str, link: &str) -> Registration {
    let word = |word: &str| (!word.is_empty()).then(|| word.to_owned());
    Registration { state, says: says.into(), suggestion: word(suggestion), link: word(link) }
}

fn campaign(own: &OwnNumber, known: &Known) -> Registration {
    let Some(campaigns) = &known.campaigns else { return unasked(LONG_CODES) };
    let of_it: Vec<&Campaign> = campaigns.iter().filter(|c| c.numbers.contains(&own.phone_number)).collect();
    let at = |status| of_it.iter().find(|campaign| campaign.status == status);
    if at(CampaignStatus::Verified).is_some() {
        return told(State::Done, "It is registered: US carriers let its texts through.", "", "");
    }
    if at(CampaignStatus::Pending).is_some() {
        let says = "Its campaign is being looked at; until then US carriers hold its texts back.";
        return told(State::Pending, says, "Wait for it: that can take some weeks.", LONG_CODES);
    }
    if let Some(failed) = at(CampaignStatus::Failed) {
        let says = format!("Its campaign was refused. {}", failed.errors.join(" "));
        return told(
            State::Refused,
            says.trim(),
            "Mend what is named and send it in again, in Twilio's console.",
            LONG_CODES,
        );
    }
    let suggestion = "Register a brand and a campaign in Twilio's console (A2P 10DLC; a sole proprietor's is enough), and add \
                      this number to the campaign's Messaging Service. Texts to you come in without it; answers may not go out.";
    told(State::Missing, words(UNREGISTERED), suggestion, LONG_CODES)
}

fn verification(own: &OwnNumber, known: &Known) -> Registration {
    let Some(all) = &known.toll_free else { return unasked(TOLL_FREE) };
    let of_it = |v: &&TollFree| v.number_sid == own.sid || v.number.as_ref() == Some(&own.phone_number);
    match all.iter().find(of_it) {
        None => told(State::Missing, words(UNVERIFIED), "Send in the verification in Twilio's console.", TOLL_FREE),
        Some(found) => match found.status {
            TollFreeStatus::TwilioApproved => {
                told(State::Done, "It is verified: carriers let its texts through.", "", "")
            }
            TollFreeStatus::TwilioRejected => {
                let why = found.rejection_reason.as_deref().unwrap_or_default();
                let says = format!("Its verification was refused. {why}");
                told(
                    State::Refused,
                    says.trim(),
                    "Mend what is named and send it in again, in Twilio's console.",
                    TOLL_FREE,
                )
            }
            TollFreeStatus::PendingReview | TollFreeStatus::InReview => {
                let says = "Its verification is being looked at; until then carriers block its texts.";
                told(State::Pending, says, "Wait for it: that takes days.", TOLL_FREE)
            }
            TollFreeStatus::Unknown => unasked(TOLL_FREE),
        },
    }
}

fn other() -> Registration {
    let says = "It needs no registration in the US. Some countries have rules of their own.";
    told(State::NotNeeded, says, "", "")
}

fn unasked(link: &str) -> Registration {
    told(State::Unknown, "Twilio did not say whether it is registered.", "Look in Twilio's console.", link)
}

fn words(code: u32) -> &'static str {
    explain(code).map_or("It is not registered.", |known| known.words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "+15550001111";
    const FREE: &str = "+18885550100";

    fn own(number: &str) -> OwnNumber {
        let body = format!(r#"{{"sid": "PN1", "phone_number": "{number}", "sms_url": "", "friendly_name": "mine"}}"#);
        serde_json::from_str(&body).unwrap()
    }

    fn state(number: &str, known: &Known) -> State {
        let shown = shown(&own(number), known, LOCAL);
        let told = &shown.registration;
        let open = matches!(told.state, State::Missing | State::Refused | State::Unknown);
        assert_eq!(
            (told.suggestion.is_some(), told.link.is_some()),
            (open || told.state == State::Pending, told.suggestion.is_some())
        );
        told.state
    }

    fn campaign(status: CampaignStatus) -> Known {
        let campaign = Campaign { status, errors: vec!["No website.".into()], numbers: vec![LOCAL.parse().unwrap()] };
        Known { campaigns: Some(vec![campaign]), toll_free: Some(Vec::new()) }
    }

    fn verification(status: TollFreeStatus) -> Known {
        let reason = Some("No opt-in.".to_owned());
        let found = TollFree { number: None, number_sid: "PN1".into(), status, rejection_reason: reason };
        Known { campaigns: Some(Vec::new()), toll_free: Some(vec![found]) }
    }

    #[test]
    fn a_us_long_code_wants_a_campaign() {
        assert_eq!(state(LOCAL, &campaign(CampaignStatus::Verified)), State::Done);
        assert_eq!(state(LOCAL, &campaign(CampaignStatus::Pending)), State::Pending);
        assert_eq!(state(LOCAL, &campaign(CampaignStatus::Failed)), State::Refused);
        assert_eq!(state("+15550002222", &campaign(CampaignStatus::Verified)), State::Missing, "it is another's");
        assert_eq!(state(LOCAL, &Known::default()), State::Unknown);
    }

    #[test]
    fn a_toll_free_number_wants_a_verification() {
        assert_eq!(state(FREE, &verification(TollFreeStatus::TwilioApproved)), State::Done);
        assert_eq!(state(FREE, &verification(TollFreeStatus::InReview)), State::Pending);
        assert_eq!(state(FREE, &verification(TollFreeStatus::TwilioRejected)), State::Refused);
        assert_eq!(state(FREE, &campaign(CampaignStatus::Verified)), State::Missing, "a campaign is nothing to it");
        assert_eq!(state(FREE, &Known::default()), State::Unknown);
    }

    #[test]
    fn elsewhere_nothing_is_asked() {
        assert_eq!(state("+4915550001111", &Known::default()), State::NotNeeded);
    }
}
