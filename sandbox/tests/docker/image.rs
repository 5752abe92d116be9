//! The image: what is in it, a picture of a page, and what happens when it is missing.

use crate::world::{World, docker, relay_binary, settings, spec};
use domain::Code;
use sandbox::{Carrier, Command, Error, Progress, Sandboxes, Volumes};
use std::sync::Mutex;

#[tokio::test]
async fn the_agents_tools_are_there() {
    let world = World::new().await;
    let id = world.up().await.id;
    let versions =
        "for tool in git rg tmux jq curl less ps ssh python3 node npm claude chromium; do command -v $tool; done";
    assert_eq!(world.sh(id, versions).await.lines().count(), 13);
    assert!(world.sh(id, "node --version").await.starts_with("v22."));
    assert_eq!(world.sh(id, "npm --version").await, "10.9.9");
    assert_eq!(world.sh(id, "claude --version").await, "2.1.329 (Claude Code)");
    assert_eq!(world.sh(id, "tmux new-session -d && tmux show -gv history-limit; tmux kill-server").await, "50000");
}

#[tokio::test]
async fn a_page_is_pictured_under_all_the_walls() {
    let world = World::new().await;
    let id = world.up().await.id;
    let page = "<body style='margin:0;background:#06c'><h1 style='color:#fff'>Sum: <b id=s></b></h1>
        <script>s.textContent = 20 + 22; document.body.style.height = '100vh'</script>";
    world.write_file(id, "/workspace/index.html", page).await.unwrap();
    let _server = world.attach(id, Command::new(["python3", "-m", "http.server", "8000"])).await.unwrap();
    let shot = "until curl -sf --noproxy '*' -o /dev/null http://127.0.0.1:8000/; do sleep 0.1; done
        lanyard-shot http://127.0.0.1:8000/ /tmp/page.png 800x600";
    world.sh(id, shot).await;
    let png = world.read_file(id, "/tmp/page.png", 1_000_000).await.unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((side(16), side(20)), (800, 600));
    if let Some(folder) = std::env::var_os("LANYARD_KEEP_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join("page.png"), &png).unwrap();
    }
    let none = world.run(id, "lanyard-shot http://127.0.0.1:9/ /nowhere/x.png").await;
    assert_eq!(none.status, 1);
}

#[tokio::test]
async fn a_missing_image_is_built_with_progress_and_found_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), Carrier::Auto);
    // An image of its own, which is missing at first and can be taken away at the end.
    settings.agent_uid = 20_000 + std::process::id() % 20_000;
    let uid = settings.agent_uid;
    let (sandboxes, _incoming) = Sandboxes::connect(settings).await.unwrap();
    let heard = Mutex::new(Vec::new());
    let built = sandboxes.ensure_image(&|step| heard.lock().unwrap().push(step)).await.unwrap();
    assert!(built.built && built.bytes > 500 << 20, "{built:?}");
    let steps: Vec<(u32, u32)> = heard.lock().unwrap().iter().filter_map(number).collect();
    assert_eq!(steps.first().unwrap().0, 1);
    assert_eq!(steps.last().unwrap().0, steps.last().unwrap().1);
    assert!(heard.lock().unwrap().iter().any(|step| matches!(step, Progress::Bytes { done, of } if done <= of)));
    assert!(steps.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1), "{steps:?}");
    assert!(!sandboxes.ensure_image(&|_| panic!("nothing is to be done")).await.unwrap().built);
    let spec = spec();
    sandboxes.ensure(&spec).await.unwrap();
    assert_eq!(
        sandboxes.exec(spec.id, Command::new(["id", "-u"])).await.unwrap().stdout,
        format!("{uid}\n").into_bytes()
    );
    sandboxes.remove(spec.id, Volumes::Delete).await.unwrap();
    docker(&["rmi", &built.tag]);
}

fn number(progress: &Progress) -> Option<(u32, u32)> {
    match progress {
        Progress::Step { n, of, .. } => Some((*n, *of)),
        Progress::Bytes { .. } | Progress::Line(_) => None,
    }
}

#[tokio::test]
async fn a_missing_base_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), Carrier::Auto);
    settings.base = "lanyard-no-such-base:1".to_owned();
    let (sandboxes, _incoming) = Sandboxes::connect(settings).await.unwrap();
    let missing = sandboxes.ensure_image(&|_| {}).await.unwrap_err();
    assert!(matches!(&missing, Error::BaseMissing { base } if base == "lanyard-no-such-base:1"), "{missing:?}");
    assert_eq!(missing.code(), Code::NoImage);
    assert!(missing.to_string().contains("docker pull"));
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), Carrier::Auto);
    settings.engine = Some("unix:///nowhere/docker.sock".to_owned());
    let Err(missing) = Sandboxes::connect(settings).await else { panic!("connected") };
    assert_eq!(missing.code(), Code::NoEngine);
}

#[test]
fn the_relay_needs_no_library_of_the_image() {
    let elf = std::fs::read(relay_binary()).unwrap();
    let number = |at: usize| usize::from(u16::from_le_bytes(elf[at..at + 2].try_into().unwrap()));
    let (start, size, count) = (number(32), number(54), number(56));
    let interpreters = (0..count).filter(|n| elf[start + n * size] == 3).count();
    assert_eq!(interpreters, 0, "it asks for a dynamic loader");
}

#[tokio::test]
async fn old_images_of_ours_go_and_nobody_else_s_nor_one_in_use() {
    let world = World::new().await;
    let own = world.settings.instance.clone();
    let mark = &own["test-".len()..];
    let tag = |name: &str| format!("lanyard-sandbox:{mark}-{name}");
    for (name, instance) in [("old", own.as_str()), ("used", &own), ("theirs", "test-another")] {
        let label = format!("LABEL dev.lanyard.image.instance={instance} dev.lanyard.claude.version=2.1.1");
        let empty = tempfile::NamedTempFile::new().unwrap();
        let path = empty.path().to_str().unwrap();
        std::process::Command::new("tar").args(["cf", path, "-T", "/dev/null"]).status().unwrap();
        docker(&["import", "--change", &label, path, &tag(name)]);
    }
    let container = format!("lanyard-test-{mark}-used");
    docker(&["create", "--name", &container, &tag("used"), "true"]);
    let sandbox::ImageState::Ready(current) = world.image_state().await.unwrap() else { panic!("it was ensured") };
    assert_eq!(world.remove_old_images().await.unwrap(), [tag("old")]);
    docker(&["rm", &container]);
    assert_eq!(world.remove_old_images().await.unwrap(), [tag("used")]);
    docker(&["image", "inspect", "-f", "ok", &current.tag]);
    docker(&["rmi", &tag("theirs")]);
}

#[tokio::test]
async fn an_image_that_is_not_built_yet_is_told_apart_from_one_that_fits() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), Carrier::Auto);
    settings.agent_uid = 40_000 + std::process::id() % 20_000;
    let (sandboxes, _incoming) = Sandboxes::connect(settings).await.unwrap();
    let state = sandboxes.image_state().await.unwrap();
    assert!(matches!(state, sandbox::ImageState::Other { .. } | sandbox::ImageState::Missing), "{state:?}");
}
