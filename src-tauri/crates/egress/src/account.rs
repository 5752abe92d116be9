//! The bill of one model request: kept while the answer passes, handed to the house exactly once, whatever ends it.

use crate::{
    Policy,
    house::{House, Payer, Spend},
    limit,
    meter::Meter,
    outline::Outline,
    purse::Reservation,
};
use domain::{SandboxId, Timestamp, usage::Tokens};
use hyper::{StatusCode, header::HeaderMap};
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::task::TaskTracker;

/// For the house to put the money on disk. After that the answer goes on and the log has it.
const RECORD_WITHIN: Duration = Duration::from_secs(10);

pub(crate) struct Account {
    house: Arc<dyn House>,
    tasks: TaskTracker,
    sandbox: SandboxId,
    payer: Payer,
    model: String,
    policy: Arc<Policy>,
    /// Bytes of the request, for what it cost if the asker leaves before the model has counted.
    asked_bytes: u64,
    /// The request is with the model and may be billed though no count has come.
    owed: bool,
    started: Timestamp,
    clock: Instant,
    first_byte: Option<Duration>,
    status: u16,
    request_id: Option<String>,
    streamed: bool,
    meter: Meter,
    /// Given back once the money is recorded; none when it was.
    place: Option<Reservation>,
}

impl Account {
    pub fn open(
        house: Arc<dyn House>,
        tasks: TaskTracker,
        sandbox: SandboxId,
        payer: Payer,
        outline: Outline,
        asked_bytes: usize,
        place: Reservation,
    ) -> Self {
        Self {
            house,
            tasks,
            sandbox,
            payer,
            model: outline.model,
            policy: outline.policy,
            asked_bytes: asked_bytes as u64,
            owed: true,
            started: now(),
            clock: Instant::now(),
            first_byte: None,
            status: 0,
            request_id: None,
            streamed: false,
            meter: Meter::whole(),
            place: Some(place),
        }
    }

    /// Nothing was billed: the model was not reached.
    pub fn not_reached(&mut self) {
        self.owed = false;
    }

    /// The head of the answer is here.
    pub fn answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        self.status = status.as_u16();
        self.owed = status.is_success();
        self.request_id = Some(text("request-id").chars().take(100).collect::<String>()).filter(|id| !id.is_empty());
        let windows = limit::windows(headers);
        if !windows.is_empty() {
            self.house.windows(windows);
        }
        self.streamed = text("content-type").starts_with("text/event-stream");
        if self.streamed {
            self.meter = Meter::streamed();
        }
    }

    /// Tells the house where the provider refuses until a time. True then.
    pub async fn tell_limit(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        let Some(until) = limit::until(status, headers, now()) else { return false };
        if timeout(RECORD_WITHIN, self.house.limited(self.payer, until)).await.is_err() {
            tracing::error!(sandbox.id = %self.sandbox, "that the provider's limit is reached takes too long to write down");
        }
        true
    }

    /// Looks at bytes on their way in. Once the count is final: where in them the event that says so begins.
    pub fn read(&mut self, bytes: &[u8]) -> Option<usize> {
        self.first_byte.get_or_insert_with(|| self.clock.elapsed());
        self.meter.read(bytes)
    }

    /// The answer ended of itself.
    pub fn end(&mut self) {
        self.meter.end();
    }

    pub fn between_events(&self) -> bool {
        self.meter.between_events()
    }

    /// Returns when the money is recorded. Does so once; if the asker goes away meanwhile it is recorded all the same.
    pub async fn settle(&mut self) {
        if let Some(recording) = self.record()
            && let Err(error) = recording.await
        {
            tracing::error!(sandbox.id = %self.sandbox, %error, "a model request's cost could not be recorded");
        }
    }

    fn record(&mut self) -> Option<JoinHandle<()>> {
        let place = self.place.take()?;
        let (house, sandbox, spend) = (self.house.clone(), self.sandbox, self.spend());
        Some(self.tasks.spawn(async move {
            if timeout(RECORD_WITHIN, house.spent(sandbox, spend)).await.is_err() {
                tracing::error!(sandbox.id = %sandbox, limit_ms = RECORD_WITHIN.as_millis() as u64, "recording a model request's cost takes too long");
            }
            drop(place);
        }))
    }

    fn spend(&mut self) -> Spend {
        let mut billed = self.meter.billed();
        if self.owed && self.meter.model().is_none() && !self.meter.is_complete() {
            // A token is about four bytes of text; JSON around it makes this an upper estimate.
            billed.input = self.asked_bytes / 4;
        }
        let model = self.meter.model().map_or_else(|| std::mem::take(&mut self.model), str::to_owned);
        let (cost, priced) = self.policy.prices.cost(&model, &billed);
        Spend {
            payer: self.payer,
            model,
            tokens: Tokens {
                input: billed.input,
                output: billed.output,
                cache_write: billed.cache_write_5m.saturating_add(billed.cache_write_1h),
                cache_read: billed.cache_read,
            },
            cost,
            priced,
            request_id: self.request_id.take(),
            status: self.status,
            streamed: self.streamed,
            complete: self.meter.is_complete(),
            started: self.started,
            first_byte_ms: self.first_byte.map(|d| d.as_millis() as u64),
            duration_ms: self.clock.elapsed().as_millis() as u64,
        }
    }
}

impl Drop for Account {
    /// The asker went away.
    fn drop(&mut self) {
        self.record();
    }
}

fn now() -> Timestamp {
    Timestamp(SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_millis() as i64))
}
