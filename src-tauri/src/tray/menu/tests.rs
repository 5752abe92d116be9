use super::*;
use crate::native_status::UpdateShown;
use domain::{ApprovalId, Problem, risk::Risk};
use gateway::desk::{Recent, TunnelGlance};

fn show(house: &House, glance: &Glance) -> String {
    let tray = super::super::Tray::of(View { house, glance, autostart: false, update: &UpdateShown::off() });
    let mut text = format!("[{}] {}\n", tray.face.name(), tray.says);
    draw(&tray.menu, 0, &mut text);
    text
}

fn draw(items: &[Item], depth: usize, text: &mut String) {
    for item in items {
        let line = match item {
            Item::Line => "---".to_owned(),
            Item::Says(words) => format!("({words})"),
            Item::Does { label, .. } => label.clone(),
            Item::Switch { label, on, .. } => format!("[{}] {label}", if *on { 'x' } else { ' ' }),
            Item::More { label, .. } => format!("{label} >"),
        };
        *text += &format!("{}{line}\n", "  ".repeat(depth));
        if let Item::More { items, .. } = item {
            draw(items, depth + 1, text);
        }
    }
}

fn asks(words: &str, in_full: &str, pick: Pick) -> OpenApproval {
    OpenApproval {
        id: ApprovalId::new(),
        number: 3,
        session: SessionId::new(),
        session_number: 7,
        words: words.into(),
        in_full: in_full.into(),
        risk: Risk::Low,
        hash: "ab".into(),
        pick,
        on_lock_screen: true,
    }
}

fn choices(items: &[Item]) -> Vec<Choice> {
    fn of(item: &Item) -> Vec<Choice> {
        match item {
            Item::Does { does, .. } | Item::Switch { does, .. } => vec![does.clone()],
            Item::More { items, .. } => choices(items),
            Item::Line | Item::Says(_) => Vec::new(),
        }
    }
    items.iter().flat_map(of).collect()
}

#[test]
fn all_that_the_tray_holds() {
    let id = SessionId::new();
    let glance = Glance {
        sandbox: SandboxState::Ready,
        tunnel: TunnelGlance { on: true, state: "open", url: Some("https://desk.example".into()) },
        working: vec![AtWork {
            id,
            number: 7,
            title: "fix the failing\ntest".into(),
            doing: Some("Bash npm test".into()),
        }],
        approvals: vec![asks("run: npm test", "run: npm test\ndescription: Run them", Pick::Allow)],
        tasks: Counts { queued: 3, running: 2, needs_you: 1 },
        recent: vec![Recent { id, number: 7, title: "fix the failing test".into() }],
        ..Glance::blank()
    };
    insta::assert_snapshot!(show(&House::Up, &glance), @"
    [needs-you] A question waits for you
    (A question waits for you)
    ---
    #3 run: npm test >
      (Session 7 asks, low risk)
      (run: npm test)
      (description: Run them)
      ---
      Allow once
      Deny
      Look at it…
    ---
    7  fix the failing test: Bash npm test >
      Watch it…
      Stop this turn
    Tasks: 2 at work, 1 of them needs you, 3 wait
    ---
    Open Lanyard
    Pair a phone…
    Recent sessions >
      7  fix the failing test
    ---
    Pause the sandbox
    [x] Tunnel
    Lost phone: lock everything…
    ---
    [ ] Start at login
    Quit Lanyard…
    ");
}

#[test]
fn what_does_not_fit_the_menu_can_be_refused_there_but_not_allowed() {
    let long = "x ".repeat(2_000);
    let glance = Glance { approvals: vec![asks("run: x", &long, Pick::Allow)], ..Glance::blank() };
    let menu = menu(View { house: &House::Up, glance: &glance, autostart: false, update: &UpdateShown::off() });
    let choices = choices(&menu);
    assert!(!choices.iter().any(|c| matches!(c, Choice::Run(Errand::Allow { .. }))));
    assert!(choices.iter().any(|c| matches!(c, Choice::Run(Errand::Deny { .. }))));
    assert!(choices.iter().any(|c| matches!(c, Choice::Show(at) if at.starts_with("/sessions/"))));
}

#[test]
fn a_question_is_answered_by_its_options_and_one_in_words_in_the_window() {
    let options = Pick::Option(vec!["Tabs".into(), "Spaces".into()]);
    let glance = Glance { approvals: vec![asks("Which?", "Which?\n1 Tabs\n2 Spaces", options)], ..Glance::blank() };
    assert!(show(&House::Up, &glance).contains("  Tabs\n  Spaces\n  Deny\n"));
    let glance = Glance { approvals: vec![asks("Why?", "Why?", Pick::Words)], ..Glance::blank() };
    assert!(show(&House::Up, &glance).contains("(Why?)\n  ---\n  Deny\n  Look at it…"));
}

#[test]
fn a_lanyard_that_does_not_start_says_why_and_what_can_be_done() {
    let damaged = House::Refused(Problem::from(Code::DatabaseDamaged));
    let text = show(&damaged, &Glance::blank());
    assert!(text.starts_with("[trouble] The database is damaged.") && text.contains("Try again"), "{text}");
    let other = show(&House::Refused(Code::AlreadyRunning.into()), &Glance::blank());
    assert!(other.contains("Stop it and run here…") && !other.contains("Pair a phone"), "{other}");
}

#[test]
fn the_face_tells_what_the_owner_can_do_something_about_first() {
    let work = vec![AtWork { id: SessionId::new(), number: 1, title: String::new(), doing: None }];
    let idle = Glance::blank();
    let working = Glance { working: work, ..Glance::blank() };
    let offline = Glance { offline: true, ..Glance::blank() };
    let trouble = Glance { trouble: Some("No key.".into()), ..working.clone() };
    let asks = Glance { approvals: vec![asks("a", "a", Pick::Allow)], ..trouble.clone() };
    let face = |glance: &Glance| super::super::Face::of(&House::Up, glance).name();
    assert_eq!(
        [&idle, &working, &offline, &trouble, &asks].map(face),
        ["idle", "working", "offline", "trouble", "needs-you"]
    );
}
