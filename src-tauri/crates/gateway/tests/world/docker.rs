//! What a world's gateways left in the engine, removed through the engine's own command line.

use sha2::{Digest, Sha256};
use std::{path::Path, process::Command};

/// Removes the containers and volumes of the Lanyard with this data folder. They carry a hash of it in their names.
pub fn sweep(data: &Path) {
    let hash = Sha256::digest(data.as_os_str().as_encoded_bytes());
    let instance: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let named = format!("name=lanyard-{instance}-");
    remove(&["ps", "--all", "--quiet", "--filter", &named], &["rm", "--force"]);
    remove(&["volume", "ls", "--quiet", "--filter", &named], &["volume", "rm", "--force"]);
}

/// Gives what one command lists to another.
fn remove(list: &[&str], remove: &[&str]) {
    let Ok(listed) = Command::new("docker").args(list).output() else { return };
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let names: Vec<&str> = names.split_whitespace().collect();
    if !names.is_empty() {
        let _said_by_docker_itself = Command::new("docker").args(remove).args(names).output();
    }
}
