//! What can be mended from within: each by its name, and then looked at again.

use super::{Finding, State, asked_engine, in_time, lan, note, texting, tunnel, well};
use crate::{address, gateway::App, lan::State as Lan, restart, setup, sms::texting as texts};
use domain::{Code, Problem};
use std::time::Duration;
use tokio::time::timeout;

/// Something Lanyard can do about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fix {
    ResumeSandbox,
    MakeSandbox,
    BuildImage,
    TunnelOn,
    LanOn,
    SetWebhook,
    OpenTexting,
    Restart,
}

impl Fix {
    pub const ALL: [Fix; 8] = [
        Fix::ResumeSandbox,
        Fix::MakeSandbox,
        Fix::BuildImage,
        Fix::TunnelOn,
        Fix::LanOn,
        Fix::SetWebhook,
        Fix::OpenTexting,
        Fix::Restart,
    ];

    /// As `POST /mend/{fix}` names it.
    pub fn name(self) -> &'static str {
        match self {
            Fix::ResumeSandbox => "sandbox.resume",
            Fix::MakeSandbox => "sandbox.make",
            Fix::BuildImage => "image.build",
            Fix::TunnelOn => "tunnel.on",
            Fix::LanOn => "lan.on",
            Fix::SetWebhook => "webhook.set",
            Fix::OpenTexting => "texting.open",
            Fix::Restart => "restart",
        }
    }

    /// As a button says it.
    pub fn label(self) -> &'static str {
        match self {
            Fix::ResumeSandbox => "Resume it",
            Fix::MakeSandbox => "Start it",
            Fix::BuildImage => "Build the image",
            Fix::TunnelOn => "Open the tunnel",
            Fix::LanOn => "Open it again",
            Fix::SetWebhook => "Lead the number here",
            Fix::OpenTexting => "Try again",
            Fix::Restart => "Restart Lanyard",
        }
    }

    /// What it mends.
    fn what(self) -> &'static str {
        match self {
            Fix::ResumeSandbox | Fix::MakeSandbox => "sandbox",
            Fix::BuildImage => "image",
            Fix::TunnelOn => "tunnel",
            Fix::LanOn => "lan",
            Fix::SetWebhook => "webhook",
            Fix::OpenTexting => "twilio",
            Fix::Restart => "settings",
        }
    }

    /// The one of this name.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn named(name: &str) -> Result<Self, Problem> {
        let fix = Self::ALL.into_iter().find(|fix| fix.name() == name);
        fix.ok_or_else(|| Problem::with_detail(Code::NotFound, format!("Nothing is mended by {name}.")))
    }
}

/// A sandbox whose image is there starts within seconds.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// A way in that is going to open has done so within this time, or says why not.
const OPENS_WITHIN: Duration = Duration::from_secs(20);

/// Where it takes longer, it closes by itself.
const SHUTS_WITHIN: Duration = Duration::from_secs(5);

/// Does it; gives what is found then.
///
/// # Errors
/// Why it could not be done.
pub async fn mend(app: &App, fix: Fix) -> Result<Finding, Problem> {
    tracing::info!(fix = fix.name(), "the owner has something mended");
    match fix {
        Fix::ResumeSandbox => crate::lock::resume_all(app).await?,
        Fix::MakeSandbox => return made(app).await,
        Fix::BuildImage => app.workshop.begin_build(false)?,
        Fix::TunnelOn => setup::tunnel::open_anew(app).await?,
        Fix::LanOn => opened_nearby(app).await?,
        Fix::SetWebhook => drop(address::lead_now(app).await?),
        Fix::OpenTexting => texts::open_anew(app, app.texting.stands().settings().cloned()).await,
        Fix::Restart => {
            restart::begin(app, false).await?;
            return Ok(well(fix.what(), "Lanyard starts again."));
        }
    }
    let mut found = look(app, fix).await;
    // Of what stands in its way, where that is all that can be said.
    let at = found.iter().position(|finding| finding.what == fix.what());
    let at = at.or_else(|| found.iter().position(|finding| finding.state == State::Broken));
    Ok(at.map(|at| found.swap_remove(at)).unwrap_or_else(|| well(fix.what(), "Nothing is wrong with it any more.")))
}

async fn look(app: &App, fix: Fix) -> Vec<Finding> {
    match fix {
        Fix::ResumeSandbox | Fix::MakeSandbox | Fix::BuildImage => in_time(asked_engine(app)).await,
        Fix::TunnelOn => tunnel::findings(app),
        Fix::LanOn => lan::finding(app).await.into_iter().collect(),
        Fix::SetWebhook | Fix::OpenTexting => texting(app).await,
        Fix::Restart => Vec::new(),
    }
}

/// It goes on by itself where it takes longer, as where the image is built first.
async fn made(app: &App) -> Result<Finding, Problem> {
    let workshop = app.workshop.clone();
    let mut making = app.tasks.spawn(async move { workshop.make().await });
    match timeout(STARTS_WITHIN, &mut making).await {
        Ok(made) => made.map_err(|e| Problem::with_detail(Code::Internal, e))??,
        Err(_) => return Ok(note("sandbox", "It is being made.", "Look again in a minute.")),
    }
    let found = look(app, Fix::MakeSandbox).await.into_iter().find(|finding| finding.what == "sandbox");
    found.ok_or_else(|| Code::SandboxFailed.into())
}

/// It is shut first: what was refused before is not what becomes of it now.
async fn opened_nearby(app: &App) -> Result<(), Problem> {
    let mut state = app.lan.state();
    app.lan.switch.turn(false);
    drop(timeout(SHUTS_WITHIN, state.wait_for(|s| matches!(s, Lan::Off))).await);
    app.lan.switch.keep(&app.store, true).await.map_err(crate::approvals::internal)?;
    let settled = |s: &Lan| matches!(s, Lan::Open { .. } | Lan::Refused { .. });
    let _told_as_it_is = timeout(OPENS_WITHIN, state.wait_for(settled)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fix_has_a_name_and_a_label_of_its_own() {
        for fix in Fix::ALL {
            assert_eq!(Fix::named(fix.name()), Ok(fix));
            assert!(!fix.label().is_empty());
        }
        assert_eq!(Fix::named("docker.install").unwrap_err().code, Code::NotFound);
    }
}
