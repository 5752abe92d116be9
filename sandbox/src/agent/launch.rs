//! How Claude Code is started: arguments and environment.

use super::{Limits, Options, mcp};
use crate::image::NODE_BESIDE;
use domain::{PermissionMode, agent::Rule};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// The agent's folder. It must never change: Claude Code files its conversations under the path it was started in.
pub(super) const WORKSPACE: &str = "/workspace";

/// Where the image has it: an agent may have put another of its name into a folder of its own.
pub(super) const PROGRAM: &str = "/usr/local/bin/claude";
/// An agent's commands find its own programs first. Nothing else that is started in a sandbox does.
const PATH: &str = "/home/agent/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// That of an agent on a base whose own programs are on `base`, which go before ours.
pub fn path_on(base: &str) -> String {
    let (own, ours) = PATH.split_once(':').unwrap_or((PATH, ""));
    format!("{own}:{base}:{ours}:{NODE_BESIDE}/bin")
}

/// The relay's address inside every sandbox: base URL for the model, proxy for everything else.
const RELAY: &str = "http://127.0.0.1:3128";

/// Which conversation to work in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// A new one. An id that was used before makes the process exit at once ([`domain::agent::AgentFault::SessionInUse`]).
    Start(Uuid),
    /// One that Claude Code has on its disk.
    Resume(String),
}

impl Session {
    pub fn id(&self) -> String {
        match self {
            Session::Start(id) => id.to_string(),
            Session::Resume(id) => id.clone(),
        }
    }
}

/// All that a start needs to know.
#[derive(Clone, Debug)]
pub struct AgentLaunch {
    pub session: Session,
    /// `None`: Claude Code's own choice. Can be changed later.
    pub model: Option<String>,
    /// Can be changed later, to any of the four; to bypass only where it did not begin with a plan.
    pub mode: PermissionMode,
    /// What the owner said "always" to before.
    pub rules: Vec<Rule>,
    /// At a resume Claude Code 2.1.329 keeps the words of the first start.
    pub append_system_prompt: Option<String>,
    /// The sandbox token: worth nothing but at the egress door. The agent can read it; a real key never comes here.
    pub token: SecretString,
    pub base_url: String,
    /// `host:port` of the proxy for the agent's tools, which is given the token as password. `None`: no proxy.
    pub proxy: Option<String>,
    /// How often a failing request is tried again by the agent itself. Its own default of 10 is silent for 175 s.
    pub retries: u32,
    /// More environment. Wins over what is set here.
    pub env: Vec<(String, String)>,
    /// Whether the agent gets Lanyard's own tools (`send_photo`).
    pub tools: bool,
    /// Of this process and all it starts.
    pub limits: Limits,
}

impl AgentLaunch {
    /// With Claude Code's own model, default mode, no rules, the relay as base URL and proxy, four retries, tools, and no limits.
    pub fn new(session: Session, token: SecretString) -> Self {
        Self {
            session,
            model: None,
            mode: PermissionMode::Default,
            rules: Vec::new(),
            append_system_prompt: None,
            token,
            base_url: RELAY.to_owned(),
            proxy: Some(RELAY.trim_start_matches("http://").to_owned()),
            retries: 4,
            env: Vec::new(),
            tools: true,
            limits: Limits::default(),
        }
    }

    /// The command line, beginning with `program`.
    pub fn argv(&self, program: &str) -> Vec<String> {
        let mut argv: Vec<String> = [program].iter().chain(ALWAYS).map(|&a| a.to_owned()).collect();
        let mut push = |flag: &str, value: String| argv.extend([flag.to_owned(), value]);
        push("--permission-mode", self.mode.as_str().to_owned());
        if self.mode != PermissionMode::Plan {
            argv.push(MAY_BYPASS.to_owned());
        }
        let mut push = |flag: &str, value: String| argv.extend([flag.to_owned(), value]);
        match &self.session {
            Session::Start(id) => push("--session-id", id.to_string()),
            Session::Resume(id) => push("--resume", id.clone()),
        }
        if let Some(model) = &self.model {
            push("--model", model.clone());
        }
        if let Some(prompt) = &self.append_system_prompt {
            push("--append-system-prompt", prompt.clone());
        }
        if self.tools {
            push("--mcp-config", mcp::config());
        }
        // Takes any number of values, so it comes last.
        let allowed = self.allowed();
        if !allowed.is_empty() {
            argv.push("--allowedTools".to_owned());
            argv.extend(allowed);
        }
        argv
    }

    fn allowed(&self) -> Vec<String> {
        let own = self.tools.then(|| mcp::SEND_PHOTO.to_owned());
        own.into_iter().chain(self.rules.iter().map(Rule::as_flag)).collect()
    }

    /// The environment beside what the sandbox sets.
    pub fn env(&self) -> Vec<(String, String)> {
        let token = self.token.expose_secret();
        let mut env: Vec<(String, String)> = QUIET.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect();
        let mut set = |name: &str, value: String| env.push((name.to_owned(), value));
        set("PATH", PATH.to_owned());
        set("ANTHROPIC_BASE_URL", self.base_url.clone());
        set("ANTHROPIC_AUTH_TOKEN", token.to_owned());
        set("CLAUDE_CODE_MAX_RETRIES", self.retries.to_string());
        if let Some(proxy) = &self.proxy {
            // Tools differ in which spelling they read.
            for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
                set(name, format!("http://lanyard:{token}@{proxy}"));
            }
            for name in ["NO_PROXY", "no_proxy"] {
                set(name, "localhost,127.0.0.1,::1".to_owned());
            }
        }
        for (name, value) in &self.env {
            env.retain(|(known, _)| known != name);
            env.push((name.clone(), value.clone()));
        }
        env
    }

    pub fn options(&self) -> Options {
        Options { agent_session: Some(self.session.id()), tools: self.tools, ..Options::default() }
    }
}

/// Arguments of every start.
const ALWAYS: &[&str] = &[
    "-p",
    "--output-format",
    "stream-json",
    "--input-format",
    "stream-json",
    "--verbose",
    "--include-partial-messages",
    "--permission-prompt-tool",
    "stdio",
    // No settings files. A `.claude/settings.json` in any cloned repository may hold a hook that allows every tool, and
    // both versions obey it in `-p` without asking whether the folder is trusted; so they would past the approval gate.
    "--setting-sources",
    "",
    // With a variable of QUIET this brings the workspace's CLAUDE.md back, and nothing else of it.
    "--add-dir",
    ".",
    // Only the servers given here, not those of a `.mcp.json` in the workspace.
    "--strict-mcp-config",
];

/// Lets the mode be bypassed later, by a control request only. With it 2.1.197 runs every tool unasked while it plans.
const MAY_BYPASS: &str = "--allow-dangerously-skip-permissions";

/// No traffic but the model's, no updates, no noise; and the agent's own word on whether it works.
const QUIET: &[(&str, &str)] = &[
    ("CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD", "1"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "1"),
    ("CLAUDE_CODE_DISABLE_TERMINAL_TITLE", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
    ("DISABLE_ERROR_REPORTING", "1"),
    ("DISABLE_INSTALLATION_CHECKS", "1"),
    ("DISABLE_TELEMETRY", "1"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> AgentLaunch {
        AgentLaunch::new(Session::Start(Uuid::nil()), SecretString::from("box-token"))
    }

    #[test]
    fn rules_and_own_tools_are_allowed_at_the_end() {
        let rule = Rule { tool: "Bash".into(), content: Some("npm test *".into()) };
        let argv = AgentLaunch { rules: vec![rule], ..launch() }.argv("claude");
        assert_eq!(argv[argv.len() - 3..], ["--allowedTools", "mcp__lanyard__send_photo", "Bash(npm test *)"]);
    }

    #[test]
    fn on_another_base_its_own_programs_go_before_ours() {
        let path = path_on("/usr/local/cargo/bin:/usr/bin");
        assert!(path.starts_with("/home/agent/.local/bin:/usr/local/cargo/bin:/usr/bin:/usr/local/sbin:"), "{path}");
        assert!(path.ends_with(":/bin:/opt/lanyard/node/bin"), "{path}");
    }

    #[test]
    fn no_settings_file_is_ever_read() {
        let argv = launch().argv("claude");
        let at = argv.iter().position(|a| a == "--setting-sources").unwrap();
        assert_eq!(argv[at + 1], "");
    }

    #[test]
    fn the_token_is_in_the_environment_and_never_on_the_command_line() {
        let launch = launch();
        assert!(!launch.argv("claude").join(" ").contains("box-token"));
        let env = launch.env();
        let value = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(value("ANTHROPIC_AUTH_TOKEN"), Some("box-token"));
        assert_eq!(value("HTTPS_PROXY"), Some("http://lanyard:box-token@127.0.0.1:3128"));
        assert_eq!(value("ANTHROPIC_API_KEY"), None);
    }

    #[test]
    fn what_the_caller_sets_wins_once() {
        let env = AgentLaunch { env: vec![("DISABLE_TELEMETRY".into(), "0".into())], ..launch() }.env();
        let set: Vec<_> = env.iter().filter(|(name, _)| name == "DISABLE_TELEMETRY").collect();
        assert_eq!(set, [&("DISABLE_TELEMETRY".to_owned(), "0".to_owned())]);
    }
}
