//! What a text message asks for. A message is a command only when all of it has a command's shape, so that ordinary
//! sentences ("list the files in src") reach the agent as they are. Twilio itself swallows STOP, STOPALL, UNSUBSCRIBE,
//! CANCEL, END, QUIT, START, UNSTOP, HELP and INFO: none of Lanyard's words is among them.

use crate::task::{Repository, TaskId};

/// One text message, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Yes to the open approval with this number, or to the only one.
    Yes(Option<u32>),
    /// Yes, and to what it suggests from now on, as [`Command::Yes`].
    Always(Option<u32>),
    /// Yes, as long as the session lasts, as [`Command::Yes`].
    Session(Option<u32>),
    /// No, with words the agent reads.
    No {
        number: Option<u32>,
        words: Option<String>,
    },
    /// A new session; the words, if any, are said in it.
    New {
        words: Option<String>,
    },
    List,
    /// Go on in session number `n` of the list.
    Use(u32),
    Status,
    /// End the running turn.
    Halt,
    /// Lost phone: shut everybody out, refuse what is asked, pause the sandbox.
    Lock,
    /// The rest of a long answer.
    More,
    /// A picture of a page in the sandbox.
    Shot {
        url: Option<String>,
    },
    Menu,
    /// A new task; none where what stands there begins with no repository.
    Task(Option<(Repository, String)>),
    /// The list of tasks.
    Tasks,
    /// Take a task back.
    Drop(TaskId),
    /// Run a task again, with more words.
    Retry(TaskId, Option<String>),
    /// Hand what checks and people say of a task's pull request to its agent.
    Fix(TaskId, Option<String>),
    /// Into the running turn, not after it.
    Steer(String),
    /// Anything else: for the agent, or the answer to an open question.
    Words(String),
}

impl Command {
    /// Whether it must not wait behind other words: it stops something, refuses something, or only asks how things are.
    pub fn is_urgent(&self) -> bool {
        match self {
            Command::Halt
            | Command::Lock
            | Command::Status
            | Command::No { number: Some(_), .. }
            | Command::No { words: None, .. } => true,
            // "No, use tabs" may be a sentence for the agent, which keeps its place.
            Command::No { number: None, words: Some(_) }
            | Command::Yes(_)
            | Command::Always(_)
            | Command::Session(_)
            | Command::New { .. }
            | Command::List
            | Command::Use(_)
            | Command::More
            | Command::Shot { .. }
            | Command::Menu
            | Command::Task(_)
            | Command::Tasks
            | Command::Drop(_)
            | Command::Retry(..)
            | Command::Fix(..)
            | Command::Steer(_)
            | Command::Words(_) => false,
        }
    }
}

/// Words of an owner who wants no more messages, or some again; Twilio answers them, Lanyard only mirrors them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOut {
    Stop,
    Start,
}

const STOP_WORDS: &[&str] = &["stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"];
const START_WORDS: &[&str] = &["start", "unstop"];

/// Whether Twilio takes this message as an opt-out or opt-in (only when the word stands alone).
pub fn opt_out(text: &str) -> Option<OptOut> {
    let word = text.trim().to_lowercase();
    if STOP_WORDS.contains(&word.as_str()) {
        Some(OptOut::Stop)
    } else {
        START_WORDS.contains(&word.as_str()).then_some(OptOut::Start)
    }
}

/// Reads one message. Total: everything is at least [`Command::Words`].
pub fn read(text: &str) -> Command {
    let text = text.trim();
    let (first, rest) = match text.split_once(char::is_whitespace) {
        Some((first, rest)) => (first, rest.trim()),
        None => (text, ""),
    };
    let word = first.trim_end_matches(['.', '!', ',', ':', '?']).to_lowercase();
    let command = match word.as_str() {
        "yes" | "y" => yes(rest).map(Command::Yes),
        "always" => yes(rest).map(Command::Always),
        "session" => yes(rest).map(Command::Session),
        "no" | "n" => no(&word, rest),
        "new" => Some(Command::New { words: some(rest) }),
        "use" => number(rest).map(Command::Use),
        "shot" => shot(rest),
        "steer" => some(rest).map(Command::Steer),
        "task" => task(rest),
        "drop" => number(rest).map(|n| Command::Drop(TaskId(n))),
        "retry" => of_task(rest, Command::Retry),
        "fix" => of_task(rest, Command::Fix),
        _ if rest.is_empty() => alone(&word),
        _ => None,
    };
    command.unwrap_or_else(|| Command::Words(text.to_owned()))
}

fn alone(word: &str) -> Option<Command> {
    match word {
        "list" => Some(Command::List),
        "status" => Some(Command::Status),
        "halt" => Some(Command::Halt),
        "lock" => Some(Command::Lock),
        "more" => Some(Command::More),
        "menu" => Some(Command::Menu),
        "tasks" => Some(Command::Tasks),
        _ => None,
    }
}

/// Alone, or with a number.
fn yes(rest: &str) -> Option<Option<u32>> {
    match rest {
        "" => Some(None),
        rest => number(rest).map(Some),
    }
}

/// `no`, `no 2`, `no 2 use tabs`, `no use tabs`; a lone `n` with words is not a refusal but a sentence.
fn no(word: &str, rest: &str) -> Option<Command> {
    let (head, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match number(head) {
        Some(n) => Some(Command::No { number: Some(n), words: some(tail) }),
        None if word == "no" || rest.is_empty() => Some(Command::No { number: None, words: some(rest) }),
        None => None,
    }
}

/// `shot`, `shot 3000`, `shot /path`, `shot example.test/x`: at most one word that looks like an address.
fn shot(rest: &str) -> Option<Command> {
    let address = rest.is_empty()
        || (!rest.contains(char::is_whitespace) && (rest.contains(['.', ':', '/']) || number(rest).is_some()));
    address.then(|| Command::Shot { url: some(rest) })
}

/// `task acme/shop fix the login test`. Alone, or with one word after it, it asks how; a sentence that only begins so is one.
fn task(rest: &str) -> Option<Command> {
    let (head, words) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match (head.parse(), some(words)) {
        (Ok(repository), Some(words)) => Some(Command::Task(Some((repository, words)))),
        (Ok(_), None) => Some(Command::Task(None)),
        (Err(_), None) if head.is_empty() => Some(Command::Task(None)),
        (Err(_), _) => None,
    }
}

/// A task's number, and perhaps words: `retry 3`, `retry 3: use tabs`, `fix #3 and rename it`. "Fix 3 tests" is a sentence.
fn of_task(rest: &str, command: impl FnOnce(TaskId, Option<String>) -> Command) -> Option<Command> {
    let (head, words) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let marked = head.starts_with('#') || head.ends_with(':');
    let named = number(head.trim_end_matches(':')).filter(|_| marked || words.is_empty());
    named.map(|n| command(TaskId(n), some(words)))
}

fn number(word: &str) -> Option<u32> {
    word.trim_start_matches('#').trim_end_matches(['.', ')', ',']).parse().ok().filter(|n| *n > 0)
}

fn some(words: &str) -> Option<String> {
    let words = words.trim();
    (!words.is_empty()).then(|| words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, command: Command) {
        assert_eq!(read(text), command, "{text:?}");
    }

    fn words(text: &str) {
        check(text, Command::Words(text.trim().into()));
    }

    #[test]
    fn commands_are_read_in_any_case_with_a_full_stop() {
        check("YES", Command::Yes(None));
        check(" Yes. ", Command::Yes(None));
        check("yes 2", Command::Yes(Some(2)));
        check("Always", Command::Always(None));
        check("always #2", Command::Always(Some(2)));
        check("Session 4", Command::Session(Some(4)));
        check("session", Command::Session(None));
        check("no", Command::No { number: None, words: None });
        check("No, use tabs", Command::No { number: None, words: Some("use tabs".into()) });
        check("no 3 use tabs", Command::No { number: Some(3), words: Some("use tabs".into()) });
        check("list", Command::List);
        check("use 2", Command::Use(2));
        check("Status", Command::Status);
        check("halt!", Command::Halt);
        check("Lock", Command::Lock);
        check("more", Command::More);
        check("menu", Command::Menu);
        check("new", Command::New { words: None });
        check("new fix the\nlogin test", Command::New { words: Some("fix the\nlogin test".into()) });
        check("shot", Command::Shot { url: None });
        check("shot localhost:3000/a", Command::Shot { url: Some("localhost:3000/a".into()) });
        check("shot 3000", Command::Shot { url: Some("3000".into()) });
        let shop = "acme/shop".parse().unwrap();
        check("Task acme/shop fix it", Command::Task(Some((shop, "fix it".into()))));
        check("task", Command::Task(None));
        check("task acme/shop", Command::Task(None));
        check("tasks", Command::Tasks);
        check("drop #3", Command::Drop(TaskId(3)));
        check("retry 3", Command::Retry(TaskId(3), None));
        check("retry 3: with tabs", Command::Retry(TaskId(3), Some("with tabs".into())));
        check("fix #3 and rename it", Command::Fix(TaskId(3), Some("and rename it".into())));
        check("fix 3", Command::Fix(TaskId(3), None));
        check("steer use the other file", Command::Steer("use the other file".into()));
    }

    #[test]
    fn sentences_reach_the_agent_as_they_are() {
        for text in [
            "list the files",
            "status of the build?",
            "use the other one",
            "yes but in blue",
            "always use tabs",
            "session storage is full",
            "more tests please",
            "shot of the page please",
            "halt the server",
            "lock the table while it is written",
            "task number one is to fix the login",
            "tasks are slow",
            "drop the table",
            "retry the build",
            "fix the failing test",
            "drop 3 columns",
            "fix 3 tests",
            "retry 3 times",
            "fix the failing test in billing",
            "/clear",
            "use 0",
            "n things",
            "",
        ] {
            words(text);
        }
    }

    #[test]
    fn none_of_our_words_is_one_that_twilio_swallows() {
        for word in [
            "yes", "always", "no", "new", "list", "use", "status", "halt", "lock", "more", "shot", "menu", "steer",
            "task", "tasks", "drop", "retry", "fix",
        ] {
            assert_eq!(opt_out(word), None);
        }
        assert_eq!(opt_out(" Stop "), Some(OptOut::Stop));
        assert_eq!(opt_out("stop the server"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_understood_as_something(text in any::<String>()) {
            if let Command::Words(kept) = read(&text) {
                prop_assert_eq!(kept, text.trim());
            }
        }
    }
}
