//! `lanyard image`: builds the sandbox image and shows how far it is.

use crate::{
    config::{Paths, Resolved},
    sessions::Workshop,
};
use domain::Problem;
use sandbox::Progress;

pub async fn build(config: &Resolved, paths: &Paths, rebuild: bool, json: bool) -> Result<(), Problem> {
    paths.make()?;
    let image = Workshop::build_image(config, paths, rebuild, show).await?;
    match json {
        true => println!("{}", serde_json::json!({ "image": image })),
        false => println!("{image}"),
    }
    Ok(())
}

fn show(progress: &Progress) {
    match progress {
        Progress::Step { n, of, words } => eprintln!("[{n}/{of}] {words}"),
        Progress::Line(line) => eprintln!("    {line}"),
        Progress::Bytes { .. } => {}
    }
}
