//! The desk in process: how the app's window and tray reach the gateway that runs beside them. Requests go to the local door's
//! router with no port and no socket between; the live line is two channels instead of a WebSocket; what a tray shows is one
//! [`Glance`].
//!
//! Knows nothing of windows: a desk is what any program gets that runs a gateway and wants to show it.

pub mod glance;
mod line;
mod news;
mod updates;

pub use glance::{AtWork, Counts, Glance, OpenApproval, Pick, Recent, TunnelGlance};
pub use line::{Hears, Says};
pub use news::Ended;

use crate::{approvals::Answer, doors, gateway::App, pairing::Caller, stream};
use axum::{Router, body::Body};
use bytes::Bytes;
use domain::{
    ApprovalId, Code, Problem,
    approval::{Approval, Decision, check_lock_screen},
    event::Channel,
};
use futures::{StreamExt, future::ready, stream::BoxStream};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode};
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

/// The desk of one running gateway. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    app: App,
    router: Router,
}

impl Desk {
    pub fn of(app: &App) -> Self {
        Self { app: app.clone(), router: doors::local::router(app.clone()) }
    }

    /// Answers as the local door does, the answer whole: for answers that end. As that door, not before what the last run left
    /// was taken up.
    pub async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = self.answered(request).await.into_parts();
        match body.collect().await {
            Ok(body) => Response::from_parts(head, body.to_bytes()),
            Err(_) => {
                let mut cut_off = Response::new(Bytes::new());
                *cut_off.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                cut_off
            }
        }
    }

    /// As [`Desk::call`], the answer as it comes: for answers that tell how far something is. It ends where they break off.
    pub async fn call_piecewise(&self, request: Request<Bytes>) -> Response<BoxStream<'static, Bytes>> {
        self.answered(request).await.map(|body| {
            body.into_data_stream()
                .take_while(|piece| ready(piece.is_ok()))
                .filter_map(|piece| ready(piece.ok()))
                .boxed()
        })
    }

    async fn answered(&self, request: Request<Bytes>) -> Response<Body> {
        launched(&self.app).await;
        let Ok(response) = self.router.clone().oneshot(request.map(|body| Body::new(Full::new(body)))).await;
        response
    }

    /// One more client of the live line, the owner: welcome, the events after `after` (none: from now on), then what happens. It
    /// ends when the gateway stops or either end is dropped.
    pub fn subscribe(&self, after: Option<i64>) -> (Says, Hears) {
        let (says, hears, line) = line::pair();
        let app = self.app.clone();
        self.app.tasks.spawn(async move {
            launched(&app).await;
            stream::serve(app, Caller::owner(), after, line).await;
        });
        (says, hears)
    }

    /// What a tray shows, from now on until the gateway stops.
    pub fn glance(&self) -> watch::Receiver<Glance> {
        glance::watch(&self.app)
    }

    /// Turns that end from now on.
    pub fn ended(&self) -> mpsc::Receiver<Ended> {
        news::ended(&self.app)
    }

    /// Answers an approval from a notice on the desktop's screen, which anyone who passes by can press: it grants only what
    /// `approvals.lock_screen_grants` lets it. `hash` is that of what the notice showed.
    ///
    /// # Errors
    /// As the gate's, and `GRANT_REFUSED`.
    pub async fn answer_notice(&self, id: ApprovalId, hash: &str, allow: bool) -> Result<Approval, Problem> {
        let known = self.app.store.read(move |r| store::approvals::get(r, id)).await;
        let known = known.map_err(crate::approvals::internal)?.ok_or(Code::UnknownApproval)?;
        let decision = if allow { Decision::Allowed } else { Decision::Denied { message: None } };
        check_lock_screen(&known, &decision, self.app.settings.rules().grants)?;
        let answer = Answer { hash: hash.to_owned(), ..Answer::to(&known, decision, Channel::Desktop) };
        crate::approvals::answer(&self.app, answer).await
    }

    /// Begins to stop the gateway; `Gateway::run` comes back when that is done.
    pub fn stop(&self) {
        self.app.stop.cancel();
    }
}

/// Until things are as they are shown, or Lanyard stops.
async fn launched(app: &App) {
    let _it_stops = app.stop.run_until_cancelled(app.launched.cancelled()).await;
}
