//! The door on the local network, from the command line.

use super::{
    client::LocalDoor,
    tunnel::{Switch, Way},
};
use domain::Problem;
use serde_json::Value;
use std::time::Duration;

/// A door that is going to open has done so within this time, or says why not; a keychain may ask a person first.
const OPENS_WITHIN: Duration = Duration::from_secs(25);

pub async fn act(door: &LocalDoor, switch: Option<Switch>, json: bool) -> Result<(), Problem> {
    let way = Way { path: "/lan", opens_within: OPENS_WITHIN, settled: |_, _| true, tell };
    way.turn(door, switch, json).await
}

fn tell(shown: &Value) {
    println!("{}", shown["words"].as_str().unwrap_or_default());
    let Some(url) = shown["certificate"]["url"].as_str() else { return };
    let nearby = shown["status"]["urls"].as_array().into_iter().flatten().filter_map(Value::as_str);
    // Without a public address it comes over the door that is not trusted yet.
    let warning = if nearby.into_iter().any(|at| url.starts_with(at)) {
        "\n     The browser warns this once; compare the fingerprint below before you install it."
    } else {
        ""
    };
    println!(
        "
A phone uses it by itself, and the tunnel elsewhere, once it trusts this computer's certificate. On the phone:

  1. Open {url}{warning}
  2. iPhone: Settings, Profile Downloaded, Install; then General, About, Certificate Trust Settings, switch it on.
     Android: Settings, search for \"CA certificate\", install the file from Downloads.
  3. Open the page again. If it asks whether it may reach devices on the local network, allow that.

The certificate vouches for .local names and private addresses alone. Its fingerprint (SHA-256):
  {}",
        fingerprint(shown["certificate"]["fingerprint"].as_str().unwrap_or_default())
    );
}

/// As phones show it.
fn fingerprint(hex: &str) -> String {
    let pairs: Vec<String> =
        hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
    let rows: Vec<String> = pairs.chunks(16).map(|row| row.join(":")).collect();
    rows.join(":\n  ")
}
