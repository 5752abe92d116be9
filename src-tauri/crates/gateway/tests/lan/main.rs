//! The public door on the local network: who trusts it, what is behind it, how phones learn of it, and what it says when it
//! cannot be opened.

#[path = "../api_world/mod.rs"]
mod api_world;
mod door;
mod neighbour;
mod network;
mod trust;
#[path = "../world/mod.rs"]
mod world;
mod wrong;

use accounts::reach::{Page, Visitor};
use gateway::lan::State;
use std::{net::SocketAddr, process::Command};
use tunnel::Reach;
use url::Url;
use world::{Running, SOON, Wish, World};

/// What the door is named in these tests.
const NAME: &str = "Ada's desk";
const HOST: &str = "lanyard-ada-s-desk.local";

async fn desk() -> World {
    World::new(Wish { config: "[lan]\nname = \"Ada's desk\"\n", ..Wish::default() }).await
}

/// A gateway whose door is open to this computer alone.
async fn start(w: &World) -> Running {
    let mut config = w.resolved();
    config.lan.enabled = true;
    config.lan.reach = Reach::Loopback;
    w.start_with(config).await
}

async fn until_state(running: &Running, fits: impl Fn(&State) -> bool) -> State {
    let mut state = running.app.lan.state();
    tokio::time::timeout(SOON, state.wait_for(fits)).await.expect("the door comes to that").unwrap().clone()
}

/// The port, once the door is open.
async fn opened(running: &Running) -> u16 {
    let State::Open { urls, .. } = until_state(running, |s| matches!(s, State::Open { .. })).await else {
        unreachable!()
    };
    Url::parse(&urls[0]).unwrap().port().unwrap()
}

/// A phone on the same network that trusts the CA.
async fn ask(running: &Running, path: &str, headers: &[(&'static str, &'static str)]) -> Page {
    let port = opened(running).await;
    let resolve = vec![(HOST.to_owned(), SocketAddr::from(([127, 0, 0, 1], port)))];
    let visitor = Visitor { roots: running.app.lan.certificate().map(|known| known.pem), resolve };
    visitor.page(&format!("https://{HOST}:{port}{path}"), headers).await.unwrap()
}

/// Runs a program to its end; whether it did well, and all it printed.
async fn run(mut command: Command) -> (bool, String) {
    command.stdin(std::process::Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let printed = [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned()).concat();
    (output.status.success(), printed)
}
