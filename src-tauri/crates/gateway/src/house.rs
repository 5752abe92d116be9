//! What the egress door asks: whose token is this, may it spend, with which key; and what it tells: what was spent, what was
//! reached. The only place where a real key meets a request is inside the door.

pub mod ceilings;
mod notes;

use crate::{
    clock,
    config::Resolved,
    gateway::{App, WeakApp},
    hosts, parking, pushes,
    secrets::{Secrets, signers::Signers},
    settings::Rules,
    tokens::{Holder, Tokens},
};
use accounts::keychain::{Account, KeychainError};
use domain::{Code, Problem, SandboxId, Timestamp};
use egress::{
    Admission, Carried, Credential, CredentialSource, Decision, Door, HostAsk, Left, Payer, PushAsk, Settings, Spend,
    Window,
};
use futures::future::BoxFuture;
use notes::Notes;
use secrecy::SecretString;
use std::sync::{self, Arc, OnceLock, PoisonError};
use store::{
    Store,
    reached::Reached,
    sessions,
    usage::{self, Spent},
};
use tokio::sync::{Mutex, watch};

/// Tries to write down what could not be written at once, before the next request that wants to spend tries again.
const TRIES: u32 = 30;
/// No connection waits longer for an answer, whatever the config says.
const LONGEST_ASK: std::time::Duration = std::time::Duration::from_secs(3600);

#[derive(Clone)]
pub struct House {
    store: Store,
    secrets: Secrets,
    signers: Signers,
    tokens: Tokens,
    rules: watch::Receiver<Rules>,
    notes: Notes,
    /// What was spent and could not be written down yet. While there is some, nothing more may be spent.
    unwritten: Arc<Mutex<Vec<(Spent, Timestamp)>>>,
    /// How far a subscription's windows are used, as the last answer said; empty for a key, and until one has said it.
    windows: Arc<sync::Mutex<Vec<Window>>>,
    /// The gateway that asks the owner; none before it is built.
    app: Arc<OnceLock<WeakApp>>,
}

impl House {
    pub fn new(store: Store, secrets: Secrets, tokens: Tokens, rules: watch::Receiver<Rules>) -> Self {
        let notes = Notes::new(store.clone());
        Self {
            store,
            secrets,
            signers: Signers::default(),
            tokens,
            rules,
            notes,
            unwritten: Arc::default(),
            windows: Arc::default(),
            app: Arc::default(),
        }
    }

    /// From now on the owner can be asked.
    pub fn moves_in(&self, app: &App) {
        let _the_same_one = self.app.set(app.downgrade());
    }

    /// What was reached is on disk, as far as the disk takes it.
    pub async fn settle(&self) {
        self.notes.settle().await;
    }

    /// How far a subscription's windows are used, as the last answer of the model said. Those that have ended since are left out.
    pub fn windows(&self) -> Vec<Window> {
        let now = clock::now();
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.iter().copied().filter(|window| window.resets_at.is_none_or(|at| now < at)).collect()
    }

    /// The door as the config wants it, with this house behind it.
    pub fn door(&self, config: &Resolved) -> Result<Door, Problem> {
        let settings = Settings {
            policy: config.egress.clone(),
            // The house itself lets no connection wait for longer than the owner set.
            ask_timeout: LONGEST_ASK,
            ..Settings::new(config.model_base.clone())
        };
        Door::new(settings, Arc::new(self.clone())).map_err(|e| Problem::with_detail(e.code(), e))
    }

    async fn admission(&self, payer: Payer) -> Result<Admission, Problem> {
        self.catch_up().await?;
        let left = self.left(payer).await?;
        let key = self.secrets.get(Account::Anthropic).await.map_err(|e| key_problem(&e))?;
        Ok(Admission { key: credential(key), left })
    }

    /// What the ceilings leave. Of one that is reached the owner is asked for more.
    async fn left(&self, payer: Payer) -> Result<Left, Problem> {
        let caps = self.rules.borrow().caps;
        let read = self.store.read(move |r| ceilings::stands(r, payer, &caps)).await;
        let stands = read.map_err(crate::approvals::internal)?;
        let (left, over) = ceilings::left(&stands);
        let Some(over) = over else { return Ok(left) };
        if let Some(app) = self.app()
            && let Err(e) = ceilings::ask(&app, payer, over).await
        {
            tracing::error!(error = ?e, "the owner could not be asked for more");
        }
        Err(ceilings::reached(over))
    }

    fn app(&self) -> Option<App> {
        self.app.get().and_then(WeakApp::upgrade)
    }

    /// Tells of a ceiling that is near; waited for by nobody.
    fn warn_soon(&self, payer: Payer) {
        let Some(app) = self.app() else { return };
        let tasks = app.tasks.clone();
        tasks.spawn(async move {
            if let Err(e) = ceilings::warn(&app, payer).await {
                tracing::error!(error = ?e, "the owner could not be told of a ceiling");
            }
        });
    }

    async fn record(&self, spend: Spend) {
        let spent = Spent {
            session: spend.payer.session,
            turn: spend.payer.turn,
            model: spend.model,
            tokens: spend.tokens,
            cost: spend.cost,
            priced: spend.priced,
            status: spend.status,
        };
        let at = clock::now();
        let row = spent.clone();
        let Err(e) = self.store.write(move |tx| usage::record(tx, &row, at)).await else { return };
        tracing::error!(error = ?e, "what was spent could not be written down: nothing more is spent until it is");
        self.unwritten.lock().await.push((spent, at));
        for _ in 0..TRIES {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            if self.catch_up().await.is_ok() {
                return;
            }
        }
    }

    /// Writes down what could not be written before, or refuses to spend more.
    async fn catch_up(&self) -> Result<(), Problem> {
        let mut unwritten = self.unwritten.lock().await;
        while let Some((spent, at)) = unwritten.last().cloned() {
            let written = self.store.write(move |tx| usage::record(tx, &spent, at)).await;
            written.map_err(crate::approvals::internal)?;
            unwritten.pop();
        }
        Ok(())
    }
}

fn key_problem(e: &KeychainError) -> Problem {
    tracing::error!(error = ?e, "the Anthropic key could not be read");
    e.problem(Account::Anthropic)
}

/// A subscription's token goes as a bearer token, a key as a key.
fn credential(secret: SecretString) -> Credential {
    match accounts::anthropic::is_subscription(&secret) {
        true => Credential::Bearer(secret),
        false => Credential::ApiKey(secret),
    }
}

impl From<Holder> for Payer {
    fn from(holder: Holder) -> Self {
        Payer { session: holder.session, turn: holder.turn }
    }
}

impl egress::House for House {
    fn who(&self, sandbox: SandboxId, token: &str) -> BoxFuture<'_, Result<Payer, Problem>> {
        let holder = self.tokens.holder(sandbox, token);
        Box::pin(async move {
            // Also of a sandbox that could not be paused.
            self.app().map_or(Ok(()), |app| app.lock.check())?;
            holder.map(Payer::from).ok_or_else(|| Code::BadSandboxToken.into())
        })
    }

    fn windows(&self, windows: Vec<Window>) {
        *self.windows.lock().unwrap_or_else(PoisonError::into_inner) = windows;
    }

    fn admit_model(&self, _sandbox: SandboxId, payer: Payer) -> BoxFuture<'_, Result<Admission, Problem>> {
        Box::pin(self.admission(payer))
    }

    fn spent(&self, _sandbox: SandboxId, spend: Spend) -> BoxFuture<'_, ()> {
        // A task of its own: the door stops waiting after a while, and what was spent is never forgotten.
        let (house, payer) = (self.clone(), spend.payer);
        let recording = tokio::spawn(async move {
            house.record(spend).await;
            house.warn_soon(payer);
        });
        Box::pin(async move {
            if let Err(error) = recording.await {
                tracing::error!(%error, "what was spent could not be recorded");
            }
        })
    }

    fn limited(&self, payer: Payer, until: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(app) = self.app() else { return };
            if let Err(e) = parking::park(&app, payer, until).await {
                tracing::error!(error = ?e, "a session that met a limit could not be parked");
            }
        })
    }

    fn lets_out(&self, host: &str, port: u16) -> BoxFuture<'_, Option<bool>> {
        let (host, packages) = (host.to_owned(), self.rules.borrow().packages);
        Box::pin(async move {
            let app = self.app().filter(|_| packages)?;
            app.packages.has(&app.workshop, &host, port).await
        })
    }

    fn admit_host(&self, ask: HostAsk) -> BoxFuture<'_, Result<(), Problem>> {
        let patience = self.rules.borrow().host_patience;
        Box::pin(async move {
            match self.app() {
                Some(app) => hosts::admit(&app, ask, patience).await,
                None => Err(hosts::not_listed(&ask.host, ask.port)),
            }
        })
    }

    fn credential(&self, source: &CredentialSource) -> BoxFuture<'_, Result<SecretString, Problem>> {
        let source = source.clone();
        Box::pin(async move { self.signers.of(&self.secrets, &source).await })
    }

    fn admit_push(&self, ask: PushAsk) -> BoxFuture<'_, Result<(), Problem>> {
        let (protected, patience) = {
            let rules = self.rules.borrow();
            (rules.protected.clone(), rules.host_patience)
        };
        Box::pin(async move {
            match self.app() {
                Some(app) => pushes::admit(&app, ask, &protected, patience).await,
                None => Err(Code::PushBlocked.into()),
            }
        })
    }

    fn agent(&self, payer: Payer) -> BoxFuture<'_, Option<String>> {
        Box::pin(async move {
            let session = payer.session?;
            let found = self.store.read(move |r| sessions::get(r, session)).await;
            found.ok().flatten().map(|session| session.agent)
        })
    }

    fn decided(&self, decision: Decision) {
        let row = Reached {
            session: decision.payer.session,
            host: decision.host,
            port: decision.port,
            allowed: decision.refused.is_none(),
            why: decision.refused.map_or_else(|| "allowed".into(), |p| p.code.to_string()),
            bytes_in: 0,
            bytes_out: 0,
        };
        self.notes.decided(decision.id.to_string(), row);
    }

    fn carried(&self, carried: Carried) {
        self.notes.carried(carried.id.to_string(), carried.received, carried.sent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Caps, Each};
    use domain::usage::MicroDollars;
    use egress::House as _;
    use std::time::Duration;

    const NO_MORE: &str =
        "CREATE TRIGGER full BEFORE INSERT ON usage BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";

    fn house(store: Store, folder: &std::path::Path) -> House {
        let file = folder.join("secrets.toml");
        std::fs::write(&file, "anthropic = \"sk-ant-x\"\n").unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let cap = MicroDollars(1_000);
        let dollars = Each { turn: cap, session: cap, day: cap, month: cap };
        let caps = Caps { dollars, tokens: Each::default(), warn_percent: 80 };
        let grants = domain::approval::GrantPolicy { sms: None, lock_screen: None, pin: None };
        let rules = Rules {
            caps,
            grants,
            tiers: Arc::default(),
            approvers: Arc::default(),
            host_patience: None,
            packages: false,
            protected: Arc::default(),
        };
        House::new(store, Secrets::kept_in(file), Tokens::default(), watch::Sender::new(rules).subscribe())
    }

    async fn run(store: &Store, sql: &'static str) {
        store.write(move |tx| Ok(store::Rows::conn(tx).execute_batch(sql)?)).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_spent_while_nothing_could_be_written_is_counted_and_nothing_is_spent_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanyard.db")).unwrap();
        let (house, sandbox) = (house(store.clone(), folder.path()), SandboxId::new());
        house.admit_model(sandbox, Payer::default()).await.unwrap();
        run(&store, NO_MORE).await;
        let spend = Spend {
            payer: Payer::default(),
            model: "claude".into(),
            tokens: domain::usage::Tokens::default(),
            cost: MicroDollars(1_000),
            priced: true,
            request_id: None,
            status: 200,
            streamed: true,
            complete: true,
            started: Timestamp(0),
            first_byte_ms: None,
            duration_ms: 1,
        };
        // The door waits no longer than this.
        let waited = tokio::time::timeout(Duration::from_millis(50), house.spent(sandbox, spend)).await;
        assert!(waited.is_err(), "it is not on disk");
        let refused = house.admit_model(sandbox, Payer::default()).await.unwrap_err();
        assert_ne!(refused.code, Code::SpendCap, "{refused:?}");
        run(&store, "DROP TRIGGER full").await;
        let refused = house.admit_model(sandbox, Payer::default()).await.unwrap_err();
        assert_eq!(refused.code, Code::SpendCap, "{refused:?}");
        assert_eq!(store.read(|r| usage::since(r, Timestamp(0))).await.unwrap().cost, MicroDollars(1_000), "once");
    }
}
