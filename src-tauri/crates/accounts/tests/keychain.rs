//! The keychain against a real gnome-keyring on a private session bus.
//!
//! Which bus a process uses is settled once and by its environment, so every question is asked by a child: this same
//! program, started as `keychain --child get anthropic`. Nothing of the user's own session is touched.

use accounts::{Account, ExposeSecret, Keychain, KeychainError};
use libtest_mimic::{Arguments, Failed, Trial};
use standins::keyring::{self, Session};
use std::{
    process::{Command, Stdio},
    time::Duration,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--child") {
        return child(&arguments[1..]);
    }
    let facts: [(&str, fn()); 5] = [
        ("a_secret_comes_back_from_the_keychain_and_outlives_its_daemon", a_secret_comes_back),
        ("a_locked_keychain_says_that_it_is_locked", a_locked_keychain_says_so),
        ("without_a_session_bus_the_way_forward_is_a_variable_or_a_file", without_a_session_bus),
        ("without_a_keychain_program_the_way_forward_is_to_install_one", without_a_keychain_program),
        ("a_keychain_that_never_answers_is_given_up_and_the_program_can_end", a_silent_keychain),
    ];
    let trial = |(name, fact): (&str, fn())| Trial::test(name, move || run(fact));
    libtest_mimic::run(&Arguments::from_args(), facts.map(trial).into()).exit()
}

fn run(fact: fn()) -> Result<(), Failed> {
    if let Some(program) = keyring::missing() {
        return Err(format!("{program} is missing; `cargo xtask test` installs what this test needs").into());
    }
    fact();
    Ok(())
}

fn a_secret_comes_back() {
    let session = Session::open();
    let daemon = session.keyring(Some("password"));
    assert_eq!(ask(&session, &["get", "anthropic"]), "NO_KEY Missing");
    assert_eq!(ask(&session, &["set", "anthropic", "sk-ant-é 'quoted'"]), "the keychain");
    assert_eq!(ask(&session, &["set", "twilio", "token"]), "the keychain");
    assert_eq!(ask(&session, &["get", "anthropic"]), "sk-ant-é 'quoted' from the keychain");
    drop(daemon);

    let _again = session.keyring(Some("password"));
    assert_eq!(ask(&session, &["get", "twilio"]), "token from the keychain");
    assert_eq!(ask(&session, &["delete", "twilio"]), "gone");
    assert_eq!(ask(&session, &["delete", "twilio"]), "gone");
    assert_eq!(ask(&session, &["get", "twilio"]), "TWILIO_MISSING Missing");
}

fn a_locked_keychain_says_so() {
    let session = Session::open();
    let unlocked = session.keyring(Some("password"));
    assert_eq!(ask(&session, &["set", "anthropic", "x"]), "the keychain");
    drop(unlocked);
    let _locked = session.keyring(None);
    assert_eq!(ask(&session, &["get", "anthropic"]), "KEYCHAIN_UNAVAILABLE Locked");
    assert_eq!(ask(&session, &["set", "anthropic", "x"]), "KEYCHAIN_UNAVAILABLE Locked");
}

fn without_a_session_bus() {
    let session = Session::open();
    std::fs::remove_file(session.bus_path()).unwrap();
    assert_eq!(ask(&session, &["get", "anthropic"]), "KEYCHAIN_UNAVAILABLE NoBus");
}

fn without_a_keychain_program() {
    let session = Session::open();
    assert_eq!(ask(&session, &["get", "anthropic"]), "KEYCHAIN_UNAVAILABLE NoService");
}

fn a_silent_keychain() {
    let session = Session::open();
    std::fs::remove_file(session.bus_path()).unwrap();
    // Connections wait in its backlog for ever.
    let _silent = std::os::unix::net::UnixListener::bind(session.bus_path()).unwrap();
    assert_eq!(ask(&session, &["impatient", "anthropic"]), "KEYCHAIN_UNAVAILABLE Silent");
}

/// One question to the keychain of the session it was started in; its answer in one line.
#[tokio::main(flavor = "current_thread")]
async fn child(arguments: &[String]) {
    let keychain = Keychain::with_environment(|_| None, None);
    let account: Account = arguments[1].parse().unwrap();
    let kept = match arguments[0].as_str() {
        "impatient" => keychain.with_patience(Duration::from_millis(300)).get(account).await.map(|_| String::new()),
        "get" => keychain.get(account).await.map(|s| format!("{} from {}", s.value.expose_secret(), s.source)),
        "set" => keychain.set(account, arguments[2].as_str().into()).await.map(|kept| kept.at.to_string()),
        _ => keychain.delete(account).await.map(|()| "gone".to_owned()),
    };
    println!("{}", kept.unwrap_or_else(|error| format!("{} {}", error.code(), kind(&error))));
}

fn kind(error: &KeychainError) -> &'static str {
    eprintln!("{error:?}\n{}", error.problem(Account::Anthropic));
    match error {
        KeychainError::Missing { .. } => "Missing",
        KeychainError::Locked(_) => "Locked",
        KeychainError::NoBus(_) => "NoBus",
        KeychainError::NoService(_) => "NoService",
        KeychainError::Denied(_) => "Denied",
        KeychainError::Silent { .. } => "Silent",
        _ => "Failed",
    }
}

/// One question in a session of its own; its answer.
fn ask(session: &Session, arguments: &[&str]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.arg("--child").args(arguments);
    let output = session.within(&mut child).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
