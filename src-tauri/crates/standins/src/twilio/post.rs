//! Twilio calls the account's addresses: signed form posts by its retry rules, and the fetching of pictures.
//!
//! The rules (twilio.com/docs/usage/webhooks/webhooks-connection-overrides): 5 s to connect, 15 s to answer, 15 s in
//! all, one retry after a failed connection; a fragment such as `#rc=5&rp=all&rt=5000` changes them and is not signed.

use super::{TOKEN, world::World};
use anyhow::{Context, anyhow};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use sha1::Sha1;
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use url::Url;

/// `X-Twilio-Signature` of a form post to `url` (without its fragment): base64 of the HMAC-SHA1 of the address and the
/// distinct fields in order.
pub fn sign(auth_token: &str, url: &str, fields: &[(String, String)]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(url.split('#').next().unwrap_or_default().as_bytes());
    for (name, value) in fields.iter().collect::<BTreeSet<_>>() {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A signed post, ready to go: for whoever wants to send it in a way of their own.
#[derive(Clone, Debug)]
pub struct Post {
    /// The message it is about.
    pub sid: String,
    /// The webhook's address with its fragment; empty if the number has none.
    pub url: String,
    pub body: Bytes,
    /// `X-Twilio-Signature`
    pub signature: String,
    /// `I-Twilio-Idempotency-Token`, the same in every retry.
    pub idempotency: String,
}

impl Post {
    pub fn new(url: &str, fields: &[(String, String)]) -> Self {
        let sid = fields.iter().find(|(name, _)| name == "MessageSid").map(|(_, sid)| sid.clone());
        Self {
            sid: sid.unwrap_or_default(),
            url: url.to_owned(),
            body: form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into(),
            signature: sign(TOKEN, url, fields),
            idempotency: uuid::Uuid::new_v4().to_string(),
        }
    }
}

/// How one try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    Answered(u16),
    NotConnected,
    NoAnswer,
}

/// How a webhook was received.
#[derive(Clone, Debug, Default)]
pub struct Called {
    pub attempts: Vec<Attempt>,
    /// The last answer, if there was one.
    pub status: Option<u16>,
    pub content_type: String,
    pub body: String,
}

impl Called {
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

struct Rules {
    connect: Duration,
    answer: Duration,
    all: Duration,
    retries: usize,
    policy: Vec<String>,
}

impl Rules {
    fn of(fragment: Option<&str>) -> Self {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(fragment.unwrap_or_default().as_bytes()).into_owned().collect();
        let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let ms = |name, usual: u64, most: u64| {
            Duration::from_millis(get(name).and_then(|v| v.parse().ok()).unwrap_or(usual).clamp(100, most))
        };
        Self {
            connect: ms("ct", 5_000, 10_000),
            answer: ms("rt", 15_000, 15_000),
            all: ms("tt", 15_000, 15_000),
            retries: get("rc").and_then(|v| v.parse().ok()).unwrap_or(1).min(5),
            policy: get("rp").unwrap_or("ct").split(',').map(str::to_owned).collect(),
        }
    }

    fn again(&self, attempt: Attempt) -> bool {
        let name = match attempt {
            Attempt::NotConnected => "ct",
            Attempt::NoAnswer => "rt",
            Attempt::Answered(400..500) => "4xx",
            Attempt::Answered(500..) => "5xx",
            Attempt::Answered(_) => return false,
        };
        self.policy.iter().any(|p| p == name || p == "all")
    }
}

impl World {
    /// Posts to a webhook by the rules of its address.
    pub async fn post(&self, post: &Post) -> anyhow::Result<Called> {
        let mut called = Called::default();
        if post.url.is_empty() {
            return Ok(called);
        }
        let target = Url::parse(&post.url).context("the webhook's address")?;
        let rules = Rules::of(target.fragment());
        // When the time is up, what was tried stays.
        let _ = timeout(rules.all, self.try_post(&target, post, &rules, &mut called)).await;
        Ok(called)
    }

    async fn try_post(&self, target: &Url, post: &Post, rules: &Rules, called: &mut Called) {
        for _ in 0..=rules.retries {
            called.attempts.push(Attempt::NoAnswer);
            let attempt = self.one_post(target, post, rules, called).await;
            if let Some(last) = called.attempts.last_mut() {
                *last = attempt;
            }
            if !rules.again(attempt) {
                return;
            }
        }
    }

    async fn one_post(&self, target: &Url, post: &Post, rules: &Rules, called: &mut Called) -> Attempt {
        let Ok(stream) = self.connect(target, rules.connect).await else { return Attempt::NotConnected };
        let request = request(Method::POST, target)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
            .header("X-Twilio-Signature", &post.signature)
            .header("I-Twilio-Idempotency-Token", &post.idempotency)
            .body(Full::new(post.body.clone()));
        let Ok(request) = request else { return Attempt::NotConnected };
        match timeout(rules.answer, exchange(stream, request)).await {
            Ok(Ok((answer, body))) => {
                called.status = Some(answer.status().as_u16());
                called.content_type = text(&answer, header::CONTENT_TYPE);
                called.body = String::from_utf8_lossy(&body).into_owned();
                Attempt::Answered(answer.status().as_u16())
            }
            Ok(Err(_)) | Err(_) => Attempt::NoAnswer,
        }
    }

    /// Asks for a picture as Twilio does, HEAD and then GET: its type and its bytes.
    pub async fn fetch(&self, url: &str) -> anyhow::Result<(String, Bytes)> {
        let target = Url::parse(url)?;
        let mut fetched = (String::new(), Bytes::new());
        for method in [Method::HEAD, Method::GET] {
            let stream = self.connect(&target, Duration::from_secs(5)).await?;
            let request = request(method.clone(), &target).body(Full::new(Bytes::new()))?;
            let (answer, body) = timeout(Duration::from_secs(15), exchange(stream, request)).await??;
            if answer.status() != StatusCode::OK {
                return Err(anyhow!("{method} gave HTTP {}", answer.status().as_u16()));
            }
            fetched = (text(&answer, header::CONTENT_TYPE), body);
        }
        Ok(fetched)
    }

    async fn connect(&self, target: &Url, most: Duration) -> anyhow::Result<TcpStream> {
        if self.read(|state| state.outage) {
            return Err(anyhow!("the public address is out of reach"));
        }
        let at = self.resolve(target)?;
        Ok(timeout(most, TcpStream::connect(at)).await??)
    }

    /// A routed public origin, or loopback itself; never a real host.
    fn resolve(&self, target: &Url) -> anyhow::Result<SocketAddr> {
        let origin = target.origin().ascii_serialization();
        if let Some(at) = self.read(|state| state.routes.get(&origin).copied()) {
            return Ok(at);
        }
        let host = target.host_str().unwrap_or_default();
        let port = target.port().with_context(|| format!("no route to {origin}"))?;
        anyhow::ensure!(host == "127.0.0.1" || host == "localhost", "no route to {origin}");
        Ok(SocketAddr::from(([127, 0, 0, 1], port)))
    }
}

fn request(method: Method, target: &Url) -> hyper::http::request::Builder {
    let host = match (target.host_str(), target.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let path = &target[url::Position::BeforePath..url::Position::AfterQuery];
    Request::builder().method(method).uri(path).header(header::HOST, host).header(header::USER_AGENT, "TwilioProxy/1.1")
}

async fn exchange(stream: TcpStream, request: Request<Full<Bytes>>) -> anyhow::Result<(Response<()>, Bytes)> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let talk = async {
        let answer = sender.send_request(request).await?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok((Response::from_parts(parts, ()), body))
    };
    tokio::pin!(connection);
    tokio::pin!(talk);
    // The connection is driven here and not by a task of its own, so that giving up closes it.
    tokio::select! {
        biased;
        done = &mut talk => done,
        ended = &mut connection => match ended {
            // The far side closed after its answer, which may still have to be read.
            Ok(()) => talk.await,
            Err(error) => Err(error.into()),
        },
    }
}

fn text<B>(answer: &Response<B>, name: header::HeaderName) -> String {
    answer.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}
