//! The clients of both forges and of the sign-in against the stand-in, over real bare repositories; and GitHub's half
//! of the stand-in against GitHub's own description.

use accounts::{
    ExposeSecret,
    forge::{Comment, DeviceError, DeviceFlow, Forge, ForgeError, Found, GitHub, GitLab, Login, NewRequest},
};
use domain::task::Checks;
use serde_json::{Value, json};
use standins::{
    forge::{self as standin, CLIENT, LOGIN, Outcome, Pull},
    oracle,
};
use std::{fs, path::Path, process::Command, time::Duration};
use tempfile::TempDir;
use url::Url;

const TOKEN: &str = "standin-token";
const SHOP: &str = "acme/shop";
const DEADLINE: Duration = Duration::from_secs(20);

struct World {
    forge: standin::Forge,
    github: GitHub,
    gitlab: GitLab,
    bares: TempDir,
}

async fn world() -> World {
    let bares = tempfile::tempdir().unwrap();
    repository(bares.path(), "acme/old", "@1767225600 +0000");
    repository(bares.path(), SHOP, "@1767312000 +0000");
    let forge = standin::Forge::start(bares.path(), TOKEN).await.unwrap();
    let (github, gitlab) = clients(&forge, TOKEN);
    World { forge, github, gitlab, bares }
}

fn clients(forge: &standin::Forge, token: &str) -> (GitHub, GitLab) {
    let at = |path: &str| format!("{}{path}", forge.url).parse::<Url>().unwrap();
    (GitHub::new(&at(""), &token.into()).unwrap(), GitLab::new(&at("/api/v4"), &token.into()).unwrap())
}

impl World {
    fn both(&self) -> [&dyn Forge; 2] {
        [&self.github, &self.gitlab]
    }

    /// The newest commit of a branch of the shop.
    fn commit(&self, branch: &str) -> String {
        git(&self.bares.path().join("acme/shop.git"), "", &["rev-parse", &format!("refs/heads/{branch}")])
    }

    fn sign_in(&self, client: &str) -> DeviceFlow {
        let at = |path: &str| format!("{}/login/{path}", self.forge.url).parse::<Url>().unwrap();
        DeviceFlow::new(at("device/code"), at("oauth/access_token"), client.to_owned()).unwrap()
    }

    /// Waits until a client has asked for the owner's answer.
    async fn asked_for_an_answer(&self) {
        let look = ("POST".to_owned(), "/login/oauth/access_token".to_owned());
        let looking = async {
            while !self.forge.requests().contains(&look) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, looking).await.unwrap();
    }
}

/// A bare repository with `main`, with `same` at the same commit, and with two branches that are one commit ahead.
fn repository(below: &Path, path: &str, when: &str) {
    let bare = below.join(format!("{path}.git"));
    fs::create_dir_all(&bare).unwrap();
    let git = |arguments: &[&str]| git(&bare, when, arguments);
    git(&["init", "--quiet", "--bare", "--initial-branch=main"]);
    let tree = git(&["mktree"]);
    let first = git(&["commit-tree", "-m", "first", &tree]);
    let second = git(&["commit-tree", "-p", &first, "-m", "second", &tree]);
    for (branch, commit) in [("main", &first), ("same", &first), ("work", &second), ("fix/till", &second)] {
        git(&["update-ref", &format!("refs/heads/{branch}"), commit]);
    }
}

fn git(at: &Path, when: &str, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), "Mona").env(format!("GIT_{who}_EMAIL"), "mona@desk.example");
        git.env(format!("GIT_{who}_DATE"), when);
    }
    let output = git.arg("-C").arg(at).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn request(head: &str, base: &str, title: &str) -> NewRequest {
    let [title, body, head, base] = [title, "It is fixed.", head, base].map(str::to_owned);
    NewRequest { title, body, head, base }
}

#[tokio::test]
async fn both_forges_tell_whose_token_it_is() {
    let w = world().await;
    let login = |email: &str| {
        let [login, name, email] = [LOGIN, "Mona Lisa", email].map(str::to_owned);
        Login { login, name, email }
    };
    assert_eq!(w.github.whoami().await.unwrap(), login("822017+mona@users.noreply.github.com"));
    assert_eq!(w.gitlab.whoami().await.unwrap(), login("822017-mona@users.noreply.gitlab.com"));
}

#[tokio::test]
async fn repositories_come_with_the_one_last_pushed_to_first() {
    let w = world().await;
    let found = |path: &str| {
        let (path, default_branch) = (path.to_owned(), "main".to_owned());
        Found { path, default_branch, private: true, may_push: true }
    };
    for forge in w.both() {
        assert_eq!(forge.repositories().await.unwrap(), [found(SHOP), found("acme/old")]);
        assert_eq!(forge.repository("acme/old").await.unwrap(), found("acme/old"));
        assert_eq!(forge.branches(SHOP).await.unwrap(), ["fix/till", "main", "same", "work"]);
    }
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_missing() {
    let w = world().await;
    for forge in w.both() {
        for path in ["acme/nothing", "nobody/shop", "acme"] {
            assert!(matches!(forge.repository(path).await, Err(ForgeError::Missing)), "{path}");
            assert!(matches!(forge.branches(path).await, Err(ForgeError::Missing)), "{path}");
        }
        let opened = forge.open("acme/nothing", &request("work", "main", "Fix")).await;
        assert!(matches!(opened, Err(ForgeError::Missing)));
        assert!(matches!(forge.comments(SHOP, 7).await, Err(ForgeError::Missing)));
    }
}

#[tokio::test]
async fn a_pull_request_is_opened_once_and_then_given_new_words() {
    for (which, reworded) in ["PATCH", "PUT"].into_iter().enumerate() {
        let w = world().await;
        let forge = w.both()[which];
        let first = forge.open(SHOP, &request("work", "main", "Fix")).await.unwrap();
        let again = forge.open(SHOP, &request("work", "main", "Fix the till")).await.unwrap();
        assert_eq!((first.number, first.checks), (1, Checks::None));
        assert!(first.url.starts_with(&w.forge.url) && first.url.ends_with("/1"), "{}", first.url);
        assert_eq!(again, first);

        let [repository, title, body, head, base] =
            [SHOP, "Fix the till", "It is fixed.", "work", "main"].map(str::to_owned);
        let kept = Pull { repository, number: 1, title, body, head, base, head_sha: w.commit("work") };
        assert_eq!(w.forge.pulls(), [kept]);
        let methods: Vec<String> = w.forge.requests().into_iter().map(|(method, _)| method).collect();
        assert_eq!(methods, ["GET", "POST", "GET", reworded]);

        assert_eq!(forge.open(SHOP, &request("fix/till", "main", "Another")).await.unwrap().number, 2);
        assert_eq!(w.forge.pulls().len(), 2);
    }
}

/// Opening it is refused with this status and these words.
async fn refused(forge: &dyn Forge, head: &str, base: &str, status: u16, words: &str) {
    let error = forge.open(SHOP, &request(head, base, "Fix")).await.unwrap_err();
    assert!(!error.retryable());
    let ForgeError::Refused { status: given, said } = error else { panic!("{error:?}") };
    assert_eq!(given, status, "{said}");
    assert!(said.contains(words), "{said}");
}

#[tokio::test]
async fn nothing_to_merge_is_refused_in_the_forges_own_words() {
    let w = world().await;
    refused(&w.github, "same", "main", 422, "No commits between main and same").await;
    refused(&w.github, "nowhere", "main", 422, "Validation Failed").await;
    refused(&w.gitlab, "main", "main", 422, "You can't use same project/branch for source and target").await;
    refused(&w.gitlab, "nowhere", "main", 400, "").await;
    assert_eq!(w.forge.pulls(), []);
}

/// How all checks of a commit stand, and the name and words of each that failed.
async fn stands(forge: &dyn Forge, commit: &str) -> (Checks, Vec<(String, String)>) {
    let state = forge.checks(SHOP, commit).await.unwrap();
    assert!(state.failed.iter().all(|check| check.url.is_some()));
    (state.checks, state.failed.into_iter().map(|check| (check.name, check.summary)).collect())
}

fn failed(name: &str, words: &str) -> (Checks, Vec<(String, String)>) {
    (Checks::Failed, vec![(name.to_owned(), words.to_owned())])
}

#[tokio::test]
async fn checks_are_none_then_running_then_failed_then_passed() {
    let w = world().await;
    for (forge, branch) in w.both().into_iter().zip(["work", "main"]) {
        let commit = w.commit(branch);
        let set = |name: &str, outcome: Outcome| w.forge.set_checks(SHOP, &commit, name, outcome);
        assert_eq!(stands(forge, &commit).await, (Checks::None, vec![]));
        set("tests", Outcome::Running);
        assert_eq!(stands(forge, &commit).await, (Checks::Running, vec![]));
        set("lint", Outcome::Failed("2 warnings\nsrc/till.rs:7".to_owned()));
        assert_eq!(stands(forge, &commit).await, failed("lint", "2 warnings\nsrc/till.rs:7"), "though another runs");
        set("tests", Outcome::Passed);
        assert_eq!(stands(forge, &commit).await, failed("lint", "2 warnings\nsrc/till.rs:7"));
        set("lint", Outcome::Passed);
        assert_eq!(stands(forge, &commit).await, (Checks::Passed, vec![]));
    }
}

#[tokio::test]
async fn a_commit_status_counts_as_a_check_run_does() {
    let w = world().await;
    let commit = w.commit("work");
    let set = |outcome: Outcome| w.forge.set_status(SHOP, "work", "ci/elsewhere", outcome);
    set(Outcome::Running);
    assert_eq!(stands(&w.github, &commit).await, (Checks::Running, vec![]));
    w.forge.set_checks(SHOP, "work", "tests", Outcome::Passed);
    assert_eq!(stands(&w.github, &commit).await, (Checks::Running, vec![]));
    set(Outcome::Failed("out of disk".to_owned()));
    assert_eq!(stands(&w.github, &commit).await, failed("ci/elsewhere", "out of disk"));
    set(Outcome::Passed);
    assert_eq!(stands(&w.github, &commit).await, (Checks::Passed, vec![]));
}

#[tokio::test]
async fn comments_come_in_order_of_time_with_file_and_line() {
    let comment = |author: &str, text: &str, about: Option<(&str, u32)>| {
        let about = about.map(|(path, line)| (path.to_owned(), Some(line)));
        Comment { author: author.to_owned(), text: text.to_owned(), about }
    };
    for which in [0, 1] {
        let w = world().await;
        let forge = w.both()[which];
        for title in ["Fix", "Fix the till"] {
            forge.open(SHOP, &request("work", "main", title)).await.unwrap();
        }
        assert_eq!(forge.comments(SHOP, 1).await.unwrap(), []);
        w.forge.comment(SHOP, 1, "ada", "Please add a test.", None);
        w.forge.comment(SHOP, 1, "ada", "This may panic.", Some(("src/till.rs", 7)));
        w.forge.review(SHOP, 1, "grace", "Not yet.");
        w.forge.comment(SHOP, 1, "ada", "And the words?", None);
        let all = [
            comment("ada", "Please add a test.", None),
            comment("ada", "This may panic.", Some(("src/till.rs", 7))),
            comment("grace", "Not yet.", None),
            comment("ada", "And the words?", None),
        ];
        assert_eq!(forge.comments(SHOP, 1).await.unwrap(), all);
    }
}

#[tokio::test]
async fn a_wrong_token_is_told_as_one() {
    let w = world().await;
    let (github, gitlab) = clients(&w.forge, "another");
    for forge in [&github as &dyn Forge, &gitlab] {
        assert!(matches!(forge.whoami().await, Err(ForgeError::Token)));
        assert!(matches!(forge.repository(SHOP).await, Err(ForgeError::Token)));
    }
}

#[tokio::test]
async fn a_limit_or_an_outage_passes_and_a_refusal_stays() {
    let w = world().await;
    for forge in w.both() {
        w.forge.fail_next(1, 429);
        let limited = forge.repositories().await.unwrap_err();
        assert!(limited.retryable());
        let ForgeError::RateLimited { retry_after: Some(after) } = limited else { panic!("{limited:?}") };
        assert_eq!(after, Duration::from_secs(7));
        w.forge.fail_next(2, 502);
        for _ in 0..2 {
            let away = forge.repositories().await.unwrap_err();
            assert!(matches!(away, ForgeError::Unreachable(_)) && away.retryable(), "{away:?}");
        }
        w.forge.fail_next(1, 403);
        let refused = forge.repositories().await.unwrap_err();
        assert!(matches!(refused, ForgeError::Refused { status: 403, .. }) && !refused.retryable(), "{refused:?}");
        assert_eq!(forge.repositories().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn the_owners_yes_gives_a_token_that_works() {
    let w = world().await;
    let flow = w.sign_in(CLIENT);
    let device = flow.begin("repo").await.unwrap();
    assert_eq!((device.user_code.len(), device.interval), (9, 1));
    let yes = async {
        w.asked_for_an_answer().await;
        w.forge.grant_device();
    };
    let (signed_in, ()) = tokio::join!(flow.wait(&device), yes);
    let token = signed_in.unwrap().token;
    clients(&w.forge, token.expose_secret()).0.whoami().await.unwrap();
}

#[tokio::test]
async fn the_owners_no_ends_the_sign_in() {
    let w = world().await;
    let flow = w.sign_in(CLIENT);
    let device = flow.begin("repo").await.unwrap();
    w.forge.deny_device();
    assert!(matches!(flow.wait(&device).await, Err(DeviceError::Denied)));
}

#[tokio::test]
async fn an_app_that_is_not_known_cannot_begin() {
    let w = world().await;
    let error = w.sign_in("Iv23nobody").begin("repo").await.unwrap_err();
    let DeviceError::Refused(said) = error else { panic!("{error:?}") };
    assert_eq!(said, "Not Found");
}

/// Calls the stand-in by the paths of GitHub's description and keeps what it answers.
struct Asking {
    http: reqwest::Client,
    url: String,
    token: &'static str,
    repo: &'static str,
    answers: Vec<Value>,
}

impl Asking {
    fn new(w: &World) -> Self {
        let _the_client_under_test_may_have = rustls::crypto::ring::default_provider().install_default();
        let (http, url) = (reqwest::Client::new(), w.forge.url.clone());
        Self { http, url, token: TOKEN, repo: "shop", answers: Vec::new() }
    }

    async fn get(&mut self, status: u16, path: &str) {
        self.call(status, "GET", path, None).await;
    }

    async fn call(&mut self, status: u16, method: &str, path: &str, body: Option<Value>) {
        let named = [("{owner}", "acme"), ("{repo}", self.repo), ("{ref}", "work")];
        let numbered = [("{pull_number}", "1"), ("{issue_number}", "1")];
        let filled = named.iter().chain(&numbered).fold(path.to_owned(), |path, &(name, is)| path.replace(name, is));
        let request = self.http.request(method.parse().unwrap(), format!("{}{filled}", self.url));
        let request = request.bearer_auth(self.token);
        let request = body.iter().fold(request, |request, body| request.json(body));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {filled}");
        let body: Value = answer.json().await.unwrap();
        self.answers.push(json!({ "method": method, "path_template": path, "status": status, "body": body }));
    }
}

/// What does not fit GitHub's published description. Blocks.
fn unlike_github(answers: &Value) -> Vec<String> {
    let modules = oracle::node(&["@octokit/openapi@23.0.2", "ajv@8.20.0", "ajv-formats@3.0.1"]).unwrap();
    let mut node = Command::new("node");
    node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/github.js"))
        .env("NODE_PATH", modules.join("node_modules"));
    serde_json::from_value(oracle::ask(&mut node, answers).unwrap()).unwrap()
}

#[tokio::test]
async fn every_answer_of_the_stand_in_is_as_github_describes_it() {
    let w = world().await;
    let mut asking = Asking::new(&w);
    let at = |rest: &str| format!("/repos/{{owner}}/{{repo}}{rest}");
    for path in ["/user", "/user/repos", &at(""), &at("/branches"), &at("/pulls")] {
        asking.get(200, path).await;
    }
    let wanted = |head: &str| Some(json!({ "title": "Fix", "body": "It is fixed.", "head": head, "base": "main" }));
    for (status, head) in [(201, "work"), (422, "work"), (422, "same"), (422, "nowhere")] {
        asking.call(status, "POST", &at("/pulls"), wanted(head)).await;
    }
    asking.call(200, "PATCH", &at("/pulls/{pull_number}"), Some(json!({ "title": "Fix the till" }))).await;
    w.forge.comment(SHOP, 1, "ada", "Please add a test.", None);
    w.forge.comment(SHOP, 1, "ada", "This may panic.", Some(("src/till.rs", 7)));
    w.forge.review(SHOP, 1, "grace", "Not yet.");
    for rest in ["/pulls", "/pulls/{pull_number}", "/pulls/{pull_number}/reviews", "/pulls/{pull_number}/comments"] {
        asking.get(200, &at(rest)).await;
    }
    asking.get(200, &at("/issues/{issue_number}/comments")).await;
    for outcome in [Outcome::Running, Outcome::Passed, Outcome::Failed("2 warnings\nsrc/till.rs:7".to_owned())] {
        for rest in ["/commits/{ref}/check-runs", "/commits/{ref}/status"] {
            asking.get(200, &at(rest)).await;
        }
        w.forge.set_checks(SHOP, "work", &format!("{outcome:?}"), outcome.clone());
        w.forge.set_status(SHOP, "work", &format!("{outcome:?}"), outcome);
    }
    for rest in ["/commits/{ref}/check-runs", "/commits/{ref}/status"] {
        asking.get(200, &at(rest)).await;
    }
    asking.repo = "nothing";
    asking.get(404, &at("")).await;
    asking.token = "another";
    asking.get(401, "/user").await;

    let answers = Value::Array(asking.answers);
    let wrong = tokio::task::spawn_blocking(move || unlike_github(&answers)).await.unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_answer_unlike_githubs_is_noticed() {
    let answer = |status: u16, body: Value| {
        let user = json!({ "method": "GET", "path_template": "/user", "status": status, "body": body });
        Value::Array(vec![user])
    };
    let wrong = unlike_github(&answer(200, json!({ "login": LOGIN })));
    assert!(wrong.iter().any(|what| what.contains("avatar_url")), "{wrong:#?}");
    let refusal = json!({ "message": "Bad credentials" });
    assert_eq!(unlike_github(&answer(401, refusal.clone())), Vec::<String>::new());
    assert_eq!(unlike_github(&answer(418, refusal)), ["GET /user 418: no such answer is described"]);
}
