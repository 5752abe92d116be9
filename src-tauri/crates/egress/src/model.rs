//! Requests to the model: the sandbox's token off, the owner's key on, the answer through unbuffered and counted.

use crate::{
    Error,
    account::Account,
    answer::{Answer, Body, BoxError, empty, model_error, model_error_event},
    crowd::{Place, Share},
    door::{Connection, Inner},
    headers,
    house::{Admission, Payer},
    outline::Outline,
    purse::Reservation,
};
use bytes::{Bytes, BytesMut};
use domain::{Code, SandboxId, usage::MicroDollars};
use futures::{FutureExt, StreamExt, stream};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body as _, Frame, Incoming},
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
    http::request::Parts,
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

/// Small pieces of an answer go on together up to this many bytes.
const GATHERED: usize = 8 * 1024;

/// What of the API a sandbox may ask for. Files, batches, organisations and all else that could carry something out or
/// spend past the meter is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Is anybody there? Answered by the door; opens a connection to the model meanwhile.
    Hello,
    Messages,
    CountTokens,
    Models,
}

fn route(method: &Method, path: &str) -> Option<Route> {
    let get = method == Method::GET || method == Method::HEAD;
    match path {
        "/" if get => Some(Route::Hello),
        "/v1/messages" if method == Method::POST => Some(Route::Messages),
        "/v1/messages/count_tokens" if method == Method::POST => Some(Route::CountTokens),
        "/v1/models" if get => Some(Route::Models),
        _ if get => path.strip_prefix("/v1/models/").filter(|id| is_model_id(id)).map(|_| Route::Models),
        _ => None,
    }
}

fn is_model_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.len() <= 100
        && !id.contains("..")
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

pub(crate) async fn handle(door: &Arc<Inner>, connection: &Connection, request: Request<Incoming>) -> Answer {
    let sandbox = connection.sandbox;
    match answer(door, connection, request).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::info!(sandbox.id = %sandbox, code = %error.code(), cause = cause(&error), "model request refused");
            model_error(&error)
        }
    }
}

async fn answer(door: &Arc<Inner>, connection: &Connection, request: Request<Incoming>) -> Result<Answer, Error> {
    let route = route(request.method(), request.uri().path());
    let (parts, body) = request.into_parts();
    let asker = match who(door, connection.sandbox, &parts).await {
        Ok(payer) => connection.place.hold(Share::Model(payer.session)).map(|held| (payer, held)),
        Err(error) => Err(error),
    };
    // Read before anything is refused: an answer to a half-sent request would break the connection and hide the sentence. But
    // only what may be asked gets room.
    let (body, _room) = match asker.is_ok() {
        true => read_body(door, &connection.place, body).await?,
        false => (skip_body(door, body).await?, None),
    };
    match route.ok_or(Error::NoSuchPath)? {
        Route::Hello => {
            door.warm_soon();
            Ok(empty(StatusCode::OK))
        }
        route => {
            let (payer, held) = asker?;
            Ok(held.through(pass(door, connection.sandbox, payer, route, parts, body).await?))
        }
    }
}

async fn read_body(
    door: &Inner,
    place: &Place,
    body: Incoming,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Error> {
    let limit = door.settings.max_request;
    let hint = body.size_hint();
    if hint.exact() == Some(0) {
        return Ok((Bytes::new(), None));
    }
    if hint.lower() > limit as u64 {
        return Err(Error::TooLarge(limit));
    }
    let most = hint.upper().map_or(limit, |bytes| bytes as usize);
    let reading = async {
        let room = place.room(most).await;
        Limited::new(body, limit).collect().await.map(|body| (body.to_bytes(), room))
    };
    match timeout(door.settings.body_timeout, reading).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Error::TooLarge(limit)),
        Ok(Err(_)) => Err(Error::BadRequest("broke off")),
        Err(_) => Err(Error::BadRequest("took too long to arrive")),
    }
}

/// Reads to the end and keeps nothing.
async fn skip_body(door: &Inner, body: Incoming) -> Result<Bytes, Error> {
    let limit = door.settings.max_request;
    let skipping = async {
        let mut body = Limited::new(body, limit);
        while let Some(frame) = body.frame().await {
            frame.map_err(|_| Error::TooLarge(limit))?;
        }
        Ok(Bytes::new())
    };
    timeout(door.settings.body_timeout, skipping).await.unwrap_or(Err(Error::BadRequest("took too long to arrive")))
}

async fn who(door: &Inner, sandbox: SandboxId, parts: &Parts) -> Result<Payer, Error> {
    let token = headers::model_token(&parts.headers).ok_or_else(|| Error::Refused(Code::BadSandboxToken.into()))?;
    Ok(door.house.who(sandbox, &token).await?)
}

async fn pass(
    door: &Arc<Inner>,
    sandbox: SandboxId,
    payer: Payer,
    route: Route,
    parts: Parts,
    body: Bytes,
) -> Result<Answer, Error> {
    if route == Route::Models {
        let admission = door.house.admit_model(sandbox, payer).await?;
        return Ok(unmetered(door.upstream.send(outgoing(door, parts, &admission, body)?).await?));
    }
    let outline = Outline::read(&body, &door.settings, door.policy(sandbox))?;
    if route == Route::CountTokens {
        let admission = door.house.admit_model(sandbox, payer).await?;
        return Ok(unmetered(door.upstream.send(outgoing(door, parts, &admission, body)?).await?));
    }
    let (admission, place) = admitted(door, sandbox, payer, outline.worst).await?;
    let asked_bytes = body.len();
    let request = outgoing(door, parts, &admission, body)?;
    let account = Account::open(door.house.clone(), door.tasks.clone(), sandbox, payer, outline, asked_bytes, place);
    metered(door, account, request).await
}

/// Asks the house, and waits while requests under way may still use up what is left.
async fn admitted(
    door: &Inner,
    sandbox: SandboxId,
    payer: Payer,
    worst: MicroDollars,
) -> Result<(Admission, Reservation), Error> {
    let place = door.purse.reserve(sandbox, payer, worst);
    loop {
        let (settled, before) = (door.purse.next_settled(), place.before());
        let admission = door.house.admit_model(sandbox, payer).await?;
        if place.fits(before, admission.left) {
            return Ok((admission, place));
        }
        timeout(door.settings.first_byte_timeout, settled).await.map_err(|_| Error::Refused(Code::SpendCap.into()))?;
    }
}

fn outgoing(door: &Inner, mut parts: Parts, admission: &Admission, body: Bytes) -> Result<Request<Full<Bytes>>, Error> {
    headers::clean_for_model(&mut parts.headers);
    headers::put_on(&mut parts.headers, &admission.key).map_err(|_| Error::Refused(Code::NoKey.into()))?;
    let path = parts.uri.path_and_query().ok_or(Error::NoSuchPath)?;
    let mut request = Request::new(Full::new(body));
    *request.uri_mut() = door.upstream.uri(path)?;
    *request.method_mut() = parts.method;
    *request.headers_mut() = parts.headers;
    Ok(request)
}

fn unmetered(answer: Response<Incoming>) -> Answer {
    let (mut parts, body) = answer.into_parts();
    headers::clean_answer(&mut parts.headers);
    Response::from_parts(head(parts), body.map_err(BoxError::from).boxed_unsync())
}

async fn metered(door: &Inner, mut account: Account, request: Request<Full<Bytes>>) -> Result<Answer, Error> {
    let answer = match door.upstream.send(request).await {
        Ok(answer) => answer,
        Err(error) => {
            account.not_reached();
            account.settle().await;
            return Err(error);
        }
    };
    let (mut parts, body) = answer.into_parts();
    account.answered(parts.status, &parts.headers);
    let limited = account.tell_limit(parts.status, &parts.headers).await;
    if parts.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Error::unreachable(door.upstream.host(), "the answer came in an encoding that was not asked for"));
    }
    headers::clean_answer(&mut parts.headers);
    if limited {
        headers::no_retry(&mut parts.headers);
    }
    // The end must be ours to give: with a length the client would see it before the money is recorded.
    parts.headers.remove(CONTENT_LENGTH);
    let passing = Passing { body, account, idle: door.settings.idle_timeout, after: None, last: None, over: false };
    Ok(Response::from_parts(head(parts), passing.into_body()))
}

/// The head as it goes to the sandbox: of our connection, whatever version the model spoke.
fn head(mut parts: hyper::http::response::Parts) -> hyper::http::response::Parts {
    parts.version = hyper::Version::HTTP_11;
    parts
}

type Came = Option<Result<Frame<Bytes>, hyper::Error>>;

/// An answer on its way in.
struct Passing {
    body: Incoming,
    account: Account,
    idle: Duration,
    /// What came after the piece that goes on now, and is no piece itself: an end, or trailers.
    after: Option<Came>,
    /// The piece that ends the answer, for when the money is recorded.
    last: Option<Bytes>,
    over: bool,
}

impl Passing {
    fn into_body(self) -> Body {
        StreamBody::new(stream::unfold(self, |passing| passing.next()).boxed()).boxed_unsync()
    }

    /// Each piece as it comes. The event that makes the count final, and the end, wait until the money is recorded; the words
    /// before it do not, though they came with it.
    async fn next(mut self) -> Option<(Result<Frame<Bytes>, BoxError>, Self)> {
        if self.over {
            return None;
        }
        if let Some(last) = self.last.take() {
            self.account.settle().await;
            return Some((Ok(Frame::data(last)), self));
        }
        let came = match self.after.take() {
            Some(came) => Ok(came),
            None => timeout(self.idle, self.body.frame()).await,
        };
        let frame = match came {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return Some(self.broken(error.into()).await),
            Err(elapsed) => return Some(self.broken(elapsed.into()).await),
            Ok(None) => {
                self.account.end();
                self.account.settle().await;
                return None;
            }
        };
        match frame.into_data() {
            Ok(bytes) => {
                let bytes = self.with_neighbours(bytes).await;
                self.pass(bytes).await
            }
            Err(trailers) => Some((Ok(trailers), self)),
        }
    }

    /// A piece with those that are here already: many small ones cost a write each.
    async fn with_neighbours(&mut self, first: Bytes) -> Bytes {
        let mut all = BytesMut::new();
        while all.len().max(first.len()) < GATHERED {
            // The connection hands on one at a time, and has the next one at its next turn.
            tokio::task::yield_now().await;
            match self.body.frame().now_or_never() {
                None => break,
                Some(Some(Ok(frame))) if frame.is_data() => {
                    let next = frame.into_data().unwrap_or_default();
                    if all.is_empty() {
                        all.reserve(GATHERED);
                        all.extend_from_slice(&first);
                    }
                    all.extend_from_slice(&next);
                }
                Some(other) => {
                    self.after = Some(other);
                    break;
                }
            }
        }
        if all.is_empty() { first } else { all.freeze() }
    }

    async fn pass(mut self, mut bytes: Bytes) -> Option<(Result<Frame<Bytes>, BoxError>, Self)> {
        match self.account.read(&bytes) {
            None => {}
            Some(0) => self.account.settle().await,
            Some(before) => self.last = Some(bytes.split_off(before)),
        }
        Some((Ok(Frame::data(bytes)), self))
    }

    /// The model's side broke off. Said as an event where one fits, so that the agent gets a sentence and the connection
    /// stays whole; else the connection breaks as theirs did.
    async fn broken(mut self, cause: BoxError) -> (Result<Frame<Bytes>, BoxError>, Self) {
        tracing::warn!(%cause, "the model's answer broke off");
        self.account.settle().await;
        self.over = true;
        let piece = match self.account.between_events() {
            true => Ok(Frame::data(model_error_event(&Error::Refused(Code::StreamBroken.into())))),
            false => Err(cause),
        };
        (piece, self)
    }
}

/// The chain of causes, for the log.
fn cause(error: &Error) -> String {
    let mut chain = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(next) = source {
        chain = format!("{chain}: {next}");
        source = next.source();
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_and_models_pass() {
        assert_eq!(route(&Method::POST, "/v1/messages"), Some(Route::Messages));
        assert_eq!(route(&Method::POST, "/v1/messages/count_tokens"), Some(Route::CountTokens));
        assert_eq!(route(&Method::GET, "/v1/models/claude-opus-5"), Some(Route::Models));
        assert_eq!(route(&Method::HEAD, "/"), Some(Route::Hello));
        for path in [
            "/v1/messages/batches",
            "/v1/files",
            "/v1/organizations/me",
            "/v1/messages/",
            "//v1/messages",
            "/v1/Messages",
            "/v1/messages/../files",
            "/v1/models/../files",
            "/v1/models/%2e%2e/files",
            "/v1/models/",
            "/v1/models/..",
            "/v1/%6dessages",
            "/api/oauth/usage",
        ] {
            assert_eq!((route(&Method::POST, path), route(&Method::GET, path)), (None, None), "{path}");
        }
        assert_eq!(route(&Method::DELETE, "/v1/messages"), None);
    }
}
