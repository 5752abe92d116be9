//! The real Claude Code, for tests and benches: where its program is, and a home of its own to run it in.

use anyhow::{Context, bail, ensure};
use std::{
    ffi::OsStr,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// The version the sandbox image pins.
pub const CLAUDE: &str = "2.1.329";
/// An older version that is kept working, so that a change of format is noticed on either side.
pub const CLAUDE_BEFORE: &str = "2.1.197";

/// The program of this version: `$LANYARD_CLAUDE` (for any version) if set, else from the cache
/// (`~/.cache/lanyard/claude/<version>/claude`), where it is fetched with `npm pack` when missing (about 170 MB, once).
/// Blocks while it is fetched.
pub fn claude_cli(version: &str) -> anyhow::Result<PathBuf> {
    if let Some(program) = std::env::var_os("LANYARD_CLAUDE") {
        return Ok(program.into());
    }
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _fetching = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let home = std::env::var_os("HOME").context("HOME is not set")?;
    let folder = Path::new(&home).join(".cache/lanyard/claude").join(version);
    let program = folder.join("claude");
    if !program.exists() {
        fetch(version, &folder).with_context(|| format!("fetching Claude Code {version}"))?;
    }
    Ok(program)
}

/// Unpacks beside the target and moves it into place, so that another process never meets half a program.
fn fetch(version: &str, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let fresh = tempfile::tempdir_in(folder)?;
    let package = format!("@anthropic-ai/claude-code-{}@{version}", platform()?);
    run(fresh.path(), "npm", ["pack", "--silent", &package])?;
    let packed = std::fs::read_dir(fresh.path())?.next().context("npm packed nothing")??.path();
    run(fresh.path(), "tar", [OsStr::new("xzf"), packed.as_os_str()])?;
    std::fs::rename(fresh.path().join("package/claude"), folder.join("claude"))?;
    Ok(())
}

fn platform() -> anyhow::Result<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("linux-x64"),
        ("linux", "aarch64") => Ok("linux-arm64"),
        ("macos", "x86_64") => Ok("darwin-x64"),
        ("macos", "aarch64") => Ok("darwin-arm64"),
        (os, arch) => bail!("no Claude Code package for {os} on {arch}"),
    }
}

fn run<S: AsRef<OsStr>>(folder: &Path, program: &str, arguments: impl IntoIterator<Item = S>) -> anyhow::Result<()> {
    let output =
        Command::new(program).args(arguments).current_dir(folder).output().with_context(|| program.to_owned())?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// A home and a workspace of its own for one Claude Code on this machine; gone when dropped.
pub struct Den {
    folder: tempfile::TempDir,
    program: PathBuf,
    /// The user it runs as, where this process is root: Claude Code refuses some modes as root.
    uid: Option<u32>,
}

impl Den {
    /// The sandbox's agent user, and the first ordinary user of most systems.
    const UID: u32 = 1000;

    pub fn new(version: &str) -> anyhow::Result<Self> {
        let program = claude_cli(version)?;
        let folder = tempfile::Builder::new().prefix("lanyard-den-").tempdir()?;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let uid = is_root(folder.path())?.then_some(Self::UID);
        let mut den = Self { folder, program, uid };
        for part in ["home", "workspace", "tmp"] {
            let path = den.folder.path().join(part);
            std::fs::create_dir(&path)?;
            chown(&path, uid, uid)?;
        }
        den.program = den.reachable_program()?;
        Ok(den)
    }

    /// A hard link where the cache lies in a folder that the other user may not enter, as `/root`; a copy where that is on
    /// another file system. `cp` writes it: a file this process had open for writing could be inherited by a child that
    /// another thread starts just then, and would be "busy" when it is to run.
    fn reachable_program(&self) -> anyhow::Result<PathBuf> {
        if self.uid.is_none() {
            return Ok(self.program.clone());
        }
        let link = self.folder.path().join("claude");
        if std::fs::hard_link(&self.program, &link).is_err() {
            run(self.folder.path(), "cp", [self.program.as_path(), &link])?;
        }
        Ok(link)
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// Writes a file of the workspace, owned by the agent.
    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> anyhow::Result<PathBuf> {
        let at = self.workspace().join(path);
        for folder in at.ancestors().skip(1).take_while(|f| !f.exists()).collect::<Vec<_>>().into_iter().rev() {
            std::fs::create_dir(folder)?;
            chown(folder, self.uid, self.uid)?;
        }
        std::fs::write(&at, contents)?;
        chown(&at, self.uid, self.uid)?;
        Ok(at)
    }

    /// The program's path, for a command line that begins with it.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A command that runs `claude` with these arguments in the den: its own user, home and workspace, an environment
    /// with nothing of this process's but the path.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.workspace()).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("HOME", self.home()).env("TMPDIR", self.folder.path().join("tmp")).env("SHELL", "/bin/bash");
        if let Some(uid) = self.uid {
            std::os::unix::process::CommandExt::uid(&mut command, uid);
            std::os::unix::process::CommandExt::gid(&mut command, uid);
        }
        command
    }
}

/// What still runs in here would make the folder anew while it is removed.
impl Drop for Den {
    fn drop(&mut self) {
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let inside =
                std::fs::read_link(process.path().join("cwd")).is_ok_and(|at| at.starts_with(self.folder.path()));
            if inside {
                let _ = Command::new("kill").arg("-9").arg(process.file_name()).status();
            }
        }
    }
}

fn is_root(own: &Path) -> std::io::Result<bool> {
    Ok(std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(own)?) == 0)
}
