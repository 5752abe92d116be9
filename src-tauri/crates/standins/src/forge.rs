//! A forge as a server on loopback: GitHub's REST interface of 2022-11-28, GitLab's v4 and GitHub's sign-in by device
//! flow, over one world. What is in a repository comes from git itself. GitHub's answers are checked against its
//! published description (`accounts/tests/forge.rs`).
//!
//! ```no_run
//! # async fn f(folder: &std::path::Path) -> anyhow::Result<()> {
//! use standins::forge::{Forge, Outcome};
//! // Where `acme/shop.git` lies.
//! let forge = Forge::start(folder, "standin-token").await?;
//! forge.set_checks("acme/shop", "work", "tests", Outcome::Failed("2 tests failed".to_owned()));
//! # Ok(()) }
//! ```

mod answer;
mod bare;
mod device;
mod github;
mod gitlab;
mod shapes;
mod world;

pub use device::CLIENT;
pub use world::{LOGIN, Outcome, Pull};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use device::Said;
use std::{path::Path, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use world::{Source, World};

/// A running stand-in. It ends when dropped.
pub struct Forge {
    /// `http://127.0.0.1:<port>`: GitHub's interface, and at `/api/v4` GitLab's.
    pub url: String,
    world: Arc<World>,
    serving: JoinHandle<()>,
}

impl Drop for Forge {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Forge {
    /// Serves the bare repositories below `folder` to who sends this token.
    ///
    /// # Errors
    /// If loopback has no port left.
    pub async fn start(folder: &Path, token: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let world = Arc::new(World::new(&url, folder, token));
        let router = router(&world);
        let serving = tokio::spawn(async move {
            let _until_dropped = axum::serve(listener, router).await;
        });
        Ok(Self { url, world, serving })
    }

    /// Every pull request and merge request, the oldest first.
    pub fn pulls(&self) -> Vec<Pull> {
        let all: Vec<Pull> = self.world.read(|state| state.pulls.iter().map(|opened| opened.pull.clone()).collect());
        let newest = |pull: &Pull| Some(self.world.bare(&pull.repository)?.head_of(pull));
        all.into_iter().map(|pull| Pull { head_sha: newest(&pull).unwrap_or_default(), ..pull }).collect()
    }

    /// A check of this name stands so from now on; on GitHub it is a check run.
    pub fn set_checks(&self, repository: &str, sha_or_branch: &str, name: &str, outcome: Outcome) {
        self.world.set_check(repository, sha_or_branch, name, Source::Run, outcome);
    }

    /// As [`Forge::set_checks`], but on GitHub of the older kind: a commit status.
    pub fn set_status(&self, repository: &str, sha_or_branch: &str, name: &str, outcome: Outcome) {
        self.world.set_check(repository, sha_or_branch, name, Source::Status, outcome);
    }

    /// Somebody writes on a pull request; `about`: a file and a line of it.
    pub fn comment(&self, repository: &str, number: u64, author: &str, text: &str, about: Option<(&str, u32)>) {
        self.world.comment(repository, number, author, text, about);
    }

    /// Somebody asks for changes to all of a pull request.
    pub fn review(&self, repository: &str, number: u64, author: &str, text: &str) {
        self.world.review(repository, number, author, text);
    }

    /// The next `n` requests to either interface are answered with this status: 429 is a limit of the rate, 403
    /// something the token may not do.
    pub fn fail_next(&self, n: usize, status: u16) {
        self.world.change(|state| state.failing.extend(std::iter::repeat_n(status, n)));
    }

    /// The owner types the code and says yes.
    pub fn grant_device(&self) {
        self.world.answer_device(Said::Yes);
    }

    /// The owner types the code and says no.
    pub fn deny_device(&self) {
        self.world.answer_device(Said::No);
    }

    /// Method and path of every request, in their order, refused ones included.
    pub fn requests(&self) -> Vec<(String, String)> {
        self.world.read(|state| state.requests.clone())
    }
}

fn router(world: &Arc<World>) -> Router {
    Router::new()
        .nest("/api/v4", gitlab::router(world))
        .merge(device::router(world))
        .merge(github::router(world))
        .layer(from_fn_with_state(world.clone(), seen))
}

async fn seen(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let call = (request.method().to_string(), request.uri().path().to_owned());
    world.change(|state| state.requests.push(call));
    next.run(request).await
}
