//! What must be asked of the engine and of the keychain, which both may take long: the last that was seen is shown, and a
//! look that has grown old is followed by the next, one at a time.

use crate::{gateway::App, secrets::accounts, wire::desk::AccountShown};
use ::accounts::keychain::Account;
use domain::{Code, Problem};
use sandbox::ImageState;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::timeout};

/// A look is good for so long.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// The engine is given so long to answer; one that is well takes milliseconds.
const ENGINE: Duration = Duration::from_secs(10);
/// Who asks while a look is under way waits this long for it.
const WORTH_WAITING: Duration = Duration::from_millis(30);

/// What was seen; nothing yet where it is None.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The engine's version.
    pub engine: Option<Result<String, Problem>>,
    pub image: Option<Result<ImageState, Problem>>,
    pub key: Option<AccountShown>,
    at: Option<Instant>,
}

#[derive(Default)]
pub struct Looks {
    seen: watch::Sender<Seen>,
    looking: Arc<AtomicBool>,
}

impl Looks {
    /// The last that was seen. Where that is old the next look begins, and is waited for as long as nobody notices.
    pub async fn now(&self, app: &App) -> Seen {
        let mut seen = self.seen.subscribe();
        if self.seen.borrow().at.is_none_or(|at| at.elapsed() > GOOD_FOR) {
            begin(app);
            let _the_last_then = timeout(WORTH_WAITING, seen.changed()).await;
        }
        self.seen.borrow().clone()
    }

    /// How the key is known to be.
    pub fn take_key(&self, key: AccountShown) {
        self.seen.send_modify(|seen| seen.key = Some(key));
    }

    /// Something was changed: the next who asks has it looked at anew.
    pub fn forget(&self) {
        self.seen.send_if_modified(|seen| {
            seen.at = None;
            false
        });
    }
}

/// Looks now, if nobody does already.
fn begin(app: &App) {
    if !app.looks.looking.swap(true, Ordering::AcqRel) {
        let app = app.clone();
        app.tasks.clone().spawn(async move {
            refresh(&app).await;
            app.looks.looking.store(false, Ordering::Release);
        });
    }
}

/// Looks, and comes back when everything was seen.
pub async fn refresh(app: &App) {
    let engine = async {
        let info = app.workshop.engine_info().await?;
        Ok((info.version, app.workshop.image_state().await))
    };
    let silent = || Problem::with_detail(Code::NoEngine, "It took the question and did not answer.");
    let engine = async { timeout(ENGINE, engine).await.unwrap_or_else(|_| Err(silent())) };
    let (engine, key) = tokio::join!(engine, accounts::shown(app, Account::Anthropic));
    let (engine, image) = match engine {
        Ok((version, image)) => (Ok(version), Some(image)),
        Err(problem) => (Err(problem), None),
    };
    app.looks.seen.send_replace(Seen { engine: Some(engine), image, key: Some(key), at: Some(Instant::now()) });
}
