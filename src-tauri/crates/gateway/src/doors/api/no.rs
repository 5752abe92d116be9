//! How the API says no: a problem, with what a client needs to go on.

use crate::{
    config::Refused,
    doors::reply::{Refusal, refuse},
    pairing::Wait,
    wire::{ErrorBody, ErrorData},
};
use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Json, Path, Query, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{Code, Problem, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::IntoResponses;

/// Boxed: it is the rare way out of every handler.
#[derive(Debug)]
pub struct No(Box<ErrorData>);

impl No {
    /// Too often; try again after a while.
    pub fn wait(wait: Wait) -> Self {
        Self(Box::new(ErrorData::wait(wait)))
    }

    /// The caller's clock is wrong; ours.
    pub fn clock(now: Timestamp) -> Self {
        let mut no = Self::from(Code::ClockWrong);
        no.0.details.now = Some(now.0);
        no
    }
}

impl From<Problem> for No {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem.into()))
    }
}

impl From<Refused> for No {
    fn from(Refused { key, problem }: Refused) -> Self {
        let mut no = Self::from(problem);
        no.0.details.key = Some(key).filter(|key| !key.is_empty());
        no
    }
}

impl From<Code> for No {
    fn from(code: Code) -> Self {
        Problem::from(code).into()
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        refusal.0.into()
    }
}

impl From<store::Error> for No {
    fn from(e: store::Error) -> Self {
        crate::approvals::internal(e).into()
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        refuse(*self.0)
    }
}

/// Refusals any route may give, for the description.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "describes answers that `No` gives")]
pub enum Refusals {
    /// Compare the request with this description.
    #[response(status = 400)]
    Bad(#[to_schema] ErrorBody),
    /// No token, or one that does not work any more.
    #[response(status = 401)]
    Unknown(#[to_schema] ErrorBody),
    /// The token's scopes do not allow it.
    #[response(status = 403)]
    Scope(#[to_schema] ErrorBody),
    /// There is no such thing.
    #[response(status = 404)]
    Missing(#[to_schema] ErrorBody),
    /// Things are not as the request takes them to be.
    #[response(status = 409)]
    Conflict(#[to_schema] ErrorBody),
    /// Too large.
    #[response(status = 413)]
    Large(#[to_schema] ErrorBody),
    /// Not of a type that is taken.
    #[response(status = 415)]
    Type(#[to_schema] ErrorBody),
    /// Too often, or too much at once. `Retry-After` says when.
    #[response(status = 429)]
    Often(#[to_schema] ErrorBody),
    /// A turn could not be run: the sandbox, the agent or the model.
    #[response(status = "5XX")]
    Trouble(#[to_schema] ErrorBody),
}

/// A body that is a JSON object. (serde would take an array for a struct as well.)
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = No;

    async fn from_request(request: Request, state: &S) -> Result<Self, No> {
        let Json(body) = Json::<Map<String, Value>>::from_request(request, state).await?;
        serde_json::from_value(Value::Object(body)).map(Self).map_err(bad)
    }
}

/// The same where a request may come without a body, or with null for one: its wish is then the usual.
pub struct Maybe<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Maybe<T> {
    type Rejection = No;

    async fn from_request(request: Request, state: &S) -> Result<Self, No> {
        let body = Bytes::from_request(request, state).await.map_err(|_| No::from(Code::TooLarge))?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        serde_json::from_slice::<Option<T>>(&body).map(|wish| Self(wish.unwrap_or_default())).map_err(bad)
    }
}

/// The parts of a path.
#[derive(FromRequestParts)]
#[from_request(via(Path), rejection(No))]
pub struct Of<T>(pub T);

/// A query string.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(No))]
pub struct Asked<T>(pub T);

impl From<JsonRejection> for No {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge.into(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::WrongType.into(),
            _ => bad(rejection.body_text()),
        }
    }
}

impl From<PathRejection> for No {
    fn from(_: PathRejection) -> Self {
        Code::NotFound.into()
    }
}

impl From<QueryRejection> for No {
    fn from(rejection: QueryRejection) -> Self {
        bad(rejection.body_text())
    }
}

pub fn bad(why: impl std::fmt::Display) -> No {
    Problem::with_detail(Code::BadRequest, format!("{why}.")).into()
}
