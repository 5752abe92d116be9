//! GitLab, by its REST interface v4.

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

const PAGE: (&str, &str) = ("per_page", "100");
/// The access level from which on one may push: Developer.
const DEVELOPER: u32 = 30;

/// GitLab with one token.
#[derive(Clone, Debug)]
pub struct GitLab(Api);

impl GitLab {
    /// `api`: `https://gitlab.com/api/v4`, or another server's.
    ///
    /// # Errors
    /// If the address or the token can be none.
    pub fn new(api: &Url, token: &SecretString) -> Result<Self, ForgeError> {
        Api::new(api, token, &[("accept", "application/json")]).map(Self)
    }
}

#[derive(Deserialize)]
struct User {
    id: u64,
    username: String,
    name: String,
    commit_email: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    path_with_namespace: String,
    default_branch: Option<String>,
    visibility: Option<String>,
    permissions: Option<Permissions>,
}

#[derive(Deserialize)]
struct Permissions {
    project_access: Option<Access>,
    group_access: Option<Access>,
}

#[derive(Deserialize)]
struct Access {
    access_level: u32,
}

#[derive(Deserialize)]
struct Branch {
    name: String,
}

#[derive(Deserialize)]
struct Merge {
    iid: u64,
    web_url: String,
    source_project_id: Option<u64>,
    target_project_id: Option<u64>,
}

#[derive(Deserialize)]
struct Status {
    name: String,
    status: String,
    description: Option<String>,
    target_url: Option<String>,
    #[serde(default)]
    allow_failure: bool,
}

#[derive(Deserialize)]
struct Note {
    body: String,
    author: Author,
    system: bool,
    position: Option<Position>,
}

#[derive(Deserialize)]
struct Author {
    username: String,
}

#[derive(Deserialize)]
struct Position {
    new_path: Option<String>,
    new_line: Option<u32>,
}

impl From<Project> for Found {
    fn from(p: Project) -> Self {
        let level = |access: Option<Access>| access.map_or(0, |access| access.access_level);
        let may_push = p.permissions.is_none_or(|p| level(p.project_access).max(level(p.group_access)) >= DEVELOPER);
        Found {
            path: p.path_with_namespace,
            default_branch: p.default_branch.unwrap_or_else(|| "main".into()),
            private: p.visibility.as_deref() != Some("public"),
            may_push,
        }
    }
}

impl From<Merge> for PullRequest {
    fn from(merge: Merge) -> Self {
        PullRequest { number: merge.iid, url: merge.web_url, checks: Checks::None }
    }
}

/// `projects/acme%2Fshop`, and more.
fn at(path: &str, rest: &str) -> String {
    format!("projects/{}{rest}", part(path))
}

impl Forge for GitLab {
    fn whoami(&self) -> Answer<'_, Login> {
        Box::pin(async {
            let User { id, username, name, commit_email, email } = self.0.get("user", &[]).await?;
            let email = commit_email.or(email).unwrap_or_else(|| format!("{id}-{username}@users.noreply.gitlab.com"));
            Ok(Login { login: username, name, email })
        })
    }

    fn repositories(&self) -> Answer<'_, Vec<Found>> {
        Box::pin(async {
            let query = [("membership", "true"), ("order_by", "last_activity_at"), PAGE];
            let all: Vec<Project> = self.0.get("projects", &query).await?;
            Ok(all.into_iter().map(Found::from).collect())
        })
    }

    fn repository<'f>(&'f self, path: &'f str) -> Answer<'f, Found> {
        Box::pin(async move { self.0.get::<Project>(&at(path, ""), &[]).await.map(Found::from) })
    }

    fn branches<'f>(&'f self, path: &'f str) -> Answer<'f, Vec<String>> {
        Box::pin(async move {
            let all: Vec<Branch> = self.0.get(&at(path, "/repository/branches"), &[PAGE]).await?;
            Ok(all.into_iter().map(|branch| branch.name).collect())
        })
    }

    fn open<'f>(&'f self, path: &'f str, request: &'f NewRequest) -> Answer<'f, PullRequest> {
        Box::pin(async move {
            let NewRequest { title, body, head, base } = request;
            let known: Vec<Merge> = self
                .0
                .get(
                    &at(path, "/merge_requests"),
                    &[("state", "opened"), ("source_branch", head), ("target_branch", base)],
                )
                .await?;
            // A fork's branch may have the same name.
            let ours = known.iter().find(|merge| merge.source_project_id == merge.target_project_id);
            let (method, path, words) = match ours {
                Some(merge) => {
                    let words = json!({ "title": title, "description": body });
                    (Method::PUT, at(path, &format!("/merge_requests/{}", merge.iid)), words)
                }
                None => {
                    let words =
                        json!({ "title": title, "description": body, "source_branch": head, "target_branch": base });
                    (Method::POST, at(path, "/merge_requests"), words)
                }
            };
            self.0.send::<Merge>(method, &path, &words).await.map(PullRequest::from)
        })
    }

    fn checks<'f>(&'f self, path: &'f str, commit: &'f str) -> Answer<'f, CheckState> {
        Box::pin(async move {
            let path = at(path, &format!("/repository/commits/{}/statuses", part(commit)));
            let all: Vec<Status> = self.0.get(&path, &[PAGE]).await?;
            Ok(state(all))
        })
    }

    fn comments<'f>(&'f self, path: &'f str, number: u64) -> Answer<'f, Vec<Comment>> {
        Box::pin(async move {
            let query = [("sort", "asc"), ("order_by", "created_at"), PAGE];
            let all: Vec<Note> = self.0.get(&at(path, &format!("/merge_requests/{number}/notes")), &query).await?;
            let comment = |note: Note| {
                let about = note.position.and_then(|p| Some((p.new_path?, p.new_line)));
                Comment { author: note.author.username, text: note.body, about }
            };
            Ok(all.into_iter().filter(|note| !note.system && !note.body.trim().is_empty()).map(comment).collect())
        })
    }
}

fn state(all: Vec<Status>) -> CheckState {
    let any = !all.is_empty();
    let running =
        all.iter().any(|s| !matches!(s.status.as_str(), "success" | "failed" | "canceled" | "skipped" | "manual"));
    let failed: Vec<FailedCheck> = all
        .into_iter()
        .filter(|status| !status.allow_failure && matches!(status.status.as_str(), "failed" | "canceled"))
        .map(|s| FailedCheck { name: s.name, summary: s.description.unwrap_or_default(), url: s.target_url })
        .collect();
    let checks = match (any, failed.is_empty(), running) {
        (false, ..) => Checks::None,
        (true, false, _) => Checks::Failed,
        (true, true, true) => Checks::Running,
        (true, true, false) => Checks::Passed,
    };
    CheckState { checks, failed }
}
