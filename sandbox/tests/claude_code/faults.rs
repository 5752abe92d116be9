//! What goes wrong at the model, each told apart.

use super::world::{VERSIONS, World};
use domain::agent::{AgentFault as F, TurnOutcome};
use standins::anthropic::{Fault, Script, Step, StopReason};

#[tokio::test]
async fn every_fault_of_the_model_is_told_apart_and_the_process_lives_on() {
    let status =
        |status, kind: &str, message: &str| Fault::Status { status, kind: kind.into(), message: message.into() };
    let cases = [
        (Fault::KeyRefused, F::KeyRefused),
        (Fault::Forbidden, F::KeyRefused),
        (Fault::CreditTooLow, F::CreditTooLow),
        (Fault::PromptTooLong, F::PromptTooLong),
        (Fault::BadRequest, F::BadRequest),
        (Fault::UnknownModel, F::ModelUnavailable),
        (Fault::RateLimited { retry_after: 1 }, F::RateLimited),
        (Fault::ServerError, F::ServerError(Some(500))),
        (Fault::Overloaded, F::Overloaded),
        (Fault::Cut, F::StreamBroken),
        (Fault::ErrorEvent, F::Overloaded),
        (status(402, "billing_error", "SPEND_CAP: A spending limit is reached."), F::SpendCap),
        (status(403, "permission_error", "SPEND_CAP: A spending limit is reached."), F::SpendCap),
        (status(401, "authentication_error", "NO_KEY: There is no Anthropic key yet."), F::NotLoggedIn),
        (status(401, "authentication_error", "BAD_SANDBOX_TOKEN: The token is not known."), F::Other),
        (status(502, "api_error", "UPSTREAM_UNREACHABLE: It could not be reached."), F::ServerError(None)),
    ];
    for version in VERSIONS {
        let named = |i: usize| format!("case-{i:02}");
        let fails =
            cases.iter().enumerate().map(|(i, (fault, _))| Script::when(named(i)).step(Step::fail(fault.clone())));
        let full = Script::when("full").step(Step::text("and so on").stop(StopReason::MaxTokens));
        let mut world = World::new(version, fails.chain([full])).await;
        let mut mistaken = Vec::new();
        for (i, (fault, expected)) in cases.iter().enumerate() {
            let end = world.turn(&named(i)).await;
            if end.outcome != TurnOutcome::Failed(expected.clone()) {
                mistaken.push((fault, end));
            }
        }
        assert!(mistaken.is_empty(), "{version}: {mistaken:#?}");
        assert_eq!(world.turn("full").await.outcome, TurnOutcome::Failed(F::OutputLimit), "{version}");
        assert_eq!(world.turn("hello").await.outcome, TurnOutcome::Completed, "{version}");
    }
}
