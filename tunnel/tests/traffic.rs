//! Everything a phone and Twilio do, through the real SDK and an edge that speaks its wire.

mod world;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use standins::ngrok::Edge;
use std::{net::SocketAddr, time::Duration};
use tokio_tungstenite::tungstenite::Message;
use world::*;

#[tokio::test]
async fn a_visitor_reaches_the_app_and_is_known_by_address_and_way() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open(calm(&edge));
    assert_eq!(desk.until_open().await, URL);
    assert_eq!(get_at(&edge, URL, "/").await, (200, "hello from the desk".into()));
    let (_, who) = get_at(&edge, URL, "/who").await;
    let (way, address) = who.split_once(' ').unwrap();
    assert_eq!(way, "Tunnel");
    let address: SocketAddr = address.parse().unwrap();
    assert!(address.ip().is_loopback() && address.port() > 0, "{address}: the visitor's socket at the edge");
    desk.stop().await;
}

#[tokio::test]
async fn a_fixed_domain_is_the_one_that_opens() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open(tunnel::Config { domain: Some("desk.example.com".into()), ..calm(&edge) });
    assert_eq!(desk.until_open().await, "https://desk.example.com");
    assert_eq!(get_at(&edge, "https://desk.example.com", "/").await.0, 200);
    desk.stop().await;
}

#[tokio::test]
async fn six_megabytes_come_back_whole() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(calm(&edge)).await;
    let body: Bytes = (0..6_000_000u32).map(|n| (n ^ (n >> 8)) as u8).collect::<Vec<_>>().into();
    assert_eq!(post_at(&edge, URL, "/echo", body.clone()).await, body);
    desk.stop().await;
}

#[tokio::test]
async fn two_hundred_posts_at_once_are_each_answered_their_own() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(calm(&edge)).await;
    let posts = (0..200).map(|n| {
        let body = Bytes::from(format!("post {n} ").repeat(100));
        let edge = &edge;
        async move { assert_eq!(post_at(edge, URL, "/echo", body.clone()).await, body) }
    });
    tokio::time::timeout(SOON, futures::future::join_all(posts)).await.unwrap();
    desk.stop().await;
}

#[tokio::test]
async fn a_web_socket_speaks_both_ways() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(calm(&edge)).await;
    let stream = visit(&edge, URL).await;
    let address = format!("{}/ws", URL.replace("https", "wss"));
    let (mut socket, answer) = tokio_tungstenite::client_async(address, stream).await.unwrap();
    assert_eq!(answer.status(), 101);
    for n in 0..20 {
        let said = Message::text(format!("key {n}"));
        socket.send(said.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), said);
    }
    socket.close(None).await.unwrap();
    desk.stop().await;
}

#[tokio::test]
async fn events_arrive_one_by_one_and_not_at_the_end() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(calm(&edge)).await;
    let host = world::domain();
    let request = hyper::Request::get("/events").header("host", host).body(Default::default()).unwrap();
    let mut body = send(&edge, URL, request).await.into_body();
    for n in 0..5 {
        let event = tokio::time::timeout(Duration::from_secs(5), body.frame()).await.unwrap().unwrap().unwrap();
        assert_eq!(event.into_data().unwrap(), format!("data: {n}\n\n"));
    }
    assert!(body.frame().await.is_none());
    desk.stop().await;
}
