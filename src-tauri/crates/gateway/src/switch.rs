//! The switch of a way in (the tunnel, the local network's door), and what keeps the way as the owner wants it.

use crate::{
    doors::{self, Way, serving::Arrivals},
    gateway::App,
};
use domain::Problem;
use std::{future::Future, time::Duration};
use store::{Store, facts};
use tokio::sync::watch;
use tunnel::Visitors;

/// What the owner wants of a way in. It outlives a restart.
pub struct Switch {
    /// Where it is written down.
    fact: &'static str,
    /// Sent at every turn, to where it stands already too: that means try again now.
    wanted: watch::Sender<Wanted>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Wanted {
    on: bool,
    /// What was opened under another number is to be opened anew.
    opening: u64,
}

const ON: &str = "on";
const OFF: &str = "off";

impl Switch {
    /// As the owner left it; `first` if it was never turned.
    ///
    /// # Errors
    /// As the store's.
    pub async fn open(store: &Store, fact: &'static str, first: bool) -> store::Result<Self> {
        let kept = store.read(move |r| facts::get(r, fact)).await?;
        Ok(Self { fact, wanted: watch::Sender::new(Wanted { on: kept.map_or(first, |kept| kept == ON), opening: 0 }) })
    }

    pub fn is_on(&self) -> bool {
        self.wanted.borrow().on
    }

    /// Turns it from now on. Turning on what is on tries again at once.
    pub fn turn(&self, on: bool) {
        self.wanted.send_modify(|wanted| wanted.on = on);
    }

    /// What it was opened with is not right any more: while it is on, it is closed and opened anew.
    pub fn open_anew(&self) {
        self.wanted.send_modify(|wanted| wanted.opening += 1);
    }

    /// Writes it down, then turns it.
    ///
    /// # Errors
    /// As the store's.
    pub async fn keep(&self, store: &Store, on: bool) -> store::Result<()> {
        let fact = self.fact;
        store.write(move |tx| facts::set(tx, fact, if on { ON } else { OFF })).await?;
        self.turn(on);
        Ok(())
    }
}

/// For what stands open to be taken back outside.
pub const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// A way in that a switch opens and shuts.
pub trait WayIn: 'static {
    const WAY: Way;
    type Door: Send + Sync;
    type Status: Clone + Send + Sync;

    fn switch(app: &App) -> &Switch;

    /// It is off.
    fn shut(app: &App);

    /// It is going to be opened.
    fn opening(app: &App);

    /// # Errors
    /// Why it cannot be opened as things are.
    fn open(app: &App) -> impl Future<Output = Result<(Self::Door, Visitors), Problem>> + Send;

    /// It could not be opened. Gives when that may have passed by itself; None if the owner has to turn the switch again.
    fn refused(app: &App, why: Problem) -> Option<Duration>;

    /// How an open door stands, and all that becomes of it.
    fn status(door: &Self::Door) -> watch::Receiver<Self::Status>;

    fn take(app: &App, status: Self::Status);

    /// The switch was turned on though it was on.
    fn try_now(door: &Self::Door);

    /// Within [`CLOSE_WITHIN`].
    fn close(door: Self::Door) -> impl Future<Output = Result<(), tunnel::Error>> + Send;
}

/// Keeps it as the owner wants it, until Lanyard stops.
pub async fn run<W: WayIn>(app: App) {
    let mut wanted = W::switch(&app).wanted.subscribe();
    while !app.stop.is_cancelled() {
        // What is turned from here on is seen by whoever waits below, once.
        let wish = *wanted.borrow_and_update();
        if !wish.on {
            W::shut(&app);
            turned(&app, &mut wanted, None).await;
            continue;
        }
        W::opening(&app);
        match W::open(&app).await {
            Ok((door, visitors)) => keep_open::<W>(&app, door, visitors, wish, &mut wanted).await,
            Err(why) => {
                let again = W::refused(&app, why);
                turned(&app, &mut wanted, again).await;
            }
        }
    }
}

/// Waits until the switch is turned, or until it is time to try `again`.
async fn turned(app: &App, wanted: &mut watch::Receiver<Wanted>, again: Option<Duration>) {
    tokio::select! {
        () = app.stop.cancelled() => {}
        _ = wanted.changed() => {}
        () = tokio::time::sleep(again.unwrap_or_default()), if again.is_some() => {}
    }
}

/// Serves the public door through it until it is switched off or ends.
async fn keep_open<W: WayIn>(
    app: &App,
    door: W::Door,
    visitors: Visitors,
    opened: Wanted,
    wanted: &mut watch::Receiver<Wanted>,
) {
    let ends = app.stop.child_token();
    let router = doors::public::router(app.clone(), W::WAY);
    let serving = app.tasks.spawn(doors::serving::serve(Arrivals(visitors), router, ends.clone()));
    let mut status = W::status(&door);
    loop {
        let now = status.borrow_and_update().clone();
        W::take(app, now);
        tokio::select! {
            () = app.stop.cancelled() => break,
            _ = wanted.changed() => match *wanted.borrow_and_update() == opened {
                true => W::try_now(&door),
                false => break,
            },
            changed = status.changed() => if changed.is_err() { break },
        }
    }
    // Answers in flight are finished before what lasts is cut.
    ends.cancel();
    let _it_ends_by_its_token = serving.await;
    if let Err(e) = W::close(door).await {
        tracing::warn!(way = ?W::WAY, error = %e, "a way in did not close in time");
    }
}
