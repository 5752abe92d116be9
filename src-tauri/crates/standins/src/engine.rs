//! What a test or a bench leaves in the Docker engine, found and removed by the engine's own command line.

use sha2::{Digest, Sha256};
use std::{path::Path, process::Command};

/// Names the Lanyard with this data folder in the engine: a hash of the folder, as its containers and volumes carry it.
pub fn instance(data: &Path) -> String {
    Sha256::digest(data.as_os_str().as_encoded_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Removes its containers and volumes.
pub fn sweep(data: &Path) {
    let named = format!("name=lanyard-{}-", instance(data));
    remove(&["ps", "--all", "--quiet", "--filter", &named], &["rm", "--force"]);
    remove(&["volume", "ls", "--quiet", "--filter", &named], &["volume", "rm", "--force"]);
}

/// Names of its containers and volumes.
pub fn left(data: &Path) -> Vec<String> {
    let named = format!("name=lanyard-{}-", instance(data));
    let containers = listed(&["ps", "--all", "--format", "{{.Names}}", "--filter", &named]);
    containers.into_iter().chain(listed(&["volume", "ls", "--quiet", "--filter", &named])).collect()
}

fn listed(list: &[&str]) -> Vec<String> {
    let Ok(listed) = Command::new("docker").args(list).output() else { return Vec::new() };
    String::from_utf8_lossy(&listed.stdout).split_whitespace().map(str::to_owned).collect()
}

/// Gives what one command lists to another.
fn remove(list: &[&str], remove: &[&str]) {
    let names = listed(list);
    if !names.is_empty() {
        let _said_by_docker_itself = Command::new("docker").args(remove).args(names).output();
    }
}

/// [`sweep`], however a test ends.
pub struct Sweep(pub std::path::PathBuf);

impl Drop for Sweep {
    fn drop(&mut self) {
        sweep(&self.0);
    }
}
