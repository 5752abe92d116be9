use super::*;
use domain::event::When;
use proptest::prelude::*;

const OLD: &str = include_str!("../../../tests/history/2.1.197.jsonl");
const NEW: &str = include_str!("../../../tests/history/2.1.329.jsonl");
const ID: &str = "11111111-2222-4333-8444-555555555557";

/// A home with one conversation in it.
fn home(contents: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("projects/-work-shop");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{ID}.jsonl"));
    fs::write(&file, contents).unwrap();
    (home, file)
}

fn all(path: &Path, from: u64) -> (Vec<(Timestamp, Event)>, Reading) {
    let mut reading = Reading::open(path, from, Known::default()).unwrap();
    let mut all = Vec::new();
    while let Some(events) = reading.events().unwrap() {
        all.extend(events);
    }
    (all, reading)
}

fn brief(event: &Event) -> String {
    match event {
        Event::Said { text, when: When::Queue, .. } => format!("said: {text}"),
        Event::Answered { text, .. } => format!("answered: {text}"),
        Event::ToolUsed { tool, input, .. } => format!("{tool}: {}", input["command"].as_str().unwrap_or_default()),
        Event::ToolFinished { ok, text, .. } => format!("{ok}: {}", text.split_whitespace().next().unwrap_or_default()),
        other => format!("{other:?}"),
    }
}

#[test]
fn both_versions_files_tell_the_same_conversation_with_its_times() {
    for (written, first_at) in [(OLD, 1_795_285_841_759), (NEW, 1_795_285_845_944)] {
        let (_home, file) = home(written.as_bytes());
        let (events, reading) = all(&file, 0);
        let told: Vec<String> = events.iter().map(|(_, event)| brief(event)).collect();
        let expected = [
            "said: Write the invoice",
            "answered: I look at the folder.",
            "Bash: echo total 12; export KEY=[secret taken out]",
            "true: total",
            "Write: ",
        ];
        assert_eq!(told[..5], expected);
        assert_eq!(told[6..], ["answered: The **invoice** is written.", "said: And thank you", "answered: Fine."]);
        assert!(told[5].starts_with("true: "));
        assert_eq!(events[0].0, Timestamp(first_at));
        assert!(events.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert_eq!(reading.counts(), Counts { unreadable: 0, secrets: 1 });
        assert_eq!(reading.bytes(), written.len() as u64);
    }
}

#[test]
fn a_home_is_listed_and_a_file_told_without_reading_it_into_memory() {
    let (home, file) = home(OLD.as_bytes());
    fs::write(home.path().join("projects/notes.jsonl"), "{}").unwrap();
    fs::write(file.with_file_name("agent-1.jsonl"), OLD).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", file.with_file_name("22222222-2222-4333-8444-555555555557.jsonl"))
        .unwrap();
    assert_eq!(files(home.path()).unwrap(), std::slice::from_ref(&file));
    let outline = outline(&file, &Known::default()).unwrap().unwrap();
    assert_eq!((outline.project.as_str(), outline.first_words.as_str()), ("/work/shop", "Write the invoice"));
    assert_eq!((outline.conversation.as_str(), outline.bytes), (ID, OLD.len() as u64));
    assert_eq!((outline.lines, outline.at), (OLD.lines().count() as u64, Timestamp(1_795_285_843_538)));
    assert!(files(&home.path().join("nowhere")).unwrap().is_empty());
}

#[test]
fn a_torn_end_is_left_for_later_and_lines_that_are_none_are_counted() {
    let whole = OLD.len();
    let torn = format!("{OLD}{{\"type\":\"user\",\"message\":{{\"content\":\"half");
    let (_home, file) = home(torn.as_bytes());
    let (events, reading) = all(&file, 0);
    assert_eq!((events.len(), reading.bytes()), (9, whole as u64));
    fs::write(&file, format!("{torn} of it\"}}}}\n")).unwrap();
    let (rest, _) = all(&file, reading.bytes());
    assert_eq!(rest.iter().map(|(_, e)| brief(e)).collect::<Vec<_>>(), ["said: half of it"]);
    let (_home, file) =
        home(b"not json\n{\"type\":\"user\"}\n[1]\n{\"type\":\"of tomorrow\",\"message\":7}\n\xff\xfe\n");
    assert_eq!(all(&file, 0).1.counts().unreadable, 4);
}

#[test]
fn what_claude_code_says_to_itself_is_not_told() {
    let lines = [
        r#"{"type":"user","isMeta":true,"message":{"content":"Caveat"}}"#,
        r#"{"type":"user","isSidechain":true,"message":{"content":"Look for it"}}"#,
        r#"{"type":"user","message":{"content":"<local-command-stdout>x</local-command-stdout>"}}"#,
        r#"{"type":"user","message":{"content":"<command-message>clear</command-message><command-name>/clear</command-name>"}}"#,
        r#"{"type":"assistant","message":{"id":"m","content":[{"type":"thinking","thinking":"hm"},{"type":"of tomorrow"}]}}"#,
        r#"{"type":"user","message":{"content":[{"type":"image","source":{}},{"type":"text","text":"like this"}]}}"#,
    ];
    let (_home, file) = home(format!("{}\n", lines.join("\n")).as_bytes());
    let (events, reading) = all(&file, 0);
    let told: Vec<String> = events.iter().map(|(_, e)| brief(e)).collect();
    assert_eq!(told, ["said: /clear", "said: [picture]\nlike this"]);
    assert_eq!(reading.counts().unreadable, 0);
}

#[test]
fn a_line_without_an_end_to_it_is_passed_over_in_little_memory() {
    let (_home, file) = home(b"");
    let mut long = vec![b'x'; 40 * 1024 * 1024];
    long.push(b'\n');
    long.extend_from_slice(OLD.as_bytes());
    fs::write(&file, &long).unwrap();
    let (events, reading) = all(&file, 0);
    assert_eq!((events.len(), reading.counts().unreadable), (9, 1));
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes: Vec<u8>, cut in 0usize..OLD.len()) {
        let mut contents = OLD.as_bytes()[..cut].to_vec();
        contents.extend(bytes);
        let (_home, file) = home(&contents);
        let (_, reading) = all(&file, 0);
        prop_assert!(reading.bytes() <= contents.len() as u64);
        outline(&file, &Known::default()).unwrap();
    }
}
