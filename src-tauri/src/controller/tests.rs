use super::*;
use crate::native_status::UpdateProblem;
use domain::{ApprovalId, Code, SessionId, event::Outcome, risk::Risk};
use gateway::desk::{AtWork, OpenApproval, Pick};
use std::sync::{Arc, Mutex};

/// Writes down what it is told to do.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<String>>>);

impl Paper {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    /// What was done since the last look.
    fn took(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Desktop for Paper {
    fn tray(&mut self, tray: Option<&Tray>) {
        self.note(tray.map_or("no tray".to_owned(), |t| format!("tray {}", t.face.name())));
    }
    fn show_window(&mut self, screen: Option<&str>) {
        self.note(format!("show {}", screen.unwrap_or("as it is")));
    }
    fn hide_window(&mut self) {
        self.note("hide");
    }
    fn drop_window(&mut self) {
        self.note("drop");
    }
    fn reload_window(&mut self) {
        self.note("reload");
    }
    fn house(&mut self, _: &House) {}
    fn native(&mut self, status: &NativeStatus) {
        self.note(format!("native tray {:?} login {}", status.tray, status.autostart));
    }
    fn show_notice(&mut self, notice: Notice) {
        self.note(format!("notice {}", notice.title));
    }
    fn take_back_notice(&mut self, _: Key) {
        self.note("notice taken back");
    }
    fn ask(&mut self, question: Question) {
        self.note(format!("ask {question:?}"));
    }
    fn run(&mut self, errand: Errand) {
        self.note(format!("run {errand:?}"));
    }
    fn wish(&mut self, wish: Wish) {
        self.note(format!("wish {wish:?}"));
    }
    fn stop(&mut self) {
        self.note("stop");
    }
    fn set_autostart(&mut self, on: bool) -> Result<(), Problem> {
        self.note(format!("login {on}"));
        Ok(())
    }
    fn update(&mut self, input: updates::Input) {
        self.note(format!("update {input:?}"));
    }
    fn exit(&mut self) {
        self.note("exit");
    }
}

/// An app whose gateway is up, and whose tray somebody shows.
struct Scene {
    app: Controller<Paper>,
    paper: Paper,
    now: Instant,
}

impl Scene {
    fn begun(opening: Opening) -> Self {
        let (paper, now) = (Paper::default(), Instant::now());
        let app = Controller::new(paper.clone(), &opening, false, now);
        Self { app, paper, now }
    }

    fn up() -> Self {
        let mut scene = Self::begun(Opening { minimized: true, ..Opening::default() });
        scene.take(Tick::House(House::Up));
        scene.take(Tick::Host(true));
        scene
    }

    fn take(&mut self, tick: Tick) -> Vec<String> {
        self.paper.took();
        self.app.take(tick, self.now);
        self.paper.took()
    }

    fn glance(&mut self, change: impl FnOnce(&mut Glance)) -> Vec<String> {
        let mut glance = self.app.glance.clone();
        change(&mut glance);
        self.take(Tick::Glance(Box::new(glance)))
    }

    fn later(&mut self, by: Duration) -> Vec<String> {
        self.now += by;
        self.paper.took();
        self.app.time_passed(self.now);
        self.paper.took()
    }
}

fn works() -> AtWork {
    AtWork { id: SessionId::new(), number: 1, title: "t".into(), doing: None }
}

fn asks() -> OpenApproval {
    OpenApproval {
        id: ApprovalId::new(),
        number: 1,
        session: SessionId::new(),
        session_number: 1,
        words: "run: ls".into(),
        in_full: "run: ls".into(),
        risk: Risk::Low,
        hash: "ab".into(),
        pick: Pick::Allow,
        on_lock_screen: true,
    }
}

fn allow(a: &OpenApproval) -> Choice {
    Choice::Run(Errand::Allow { id: a.id, hash: a.hash.clone() })
}

#[test]
fn it_begins_with_a_window_unless_it_starts_at_login() {
    assert!(Scene::begun(Opening::default()).paper.took().contains(&"show as it is".to_owned()));
    let minimized = Scene::begun(Opening { minimized: true, ..Opening::default() });
    assert!(!minimized.paper.took().iter().any(|did| did.starts_with("show")));
    let link = Opening { screen: Some("/pair".into()), minimized: true, home: None };
    assert!(Scene::begun(link).paper.took().contains(&"show /pair".to_owned()));
}

#[test]
fn closing_the_window_ends_nothing_and_its_processes_end_after_a_while() {
    let mut scene = Scene::up();
    scene.take(Tick::Opened);
    assert_eq!(scene.take(Tick::Window(Seen::CloseAsked)), ["hide"]);
    assert_eq!(scene.later(KEPT_HIDDEN / 2), [""; 0]);
    assert_eq!(scene.later(KEPT_HIDDEN), ["drop"]);
    assert_eq!(scene.take(Tick::Opened), ["show as it is"]);
}

#[test]
fn a_desktop_without_a_tray_gets_the_window_and_is_told_so() {
    let mut scene = Scene::begun(Opening { minimized: true, ..Opening::default() });
    let did = scene.later(HOST_COMES_WITHIN);
    assert_eq!(did[0], "show as it is");
    assert!(did[1].contains("no tray icons") && did[2].contains("Missing"), "{did:?}");
    scene.take(Tick::House(House::Up));
    assert_eq!(scene.take(Tick::Window(Seen::CloseAsked)), ["drop", "stop", "tray offline"], "closing it is quitting");
}

#[test]
fn a_panel_that_comes_late_is_found() {
    let mut scene = Scene::begun(Opening { minimized: true, ..Opening::default() });
    assert_eq!(scene.take(Tick::Host(false)), [""; 0], "not yet");
    scene.take(Tick::Host(true));
    assert_eq!(scene.later(HOST_COMES_WITHIN), [""; 0]);
    assert_eq!(scene.take(Tick::Host(false)), [""; 0], "one that goes away may come back");
    assert!(scene.later(HOST_RETURNS_WITHIN)[0].starts_with("show"), "and may not");
}

#[test]
fn a_locked_screen_that_takes_the_panel_away_leaves_no_window_behind() {
    let mut scene = Scene::up();
    scene.take(Tick::Host(false));
    assert_eq!(scene.later(HOST_RETURNS_WITHIN / 2), [""; 0]);
    assert_eq!(scene.take(Tick::Host(true)), [""; 0], "a short one");
    assert_eq!(scene.later(HOST_RETURNS_WITHIN), [""; 0]);
    scene.take(Tick::Host(false));
    assert_eq!(scene.later(HOST_RETURNS_WITHIN)[0], "show as it is", "a long one");
    scene.take(Tick::Window(Seen::Focused(false)));
    assert_eq!(scene.take(Tick::Host(true))[..2], ["hide", "notice taken back"]);
    scene.take(Tick::Host(false));
    scene.later(HOST_RETURNS_WITHIN);
    scene.take(Tick::Window(Seen::Focused(true)));
    assert!(!scene.take(Tick::Host(true)).contains(&"hide".to_owned()), "somebody has turned to it");
}

#[test]
fn a_panel_that_stays_away_counts_from_when_it_went() {
    let mut scene = Scene::up();
    scene.take(Tick::Host(false));
    scene.later(HOST_RETURNS_WITHIN / 2);
    scene.take(Tick::Host(false));
    assert_eq!(scene.app.due(), Some(scene.now + HOST_RETURNS_WITHIN / 2));
}

#[test]
fn quitting_asks_only_while_something_runs() {
    let mut scene = Scene::up();
    assert_eq!(scene.take(Tick::Chosen(Choice::Quit)), ["drop", "stop", "tray offline"]);
    assert_eq!(scene.take(Tick::House(House::Up)), [""; 0], "what was on its way changes nothing");
    assert_eq!(scene.take(Tick::House(House::Stopped))[0], "exit");
    let mut scene = Scene::up();
    scene.glance(|g| g.working.push(works()));
    let question = Question::Quit { sessions: 1, approvals: 0 };
    assert_eq!(scene.take(Tick::Chosen(Choice::Quit)), [format!("ask {question:?}")]);
    assert_eq!(scene.take(Tick::Chosen(Choice::Quit)), [""; 0], "one question at a time");
    assert_eq!(scene.take(Tick::Answered(question, Answer::Cancel)), [""; 0]);
    assert_eq!(scene.take(Tick::Answered(question, Answer::Other)), ["drop", "stop", "tray offline"]);
}

#[test]
fn left_running_it_is_not_seen_until_it_is_started_again() {
    let mut scene = Scene::up();
    scene.glance(|g| g.working.push(works()));
    let question = Question::Quit { sessions: 1, approvals: 0 };
    assert_eq!(scene.take(Tick::Answered(question, Answer::Yes)), ["drop", "no tray"]);
    assert_eq!(scene.glance(|g| g.approvals.push(asks())), [""; 0], "no notice, no icon");
    let again = scene.take(Tick::StartedAgain(Opening::default()));
    assert_eq!(again, ["show as it is", "tray needs-you"]);
}

#[test]
fn the_systems_wish_to_end_is_not_discussed() {
    let mut scene = Scene::up();
    scene.glance(|g| g.working.push(works()));
    assert_eq!(scene.take(Tick::Terminated), ["update Hurry", "drop", "stop", "tray offline"]);
}

#[test]
fn a_yes_that_was_aimed_at_another_question_does_not_count() {
    let (mut scene, a) = (Scene::up(), asks());
    scene.glance(|g| g.approvals.push(a.clone()));
    assert_eq!(scene.take(Tick::Chosen(allow(&a))), [""; 0]);
    scene.now += AIM;
    assert_eq!(
        scene.take(Tick::Chosen(allow(&a)))[0],
        format!("run {:?}", Errand::Allow { id: a.id, hash: a.hash.clone() })
    );
    let refused = scene.take(Tick::Failed(Code::ApprovalGone.into()));
    assert!(refused[0].starts_with("notice This approval was answered"), "{refused:?}");
}

#[test]
fn a_notice_comes_once_and_goes_when_it_is_answered() {
    let mut scene = Scene::up();
    assert_eq!(scene.glance(|g| g.approvals.push(asks())), ["notice #1 Session 1 asks", "tray needs-you"]);
    assert_eq!(scene.glance(|g| g.offline = true), [""; 0]);
    assert_eq!(scene.glance(|g| g.approvals.clear()), ["notice taken back", "tray offline"]);
}

#[test]
fn nobody_is_told_what_they_look_at() {
    let mut scene = Scene::up();
    scene.take(Tick::Opened);
    scene.take(Tick::Window(Seen::Focused(true)));
    assert_eq!(scene.glance(|g| g.approvals.push(asks())), ["tray needs-you"]);
    assert_eq!(scene.take(Tick::Window(Seen::Focused(false))), ["notice #1 Session 1 asks"]);
    let ended = Ended { session: SessionId::new(), number: 2, title: "t".into(), outcome: Outcome::Completed, seq: 9 };
    assert_eq!(scene.take(Tick::TurnEnded(ended)), ["notice Session 2 is done"]);
    assert_eq!(scene.take(Tick::Window(Seen::Focused(true))), ["notice taken back"]);
    scene.take(Tick::Opened);
    let ended = Ended { session: SessionId::new(), number: 3, title: "t".into(), outcome: Outcome::Completed, seq: 10 };
    assert_eq!(scene.take(Tick::TurnEnded(ended)), [""; 0], "it is in front still");
}

#[test]
fn a_window_that_is_open_but_not_in_front_hides_no_notice() {
    let mut scene = Scene::up();
    scene.take(Tick::Opened);
    assert_eq!(scene.glance(|g| g.approvals.push(asks()))[0], "notice #1 Session 1 asks");
}

#[test]
fn a_lanyard_that_does_not_start_shows_why_and_goes_on_when_it_can() {
    let mut scene = Scene::begun(Opening { minimized: true, ..Opening::default() });
    let did = scene.take(Tick::House(House::Refused(Code::PortTaken.into())));
    assert_eq!(did, ["show as it is", "reload", "tray trouble"]);
    assert_eq!(scene.take(Tick::Chosen(Choice::TryAgain)), ["wish Again"]);
    assert_eq!(scene.take(Tick::House(House::Starting)), ["reload", "tray offline"]);
    assert_eq!(scene.take(Tick::House(House::Up)), ["tray idle"]);
    assert_eq!(scene.take(Tick::Chosen(Choice::TakeOver)), ["ask TakeOver"]);
    assert_eq!(scene.take(Tick::Answered(Question::TakeOver, Answer::Yes)), ["wish TakeOver"]);
}

#[test]
fn a_lost_phone_locks_after_a_second_thought() {
    let mut scene = Scene::up();
    assert_eq!(scene.take(Tick::Chosen(Choice::Lock)), ["ask Lock"]);
    assert_eq!(scene.take(Tick::Answered(Question::Lock, Answer::Yes)), ["run Lock"]);
}

#[test]
fn a_lost_phone_waits_for_no_other_question() {
    let mut scene = Scene::up();
    scene.glance(|g| g.working.push(works()));
    scene.take(Tick::Chosen(Choice::Quit));
    assert_eq!(scene.take(Tick::Chosen(Choice::Lock)), ["ask Lock"]);
    assert_eq!(scene.take(Tick::Answered(Question::Lock, Answer::Yes)), ["run Lock"]);
    assert_eq!(scene.take(Tick::Chosen(Choice::Quit)), [""; 0], "that question is open still");
}

#[test]
fn a_start_while_it_stops_is_not_lost() {
    let mut scene = Scene::up();
    scene.take(Tick::Chosen(Choice::Quit));
    assert_eq!(scene.take(Tick::StartedAgain(Opening::default())), ["update StartedAgain"]);
    assert_eq!(scene.take(Tick::House(House::Stopped))[0], "exit");
    assert_eq!(scene.take(Tick::StartedAgain(Opening::default())), ["update StartedAgain"], "an update is installed");
}

#[test]
fn start_at_login_is_switched_where_the_system_keeps_it() {
    let mut scene = Scene::up();
    let did = scene.take(Tick::Chosen(Choice::Autostart(true)));
    assert_eq!(did, ["login true", "tray idle", "native tray Shown login true"]);
}

#[test]
fn the_questions_say_what_is_at_stake() {
    let body = |sessions, approvals| Question::Quit { sessions, approvals }.words().body;
    assert!(body(2, 1).starts_with("2 sessions are at work and one question waits."));
    assert!(body(0, 3).starts_with("3 questions wait."));
    assert!(body(0, 1).starts_with("One question waits."));
    assert_eq!(Question::Quit { sessions: 1, approvals: 0 }.words().other, Some("Stop all"));
}

#[test]
fn the_tray_asks_for_updates_and_installs_what_is_there() {
    let mut scene = Scene::up();
    assert!(scene.take(Tick::Chosen(Choice::CheckForUpdates)).contains(&"update Look { asked: true }".to_owned()));
    assert_eq!(scene.take(Tick::Chosen(Choice::Update)), ["update Install(Now)"]);
    assert_eq!(scene.take(Tick::MakeWay), ["update MadeWay", "drop", "stop", "tray offline"]);
}

#[test]
fn an_update_that_waited_brings_back_nothing_that_the_owner_quit() {
    let mut scene = Scene::up();
    scene.take(Tick::Chosen(Choice::Quit));
    assert_eq!(scene.take(Tick::MakeWay), [""; 0]);
}

#[test]
fn an_update_that_failed_is_told_once_where_nobody_looks() {
    let mut scene = Scene::up();
    let problem = Some(UpdateProblem::from(&Problem::from(Code::UpdateRefused)));
    let failed = UpdateShown { state: UpdateState::Failed, problem, ..UpdateShown::off() };
    let notice = format!("notice {}", Code::UpdateRefused.entry().sentence);
    assert!(scene.take(Tick::Update(failed.clone())).contains(&notice));
    assert!(!scene.take(Tick::Update(failed)).contains(&notice));
}
