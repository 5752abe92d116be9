//! The config as it stands in the file. Comments for people are in `default.toml`, beside each key.

use domain::PermissionMode;
use serde::{Deserialize, Serialize};

macro_rules! table {
    ($name:ident { $($key:ident: $type:ty = $default:expr),+ $(,)? }) => {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name { $(pub $key: $type),+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default),+ }
            }
        }
    };
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Written {
    pub server: Server,
    pub tunnel: Tunnel,
    pub lan: Lan,
    pub api: Api,
    pub limits: Limits,
    pub agent: Agent,
    pub anthropic: Anthropic,
    pub secrets: Secrets,
    pub sandbox: Sandbox,
    pub egress: Egress,
    pub spend: Spend,
    pub approvals: Approvals,
    pub twilio: Twilio,
    pub sms: Sms,
    pub push: Push,
    pub tasks: Tasks,
    pub audit: Audit,
    pub updates: Updates,
    pub log: Log,
}

table!(Server { listen: String = "127.0.0.1:3001".into(), public_url: String = String::new() });
table!(Tunnel {
    enabled: bool = false,
    domain: String = String::new(),
    set_webhook: bool = true,
    edge: String = String::new(),
    edge_ca: String = String::new(),
});
table!(Lan { enabled: bool = false, port: u16 = 0, name: String = String::new() });
table!(Api {
    hosts: Vec<String> = Vec::new(),
    origins: Vec<String> = Vec::new(),
    proxies: Vec<String> = Vec::new(),
    per_minute: u32 = 600,
    address_per_minute: u32 = 1200,
});
table!(Limits {
    sessions: usize = 10,
    turn_minutes: u64 = 60,
    memory_gb: f64 = 0.0,
    processor_minutes: u64 = 60,
    file_gb: f64 = 10.0,
    free_gb: f64 = 0.5,
});
table!(Agent {
    model: String = String::new(),
    mode: PermissionMode = PermissionMode::Default,
    instructions: String = String::new(),
    spare: bool = true,
    model_retries: u32 = 5,
    silence_minutes: u64 = 5,
    tool_silence_minutes: u64 = 12,
    idle_minutes: u64 = 30,
    waiting: usize = 100,
});
table!(Anthropic { base_url: String = "https://api.anthropic.com".into() });
table!(Secrets { file: String = String::new() });
table!(Sandbox {
    engine: String = String::new(),
    base: String = "debian:bookworm-slim".into(),
    size: Size = Size::Medium,
    workspace: String = String::new(),
    uid: u32 = 0,
    carrier: Carrier = Carrier::Auto,
});
table!(Egress {
    preset: Preset = Preset::Balanced,
    allow: Vec<String> = Vec::new(),
    deny: Vec<String> = Vec::new(),
    ask_seconds: u64 = 120,
    credentials: Vec<String> = Vec::new(),
    protected: Vec<String> = vec!["main".into(), "master".into()],
});
table!(Spend {
    turn: f64 = 5.0,
    session: f64 = 25.0,
    day: f64 = 50.0,
    month: f64 = 500.0,
    turn_tokens: u64 = 0,
    session_tokens: u64 = 0,
    day_tokens: u64 = 0,
    month_tokens: u64 = 0,
    warn_percent: u8 = 80,
    prices: Vec<String> = Vec::new(),
});
table!(Approvals {
    sms_grants: Grants = Grants::Low,
    lock_screen_grants: Grants = Grants::Low,
    tiers: Vec<String> = Vec::new(),
    approvers: Vec<String> = Vec::new(),
    pin_from: Grants = Grants::None,
    expire_minutes: u64 = 60,
});
table!(Twilio {
    account_sid: String = String::new(),
    from: String = String::new(),
    allow: Vec<String> = Vec::new(),
    base_url: String = "https://api.twilio.com".into(),
});
table!(Sms {
    segments: usize = 4,
    per_minute: u32 = 30,
    agent_per_hour: usize = 60,
    link_minutes: u64 = 1440,
    picture_minutes: u64 = 60,
});
table!(Push { text_after: u64 = 60, contact: String = String::new(), base_url: String = String::new() });
table!(Tasks {
    at_once: usize = 2,
    minutes: u64 = 120,
    test_minutes: u64 = 20,
    mode: PermissionMode = PermissionMode::BypassPermissions,
    keep_hours: u64 = 24,
    spare: bool = true,
    mirrors_gb: f64 = 5.0,
    fix_checks: u32 = 0,
    forges: Vec<String> = Vec::new(),
    images: Vec<String> = Vec::new(),
    github_app: String = String::new(),
});
table!(Audit { keep_days: u32 = 730 });
table!(Updates { look: bool = true });
table!(Log { level: String = "info".into(), format: LogFormat = LogFormat::Pretty });

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    Small,
    Medium,
    Large,
}

/// What becomes of a host that no rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// It is reached, if it is a public one.
    Open,
    /// Where packages come from is reached, all else is asked for.
    Balanced,
    /// It is not, and nobody is asked.
    Locked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    Auto,
    Socket,
    Exec,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grants {
    None,
    Low,
    Medium,
    High,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Pretty,
    Json,
}
