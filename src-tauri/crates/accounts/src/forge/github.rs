//! GitHub, by its REST interface of 2022-11-28.

use super::{
    Answer, CheckState, Comment, FailedCheck, Forge, ForgeError, Found, Login, NewRequest,
    transport::{Api, part},
};
use crate::SecretString;
use domain::task::{Checks, PullRequest};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use url::Url;

const OWN: &[(&str, &str)] = &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];
const PAGE: (&str, &str) = ("per_page", "100");

/// GitHub, or a GitHub Enterprise server, with one token.
#[derive(Clone, Debug)]
pub struct GitHub(Api);

impl GitHub {
    /// `api`: `https://api.github.com`, an Enterprise server's `https://HOST/api/v3`, or a stand-in.
    ///
    /// # Errors
    /// If the address or the token can be none.
    pub fn new(api: &Url, token: &SecretString) -> Result<Self, ForgeError> {
        Api::new(api, token, OWN).map(Self)
    }
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
    default_branch: String,
    private: bool,
    permissions: Option<Permissions>,
}

#[derive(Deserialize)]
struct Permissions {
    #[serde(default)]
    push: bool,
}

#[derive(Deserialize)]
struct Branch {
    name: String,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    html_url: String,
}

#[derive(Deserialize)]
struct CheckRuns {
    check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
struct CheckRun {
    name: String,
    status: String,
    conclusion: Option<String>,
    html_url: Option<String>,
    output: Option<CheckOutput>,
}

#[derive(Deserialize)]
struct CheckOutput {
    title: Option<String>,
    summary: Option<String>,
}

/// The older kind of check: what other services say of a commit.
#[derive(Deserialize)]
struct Combined {
    state: String,
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    state: String,
    context: String,
    description: Option<String>,
    target_url: Option<String>,
}

#[derive(Deserialize)]
struct Note {
    user: Option<Author>,
    body: Option<String>,
    path: Option<String>,
    line: Option<u32>,
    created_at: Option<String>,
    submitted_at: Option<String>,
}

#[derive(Deserialize)]
struct Author {
    login: String,
}

impl From<Repository> for Found {
    fn from(r: Repository) -> Self {
        let may_push = r.permissions.is_none_or(|p| p.push);
        Found { path: r.full_name, default_branch: r.default_branch, private: r.private, may_push }
    }
}

impl From<Pull> for PullRequest {
    fn from(pull: Pull) -> Self {
        PullRequest { number: pull.number, url: pull.html_url, checks: Checks::None }
    }
}

/// `repos/acme/shop`, and more.
fn at(path: &str, rest: &str) -> String {
    let path: Vec<String> = path.split('/').map(part).collect();
    format!("repos/{}{rest}", path.join("/"))
}

impl Forge for GitHub {
    fn whoami(&self) -> Answer<'_, Login> {
        Box::pin(async {
            let User { id, login, name, email } = self.0.get("user", &[]).await?;
            let email = email.unwrap_or_else(|| format!("{id}+{login}@users.noreply.github.com"));
            Ok(Login { name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| login.clone()), login, email })
        })
    }

    fn repositories(&self) -> Answer<'_, Vec<Found>> {
        Box::pin(async {
            let all: Vec<Repository> = self.0.get("user/repos", &[("sort", "pushed"), PAGE]).await?;
            Ok(all.into_iter().map(Found::from).collect())
        })
    }

    fn repository<'f>(&'f self, path: &'f str) -> Answer<'f, Found> {
        Box::pin(async move { self.0.get::<Repository>(&at(path, ""), &[]).await.map(Found::from) })
    }

    fn branches<'f>(&'f self, path: &'f str) -> Answer<'f, Vec<String>> {
        Box::pin(async move {
            let all: Vec<Branch> = self.0.get(&at(path, "/branches"), &[PAGE]).await?;
            Ok(all.into_iter().map(|branch| branch.name).collect())
        })
    }

    fn open<'f>(&'f self, path: &'f str, request: &'f NewRequest) -> Answer<'f, PullRequest> {
        Box::pin(async move {
            let NewRequest { title, body, head, base } = request;
            let owner = path.split('/').next().unwrap_or_default();
            let known: Vec<Pull> = self
                .0
                .get(&at(path, "/pulls"), &[("state", "open"), ("base", base), ("head", &format!("{owner}:{head}"))])
                .await?;
            let (method, path, words) = match known.first() {
                Some(pull) => {
                    let words = json!({ "title": title, "body": body });
                    (Method::PATCH, at(path, &format!("/pulls/{}", pull.number)), words)
                }
                None => {
                    let words = json!({ "title": title, "body": body, "head": head, "base": base });
                    (Method::POST, at(path, "/pulls"), words)
                }
            };
            self.0.send::<Pull>(method, &path, &words).await.map(PullRequest::from)
        })
    }

    fn checks<'f>(&'f self, path: &'f str, commit: &'f str) -> Answer<'f, CheckState> {
        Box::pin(async move {
            let commit = part(commit);
            let runs: CheckRuns = self.0.get(&at(path, &format!("/commits/{commit}/check-runs")), &[PAGE]).await?;
            let combined: Combined = self.0.get(&at(path, &format!("/commits/{commit}/status")), &[PAGE]).await?;
            Ok(state(runs.check_runs, combined))
        })
    }

    fn comments<'f>(&'f self, path: &'f str, number: u64) -> Answer<'f, Vec<Comment>> {
        Box::pin(async move {
            let mut all: Vec<Note> = Vec::new();
            for kind in ["pulls/{n}/reviews", "pulls/{n}/comments", "issues/{n}/comments"] {
                let kind = kind.replace("{n}", &number.to_string());
                all.extend(self.0.get::<Vec<Note>>(&at(path, &format!("/{kind}")), &[PAGE]).await?);
            }
            // Times as text of one form and zone: their order is that of the text.
            all.sort_by(|a, b| a.at().cmp(&b.at()));
            Ok(all.into_iter().filter_map(Note::comment).collect())
        })
    }
}

impl Note {
    fn at(&self) -> Option<&str> {
        self.created_at.as_deref().or(self.submitted_at.as_deref())
    }

    /// A review without words says nothing.
    fn comment(self) -> Option<Comment> {
        let text = self.body.filter(|body| !body.trim().is_empty())?;
        let about = self.path.map(|path| (path, self.line));
        Some(Comment { author: self.user.map(|user| user.login).unwrap_or_default(), text, about })
    }
}

/// One that failed is a failure though others run; `neutral` and `skipped` are none.
fn state(runs: Vec<CheckRun>, combined: Combined) -> CheckState {
    let fails = |run: &CheckRun| {
        matches!(run.conclusion.as_deref(), Some("failure" | "timed_out" | "cancelled" | "action_required"))
    };
    let running = runs.iter().any(|run| run.status != "completed")
        || (combined.state == "pending" && !combined.statuses.is_empty());
    let any = !runs.is_empty() || !combined.statuses.is_empty();
    let of_runs = runs.into_iter().filter(fails).map(|run| {
        let said = run.output.map(|o| [o.title, o.summary].into_iter().flatten().collect::<Vec<_>>().join("\n"));
        FailedCheck { name: run.name, summary: said.unwrap_or_default(), url: run.html_url }
    });
    let of_others = combined.statuses.into_iter().filter(|status| matches!(status.state.as_str(), "failure" | "error"));
    let of_others = of_others.map(|status| FailedCheck {
        name: status.context,
        summary: status.description.unwrap_or_default(),
        url: status.target_url,
    });
    let failed: Vec<FailedCheck> = of_runs.chain(of_others).collect();
    let checks = match (any, failed.is_empty(), running) {
        (false, ..) => Checks::None,
        (true, false, _) => Checks::Failed,
        (true, true, true) => Checks::Running,
        (true, true, false) => Checks::Passed,
    };
    CheckState { checks, failed }
}
