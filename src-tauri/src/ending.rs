//! The app's end. It is asked of the controller, and has the gateway stopped before it. macOS also ends the event loop without
//! asking (the Dock's Quit, a logout), and the process with it as soon as the loop's last call returns: that call waits here.

use crate::controller::Tick;
use std::{sync::Arc, time::Duration};
use tauri::AppHandle;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// Ends the event loop, when all else has ended.
#[derive(Clone)]
pub struct Leaving {
    app: AppHandle,
    left: Arc<watch::Sender<bool>>,
}

impl Leaving {
    pub fn new(app: AppHandle, left: watch::Sender<bool>) -> Self {
        Self { app, left: Arc::new(left) }
    }

    pub fn leave(&self) {
        self.left.send_replace(true);
        self.app.exit(0);
    }
}

/// Waits until all else has ended.
pub struct Ending {
    pub ticks: mpsc::Sender<Tick>,
    pub left: watch::Receiver<bool>,
}

impl Ending {
    /// At the event loop's end. Returns at once where [`Leaving::leave`] ended it; else the controller is told, and has so long.
    pub async fn met(mut self, within: Duration) {
        if *self.left.borrow() {
            return;
        }
        let ended = async {
            let _all_has_ended = self.ticks.send(Tick::Terminated).await;
            let _all_has_ended = self.left.wait_for(|left| *left).await;
        };
        if timeout(within, ended).await.is_err() {
            tracing::error!("the system ended the app before the gateway had stopped");
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::{
        keep::{Keeper, STOPS_WITHIN},
        tray::House,
    };
    use gateway::{Gateway, config::Paths};
    use std::time::Instant;

    /// A gateway that is kept in a folder of its own, and what the controller and the panel do about the end.
    struct World {
        paths: Paths,
        ticks: mpsc::Sender<Tick>,
        left: watch::Receiver<bool>,
        _folder: tempfile::TempDir,
    }

    async fn up() -> World {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::find(Some(folder.path())).unwrap();
        std::fs::write(
            folder.path().join("config.toml"),
            "[server]\nlisten = \"127.0.0.1:0\"\n[sandbox]\nengine = \"/nowhere/docker.sock\"\n",
        )
        .unwrap();
        let ((ticks, mut ticking), (_wishes, wished)) = (mpsc::channel(64), mpsc::channel(1));
        let (stop, left) = (watch::Sender::new(false), watch::Sender::new(false));
        let keeper = Keeper {
            paths: paths.clone(),
            wishes: wished,
            stop: stop.subscribe(),
            ticks: ticks.clone(),
            desk: watch::Sender::new(None),
        };
        tokio::spawn(keeper.run());
        let world = World { paths, ticks, left: left.subscribe(), _folder: folder };
        while !matches!(ticking.recv().await, Some(Tick::House(House::Up))) {}
        tokio::spawn(async move {
            while let Some(tick) = ticking.recv().await {
                match tick {
                    Tick::Terminated => drop(stop.send_replace(true)),
                    Tick::House(House::Stopped) => drop(left.send_replace(true)),
                    _ => {}
                }
            }
        });
        world
    }

    #[tokio::test]
    async fn an_event_loop_that_ends_unasked_waits_until_the_gateway_has_stopped() {
        let world = up().await;
        assert!(Gateway::runs_at(&world.paths));
        Ending { ticks: world.ticks, left: world.left }.met(STOPS_WITHIN).await;
        assert!(!Gateway::runs_at(&world.paths));
    }

    #[tokio::test]
    async fn it_waits_no_longer_than_it_may() {
        let ((ticks, mut told), left) = (mpsc::channel(1), watch::Sender::new(false));
        let (began, within) = (Instant::now(), Duration::from_millis(100));
        Ending { ticks, left: left.subscribe() }.met(within).await;
        assert!(matches!(told.recv().await, Some(Tick::Terminated)));
        assert!(began.elapsed() >= within && began.elapsed() < STOPS_WITHIN);
    }

    #[tokio::test]
    async fn one_that_was_asked_for_waits_for_nothing() {
        let ((ticks, mut ticking), left) = (mpsc::channel(1), watch::Sender::new(true));
        let began = Instant::now();
        Ending { ticks, left: left.subscribe() }.met(STOPS_WITHIN).await;
        assert!(ticking.recv().await.is_none() && began.elapsed() < STOPS_WITHIN);
    }
}
