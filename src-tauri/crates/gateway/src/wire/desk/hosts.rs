//! What the sandbox may reach by the owner's answers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `GET /hosts`, and the answer to a change. Rules of the config (`egress.allow`, `egress.deny`) are among the settings.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Hosts {
    /// What was allowed until it is taken back, the newest first.
    pub hosts: Vec<HostAllowed>,
    /// Where packages come from, reached without asking; empty where the settings do not let them.
    pub packages: Vec<HostOfPackages>,
}

/// A host that a package manager on the owner's computer, or the sandbox's own, is set to, or that serves its files.
#[derive(Clone, Debug, Serialize, TS)]
pub struct HostOfPackages {
    /// `mirror.example`, or with its port where that is not 443.
    pub host: String,
    /// `npm`, `pip`, `cargo` or `apt`.
    pub manager: String,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct HostAllowed {
    /// `POST /hosts/{id}/forget` takes it back.
    pub id: i64,
    /// `example.com`, or `example.com:22` where the port is not 443.
    pub host: String,
    pub at: i64,
    /// The number of the session it holds in; none: in every one.
    pub session: Option<u32>,
    /// The number of the question it answered; none: it was allowed here.
    pub approval: Option<u32>,
}

/// `POST /hosts`: allows one in every session.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct HostWish {
    /// `example.com` or `example.com:22`.
    pub host: String,
}
