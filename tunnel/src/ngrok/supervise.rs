//! Keeps the tunnel open: a session, its visitors, its end, the wait, the next session.

use super::{
    line::{Line, News},
    refusal::{Again, Refusal},
    session,
    shared::Shared,
};
use crate::{
    connection::{Connection, Peer, Way},
    status::TunnelStatus,
};
use futures::StreamExt;
use ngrok::{
    conn::{ConnInfo, EndpointConn},
    prelude::TunnelCloser,
    tunnel::{AcceptError, EndpointInfo, HttpTunnel},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::{mpsc, watch};

/// News on their way to the supervisor, which reads at once: a few per attempt.
const NEWS: usize = 64;
/// How long the edge may take to unbind before the link is simply cut.
const GOODBYE: Duration = Duration::from_secs(2);

pub(super) struct Supervisor {
    pub(super) shared: Arc<Shared>,
    pub(super) status: watch::Sender<TunnelStatus>,
    pub(super) visitors: mpsc::Sender<(Connection, Peer)>,
    /// Fresh sessions that failed in a row.
    pub(super) failures: u32,
}

/// Why a session ended.
enum End {
    Stopped,
    Refused(Refusal),
}

impl Supervisor {
    /// Until the tunnel is stopped.
    pub(super) async fn run(mut self) {
        let shared = self.shared.clone();
        while let End::Refused(why) = self.session().await {
            tracing::warn!(code = %why.problem.code, "the tunnel's session ended: {}", why.problem.message);
            self.failures += 1;
            tokio::select! {
                () = shared.stop.cancelled() => break,
                () = self.rest(why) => {}
            }
        }
        self.status.send_replace(TunnelStatus::Off);
        tracing::info!("the tunnel is closed");
    }

    /// One session from its first attempt to its end.
    async fn session(&mut self) -> End {
        let (news_to, news) = mpsc::channel(NEWS);
        let line = Line::new(self.shared.clone(), news_to);
        self.connecting(self.failures + 1, None, self.problem());
        let opened = tokio::select! {
            () = self.shared.stop.cancelled() => Err(End::Stopped),
            opened = session::open(&self.shared.config, &line) => opened.map_err(End::Refused),
        };
        let end = match opened {
            Ok(opened) => self.serve(opened, news).await,
            Err(end) => end,
        };
        line.over.cancel();
        end
    }

    async fn serve(&mut self, mut endpoint: HttpTunnel, mut news: mpsc::Receiver<News>) -> End {
        self.open_at(endpoint.url().to_owned());
        let visitors = self.visitors.clone();
        let mut waiting: Option<EndpointConn> = None;
        let end = loop {
            tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => break End::Stopped,
                Some(news) = news.recv() => match news {
                    News::Over(why) => break End::Refused(why),
                    News::Bound { url } => self.open_at(url),
                    News::Trying { attempt } => {
                        let why = self.problem().unwrap_or_else(|| Refusal::lost().problem);
                        self.connecting(attempt, None, Some(why));
                    }
                    News::Waiting { attempt, wait, why } => self.connecting(attempt, Some(wait), Some(why.problem)),
                },
                place = visitors.reserve(), if waiting.is_some() => match (place, waiting.take()) {
                    (Ok(place), Some(visitor)) => place.send(introduced(visitor)),
                    _ => break End::Stopped,
                },
                next = endpoint.next(), if waiting.is_none() => match next {
                    Some(Ok(visitor)) => waiting = Some(visitor),
                    Some(Err(error)) => break End::Refused(self.lost(&error)),
                    None => break End::Refused(Refusal::lost()),
                },
            }
        };
        // The tunnel must be gone at the edge before the link is; the SDK's own close leaves both. Without a link there is
        // nobody to tell.
        let linked = self.status.borrow().url().is_some();
        if linked {
            let _ = tokio::time::timeout(GOODBYE, endpoint.close()).await;
        }
        end
    }

    fn lost(&self, error: &AcceptError) -> Refusal {
        match error {
            AcceptError::Reconnect(error) => Refusal::of_connect(error, &self.shared.config.token),
            AcceptError::ListenerClosed { message, error_code } => {
                Refusal::closed(error_code.as_deref(), message, &self.shared.config.token)
            }
            _ => Refusal::lost(),
        }
    }

    /// Waits as the refusal asks, and says so.
    async fn rest(&mut self, why: Refusal) {
        let pace = &self.shared.config.pace;
        let wait = match why.again {
            Again::Now => return,
            Again::Soon => Some(pace.retry.wait(self.failures, rand::random())),
            Again::Later => Some(pace.later),
            Again::Never => None,
        };
        let next_try = wait.map(|wait| self.wall() + wait);
        match why.said {
            true => drop(self.status.send_replace(TunnelStatus::Refused { why: why.problem, next_try })),
            false => self.connecting(self.failures + 1, wait, Some(why.problem)),
        }
        match wait {
            Some(wait) => self.shared.wait(wait).await,
            None => self.shared.hurry.notified().await,
        }
    }

    fn wall(&self) -> SystemTime {
        self.shared.config.wall.now()
    }

    fn problem(&self) -> Option<domain::Problem> {
        self.status.borrow().problem().cloned()
    }

    fn open_at(&mut self, url: String) {
        self.failures = 0;
        let since = self.wall();
        self.status.send_if_modified(|status| {
            let changed = status.url() != Some(&url);
            if changed {
                *status = TunnelStatus::Open { url, since };
            }
            changed
        });
    }

    fn connecting(&self, attempt: u32, wait: Option<Duration>, why: Option<domain::Problem>) {
        let next_try = wait.map(|wait| self.wall() + wait);
        self.status.send_replace(TunnelStatus::Connecting { attempt, next_try, why });
    }
}

fn introduced(visitor: EndpointConn) -> (Connection, Peer) {
    let peer = Peer { address: visitor.remote_addr(), way: Way::Tunnel };
    (Connection::through_tunnel(visitor), peer)
}
