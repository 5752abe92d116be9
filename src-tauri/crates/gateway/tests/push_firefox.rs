//! Pushes from end to end: the page in a real Firefox, its service worker, and the lock screen its notices stand on.
#![cfg(target_os = "linux")]

mod api_world;
mod push_world;
mod world;

use domain::approval::{Approval, Decision};
use gateway::{clock, pairing};
use push_world::{ask, bash, letters};
use standins::{firefox::Firefox, lock_screen::Shown, push::Push};
use std::time::Duration;
use store::push_letters;
use world::{Running, SOON, Wish, World, until};

/// A browser that lost its line looks for it again within seconds.
const BACK: Duration = Duration::from_secs(60);

struct Desk {
    world: World,
    running: Running,
    push: Push,
    firefox: Firefox,
    session: domain::SessionId,
}

impl Desk {
    /// The owner paired this browser, turned notices on, and looks at something else.
    async fn new(config: &str) -> Self {
        let push = Push::start().await.unwrap();
        let config = format!("[push]\nbase_url = \"{}\"\n{config}\n", push.url());
        let world = World::new(Wish { config: &config, ..Wish::default() }).await;
        let running = world.start().await;
        let firefox = Firefox::start(&push.line()).await.unwrap();
        subscribed(&running, &firefox).await;
        firefox.open("about:blank").await.unwrap();
        until(SOON, async || (!running.app.callers.anyone_looks()).then_some(())).await;
        let session = api_world::events(&running, 0).await;
        Self { world, running, push, firefox, session }
    }

    /// What stands on the lock screen once `wanted` holds for it.
    async fn shows(&self, wanted: impl Fn(&[Shown]) -> bool) -> Vec<Shown> {
        let shown = self.firefox.screen.until(SOON, wanted).await;
        let (taken, refused) = (self.push.taken(), self.push.refused());
        shown.unwrap_or_else(|e| panic!("{e}; the browser took {taken} pushes, the service refused {refused:?}"))
    }

    async fn decided(&self, asked: &Approval) -> Decision {
        let (app, id) = (&self.running.app, asked.id);
        let look = async || app.store.read(move |r| store::approvals::expect(r, id)).await.unwrap().decision;
        until(SOON, look).await
    }

    /// What `lanyard logs --letters` prints.
    async fn printed(&self) -> String {
        let mut lanyard = tokio::process::Command::new(env!("CARGO_BIN_EXE_lanyard"));
        lanyard.args(["logs", "--letters"]).env("LANYARD_HOME", self.world.home());
        String::from_utf8_lossy(&lanyard.output().await.unwrap().stdout).into_owned()
    }

    async fn fate(&self, state: &str) {
        until(SOON, async || (letters(&self.running.app).await[0].state == state).then_some(())).await;
    }
}

async fn subscribed(running: &Running, firefox: &Firefox) {
    let code = pairing::offer(&running.app, true).code;
    let page = firefox.open(&format!("http://{}/pair#c={code}", running.app.public_addr)).await.unwrap();
    for button in ["Pair", "More", "Turn notices on"] {
        firefox.tap(&page, "button", button).await.unwrap();
    }
    firefox.find(&page, "button", "Turn notices off").await.unwrap();
}

#[tokio::test]
async fn a_question_stands_on_the_lock_screen_and_is_allowed_from_there() {
    let desk = Desk::new("text_after = 60").await;
    let asked = ask(&desk.running.app, desk.session, bash("npm test")).await;
    let shown = desk.shows(|shown| !shown.is_empty()).await;
    assert_eq!((shown[0].title.as_str(), shown.len()), ("#1 Session 1 asks", 1));
    assert!(shown[0].body.contains("May it run: npm test?"), "{shown:?}");
    desk.fate("shown").await;
    let ever = clock::now() + Duration::from_secs(3600);
    let texts = desk.running.app.store.read(move |r| push_letters::to_text(r, ever)).await.unwrap();
    assert_eq!((texts.0, desk.world.phone.received().len()), (vec![], 0), "no text goes about what was shown");
    desk.firefox.screen.press(&shown[0], "Allow once").await.unwrap();
    assert_eq!(desk.decided(&asked).await, Decision::Allowed);
    desk.shows(|shown| shown.is_empty()).await;
    let printed = desk.printed().await;
    assert!(printed.contains("push") && printed.contains("shown"), "{printed}");
    assert_eq!((desk.push.refused(), desk.push.taken()), (vec![], 1));
    desk.running.stop().await;
}

#[tokio::test]
async fn a_notice_that_was_answered_elsewhere_says_so_and_asks_no_more() {
    let desk = Desk::new("text_after = 60").await;
    let asked = ask(&desk.running.app, desk.session, bash("npm test")).await;
    desk.shows(|shown| shown.iter().any(|s| s.buttons.iter().any(|b| b == "Allow once"))).await;
    desk.world.text("no 1").await;
    assert!(matches!(desk.decided(&asked).await, Decision::Denied { .. }));
    let shown = desk.shows(|shown| shown.iter().any(|s| s.body.contains("Answered: refused."))).await;
    assert_eq!((shown.len(), shown[0].title.as_str(), shown[0].silent), (1, "#1 Session 1", true));
    assert!(!shown[0].buttons.iter().any(|b| b == "Allow once" || b == "Deny"), "{shown:?}");
    desk.running.stop().await;
}

#[tokio::test]
async fn a_browser_without_a_line_to_its_push_service_is_told_by_text() {
    let desk = Desk::new("text_after = 1").await;
    desk.push.cut_lines();
    let asked = ask(&desk.running.app, desk.session, bash("npm test")).await;
    let text = desk.world.arrives(SOON).await.body;
    assert!(text.contains("#1 may it run: npm test?") && text.contains("https://desk.example/p/"), "{text}");
    desk.fate("texted").await;
    desk.world.twilio.settled(SOON).await.unwrap();
    let printed = desk.printed().await;
    assert!(printed.contains("texted") && printed.contains("delivered"), "{printed}");
    assert!(desk.firefox.screen.shown().is_empty());
    desk.world.text("no 1").await;
    assert!(matches!(desk.decided(&asked).await, Decision::Denied { .. }));
    desk.push.mend_lines();
    let back = async || (desk.push.taken() > 0).then_some(());
    tokio::time::timeout(BACK, until(BACK, back)).await.unwrap();
    desk.running.stop().await;
}
