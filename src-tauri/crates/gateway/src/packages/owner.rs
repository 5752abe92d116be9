//! What the owner's package managers say they are set to. Each is asked in its own way; one that is not there says nothing.

use super::said::{self, SettingsFile};
use accounts::packages::{Index, Manager};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::process::Command;

/// npm starts in 0.4 s and pip in 0.3 s when all is well.
const PATIENCE: Duration = Duration::from_secs(10);
/// pip's own default, for it does not list what nobody has set.
const PIP_DEFAULT: &str = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)";

/// How the owner's managers are set.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    pub indexes: Vec<Index>,
    /// What of it no environment says: for the sandbox's own managers.
    pub files: Vec<SettingsFile>,
}

pub async fn read() -> Owners {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let python = if cfg!(windows) { "python" } else { "python3" };
    let (npm, pip, default, (cargo, cargo_file)) = tokio::join!(
        asked(npm, &["config", "list", "--long", "--json"]),
        asked(python, &["-m", "pip", "config", "list"]),
        asked(python, &["-c", PIP_DEFAULT]),
        cargo(),
    );
    let npm = npm.unwrap_or_default();
    let mut all = said::npm(&npm);
    let pip = said::pip(&pip.unwrap_or_default());
    match pip.iter().any(|index| index.main) {
        true => {}
        false => all.extend(default.and_then(|url| Index::new(Manager::Pip, url.trim()))),
    }
    all.extend(pip.into_iter().map(|set| set.index));
    all.extend(cargo);
    Owners { indexes: all, files: said::npm_scopes(&npm).into_iter().chain(cargo_file).collect() }
}

/// What a program prints; nothing where it is not there, fails or takes too long.
async fn asked(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    // Settings of a project are not the owner's: they hold where no project is.
    command.args(arguments).current_dir(home()?).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Cargo prints none of it: its file, and the names of the indexes it has fetched.
async fn cargo() -> (Vec<Index>, Option<SettingsFile>) {
    let Some(folder) = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cargo")))
    else {
        return Default::default();
    };
    let read = move || {
        let file = ["config.toml", "config"].iter().find_map(|name| std::fs::read_to_string(folder.join(name)).ok());
        let fetched = std::fs::read_dir(folder.join("registry/index")).into_iter().flatten().flatten();
        let fetched: Vec<String> = fetched.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        let file = file.unwrap_or_default();
        (said::cargo(&file, &fetched), said::cargo_settings(&file))
    };
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
}

fn home() -> Option<PathBuf> {
    std::env::home_dir()
}
