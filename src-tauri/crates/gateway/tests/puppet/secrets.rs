//! Secrets that an agent prints, whatever it got them from, on every way that its words take.

use super::{
    agent::Puppet,
    world::{KEY, SOON, Wish, World, events},
};
use serde_json::json;
use standins::twilio::TOKEN;

/// What is left of a secret.
const GONE: &str = "[secret taken out]";

#[tokio::test]
async fn what_an_agent_prints_is_kept_and_sent_without_secrets() {
    let w = World::new(Wish::default()).await;
    let running = w.start().await;
    let mut agent = Puppet::stands_ready(&running.app).await;
    w.text("one").await;
    let (one, _) = agent.hears().await;
    agent.begins(&one);
    let theirs = format!("gh{}", "p_a1B2c3D4e5F6g7H8i9J0k1L2");
    let all = format!("{KEY} and {TOKEN} and {theirs}");
    agent.used("Bash", &json!({ "command": format!("echo {all}") }), &format!("{all}\n"));
    agent.writes(&format!("It says {all}."));
    agent.ends(&format!("It says {all}."));
    let text = w.arrives(SOON).await.body;
    assert_eq!(text, format!("It says {GONE} and {GONE} and {GONE}."));

    let told = format!("{:?}", events(&running).await);
    assert_eq!(told.matches(GONE).count(), 3 * 3, "the call, what it gave back, the answer: {told}");
    running.stop().await;
    let files = std::fs::read_dir(w.home().join("data")).unwrap().flatten().filter(|file| file.path().is_file());
    let mut seen = 0;
    for file in files {
        let bytes = std::fs::read(file.path()).unwrap();
        let words = String::from_utf8_lossy(&bytes);
        for secret in [KEY, TOKEN, theirs.as_str()] {
            assert!(!words.contains(secret), "{secret} is in {}", file.path().display());
        }
        seen += 1;
    }
    assert!(seen > 0, "the database was looked into");
}
