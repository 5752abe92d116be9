//! An older Lanyard on a desktop of its own, in a folder of the owner's, and a place where releases are offered.

#![allow(dead_code, reason = "each test file uses a part")]

pub mod versions;

use crate::desktop::{
    App, Desktop, SOON,
    tray::{Icon, Panel},
    until,
};
use standins::releases::{Release, Releases};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;
use versions::{NEWER, Versions};

/// The kind that one file is, in the list of updates.
pub const HERE: &str = concat!("linux-", "x86_64");

pub struct World {
    pub desktop: Desktop,
    pub panel: Panel,
    pub releases: Releases,
    pub versions: Versions,
    /// The installed program.
    pub program: PathBuf,
    first_on_path: Option<PathBuf>,
}

impl World {
    /// The plain program, in the home folder.
    pub async fn new() -> Self {
        let versions = tokio::task::spawn_blocking(Versions::ready).await.unwrap();
        let older = versions.older.clone();
        Self::with(versions, &older).await
    }

    /// `older` in the home folder.
    pub async fn with(versions: Versions, older: &Path) -> Self {
        let desktop = Desktop::new().await;
        let (panel, releases) = (desktop.panel().await, Releases::start().await.unwrap());
        fs::write(desktop.home.path().join("ca.pem"), releases.ca()).unwrap();
        let program = desktop.home.path().join("Lanyard");
        fs::copy(older, &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { desktop, panel, releases, versions, program, first_on_path: None }
    }

    /// The installed program, as [`Desktop::command`] starts the built one.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let like = self.desktop.command(arguments);
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear();
        for (name, value) in like.as_std().get_envs() {
            value.map(|value| command.env(name, value));
        }
        command
            .env("SSL_CERT_FILE", self.desktop.home.path().join("ca.pem"))
            .env("LANYARD_UPDATE_URL", self.releases.list());
        if let Some(first) = &self.first_on_path {
            let rest = std::env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{}:{rest}", first.display()));
        }
        let log = fs::File::options().create(true).append(true).open(self.desktop.home.path().join("log")).unwrap();
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(log).kill_on_drop(true);
        command
    }

    pub fn first_on_path(&mut self, folder: PathBuf) {
        self.first_on_path = Some(folder);
    }

    pub fn start(&self) -> App {
        App::of(self.command(&["--minimized"]).spawn().unwrap(), &self.desktop)
    }

    /// Offers these bytes as the newer version, signed as they should be.
    pub fn offer(&self, file: Vec<u8>) {
        let signature = self.versions.key.sign(&file, Some(NEWER)).unwrap();
        self.releases.offer(Release { version: NEWER, target: HERE, file, signature });
    }

    /// The owner looks at the tray and asks for updates.
    pub async fn finds_an_update(&self) -> Icon {
        let icon = self.panel.icon().await;
        icon.until_menu("it is up", |menu| menu.find("Check for updates").is_some() && menu.find("Pair").is_some())
            .await;
        icon.click(None, "Check for updates").await;
        icon.until_menu("the newer version", |menu| menu.find("Install 0.2.0").is_some()).await;
        icon
    }

    /// The owner wants it, and this version ends. Fetching it takes longer than anything else.
    pub async fn wants_it(&self, icon: &Icon, older: &mut App) {
        icon.click(None, "Install 0.2.0").await;
        let ended = tokio::time::timeout(SOON * 4, older.child.wait()).await.expect("it is replaced in time").unwrap();
        assert!(ended.success(), "{}", self.desktop.log());
    }

    /// The owner wants it while a turn runs.
    pub async fn waits_for_the_turn(&self, icon: &Icon) {
        icon.click(None, "Install 0.2.0").await;
        let waits = async {
            while icon.menu().await.find("0.2.0 is installed after the running turn").is_none() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(SOON * 4, waits).await.expect("it waits in time");
    }

    /// The tray of the start after `starts` others.
    pub async fn next_start(&self, starts: usize) -> Icon {
        until("the next start", async || (self.panel.registered() > starts).then_some(())).await;
        self.panel.icon().await
    }

    /// What tells that a file was not touched.
    pub fn mark(&self) -> (u64, u64, i64, i64) {
        let file = fs::metadata(&self.program).unwrap();
        (file.ino(), file.len(), file.mtime(), file.mtime_nsec())
    }

    /// What lies beside the program and in the data folder that an update put there.
    pub fn left(&self) -> Vec<String> {
        let home = self.desktop.home.path();
        let names = [home.to_owned(), home.join("data")]
            .into_iter()
            .flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
        let names = names.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("update") || name.starts_with("Lanyard.")).collect()
    }
}

pub fn same(a: &Path, b: &Path) -> bool {
    fs::read(a).unwrap() == fs::read(b).unwrap()
}
