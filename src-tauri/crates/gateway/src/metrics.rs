//! Numbers for Prometheus: counted as things happen, or read when somebody asks.

use crate::{clock, gateway::App};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{sync::atomic::AtomicU64, time::Duration};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    /// One of the API's own, or `other`: every word that a stranger makes up would be a series of its own, for ever.
    method: &'static str,
    /// The route as it is written, never the address as it came: that would hold ids and links.
    route: String,
    status: u16,
}

/// From a tenth of a millisecond to the longest ask.
const SECONDS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 30.0, 600.0];

pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    took: Histogram,
    sockets: Gauge,
    active: Gauge,
    approvals: Gauge,
    tasks_queued: Gauge,
    tasks_running: Gauge,
    events: Gauge,
    spent: Gauge<f64, AtomicU64>,
    tunnel: Gauge,
    uptime: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut m = Self {
            registry: Registry::with_prefix("lanyard"),
            requests: Family::default(),
            took: Histogram::new(SECONDS),
            sockets: Gauge::default(),
            active: Gauge::default(),
            approvals: Gauge::default(),
            tasks_queued: Gauge::default(),
            tasks_running: Gauge::default(),
            events: Gauge::default(),
            spent: Gauge::default(),
            tunnel: Gauge::default(),
            uptime: Gauge::default(),
        };
        let r = &mut m.registry;
        r.register("http_requests", "Requests answered", m.requests.clone());
        r.register_with_unit("http_request", "Time to answer a request", Unit::Seconds, m.took.clone());
        r.register("sockets", "Open WebSockets", m.sockets.clone());
        r.register("sessions_active", "Sessions with a process", m.active.clone());
        r.register("approvals_open", "Questions that wait for the owner", m.approvals.clone());
        r.register("tasks_queued", "Tasks that wait", m.tasks_queued.clone());
        r.register("tasks_running", "Tasks at work", m.tasks_running.clone());
        r.register("event_last", "The newest event's number", m.events.clone());
        r.register("spent_today_dollars", "Spent since midnight", m.spent.clone());
        r.register("tunnel_open", "1 while the tunnel is open, 0 while it is off, lost or refused", m.tunnel.clone());
        r.register_with_unit("uptime", "Time since the start", Unit::Seconds, m.uptime.clone());
        m
    }
}

/// An open socket, counted as long as it lives.
pub struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        const OURS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let method = OURS.into_iter().find(|ours| *ours == method).unwrap_or("other");
        let request = Request { method, route: route.to_owned(), status };
        self.requests.get_or_create(&request).inc();
        self.took.observe(took.as_secs_f64());
    }

    pub fn socket(&self) -> Open {
        self.sockets.inc();
        Open(self.sockets.clone())
    }

    /// All of them as text (OpenMetrics), those that are read rather than counted as they are now.
    ///
    /// # Errors
    /// As the store's.
    pub async fn text(&self, app: &App) -> store::Result<String> {
        let midnight = clock::midnight();
        let read = app.store.read(move |r| {
            let open = store::approvals::all_open(r)?.len();
            Ok((open, store::usage::since(r, midnight)?, store::tasks::counts(r)?))
        });
        let (open, spent, tasks) = read.await?;
        self.tasks_queued.set(i64::from(tasks.queued));
        self.tasks_running.set(i64::from(tasks.running));
        self.active.set(app.registry.active() as i64);
        self.approvals.set(open as i64);
        self.events.set(*app.store.bells().events.borrow());
        self.spent.set(spent.cost.dollars());
        self.tunnel.set(i64::from(app.address.status().borrow().url().is_some()));
        self.uptime.set(clock::now().since(app.started).as_secs() as i64);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _infallible = encode(&mut text, &self.registry);
        Ok(text)
    }
}
