//! One process: started, and waited for until it can take a turn.

use super::{Lease, SandboxState, Wanted, Workshop, git, problem};
use domain::{Problem, agent::AgentFault};
use sandbox::{
    Sandboxes,
    agent::{AgentLaunch, Control, NotReady, Ready, Session as Conversation, path_on},
};
use secrecy::SecretString;
use std::{sync::PoisonError, time::Duration};

/// From the engine's start of a process to its answer. About 0.4 s when all is well; a machine under load takes long.
const READY_WITHIN: Duration = Duration::from_secs(60);

impl Workshop {
    /// Starts a process and waits until it can take a turn. A conversation the agent has forgotten is begun anew.
    pub(super) async fn start(&self, engine: &Sandboxes, wanted: Wanted) -> Result<Lease, Problem> {
        let conversation = match &wanted.resume {
            Some(id) => Conversation::Resume(id.clone()),
            None => Conversation::Start(uuid::Uuid::new_v4()),
        };
        let lease = self.spawn(engine, conversation, &wanted).await?;
        match self.until_ready(&lease.process.control).await {
            Ok(_) => Ok(lease),
            Err(NotReady::Exited { fault: Some(AgentFault::UnknownSession), .. }) if wanted.resume.is_some() => {
                tracing::warn!("a conversation could not be resumed; a new one is begun");
                lease.end(&self.0.rooms.tokens).await;
                Box::pin(self.start(engine, Wanted { resume: None, ..wanted })).await
            }
            Err(e) => {
                lease.end(&self.0.rooms.tokens).await;
                Err(Problem::with_detail(e.code(), super::sentence(&e)))
            }
        }
    }

    /// A sandbox that is paused meanwhile stops the clock: its process is no less ready for that.
    async fn until_ready(&self, control: &Control) -> Result<Ready, NotReady> {
        let mut state = self.watch();
        loop {
            state.mark_unchanged();
            let frozen = self.is_paused();
            match control.ready(READY_WITHIN).await {
                Err(NotReady::TimedOut { .. }) if frozen || state.has_changed().unwrap_or(false) => {}
                answer => return answer,
            }
            let goes_on = state.wait_for(|s| *s != SandboxState::Paused);
            if self.0.rooms.stop.run_until_cancelled(goes_on).await.is_none() {
                return Err(NotReady::TimedOut { after: READY_WITHIN });
            }
        }
    }

    /// Where packages come from, and how git reaches the hosts that the door puts the owner's credentials on requests for.
    pub(super) async fn environment(&self, token: &SecretString) -> Vec<(String, String)> {
        let mut env = self.0.rooms.packages.environment().await;
        let policy = self.0.rooms.door.policy(self.0.spec.id);
        env.extend(git::environment(&policy.credentials, token));
        env.extend(self.base().and_then(|base| base.path).map(|path| ("PATH".to_owned(), path_on(&path))));
        env.extend(self.0.env.read().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        env
    }

    async fn spawn(&self, engine: &Sandboxes, conversation: Conversation, wanted: &Wanted) -> Result<Lease, Problem> {
        let (token, key) = self.0.rooms.tokens.mint(self.0.spec.id);
        let launch = AgentLaunch {
            mode: wanted.mode,
            model: wanted.model.clone().or_else(|| self.0.model.clone()),
            rules: wanted.rules.clone(),
            append_system_prompt: self.0.instructions.clone(),
            retries: self.0.retries,
            limits: self.0.limits,
            env: self.environment(&token).await,
            ..AgentLaunch::new(conversation, token)
        };
        match engine.start_agent(self.0.spec.id, launch).await {
            Ok(process) => Ok(Lease { process, token: key }),
            Err(e) => {
                self.0.rooms.tokens.forget(key);
                Err(problem(&e))
            }
        }
    }
}
