//! The config file beside what this Lanyard runs by.

use super::{Finding, Fix, broken, note};
use crate::{config, gateway::App, settings};

/// Nothing while both say the same.
pub fn finding(app: &App) -> Option<Finding> {
    if let Err(problem) = config::read(&app.paths.config).and_then(|file| Ok(config::Resolved::new(file)?)) {
        return Some(broken("config", problem));
    }
    let waiting = settings::waiting(app);
    let says = format!("The config file has changes that hold after a restart: {}.", waiting.join(", "));
    (!waiting.is_empty()).then(|| note("settings", says, "Restart Lanyard.").by(Fix::Restart))
}
