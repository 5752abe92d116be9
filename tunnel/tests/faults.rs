//! Whatever befalls the tunnel, it comes back by itself or says what to do.

mod world;

use domain::Code;
use standins::ngrok::{Edge, TOKEN};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use tunnel::{Config, Error, Pace, Tunnel, TunnelStatus, clock::Wall, retry::Schedule};
use world::*;

/// Waits until the tunnel says it was refused with this code; whether it will try again by itself.
async fn refused(desk: &Desk, code: Code) -> bool {
    desk.until(|status| match status {
        TunnelStatus::Refused { why, next_try } if why.code == code => Some(next_try.is_some()),
        _ => None,
    })
    .await
}

async fn connecting(desk: &Desk) {
    desk.until(|status| matches!(status, TunnelStatus::Connecting { .. }).then_some(())).await;
}

#[tokio::test]
async fn a_cut_link_is_back_within_a_second_with_the_same_session_and_url() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.cut();
    let away = until_answered(&edge, URL).await;
    println!("measured: answering {away:?} after a cut");
    assert_eq!(desk.until_open().await, URL);
    let seen = edge.wait_for(SOON, |seen| seen.tunnels == 1 && seen.links == 1).await.unwrap();
    assert_eq!(seen.returns, 1, "the session showed its cookie: {seen:?}");
    desk.stop().await;
}

#[tokio::test]
async fn ten_cuts_in_a_row_are_ten_returns() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    for _ in 0..10 {
        edge.cut();
        edge.wait_for(SOON, |seen| seen.tunnels == 0).await.unwrap();
        until_answered(&edge, URL).await;
    }
    desk.stop().await;
    edge.wait_for(SOON, |seen| seen.links == 0).await.unwrap();
}

#[tokio::test]
async fn a_black_hole_is_noticed_by_heartbeats_and_left() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.black_hole(true);
    edge.black_hole(false);
    let away = until_answered(&edge, URL).await;
    println!("measured: answering {away:?} after a black hole, heartbeats 0.5 s + 0.7 s");
    desk.stop().await;
}

#[tokio::test]
async fn a_black_hole_that_swallows_new_links_too_is_left_once_it_closes() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.black_hole(true);
    desk.until(|status| matches!(status, TunnelStatus::Connecting { attempt, .. } if *attempt > 1).then_some(())).await;
    edge.black_hole(false);
    until_answered(&edge, URL).await;
    desk.stop().await;
}

#[tokio::test]
async fn an_edge_that_is_down_is_tried_until_it_is_up() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.set_down(true).await;
    let why = desk
        .until(|status| match status {
            TunnelStatus::Connecting { attempt, next_try: Some(_), why } if *attempt > 3 => why.clone(),
            _ => None,
        })
        .await;
    assert_eq!(why.code, Code::TunnelUnreachable);
    edge.set_down(false).await;
    until_answered(&edge, URL).await;
    desk.stop().await;
}

#[tokio::test]
async fn an_edge_that_is_down_from_the_start_is_waited_for() {
    let edge = Edge::start().await.unwrap();
    edge.set_down(true).await;
    let desk = Desk::open(config(&edge));
    desk.until(|status| matches!(status, TunnelStatus::Connecting { attempt: 3.., .. }).then_some(())).await;
    edge.set_down(false).await;
    assert_eq!(desk.until_open().await, URL);
    desk.stop().await;
}

#[tokio::test]
async fn an_edge_that_beats_but_never_answers_is_given_up_and_tried_afresh() {
    for kind in [0, 1] {
        let edge = Edge::start().await.unwrap();
        let desk = Desk::open_and_ready(config(&edge)).await;
        edge.set_mute(Some(kind));
        let before = edge.seen().calls;
        edge.cut();
        connecting(&desk).await;
        edge.wait_for(SOON, |seen| seen.calls >= before + 3).await.unwrap();
        edge.set_mute(None);
        until_answered(&edge, URL).await;
        desk.stop().await;
    }
}

#[tokio::test]
async fn a_night_asleep_ends_with_a_new_link_at_once() {
    let edge = Edge::start().await.unwrap();
    let skipped = Arc::new(AtomicU64::new(0));
    let seconds = skipped.clone();
    let wall = Wall::new(move || SystemTime::now() + Duration::from_secs(seconds.load(Ordering::Relaxed)));
    // Heartbeats that would not notice for an hour.
    let pace = Pace { heartbeat_interval: Duration::from_secs(3600), ..pace() };
    let desk = Desk::open_and_ready(Config { wall, pace, ..config(&edge) }).await;
    edge.black_hole(true);
    edge.black_hole(false);
    skipped.store(8 * 3600, Ordering::Relaxed);
    until_answered(&edge, URL).await;
    desk.stop().await;
}

#[tokio::test]
async fn waking_or_asking_ends_a_long_wait() {
    let edge = Edge::start().await.unwrap();
    edge.set_down(true).await;
    let hour = Duration::from_secs(3600);
    let pace = Pace { retry: Schedule { first: hour, cap: hour }, ..pace() };
    let desk = Desk::open(Config { pace, ..config(&edge) });
    desk.until(|status| matches!(status, TunnelStatus::Connecting { next_try: Some(_), .. }).then_some(())).await;
    edge.set_down(false).await;
    desk.tunnel.try_now();
    assert_eq!(desk.until_open().await, URL);
    desk.stop().await;
}

#[tokio::test]
async fn a_bad_token_waits_for_the_owner_and_is_never_shown() {
    let edge = Edge::start().await.unwrap();
    edge.revoke_token();
    let desk = Desk::open(config(&edge));
    assert!(!refused(&desk, Code::TunnelTokenRefused).await, "no attempt helps");
    let words = desk.tunnel.status().borrow().in_words(SystemTime::now());
    assert!(words.contains("set-key ngrok") && !words.contains(TOKEN), "{words}");
    assert_eq!(edge.seen().sign_ins, 1);
    edge.grant_token();
    desk.tunnel.try_now();
    desk.until_open().await;
    desk.stop().await;
}

#[tokio::test]
async fn a_token_that_is_none_is_refused_by_form_and_an_empty_one_before_that() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open(Config { token: "short".into(), ..config(&edge) });
    assert!(!refused(&desk, Code::TunnelTokenRefused).await);
    desk.stop().await;
    let empty = Tunnel::open(Config { token: " ".into(), ..config(&edge) });
    assert!(matches!(empty, Err(Error::NoToken)));
}

#[tokio::test]
async fn a_token_taken_back_while_open_is_told_at_the_next_loss() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.revoke_token();
    edge.cut();
    assert!(!refused(&desk, Code::TunnelTokenRefused).await);
    desk.stop().await;
}

#[tokio::test]
async fn the_limit_of_agents_is_waited_out() {
    let edge = Edge::start().await.unwrap();
    edge.set_agent_limit(1);
    let other = Desk::open_and_ready(config(&edge)).await;
    let desk = Desk::open(Config { domain: Some("desk.example.com".into()), ..config(&edge) });
    assert!(refused(&desk, Code::TunnelAgentLimit).await);
    other.stop().await;
    desk.until_open().await;
    desk.stop().await;
}

#[tokio::test]
async fn of_two_agents_for_one_domain_the_second_waits_for_the_first() {
    let edge = Edge::start().await.unwrap();
    let first = Desk::open_and_ready(config(&edge)).await;
    let second = Desk::open(config(&edge));
    assert!(refused(&second, Code::TunnelTaken).await);
    assert_eq!(get_at(&edge, URL, "/").await.0, 200, "the first is not disturbed");
    first.stop().await;
    assert_eq!(second.until_open().await, URL);
    second.stop().await;
}

#[tokio::test]
async fn a_domain_taken_over_while_the_link_was_lost_is_told_and_won_back() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.refuse_binds(Some("ERR_NGROK_334"));
    edge.cut();
    assert!(refused(&desk, Code::TunnelTaken).await);
    edge.refuse_binds(None);
    until_answered(&edge, URL).await;
    desk.stop().await;
}

#[tokio::test]
async fn refusals_say_what_they_mean() {
    for (said, means, again) in [
        ("ERR_NGROK_727", Code::TunnelLimit, true),
        ("ERR_NGROK_320", Code::TunnelDomainRefused, false),
        ("ERR_NGROK_120", Code::TunnelOutdated, false),
        ("ERR_NGROK_9999", Code::TunnelRefused, true),
    ] {
        let edge = Edge::start().await.unwrap();
        edge.refuse_binds(Some(said));
        let desk = Desk::open(config(&edge));
        assert_eq!(refused(&desk, means).await, again, "{said}");
        assert_eq!(
            edge.wait_for(SOON, |seen| seen.sessions == 0).await.unwrap().links,
            0,
            "{said}: no session is left"
        );
        desk.stop().await;
    }
}

#[tokio::test]
async fn an_edge_nobody_vouches_for_is_not_trusted() {
    let (edge, impostor) = (Edge::start().await.unwrap(), Edge::start().await.unwrap());
    let desk = Desk::open(Config { roots: Some(edge.ca_pem().to_owned()), ..config(&impostor) });
    let why = desk.until(|status| status.problem().cloned()).await;
    assert_eq!(why.code, Code::TunnelUntrusted);
    assert_eq!(impostor.seen().sign_ins, 0, "the token was not shown");
    desk.stop().await;
}

#[tokio::test]
async fn a_tunnel_stopped_by_ngrok_says_so_and_comes_back() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.stop_tunnel(domain(), "Taken away.", None).await.unwrap();
    assert!(refused(&desk, Code::TunnelStopped).await);
    until_answered(&edge, URL).await;
    desk.stop().await;
}

#[tokio::test]
async fn a_tunnel_stopped_after_a_reconnect_is_noticed_too() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.cut();
    edge.wait_for(SOON, |seen| seen.returns == 1 && seen.tunnels == 1).await.unwrap();
    edge.stop_tunnel(domain(), "Used up.", Some("ERR_NGROK_727")).await.unwrap();
    assert!(refused(&desk, Code::TunnelLimit).await);
    until_answered(&edge, URL).await;
    desk.stop().await;
}

#[tokio::test]
async fn the_dashboards_stop_stands_until_the_owner_asks() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    assert_eq!(edge.command_stop().await.unwrap(), [serde_json::json!({})], "it is answered without an error");
    assert!(!refused(&desk, Code::TunnelStopped).await);
    edge.wait_for(SOON, |seen| seen.sessions + seen.tunnels + seen.links == 0).await.unwrap();
    desk.tunnel.try_now();
    desk.until_open().await;
    desk.stop().await;
}

#[tokio::test]
async fn the_dashboards_restart_is_a_fresh_session_and_its_update_is_declined() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.command_restart().await.unwrap();
    edge.wait_for(SOON, |seen| seen.sign_ins == 2 && seen.tunnels == 1).await.unwrap();
    assert!(edge.command_update("9.9.9").await.unwrap()[0]["Error"].is_string());
    desk.stop().await;
}

#[tokio::test]
async fn a_url_that_changed_is_told() {
    let edge = Edge::start().await.unwrap();
    edge.set_moving(true);
    let desk = Desk::open(config(&edge));
    let first = desk.until_open().await;
    edge.cut();
    let second = desk.until(|status| status.url().filter(|url| *url != first).map(str::to_owned)).await;
    assert_eq!(get_at(&edge, &second, "/").await.0, 200);
    desk.stop().await;
}

#[tokio::test]
async fn a_slow_edge_is_waited_for() {
    let edge = Edge::start().await.unwrap();
    edge.set_slow(Duration::from_millis(600));
    let desk = Desk::open_and_ready(config(&edge)).await;
    assert_eq!(get_at(&edge, URL, "/").await.0, 200);
    desk.stop().await;
}

#[tokio::test]
async fn stop_leaves_nothing_at_the_edge_and_on_again_works() {
    let edge = Edge::start().await.unwrap();
    for _ in 0..3 {
        let desk = Desk::open_and_ready(config(&edge)).await;
        until_answered(&edge, URL).await;
        let status = desk.tunnel.status();
        desk.stop().await;
        assert_eq!(*status.borrow(), TunnelStatus::Off);
        let seen = edge.wait_for(SOON, |seen| seen.links == 0).await.unwrap();
        assert_eq!((seen.sessions, seen.tunnels), (0, 0));
        assert_eq!(get_at(&edge, URL, "/").await.0, 404, "the edge says that nobody is there");
    }
}

#[tokio::test]
async fn stop_keeps_its_deadline_in_a_black_hole_and_while_it_waits() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    edge.black_hole(true);
    let began = Instant::now();
    desk.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    edge.set_down(true).await;
    let desk = Desk::open(config(&edge));
    connecting(&desk).await;
    desk.stop().await;
}

#[tokio::test]
async fn a_dropped_tunnel_closes_by_itself() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    drop(desk.tunnel);
    let seen = edge.wait_for(SOON, |seen| seen.links == 0).await.unwrap();
    assert_eq!((seen.sessions, seen.tunnels), (0, 0));
}
