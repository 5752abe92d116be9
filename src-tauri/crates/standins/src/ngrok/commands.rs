//! What ngrok says to an agent unasked, as from its dashboard.

use super::{Edge, link::Opener, rpc};
use anyhow::{Context, bail};
use muxado::typed::{StreamType, TypedOpenClose};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const RESTART: u32 = 4;
const STOP: u32 = 5;
const UPDATE: u32 = 6;
const STOP_TUNNEL: u32 = 9;

impl Edge {
    /// Asks every agent to stop; gives what they answer (`{}`, or `{"Error": …}`).
    pub async fn command_stop(&self) -> anyhow::Result<Vec<Value>> {
        self.command(STOP, json!({})).await
    }

    pub async fn command_restart(&self) -> anyhow::Result<Vec<Value>> {
        self.command(RESTART, json!({})).await
    }

    pub async fn command_update(&self, version: &str) -> anyhow::Result<Vec<Value>> {
        self.command(UPDATE, json!({ "Version": version, "PermitMajorVersion": false })).await
    }

    /// Takes the tunnel at this host away and tells its agent.
    pub async fn stop_tunnel(&self, host: &str, message: &str, code: Option<&str>) -> anyhow::Result<()> {
        let found = self.world.read(|state| state.tunnel(host).map(|(s, id)| (s.opener.clone(), id.to_owned())));
        let (mut opener, id) = found.with_context(|| format!("nothing is bound at {host}"))?;
        self.world.change(|state| state.sessions.values_mut().for_each(|s| drop(s.tunnels.remove(host))));
        let mut stream = opener.open_typed(StreamType::clamp(STOP_TUNNEL)).await?;
        let said = json!({ "Id": id, "Message": message, "ErrorCode": code });
        stream.write_all(said.to_string().as_bytes()).await?;
        stream.shutdown().await?;
        Ok(())
    }

    async fn command(&self, kind: u32, said: Value) -> anyhow::Result<Vec<Value>> {
        let openers: Vec<Opener> = self.world.read(|state| state.sessions.values().map(|s| s.opener.clone()).collect());
        let mut answers = Vec::new();
        for mut opener in openers {
            let mut stream = opener.open_typed(StreamType::clamp(kind)).await?;
            stream.write_all(said.to_string().as_bytes()).await?;
            let answer = tokio::time::timeout(Duration::from_secs(5), rpc::object(&mut *stream)).await;
            match answer {
                Ok(Some(answer)) => answers.push(answer),
                _ => bail!("an agent did not answer a command"),
            }
        }
        Ok(answers)
    }
}
