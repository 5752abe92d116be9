//! Keeps a gateway in this process: builds it, runs it, and builds it again when that is wished. How it fares goes to the
//! controller. A stop is heard at any time.

use crate::{controller::Tick, tray::House};
use domain::{Code, Problem};
use gateway::{
    Ended, Gateway,
    cli::LocalDoor,
    config::{self, Paths, Resolved},
    desk::Desk,
    logging,
};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// What is wished of it after it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Start it again.
    Again,
    /// End the Lanyard that holds the data folder, then start here.
    TakeOver,
}

/// Another Lanyard answers from its own memory.
const OTHER_ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// A gateway has its turns to end: as long as `Gateway::run` takes at most.
pub const STOPS_WITHIN: Duration = Duration::from_secs(65);

pub struct Keeper {
    pub paths: Paths,
    pub wishes: mpsc::Receiver<Wish>,
    /// Turns true once: it is to end, for good.
    pub stop: watch::Receiver<bool>,
    pub ticks: mpsc::Sender<Tick>,
    /// What the window and the commands reach; none while nothing runs.
    pub desk: watch::Sender<Option<Desk>>,
}

impl Keeper {
    /// Until it is to stop.
    pub async fn run(mut self) {
        let mut stop = self.stop.clone();
        let mut takes_over = false;
        loop {
            self.tell(House::Starting).await;
            let built = tokio::select! {
                biased;
                () = wished(&mut stop) => break,
                built = self.build(takes_over) => built,
            };
            let refused = match built {
                Ok(gateway) => match self.serve(gateway).await {
                    // Somebody stopped it by its local door (`lanyard stop`): the app goes with it.
                    Ok(Ended::Stop) => break,
                    Ok(Ended::Restart) => {
                        takes_over = false;
                        continue;
                    }
                    Err(problem) => problem,
                },
                Err(problem) => problem,
            };
            // Buttons that were pressed before this was known are no answer to it.
            while self.wishes.try_recv().is_ok() {}
            self.tell(House::Refused(refused)).await;
            let wish = tokio::select! {
                biased;
                () = wished(&mut stop) => None,
                wish = self.wishes.recv() => wish,
            };
            takes_over = match wish {
                Some(Wish::Again) => false,
                Some(Wish::TakeOver) => true,
                None => break,
            };
        }
        self.tell(House::Stopped).await;
    }

    async fn build(&self, takes_over: bool) -> Result<Gateway, Problem> {
        let config = Resolved::new(config::read(&self.paths.config)?)?;
        logging::start(&config);
        if takes_over {
            self.end_the_other().await?;
        }
        Gateway::build(config, self.paths.clone()).await
    }

    /// Asks the other by its local door, and waits until the folder is free.
    async fn end_the_other(&self) -> Result<(), Problem> {
        let (door, nothing) = (LocalDoor::at(&self.paths), serde_json::json!({}));
        match tokio::time::timeout(OTHER_ANSWERS_WITHIN, door.post("/stop", &nothing)).await {
            Ok(Ok(_)) => {}
            // It is gone already.
            Ok(Err(problem)) if problem.code == Code::NotRunning => return Ok(()),
            Ok(Err(problem)) => return Err(problem),
            Err(_) => return Err(Problem::with_detail(Code::AlreadyRunning, "It does not answer.")),
        }
        let gone = async {
            while Gateway::runs_at(&self.paths) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(STOPS_WITHIN, gone).await.map_err(|_| Code::AlreadyRunning.into())
    }

    async fn serve(&mut self, gateway: Gateway) -> Result<Ended, Problem> {
        let desk = Desk::of(&gateway.app);
        let telling = tokio::spawn(tell_news(desk.clone(), self.ticks.clone()));
        self.desk.send_replace(Some(desk.clone()));
        self.tell(House::Up).await;
        let mut running = Box::pin(gateway.run());
        let ended = tokio::select! {
            ended = &mut running => ended,
            () = wished(&mut self.stop) => {
                desk.stop();
                running.await
            }
        };
        self.desk.send_replace(None);
        telling.abort();
        ended
    }

    async fn tell(&self, house: House) {
        let _the_app_is_ending = self.ticks.send(Tick::House(house)).await;
    }
}

/// A stop, or an app that is gone.
async fn wished(stop: &mut watch::Receiver<bool>) {
    let _the_app_is_gone = stop.wait_for(|stop| *stop).await;
}

/// What happens in the gateway, for the controller, until the gateway stops.
async fn tell_news(desk: Desk, ticks: mpsc::Sender<Tick>) {
    let (mut glance, mut ended) = (desk.glance(), desk.ended());
    loop {
        let tick = tokio::select! {
            changed = glance.changed() => match changed {
                Ok(()) => Tick::Glance(Box::new(glance.borrow_and_update().clone())),
                Err(_) => return,
            },
            Some(turn) = ended.recv() => Tick::TurnEnded(turn),
        };
        if ticks.send(tick).await.is_err() {
            return;
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs::File, path::PathBuf};
    use tokio::net::UnixListener;

    const SOON: Duration = Duration::from_secs(20);

    /// A data folder that another Lanyard holds, whose local door takes connections and never answers.
    struct Held {
        _folder: tempfile::TempDir,
        _lock: File,
        door: UnixListener,
        wishes: mpsc::Sender<Wish>,
        stop: watch::Sender<bool>,
        ticks: mpsc::Receiver<Tick>,
    }

    impl Held {
        fn begun() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let paths = Paths::find(Some(folder.path())).unwrap();
            paths.make().unwrap();
            let lock = File::create(PathBuf::from(&paths.data).join("lanyard.lock")).unwrap();
            lock.try_lock().unwrap();
            let door = UnixListener::bind(paths.local_door()).unwrap();
            let (wishes, wished) = mpsc::channel(8);
            let ((tell, ticks), stop) = (mpsc::channel(64), watch::Sender::new(false));
            let keeper =
                Keeper { paths, wishes: wished, stop: stop.subscribe(), ticks: tell, desk: watch::Sender::new(None) };
            tokio::spawn(keeper.run());
            Self { _folder: folder, _lock: lock, door, wishes, stop, ticks }
        }

        async fn next(&mut self) -> House {
            match tokio::time::timeout(SOON, self.ticks.recv()).await {
                Ok(Some(Tick::House(house))) => house,
                other => panic!("{other:?}"),
            }
        }

        async fn until_refused(&mut self) {
            while !matches!(self.next().await, House::Refused(_)) {}
        }
    }

    #[tokio::test]
    async fn a_stop_is_heard_while_another_lanyard_is_waited_for() {
        let mut held = Held::begun();
        held.until_refused().await;
        held.wishes.send(Wish::TakeOver).await.unwrap();
        assert_eq!(held.next().await, House::Starting);
        let _never_answered = held.door.accept().await.unwrap();
        held.stop.send_replace(true);
        assert_eq!(held.next().await, House::Stopped);
    }

    #[tokio::test]
    async fn a_stop_is_heard_however_often_again_was_pressed() {
        let mut held = Held::begun();
        held.until_refused().await;
        while held.wishes.try_send(Wish::Again).is_ok() {}
        held.stop.send_replace(true);
        while held.next().await != House::Stopped {}
    }
}
