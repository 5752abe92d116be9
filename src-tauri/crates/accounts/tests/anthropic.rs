//! The key check against Anthropic's stand-in.

use accounts::anthropic::{KeyCheckError, KeyState, check_key};
use standins::anthropic::{Anthropic, KEY};

#[tokio::test]
async fn a_key_works_or_is_refused_or_nothing_answers() {
    let model = Anthropic::start([]).await.unwrap();
    let base = model.url().parse().unwrap();
    assert_eq!(check_key(&base, &KEY.into()).await.unwrap(), KeyState::Works);
    assert_eq!(check_key(&base, &"sk-ant-other".into()).await.unwrap(), KeyState::Refused);
    let malformed = check_key(&base, &"sk-ant-standin-key\n".into()).await.unwrap_err();
    assert!(matches!(malformed, KeyCheckError::Malformed), "{malformed:?}");
    model.stop().await;
    let gone = check_key(&base, &KEY.into()).await.unwrap_err();
    assert_eq!(gone.code(), domain::Code::UpstreamUnreachable);
}

#[tokio::test]
async fn a_subscriptions_token_is_checked_as_one() {
    let model = Anthropic::start([]).await.unwrap();
    let base = model.url().parse().unwrap();
    model.accept_keys(["sk-ant-oat01-good"]);
    assert_eq!(check_key(&base, &"sk-ant-oat01-good".into()).await.unwrap(), KeyState::Works);
    assert_eq!(check_key(&base, &"sk-ant-oat01-other".into()).await.unwrap(), KeyState::Refused);
}
