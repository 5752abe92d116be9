//! Packages that were made here, as their owners have them: one version becomes the next, and the Debian package comes and goes.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod desktop;
mod updates_world;

use desktop::{processes_of, until};
use standins::releases::Release;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use updates_world::{
    World, same,
    versions::{NEWER, Released, Versions},
};

fn released() -> Released {
    Released::named().expect("cargo xtask release --prove names what it made")
}

/// The one file in a folder whose name ends so.
fn package(folder: &Path, ending: &str) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .find(|file| file.to_string_lossy().ends_with(ending))
        .unwrap_or_else(|| panic!("{ending} in {}", folder.display()))
}

/// Offers a package with the signature that was made with it.
fn offer(world: &World, package: &Path, target: &str) {
    let signature = fs::read_to_string(format!("{}.sig", package.display())).unwrap().trim().to_owned();
    world.releases.offer(Release { version: NEWER, target, file: fs::read(package).unwrap(), signature });
}

async fn becomes_the_newer(world: &World) {
    let mut older = world.start();
    let icon = world.finds_an_update().await;
    world.wants_it(&icon, &mut older).await;
    let icon = world.next_start(1).await;
    icon.until_menu("it is up", |menu| menu.find("Pair").is_some()).await;
    until("what was kept is gone", async || world.left().is_empty().then_some(())).await;
    assert!(world.desktop.log().contains("updated"), "{}", world.desktop.log());
    let _ended_already = world.command(&["stop"]).status().await.unwrap();
    until("nothing left", async || processes_of(world.desktop.home.path()).is_empty().then_some(())).await;
}

#[tokio::test]
async fn an_appimage_becomes_the_newer_one() {
    let released = released();
    let newer = package(&released.newer, ".AppImage");
    let world = World::with(Versions::ready(), &package(&released.older, ".AppImage")).await;
    offer(&world, &newer, "linux-x86_64-appimage");
    becomes_the_newer(&world).await;
    assert!(same(&world.program, &newer));
}

#[tokio::test]
async fn an_appimage_whose_next_version_dies_comes_back() {
    let released = released();
    let older = package(&released.older, ".AppImage");
    let world = World::with(Versions::ready(), &older).await;
    let (file, key) = (fs::read("/bin/false").unwrap(), &released.key);
    let signature = key.sign(&file, Some(NEWER)).unwrap();
    world.releases.offer(Release { version: NEWER, target: "linux-x86_64-appimage", file, signature });
    let mut app = world.start();
    let icon = world.finds_an_update().await;
    world.wants_it(&icon, &mut app).await;
    let icon = world.next_start(1).await;
    icon.until_menu("it is up", |menu| menu.find("Pair").is_some()).await;
    assert!(same(&world.program, &older));
    let _ended_already = world.command(&["stop"]).status().await.unwrap();
    until("nothing left", async || processes_of(world.desktop.home.path()).is_empty().then_some(())).await;
}

/// Removes the package again, whatever became of the test.
struct Installed;

impl Drop for Installed {
    fn drop(&mut self) {
        dpkg(&["--purge", "lanyard"]);
    }
}

fn dpkg(arguments: &[&str]) {
    let done = Command::new("dpkg").args(arguments).output().expect("a Debian");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn a_debian_package_becomes_the_newer_one_and_goes_without_a_trace() {
    let released = released();
    let (older, newer) = (package(&released.older, ".deb"), package(&released.newer, ".deb"));
    let mut world = World::with(Versions::ready(), &package(&released.older, "lanyard-desktop")).await;
    dpkg(&["-i", &older.to_string_lossy()]);
    let installed = Installed;
    world.program = "/usr/bin/lanyard-desktop".into();
    let version = || {
        let said = Command::new("dpkg-query").args(["-W", "-f=${Version}", "lanyard"]).output().unwrap();
        String::from_utf8(said.stdout).unwrap()
    };
    assert_eq!(version(), "0.1.0");
    let named = Command::new("/usr/bin/lanyard").arg("--version").output().unwrap();
    assert!(named.status.success(), "the command line comes with it");
    assert!(Path::new("/usr/bin/lanyard-relay").is_file());
    offer(&world, &newer, "linux-x86_64-deb");
    // Who asks for the right to install; here it is there already.
    let asks = world.desktop.home.path().join("asks");
    fs::create_dir(&asks).unwrap();
    fs::write(asks.join("pkexec"), "#!/bin/sh\nexec \"$@\"\n").unwrap();
    fs::set_permissions(asks.join("pkexec"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    world.first_on_path(asks);
    becomes_the_newer(&world).await;
    assert_eq!(version(), NEWER);
    drop(installed);
    for left in [
        "/usr/bin/lanyard-desktop",
        "/usr/bin/lanyard",
        "/usr/bin/lanyard-relay",
        "/usr/share/applications/Lanyard.desktop",
    ] {
        assert!(!Path::new(left).exists(), "{left}");
    }
}
