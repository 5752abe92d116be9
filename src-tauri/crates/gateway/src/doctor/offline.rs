//! What can be looked at while no Lanyard runs: why it does not start, and what it would miss.

use super::{Finding, broken, clock, database::database, disk, image, in_time, key, twilio, well};
use crate::{
    config::{self, Paths, Resolved},
    secrets::Secrets,
    sessions::Workshop,
    sms::texting::Texting,
};
use domain::Code;

/// Never empty: that nothing runs comes first.
pub async fn without_a_gateway(paths: &Paths) -> Vec<Finding> {
    let mut findings = vec![broken("lanyard", Code::NotRunning.into())];
    match config::read(&paths.config).and_then(|written| Ok(Resolved::new(written)?)) {
        Ok(config) => {
            findings.push(well("config", format!("{} is fine.", paths.config.display())));
            findings.extend(accounts_and_engine(&config, paths).await);
        }
        Err(problem) => findings.push(broken("config", problem)),
    }
    findings.push(database(paths).await);
    let existing = paths.data.ancestors().find(|folder| folder.exists());
    findings.extend(existing.map(disk));
    findings
}

async fn accounts_and_engine(config: &Resolved, paths: &Paths) -> Vec<Finding> {
    let secrets = Secrets::open(config);
    let texting = Texting::open(config.twilio.clone(), &secrets).await;
    let (mut findings, key, twilio, clock) =
        tokio::join!(in_time(engine(config, paths)), key(config, &secrets), twilio(&texting), clock(config));
    findings.push(key);
    findings.extend(twilio);
    findings.push(clock);
    findings
}

async fn engine(config: &Resolved, paths: &Paths) -> Vec<Finding> {
    match Workshop::look(config, paths).await {
        Ok((info, state)) => vec![well("engine", format!("Docker {} answers.", info.version)), image::finding(state)],
        Err(problem) => vec![broken("engine", problem)],
    }
}
