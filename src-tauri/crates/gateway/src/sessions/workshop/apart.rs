//! Sandboxes of their own for single sessions, beside the one of all others.

use super::{Inner, SandboxState, Workshop, problem};
use crate::tokens::{Holder, TokenKey};
use domain::{Problem, SandboxId, SessionId};
use egress::Beside;
use sandbox::{
    Attached, Command, Output, SandboxSpec, Volumes, Workspace,
    agent::{AgentLaunch, Session as Conversation},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64},
    },
};
use tokio::sync::watch;

/// Which session works in a sandbox of its own, and in which.
#[derive(Clone, Default)]
pub struct Apart(Arc<Mutex<HashMap<SessionId, Workshop>>>);

impl Apart {
    pub fn of(&self, session: SessionId) -> Option<Workshop> {
        self.table().get(&session).cloned()
    }

    pub fn put(&self, session: SessionId, workshop: Workshop) {
        self.table().insert(session, workshop);
    }

    pub fn take(&self, session: SessionId) -> Option<Workshop> {
        self.table().remove(&session)
    }

    pub fn all(&self) -> Vec<Workshop> {
        self.table().values().cloned().collect()
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, Workshop>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a sandbox is made from in place of the usual base.
#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    pub image: String,
    /// To its own programs; known once the image is there.
    pub path: Option<String>,
}

/// What commands in a sandbox have, beside what every program there has: a token of their own for the door, with what it takes
/// to use it. Worthless when dropped.
pub struct Pass {
    workshop: Workshop,
    key: TokenKey,
    env: Vec<(String, String)>,
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.workshop.0.rooms.tokens.forget(self.key);
    }
}

impl Workshop {
    /// A further sandbox on the same engine, as large as this one, its work in a volume, its agents told `instructions` too.
    /// Nothing is made yet.
    pub fn apart(&self, id: SandboxId, instructions: Option<&str>) -> Workshop {
        let here = &*self.0;
        Workshop(Arc::new(Inner {
            settings: here.settings.clone(),
            spec: SandboxSpec { id, size: here.spec.size, workspace: Workspace::Volume, base: None },
            base: RwLock::default(),
            model: here.model.clone(),
            mode: here.mode,
            instructions: {
                let both: Vec<&str> = here.instructions.as_deref().into_iter().chain(instructions).collect();
                (!both.is_empty()).then(|| both.join("\n\n"))
            },
            retries: here.retries,
            limits: here.limits,
            keep_spare: false,
            rooms: here.rooms.clone(),
            engine: here.engine.clone(),
            left: here.left.clone(),
            spare: Default::default(),
            state: watch::Sender::new(SandboxState::Unknown),
            builds: here.builds.clone(),
            env: Default::default(),
            managers_told: AtomicBool::new(false),
            oom_kills: AtomicU64::new(0),
        }))
    }

    /// What this sandbox may beside the owner's rules, from now on.
    pub fn set_beside(&self, beside: Option<Beside>) {
        self.0.rooms.door.set_beside(self.0.spec.id, beside);
    }

    /// More environment for agents and commands from now on.
    pub fn set_env(&self, env: Vec<(String, String)>) {
        *self.0.env.write().unwrap_or_else(PoisonError::into_inner) = env;
    }

    pub(super) fn base(&self) -> Option<Base> {
        self.0.base.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn found_programs(&self, path: Option<String>) {
        if let Some(base) = self.0.base.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            base.path = path;
        }
    }

    /// When it is made ready next it is made from this image, with the agent put in: what is in it is kept, what runs ends.
    pub fn set_base(&self, image: &str) {
        let base = Base { image: image.to_owned(), path: None };
        *self.0.base.write().unwrap_or_else(PoisonError::into_inner) = Some(base);
    }

    /// For commands that are run as the session's agent would run them.
    pub async fn pass(&self, session: SessionId) -> Pass {
        let (token, key) = self.0.rooms.tokens.mint(self.0.spec.id);
        self.0.rooms.tokens.assign(key, Holder { session: Some(session), turn: None });
        let env = self.environment(&token).await;
        let launch = AgentLaunch { env, ..AgentLaunch::new(Conversation::Start(uuid::Uuid::nil()), token) };
        Pass { workshop: self.clone(), key, env: launch.env() }
    }

    /// Runs a command to its end; none where it was ended because it took too long.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn run(&self, pass: &Pass, command: Command) -> Result<Option<Output>, Problem> {
        let engine = self.ready().await?;
        let own = command.env.clone();
        let command = Command { env: pass.env.iter().cloned().chain(own).collect(), ..command };
        match engine.exec(self.0.spec.id, command).await {
            Ok(output) => Ok(Some(output)),
            Err(sandbox::Error::TimedOut { .. }) => Ok(None),
            Err(e) => Err(problem(&e)),
        }
    }

    /// A program with nothing but its path, whose streams the caller has.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn attach(&self, command: Command) -> Result<Attached, Problem> {
        let engine = self.ready().await?;
        engine.attach(self.0.spec.id, command).await.map_err(|e| problem(&e))
    }

    /// Ends all that runs in it; what is in it stays.
    pub async fn stop(&self) {
        let engine = self.0.engine.lock().await.clone();
        if let Some(engine) = engine
            && let Err(e) = engine.stop(self.0.spec.id).await
        {
            tracing::warn!(sandbox.id = %self.0.spec.id, error = ?e, "a sandbox could not be stopped");
        }
    }

    /// Removes it with all that is in it.
    ///
    /// # Errors
    /// As the engine's: it is there still.
    pub async fn dissolve(&self) -> Result<(), Problem> {
        self.set_beside(None);
        let engine = self.engine().await?;
        engine.remove(self.0.spec.id, Volumes::Delete).await.map_err(|e| problem(&e))
    }
}
