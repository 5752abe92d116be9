//! The one place that decides what the app does. Everything that happens comes as a [`Tick`]; everything it can do to the
//! desktop is a method of [`Desktop`]. Knows nothing of Tauri, windows' handles or D-Bus.

mod quitting;
#[cfg(test)]
mod tests;

use quitting::Asking;
pub use quitting::{Answer, Question};

use crate::{
    errands::Errand,
    keep::Wish,
    native_status::{NativeStatus, PLATFORM, TrayShown, UpdateShown, UpdateState},
    notices::{self, Key, Notice, Press, Tell, Told},
    start::Opening,
    tray::{Choice, House, Tray, View},
    updates,
};
use domain::Problem;
use gateway::desk::{Ended, Glance};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// One thing that happened.
#[derive(Debug)]
pub enum Tick {
    House(House),
    Glance(Box<Glance>),
    TurnEnded(Ended),
    /// In the tray's menu.
    Chosen(Choice),
    /// The tray icon itself was pressed.
    Opened,
    /// Whether something on this desktop shows tray icons.
    Host(bool),
    Window(Seen),
    /// A second start, whose arguments came here.
    StartedAgain(Opening),
    Answered(Question, Answer),
    Pressed(Key, Press),
    /// The page wishes Lanyard to start at login, or not.
    Autostart(bool),
    Update(UpdateShown),
    /// No turn ran, and the gateway was told to stop for an update.
    MakeWay,
    /// The page wishes something of updates.
    WishUpdate(updates::Input),
    /// A file that the page offered.
    Saved(std::path::PathBuf),
    /// What was asked of the gateway was refused.
    Failed(Problem),
    /// The system asks the app to end.
    Terminated,
}

/// What became of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Its close button.
    CloseAsked,
    Focused(bool),
}

/// What the controller can do to the desktop. Nothing here waits: what takes time tells its end by a tick.
pub trait Desktop: Send + 'static {
    /// Draws the tray; none takes it away.
    fn tray(&mut self, tray: Option<&Tray>);
    /// Shows the window in front of everything, at a screen if one is named. Makes it if there is none.
    fn show_window(&mut self, screen: Option<&str>);
    fn hide_window(&mut self);
    /// Ends the window with all its processes.
    fn drop_window(&mut self);
    /// Loads the page anew, if there is a window: what it came from is another now.
    fn reload_window(&mut self);
    /// What the window shows where there is no gateway.
    fn house(&mut self, house: &House);
    /// Tells the page.
    fn native(&mut self, status: &NativeStatus);
    fn show_notice(&mut self, notice: Notice);
    fn take_back_notice(&mut self, key: Key);
    /// Asks the person; the answer comes as [`Tick::Answered`].
    fn ask(&mut self, question: Question);
    fn run(&mut self, errand: Errand);
    fn wish(&mut self, wish: Wish);
    /// Stops the gateway, for good: [`House::Stopped`] comes.
    fn stop(&mut self);
    /// # Errors
    /// Why the system did not take it.
    fn set_autostart(&mut self, on: bool) -> Result<(), Problem>;
    /// What was wished of updates, or happened to them.
    fn update(&mut self, input: updates::Input);
    /// All has stopped: the app ends, after an update that waits for that.
    fn exit(&mut self);
}

/// A hidden window keeps its page this long, so that it comes back at once; then its processes end.
const KEPT_HIDDEN: Duration = Duration::from_secs(120);
/// Panels may start after the app does at login.
const HOST_COMES_WITHIN: Duration = Duration::from_secs(8);
/// A panel that was there and went is likely back: one that is started anew takes seconds, and GNOME's extensions are off while
/// the screen is locked. A minute is more than the one, and short enough for an owner whose tray is gone for good.
const HOST_RETURNS_WITHIN: Duration = Duration::from_secs(60);
/// After the list of questions changed, an entry may be another than the one that was aimed at.
const AIM: Duration = Duration::from_millis(800);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Gone,
    Hidden { since: Instant },
    Shown { focused: bool },
}

pub struct Controller<D> {
    desktop: D,
    house: House,
    glance: Glance,
    window: Window,
    host: TrayShown,
    /// Since when what showed the tray is gone; it may come back yet.
    host_gone: Option<Instant>,
    /// The window was opened only because there is no tray, and nobody has turned to it.
    for_want_of_a_tray: bool,
    autostart: bool,
    update: UpdateShown,
    told: Told,
    /// The owner quit and left the gateway running: no tray, no window, no notices.
    away: bool,
    asking: Asking,
    began: Instant,
    approvals_changed: Instant,
    /// What was drawn last.
    drawn: Option<Tray>,
    status: Option<NativeStatus>,
}

impl<D: Desktop> Controller<D> {
    pub fn new(desktop: D, opening: &Opening, autostart: bool, now: Instant) -> Self {
        let mut controller = Self {
            desktop,
            house: House::Starting,
            glance: Glance::blank(),
            window: Window::Gone,
            host: TrayShown::Unknown,
            host_gone: None,
            for_want_of_a_tray: false,
            autostart,
            update: UpdateShown::off(),
            told: Told::default(),
            away: false,
            asking: Asking::default(),
            began: now,
            approvals_changed: now,
            drawn: None,
            status: None,
        };
        if !opening.minimized || opening.screen.is_some() {
            controller.open(opening.screen.as_deref());
        }
        controller.draw();
        controller
    }

    /// Takes ticks until the app ends.
    pub async fn run(mut self, mut ticks: mpsc::Receiver<Tick>) {
        loop {
            let due = self.due();
            tokio::select! {
                tick = ticks.recv() => match tick {
                    Some(tick) => self.take(tick, Instant::now()),
                    None => return,
                },
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {
                    self.time_passed(Instant::now());
                }
            }
        }
    }

    /// When [`Controller::time_passed`] has something to do next.
    pub fn due(&self) -> Option<Instant> {
        let window = match self.window {
            Window::Hidden { since } => Some(since + KEPT_HIDDEN),
            Window::Gone | Window::Shown { .. } => None,
        };
        self.host_given_up_at().into_iter().chain(window).min()
    }

    /// When a panel is waited for no longer, where one is.
    fn host_given_up_at(&self) -> Option<Instant> {
        match self.host {
            TrayShown::Unknown => Some(self.began + HOST_COMES_WITHIN),
            TrayShown::Shown => self.host_gone.map(|gone| gone + HOST_RETURNS_WITHIN),
            TrayShown::Missing => None,
        }
    }

    pub fn time_passed(&mut self, now: Instant) {
        if self.host_given_up_at().is_some_and(|given_up_at| now >= given_up_at) {
            self.no_host();
        }
        if let Window::Hidden { since } = self.window
            && now >= since + KEPT_HIDDEN
        {
            self.window = Window::Gone;
            self.desktop.drop_window();
        }
        self.draw();
    }

    pub fn take(&mut self, tick: Tick, now: Instant) {
        match tick {
            Tick::House(house) => self.house_is(house),
            Tick::Glance(glance) => self.glance_is(*glance, now),
            Tick::TurnEnded(ended) => {
                let told = self.told.ended(&ended, self.looks());
                self.tell(told);
            }
            Tick::Chosen(choice) => self.chosen(choice, now),
            Tick::Opened => self.open(None),
            Tick::Host(true) => self.host_came(now),
            Tick::Host(false) => self.host_went(now),
            Tick::Window(Seen::CloseAsked) => self.close_asked(now),
            Tick::Window(Seen::Focused(focused)) => self.focused(focused),
            // It is made up for when all has stopped.
            Tick::StartedAgain(_) if self.ends() => self.desktop.update(updates::Input::StartedAgain),
            Tick::StartedAgain(opening) => self.open(opening.screen.as_deref()),
            Tick::Answered(question, answer) => self.answered(question, answer),
            Tick::Pressed(key, press) => self.pressed(key, press),
            Tick::Autostart(on) => self.set_autostart(on),
            Tick::Update(update) => self.update_is(update),
            Tick::WishUpdate(input) => self.desktop.update(input),
            // The owner quit in the meantime, and did not ask for a new start.
            Tick::MakeWay if self.ends() => {}
            Tick::MakeWay => {
                self.desktop.update(updates::Input::MadeWay);
                self.stop();
            }
            Tick::Saved(path) => self.say(notices::saved(&path)),
            Tick::Failed(problem) => self.say(notices::failed(&problem)),
            Tick::Terminated => {
                self.desktop.update(updates::Input::Hurry);
                self.stop();
            }
        }
        self.draw();
    }

    fn chosen(&mut self, choice: Choice, now: Instant) {
        let aimed = now >= self.approvals_changed + AIM;
        match choice {
            Choice::Show(screen) => self.open(Some(&screen)),
            Choice::Run(Errand::Allow { .. } | Errand::Answer { .. }) if !aimed => {}
            Choice::Run(errand) => self.desktop.run(errand),
            Choice::Autostart(on) => self.set_autostart(on),
            Choice::Lock => self.ask(Question::Lock),
            Choice::CheckForUpdates => {
                // The page shows what comes of it.
                self.open(Some("/settings"));
                self.desktop.update(updates::Input::Look { asked: true });
            }
            Choice::Update => self.desktop.update(updates::Input::Install(updates::When::Now)),
            Choice::TryAgain => self.desktop.wish(Wish::Again),
            Choice::TakeOver => self.ask(Question::TakeOver),
            Choice::Quit => self.quit(),
        }
    }

    fn pressed(&mut self, _key: Key, press: Press) {
        match press {
            Press::Allow { id, hash } => self.desktop.run(Errand::Notice { id, hash, allow: true }),
            Press::Deny { id, hash } => self.desktop.run(Errand::Notice { id, hash, allow: false }),
            Press::Look(screen) => self.open(Some(&screen)),
        }
    }

    fn house_is(&mut self, house: House) {
        // What was on its way when the end began.
        if self.house == House::Stopping && house != House::Stopped {
            return;
        }
        self.desktop.house(&house);
        let before = std::mem::replace(&mut self.house, house);
        if self.house != House::Up {
            self.glance = Glance::blank();
            let settled = self.told.glance(&self.glance, true);
            self.tell(settled);
        }
        match &self.house {
            House::Stopped => return self.desktop.exit(),
            // What went wrong is said where it cannot be missed.
            House::Refused(_) if !self.away => self.open(None),
            House::Starting | House::Up | House::Refused(_) | House::Stopping => {}
        }
        // The page of a gateway that runs stays over its restart, and finds back by itself.
        if matches!(before, House::Refused(_)) || matches!(self.house, House::Refused(_)) {
            self.desktop.reload_window();
        }
    }

    fn glance_is(&mut self, glance: Glance, now: Instant) {
        if self.house != House::Up {
            return;
        }
        if glance.approvals != self.glance.approvals {
            self.approvals_changed = now;
        }
        self.glance = glance;
        let tell = self.told.glance(&self.glance, self.looks());
        self.tell(tell);
    }

    /// Somebody looks at a page that shows all of it.
    fn looks(&self) -> bool {
        self.glance.looked_at || matches!(self.window, Window::Shown { focused: true })
    }

    fn tell(&mut self, tell: impl IntoIterator<Item = Tell>) {
        for tell in tell {
            match tell {
                Tell::Show(notice) => self.say(notice),
                Tell::TakeBack(key) => self.desktop.take_back_notice(key),
            }
        }
    }

    fn say(&mut self, notice: Notice) {
        if !self.away {
            self.desktop.show_notice(notice);
        }
    }

    fn host_came(&mut self, now: Instant) {
        if self.host != TrayShown::Shown {
            tracing::info!("the desktop shows the tray");
        }
        self.host = TrayShown::Shown;
        self.host_gone = None;
        if std::mem::take(&mut self.for_want_of_a_tray) {
            self.window = Window::Hidden { since: now };
            self.desktop.hide_window();
            self.desktop.take_back_notice(Key::Own);
        }
    }

    /// A panel may come a little later than the app, or come back.
    fn host_went(&mut self, now: Instant) {
        self.host_gone.get_or_insert(now);
        if self.host_given_up_at().is_some_and(|given_up_at| now >= given_up_at) {
            self.no_host();
        }
    }

    fn no_host(&mut self) {
        self.host = TrayShown::Missing;
        if self.away || self.ends() {
            return;
        }
        // Without a tray and a window nobody could reach it.
        if !matches!(self.window, Window::Shown { .. }) {
            self.open(None);
            self.for_want_of_a_tray = true;
        }
        self.say(notices::no_tray());
    }

    fn ends(&self) -> bool {
        matches!(self.house, House::Stopping | House::Stopped)
    }

    /// Whether it is in front the system tells, once it is.
    fn open(&mut self, screen: Option<&str>) {
        if self.ends() {
            return;
        }
        self.away = false;
        self.for_want_of_a_tray = false;
        let focused = matches!(self.window, Window::Shown { focused: true });
        self.window = Window::Shown { focused };
        self.desktop.show_window(screen);
    }

    fn focused(&mut self, focused: bool) {
        if let Window::Shown { focused: known } = &mut self.window {
            *known = focused;
        }
        self.for_want_of_a_tray &= !focused;
        let tell = self.told.glance(&self.glance, self.looks());
        self.tell(tell);
    }

    fn close_asked(&mut self, now: Instant) {
        self.for_want_of_a_tray = false;
        match self.host {
            TrayShown::Shown | TrayShown::Unknown => {
                self.window = Window::Hidden { since: now };
                self.desktop.hide_window();
            }
            TrayShown::Missing => self.quit(),
        }
    }

    fn set_autostart(&mut self, on: bool) {
        match self.desktop.set_autostart(on) {
            Ok(()) => self.autostart = on,
            Err(problem) => self.say(notices::failed(&problem)),
        }
    }

    /// What failed is told where nobody looks at the page that tells it.
    fn update_is(&mut self, update: UpdateShown) {
        let before = std::mem::replace(&mut self.update, update);
        if let Some(problem) = self.update.problem.as_ref().filter(|_| self.update.state == UpdateState::Failed)
            && before.problem.as_ref() != Some(problem)
            && !self.looks()
        {
            self.say(notices::update_failed(problem));
        }
    }

    /// Brings the tray and the page up to what is known; what has not changed is left alone.
    fn draw(&mut self) {
        let view = View { house: &self.house, glance: &self.glance, autostart: self.autostart, update: &self.update };
        let tray = (!self.away).then(|| Tray::of(view));
        if tray != self.drawn {
            self.desktop.tray(tray.as_ref());
            self.drawn = tray;
        }
        let status = NativeStatus {
            autostart: self.autostart,
            tray: self.host,
            platform: PLATFORM,
            update: self.update.clone(),
        };
        if self.status.as_ref() != Some(&status) {
            self.desktop.native(&status);
            self.status = Some(status);
        }
    }
}
