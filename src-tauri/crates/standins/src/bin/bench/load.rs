//! A load of webhooks: signed beforehand, posted over kept-alive connections from one thread of its own.

use crate::{
    desk::{OWNER, PUBLIC_URL},
    figures::Series,
};
use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use standins::twilio::{ACCOUNT, NUMBER, Post};
use std::{net::SocketAddr, time::Instant};
use tokio::{net::TcpStream, task::JoinSet};

/// What a load met.
pub struct Met {
    /// Milliseconds to each answer.
    pub times: Series,
    pub per_second: f64,
}

/// So many texts of the owner, each its own message.
pub fn texts(count: usize) -> Vec<Post> {
    (0..count).map(text).collect()
}

fn text(n: usize) -> Post {
    let sid = format!("SM{}", uuid::Uuid::new_v4().simple());
    let body = format!("say something about number {n}");
    let fields = [
        ("ToCountry", "US"),
        ("ToState", ""),
        ("SmsMessageSid", &sid),
        ("NumMedia", "0"),
        ("ToCity", ""),
        ("FromZip", ""),
        ("SmsSid", &sid),
        ("FromState", ""),
        ("SmsStatus", "received"),
        ("FromCity", ""),
        ("Body", &body),
        ("FromCountry", "US"),
        ("To", NUMBER),
        ("ToZip", ""),
        ("NumSegments", "1"),
        ("MessageSid", &sid),
        ("AccountSid", ACCOUNT),
        ("From", OWNER),
        ("ApiVersion", "2010-04-01"),
    ];
    Post::new(&format!("{PUBLIC_URL}/sms"), &fields.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// Posts all of them to `/sms` at this address; each must be answered with 200.
pub async fn post(at: SocketAddr, posts: Vec<Post>, connections: usize) -> Result<Met> {
    let on_its_own_thread = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(post_here(at, posts, connections))
    };
    tokio::task::spawn_blocking(on_its_own_thread).await?
}

async fn post_here(at: SocketAddr, posts: Vec<Post>, connections: usize) -> Result<Met> {
    let count = posts.len();
    let share = count.div_ceil(connections);
    let mut posting = JoinSet::new();
    let started = Instant::now();
    for part in posts.chunks(share) {
        posting.spawn(post_in_turn(at, part.to_vec()));
    }
    let mut times = Series::default();
    while let Some(part) = posting.join_next().await {
        times.extend(part??);
    }
    Ok(Met { times, per_second: count as f64 / started.elapsed().as_secs_f64() })
}

/// One connection: the next text goes out when the last was answered.
async fn post_in_turn(at: SocketAddr, posts: Vec<Post>) -> Result<Series> {
    let stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    let (mut sender, wire) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(wire);
    let mut times = Series::default();
    for post in posts {
        sender.ready().await?;
        let request = request(&post)?;
        let sent = Instant::now();
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        answer.into_body().collect().await?;
        times.push_ms(sent.elapsed());
        ensure!(status == 200, "a webhook was answered with {status}");
    }
    Ok(times)
}

fn request(post: &Post) -> Result<Request<Full<Bytes>>> {
    let request = Request::post("/sms")
        .header("host", PUBLIC_URL.trim_start_matches("https://"))
        .header("user-agent", "TwilioProxy/1.1")
        .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
        .header("x-twilio-signature", &post.signature)
        .header("i-twilio-idempotency-token", &post.idempotency);
    Ok(request.body(Full::new(post.body.clone()))?)
}
