//! A first text, and whether it was answered: the proof that texts go both ways.

use crate::{
    approvals::internal,
    clock,
    gateway::App,
    wire::desk::{HelloSent, HelloShown, HelloState},
};
use accounts::twilio::explain;
use domain::{Address, Code, Problem, phrases};
use store::{
    facts, inbox, numbers,
    outbox::{self, Fate, Letter},
};

/// Puts it in the outbox.
///
/// # Errors
/// `TWILIO_MISSING`; `BAD_REQUEST` for a number that may not text Lanyard; `OPTED_OUT`.
pub async fn send(app: &App, to: &str) -> Result<HelloSent, Problem> {
    let texting = app.texting.now().ok_or(Code::TwilioMissing)?;
    let to: Address = to.parse().map_err(|e| Problem::with_detail(Code::BadRequest, format!("{e}.")))?;
    if !texting.allows(&to) {
        let why = "That number may not text Lanyard, so that its answer would meet silence.";
        return Err(Problem::with_detail(Code::BadRequest, why).suggest("Allow it first."));
    }
    let (address, now) = (to.to_string(), clock::now());
    let body = phrases::hello(&rustix::system::uname().nodename().to_string_lossy());
    let sent = app.store.write(move |tx| {
        if numbers::opted_out(tx, &address)?.is_some() {
            return Err(store::Error::Refused(Code::OptedOut));
        }
        let id = outbox::put(tx, &Letter { address, body, ..Letter::default() }, now)?;
        facts::set(tx, facts::HELLO, &id.to_string())?;
        Ok(id)
    });
    Ok(HelloSent { id: sent.await.map_err(internal)?.to_string() })
}

/// What became of the last one.
///
/// # Errors
/// As the store's.
pub async fn shown(app: &App) -> Result<HelloShown, Problem> {
    let read = app.store.read(|r| {
        let id = facts::get(r, facts::HELLO)?.and_then(|id| id.parse().ok());
        let Some(fate) = id.map(|id| outbox::fate_of(r, id)).transpose()?.flatten() else { return Ok(None) };
        let answered = inbox::came_since(r, &fate.address, fate.created_at)?;
        Ok(Some((fate, answered)))
    });
    Ok(match read.await.map_err(internal)? {
        None => told(HelloState::None, "No first text was sent yet.", None, None),
        Some((_, true)) => told(HelloState::Answered, "It was answered: texts go both ways.", None, None),
        Some((fate, false)) => became(&fate),
    })
}

fn told(state: HelloState, says: impl Into<String>, code: Option<u32>, suggestion: Option<&str>) -> HelloShown {
    HelloShown { state, says: says.into(), code, suggestion: suggestion.map(str::to_owned) }
}

fn became(fate: &Fate) -> HelloShown {
    let code = fate.error.and_then(|code| u32::try_from(code).ok());
    let failed =
        fate.state == "failed" || matches!(fate.status.as_deref(), Some("failed" | "undelivered" | "canceled"));
    match (failed, fate.status.as_deref()) {
        (true, _) => {
            let known = code.and_then(explain).map(|known| known.words.to_owned());
            let why = known.or_else(|| fate.why.clone()).unwrap_or_else(|| "Twilio gave no reason.".to_owned());
            told(HelloState::Failed, why, code, Some("Mend what is named, then send it again."))
        }
        (false, Some("delivered" | "read")) => {
            told(HelloState::Delivered, "It arrived. Answer it with the one word menu.", None, None)
        }
        (false, _) => match &fate.why {
            // It is tried again by itself; why it did not go yet is worth knowing.
            Some(why) => told(HelloState::Sent, format!("It is on its way. {why}"), code, None),
            None => told(HelloState::Sent, "It is on its way.", None, None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn fate(state: &str, status: Option<&str>, error: Option<i64>) -> HelloShown {
        became(&Fate {
            id: 1,
            address: "+15551230001".into(),
            state: state.into(),
            status: status.map(str::to_owned),
            error,
            why: None,
            attempts: 1,
            created_at: Timestamp(0),
        })
    }

    #[test]
    fn what_twilio_says_of_it_is_told_in_plain_words() {
        assert_eq!(fate("due", None, None).state, HelloState::Sent);
        assert_eq!(fate("sent", Some("queued"), None).state, HelloState::Sent);
        assert_eq!(fate("sent", Some("delivered"), None).state, HelloState::Delivered);
        let blocked = fate("sent", Some("undelivered"), Some(30034));
        assert!(blocked.state == HelloState::Failed && blocked.says.contains("A2P 10DLC"), "{blocked:?}");
        assert_eq!((blocked.code, fate("failed", None, None).state), (Some(30034), HelloState::Failed));
    }
}
