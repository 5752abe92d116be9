//! What the owner and the house set about the door.

use crate::Policy;
use rustls::pki_types::CertificateDer;
use std::time::Duration;
use url::Url;

/// Times are bounds on waiting for others; sizes are in bytes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the model is: `https://api.anthropic.com`, or a stand-in. A path in it is put before the request's.
    pub model_base: Url,
    /// What a sandbox may reach without asking. [`crate::Door::set_policy`] changes it live.
    pub policy: Policy,
    /// Certificates trusted for the model beside the system's.
    pub roots: Vec<CertificateDer<'static>>,
    /// Tool types of the Messages API, by their beginning, that make the model's own servers reach or run something for
    /// the agent: a way out past the allowlist, so they are refused.
    pub refused_tools: Vec<String>,
    /// May a request have the model's servers fetch pictures and documents by URL? Another such way out.
    pub remote_sources: bool,
    /// To connect, name look-up included. A sandbox sees the failure this much later, so it is short.
    pub connect_timeout: Duration,
    /// For a model request's body, which comes from this machine. The room it takes is lacked by others meanwhile.
    pub body_timeout: Duration,
    /// From a request's last byte to the first of the answer's head. Long: a model may think.
    pub first_byte_timeout: Duration,
    /// Between two pieces of an answer. The model pings about every 15 s while it thinks.
    pub idle_timeout: Duration,
    /// Of a tunnel with no byte either way.
    pub tunnel_idle: Duration,
    /// For the owner's answer to "allow this domain?".
    pub ask_timeout: Duration,
    /// What is under way when the door is told to stop may go on for this long.
    pub drain: Duration,
    /// Of one model request's body. Anthropic's own limit is 32 MB.
    pub max_request: usize,
    /// Connections of one sandbox at a time. Fewer than its relay opens (240), so that a new one always gets as far as the door,
    /// which can tell whose place it may have.
    pub max_connections: usize,
}

impl Settings {
    /// The values meant for use, for a model at `model_base`.
    pub fn new(model_base: Url) -> Self {
        Self {
            model_base,
            policy: Policy::default(),
            roots: Vec::new(),
            refused_tools: ["web_fetch", "code_execution", "mcp"].map(str::to_owned).to_vec(),
            remote_sources: false,
            connect_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(60),
            first_byte_timeout: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(300),
            tunnel_idle: Duration::from_secs(600),
            ask_timeout: Duration::from_secs(300),
            drain: Duration::from_secs(5),
            max_request: 32 << 20,
            max_connections: 200,
        }
    }
}
