//! Where Lanyard keeps its things on this system.

use domain::{Code, Problem};
use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The folders and files of one Lanyard. `LANYARD_HOME` puts all of them under one folder.
#[derive(Clone, Debug)]
pub struct Paths {
    pub config: PathBuf,
    pub data: PathBuf,
    pub cache: PathBuf,
    /// Sockets; emptied by the system at a restart where it does that.
    pub run: PathBuf,
    /// Where Claude Code keeps its own things for this user: its history can be imported.
    pub claude: PathBuf,
}

impl Paths {
    /// `home` (from `--home` or `LANYARD_HOME`), or each system's own places.
    pub fn find(home: Option<&Path>) -> Result<Self, Problem> {
        if let Some(home) = home {
            let at = |name: &str| home.join(name);
            return Ok(Self {
                config: at("config.toml"),
                data: at("data"),
                cache: at("cache"),
                run: at("run"),
                claude: claude(),
            });
        }
        let Some(dirs) = directories::ProjectDirs::from("dev", "lanyard", "lanyard") else {
            return Err(Problem::with_detail(Code::ConfigInvalid, "This user has no home folder.")
                .suggest("Set LANYARD_HOME to a folder of yours."));
        };
        let data = dirs.data_dir().to_owned();
        Ok(Self {
            config: dirs.config_dir().join("config.toml"),
            cache: dirs.cache_dir().to_owned(),
            run: dirs.runtime_dir().map_or_else(|| data.join("run"), Path::to_owned),
            data,
            claude: claude(),
        })
    }

    pub fn database(&self) -> PathBuf {
        self.data.join("lanyard.db")
    }

    /// The socket file of the local door; only this user can open it.
    pub fn local_door(&self) -> PathBuf {
        self.run.join("local.sock")
    }

    /// Makes the folders, each readable by this user alone.
    pub fn make(&self) -> Result<(), Problem> {
        for folder in [&self.data, &self.cache, &self.run] {
            private_folder(folder).map_err(|e| {
                let code =
                    if e.kind() == std::io::ErrorKind::StorageFull { Code::DiskFull } else { Code::ConfigInvalid };
                Problem::with_detail(code, format!("{} could not be made: {e}.", folder.display()))
                    .suggest("Choose a folder you may write to with LANYARD_HOME, or free some space.")
            })?;
        }
        Ok(())
    }
}

/// As Claude Code itself looks for it.
fn claude() -> PathBuf {
    let home = || directories::BaseDirs::new().map(|dirs| dirs.home_dir().join(".claude"));
    std::env::var_os("CLAUDE_CONFIG_DIR").map(PathBuf::from).or_else(home).unwrap_or_default()
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}
