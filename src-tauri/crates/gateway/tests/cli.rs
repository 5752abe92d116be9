//! The command line as a person meets it: what is printed, what is refused, and with which way forward.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

fn lanyard(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
    command
        .args(arguments)
        .env("LANYARD_HOME", home)
        .env_remove("LANYARD_ANTHROPIC_KEY")
        .env_remove("LANYARD_TWILIO_KEY");
    command.stdin(Stdio::null());
    command
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    lanyard(home, arguments).output().unwrap()
}

fn refused(output: &Output, code: &str, suggestion: &str) {
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains(code) && words.contains(suggestion), "{words}");
}

fn home() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("ly").tempdir_in("/tmp").unwrap()
}

#[test]
fn a_typo_in_the_config_names_the_key_that_was_meant() {
    let home = home();
    fs::write(home.path().join("config.toml"), "[sms]\nsegmets = 3\n").unwrap();
    refused(&run(home.path(), &["config", "check"]), "CONFIG_INVALID", "sms.segments");
    refused(&run(home.path(), &["serve"]), "sms.segmets", "sms.segments");
}

#[test]
fn without_a_running_lanyard_each_command_says_so() {
    let home = home();
    for arguments in
        [&["status"][..], &["send", "hello"], &["sessions"], &["approve"], &["logs"], &["lan", "on"], &["stop"]]
    {
        refused(&run(home.path(), arguments), "NOT_RUNNING", "lanyard serve");
    }
    let json = run(home.path(), &["status", "--json"]);
    let problem: serde_json::Value = serde_json::from_slice(&json.stderr).unwrap();
    assert_eq!(problem["code"], "NOT_RUNNING");
}

#[test]
fn a_damaged_database_is_said_and_left_as_it_is() {
    let home = home();
    let database = home.path().join("data/lanyard.db");
    fs::create_dir_all(home.path().join("data")).unwrap();
    fs::write(&database, b"no database, but somebody's bytes, and long enough to look at").unwrap();
    let before = fs::read(&database).unwrap();
    refused(&run(home.path(), &["serve"]), "DATABASE_DAMAGED", "restore a backup");
    let doctor = run(home.path(), &["doctor"]);
    let findings = String::from_utf8_lossy(&doctor.stdout);
    assert!(findings.contains("DATABASE_DAMAGED") && findings.contains("Put it aside"), "{findings}");
    assert!(findings.contains("config") && findings.lines().all(|line| line.chars().count() <= 80), "{findings}");
    assert!(findings.contains("NOT_RUNNING") && findings.contains("lanyard serve"), "{findings}");
    assert!(doctor.status.code() == Some(1) && doctor.stderr.is_empty(), "{doctor:?}");
    let json = run(home.path(), &["doctor", "--json"]);
    let findings: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(findings.as_array().unwrap().iter().any(|f| f["what"] == "database" && f["state"] == "broken"));
    assert_eq!(fs::read(&database).unwrap(), before);
}

#[test]
fn a_taken_port_is_said() {
    let home = home();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = format!("[server]\nlisten = \"{}\"\n", taken.local_addr().unwrap());
    fs::write(home.path().join("config.toml"), config).unwrap();
    refused(&run(home.path(), &["serve"]), "PORT_TAKEN", "server.listen");
}

#[test]
fn the_config_shows_every_key_and_the_default_file_is_valid() {
    let home = home();
    let shown = run(home.path(), &["config", "default"]);
    fs::write(home.path().join("config.toml"), &shown.stdout).unwrap();
    assert!(run(home.path(), &["config", "check"]).status.success());
    let used = String::from_utf8(run(home.path(), &["config"]).stdout).unwrap();
    for key in ["sms_grants", "public_url", "account_sid", "workspace"] {
        assert!(used.contains(key), "{used}");
    }
}

#[test]
fn a_secret_comes_by_standard_input_and_lands_in_a_private_file() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    let file = home.path().join("secrets.toml");
    fs::write(home.path().join("config.toml"), format!("[secrets]\nfile = \"{}\"\n", file.display())).unwrap();
    let mut child = lanyard(home.path(), &["config", "set-key", "anthropic"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"sk-ant-secret\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(!String::from_utf8_lossy(&output.stdout).contains("sk-ant-secret"), "it is not echoed");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    refused(&run(home.path(), &["config", "set-key", "anthropick"]), "no such account", "anthropic");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&run(home.path(), &["config", "remove-key", "anthropic"]), "KEYCHAIN_UNAVAILABLE", "chmod 600");
}

#[test]
fn uninstalling_lists_what_stays_and_takes_it_away_only_when_told() {
    let home = home();
    let secrets = home.path().join("secrets.toml");
    fs::write(&secrets, "anthropic = 'sk-ant-x'\n").unwrap();
    fs::set_permissions(&secrets, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let config = format!("[sandbox]\nengine = \"/nowhere/docker.sock\"\n[secrets]\nfile = \"{}\"\n", secrets.display());
    fs::write(home.path().join("config.toml"), config).unwrap();
    fs::create_dir_all(home.path().join("data")).unwrap();
    fs::write(home.path().join("data/lanyard.db"), "history").unwrap();
    let listed = run(home.path(), &["uninstall"]);
    let words = String::from_utf8_lossy(&listed.stdout);
    assert!(listed.status.success() && words.contains("/data") && words.contains("--remove"), "{words}");
    assert!(words.contains("not known") && words.contains("Docker"), "an engine that does not answer is said: {words}");
    let asked = run(home.path(), &["uninstall", "--remove"]);
    assert!(String::from_utf8_lossy(&asked.stderr).contains("Left as it is"), "{asked:?}");
    assert!(home.path().join("data/lanyard.db").exists());
    let held = fs::File::create(home.path().join("data/lanyard.lock")).unwrap();
    held.try_lock().unwrap();
    refused(&run(home.path(), &["uninstall", "--remove", "--yes"]), "ALREADY_RUNNING", "lanyard stop");
    drop(held);
    assert!(run(home.path(), &["uninstall", "--remove", "--yes"]).status.success());
    assert!(!home.path().join("data").exists() && !home.path().join("config.toml").exists());
    assert!(secrets.exists(), "a file of the owner's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_at_github_shows_a_code_and_keeps_the_token_where_secrets_are() {
    let (home, repositories) = (home(), tempfile::tempdir().unwrap());
    let forge = standins::forge::Forge::start(repositories.path(), "ghu_signed-in").await.unwrap();
    let secrets = home.path().join("secrets.toml");
    fs::write(&secrets, "").unwrap();
    fs::set_permissions(&secrets, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let write = |app: &str| {
        let config = format!(
            "[secrets]\nfile = \"{}\"\n[tasks]\nforges = [\"github.com github api={1} login={1}/login secret=github\"]\n{app}",
            secrets.display(),
            forge.url
        );
        fs::write(home.path().join("config.toml"), config).unwrap();
    };
    write("");
    refused(&run(home.path(), &["config", "sign-in", "github"]), "tasks.github_app", "lanyard config set-key github");
    refused(&run(home.path(), &["config", "sign-in", "anthropic"]), "no such sign-in", "set-key anthropic");
    write("github_app = \"unknown\"\n");
    refused(&run(home.path(), &["config", "sign-in", "github"]), "FORGE_REFUSED", "set-key github");
    write(&format!("github_app = \"{}\"\n", standins::forge::CLIENT));
    let signed = tokio::task::spawn_blocking({
        let home = home.path().to_owned();
        move || run(&home, &["config", "sign-in", "github"])
    });
    while !forge.requests().iter().any(|(_, path)| path == "/login/oauth/access_token") {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    forge.grant_device();
    let said = String::from_utf8_lossy(&signed.await.unwrap().stdout).into_owned();
    assert!(said.contains("and type ") && said.contains("Signed in. The token is in the file"), "{said}");
    assert!(!said.contains("ghu_signed-in"), "{said}");
    assert!(fs::read_to_string(&secrets).unwrap().contains("github = \"ghu_signed-in\""));
}
