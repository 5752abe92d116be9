//! What the window may know of the app around it, as its page reads it (`native_status`, event `native`).

use domain::Problem;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NativeStatus {
    /// Whether Lanyard starts at login.
    pub autostart: bool,
    pub tray: TrayShown,
    /// `linux`, `macos` or `windows`.
    pub platform: &'static str,
    pub update: UpdateShown,
}

/// Whether the desktop shows the tray icon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrayShown {
    Shown,
    /// Nothing on this desktop shows tray icons: the window is all there is.
    Missing,
    #[default]
    Unknown,
}

/// How an update stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UpdateShown {
    pub state: UpdateState,
    pub current: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// It is here, and installed after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<UpdateProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WaitsFor {
    /// The running turn's end.
    Turn,
    /// Lanyard's end.
    Quit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UpdateState {
    None,
    Checking,
    Available,
    Downloading,
    Ready,
    Installing,
    Failed,
    /// This installation is updated by other means.
    Off,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateProblem {
    pub code: String,
    pub message: String,
    pub suggestion: String,
}

impl From<&Problem> for UpdateProblem {
    fn from(problem: &Problem) -> Self {
        let Problem { code, message, suggestion } = problem;
        Self { code: code.to_string(), message: message.clone(), suggestion: suggestion.clone() }
    }
}

impl UpdateShown {
    /// Before anything is known of updates.
    pub fn off() -> Self {
        Self {
            state: UpdateState::Off,
            current: env!("CARGO_PKG_VERSION").to_owned(),
            version: None,
            notes: None,
            progress: None,
            waits_for: None,
            problem: None,
        }
    }
}

/// As the page names this system.
pub const PLATFORM: &str = if cfg!(target_os = "macos") {
    "macos"
} else if cfg!(windows) {
    "windows"
} else {
    "linux"
};
