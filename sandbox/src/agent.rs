//! Claude Code: its command line and its JSON lines. No format of its own leaves this module: what it says comes out as
//! [`AgentEvent`]s, what it is told goes in as [`AgentCommand`]s. Held against 2.1.197 and 2.1.329, by recorded lines
//! and by the programs themselves.
//!
//! One [`Process`] is one running `claude`. It may be started ahead of any session ([`Session::Start`] with a fresh id):
//! it then waits, costs memory only, and its first words come an order of magnitude sooner.

mod ask;
mod end;
mod fault;
pub mod history;
mod launch;
mod lines;
mod mcp;
mod process;
mod read;
mod say;
pub mod secrets;
mod tools;
mod turn;
mod wire;

pub use end::{Ending, Patience};
pub use launch::{AgentLaunch, Session, path_on};
pub use process::{Control, NotReady, Process, ProcessIo, Ready};
pub use read::{Heard, LINE_CAP, Options, Reader, TURN_CAP};
pub use relay::within::{ITSELF as OVER_MEMORY, Limits};
pub use say::encode;

use crate::{Command, Error, ProcessMark, Sandboxes};
use domain::SandboxId;

impl Sandboxes {
    /// Starts Claude Code in a running sandbox and says `initialize` to it at once. Returns as soon as the engine has
    /// started the process; [`Control::ready`] tells when it can take a turn.
    pub async fn start_agent(&self, id: SandboxId, launch: AgentLaunch) -> Result<Process, Error> {
        let mut command = Command::new(launch.limits.around(launch.argv(launch::PROGRAM))).cwd(launch::WORKSPACE);
        for (name, value) in launch.env() {
            command = command.env(name, value);
        }
        let attached = self.attach(id, command).await?;
        let (exec, sandboxes) = (attached.exec.clone(), self.clone());
        let io = ProcessIo {
            stdin: attached.stdin,
            output: attached.output,
            status: Box::pin(async move { exec.status().await }),
            kill: Box::new(killer(sandboxes, id, attached.exec.mark)),
        };
        Ok(Process::spawn(io, launch.options()))
    }
}

fn killer(
    sandboxes: Sandboxes,
    id: SandboxId,
    mark: ProcessMark,
) -> impl Fn(Option<u32>) -> process::Killing + Send + Sync {
    move |pid| {
        let sandboxes = sandboxes.clone();
        Box::pin(async move { sandboxes.end_process(id, mark, pid).await })
    }
}
