//! A token is tried by a session that is really begun, and that leaves nothing behind.

mod world;

use domain::Code;
use standins::ngrok::Edge;
use tunnel::{Config, sign_in};
use world::*;

#[tokio::test]
async fn a_good_token_signs_in_and_leaves_no_session_and_no_link() {
    let edge = Edge::start().await.unwrap();
    sign_in(config(&edge)).await.unwrap();
    let seen = edge.wait_for(SOON, |seen| seen.sessions == 0 && seen.links == 0).await.unwrap();
    assert_eq!(seen.tunnels, 0, "no endpoint is opened to try a token");
}

#[tokio::test]
async fn a_token_that_ngrok_refuses_is_named_and_not_repeated() {
    let edge = Edge::start().await.unwrap();
    let wrong = Config { token: "2notthetoken_ofthisaccount".into(), ..config(&edge) };
    let refused = sign_in(wrong).await.unwrap_err();
    assert_eq!(refused.code, Code::TunnelTokenRefused);
    assert!(!refused.message.contains("2notthetoken"), "{refused}");
    let empty = sign_in(Config { token: " ".into(), ..config(&edge) }).await.unwrap_err();
    assert_eq!(empty.code, Code::TunnelNoToken);
}

#[tokio::test]
async fn a_tunnel_that_is_open_is_not_disturbed() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(calm(&edge)).await;
    sign_in(config(&edge)).await.unwrap();
    edge.set_agent_limit(1);
    assert_eq!(sign_in(config(&edge)).await.unwrap_err().code, Code::TunnelAgentLimit);
    assert_eq!(desk.until_open().await, URL);
    assert_eq!(edge.wait_for(SOON, |seen| seen.links == 1).await.unwrap().tunnels, 1);
    desk.stop().await;
}

#[tokio::test]
async fn an_edge_that_is_not_there_is_said_in_time() {
    let edge = Edge::start().await.unwrap();
    edge.set_down(true).await;
    assert_eq!(sign_in(config(&edge)).await.unwrap_err().code, Code::TunnelUnreachable);
}
