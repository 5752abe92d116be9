//! The account and its numbers: what doctor looks at and what set-up writes.

use super::{CallError, Refusal, Twilio};
use domain::PhoneNumber;
use reqwest::Method;
use serde::Deserialize;
use url::Url;

/// The account as Twilio describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccountState {
    pub friendly_name: String,
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// `Trial` or `Full`. A trial account texts verified numbers only.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A number of the account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OwnNumber {
    /// `PN..`.
    pub sid: String,
    pub phone_number: PhoneNumber,
    /// Its name in the console.
    #[serde(default)]
    pub friendly_name: String,
    /// Where texts to it are posted; ignored by Twilio while `sms_application_sid` is set.
    pub sms_url: Option<String>,
    pub sms_method: Option<String>,
    pub sms_application_sid: Option<String>,
    #[serde(default)]
    pub capabilities: Capabilities,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    #[serde(alias = "SMS")]
    pub sms: bool,
    #[serde(alias = "MMS")]
    pub mms: bool,
}

#[derive(Deserialize)]
struct NumbersBody {
    incoming_phone_numbers: Vec<OwnNumber>,
}

impl Twilio {
    /// Do the credentials work, and what kind of account is it?
    pub async fn account(&self) -> Result<AccountState, CallError> {
        let request = self.api.request(Method::GET, self.api.resource(".json"));
        self.api.json(request).await
    }

    /// The account's numbers, at most 1000.
    pub async fn numbers(&self) -> Result<Vec<OwnNumber>, CallError> {
        self.numbers_where(&[("PageSize", "1000")]).await
    }

    /// Has texts to `number` posted to `url` (a fragment such as `#rc=5&rp=all` tells Twilio how to retry).
    pub async fn set_webhook(&self, number: &PhoneNumber, url: &Url) -> Result<OwnNumber, CallError> {
        let found = self.numbers_where(&[("PhoneNumber", number.as_str())]).await?;
        let own = found.into_iter().find(|own| own.phone_number == *number).ok_or_else(not_ours)?;
        // An application would take precedence over the address.
        let fields = [("SmsUrl", url.as_str()), ("SmsMethod", "POST"), ("SmsApplicationSid", "")];
        let resource = self.api.resource(&format!("/IncomingPhoneNumbers/{}.json", own.sid));
        self.api.json(self.api.request(Method::POST, resource).form(&fields)).await
    }

    async fn numbers_where(&self, fields: &[(&str, &str)]) -> Result<Vec<OwnNumber>, CallError> {
        let request = self.api.request(Method::GET, self.api.resource("/IncomingPhoneNumbers.json")).query(fields);
        let body: NumbersBody = self.api.json(request).await?;
        Ok(body.incoming_phone_numbers)
    }
}

fn not_ours() -> CallError {
    CallError::Refused(Refusal {
        http: 404,
        code: Some(21659),
        message: "The number is not in this account.".to_owned(),
    })
}
