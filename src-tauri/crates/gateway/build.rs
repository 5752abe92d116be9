//! The page is embedded from `ui/dist`. Where it was not built (a check of the Rust code alone) an empty folder stands in,
//! so that the crate compiles; the page then answers "not found".

use std::{env, fs, path::Path};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let dist = Path::new(&root).join("../../../ui/dist");
    if let Err(e) = fs::create_dir_all(&dist) {
        println!("cargo::warning=ui/dist could not be made: {e}");
    }
    println!("cargo::rerun-if-changed={}", dist.display());
}
