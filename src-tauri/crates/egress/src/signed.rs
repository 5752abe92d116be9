//! Hosts that the door speaks https with itself, at `/host/NAME/PATH`: there it can see the request, put the owner's credential
//! on where a rule says so, and look what a push would change. Tunnels stay what they are.

use crate::{
    Error, Kind,
    answer::{Answer, Body, BoxError, proxy_error},
    credentials::{CredentialRule, How},
    crowd::{Held, Share},
    dial::dial,
    door::{Connection, Inner},
    headers,
    hosts::Target,
    house::{Payer, PushAsk},
    policy::Verdict,
    proxy::{Record, allowed, exchange, not_the_model, says},
    push::commands,
    veil::Veil,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use domain::{Code, Problem};
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::{
    Method, Request, Uri,
    body::{Frame, Incoming},
    header::{
        ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, COOKIE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue,
        LOCATION, SET_COOKIE, WWW_AUTHENTICATE,
    },
};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use std::sync::Arc;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Before the host's name in a path at the door.
pub(crate) const PLACE: &str = "/host/";
/// Beside the usual ones: the sandbox's token in its other place, and what some servers take for the method, which a rule may be
/// about.
const OFF: [&str; 4] = ["x-api-key", "x-http-method-override", "x-http-method", "x-method-override"];
const PUSH: &str = "/git-receive-pack";
const PUSH_WORD: &str = "receive-pack";

pub(crate) async fn handle(door: &Arc<Inner>, connection: &Connection, request: Request<Incoming>) -> Answer {
    answer(door, connection, request).await.unwrap_or_else(|error| proxy_error(&error))
}

/// A request as the far side is to get it.
struct Asked {
    target: Target,
    /// With the query.
    path: Uri,
}

impl Asked {
    fn read(uri: &Uri) -> Result<Self, Error> {
        let odd = || Error::BadRequest("is no path of the form /host/NAME/PATH");
        let whole = uri.path_and_query().map(|path| path.as_str()).unwrap_or_default();
        let rest = whole.strip_prefix(PLACE).ok_or_else(odd)?;
        let (authority, path) = rest.split_at(rest.find('/').ok_or_else(odd)?);
        let target = Target::parse(&authority.parse().map_err(|_| odd())?, Some(443))?;
        let path: Uri = path.parse().map_err(|_| odd())?;
        // What another program could read as another path must not pass a rule for this one.
        let plain = path.path();
        let steps = plain.split('/').any(|part| part == "." || part == "..");
        if steps || plain.contains("//") || plain.contains('\\') || hides_something(plain) {
            return Err(Error::BadRequest("has a path that can be read in two ways"));
        }
        Ok(Self { target, path })
    }
}

/// Whether an escape stands for what is written as it is (RFC 3986, 2.3), for what divides a path, or for another escape: `pac%6b`
/// is `pack` to the far side.
fn hides_something(path: &str) -> bool {
    path.split('%').skip(1).any(|rest| match rest.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
        Some(byte) => byte.is_ascii_alphanumeric() || byte.is_ascii_control() || b"-._~/\\%;".contains(&byte),
        None => true,
    })
}

async fn answer(door: &Arc<Inner>, connection: &Connection, request: Request<Incoming>) -> Result<Answer, Error> {
    let asked = Asked::read(request.uri())?;
    let Asked { target, path } = &asked;
    let mut record = Record::of(door, connection.sandbox, Kind::Https, target.host.clone(), target.port);
    let id = record.decision.id;
    let ready = open(door, connection, &mut record, &asked, request).await;
    let Ready { stream, mut request, veil, held } = record.decide(ready)?;
    *request.uri_mut() = path.clone();
    let mut answer = held.through(exchange(door, connection, id, &target.host, stream, request).await?);
    clean_answer(answer.headers_mut(), target);
    let Some(veil) = veil else { return Ok(answer) };
    veil.head(answer.headers_mut());
    Ok(answer.map(|body| veil.body(body)))
}

struct Ready {
    stream: TlsStream<TcpStream>,
    request: Request<Body>,
    /// Over the credential that went on.
    veil: Option<Veil>,
    held: Held,
}

async fn open(
    door: &Inner,
    connection: &Connection,
    record: &mut Record<'_>,
    asked: &Asked,
    request: Request<Incoming>,
) -> Result<Ready, Error> {
    let token = headers::model_token(request.headers()).ok_or_else(|| Error::Refused(Code::BadSandboxToken.into()))?;
    let payer = door.house.who(record.decision.sandbox, &token).await?;
    record.decision.payer = payer;
    let held = connection.place.hold(Share::Hosts)?;
    let Asked { target, path } = asked;
    let policy = door.policy(record.decision.sandbox);
    let rule = policy.credentials.iter().find(|rule| rule.is_for(target, request.method(), path.path()));
    let private = reachable(door, record, target, request.method(), rule.is_some()).await?;
    let mut request = watched(door, payer, asked, request).await?;
    clean_request(request.headers_mut(), target)?;
    let mut veil = None;
    if let Some(rule) = rule {
        let (name, value, over) = credential(door, rule).await?;
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        request.headers_mut().insert(name, value);
        veil = Some(over);
    }
    let stream = dial(&*door.names, target, private, door.settings.connect_timeout).await?;
    Ok(Ready { stream: secured(door, target, stream).await?, request, veil, held })
}

/// A rule that puts the owner's credential on lets the request out too; only a refusal goes before it.
async fn reachable(
    door: &Inner,
    record: &Record<'_>,
    target: &Target,
    method: &Method,
    signed: bool,
) -> Result<bool, Error> {
    not_the_model(door, target)?;
    let named = says(door, &record.decision, target, Some(method)).await;
    match signed && named == Verdict::NotNamed {
        true => Ok(false),
        false => allowed(door, &record.decision, target, Some(method)).await,
    }
}

/// A push waits here for what the house says of the refs it would change.
async fn watched(
    door: &Inner,
    payer: Payer,
    asked: &Asked,
    request: Request<Incoming>,
) -> Result<Request<Body>, Error> {
    let path = asked.path.path();
    let Some(repository) = path.strip_suffix(PUSH).filter(|_| request.method() == Method::POST) else {
        // What is no push here must be none to a server that reads paths more kindly.
        if request.method() != Method::GET && path.to_ascii_lowercase().contains(PUSH_WORD) {
            return Err(Error::BadRequest("pushes in a form that cannot be judged"));
        }
        return Ok(request.map(|body| body.map_err(BoxError::from).boxed_unsync()));
    };
    if request.headers().contains_key(CONTENT_ENCODING) {
        return Err(Error::BadRequest("pushes in a form that cannot be judged"));
    }
    let (parts, mut body) = request.into_parts();
    let (updates, read) = timeout(door.settings.idle_timeout, commands(&mut body))
        .await
        .map_err(|_| Error::BadRequest("took too long to arrive"))??;
    if !updates.is_empty() {
        let repository = repository.trim_start_matches('/').trim_end_matches(".git").to_owned();
        may_push(door, PushAsk { payer, host: asked.target.host.clone(), repository, updates }).await?;
    }
    Ok(Request::from_parts(parts, again(read, body)))
}

async fn may_push(door: &Inner, ask: PushAsk) -> Result<(), Error> {
    let answer = timeout(door.settings.ask_timeout, door.house.admit_push(ask)).await;
    Ok(answer.unwrap_or_else(|_| Err(Problem::with_detail(Code::PushBlocked, "No answer came in time.")))?)
}

/// The body with what was read of it before the rest.
fn again(read: Bytes, rest: Incoming) -> Body {
    let first = stream::iter([Ok(Frame::data(read))]);
    let rest = BodyStream::new(rest).map(|frame| frame.map_err(BoxError::from));
    StreamBody::new(first.chain(rest)).boxed_unsync()
}

/// The sandbox's token, and what else would say who asks, come off.
fn clean_request(headers: &mut HeaderMap, target: &Target) -> Result<(), Error> {
    headers::drop_hop_by_hop(headers);
    for name in [AUTHORIZATION, COOKIE, EXPECT] {
        headers.remove(name);
    }
    for name in OFF {
        headers.remove(name);
    }
    let authority = target.to_string();
    let host = authority.strip_suffix(":443").unwrap_or(&authority);
    headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| Error::BadRequest("names no host"))?);
    Ok(())
}

/// What would have the client ask for a password, or carry something past the door's next request, stays out. A way on at the same
/// host leads by the door again.
fn clean_answer(headers: &mut HeaderMap, target: &Target) {
    headers.remove(WWW_AUTHENTICATE);
    headers.remove(SET_COOKIE);
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|l| url::Url::parse(l).ok());
    let Some(url) = location.filter(|url| url.scheme() == "https") else { return };
    if url.host_str() == Some(&target.host) && url.port_or_known_default() == Some(target.port) {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let here = format!("{PLACE}{target}{}{query}", url.path());
        if let Ok(here) = HeaderValue::from_str(&here) {
            headers.insert(LOCATION, here);
        }
    }
}

/// Marked sensitive, so that no Debug prints it; with a veil over every form of it that goes out.
async fn credential(door: &Inner, rule: &CredentialRule) -> Result<(HeaderName, HeaderValue, Veil), Error> {
    let secret = door.house.credential(&rule.source).await?;
    let secret = secret.expose_secret();
    let coded = match &rule.how {
        How::Basic(user) => BASE64_STANDARD.encode(format!("{user}:{secret}")),
        How::Bearer | How::Header(_) => String::new(),
    };
    let (name, text) = match &rule.how {
        How::Bearer => (AUTHORIZATION, format!("Bearer {secret}")),
        How::Basic(_) => (AUTHORIZATION, format!("Basic {coded}")),
        How::Header(name) => (name.clone(), secret.to_owned()),
    };
    let unfit = || Problem::with_detail(Code::NoKey, format!("What is kept for {} fits no header.", rule.host()));
    let mut value = HeaderValue::try_from(text).map_err(|_| unfit())?;
    value.set_sensitive(true);
    Ok((name, value, Veil::over(&[secret, &coded])))
}

async fn secured(door: &Inner, target: &Target, stream: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
    let name = ServerName::try_from(target.host.clone()).map_err(|_| Error::BadRequest("names no host"))?;
    let connecting = TlsConnector::from(door.tls.clone()).connect(name, stream);
    let connected =
        timeout(door.settings.connect_timeout, connecting).await.map_err(|_| Error::timed_out(&target.host))?;
    connected.map_err(|cause| Error::unreachable(&target.host, cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Option<(String, String)> {
        let asked = Asked::read(&path.parse().ok()?).ok()?;
        Some((asked.target.to_string(), asked.path.to_string()))
    }

    #[test]
    fn the_path_at_the_door_names_host_and_path() {
        let found = read("/host/github.com/acme/shop.git/info/refs?service=git-upload-pack").unwrap();
        assert_eq!(found, ("github.com:443".into(), "/acme/shop.git/info/refs?service=git-upload-pack".into()));
        assert_eq!(read("/host/api.example.com:8443/").unwrap(), ("api.example.com:8443".into(), "/".into()));
        for odd in [
            "/host/github.com",
            "/host//x",
            "/host/me@github.com/x",
            "/host/2130706433/x",
            "/host/github.com/a/../b",
            "/host/github.com/a/%2E%2e/b",
            "/host/github.com/a%2fb",
            "/host/github.com//b",
            "/host/github.com/./b",
            "/host/github.com/a/shop.git/git-receive-pac%6b",
            "/host/github.com/a/shop.git/git%2Dreceive-pack",
            "/host/github.com/a/%252e",
            "/host/github.com/a/%zz",
            "/host/github.com/a/%6",
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_has_to_be_escaped_may_be() {
        assert!(read("/host/api.example.com/search/a%20b%C3%A9").is_some());
    }

    #[test]
    fn a_way_on_at_the_same_host_leads_by_the_door_and_no_password_is_asked_for() {
        let target = Target::parse(&"git.example:443".parse().unwrap(), None).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_static("https://git.example/new/x?y=1"));
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=x"));
        clean_answer(&mut headers, &target);
        assert_eq!(headers.get(LOCATION).unwrap(), "/host/git.example:443/new/x?y=1");
        assert!(headers.get(WWW_AUTHENTICATE).is_none());
        headers.insert(LOCATION, HeaderValue::from_static("https://elsewhere.example/x"));
        clean_answer(&mut headers, &target);
        assert_eq!(headers.get(LOCATION).unwrap(), "https://elsewhere.example/x");
    }
}
