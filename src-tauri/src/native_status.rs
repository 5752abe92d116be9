//! What the window may know of the app around it, as its page reads it (`native_status`, event `native`).

use serde::Serialize;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<UpdateProblem>,
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

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UpdateProblem {
    pub code: String,
    pub message: String,
    pub suggestion: String,
}

impl UpdateShown {
    pub fn off() -> Self {
        Self {
            state: UpdateState::Off,
            current: env!("CARGO_PKG_VERSION").to_owned(),
            version: None,
            notes: None,
            progress: None,
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
