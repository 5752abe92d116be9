//! The forge that a repository is at, with the owner's token.

use crate::{
    config::{ForgeKind, ForgeSettings},
    gateway::App,
    secrets::signers::Signers,
};
use accounts::forge::{Forge, ForgeError, GitHub, GitLab};
use backon::{ExponentialBuilder, Retryable};
use domain::{Code, Problem, task::Repository};
use egress::{Beside, CredentialRule, CredentialSource};
use std::time::Duration;

/// Until the first further try; doubled for each after it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const TRIES: usize = 4;

/// Tokens that commands printed, kept for a while.
#[derive(Clone, Default)]
pub struct Forges(Signers);

/// The forge of a repository, and how it is reached; none where the owner has no token for it.
pub async fn forge_of(app: &App, repository: &Repository) -> Result<Option<Box<dyn Forge>>, Problem> {
    let Some(settings) = app.config.tasks.forge(repository) else { return Ok(None) };
    let token = match app.forges.0.of(&app.secrets, &settings.token).await {
        Ok(token) => token,
        Err(problem) if problem.code == Code::NoKey => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let forge: Result<Box<dyn Forge>, ForgeError> = match settings.kind {
        ForgeKind::GitHub => GitHub::new(&settings.api, &token).map(|forge| Box::new(forge) as _),
        ForgeKind::GitLab => GitLab::new(&settings.api, &token).map(|forge| Box::new(forge) as _),
    };
    forge.map(Some).map_err(|e| problem(&e))
}

pub fn problem(e: &ForgeError) -> Problem {
    tracing::warn!(error = ?e, "a forge did not do what it was asked");
    Problem::with_detail(e.code(), format!("{}.", sentence(&e.to_string())))
}

/// Tried again where the forge, or the way to it, is away for a moment.
pub async fn tried<T, F: Future<Output = Result<T, ForgeError>>>(call: impl FnMut() -> F) -> Result<T, Problem> {
    let tries = ExponentialBuilder::default().with_min_delay(FIRST_WAIT).with_max_times(TRIES);
    call.retry(tries).when(ForgeError::retryable).await.map_err(|e| problem(&e))
}

fn sentence(words: &str) -> String {
    let first = words.chars().next().map_or(0, char::len_utf8);
    format!("{}{}", words[..first].to_uppercase(), &words[first..])
}

/// What the sandbox of a task may reach beside the owner's rules: its repository, with the owner's token put on outside.
pub fn beside(settings: Option<&ForgeSettings>, repository: &Repository) -> Result<Beside, Problem> {
    let broken = |e: egress::BadRule| Problem::with_detail(Code::ConfigInvalid, format!("tasks.forges: {e}."));
    let allow = vec![repository.host.parse().map_err(broken)?];
    let credentials = match settings {
        Some(settings) => rules(settings, repository).map_err(broken)?,
        None => Vec::new(),
    };
    Ok(Beside { allow, credentials })
}

/// With and without `.git`: git takes both for one repository.
fn rules(settings: &ForgeSettings, repository: &Repository) -> Result<Vec<CredentialRule>, egress::BadRule> {
    let source = match &settings.token {
        CredentialSource::Secret(name) => format!("secret={name}"),
        CredentialSource::Command(line) => format!("command={line}"),
    };
    let user = settings.kind.git_user();
    let Repository { host, path } = repository;
    [".git", ""].iter().map(|end| format!("{host}/{path}{end} basic={user} {source}").parse()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Resolved, parse};

    #[test]
    fn the_token_is_for_the_tasks_repository_and_for_no_other() {
        let config = Resolved::new(parse("").unwrap()).unwrap();
        let repository: Repository = "acme/shop".parse().unwrap();
        let beside = beside(config.tasks.forge(&repository), &repository).unwrap();
        let written: Vec<String> = beside.credentials.iter().map(ToString::to_string).collect();
        let rule = |path: &str| format!("github.com/acme/{path} basic=x-access-token secret=github");
        assert_eq!(written, [rule("shop.git"), rule("shop")]);
        let elsewhere: Repository = "git.example:8443/a/b".parse().unwrap();
        let beside = super::beside(None, &elsewhere).unwrap();
        assert!(beside.credentials.is_empty() && beside.allow.len() == 1);
    }
}
