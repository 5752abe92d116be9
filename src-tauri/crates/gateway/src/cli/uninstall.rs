//! What Lanyard keeps on this computer, and taking it away: packages and app files are removed by whoever installed them, and
//! leave all of this.

use crate::{
    Gateway,
    config::{Paths, Resolved},
    secrets::Secrets,
    sessions::engine_settings,
};
use accounts::keychain::{Account, Source};
use domain::{Code, Problem};
use sandbox::Sandboxes;
use serde::Serialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// One thing that stays when the app is removed.
#[derive(Debug, Serialize)]
struct Left {
    what: &'static str,
    at: Vec<String>,
    /// It could not be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    #[serde(skip)]
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Engine,
    Secrets,
    Files,
}

/// The desktop app's name for its webview's files (`identifier` in tauri.conf.json).
const WEBVIEW: &str = "dev.lanyard.desktop";

/// What opens `lanyard://` links, where no package says it.
const HANDLER: &str = "lanyard-desktop-handler.desktop";

/// Lists what stays; with `remove` takes it away after a yes.
///
/// # Errors
/// `ALREADY_RUNNING` if it is to be removed while Lanyard runs.
pub async fn act(
    config: &Resolved,
    paths: &Paths,
    home: Option<&Path>,
    remove: bool,
    yes: bool,
    json: bool,
) -> Result<(), Problem> {
    let left = look(config, paths, home).await;
    show(&left, json, remove);
    if !remove || left.iter().all(|left| left.at.is_empty()) {
        return Ok(());
    }
    if Gateway::runs_at(paths) {
        return Err(Problem::from(Code::AlreadyRunning).suggest("Stop it first: lanyard stop."));
    }
    if !yes && !agreed() {
        eprintln!("Left as it is.");
        return Ok(());
    }
    for left in left.iter().filter(|left| !left.at.is_empty()) {
        match take_away(left, config, paths).await {
            Ok(()) => eprintln!("removed  {}", left.what),
            Err(problem) => eprintln!("stays    {}: {} {}", left.what, problem.message, problem.suggestion),
        }
    }
    Ok(())
}

async fn look(config: &Resolved, paths: &Paths, home: Option<&Path>) -> Vec<Left> {
    let (held, problem) = match held(config, paths).await {
        Ok(held) => (held, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let files = |what, at: Vec<PathBuf>| Left {
        what,
        at: at.into_iter().filter(|path| path.exists()).map(|path| path.display().to_string()).collect(),
        problem: None,
        kind: Kind::Files,
    };
    vec![
        Left {
            what: "the sandbox, all that is in it but in no folder of yours, and its image",
            at: held,
            problem,
            kind: Kind::Engine,
        },
        Left { what: "secrets in the keychain", at: kept_secrets(config).await, problem: None, kind: Kind::Secrets },
        files("sessions, phones and everything else it remembers", vec![paths.data.clone(), paths.run.clone()]),
        files("settings", vec![paths.config.clone()]),
        files("what it can fetch again", vec![paths.cache.clone()]),
        files("the desktop app's own files", of_the_app(home)),
    ]
}

async fn held(config: &Resolved, paths: &Paths) -> Result<Vec<String>, Problem> {
    let held = engine(config, paths).await?.holdings().await.map_err(problem)?;
    let sandboxes = held.sandboxes.iter().map(|id| format!("container of sandbox {}", id.0.simple()));
    Ok(sandboxes.chain(held.volumes).chain(held.images).collect())
}

async fn engine(config: &Resolved, paths: &Paths) -> Result<Sandboxes, Problem> {
    let (engine, _nobody_comes) = Sandboxes::connect(engine_settings(config, paths)).await.map_err(problem)?;
    Ok(engine)
}

fn problem(error: sandbox::Error) -> Problem {
    Problem::with_detail(error.code(), error)
}

/// Only what Lanyard itself put there: what the environment holds is somebody else's.
async fn kept_secrets(config: &Resolved) -> Vec<String> {
    let secrets = Secrets::open(config);
    let mut kept = Vec::new();
    for account in Account::ALL {
        if let Ok(secret) = secrets.keychain().get(*account).await
            && matches!(secret.source, Source::Keychain)
        {
            kept.push(account.name().to_owned());
        }
    }
    kept
}

/// Beside the usual places of a Lanyard: start at login, the handler of `lanyard://` links, the webview's files. A Lanyard in a
/// folder of its own (`home`) has the last of these there.
fn of_the_app(home: Option<&Path>) -> Vec<PathBuf> {
    let Some(dirs) = directories::BaseDirs::new().filter(|_| home.is_none()) else { return Vec::new() };
    let mut files: Vec<PathBuf> = [dirs.data_local_dir(), dirs.cache_dir(), dirs.config_dir()]
        .iter()
        .map(|folder| folder.join(WEBVIEW))
        .collect();
    files.extend(match std::env::consts::OS {
        "macos" => {
            let library = dirs.home_dir().join("Library");
            vec![library.join("LaunchAgents/Lanyard.plist"), library.join("WebKit").join(WEBVIEW)]
        }
        _ => vec![
            dirs.config_dir().join("autostart/Lanyard.desktop"),
            dirs.data_dir().join("applications").join(HANDLER),
        ],
    });
    files.sort();
    files.dedup();
    files
}

fn show(left: &[Left], json: bool, remove: bool) {
    if json {
        println!("{}", serde_json::to_string(left).unwrap_or_default());
        return;
    }
    println!("On this computer Lanyard keeps:\n");
    for left in left.iter().filter(|left| !left.at.is_empty() || left.problem.is_some()) {
        println!("{}", left.what);
        left.at.iter().for_each(|at| println!("    {at}"));
        if let Some(problem) = &left.problem {
            println!("    not known: {} {}", problem.message, problem.suggestion);
        }
    }
    if left.iter().flat_map(|left| &left.at).any(|at| at.ends_with(HANDLER)) {
        println!(
            "\nThe desktop's own list of what opens what (mimeapps.list) goes on naming Lanyard for lanyard:// links, which then open nothing."
        );
    }
    println!("\nA workspace folder of yours is never touched. The program itself is removed as it was installed.");
    if !remove {
        println!("Take all of it away with: lanyard uninstall --remove");
    }
}

fn agreed() -> bool {
    eprint!("\nRemove all of it? There is no way back. (yes/no) ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

async fn take_away(left: &Left, config: &Resolved, paths: &Paths) -> Result<(), Problem> {
    match left.kind {
        Kind::Engine => engine(config, paths).await?.remove_all().await.map(|_| ()).map_err(problem),
        Kind::Secrets => {
            let secrets = Secrets::open(config);
            for account in left.at.iter().filter_map(|name| name.parse::<Account>().ok()) {
                secrets.keychain().delete(account).await.map_err(|e| e.problem(account))?;
            }
            Ok(())
        }
        Kind::Files => left.at.iter().map(Path::new).try_for_each(remove).map_err(|e| {
            Problem::with_detail(Code::ConfigInvalid, format!("{e}.")).suggest("Remove what is left by hand.")
        }),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        Ok(()) | Err(_) => Ok(()),
    }
}
