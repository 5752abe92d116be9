use super::*;
use domain::Code;
use proptest::prelude::*;

fn release() -> Release {
    Release { version: "0.2.0".into(), notes: Some("Better.".into()) }
}

fn course() -> Course {
    Course::new("0.1.0".into(), None)
}

/// What the last of these inputs asks for.
fn after(course: &mut Course, inputs: impl IntoIterator<Item = Input>) -> Vec<Effect> {
    inputs.into_iter().map(|input| course.step(input)).last().unwrap_or_default()
}

fn ready(when: When) -> Course {
    let mut course = course();
    after(
        &mut course,
        [Input::Look { asked: true }, Input::Found(Some(release())), Input::Install(when), Input::Verified],
    );
    course
}

fn state(course: &Course) -> UpdateState {
    course.shown().state
}

#[test]
fn a_newer_version_is_shown_and_not_fetched_until_the_owner_wants_it() {
    let mut course = course();
    assert_eq!(course.step(Input::Look { asked: false }), [Effect::Look]);
    assert_eq!(course.step(Input::Found(Some(release()))), []);
    let shown = course.shown();
    assert_eq!(
        (shown.state, shown.version.as_deref(), shown.notes.as_deref()),
        (UpdateState::Available, Some("0.2.0"), Some("Better."))
    );
    assert_eq!(course.step(Input::Install(When::Quit)), [Effect::Fetch]);
    course.step(Input::Fetched(0.5));
    assert_eq!((state(&course), course.shown().progress), (UpdateState::Downloading, Some(0.5)));
}

#[test]
fn a_look_by_itself_is_not_seen_and_its_failure_is_not_told() {
    let mut course = course();
    course.step(Input::Look { asked: false });
    assert_eq!(state(&course), UpdateState::None);
    course.step(Input::NotFound(Code::UpdateUnreachable.into()));
    assert_eq!(state(&course), UpdateState::None);
    after(&mut course, [Input::Look { asked: false }, Input::Look { asked: true }]);
    assert_eq!(state(&course), UpdateState::Checking, "somebody looks on now");
    course.step(Input::NotFound(Code::UpdateUnreachable.into()));
    assert_eq!(course.shown().problem.unwrap().code, "UPDATE_UNREACHABLE");
}

#[test]
fn a_known_version_stays_known_when_a_quiet_look_fails() {
    let mut course = course();
    after(&mut course, [Input::Look { asked: true }, Input::Found(Some(release())), Input::Look { asked: false }]);
    assert_eq!(state(&course), UpdateState::Available);
    course.step(Input::NotFound(Code::UpdateUnreachable.into()));
    assert_eq!(state(&course), UpdateState::Available);
}

#[test]
fn it_waits_for_the_running_turn_and_says_so() {
    let mut course = ready(When::Now);
    assert_eq!((state(&course), course.shown().waits_for), (UpdateState::Ready, Some(WaitsFor::Turn)));
    assert_eq!(course.step(Input::MadeWay), []);
    assert_eq!(state(&course), UpdateState::Installing);
    assert_eq!(course.step(Input::Stopped), [Effect::Install]);
    assert_eq!(course.step(Input::Installed), [Effect::Leave(Then::New)]);
}

#[test]
fn at_quit_it_is_installed_and_nothing_starts_again() {
    let mut course = ready(When::Quit);
    assert_eq!(course.shown().waits_for, Some(WaitsFor::Quit));
    assert_eq!(course.step(Input::Stopped), [Effect::Install]);
    assert_eq!(course.step(Input::Installed), [Effect::Leave(Then::Nothing)]);
}

#[test]
fn the_owner_may_think_again_while_it_waits() {
    let mut course = ready(When::Now);
    assert_eq!(course.step(Input::Install(When::Quit)), [Effect::StayUp]);
    assert_eq!(course.step(Input::Install(When::Now)), [Effect::MakeWay]);
    // The owner quits before the turn has ended: it is installed, and Lanyard stays away.
    assert_eq!(course.step(Input::Stopped), [Effect::Install]);
    assert_eq!(course.step(Input::Installed), [Effect::Leave(Then::Nothing)]);
}

#[test]
fn what_was_wanted_during_a_quiet_look_is_fetched_after_it() {
    for answer in [Input::Found(Some(release())), Input::NotFound(Code::UpdateUnreachable.into())] {
        let mut course = course();
        after(&mut course, [Input::Look { asked: true }, Input::Found(Some(release())), Input::Look { asked: false }]);
        assert_eq!(course.step(Input::Install(When::Quit)), []);
        assert_eq!((state(&course), course.shown().version.as_deref()), (UpdateState::Downloading, Some("0.2.0")));
        assert_eq!(course.step(answer), [Effect::Fetch]);
        course.step(Input::Verified);
        assert_eq!(course.shown().waits_for, Some(WaitsFor::Quit));
    }
    let mut course = course();
    after(&mut course, [Input::Look { asked: false }, Input::Install(When::Now)]);
    assert_eq!(course.step(Input::Found(Some(release()))), [], "what nobody has seen is wanted by nobody");
}

#[test]
fn a_start_while_it_ends_is_made_up_for() {
    let mut course = course();
    assert_eq!(after(&mut course, [Input::StartedAgain, Input::Stopped]), [Effect::Leave(Then::SameAgain)]);
    let mut course = ready(When::Quit);
    assert_eq!(after(&mut course, [Input::StartedAgain, Input::Stopped]), [Effect::Install]);
    assert!(course.starts_again());
    assert_eq!(course.step(Input::Installed), [Effect::Leave(Then::New)]);
    let mut course = ready(When::Quit);
    after(&mut course, [Input::Stopped, Input::StartedAgain]);
    let problem = Problem::from(Code::UpdateNotInstalled);
    assert!(course.step(Input::NotInstalled(problem)).contains(&Effect::Leave(Then::SameAgain)));
    let mut course = ready(When::Quit);
    let ends = after(&mut course, [Input::StartedAgain, Input::Hurry, Input::Stopped]);
    assert_eq!(ends, [Effect::Leave(Then::Nothing)], "the system goes down");
}

#[test]
fn a_system_that_shuts_down_during_an_installation_gets_no_new_start() {
    let mut course = ready(When::Now);
    after(&mut course, [Input::MadeWay, Input::Stopped, Input::Hurry]);
    assert_eq!(course.step(Input::Installed), [Effect::Leave(Then::Nothing)]);
}

#[test]
fn a_system_that_shuts_down_is_not_held_up_by_an_update() {
    let mut course = ready(When::Quit);
    assert_eq!(course.step(Input::Hurry), [Effect::StayUp]);
    assert_eq!(course.step(Input::Stopped), [Effect::Leave(Then::Nothing)]);
}

#[test]
fn what_could_not_be_put_in_place_is_told_by_the_version_that_goes_on() {
    let mut course = ready(When::Now);
    after(&mut course, [Input::MadeWay, Input::Stopped]);
    let problem = Problem::from(Code::UpdateNotInstalled);
    let effects = course.step(Input::NotInstalled(problem.clone()));
    assert_eq!(effects, [Effect::Remember(problem.clone()), Effect::Leave(Then::SameAgain)]);
    let next = Course::new("0.1.0".into(), Some(problem));
    assert_eq!(
        (state(&next), next.shown().problem.unwrap().code.as_str()),
        (UpdateState::Failed, "UPDATE_NOT_INSTALLED")
    );
}

#[test]
fn what_was_tampered_with_is_thrown_away_and_may_be_looked_for_again() {
    let mut course = course();
    let wanted = [Input::Look { asked: true }, Input::Found(Some(release())), Input::Install(When::Now)];
    after(&mut course, wanted);
    assert_eq!(course.step(Input::NotFetched(Code::UpdateRefused.into())), []);
    assert_eq!(state(&course), UpdateState::Failed);
    assert_eq!(course.step(Input::Stopped), [Effect::Leave(Then::Nothing)], "nothing is installed");
    assert_eq!(after(&mut course, [Input::Look { asked: true }]), [Effect::Look]);
}

#[test]
fn where_it_cannot_update_it_never_looks() {
    let mut course = Course::off("0.1.0".into(), Code::UpdatesOff.into());
    assert_eq!(after(&mut course, [Input::Look { asked: true }, Input::Install(When::Now)]), []);
    assert_eq!((state(&course), course.shown().problem.unwrap().code.as_str()), (UpdateState::Off, "UPDATES_OFF"));
}

fn any_input() -> impl Strategy<Value = Input> {
    let problem = || Problem::from(Code::UpdateUnreachable);
    prop_oneof![
        any::<bool>().prop_map(|asked| Input::Look { asked }),
        Just(Input::Found(Some(release()))),
        Just(Input::Found(None)),
        Just(Input::NotFound(problem())),
        Just(Input::Install(When::Now)),
        Just(Input::Install(When::Quit)),
        (0.0..=1.0).prop_map(Input::Fetched),
        Just(Input::Verified),
        Just(Input::NotFetched(problem())),
        Just(Input::MadeWay),
        Just(Input::Hurry),
        Just(Input::StartedAgain),
        Just(Input::Stopped),
        Just(Input::Installed),
        Just(Input::NotInstalled(problem())),
    ]
}

proptest! {
    /// In whatever order things happen: nothing is installed that was not wanted, fetched and verified, nor before all has stopped.
    #[test]
    fn nothing_is_installed_but_what_was_verified_and_after_all_has_stopped(inputs in prop::collection::vec(any_input(), 0..40)) {
        let (mut course, mut wanted, mut verified) = (course(), false, false);
        for input in inputs {
            let before = state(&course);
            wanted |= matches!(input, Input::Install(_)) && before != UpdateState::None;
            verified |= input == Input::Verified && before == UpdateState::Downloading;
            let effects = course.step(input.clone());
            if effects.contains(&Effect::Install) {
                prop_assert!(wanted && verified && input == Input::Stopped);
            }
            if input == Input::Stopped && before != UpdateState::Installing {
                prop_assert!(!effects.is_empty(), "the app ends");
            }
        }
    }
}
