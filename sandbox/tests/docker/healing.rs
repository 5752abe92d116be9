//! What other hands do to a sandbox, and that `ensure` mends it.

use crate::world::{World, docker, until};
use domain::Code;
use sandbox::{Error, Health, SandboxSpec, Sandboxes, Size, Volumes};
use std::path::PathBuf;
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

/// Something of the agent's in each volume, to be found again.
async fn leave_work(world: &World, spec: &SandboxSpec) {
    world.sh(spec.id, "echo kept > /workspace/work; echo kept > ~/home").await;
}

async fn assert_mended(world: &World, spec: &SandboxSpec) {
    world.ensure(spec).await.unwrap();
    assert_eq!(world.health(spec.id).await, Health::Well);
    assert_eq!(world.sh(spec.id, "cat /workspace/work ~/home").await, "kept\nkept");
}

fn container_id(world: &World, spec: &SandboxSpec) -> String {
    docker(&["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", &world.container(spec)])
}

#[tokio::test]
async fn ensuring_again_changes_nothing() {
    let world = World::new().await;
    let spec = world.up().await;
    let before = container_id(&world, &spec);
    let (first, second) = tokio::join!(world.ensure(&spec), world.ensure(&spec));
    first.and(second).unwrap();
    assert_eq!(container_id(&world, &spec), before);
}

#[tokio::test]
async fn a_killed_container_is_started() {
    let world = World::new().await;
    let spec = world.up().await;
    leave_work(&world, &spec).await;
    docker(&["kill", &world.container(&spec)]);
    assert_eq!(world.health(spec.id).await, Health::Stopped { exit: 137 });
    assert_mended(&world, &spec).await;
}

#[tokio::test]
async fn a_removed_container_is_made_anew_and_its_volumes_are_found() {
    let world = World::new().await;
    let spec = world.up().await;
    leave_work(&world, &spec).await;
    docker(&["rm", "--force", &world.container(&spec)]);
    assert_eq!(world.health(spec.id).await, Health::Absent);
    assert_mended(&world, &spec).await;
}

#[tokio::test]
async fn a_container_paused_by_another_hand_is_resumed() {
    let world = World::new().await;
    let spec = world.up().await;
    leave_work(&world, &spec).await;
    docker(&["pause", &world.container(&spec)]);
    assert_eq!(world.health(spec.id).await, Health::Paused { by_owner: false });
    assert_mended(&world, &spec).await;
}

#[tokio::test]
async fn a_container_of_an_older_image_is_made_anew() {
    let world = World::new().await;
    let spec = world.up().await;
    leave_work(&world, &spec).await;
    let name = world.container(&spec);
    docker(&["rm", "--force", &name]);
    let old = "dev.lanyard.image.source=0123";
    docker(&[
        "run",
        "--detach",
        "--network",
        "none",
        "--name",
        &name,
        "--label",
        old,
        crate::world::BASE,
        "sleep",
        "99",
    ]);
    assert_mended(&world, &spec).await;
    assert_eq!(world.sh(spec.id, "claude --version").await, format!("{} (Claude Code)", sandbox::CLAUDE_VERSION));
}

#[tokio::test]
async fn another_size_makes_the_container_anew() {
    let world = World::new().await;
    let mut spec = world.up().await;
    leave_work(&world, &spec).await;
    spec.size = Size::Medium;
    assert_mended(&world, &spec).await;
    let limit = docker(&["inspect", "--format", "{{.HostConfig.Memory}}", &world.container(&spec)]);
    assert_eq!(limit, Size::Medium.memory().to_string());
}

#[tokio::test]
async fn a_stopped_sandbox_comes_back_and_a_removed_one_only_with_its_volumes_kept() {
    let world = World::new().await;
    let spec = world.up().await;
    leave_work(&world, &spec).await;
    world.stop(spec.id).await.unwrap();
    world.stop(spec.id).await.unwrap();
    assert_mended(&world, &spec).await;
    world.remove(spec.id, Volumes::Keep).await.unwrap();
    assert_mended(&world, &spec).await;
    world.remove(spec.id, Volumes::Delete).await.unwrap();
    world.remove(spec.id, Volumes::Delete).await.unwrap();
    world.ensure(&spec).await.unwrap();
    assert_eq!(world.sh(spec.id, "ls /workspace").await, "");
}

#[tokio::test]
async fn a_pause_outlives_the_program() {
    let world = World::new().await;
    let spec = world.up().await;
    world.pause(spec.id).await.unwrap();
    let next = world.next_run().await;
    assert_eq!(next.ensure(&spec).await.unwrap_err().code(), Code::SandboxPaused);
    next.resume(spec.id).await.unwrap();
    next.ensure(&spec).await.unwrap();
}

#[tokio::test]
async fn a_pause_outlives_a_stop() {
    let world = World::new().await;
    let spec = world.up().await;
    world.pause(spec.id).await.unwrap();
    world.stop(spec.id).await.unwrap();
    let next = world.next_run().await;
    assert_eq!(next.ensure(&spec).await.unwrap_err().code(), Code::SandboxPaused);
    next.resume(spec.id).await.unwrap();
    next.ensure(&spec).await.unwrap();
}

/// An engine that can be taken away: the real one behind a socket of our own.
struct Engine {
    socket: PathBuf,
    proxy: Option<JoinHandle<()>>,
}

impl Engine {
    fn start(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
        let listener = UnixListener::bind(&self.socket).unwrap();
        self.proxy = Some(tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut engine = UnixStream::connect("/var/run/docker.sock").await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut engine).await;
                });
            }
        }));
    }

    async fn stop(&mut self) {
        let proxy = self.proxy.take().unwrap();
        proxy.abort();
        let _ = proxy.await;
        std::fs::remove_file(&self.socket).unwrap();
    }
}

#[tokio::test]
async fn an_engine_that_restarts_is_met_again_and_its_sandboxes_are_started() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut engine = Engine { socket: folder.path().join("engine.sock"), proxy: None };
    engine.start();
    let mut settings = world.settings.clone();
    settings.engine = Some(format!("unix://{}", engine.socket.display()));
    settings.carrier = sandbox::Carrier::Exec;
    let (sandboxes, _incoming) = Sandboxes::connect(settings).await.unwrap();
    let spec = crate::world::spec();
    sandboxes.ensure(&spec).await.unwrap();
    engine.stop().await;
    // An engine that stops ends its containers.
    docker(&["kill", &world.container(&spec)]);
    assert_eq!(sandboxes.health(spec.id).await, Health::NoEngine);
    let away = sandboxes.ensure(&spec).await.unwrap_err();
    assert!(matches!(away, Error::NoEngine { .. }) && away.retryable() && away.code() == Code::NoEngine, "{away:?}");
    engine.start();
    sandboxes.ensure(&spec).await.unwrap();
    until("the relay answers", async || sandboxes.health(spec.id).await == Health::Well).await;
}

#[tokio::test]
async fn a_sweep_keeps_what_is_wanted_and_touches_nothing_of_another_instance() {
    let (world, other) = tokio::join!(World::new(), World::new());
    let (wanted, unwanted, foreign) = (world.up().await, world.up().await, other.up().await);
    let next = world.next_run().await;
    let report = next.sweep(&[wanted.id]).await.unwrap();
    assert_eq!((report.kept, report.removed), (vec![wanted.id], vec![unwanted.id]));
    // The work of a sandbox that is not known is told, and never deleted.
    let name = world.container(&unwanted);
    let mut orphans = report.orphaned_volumes;
    orphans.sort();
    assert_eq!(orphans, [format!("{name}-home"), format!("{name}-work")]);
    assert_eq!(next.list().await.unwrap().iter().map(|listed| listed.id).collect::<Vec<_>>(), [wanted.id]);
    assert_eq!(other.health(foreign.id).await, Health::Well);
}

#[tokio::test]
async fn removing_all_leaves_nothing_of_this_instance_and_all_of_another() {
    let (world, other) = tokio::join!(World::new(), World::new());
    let (mine, foreign) = (world.up().await, other.up().await);
    let next = world.next_run().await;
    let gone = next.remove_all().await.unwrap();
    assert_eq!((gone.sandboxes, gone.volumes.len()), (vec![mine.id], 2));
    let left = next.holdings().await.unwrap();
    assert!(left.sandboxes.is_empty() && left.volumes.is_empty(), "{left:?}");
    assert_eq!(other.list().await.unwrap().iter().map(|listed| listed.id).collect::<Vec<_>>(), [foreign.id]);
    assert_eq!(other.sh(foreign.id, "echo there").await, "there");
}

#[tokio::test]
async fn a_sweep_ends_what_the_last_run_left_at_work_but_not_the_owners_terminals() {
    let world = World::new().await;
    let spec = world.up().await;
    world.sh(spec.id, "nohup setsid sleep 1001 >/dev/null 2>&1 &").await;
    world.sh(spec.id, "LANYARD_KEEP=1 tmux new-session -d 'sleep 1002'").await;
    let next = world.next_run().await;
    assert_eq!(next.sweep(&[spec.id]).await.unwrap().ended, 1);
    next.ensure(&spec).await.unwrap();
    assert_eq!(world.sh(spec.id, "pgrep -fa '^sleep'").await.split_once(' ').unwrap().1, "sleep 1002");
}
