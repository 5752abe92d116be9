//! What the rehearsal sets up: stand-ins, a project with a failing test, and a config that leads to them.

use anyhow::{Context, Result, ensure};
use standins::{
    anthropic::{Anthropic, Pace},
    ngrok::{self, Edge},
    rehearsal,
    twilio::{ACCOUNT, NUMBER, Phone, Shown, TOKEN, Twilio},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The owner's phone.
const OWNER: &str = "+15551230001";
/// A key the stand-in takes; worth nothing anywhere.
pub const KEY: &str = "sk-ant-rehearsal-0000000000000000";
/// The agent's user inside; files of the project belong to it.
const AGENT_UID: u32 = 1000;

pub struct Stage {
    pub home: PathBuf,
    pub twilio: Twilio,
    pub anthropic: Anthropic,
    /// Whatever comes from outside comes through it.
    pub edge: Edge,
    /// The owner's.
    pub phone: Phone,
}

impl Stage {
    /// A fresh stage; what the last rehearsal left is cleared.
    pub async fn set() -> Result<Self> {
        let home = home()?;
        if home.exists() {
            fs::remove_dir_all(&home).with_context(|| format!("{} could not be cleared", home.display()))?;
        }
        let workspace = home.join("workspace");
        for (path, contents) in rehearsal::PROJECT {
            let file = workspace.join("billing").join(path);
            fs::create_dir_all(file.parent().context("a file in no folder")?)?;
            fs::write(file, contents)?;
        }
        give_to_agent(&workspace)?;
        let anthropic = Anthropic::start([rehearsal::script("/workspace", "lanyard-shot")]).await?;
        anthropic.accept_keys([KEY]);
        anthropic.set_pace(Pace { between_ms: 25, ..Pace::default() });
        let twilio = Twilio::start().await?;
        let phone = twilio.phone(OWNER);
        let edge = Edge::start().await?;
        edge.give_plain_urls();
        let stage = Self { home, twilio, anthropic, edge, phone };
        fs::write(stage.edge_ca(), stage.edge.ca_pem())?;
        fs::write(stage.home.join("config.toml"), stage.config())?;
        Ok(stage)
    }

    fn config(&self) -> String {
        let uid = agent_uid();
        format!(
            "# Written by the rehearsal.\n\
             [server]\nlisten = \"127.0.0.1:0\"\n\n\
             [tunnel]\nenabled = true\nedge = \"{}\"\nedge_ca = \"{}\"\n\n\
             [anthropic]\nbase_url = \"{}\"\n\n\
             [sandbox]\nsize = \"small\"\nworkspace = \"{}\"\nuid = {uid}\n\n\
             [twilio]\naccount_sid = \"{ACCOUNT}\"\nfrom = \"{NUMBER}\"\nallow = [\"{OWNER}\"]\nbase_url = \"{}\"\n",
            self.edge.addr(),
            self.edge_ca().display(),
            self.anthropic.url(),
            self.home.join("workspace").display(),
            self.twilio.url(),
        )
    }

    /// What the gateway is told of secrets: by environment, as on a server.
    pub fn secrets(&self) -> [(&'static str, &'static str); 3] {
        [("LANYARD_ANTHROPIC_KEY", KEY), ("LANYARD_TWILIO_KEY", TOKEN), ("LANYARD_NGROK_KEY", ngrok::TOKEN)]
    }

    fn edge_ca(&self) -> PathBuf {
        self.home.join("edge-ca.pem")
    }

    /// The picture as a file, to look at.
    pub fn keep_picture(&self, shown: &Shown) -> Result<PathBuf> {
        let ending = shown.media_type.rsplit('/').next().unwrap_or("bin");
        let file = self.home.join(format!("picture.{ending}"));
        fs::write(&file, &shown.bytes)?;
        Ok(file)
    }

    /// The agent really edited the file: the owner's own folder has the mended line.
    pub fn check_the_edit(&self) -> Result<()> {
        let file = self.home.join("workspace/billing/src/invoice.js");
        let text = fs::read_to_string(&file)?;
        ensure!(text.contains(rehearsal::MENDED.1), "{} was not edited", file.display());
        Ok(())
    }
}

/// Beside the other caches; short enough for a socket's path.
fn home() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    Ok(base.context("HOME is not set")?.join("lanyard/rehearsal"))
}

/// Root works as somebody else inside; anybody else as themselves.
fn agent_uid() -> u32 {
    match rustix::process::getuid().as_raw() {
        0 => AGENT_UID,
        own => own,
    }
}

fn give_to_agent(folder: &Path) -> Result<()> {
    if rustix::process::getuid().is_root() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                give_to_agent(&path)?;
            } else {
                std::os::unix::fs::chown(&path, Some(AGENT_UID), Some(AGENT_UID))?;
            }
        }
        std::os::unix::fs::chown(folder, Some(AGENT_UID), Some(AGENT_UID))?;
    }
    Ok(())
}
