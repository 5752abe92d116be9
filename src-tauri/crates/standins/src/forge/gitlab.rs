//! GitLab's REST interface v4, as far as a client of projects and merge requests calls it. A project's path arrives as
//! one part of the path, `acme%2Fshop`.

use super::{
    answer::{Answer, Asked, Plainly, Refusal, Shared, checked, page},
    bare::Bare,
    shapes::id,
    world::{Check, Kind, LOGIN, Opened, Outcome, Pull, Remark, World, moment},
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    middleware::from_fn_with_state,
    routing::{get, put},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Entries of a list where the query does not say.
const PAGE: usize = 20;
/// The access level of who may do everything but delete the project.
const MAINTAINER: u32 = 40;

pub(super) fn router(world: &Arc<World>) -> Router {
    Router::new()
        .route("/user", get(me))
        .route("/projects", get(projects))
        .route("/projects/{path}", get(project))
        .route("/projects/{path}/repository/branches", get(branches))
        .route("/projects/{path}/repository/commits/{commit}/statuses", get(statuses))
        .route("/projects/{path}/merge_requests", get(merges).post(open))
        .route("/projects/{path}/merge_requests/{number}", put(reword).get(merge))
        .route("/projects/{path}/merge_requests/{number}/notes", get(notes))
        .fallback(|| async { no(404) })
        .layer(from_fn_with_state((world.clone(), no as Plainly), checked))
        .with_state(world.clone())
}

fn no(status: u16) -> Refusal {
    let message = match status {
        401 => "401 Unauthorized",
        403 => "403 Forbidden",
        404 => "404 Not Found",
        429 => "429 Too Many Requests",
        500.. => "500 Internal Server Error",
        _ => "400 Bad Request",
    };
    said(status, message)
}

fn said(status: u16, message: &str) -> Refusal {
    Refusal::new(status, json!({ "message": message }))
}

fn found(world: &World, path: &str) -> Result<Bare, Refusal> {
    world.bare(path).ok_or_else(|| said(404, "404 Project Not Found"))
}

fn opened(world: &World, bare: &Bare, number: u64) -> Result<Opened, Refusal> {
    world.opened(&bare.path).into_iter().find(|opened| opened.pull.number == number).ok_or_else(|| no(404))
}

/// As it stands at everything that somebody made.
fn user(url: &str, username: &str) -> Value {
    json!({
        "id": id(username),
        "username": username,
        "name": if username == LOGIN { "Mona Lisa" } else { username },
        "state": "active",
        "avatar_url": null,
        "web_url": format!("{url}/{username}"),
    })
}

async fn me(State(world): Shared) -> Json<Value> {
    let mut me = user(&world.url, LOGIN);
    me["email"] = json!("mona@desk.example");
    me["commit_email"] = json!(format!("{}-{LOGIN}@users.noreply.gitlab.com", id(LOGIN)));
    Json(me)
}

/// Whatever `order_by` says, by the last push.
async fn projects(State(world): Shared, Query(asked): Query<Asked>) -> Json<Value> {
    page(world.bares().iter().map(|bare| shape(&world.url, bare)).collect(), &asked, PAGE)
}

async fn project(State(world): Shared, Path(path): Path<String>) -> Answer {
    let bare = found(&world, &path)?;
    Ok(Json(shape(&world.url, &bare)))
}

fn shape(url: &str, bare: &Bare) -> Value {
    let (path, pushed) = (&bare.path, moment(bare.pushed()));
    // A project without a commit has no default branch yet.
    let default_branch = (!bare.branches().is_empty()).then(|| bare.default_branch());
    json!({
        "id": id(path),
        "name": bare.name(),
        "path": bare.name(),
        "path_with_namespace": path,
        "namespace": { "path": bare.owner(), "full_path": bare.owner(), "kind": "group" },
        "description": null,
        "default_branch": default_branch,
        "visibility": "private",
        "web_url": format!("{url}/{path}"),
        "http_url_to_repo": format!("{url}/{path}.git"),
        "ssh_url_to_repo": format!("git@127.0.0.1:{path}.git"),
        "created_at": pushed,
        "last_activity_at": pushed,
        "archived": false,
        "permissions": {
            "project_access": { "access_level": MAINTAINER, "notification_level": 3 },
            "group_access": null,
        },
    })
}

async fn branches(State(world): Shared, Path(path): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let bare = found(&world, &path)?;
    let default_branch = bare.default_branch();
    let branch = |(name, commit): (String, String)| {
        json!({
            "name": name,
            "commit": { "id": commit, "short_id": commit.get(..8) },
            "merged": false,
            "protected": name == default_branch,
            "default": name == default_branch,
            "can_push": true,
            "web_url": format!("{}/{path}/-/tree/{name}", world.url),
        })
    };
    Ok(page(bare.branches().into_iter().map(branch).collect(), &asked, PAGE))
}

async fn statuses(
    State(world): Shared,
    Path((path, commit)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Answer {
    let bare = found(&world, &path)?;
    let commit = bare.commit(&commit).ok_or_else(|| said(404, "404 Commit Not Found"))?;
    let checks = world.checks(&bare.path, &commit);
    Ok(page(checks.iter().map(|check| status(&world.url, check)).collect(), &asked, PAGE))
}

fn status(url: &str, Check { repository, commit, name, outcome, made, .. }: &Check) -> Value {
    let (status, description) = match outcome {
        Outcome::Running => ("running", None),
        Outcome::Passed => ("success", None),
        Outcome::Failed(said) => ("failed", Some(said)),
    };
    json!({
        "id": made.id(),
        "sha": commit,
        "ref": null,
        "status": status,
        "name": name,
        "target_url": format!("{url}/{repository}/-/jobs/{}", made.id()),
        "description": description,
        "created_at": made.time(),
        "started_at": made.time(),
        "finished_at": (*outcome != Outcome::Running).then(|| made.time()),
        "allow_failure": false,
        "coverage": null,
        "author": user(url, LOGIN),
    })
}

async fn merges(State(world): Shared, Path(path): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let bare = found(&world, &path)?;
    let is = |name: &str, value: &str| asked.get(name).is_none_or(|wanted| wanted == value);
    let open = asked.get("state").is_none_or(|state| matches!(state.as_str(), "opened" | "all"));
    let fits = |pull: &Pull| open && is("source_branch", &pull.head) && is("target_branch", &pull.base);
    let all = world.opened(&bare.path);
    let fitting = all.iter().filter(|opened| fits(&opened.pull));
    Ok(page(fitting.map(|opened| request(&world.url, &bare, opened)).collect(), &asked, PAGE))
}

async fn merge(State(world): Shared, Path((path, number)): Path<(String, u64)>) -> Answer {
    let bare = found(&world, &path)?;
    Ok(Json(request(&world.url, &bare, &opened(&world, &bare, number)?)))
}

fn request(url: &str, bare: &Bare, Opened { pull, made, changed }: &Opened) -> Value {
    json!({
        "id": made.id(),
        "iid": pull.number,
        "project_id": id(&bare.path),
        "title": pull.title,
        "description": pull.body,
        "state": "opened",
        "draft": false,
        "source_branch": pull.head,
        "target_branch": pull.base,
        "sha": bare.head_of(pull),
        "author": user(url, LOGIN),
        "created_at": made.time(),
        "updated_at": changed.time(),
        "merged_at": null,
        "closed_at": null,
        "detailed_merge_status": "mergeable",
        "has_conflicts": false,
        "web_url": format!("{url}/{}/-/merge_requests/{}", pull.repository, pull.number),
    })
}

#[derive(Deserialize)]
struct Wanted {
    title: String,
    description: Option<String>,
    source_branch: String,
    target_branch: String,
}

/// Unlike GitHub it opens one with nothing to merge, too.
async fn open(
    State(world): Shared,
    Path(path): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let bare = found(&world, &path)?;
    let Wanted { title, description, source_branch: head, target_branch: base } = wanted;
    if head == base {
        let conflict = "You can't use same project/branch for source and target";
        return Err(Refusal::new(422, json!({ "message": [conflict] })));
    }
    let missing = |field: &str| Refusal::new(400, json!({ "message": { field: ["does not exist"] } }));
    let head_sha = bare.branch(&head).ok_or_else(|| missing("source_branch"))?;
    bare.branch(&base).ok_or_else(|| missing("target_branch"))?;
    let (repository, body) = (bare.path.clone(), description.unwrap_or_default());
    let wanted = Pull { repository, number: 0, title, body, head, base, head_sha };
    let opened = world.open(wanted).map_err(|known| {
        let exists = format!("Another open merge request already exists for this source branch: !{known}");
        Refusal::new(409, json!({ "message": [exists] }))
    })?;
    Ok((StatusCode::CREATED, Json(request(&world.url, &bare, &opened))))
}

#[derive(Deserialize)]
struct Words {
    title: Option<String>,
    description: Option<String>,
}

async fn reword(State(world): Shared, Path((path, number)): Path<(String, u64)>, Json(words): Json<Words>) -> Answer {
    let bare = found(&world, &path)?;
    let opened = world.reword((bare.path.as_str(), number), words.title, words.description).ok_or_else(|| no(404))?;
    Ok(Json(request(&world.url, &bare, &opened)))
}

/// The newest first, unless asked otherwise. A review without words is none here.
async fn notes(State(world): Shared, Path((path, number)): Path<(String, u64)>, Query(asked): Query<Asked>) -> Answer {
    let bare = found(&world, &path)?;
    let head = bare.head_of(&opened(&world, &bare, number)?.pull);
    let mut all = world.remarks(&bare.path, number);
    all.retain(|remark| !remark.text.is_empty());
    if asked.get("sort").is_none_or(|sort| sort != "asc") {
        all.reverse();
    }
    Ok(page(all.iter().map(|remark| note(&world.url, &head, remark)).collect(), &asked, PAGE))
}

fn note(url: &str, head: &str, remark: &Remark) -> Value {
    let mut note = json!({
        "id": remark.made.id(),
        "type": null,
        "body": remark.text,
        "author": user(url, &remark.author),
        "created_at": remark.made.time(),
        "updated_at": remark.made.time(),
        "system": matches!(remark.kind, Kind::System),
        "noteable_type": "MergeRequest",
        "noteable_iid": remark.number,
        "resolvable": false,
    });
    if let Kind::OnLine { path, line, .. } = &remark.kind {
        note["type"] = json!("DiffNote");
        note["resolvable"] = json!(true);
        note["position"] = json!({
            "head_sha": head,
            "position_type": "text",
            "old_path": path,
            "new_path": path,
            "old_line": null,
            "new_line": line,
        });
    }
    note
}
