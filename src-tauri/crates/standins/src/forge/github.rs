//! GitHub's REST interface of 2022-11-28, as far as a client of repositories and pull requests calls it.

use super::{
    answer::{Answer, Asked, Plainly, Refusal, Shared, checked, page},
    bare::Bare,
    shapes,
    world::{Kind, Opened, Pull, Remark, Source, World},
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    middleware::from_fn_with_state,
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Entries of a list where the query does not say.
const PAGE: usize = 30;

type At = Path<(String, String)>;
type OnPull = Path<(String, String, u64)>;
type OfCommit = Path<(String, String, String)>;

pub(super) fn router(world: &Arc<World>) -> Router {
    Router::new()
        .route("/user", get(user))
        .route("/user/repos", get(repositories))
        .route("/repos/{owner}/{name}", get(repository))
        .route("/repos/{owner}/{name}/branches", get(branches))
        .route("/repos/{owner}/{name}/pulls", get(pulls).post(open))
        .route("/repos/{owner}/{name}/pulls/{number}", get(pull).patch(reword))
        .route("/repos/{owner}/{name}/pulls/{number}/reviews", get(reviews))
        .route("/repos/{owner}/{name}/pulls/{number}/comments", get(on_lines))
        .route("/repos/{owner}/{name}/issues/{number}/comments", get(comments))
        .route("/repos/{owner}/{name}/commits/{commit}/check-runs", get(check_runs))
        .route("/repos/{owner}/{name}/commits/{commit}/status", get(status))
        .fallback(|| async { no(404) })
        .layer(from_fn_with_state((world.clone(), no as Plainly), checked))
        .with_state(world.clone())
}

fn no(status: u16) -> Refusal {
    let message = match status {
        401 => "Bad credentials",
        403 => "Resource not accessible by personal access token",
        404 => "Not Found",
        429 => "API rate limit exceeded",
        500.. => "Server Error",
        _ => "Bad Request",
    };
    said(status, message)
}

fn said(status: u16, message: &str) -> Refusal {
    let (documentation, code) = ("https://docs.github.com/rest", status.to_string());
    Refusal::new(status, json!({ "message": message, "documentation_url": documentation, "status": code }))
}

/// One thing that is wrong with what was sent.
fn invalid(error: Value) -> Refusal {
    let body = json!({
        "message": "Validation Failed",
        "errors": [error],
        "documentation_url": "https://docs.github.com/rest/pulls/pulls#create-a-pull-request",
        "status": "422",
    });
    Refusal::new(422, body)
}

fn found(world: &World, owner: &str, name: &str) -> Result<Bare, Refusal> {
    world.bare(&format!("{owner}/{name}")).ok_or_else(|| no(404))
}

fn opened(world: &World, bare: &Bare, number: u64) -> Result<Opened, Refusal> {
    world.opened(&bare.path).into_iter().find(|opened| opened.pull.number == number).ok_or_else(|| no(404))
}

async fn user(State(world): Shared) -> Json<Value> {
    Json(shapes::me(&world.url))
}

/// Whatever `sort` says, by the last push.
async fn repositories(State(world): Shared, Query(asked): Query<Asked>) -> Json<Value> {
    let all = world.bares().iter().map(|bare| shapes::repository(&world.url, bare)).collect();
    page(all, &asked, PAGE)
}

async fn repository(State(world): Shared, Path((owner, name)): At) -> Answer {
    let bare = found(&world, &owner, &name)?;
    Ok(Json(shapes::full_repository(&world.url, &bare)))
}

async fn branches(State(world): Shared, Path((owner, name)): At, Query(asked): Query<Asked>) -> Answer {
    let bare = found(&world, &owner, &name)?;
    let all = bare.branches().into_iter().map(|branch| shapes::branch(&world.url, &bare, &branch)).collect();
    Ok(page(all, &asked, PAGE))
}

async fn pulls(State(world): Shared, Path((owner, name)): At, Query(asked): Query<Asked>) -> Answer {
    let bare = found(&world, &owner, &name)?;
    let all = world.opened(&bare.path);
    let fitting = all.iter().filter(|opened| fits(&asked, &owner, &opened.pull));
    Ok(page(fitting.map(|opened| shapes::pull(&world.url, &bare, opened)).collect(), &asked, PAGE))
}

/// A `head` without an owner filters nothing.
fn fits(asked: &Asked, owner: &str, pull: &Pull) -> bool {
    let head = asked.get("head").and_then(|head| head.split_once(':'));
    asked.get("state").is_none_or(|state| state != "closed")
        && head.is_none_or(|head| head == (owner, pull.head.as_str()))
        && asked.get("base").is_none_or(|base| *base == pull.base)
}

#[derive(Deserialize)]
struct Wanted {
    title: String,
    body: Option<String>,
    head: String,
    base: String,
}

async fn open(
    State(world): Shared,
    Path((owner, name)): At,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let bare = found(&world, &owner, &name)?;
    let Wanted { title, body, head, base } = wanted;
    let head = head.strip_prefix(&format!("{owner}:")).unwrap_or(&head).to_owned();
    let head_sha = mergeable(&bare, &base, &head)?;
    let exists = format!("A pull request already exists for {owner}:{head}.");
    let (repository, body) = (bare.path.clone(), body.unwrap_or_default());
    let wanted = Pull { repository, number: 0, title, body, head, base, head_sha };
    let opened = world.open(wanted).map_err(|_| custom(&exists))?;
    Ok((StatusCode::CREATED, Json(full(&world, &bare, &opened))))
}

/// The newest commit of `head`, if there is something to merge.
fn mergeable(bare: &Bare, base: &str, head: &str) -> Result<String, Refusal> {
    let no_branch = |field: &str| invalid(json!({ "resource": "PullRequest", "field": field, "code": "invalid" }));
    let commit = bare.branch(head).ok_or_else(|| no_branch("head"))?;
    bare.branch(base).ok_or_else(|| no_branch("base"))?;
    match bare.ahead(base, head) {
        0 => Err(custom(&format!("No commits between {base} and {head}"))),
        _ => Ok(commit),
    }
}

fn custom(message: &str) -> Refusal {
    invalid(json!({ "resource": "PullRequest", "code": "custom", "message": message }))
}

fn full(world: &World, bare: &Bare, opened: &Opened) -> Value {
    shapes::full_pull(&world.url, bare, opened, &world.remarks(&bare.path, opened.pull.number))
}

async fn pull(State(world): Shared, Path((owner, name, number)): OnPull) -> Answer {
    let bare = found(&world, &owner, &name)?;
    Ok(Json(full(&world, &bare, &opened(&world, &bare, number)?)))
}

#[derive(Deserialize)]
struct Words {
    title: Option<String>,
    body: Option<String>,
}

async fn reword(State(world): Shared, Path((owner, name, number)): OnPull, Json(words): Json<Words>) -> Answer {
    let bare = found(&world, &owner, &name)?;
    let opened = world.reword((bare.path.as_str(), number), words.title, words.body).ok_or_else(|| no(404))?;
    Ok(Json(full(&world, &bare, &opened)))
}

async fn reviews(State(world): Shared, Path(on): OnPull, Query(asked): Query<Asked>) -> Answer {
    written(&world, on, &asked, shapes::review)
}

async fn on_lines(State(world): Shared, Path(on): OnPull, Query(asked): Query<Asked>) -> Answer {
    written(&world, on, &asked, shapes::line_comment)
}

async fn comments(State(world): Shared, Path(on): OnPull, Query(asked): Query<Asked>) -> Answer {
    let comment = |url: &str, _: &Bare, opened: &Opened, remark: &Remark| {
        matches!(remark.kind, Kind::Note).then(|| shapes::comment(url, &opened.pull, remark))
    };
    written(&world, on, &asked, comment)
}

/// What was written on a pull request, as far as `shape` shows it.
fn written(
    world: &World,
    (owner, name, number): (String, String, u64),
    asked: &Asked,
    shape: impl Fn(&str, &Bare, &Opened, &Remark) -> Option<Value>,
) -> Answer {
    let bare = found(world, &owner, &name)?;
    let opened = opened(world, &bare, number)?;
    let all = world.remarks(&bare.path, number);
    Ok(page(all.iter().filter_map(|remark| shape(&world.url, &bare, &opened, remark)).collect(), asked, PAGE))
}

async fn check_runs(State(world): Shared, Path((owner, name, commit)): OfCommit, Query(asked): Query<Asked>) -> Answer {
    let bare = found(&world, &owner, &name)?;
    let missing = || said(422, &format!("No commit found for SHA: {commit}"));
    let checks = world.checks(&bare.path, &bare.commit(&commit).ok_or_else(missing)?);
    let runs = checks.iter().filter(|check| check.source == Source::Run);
    let runs: Vec<Value> = runs.map(|check| shapes::check_run(&world.url, check)).collect();
    let Json(shown) = page(runs.clone(), &asked, PAGE);
    Ok(Json(json!({ "total_count": runs.len(), "check_runs": shown })))
}

async fn status(State(world): Shared, Path((owner, name, commit)): OfCommit) -> Answer {
    let bare = found(&world, &owner, &name)?;
    let commit = bare.commit(&commit).ok_or_else(|| no(404))?;
    let mut checks = world.checks(&bare.path, &commit);
    checks.retain(|check| check.source == Source::Status);
    Ok(Json(shapes::combined(&world.url, &bare, &commit, &checks)))
}
