//! The door: one connection from inside at a time, to the room that its requests are for.

use crate::{
    Beside, Error, House, Policy, Resolve, Settings, SystemNames,
    answer::Answer,
    crowd::{Crowd, Place},
    model, proxy,
    purse::Purse,
    signed,
    upstream::{Upstream, tls},
};
use domain::SandboxId;
use hyper::{Method, Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A sandbox may have a connection to the model opened ahead at most this often.
const WARM_EVERY: Duration = Duration::from_secs(20);

/// Cheap to clone; all clones are one door.
#[derive(Clone)]
pub struct Door {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub settings: Settings,
    pub house: Arc<dyn House>,
    pub names: Arc<dyn Resolve>,
    pub upstream: Upstream,
    /// For hosts that the door speaks https with itself.
    pub tls: Arc<ClientConfig>,
    pub purse: Arc<Purse>,
    /// What records money after its asker has gone.
    pub tasks: TaskTracker,
    policy: RwLock<Arc<Policy>>,
    beside: RwLock<HashMap<SandboxId, Beside>>,
    crowd: Arc<Crowd>,
    warmed: Mutex<Option<Instant>>,
}

/// What the requests of one connection have in common.
pub(crate) struct Connection {
    pub sandbox: SandboxId,
    pub place: Place,
    pub stop: CancellationToken,
    /// Its tunnels.
    pub tasks: TaskTracker,
}

impl Door {
    /// # Errors
    /// When the model's address cannot be used, or this system has no certificate authorities.
    pub fn new(settings: Settings, house: Arc<dyn House>) -> Result<Self, Error> {
        Self::with_names(settings, house, Arc::new(SystemNames))
    }

    /// With another resolver than the system's for the hosts a sandbox asks for.
    pub fn with_names(settings: Settings, house: Arc<dyn House>, names: Arc<dyn Resolve>) -> Result<Self, Error> {
        let inner = Inner {
            upstream: Upstream::new(&settings)?,
            tls: Arc::new(tls(&settings.roots)?),
            purse: Arc::default(),
            tasks: TaskTracker::new(),
            policy: RwLock::new(settings.policy.clone().into()),
            beside: RwLock::default(),
            crowd: Crowd::new(settings.max_connections, settings.max_request),
            warmed: Mutex::default(),
            settings,
            house,
            names,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Serves one connection from inside `sandbox` (HTTP/1.1, kept alive) until it ends, tunnels included. After `stop`
    /// tunnels end at once and an answer under way may go on for [`Settings::drain`]. Dropping the future ends all of it;
    /// money spent by then is still recorded, see [`Door::settled`].
    pub async fn serve<S>(&self, stream: S, sandbox: SandboxId, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(place) = self.inner.crowd.enter(sandbox) else {
            return tracing::warn!(sandbox.id = %sandbox, "too many requests under way from a sandbox; a connection was dropped");
        };
        let stop = stop.child_token();
        let _ends_tunnels = stop.clone().drop_guard();
        let connection = Arc::new(Connection { sandbox, place, stop, tasks: TaskTracker::new() });
        self.speak(stream, &connection).await;
        connection.tasks.close();
        connection.tasks.wait().await;
    }

    /// Changes the policy for every request from now on. Tunnels that stand go on.
    pub fn set_policy(&self, policy: Policy) {
        *self.inner.policy.write().unwrap_or_else(PoisonError::into_inner) = policy.into();
    }

    /// What `sandbox` may beside the policy from now on; none: nothing.
    pub fn set_beside(&self, sandbox: SandboxId, beside: Option<Beside>) {
        let mut all = self.inner.beside.write().unwrap_or_else(PoisonError::into_inner);
        match beside {
            Some(beside) => drop(all.insert(sandbox, beside)),
            None => drop(all.remove(&sandbox)),
        }
    }

    /// What holds for `sandbox` now.
    pub fn policy(&self, sandbox: SandboxId) -> Arc<Policy> {
        self.inner.policy(sandbox)
    }

    /// Opens a connection to the model, so that the next request finds it open.
    pub async fn warm(&self) -> Result<(), Error> {
        self.inner.upstream.warm().await
    }

    /// Waits until all that was spent is recorded. For the end, when no connection is served any more.
    pub async fn settled(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    async fn speak<S>(&self, stream: S, connection: &Arc<Connection>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|request| {
            let (inner, connection) = (self.inner.clone(), connection.clone());
            async move { Ok::<_, Infallible>(inner.answer(&connection, request).await) }
        });
        // No time limit on reading a head: hyper's runs while a kept-alive connection is idle too, and a client that
        // sends into a closing connection asks again, at double cost. One that rests gives way to a new one instead.
        let speaking = http1::Builder::new()
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut speaking = std::pin::pin!(speaking);
        let ended = tokio::select! {
            biased;
            () = connection.stop.cancelled() => {
                speaking.as_mut().graceful_shutdown();
                timeout(self.inner.settings.drain, speaking).await.unwrap_or(Ok(()))
            }
            () = connection.place.given_up() => {
                connection.stop.cancel();
                return tracing::debug!(sandbox.id = %connection.sandbox, "a resting connection gave its place up to a new one");
            }
            ended = speaking.as_mut() => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(sandbox.id = %connection.sandbox, %error, "a connection from a sandbox broke");
        }
    }
}

impl Inner {
    async fn answer(self: &Arc<Self>, connection: &Connection, request: Request<Incoming>) -> Answer {
        // Origin form names no host: it is for the door itself. All else is for the proxy, which judges its form.
        let for_proxy = request.method() == Method::CONNECT || request.uri().authority().is_some();
        match for_proxy {
            true => proxy::handle(self, connection, request).await,
            false if request.uri().path().starts_with(signed::PLACE) => signed::handle(self, connection, request).await,
            false => model::handle(self, connection, request).await,
        }
    }

    pub fn policy(&self, sandbox: SandboxId) -> Arc<Policy> {
        let policy = self.policy.read().unwrap_or_else(PoisonError::into_inner).clone();
        match self.beside.read().unwrap_or_else(PoisonError::into_inner).get(&sandbox) {
            Some(beside) => policy.with(beside).into(),
            None => policy,
        }
    }

    /// Opens a connection to the model beside what is going on, if that was not done just now.
    pub fn warm_soon(&self) {
        let mut warmed = self.warmed.lock().unwrap_or_else(PoisonError::into_inner);
        if warmed.is_none_or(|at| at.elapsed() > WARM_EVERY) {
            *warmed = Some(Instant::now());
            let (upstream, limit) = (self.upstream.clone(), 2 * self.settings.connect_timeout);
            self.tasks.spawn(async move { timeout(limit, upstream.warm()).await });
        }
    }
}
