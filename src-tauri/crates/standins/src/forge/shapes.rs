//! GitHub's resources as JSON: every field that its published description requires, and none that it does not know.

use super::{
    bare::Bare,
    world::{Check, Kind, LOGIN, Opened, Outcome, Pull, Remark, moment},
};
use serde_json::{Value, json};

/// Of the account and of all it has.
const SINCE: &str = "2025-06-01T00:00:00Z";

/// Addresses below a user's own.
const OF_USER: &[(&str, &str)] = &[
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

/// Addresses below a repository's own.
const OF_REPOSITORY: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// A number for a name, always the same.
pub(super) fn id(name: &str) -> u64 {
    name.bytes().fold(7, |id, byte| (id * 31 + u64::from(byte)) % 1_000_003)
}

fn below(at: &str, addresses: &[(&str, &str)]) -> Value {
    addresses.iter().map(|(name, rest)| (*name, format!("{at}{rest}"))).collect()
}

/// All fields of all these objects.
fn joined(parts: impl IntoIterator<Item = Value>) -> Value {
    let fields = |part| match part {
        Value::Object(fields) => Some(fields),
        _ => None,
    };
    parts.into_iter().filter_map(fields).flatten().collect()
}

/// `simple-user`.
fn user(url: &str, login: &str) -> Value {
    let (at, id) = (format!("{url}/users/{login}"), id(login));
    let own = json!({
        "login": login,
        "id": id,
        "node_id": format!("U_{id}"),
        "avatar_url": format!("{url}/avatars/{id}"),
        "gravatar_id": "",
        "url": at,
        "html_url": format!("{url}/{login}"),
        "type": "User",
        "user_view_type": "public",
        "site_admin": false,
    });
    joined([own, below(&at, OF_USER)])
}

/// `private-user`: whose token it is.
pub(super) fn me(url: &str) -> Value {
    let shown = json!({
        "user_view_type": "private",
        "name": "Mona Lisa",
        "company": null,
        "blog": "",
        "location": null,
        "email": null,
        "notification_email": null,
        "hireable": null,
        "bio": null,
        "twitter_username": null,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": SINCE,
        "updated_at": SINCE,
    });
    let own = json!({
        "private_gists": 0,
        "total_private_repos": 2,
        "owned_private_repos": 2,
        "disk_usage": 12,
        "collaborators": 0,
        "two_factor_authentication": true,
        "plan": { "name": "free", "space": 976_562_499, "collaborators": 0, "private_repos": 10_000 },
    });
    joined([user(url, LOGIN), shown, own])
}

/// `repository`.
pub(super) fn repository(url: &str, bare: &Bare) -> Value {
    let (path, page) = (&bare.path, format!("{url}/{}", bare.path));
    let (at, id, pushed) = (format!("{url}/repos/{path}"), id(path), moment(bare.pushed()));
    let named = json!({
        "id": id,
        "node_id": format!("R_{id}"),
        "name": bare.name(),
        "full_name": path,
        "private": true,
        "visibility": "private",
        "owner": user(url, bare.owner()),
        "html_url": page,
        "description": null,
        "fork": false,
        "url": at,
        "created_at": SINCE,
        "updated_at": pushed,
        "pushed_at": pushed,
        "git_url": format!("git://127.0.0.1/{path}.git"),
        "ssh_url": format!("git@127.0.0.1:{path}.git"),
        "clone_url": format!("{page}.git"),
        "svn_url": page,
        "homepage": null,
        "mirror_url": null,
        "language": null,
        "license": null,
        "default_branch": bare.default_branch(),
    });
    joined([named, below(&at, OF_REPOSITORY), counted(), allowed()])
}

fn counted() -> Value {
    json!({
        "size": 12,
        "stargazers_count": 0,
        "watchers_count": 0,
        "forks_count": 0,
        "open_issues_count": 0,
        "forks": 0,
        "open_issues": 0,
        "watchers": 0,
        "topics": [],
    })
}

fn allowed() -> Value {
    json!({
        "has_issues": true,
        "has_projects": true,
        "has_downloads": true,
        "has_wiki": true,
        "has_pages": false,
        "has_discussions": false,
        "archived": false,
        "disabled": false,
        "allow_forking": true,
        "is_template": false,
        "web_commit_signoff_required": false,
        "permissions": { "admin": true, "maintain": true, "push": true, "triage": true, "pull": true },
    })
}

/// `full-repository`.
pub(super) fn full_repository(url: &str, bare: &Bare) -> Value {
    let more = json!({
        "allow_squash_merge": true,
        "allow_merge_commit": true,
        "allow_rebase_merge": true,
        "allow_auto_merge": false,
        "delete_branch_on_merge": false,
        "network_count": 0,
        "subscribers_count": 1,
    });
    joined([repository(url, bare), more])
}

/// `short-branch`.
pub(super) fn branch(url: &str, bare: &Bare, (name, commit): &(String, String)) -> Value {
    let at = format!("{url}/repos/{}/commits/{commit}", bare.path);
    json!({ "name": name, "commit": { "sha": commit, "url": at }, "protected": false })
}

/// Where a pull request and what belongs to it are found.
struct At {
    repository: String,
    pull: String,
    issue: String,
    /// For people.
    page: String,
}

impl At {
    fn of(url: &str, Pull { repository, number, .. }: &Pull) -> Self {
        let (at, page) = (format!("{url}/repos/{repository}"), format!("{url}/{repository}/pull/{number}"));
        Self { pull: format!("{at}/pulls/{number}"), issue: format!("{at}/issues/{number}"), page, repository: at }
    }

    fn addresses(&self, commit: &str) -> Value {
        let At { repository, pull, issue, page } = self;
        json!({
            "url": pull,
            "html_url": page,
            "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"),
            "issue_url": issue,
            "commits_url": format!("{pull}/commits"),
            "review_comments_url": format!("{pull}/comments"),
            "review_comment_url": format!("{repository}/pulls/comments{{/number}}"),
            "comments_url": format!("{issue}/comments"),
            "statuses_url": format!("{repository}/statuses/{commit}"),
        })
    }

    fn links(&self, commit: &str) -> Value {
        let At { repository, pull, issue, page } = self;
        let link = |to: String| json!({ "href": to });
        json!({
            "self": link(pull.clone()),
            "html": link(page.clone()),
            "issue": link(issue.clone()),
            "comments": link(format!("{issue}/comments")),
            "review_comments": link(format!("{pull}/comments")),
            "review_comment": link(format!("{repository}/pulls/comments{{/number}}")),
            "commits": link(format!("{pull}/commits")),
            "statuses": link(format!("{repository}/statuses/{commit}")),
        })
    }
}

/// `pull-request-simple`.
pub(super) fn pull(url: &str, bare: &Bare, Opened { pull, made, changed }: &Opened) -> Value {
    let (at, commit, repository) = (At::of(url, pull), bare.head_of(pull), repository(url, bare));
    let side = |branch: &str, commit: &str| {
        let label = format!("{}:{branch}", bare.owner());
        json!({ "label": label, "ref": branch, "sha": commit, "user": user(url, bare.owner()), "repo": repository })
    };
    let own = json!({
        "id": made.id(),
        "node_id": format!("PR_{}", made.id()),
        "number": pull.number,
        "state": "open",
        "locked": false,
        "active_lock_reason": null,
        "title": pull.title,
        "body": pull.body,
        "user": user(url, LOGIN),
        "created_at": made.time(),
        "updated_at": changed.time(),
        "closed_at": null,
        "merged_at": null,
        "merge_commit_sha": null,
        "auto_merge": null,
        "draft": false,
        "author_association": "OWNER",
    });
    let around = json!({
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": null,
        "head": side(&pull.head, &commit),
        "base": side(&pull.base, &bare.branch(&pull.base).unwrap_or_default()),
        "_links": at.links(&commit),
    });
    joined([at.addresses(&commit), own, around])
}

/// `pull-request`.
pub(super) fn full_pull(url: &str, bare: &Bare, opened: &Opened, remarks: &[Remark]) -> Value {
    let Pull { base, head, .. } = &opened.pull;
    let changes = bare.changes(base, head);
    let count = |is_it: fn(&Kind) -> bool| remarks.iter().filter(|remark| is_it(&remark.kind)).count();
    let more = json!({
        "merged": false,
        "mergeable": true,
        "rebaseable": true,
        "mergeable_state": "clean",
        "merged_by": null,
        "comments": count(|kind| matches!(kind, Kind::Note)),
        "review_comments": count(|kind| matches!(kind, Kind::OnLine { .. })),
        "maintainer_can_modify": false,
        "commits": bare.ahead(base, head),
        "additions": changes.additions,
        "deletions": changes.deletions,
        "changed_files": changes.files,
    });
    joined([pull(url, bare, opened), more])
}

/// `pull-request-review`: those with words ask for changes.
pub(super) fn review(url: &str, bare: &Bare, opened: &Opened, remark: &Remark) -> Option<Value> {
    let Kind::Review = remark.kind else { return None };
    let (at, id) = (At::of(url, &opened.pull), remark.made.id());
    let page = format!("{}#pullrequestreview-{id}", at.page);
    Some(json!({
        "id": id,
        "node_id": format!("PRR_{id}"),
        "user": user(url, &remark.author),
        "body": remark.text,
        "state": if remark.text.is_empty() { "COMMENTED" } else { "CHANGES_REQUESTED" },
        "html_url": page,
        "pull_request_url": at.pull,
        "author_association": "MEMBER",
        "_links": { "html": { "href": page }, "pull_request": { "href": at.pull } },
        "submitted_at": remark.made.time(),
        "commit_id": bare.head_of(&opened.pull),
    }))
}

/// `pull-request-review-comment`.
pub(super) fn line_comment(url: &str, bare: &Bare, opened: &Opened, remark: &Remark) -> Option<Value> {
    let Kind::OnLine { review, path, line } = &remark.kind else { return None };
    let (at, id, commit) = (At::of(url, &opened.pull), remark.made.id(), bare.head_of(&opened.pull));
    let (own, page) = (format!("{}/pulls/comments/{id}", at.repository), format!("{}#discussion_r{id}", at.page));
    let said = json!({
        "url": own,
        "pull_request_review_id": review,
        "id": id,
        "node_id": format!("PRRC_{id}"),
        "user": user(url, &remark.author),
        "body": remark.text,
        "created_at": remark.made.time(),
        "updated_at": remark.made.time(),
        "html_url": page,
        "pull_request_url": at.pull,
        "author_association": "MEMBER",
        "_links": { "self": { "href": own }, "html": { "href": page }, "pull_request": { "href": at.pull } },
    });
    let about = json!({
        "diff_hunk": format!("@@ -{line} +{line} @@"),
        "path": path,
        "position": 1,
        "original_position": 1,
        "commit_id": commit,
        "original_commit_id": commit,
        "start_line": null,
        "original_start_line": null,
        "start_side": null,
        "line": line,
        "original_line": line,
        "side": "RIGHT",
        "subject_type": "line",
    });
    Some(joined([said, about]))
}

/// `issue-comment`.
pub(super) fn comment(url: &str, pull: &Pull, remark: &Remark) -> Value {
    let (at, id) = (At::of(url, pull), remark.made.id());
    json!({
        "id": id,
        "node_id": format!("IC_{id}"),
        "url": format!("{}/issues/comments/{id}", at.repository),
        "html_url": format!("{}#issuecomment-{id}", at.page),
        "issue_url": at.issue,
        "user": user(url, &remark.author),
        "body": remark.text,
        "created_at": remark.made.time(),
        "updated_at": remark.made.time(),
        "author_association": "MEMBER",
        "performed_via_github_app": null,
    })
}

/// `check-run`. What a failed one says is its title, and from the second line on its summary.
pub(super) fn check_run(url: &str, check: &Check) -> Value {
    let Check { repository, commit, name, outcome, made, .. } = check;
    let (id, at) = (made.id(), format!("{url}/repos/{repository}/check-runs/{}", made.id()));
    let (conclusion, said) = match outcome {
        Outcome::Running => (None, ""),
        Outcome::Passed => (Some("success"), ""),
        Outcome::Failed(said) => (Some("failure"), said.as_str()),
    };
    let mut said = said.splitn(2, '\n').filter(|part| !part.is_empty());
    let (title, summary) = (said.next(), said.next());
    json!({
        "id": id,
        "node_id": format!("CR_{id}"),
        "head_sha": commit,
        "external_id": "",
        "name": name,
        "url": at,
        "html_url": format!("{url}/{repository}/runs/{id}"),
        "details_url": format!("{url}/{repository}/runs/{id}"),
        "status": if conclusion.is_some() { "completed" } else { "in_progress" },
        "conclusion": conclusion,
        "started_at": made.time(),
        "completed_at": conclusion.map(|_| made.time()),
        "output": {
            "title": title,
            "summary": summary,
            "text": null,
            "annotations_count": 0,
            "annotations_url": format!("{at}/annotations"),
        },
        "check_suite": { "id": id },
        "app": app(url),
        "pull_requests": [],
    })
}

/// `integration`: who runs the checks.
fn app(url: &str) -> Value {
    json!({
        "id": 15_368,
        "slug": "github-actions",
        "node_id": "A_15368",
        "client_id": "Iv1.standinactions",
        "owner": user(url, "github"),
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": format!("{url}/features/actions"),
        "html_url": format!("{url}/apps/github-actions"),
        "created_at": SINCE,
        "updated_at": SINCE,
        "permissions": { "checks": "write", "contents": "write", "metadata": "read" },
        "events": ["check_run", "push"],
    })
}

/// `combined-commit-status`: one that failed decides, then one that runs; none at all is pending.
pub(super) fn combined(url: &str, bare: &Bare, commit: &str, checks: &[Check]) -> Value {
    let at = format!("{url}/repos/{}/commits/{commit}", bare.path);
    let any = |is_it: fn(&Outcome) -> bool| checks.iter().any(|check| is_it(&check.outcome));
    let state = if any(|outcome| matches!(outcome, Outcome::Failed(_))) {
        "failure"
    } else if checks.is_empty() || any(|outcome| matches!(outcome, Outcome::Running)) {
        "pending"
    } else {
        "success"
    };
    json!({
        "state": state,
        "statuses": checks.iter().map(|check| commit_status(url, check)).collect::<Vec<_>>(),
        "sha": commit,
        "total_count": checks.len(),
        "repository": repository(url, bare),
        "commit_url": at,
        "url": format!("{at}/status"),
    })
}

/// `simple-commit-status`.
fn commit_status(url: &str, Check { repository, commit, name, outcome, made, .. }: &Check) -> Value {
    let (state, description) = match outcome {
        Outcome::Running => ("pending", None),
        Outcome::Passed => ("success", None),
        Outcome::Failed(said) => ("failure", Some(said)),
    };
    json!({
        "id": made.id(),
        "node_id": format!("SC_{}", made.id()),
        "state": state,
        "context": name,
        "description": description,
        "target_url": format!("{url}/{repository}/runs/{}", made.id()),
        "avatar_url": format!("{url}/avatars/ci"),
        "url": format!("{url}/repos/{repository}/statuses/{commit}"),
        "created_at": made.time(),
        "updated_at": made.time(),
    })
}
