//! The first screen: how everything stands, in one answer that waits for nobody.

mod looks;

pub use looks::{Looks, Seen, refresh};

use crate::address::Number;
use crate::{
    approvals::internal,
    clock,
    gateway::App,
    restart, settings, setup,
    sms::texting::Stands,
    stream::view,
    wire::desk::{Home, ImageShown, ImageShownState, SandboxShown, SpendToday, TextingShown, WindowShown},
};
use domain::Problem;
use egress::Window;
use sandbox::ImageState;
use store::{approvals, usage};

/// # Errors
/// As the store's.
pub async fn shown(app: &App) -> Result<Home, Problem> {
    let seen = app.looks.now(app).await;
    let read = app.store.read(|r| Ok((approvals::all_open(r)?.len(), usage::since(r, clock::midnight())?)));
    let (open_approvals, spent) = read.await.map_err(internal)?;
    let (house, image) = (view::house(app).await, image(app, &seen));
    let (sandbox, says) = (house.sandbox.clone(), house.sandbox_says.clone());
    let tokens = spent.tokens;
    Ok(Home {
        version: env!("CARGO_PKG_VERSION"),
        name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        started_at: app.started.0,
        uptime_ms: clock::now().since(app.started).as_millis() as u64,
        house,
        steps: setup::steps(app, &seen, &image).await?,
        sandbox: SandboxShown { state: sandbox, says, image },
        texting: texting(app),
        today: SpendToday {
            dollars: spent.cost.dollars(),
            cap_dollars: app.settings.rules().caps.dollars.day.dollars(),
            tokens: tokens.input + tokens.output + tokens.cache_read + tokens.cache_write,
            responses: spent.responses,
            windows: windows(app),
        },
        open_approvals,
        working: restart::working(app),
        restart_needed: !settings::waiting(app).is_empty(),
        locked: app.lock.is_shut(),
    })
}

/// A subscription's windows.
pub fn windows(app: &App) -> Vec<WindowShown> {
    let name = |name: &str| if name == "5h" { "5 hours".to_owned() } else { "7 days".to_owned() };
    let shown = |window: Window| WindowShown {
        name: name(window.name),
        percent: (window.used * 1000.0).round() / 10.0,
        resets_at: window.resets_at.map(|at| at.0),
    };
    app.house.windows().into_iter().map(shown).collect()
}

/// The image as the engine said when it was last asked, or as its build goes.
pub fn image(app: &App, seen: &Seen) -> ImageShown {
    let last = app.workshop.last_build();
    if let Some(build) = app.workshop.building() {
        return ImageShown { state: ImageShownState::Building, says: build.says, progress: Some(build.progress) };
    }
    let shown = |state, says: String| ImageShown { state, says, progress: None };
    match &seen.image {
        Some(Ok(ImageState::Ready(image))) => {
            shown(ImageShownState::Ready, format!("{} with Claude Code {}.", image.tag, image.claude_version))
        }
        Some(Ok(_)) if last.problem.is_some() => shown(ImageShownState::Failed, last.says),
        Some(Ok(ImageState::Other { .. })) => {
            shown(ImageShownState::Old, "There is one of another version. It is built anew at the next start.".into())
        }
        Some(Ok(ImageState::Missing)) => shown(ImageShownState::Missing, "It is not built yet.".into()),
        Some(Err(problem)) => shown(ImageShownState::Unknown, problem.message.clone()),
        None => shown(ImageShownState::Unknown, "It is being looked at.".into()),
    }
}

/// Whether texts come and go, as far as is known without asking Twilio.
fn texting(app: &App) -> TextingShown {
    match app.texting.stands() {
        Stands::NotSetUp => TextingShown { set_up: false, number: None, works: None, says: None },
        Stands::Shut { settings, why } => {
            TextingShown { set_up: true, number: Some(settings.from), works: Some(false), says: Some(why.message) }
        }
        Stands::Open(texting) => {
            let (works, says) = match app.address.number() {
                Number::Proved => (Some(true), Some("Texts to the number lead here; that was proved.".to_owned())),
                Number::Failed { why } => (Some(false), Some(why.message)),
                Number::Untouched if app.address.url().is_none() => {
                    (Some(false), Some("There is no public address for Twilio to post to.".to_owned()))
                }
                Number::Untouched => (None, None),
            };
            TextingShown { set_up: true, number: Some(texting.settings.from.clone()), works, says }
        }
    }
}
