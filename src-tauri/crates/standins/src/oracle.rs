//! Other people's programs against which ours are checked: packages of PyPI and npm, installed once into the user's
//! cache (`$XDG_CACHE_HOME/lanyard/oracles`, else `~/.cache/lanyard/oracles`) by the machine's own `pip` and `npm`.

use anyhow::{Context, ensure};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A Python program with these packages, each as `name==version`.
pub fn python(packages: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = installed("python", packages, |folder| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        run(Command::new(folder.join("bin/python")).args(["-m", "pip", "install", "--quiet"]).args(packages))
    })?;
    Ok(folder.join("bin/python"))
}

/// A folder with a `node_modules` that holds these packages, each as `name@version`.
pub fn node(packages: &[&str]) -> anyhow::Result<PathBuf> {
    installed("node", packages, |folder| {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("package.json"), "{}")?;
        let install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
        run(Command::new("npm").args(install).args(packages).current_dir(folder))
    })
}

/// The folder for these packages, filled if it was not. A lock beside it lets one process install while others wait;
/// a mark in it says that the install came to its end.
fn installed(
    kind: &str,
    packages: &[&str],
    install: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let name: String = packages
        .join("+")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".+-".contains(c) { c } else { '_' })
        .collect();
    let oracles = cache()?;
    let folder = oracles.join(format!("{kind}-{name}"));
    fs::create_dir_all(&oracles)?;
    let lock = File::create(folder.with_added_extension("lock"))?;
    lock.lock().context("waiting for another install")?;
    let mark = folder.join(".complete");
    if !mark.exists() {
        install(&folder).with_context(|| format!("installing {}", packages.join(" ")))?;
        fs::write(mark, "")?;
    }
    Ok(folder)
}

fn cache() -> anyhow::Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|c| !c.is_empty()).map(PathBuf::from).or_else(home);
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("lanyard/oracles"))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// Runs a script with `input` as JSON on its standard input and reads JSON from its standard output. Blocks.
pub fn ask(command: &mut Command, input: &serde_json::Value) -> anyhow::Result<serde_json::Value> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("a pipe")?;
    let input = input.to_string();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    let _ = writer.join();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
