//! Keeps a gateway in this process: builds it, runs it, and builds it again when that is wished. How it fares goes to the
//! controller.

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

/// What is wished of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Start it again after it was refused.
    Again,
    /// End the Lanyard that holds the data folder, then start here.
    TakeOver,
    /// Stop it, for good.
    Stop,
}

/// Another Lanyard has its turns to end: as long as `Gateway::run` takes at most.
const OTHER_STOPS_WITHIN: Duration = Duration::from_secs(65);

pub struct Keeper {
    pub paths: Paths,
    pub wishes: mpsc::Receiver<Wish>,
    pub ticks: mpsc::Sender<Tick>,
    /// What the window and the commands reach; none while nothing runs.
    pub desk: watch::Sender<Option<Desk>>,
}

impl Keeper {
    /// Until it is wished to stop.
    pub async fn run(mut self) {
        let mut takes_over = false;
        loop {
            self.tell(House::Starting).await;
            match self.build(takes_over).await {
                Ok(gateway) => match self.serve(gateway).await {
                    // Somebody stopped it by its local door (`lanyard stop`): the app goes with it.
                    Ok(Ended::Stop) => break,
                    Ok(Ended::Restart) => {
                        takes_over = false;
                        continue;
                    }
                    Err(problem) => self.tell(House::Refused(problem)).await,
                },
                Err(problem) => self.tell(House::Refused(problem)).await,
            }
            takes_over = match self.wishes.recv().await {
                Some(Wish::Again) => false,
                Some(Wish::TakeOver) => true,
                Some(Wish::Stop) | None => break,
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
        let door = LocalDoor::at(&self.paths);
        match door.post("/stop", &serde_json::json!({})).await {
            Ok(_) => {}
            // It is gone already.
            Err(problem) if problem.code == Code::NotRunning => return Ok(()),
            Err(problem) => return Err(problem),
        }
        let gone = async {
            while Gateway::runs_at(&self.paths) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(OTHER_STOPS_WITHIN, gone).await.map_err(|_| Code::AlreadyRunning.into())
    }

    async fn serve(&mut self, gateway: Gateway) -> Result<Ended, Problem> {
        let desk = Desk::of(&gateway.app);
        let telling = tokio::spawn(tell_news(desk.clone(), self.ticks.clone()));
        self.desk.send_replace(Some(desk.clone()));
        self.tell(House::Up).await;
        let mut running = Box::pin(gateway.run());
        let ended = loop {
            tokio::select! {
                ended = &mut running => break ended,
                wish = self.wishes.recv() => match wish {
                    Some(Wish::Again | Wish::TakeOver) => {}
                    Some(Wish::Stop) | None => {
                        desk.stop();
                        break running.await;
                    }
                },
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
