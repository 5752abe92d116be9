//! Twilio's number is led to the address through Twilio's API, and that is proved from outside: a request that Twilio's
//! token signed is taken, one that another token signed is refused.

use crate::{gateway::App, sms::texting::Texting};
use accounts::{SecretString, twilio::Signer};
use domain::{Address, Code, Problem, phone_number::Network};
use serde::Serialize;
use url::Url;

/// Five tries of Twilio's own within its 15 s, whatever went wrong: a link that is being replaced is back within them.
const RETRY: &str = "rc=5&rp=all";
/// Twilio's number for tests; no phone has it, so that the proof becomes nobody's message.
const NOBODY: &str = "+15005550006";

/// What became of the number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Number {
    /// Nothing was asked of it: no tunnel, no Twilio, or a sender whose webhook is not a number's.
    #[default]
    Untouched,
    /// It leads here; a signed request was taken and a wrongly signed one refused.
    Proved,
    Failed {
        why: Problem,
    },
}

/// Leads the number to `url` and proves it. What comes of it is kept for whoever looks.
pub async fn lead(app: &App, url: &str) {
    let Some(texting) = &app.texting else { return };
    let number = match texting.settings.from.parse::<Address>() {
        Ok(from) if app.config.tunnel.set_webhook && from.network == Network::Sms => from.number,
        Ok(_) | Err(_) => return,
    };
    let led = async {
        let webhook = Url::parse(&format!("{url}/sms#{RETRY}")).map_err(|e| Problem::with_detail(Code::Internal, e))?;
        let set = texting.twilio.set_webhook(&number, &webhook).await;
        set.map_err(|e| Problem::with_detail(e.code(), e))?;
        prove(app, texting, url).await
    };
    let number = match led.await {
        Ok(()) => Number::Proved,
        Err(why) => {
            tracing::warn!(code = %why.code, "Twilio's number could not be led here");
            Number::Failed { why }
        }
    };
    if app.address.is_tunnelled(url) {
        app.address.number.send_replace(number);
    }
}

async fn prove(app: &App, texting: &Texting, url: &str) -> Result<(), Problem> {
    let stranger = Signer::new(&SecretString::from("not the account's token"));
    for (signer, expected) in [(&texting.signer, 200), (&stranger, 403)] {
        let status = post(app, signer, texting, url).await?;
        if status != expected {
            let why =
                format!("A test request to the number's webhook was answered {status} where {expected} is right.");
            return Err(Problem::with_detail(Code::WebhookUnproved, why));
        }
    }
    Ok(())
}

async fn post(app: &App, signer: &Signer, texting: &Texting, url: &str) -> Result<u16, Problem> {
    let sid = format!("SM{}", uuid::Uuid::new_v4().simple());
    let (account, to) = (texting.settings.account_sid.as_str(), texting.settings.from.as_str());
    let fields =
        [("MessageSid", sid.as_str()), ("AccountSid", account), ("From", NOBODY), ("To", to), ("NumMedia", "0")];
    let address = format!("{url}/sms");
    let visitor = app.config.tunnel.visitor();
    let posted = visitor.post_form(&address, &fields, &signer.sign_form(&address, &fields)).await;
    posted.map_err(|e| Problem::with_detail(Code::WebhookUnproved, e))
}
