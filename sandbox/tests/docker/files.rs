//! Where a file's name really leads, as the agent's own user sees it.

use crate::world::World;
use domain::risk::Target;

#[tokio::test]
async fn a_link_s_target_is_seen_through_every_link_on_the_way() {
    let world = World::new().await;
    let id = world.up().await.id;
    let make = "cd /workspace && mkdir -p src .git/hooks && echo x > src/a.md && ln -s ~/.bashrc plain.md \
        && ln -s .git/hooks hooks && ln -s nowhere/b.md dangling.md && echo y > one && ln one two && ln -s loop loop";
    world.sh(id, make).await;
    let at = |path: &str| Target::At(path.into());
    let cases = [
        ("/workspace/src/a.md", at("/workspace/src/a.md")),
        ("/workspace/new/file.md", at("/workspace/new/file.md")),
        ("/workspace/plain.md", at("/home/agent/.bashrc")),
        ("/workspace/hooks/pre-commit", at("/workspace/.git/hooks/pre-commit")),
        ("/workspace/dangling.md", at("/workspace/nowhere/b.md")),
        ("/workspace/src", at("/workspace/src")),
        ("/workspace/one", Target::Shared("/workspace/one".into())),
        ("src/a.md", Target::Unknown),
    ];
    for (path, target) in cases {
        assert_eq!(world.target(id, path).await, target, "{path}");
    }
    let loops = world.target(id, "/workspace/loop").await;
    assert!(
        matches!(loops, Target::At(ref path) if path == "/workspace/loop") || loops == Target::Unknown,
        "{loops:?}"
    );
    world.pause(id).await.unwrap();
    assert_eq!(world.target(id, "/workspace/src/a.md").await, Target::Unknown);
    world.resume(id).await.unwrap();
}
