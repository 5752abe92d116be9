//! Whether carriers let an account's numbers text: campaigns of US long codes (A2P 10DLC) and verifications of toll-free
//! numbers. Both are only read; they are applied for in Twilio's console. Shapes by Twilio's description of its messaging
//! interface (messaging.twilio.com/v1).

use super::{API, CallError, Twilio};
use domain::PhoneNumber;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

/// Where that interface is, beside [`API`].
const MESSAGING: &str = "https://messaging.twilio.com";
/// Messaging Services that are asked; who has more knows the console.
const SERVICES: usize = 50;
/// Asked at the same time: Twilio limits an account's concurrent requests.
const AT_ONCE: usize = 4;

/// The campaign of a Messaging Service, with the numbers that send by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    pub status: CampaignStatus,
    /// Why it was refused, in Twilio's words.
    pub errors: Vec<String>,
    pub numbers: Vec<PhoneNumber>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignStatus {
    Verified,
    Failed,
    /// `PENDING`, `IN_PROGRESS`, and whatever else is neither yes nor no.
    Pending,
}

/// The verification of a toll-free number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TollFree {
    #[serde(rename = "tollfree_phone_number")]
    pub number: Option<PhoneNumber>,
    /// `PN..`.
    #[serde(rename = "tollfree_phone_number_sid")]
    pub number_sid: String,
    pub status: TollFreeStatus,
    pub rejection_reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TollFreeStatus {
    PendingReview,
    InReview,
    TwilioApproved,
    TwilioRejected,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct ServicesBody {
    services: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    sid: String,
}

#[derive(Deserialize)]
struct CampaignsBody {
    compliance: Vec<CampaignBody>,
}

#[derive(Deserialize)]
struct CampaignBody {
    campaign_status: Option<String>,
    #[serde(default)]
    errors: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
struct SendersBody {
    phone_numbers: Vec<SenderBody>,
}

#[derive(Deserialize)]
struct SenderBody {
    phone_number: PhoneNumber,
}

#[derive(Deserialize)]
struct VerificationsBody {
    verifications: Vec<TollFree>,
}

impl Twilio {
    /// The campaigns of the account's Messaging Services, with their numbers.
    pub async fn campaigns(&self) -> Result<Vec<Campaign>, CallError> {
        let services: ServicesBody = self.messaging("/v1/Services?PageSize=100").await?;
        let asked = services.services.into_iter().take(SERVICES).map(|service| self.campaigns_of(service.sid));
        let found: Vec<Vec<Campaign>> = stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn campaigns_of(&self, service: String) -> Result<Vec<Campaign>, CallError> {
        let campaigns: CampaignsBody = self.messaging(&format!("/v1/Services/{service}/Compliance/Usa2p")).await?;
        if campaigns.compliance.is_empty() {
            return Ok(Vec::new());
        }
        let path = format!("/v1/Services/{service}/PhoneNumbers?PageSize=1000");
        let senders: SendersBody = self.messaging(&path).await?;
        let numbers: Vec<PhoneNumber> = senders.phone_numbers.into_iter().map(|sender| sender.phone_number).collect();
        Ok(campaigns.compliance.into_iter().map(|body| body.with(numbers.clone())).collect())
    }

    /// The verifications of the account's toll-free numbers, begun ones too.
    pub async fn toll_free(&self) -> Result<Vec<TollFree>, CallError> {
        let body: VerificationsBody = self.messaging("/v1/Tollfree/Verifications?PageSize=1000").await?;
        Ok(body.verifications)
    }

    async fn messaging<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        let url = self.messaging_base().join(path).map_err(|e| CallError::Unreachable(Box::new(e)))?;
        self.api.json(self.api.request(Method::GET, url)).await
    }

    /// A stand-in plays both of Twilio's hosts.
    fn messaging_base(&self) -> Url {
        let real = Url::parse(API).is_ok_and(|real| real.origin() == self.api.base.origin());
        let beside = Url::parse(MESSAGING).ok().filter(|_| real);
        beside.unwrap_or_else(|| self.api.base.clone())
    }
}

impl CampaignBody {
    fn with(self, numbers: Vec<PhoneNumber>) -> Campaign {
        let status = match self.campaign_status.as_deref() {
            Some("VERIFIED") => CampaignStatus::Verified,
            Some("FAILED") => CampaignStatus::Failed,
            _ => CampaignStatus::Pending,
        };
        let words = |error: &serde_json::Value| error.get("description")?.as_str().map(str::to_owned);
        let errors = self.errors.unwrap_or_default().iter().filter_map(words).collect();
        Campaign { status, errors, numbers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twilio::{Credentials, TwilioAccount};

    fn base(api: &str) -> String {
        let credentials = Credentials::AuthToken("x".into());
        let account_sid = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned();
        let twilio = Twilio::new(TwilioAccount { account_sid, api: api.parse().unwrap(), credentials }).unwrap();
        twilio.messaging_base().to_string()
    }

    #[test]
    fn twilios_other_host_is_asked_and_a_stand_in_for_both() {
        assert_eq!(base(API), "https://messaging.twilio.com/");
        assert_eq!(base("http://127.0.0.1:9"), "http://127.0.0.1:9/");
    }

    #[test]
    fn a_status_that_is_new_to_us_is_neither_yes_nor_no() {
        let read = |status: &str| {
            let body = format!(r#"{{"campaign_status": {status}, "errors": [{{"description": "no website"}}, 7]}}"#);
            serde_json::from_str::<CampaignBody>(&body).unwrap().with(Vec::new())
        };
        assert_eq!(read("\"VERIFIED\"").status, CampaignStatus::Verified);
        assert_eq!(read("\"FAILED\"").errors, ["no website"]);
        assert_eq!(read("\"SUSPENDED\"").status, CampaignStatus::Pending);
        assert_eq!(read("null").status, CampaignStatus::Pending);
        assert_eq!(serde_json::from_str::<TollFreeStatus>("\"NEW\"").unwrap(), TollFreeStatus::Unknown);
    }
}
