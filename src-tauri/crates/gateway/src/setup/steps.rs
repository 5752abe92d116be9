//! Which steps of setting up are done, from what is really there; and what the next one is.

use crate::{
    address::{Number, proof},
    sessions::stops_every_turn,
    sms::texting,
    wire::desk::{AccountShown, AccountState, ImageShown, ImageShownState, SetupStep, StepId, StepState},
};
use domain::{Address, Code, Problem, phone_number::Network};
use std::collections::HashSet;
use tunnel::TunnelStatus;

/// What is there.
pub struct Stands {
    /// The engine's version; None while nobody knows.
    pub engine: Option<Result<String, Problem>>,
    pub image: ImageShown,
    pub key: Option<AccountShown>,
    /// How the last agent failed, if nothing has worked since.
    pub failed: Option<Code>,
    pub tunnel: TunnelStatus,
    /// The public address, the tunnel's or the owner's own.
    pub address: Option<String>,
    /// Whether a Twilio account is in the config.
    pub account: bool,
    pub texting: texting::Stands,
    pub number: Number,
    /// What was last proved of a number ([`address::proof`]).
    pub led: Option<String>,
    /// Lanyard sets its webhook.
    pub leads: bool,
    /// Names of the paired ones.
    pub phones: Vec<String>,
}

/// Every step in its order. One that is not done may be skipped.
pub fn all(stands: &Stands, skipped: &HashSet<StepId>) -> Vec<SetupStep> {
    let step = |id| {
        let step = one(stands, id);
        let skippable = matches!(step.state, StepState::Todo | StepState::Broken);
        if skippable && skipped.contains(&id) { SetupStep { state: StepState::Skipped, ..step } } else { step }
    };
    StepId::ALL.into_iter().map(step).collect()
}

fn one(stands: &Stands, id: StepId) -> SetupStep {
    let (state, says, suggestion) = match id {
        StepId::Docker => docker(stands),
        StepId::Image => image(stands),
        StepId::Key => key(stands),
        StepId::Tunnel => tunnel(stands),
        StepId::Texting => texting(stands),
        StepId::Allow => allow(stands),
        StepId::Phone => phone(stands),
    };
    SetupStep { id, state, says, suggestion }
}

type Told = (StepState, String, Option<String>);

fn done(says: impl Into<String>) -> Told {
    (StepState::Done, says.into(), None)
}

fn doing(says: impl Into<String>) -> Told {
    (StepState::Doing, says.into(), None)
}

fn todo(says: impl Into<String>, suggestion: impl Into<String>) -> Told {
    (StepState::Todo, says.into(), Some(suggestion.into()))
}

fn broken(problem: &Problem) -> Told {
    (StepState::Broken, problem.message.clone(), Some(problem.suggestion.clone()))
}

fn docker(stands: &Stands) -> Told {
    match &stands.engine {
        None => doing("It is being looked for."),
        Some(Ok(version)) => done(format!("Docker {version} answers.")),
        Some(Err(problem)) => broken(problem),
    }
}

fn image(stands: &Stands) -> Told {
    let says = stands.image.says.clone();
    match stands.image.state {
        ImageShownState::Ready => done(says),
        ImageShownState::Building => doing(says),
        ImageShownState::Missing | ImageShownState::Old => todo(says, "Build it; that takes about two minutes."),
        ImageShownState::Failed => (StepState::Broken, says, Some("Read its last lines and build it again.".into())),
        ImageShownState::Unknown => match &stands.engine {
            None => doing(says),
            Some(Err(_)) => todo("It is built by Docker.", "Start Docker first."),
            Some(Ok(_)) => (StepState::Broken, says, Some("Build it, or look at doctor.".into())),
        },
    }
}

fn key(stands: &Stands) -> Told {
    let Some(key) = &stands.key else { return doing("It is being looked for.") };
    match (key.state, &key.problem) {
        (AccountState::Kept, _) => match stands.failed.filter(|code| stops_every_turn(*code)) {
            Some(code @ (Code::KeyRefused | Code::CreditTooLow)) => broken(&code.into()),
            _ => done(format!("It is kept in {}.", key.source.as_deref().unwrap_or("the keychain"))),
        },
        (AccountState::Missing, _) | (_, None) => todo(
            "There is no Anthropic key yet.",
            "Paste an API key from console.anthropic.com, or what claude setup-token prints.",
        ),
        (_, Some(problem)) => (StepState::Broken, problem.message.clone(), Some(problem.suggestion.clone())),
    }
}

fn tunnel(stands: &Stands) -> Told {
    match (&stands.tunnel, &stands.address) {
        (TunnelStatus::Open { url, .. }, _) => done(format!("{url} leads here.")),
        (TunnelStatus::Refused { why, .. }, _) => broken(why),
        (TunnelStatus::Connecting { why: Some(why), .. }, _) => doing(&why.message),
        (TunnelStatus::Connecting { why: None, .. }, _) => doing("The tunnel is being opened."),
        (TunnelStatus::Off, Some(url)) => done(format!("{url}, as the config says.")),
        (TunnelStatus::Off, None) => {
            todo("There is no public address.", "Paste ngrok's authtoken; a free account is enough.")
        }
    }
}

fn texting(stands: &Stands) -> Told {
    match &stands.texting {
        texting::Stands::Shut { why, .. } => broken(why),
        texting::Stands::NotSetUp if stands.account => {
            todo("The account is there; none of its numbers is chosen.", "Choose the number that texts go to.")
        }
        texting::Stands::NotSetUp => todo("No Twilio account is set up.", "Enter its SID and auth token."),
        texting::Stands::Open(texting) => {
            let from = &texting.settings.from;
            match (&stands.number, &stands.address) {
                (Number::Failed { why }, _) => broken(why),
                (_, None) => (
                    StepState::Broken,
                    format!("Texts to {from} do not reach this computer: it has no public address."),
                    Some("Open the tunnel first.".into()),
                ),
                (Number::Proved, _) => proved(from),
                (Number::Untouched, Some(url)) => match from.parse::<Address>() {
                    Ok(own) if stands.led.as_deref() == Some(&proof(&own.number, url)) => proved(from),
                    Ok(own) if own.network == Network::Sms && stands.leads => todo(
                        format!("Texts to {from} do not lead here yet."),
                        "Set the number's webhook, and have it proved.",
                    ),
                    _ => done(format!("{from} is set up; its webhook is yours to set, to {url}/sms with POST.")),
                },
            }
        }
    }
}

fn proved(from: &str) -> Told {
    done(format!("Texts to {from} lead here; that was proved."))
}

fn allow(stands: &Stands) -> Told {
    let allowed = stands.texting.settings().map_or(0, |settings| settings.allow.len());
    match (allowed, stands.texting.settings()) {
        (0, None) => todo("Nobody may text yet.", "Set up texting first."),
        (0, Some(_)) => todo("Nobody may text yet.", "Add your own mobile number."),
        (1, _) => done("One number may text Lanyard."),
        (n, _) => done(format!("{n} numbers may text Lanyard.")),
    }
}

fn phone(stands: &Stands) -> Told {
    match stands.phones.as_slice() {
        [] => todo("No phone is paired.", "Scan the code with your phone's camera."),
        [one] => done(format!("{one} is paired.")),
        [first, rest @ ..] => done(format!("{first} and {} more are paired.", rest.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Stands {
        let image =
            ImageShown { state: ImageShownState::Unknown, says: "It is being looked at.".into(), progress: None };
        Stands {
            engine: None,
            image,
            key: None,
            failed: None,
            tunnel: TunnelStatus::Off,
            address: None,
            account: false,
            texting: texting::Stands::NotSetUp,
            number: Number::Untouched,
            led: None,
            leads: true,
            phones: Vec::new(),
        }
    }

    fn state(stands: &Stands, id: StepId) -> StepState {
        one(stands, id).state
    }

    fn key_in(state: AccountState) -> Option<AccountShown> {
        let (account, problem) = ("anthropic".into(), Some(Problem::from(Code::KeychainUnavailable).into()));
        let (label, needed_for) = ("", "");
        Some(AccountShown { account, label, state, source: None, problem, needed_for, checkable: true, sign_in: false })
    }

    #[test]
    fn what_nobody_has_looked_at_yet_is_neither_done_nor_broken() {
        for id in [StepId::Docker, StepId::Image, StepId::Key] {
            assert_eq!(state(&nothing(), id), StepState::Doing);
        }
    }

    #[test]
    fn every_step_that_is_not_done_says_what_to_do() {
        let engine = Some(Err(Code::NoEngine.into()));
        let stands = Stands { engine, key: key_in(AccountState::Missing), ..nothing() };
        for step in all(&stands, &HashSet::new()) {
            assert!(matches!(step.state, StepState::Todo | StepState::Broken), "{step:?}");
            assert!(step.suggestion.is_some(), "{step:?}");
        }
    }

    #[test]
    fn a_step_that_is_skipped_is_so_until_it_is_done() {
        let skipped = HashSet::from([StepId::Phone]);
        let phone = |stands: &Stands| all(stands, &skipped).pop().unwrap().state;
        assert_eq!(phone(&nothing()), StepState::Skipped);
        assert_eq!(phone(&Stands { phones: vec!["Ada's".into()], ..nothing() }), StepState::Done);
    }

    #[test]
    fn a_keychain_in_trouble_is_not_a_missing_key() {
        let at = |key| state(&Stands { key: key_in(key), ..nothing() }, StepId::Key);
        assert_eq!(at(AccountState::Missing), StepState::Todo);
        for trouble in [AccountState::Locked, AccountState::Absent, AccountState::Slow, AccountState::Denied] {
            assert_eq!(at(trouble), StepState::Broken);
        }
        assert_eq!(at(AccountState::Kept), StepState::Done);
        let refused = Stands { key: key_in(AccountState::Kept), failed: Some(Code::KeyRefused), ..nothing() };
        assert_eq!(state(&refused, StepId::Key), StepState::Broken);
    }

    #[test]
    fn an_own_address_needs_no_tunnel_and_a_refused_tunnel_is_broken() {
        let own = Stands { address: Some("https://desk.example".into()), ..nothing() };
        assert_eq!(state(&own, StepId::Tunnel), StepState::Done);
        let refused = TunnelStatus::Refused { why: Code::TunnelTokenRefused.into(), next_try: None };
        assert_eq!(state(&Stands { tunnel: refused, ..own }, StepId::Tunnel), StepState::Broken);
    }

    #[test]
    fn an_account_without_a_number_is_half_a_step() {
        let told = one(&Stands { account: true, ..nothing() }, StepId::Texting);
        assert!(told.state == StepState::Todo && told.suggestion.unwrap().contains("number"));
    }
}
