//! The desktop app: the tray, the window and the notices around a gateway that runs in the same process.
//!
//! [`controller`] decides, and knows no system; [`panel`] carries it out; [`keep`] runs the gateway; [`tray`] says what the
//! tray shows. The page in the window reaches the gateway by [`scheme`] and [`commands`]. Sole user of Tauri.

pub mod commands;
pub mod controller;
pub mod errands;
pub mod keep;
pub mod lines;
pub mod links;
pub mod native_status;
pub mod notices;
pub mod panel;
pub mod scheme;
pub mod start;
pub mod tray;
pub mod trouble;
pub mod updates;
pub mod window;

mod app;
pub use app::run;
