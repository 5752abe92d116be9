//! The window's page at a real gateway's local door, with the real sandbox and the real Claude Code: every screen, every setting,
//! and a session that goes on live, asks, and is found again. The steps are the page's own (`ui/tests/e2e/desk`).

mod pages_world;
mod world;

use std::time::Duration;
use world::{Wish, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_window_shows_what_the_gateway_says_and_carries_a_session() {
    world::relay();
    let w = World::new(Wish {
        sandbox: true,
        scripts: vec![pages_world::answers(), pages_world::asks()],
        ..Wish::default()
    })
    .await;
    let running = w.start().await;
    let door = w.paths().local_door();
    pages_world::walk("window", &[("LANYARD_DESK", door.to_str().unwrap())], Duration::from_secs(300)).await;
    let pushed = running.app.workshop.read_file("/workspace/pushed", 100).await.unwrap();
    assert_eq!(pushed, b"once", "what was allowed once ran once");
    running.remove().await;
}
