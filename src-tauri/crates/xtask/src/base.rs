//! The image that the sandbox image is built from: Debian's own where a registry answers, else one made here.

use crate::place::Place;
use crate::process;
use crate::setup::docker;
use crate::setup::mirrors::Mirrors;
use crate::setup::system::{self, System};
use crate::show::Step;
use crate::stamps::Inputs;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const CODENAME: &str = "bookworm";
/// What is pulled.
const OFFICIAL: &str = "debian:bookworm-slim";
/// What it is called in the engine, wherever it came from.
pub const TAG: &str = "lanyard-base:bookworm";
const LABEL: &str = "lanyard.base";
/// 30 MB on a slow line; a machine without a registry says so within a second.
const PULL: Duration = Duration::from_secs(90);
/// Changes when what [`make`] does to the tree changes, so that older images are made again.
const RECIPE: &str = "3";

/// Nothing a sandbox reads, and a third of the size.
const STRIPPED: [&str; 7] = [
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
];
/// As Debian's own slim image: no manuals from packages installed later, no archives kept, no service started.
const SETTINGS: [(&str, &str, u32); 4] = [
    (
        "etc/dpkg/dpkg.cfg.d/slim",
        "path-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\npath-exclude /usr/share/man/*\npath-exclude /usr/share/info/*\npath-exclude /usr/share/locale/*\n",
        0o644,
    ),
    (
        "etc/apt/apt.conf.d/slim",
        "Acquire::Languages \"none\";\nAcquire::GzipIndexes \"true\";\nAPT::Keep-Downloaded-Packages \"false\";\nBinary::apt::APT::Keep-Downloaded-Packages \"false\";\n",
        0o644,
    ),
    ("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755),
    ("etc/resolv.conf", "", 0o644),
];

/// Is it in the engine now? An older recipe's does not count, for its mirrors may be gone.
pub fn present() -> bool {
    let made = recipe(CODENAME).is_some_and(|recipe| docker::has_image(TAG, Some((LABEL, &recipe.1))));
    made || (docker::has_image(TAG, None) && docker::image_id(TAG) == docker::image_id(OFFICIAL))
}

/// Takes Debian's own, if the engine has it or a registry answers.
pub fn pull() -> bool {
    let step = Step::begin("Base image");
    step.say(OFFICIAL);
    let pulled = docker::has_image(OFFICIAL, None) || docker::pull(OFFICIAL, PULL);
    let named = pulled && docker::name_image(OFFICIAL, TAG);
    step.done(if named { OFFICIAL } else { "no image registry answers, so one is made here" });
    named
}

/// Can one be made on this machine, once debootstrap is there?
pub fn can_make(system: System) -> bool {
    system == System::Debian && crate::setup::is_root() && recipe(CODENAME).is_some()
}

/// Why there is none, and what the owner does about it.
pub fn advice() -> String {
    format!(
        "No image registry answers, so {OFFICIAL} cannot be fetched, and a base image can only be made on Debian as root.\n\
         Check the engine's way out (docker pull {OFFICIAL}), or bring the image from another machine (docker save, docker load)."
    )
}

/// Makes one with debootstrap from this machine's mirrors.
pub fn make(place: &Place) -> Result<()> {
    let (mirrors, fingerprint) = recipe(CODENAME).context("apt's sources name no mirror for this release")?;
    make_as(TAG, &mirrors, &fingerprint, place)
}

fn make_as(tag: &str, mirrors: &Mirrors, fingerprint: &str, place: &Place) -> Result<()> {
    let step = Step::begin("Base image");
    let tree = Tree::new(&place.cache.join("base"))?;
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", "--include=ca-certificates", CODENAME]).arg(&tree.0).arg(&mirrors.main);
    process::quiet(&mut debootstrap, &step, &place.log("debootstrap")?)?;
    slim(&tree.0, mirrors)?;
    step.say("into the engine");
    import(&tree.0, tag, fingerprint)?;
    step.done(&format!("{tag}, made from {}", mirrors.main));
    Ok(())
}

/// The mirrors and a fingerprint of everything that goes in.
fn recipe(codename: &str) -> Option<(Mirrors, String)> {
    let mirrors = Mirrors::here(&system::codename()?)?;
    let settings = SETTINGS.iter().fold(Inputs::default(), |inputs, (path, text, _)| inputs.word(path).word(text));
    let inputs = STRIPPED.iter().fold(settings, |inputs, path| inputs.word(path));
    let fingerprint = inputs.word(RECIPE).word(codename).word(&mirrors.sources_list(codename)).fingerprint();
    Some((mirrors, fingerprint))
}

fn slim(tree: &Path, mirrors: &Mirrors) -> Result<()> {
    for folder in STRIPPED {
        let folder = tree.join(folder);
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry?.path();
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) }
                .with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    // apt wants this one back.
    std::fs::create_dir_all(tree.join("var/cache/apt/archives/partial"))?;
    for (path, text, mode) in SETTINGS {
        write(&tree.join(path), text, mode)?;
    }
    write(&tree.join("etc/apt/sources.list"), &mirrors.sources_list(CODENAME), 0o644)?;
    if mirrors.uses_tls() {
        std::fs::copy("/etc/ssl/certs/ca-certificates.crt", tree.join("etc/ssl/certs/ca-certificates.crt"))?;
    }
    std::fs::remove_file(tree.join("etc/hostname")).ok();
    Ok(())
}

fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    allow(path, mode)
}

#[cfg(unix)]
fn allow(path: &Path, mode: u32) -> Result<()> {
    Ok(std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?)
}

#[cfg(not(unix))]
fn allow(_: &Path, _: u32) -> Result<()> {
    Ok(())
}

fn import(tree: &Path, tag: &str, fingerprint: &str) -> Result<()> {
    let mut tar =
        Command::new("tar").arg("-C").arg(tree).args(["--numeric-owner", "-c", "."]).stdout(Stdio::piped()).spawn()?;
    let packed = tar.stdout.take().context("tar has an output")?;
    let label = format!("LABEL {LABEL}={fingerprint}");
    let mut import = Command::new("docker");
    import.args(["import", "--change", &label, "--change", "CMD [\"bash\"]", "-", tag]);
    let imported = import.stdin(packed).stdout(Stdio::null()).status()?;
    if !tar.wait()?.success() || !imported.success() {
        bail!("{} failed", process::shown(&import));
    }
    Ok(())
}

/// A tree being made: 200 MB that go away however this ends.
struct Tree(PathBuf);

impl Tree {
    fn new(folder: &Path) -> Result<Tree> {
        let tree = folder.join(format!("tree-{}", std::process::id()));
        std::fs::create_dir_all(&tree).with_context(|| format!("cannot make {}", tree.display()))?;
        Ok(Tree(tree))
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // debootstrap mounts /proc in the tree and, when it is stopped, may leave it there; removing through a mount would be wrong.
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let prefix = format!("{}/", self.0.display());
        for mount in mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|mount| mount.starts_with(&prefix))
        {
            Command::new("umount").arg(mount).status().ok();
        }
        std::fs::remove_dir_all(&self.0).ok();
    }
}
