//! The owner's settings: shown as a form, changed in the config file, and held at once where that can be.

mod fields;
mod write;

use crate::{
    audit,
    config::{self, Caps, Refused, Resolved, Written},
    gateway::App,
    sms::texting,
    wire::desk,
};
use domain::{Address, Code, PhoneNumber, Problem, approval::GrantPolicy, risk::Tiers};
use serde_json::Value;
use std::{
    io,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::{Mutex, watch};

/// What spending and answers go by at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub caps: Caps,
    pub grants: GrantPolicy,
    /// The owner's own tiers.
    pub tiers: Arc<Tiers>,
    /// Whose texts may say yes; none: all that may text.
    pub approvers: Arc<[PhoneNumber]>,
    /// How long a connection to a host that no rule names waits for the owner's answer; none: nobody is asked.
    pub host_patience: Option<Duration>,
    /// Whether where packages come from is reached without asking.
    pub packages: bool,
    /// Branches that no push changes unasked.
    pub protected: Arc<[String]>,
}

impl Rules {
    /// What the words from this address may grant.
    pub fn grants_to(&self, address: &str) -> GrantPolicy {
        let number = address.parse::<Address>().ok().map(|address| address.number);
        let may = self.approvers.is_empty() || number.is_some_and(|number| self.approvers.contains(&number));
        if may { self.grants } else { GrantPolicy { sms: None, ..self.grants } }
    }

    fn of(config: &Resolved) -> Self {
        Self {
            caps: config.caps,
            grants: config.grants,
            tiers: config.tiers.clone(),
            approvers: config.approvers.clone(),
            host_patience: config.host_patience,
            packages: config.packages,
            protected: config.written.egress.protected.clone().into(),
        }
    }
}

/// The settings by which this Lanyard runs.
pub struct Settings {
    /// What holds now: what was read at the start, and since then the changes that hold at once.
    applied: RwLock<Written>,
    rules: watch::Sender<Rules>,
    /// One change of the file at a time.
    writing: Mutex<()>,
}

impl Settings {
    pub fn of(config: &Resolved) -> Self {
        Self {
            applied: RwLock::new(config.written.clone()),
            rules: watch::Sender::new(Rules::of(config)),
            writing: Mutex::default(),
        }
    }

    pub fn rules(&self) -> Rules {
        self.rules.borrow().clone()
    }

    pub fn watch_rules(&self) -> watch::Receiver<Rules> {
        self.rules.subscribe()
    }

    /// Of what the file says, the keys that hold only after a restart.
    fn waiting(&self, file: &Written) -> Vec<&'static str> {
        fields::changed(&self.applied.read().unwrap_or_else(PoisonError::into_inner), file)
    }

    /// Takes over what can hold at once; gives those keys.
    fn apply(&self, file: &Written) -> Vec<&'static str> {
        let mut applied = self.applied.write().unwrap_or_else(PoisonError::into_inner);
        let keys = fields::changed(&applied, file);
        let keys: Vec<_> = keys.into_iter().filter(|key| fields::holds_at_once(key)).collect();
        let (mut now, new) = (json(&applied), json(file));
        for key in &keys {
            put(&mut now, key, fields::at(&new, key).cloned().unwrap_or_default());
        }
        *applied = serde_json::from_value(now).unwrap_or_else(|_| applied.clone());
        keys
    }
}

/// The form with what the config file says now.
///
/// # Errors
/// `CONFIG_INVALID` if somebody wrote something into the file that is none.
pub fn shown(app: &App) -> Result<desk::Settings, Problem> {
    let file = config::read(&app.paths.config)?;
    let waiting = app.settings.waiting(&file);
    Ok(desk::Settings {
        values: json(&file),
        fields: fields::all(),
        path: app.paths.config.display().to_string(),
        restart_needed: !waiting.is_empty(),
        waiting: waiting.into_iter().map(str::to_owned).collect(),
    })
}

/// The config as the file says it now.
///
/// # Errors
/// `CONFIG_INVALID`.
pub fn file(app: &App) -> Result<Resolved, Problem> {
    Ok(Resolved::new(config::read(&app.paths.config)?)?)
}

/// What the file says now that holds only after a restart; nothing if it cannot be read, which doctor tells.
pub fn waiting(app: &App) -> Vec<&'static str> {
    config::read(&app.paths.config).map(|file| app.settings.waiting(&file)).unwrap_or_default()
}

/// Changes the file by `patch`, a part of `{table: {key: value}}`; null gives a key its default again. All of it or nothing.
///
/// # Errors
/// The key that is refused and why: the file is unchanged.
pub async fn change(app: &App, patch: &Value) -> Result<desk::Settings, Refused> {
    let _one_at_a_time = app.settings.writing.lock().await;
    let path = &app.paths.config;
    let text = read(path)?;
    let changes = flattened(patch)?;
    let before = config::parse(&text).map_err(nameless)?;
    let resolved = checked(&before, &changes)?;
    let new = write::changed(&text, &changes).map_err(|e| nameless(Problem::with_detail(Code::ConfigInvalid, e)))?;
    // What was checked is what is written.
    if config::parse(&new).as_ref() != Ok(&resolved.written) {
        return Err(nameless(Problem::with_detail(
            Code::Internal,
            "The config file could not be changed by its form.",
        )));
    }
    if new != text {
        write::replace_file(path, &new).map_err(nameless)?;
        let keys: Vec<&String> = changes.iter().map(|(key, _)| key).collect();
        audit::note(app, store::audit::Kind::SettingsChanged, serde_json::json!({ "keys": keys })).await;
        tracing::info!(keys = ?changes.iter().map(|(key, _)| key).collect::<Vec<_>>(), "settings were changed");
    }
    apply(app, &resolved).await;
    shown(app).map_err(nameless)
}

/// What can hold at once does.
async fn apply(app: &App, resolved: &Resolved) {
    let keys = app.settings.apply(&resolved.written);
    let any = |table: &str| keys.iter().any(|key| key.starts_with(table));
    app.settings.rules.send_replace(Rules::of(resolved));
    if any("tunnel.domain") {
        app.address.take_domain(resolved.tunnel.domain.clone());
    }
    if any("egress.") || any("spend.prices") {
        app.workshop.set_policy(resolved.egress.clone());
    }
    if any("twilio.") {
        texting::open_anew(app, resolved.twilio.clone()).await;
    }
    if !keys.is_empty() {
        app.stream.ring();
    }
}

fn read(path: &Path) -> Result<String, Refused> {
    match std::fs::read_to_string(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|e| {
            let why = format!("{} could not be read: {e}.", path.display());
            nameless(Problem::with_detail(Code::ConfigInvalid, why))
        }),
    }
}

/// A refusal that no one key is to blame for.
fn nameless(problem: Problem) -> Refused {
    Refused { key: String::new(), problem }
}

/// `{"spend": {"day": 7}}` as `spend.day`, 7.
fn flattened(patch: &Value) -> Result<Vec<(String, Value)>, Refused> {
    let shape = || {
        let why = Problem::with_detail(Code::BadRequest, "Settings come as {\"table\": {\"key\": value}}.");
        nameless(why.suggest("As in {\"spend\": {\"day\": 7}}."))
    };
    let mut changes = Vec::new();
    for (table, keys) in patch.as_object().ok_or_else(shape)? {
        for (name, value) in keys.as_object().ok_or_else(shape)? {
            changes.push((format!("{table}.{name}"), value.clone()));
        }
    }
    let known = json(&Written::default());
    match changes.iter().find(|(key, _)| fields::at(&known, key).is_none()) {
        Some((key, _)) => Err(Refused { key: key.clone(), problem: config::unknown_key(key) }),
        None => Ok(changes),
    }
}

/// The config with the changes, each taken by its own key, so that a refusal names it.
fn checked(before: &Written, changes: &[(String, Value)]) -> Result<Resolved, Refused> {
    let (mut values, defaults) = (json(before), json(&Written::default()));
    for (key, value) in changes {
        let value =
            if value.is_null() { fields::at(&defaults, key).cloned().unwrap_or_default() } else { value.clone() };
        put(&mut values, key, value);
        serde_json::from_value::<Written>(values.clone())
            .map_err(|e| config::wrong(key, e, "Choose another value."))?;
    }
    let written = serde_json::from_value(values).map_err(|e| nameless(Problem::with_detail(Code::ConfigInvalid, e)))?;
    let resolved = Resolved::new(written)?;
    let workspace = changes.iter().any(|(key, _)| key == "sandbox.workspace").then_some(resolved.workspace.as_deref());
    match workspace.flatten() {
        Some(folder) if !(folder.is_absolute() && folder.is_dir()) => {
            let why = format!("there is no folder {}", folder.display());
            Err(config::wrong("sandbox.workspace", why, "Choose a folder that exists, by its whole path."))
        }
        _ => Ok(resolved),
    }
}

fn json(written: &Written) -> Value {
    serde_json::to_value(written).unwrap_or_default()
}

fn put(values: &mut Value, key: &str, value: Value) {
    if let Some((table, name)) = key.split_once('.') {
        values[table][name] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(patch: Value, key: &str) -> Problem {
        let tried = flattened(&patch).and_then(|changes| checked(&Written::default(), &changes));
        let Refused { key: named, problem } = tried.unwrap_err();
        assert_eq!(named, key);
        assert!(!problem.suggestion.is_empty());
        problem
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_its_key() {
        let unknown = refused(json!({"spend": {"dayly": 7}}), "spend.dayly");
        assert!(unknown.suggestion.contains("spend.day"), "{unknown}");
        let wrong = refused(json!({"agent": {"mode": "yolo"}}), "agent.mode");
        assert!(wrong.message.contains("acceptEdits"), "{wrong}");
        refused(json!({"spend": {"day": "much"}}), "spend.day");
        refused(json!({"spend": {"day": -1}}), "spend.day");
        refused(json!({"limits": {"sessions": -1}}), "limits.sessions");
        refused(json!({"lan": {"port": 65_536}}), "lan.port");
        refused(json!({"twilio": {"allow": "+15551230001"}}), "twilio.allow");
        refused(json!({"sandbox": {"workspace": "/nowhere/at/all"}}), "sandbox.workspace");
        refused(json!({"spend": 7}), "");
    }

    #[test]
    fn null_is_the_default_again() {
        let mut before = Written::default();
        before.spend.day = 1.0;
        let changes = flattened(&json!({"spend": {"day": null}})).unwrap();
        assert_eq!(checked(&before, &changes).unwrap().written, Written::default());
    }

    #[test]
    fn only_what_cannot_hold_at_once_waits_for_a_restart() {
        let settings = Settings::of(&Resolved::new(Written::default()).unwrap());
        let mut file = Written::default();
        (file.spend.day, file.agent.model) = (1.0, "opus".into());
        assert_eq!(settings.apply(&file), ["spend.day"]);
        assert_eq!(settings.waiting(&file), ["agent.model"]);
        assert!(settings.waiting(&Written { agent: Default::default(), ..file }).is_empty(), "it was taken back");
    }
}
