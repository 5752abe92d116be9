//! The command line of `lanyard`: `serve` is the gateway without a display; the rest speaks to the one that runs, through its
//! local door.

mod audit;
mod client;
mod docs;
mod hosts;
mod image;
mod import;
mod keys;
mod lan;
mod phones;
mod rules;
mod say;
mod show;
mod tasks;
mod tunnel;
mod uninstall;

pub use client::LocalDoor;

use crate::{
    Ended, Gateway,
    config::{self, Paths, Resolved},
    logging,
};
use clap::{Parser, Subcommand};
use domain::{PermissionMode, Problem};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
#[command(
    name = "lanyard",
    version,
    about = "Your coding agent on a lanyard: it works in a locked room, you carry it in your pocket."
)]
pub struct Cli {
    /// Keep everything of this Lanyard under one folder.
    #[arg(long, global = true, env = "LANYARD_HOME", value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// Print JSON instead of words.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway without a display.
    Serve,
    /// What Lanyard does right now.
    Status,
    /// Say something to the agent and watch it work.
    Send {
        /// The session's number; none starts a new session.
        #[arg(short, long, value_name = "NUMBER")]
        session: Option<u32>,
        /// Into the running turn, not after it.
        #[arg(long)]
        steer: bool,
        /// Return at once instead of watching.
        #[arg(long)]
        no_wait: bool,
        /// What to say.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// List sessions, or stop or close one.
    Sessions {
        /// End the running turn of this session.
        #[arg(long, value_name = "NUMBER", conflicts_with = "close")]
        halt: Option<u32>,
        /// Close this session; its history stays.
        #[arg(long, value_name = "NUMBER")]
        close: Option<u32>,
    },
    /// How much an agent may do without asking: default, acceptEdits, plan or bypassPermissions. Holds at once.
    Mode {
        mode: PermissionMode,
        /// The session's number; none means the one used last.
        session: Option<u32>,
    },
    /// Show what waits for an answer, or answer it.
    Approve {
        /// The approval's number.
        number: Option<u32>,
        /// Refuse it; further words tell the agent why.
        #[arg(long)]
        no: bool,
        /// Allow it and what it suggests from now on, in this session; a host in every session.
        #[arg(long, conflicts_with = "no")]
        always: bool,
        /// Allow a host as long as the session lasts.
        #[arg(long, conflicts_with_all = ["no", "always"])]
        session: bool,
        /// The answer to a question, or the reason of a refusal.
        words: Vec<String>,
    },
    /// What happened in the sessions, newest last; -f goes on.
    Logs {
        #[arg(short, long)]
        follow: bool,
        /// What was sent by text and what became of it.
        #[arg(long, conflicts_with = "follow")]
        letters: bool,
        /// What the sandbox reached or wanted to.
        #[arg(long, conflicts_with = "follow")]
        reached: bool,
    },
    /// Pair a phone: shows a link that works once and for two minutes, then the next one, until a phone has used one.
    Pair {
        /// Show one link and return at once instead of waiting for the phone.
        #[arg(long)]
        no_wait: bool,
        /// Draw the QR code into this file too: a picture for a page (.svg) or for anything else (.png).
        #[arg(long, value_name = "FILE")]
        picture: Option<PathBuf>,
    },
    /// Tasks: a repository and words, done from clone to pull request.
    Task {
        #[command(subcommand)]
        action: tasks::TaskAction,
    },
    /// Hosts you allowed the sandbox to reach until further notice; allow or forget one.
    Hosts {
        #[command(subcommand)]
        action: Option<hosts::HostsAction>,
    },
    /// What agents may do without asking again, by an answer with "always"; take one back.
    Rules {
        #[command(subcommand)]
        action: Option<rules::RulesAction>,
    },
    /// The PIN that a phone's yes needs where approvals.pin_from says so: whether one is set, set one, forget it.
    Pin {
        #[command(subcommand)]
        action: Option<rules::PinAction>,
    },
    /// List phones; rename, revoke or limit one; tokens for scripts.
    Phones {
        #[command(subcommand)]
        action: Option<phones::PhonesAction>,
    },
    /// Show the config with every key, check it, or keep a secret.
    Config {
        #[command(subcommand)]
        action: Option<ConfigAction>,
    },
    /// The API's description in a browser, with a page to try it, on a port of this computer until Ctrl-C.
    Docs,
    /// Look at everything Lanyard needs, and say how to mend what is broken.
    Doctor,
    /// Build the sandbox image.
    Image {
        /// Even if it is up to date.
        #[arg(long)]
        rebuild: bool,
    },
    /// Take in the history that Claude Code keeps on this computer: closed sessions that can be searched. What was taken is not
    /// taken again; keys and tokens in it are left out.
    Import {
        /// Only show what there is.
        #[arg(long)]
        list: bool,
        /// Files of it; none means all.
        #[arg(value_name = "FILE", conflicts_with = "list")]
        files: Vec<String>,
    },
    /// The public address: how it fares, or switch it on or off.
    Tunnel {
        #[arg(value_enum)]
        switch: Option<tunnel::Switch>,
    },
    /// The same door on the local network: how it stands, or switch it on or off.
    Lan {
        #[arg(value_enum)]
        switch: Option<tunnel::Switch>,
    },
    /// Freeze the sandbox with everything in it.
    Pause,
    /// Let the sandbox go on.
    Resume,
    /// Remove the sandbox with its volumes: everything the agent has there that is not in a folder of yours.
    Remove {
        /// Without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Who came in, what was asked, allowed, reached and changed, in a chain that shows tampering.
    Audit {
        #[command(subcommand)]
        action: audit::AuditAction,
    },
    /// Lost phone: shut out every phone and token, refuse what is asked, pause the sandbox, answer nobody but Twilio.
    Lock,
    /// The lost phone is found or shut out for good: texts and agents go on. Phones have to be paired again.
    Unlock,
    /// Start the Lanyard that runs again, with the config as it is now.
    Restart {
        /// Also while an agent is at work.
        #[arg(long)]
        force: bool,
    },
    /// Stop the Lanyard that runs.
    Stop,
    /// What stays on this computer when the program is removed, or take all of it away.
    Uninstall {
        /// Take it away: sandbox, image, secrets, history, settings.
        #[arg(long)]
        remove: bool,
        /// Without asking.
        #[arg(long, requires = "remove")]
        yes: bool,
    },
}

#[derive(Subcommand)]
enum ConfigAction {
    /// Every key with its default and what it is for.
    Default,
    /// Read the file and say what is wrong with it.
    Check,
    /// Where the file is.
    Path,
    /// Keep an account's secret in the keychain (read from standard input).
    SetKey { account: String },
    /// Sign in where no secret has to be copied: github.
    SignIn { account: String },
    /// Forget an account's secret.
    RemoveKey { account: String },
}

/// The whole program: reads the arguments, runs the command, gives the exit code: 0 well, 1 an error (said on standard error),
/// or something broken that `doctor` found. The headless program and the desktop app with a subcommand are this.
pub fn program() -> ExitCode {
    #[cfg(feature = "failpoints")]
    let _until_the_end = fail::FailScenario::setup();
    let runtime = match threads() {
        Ok(runtime) => runtime,
        Err(e) => {
            eprintln!("The program could not start its threads: {e}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(main());
    // Nothing is waited for any more: `Gateway::run` has ended what it started.
    runtime.shutdown_background();
    code
}

/// What a gateway runs on. Each thread keeps memory of its own; the work is waiting, for which a few are enough on the largest
/// computer.
///
/// # Errors
/// As the system's.
pub fn threads() -> std::io::Result<tokio::runtime::Runtime> {
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().min(4));
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    threads.worker_threads(workers).max_blocking_threads(32).enable_all().build()
}

async fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    match run(cli).await {
        Ok(code) => code,
        Err(problem) => {
            match json {
                true => eprintln!("{}", serde_json::to_string(&problem).unwrap_or_default()),
                false => eprintln!("{problem}"),
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, Problem> {
    let paths = Paths::find(cli.home.as_deref())?;
    let door = client::LocalDoor::at(&paths);
    let done = match cli.command {
        Command::Doctor => return show::doctor(&door, &paths, cli.json).await,
        Command::Audit { action } => return audit::act(&door, &action, cli.json).await,
        Command::Serve => serve(paths).await,
        Command::Status => show::status(&door, cli.json).await,
        Command::Send { session, steer, no_wait, words } => {
            say::send(&door, say::Words { session, steer, watch: !no_wait, text: words.join(" ") }, cli.json).await
        }
        Command::Sessions { halt: Some(n), .. } => {
            say::done(&door, &format!("/sessions/{n}/halt"), "Its turn is being stopped.", cli.json).await
        }
        Command::Sessions { close: Some(n), .. } => {
            say::done(&door, &format!("/sessions/{n}/close"), "Closed. Its history stays.", cli.json).await
        }
        Command::Sessions { .. } => show::sessions(&door, cli.json).await,
        Command::Mode { mode, session } => say::mode(&door, mode, session, cli.json).await,
        Command::Approve { number: None, .. } => show::approvals(&door, cli.json).await,
        Command::Approve { number: Some(number), no, always, session, words } => {
            say::approve(&door, number, say::Verdict::from_flags(no, always, session, words), cli.json).await
        }
        Command::Logs { letters: true, .. } => show::letters(&door, cli.json).await,
        Command::Logs { reached: true, .. } => show::reached(&door, cli.json).await,
        Command::Logs { follow, .. } => show::logs(&door, follow, cli.json).await,
        Command::Tunnel { switch } => tunnel::act(&door, switch, cli.json).await,
        Command::Lan { switch } => lan::act(&door, switch, cli.json).await,
        Command::Pair { no_wait, picture } => phones::pair(&door, !no_wait, picture.as_deref(), cli.json).await,
        Command::Hosts { action } => hosts::act(&door, &paths, action, cli.json).await,
        Command::Task { action } => tasks::act(&door, action, cli.json).await,
        Command::Rules { action } => rules::act(&door, action, cli.json).await,
        Command::Pin { action } => rules::pin(&door, action, cli.json).await,
        Command::Phones { action } => phones::act(&door, action, cli.json).await,
        Command::Config { action } => configure(action, &paths, &door, cli.json).await,
        Command::Docs => docs::serve(&paths, cli.json).await,
        Command::Image { rebuild } => image::build(&resolved(&paths)?, &paths, rebuild, cli.json).await,
        Command::Import { list: true, .. } => import::list(&door, cli.json).await,
        Command::Import { files, .. } => import::bring(&door, &files, cli.json).await,
        Command::Pause => {
            say::done(&door, "/sandbox/pause", "The sandbox is frozen. Go on with: lanyard resume", cli.json).await
        }
        Command::Resume => say::done(&door, "/sandbox/resume", "The sandbox goes on.", cli.json).await,
        Command::Remove { yes } => say::remove(&door, yes, cli.json).await,
        Command::Lock => show::lock(&door, cli.json).await,
        Command::Unlock => {
            say::done(&door, "/unlock", "Unlocked. Phones have to be paired again: lanyard pair", cli.json).await
        }
        Command::Restart { force } => say::restart(&door, force, cli.json).await,
        Command::Uninstall { remove, yes } => {
            // Also of a Lanyard whose config has an error.
            let config = resolved(&paths).or_else(|_| Resolved::new(config::Written::default()))?;
            uninstall::act(&config, &paths, cli.home.as_deref(), remove, yes, cli.json).await
        }
        Command::Stop => say::done(&door, "/stop", "Lanyard stops.", cli.json).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn resolved(paths: &Paths) -> Result<Resolved, Problem> {
    Ok(Resolved::new(config::read(&paths.config)?)?)
}

async fn serve(paths: Paths) -> Result<(), Problem> {
    let asked = CancellationToken::new();
    let heard = asked.clone();
    tokio::spawn(async move {
        asked_to_stop().await;
        heard.cancel();
    });
    loop {
        let config = resolved(&paths)?;
        logging::start(&config);
        let gateway = Gateway::build(config, paths.clone()).await?;
        let (stop, asked, asked_again) = (gateway.app.stop.clone(), asked.clone(), asked.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(asked.cancelled()).await;
            stop.cancel();
        });
        match gateway.run().await? {
            Ended::Restart if asked_again.is_cancelled() => return Ok(()),
            Ended::Restart => tracing::info!("Lanyard starts again"),
            Ended::Stop => return Ok(()),
        }
    }
}

/// Ctrl-C or the system's own request to end.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        let _by_ctrl_c = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

async fn configure(
    action: Option<ConfigAction>,
    paths: &Paths,
    door: &client::LocalDoor,
    json: bool,
) -> Result<(), Problem> {
    match action {
        None => show::config(&config::read(&paths.config)?, json),
        Some(ConfigAction::Default) => print!("{}", config::DEFAULT_TOML),
        Some(ConfigAction::Path) if json => println!("{}", json!({ "path": paths.config })),
        Some(ConfigAction::Path) => println!("{}", paths.config.display()),
        Some(ConfigAction::Check) => {
            resolved(paths)?;
            match json {
                true => println!("{}", json!({ "path": paths.config, "fine": true })),
                false => println!("{} is fine.", paths.config.display()),
            }
        }
        Some(ConfigAction::SetKey { account }) => keys::set(&resolved(paths)?, door, &account).await?,
        Some(ConfigAction::SignIn { account }) => keys::sign_in(&resolved(paths)?, door, &account).await?,
        Some(ConfigAction::RemoveKey { account }) => keys::remove(&resolved(paths)?, door, &account).await?,
    }
    Ok(())
}
