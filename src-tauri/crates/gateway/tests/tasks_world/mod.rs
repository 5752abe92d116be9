//! A git server with a forge over the same repositories, and a gateway that knows both.
#![allow(dead_code, reason = "each test file uses a part")]

use super::world::{Wish, World};
use serde_json::json;
use standins::{
    anthropic::{Script, Step},
    forge::Forge,
    git::GitServer,
};
use std::{fs, path::Path, process::Command};

pub const TOKEN: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
/// `x-access-token:` and the token.
const PASSWORD: &str = "Basic eC1hY2Nlc3MtdG9rZW46Z2hwXzAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg==";

pub fn sh(folder: &Path, line: &str) {
    let done = Command::new("sh").args(["-ec", line]).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{line}: {done:?}");
}

pub fn bash(command: &str) -> Step {
    Step::tool("Bash", json!({ "command": command, "description": "test" }))
}

/// An agent that does this and says so.
pub fn does(when: &str, command: &str) -> Script {
    Script::when(when).step(bash(command)).step(Step::text("I mended it, and ran it."))
}

/// A git server with a forge over the same repositories.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub git: GitServer,
    pub forge: Forge,
}

impl Place {
    pub async fn new(repositories: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for repository in repositories {
            seed(folder.path(), repository, "echo hello > greeting.txt");
        }
        let git = GitServer::start(folder.path(), PASSWORD).await.unwrap();
        let forge = Forge::start(folder.path(), TOKEN).await.unwrap();
        fs::write(folder.path().join("ca.pem"), &git.ca).unwrap();
        Self { folder, git, forge }
    }

    pub fn host(&self) -> &str {
        self.git.url.strip_prefix("https://").unwrap()
    }

    pub async fn world(&self, scripts: Vec<Script>, more: &str) -> World {
        let (host, api) = (self.host(), &self.forge.url);
        let config = format!(
            "[egress]\nallow = [\"{host} private\"]\n[tasks]\nforges = [\"{host} github api={api} secret=shop\"]\n{more}"
        );
        let world = World::new(Wish { sandbox: true, scripts, config: &config }).await;
        let mut secrets = fs::read_to_string(world.home().join("secrets.toml")).unwrap();
        secrets.push_str(&format!("hosts = '{}'\n", json!({ "shop": TOKEN })));
        fs::write(world.home().join("secrets.toml"), secrets).unwrap();
        world
    }

    /// With the git server's CA trusted by this process, as a company's is by its computers.
    pub async fn trusted<T>(&self, work: impl Future<Output = T>) -> T {
        let ca = self.folder.path().join("ca.pem");
        temp_env::async_with_vars([("SSL_CERT_FILE", Some(ca))], Box::pin(work)).await
    }

    pub fn git(&self, repository: &str, arguments: &[&str]) -> String {
        self.git.git(&format!("{repository}.git"), arguments).unwrap()
    }
}

/// A bare repository with one commit, which `line` makes the files of.
pub fn seed(folder: &Path, repository: &str, line: &str) {
    sh(
        folder,
        &format!(
            "git init -q --bare -b main {repository}.git; git -C {repository}.git config http.receivepack true
             rm -rf seed; git clone -q {repository}.git seed 2> /dev/null; cd seed; {line}; git add -A
             git -c user.name=me -c user.email=me@example.com commit -qm one; git push -q origin HEAD:main"
        ),
    );
}
