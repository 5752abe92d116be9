//! The page that free accounts put before ours, met through the edge.

mod world;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use standins::ngrok::Edge;
use tunnel::probe::{self, Ask, Page, Sight};
use world::*;

async fn ask(edge: &Edge, ask: Ask) -> Result<Page, std::convert::Infallible> {
    let mut request = Request::get("/").header("host", domain());
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    let answer = send(edge, URL, request.body(Full::<Bytes>::default()).unwrap()).await;
    let (parts, body) = answer.into_parts();
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let body = body.collect().await.unwrap().to_bytes();
    Ok(Page {
        status: parts.status.as_u16(),
        headers: parts.headers.iter().map(header).collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    })
}

#[tokio::test]
async fn a_browser_meets_the_page_and_twilio_does_not() {
    let edge = Edge::start().await.unwrap();
    let desk = Desk::open_and_ready(config(&edge)).await;
    let sight = || probe::as_browser(URL, |asked| ask(&edge, asked));
    assert_eq!(sight().await, Ok(Sight::Ours));
    edge.set_interstitial(true);
    assert_eq!(sight().await, Ok(Sight::PageInTheWay));
    assert_eq!(get_at(&edge, URL, "/").await, (200, "hello from the desk".into()));
    let skipping = probe::as_browser(URL, |mut asked| {
        asked.headers.push(("ngrok-skip-browser-warning", "1"));
        ask(&edge, asked)
    });
    assert_eq!(skipping.await, Ok(Sight::Ours));
    desk.stop().await;
    assert_eq!(sight().await, Ok(Sight::Ngrok { code: "ERR_NGROK_3200".into() }));
}
