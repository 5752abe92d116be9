//! The sandbox image: Lanyard's own program makes it, or says that it is there already.

use crate::place::Place;
use crate::process;
use crate::programs::Surroundings;
use crate::show::Step;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// Makes the image if anything that goes into it has changed, or in any case with `rebuild`.
pub fn ensure(place: &Place, lanyard: &Path, surroundings: &Surroundings, rebuild: bool) -> Result<()> {
    let step = Step::begin("Sandbox image");
    let mut image = Command::new(lanyard);
    image.arg("image");
    if rebuild {
        image.arg("--rebuild");
    }
    let log = place.log("Sandbox image")?;
    process::quiet(surroundings.give(&mut image), &step, &log)?;
    let said = std::fs::read_to_string(log).unwrap_or_default();
    step.done(said.lines().last().unwrap_or_default().trim());
    Ok(())
}
