//! The app from its start to its end.

use crate::{
    commands,
    controller::{Controller, Tick},
    ending::{Ending, Leaving},
    keep::{Keeper, STOPS_WITHIN},
    lines::Lines,
    login::Login,
    panel::Panel,
    scheme,
    start::{Opening, Start},
    trouble,
    updates::{self, Successor, Updates},
    window,
};
use gateway::{cli, config::Paths};
use std::{ffi::OsString, process::ExitCode, time::Instant};
#[cfg(target_os = "macos")]
use tauri::Manager;
use tauri::RunEvent;
use tokio::sync::{mpsc, watch};

/// What happened and was not taken in yet. A person and a gateway cause a few a second.
const TICKS: usize = 256;
/// Wishes for the gateway that wait.
const WISHES: usize = 8;

/// Runs it; comes back when all has ended.
pub fn run(opening: Opening) -> ExitCode {
    if let Some(why) = no_display() {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    match start(opening) {
        Ok(code) => u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(e) => {
            eprintln!("Lanyard could not start: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Where there is nothing to show a window on.
#[cfg(target_os = "linux")]
fn no_display() -> Option<&'static str> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    (!set("DISPLAY") && !set("WAYLAND_DISPLAY")).then_some(
        "There is no display here, so there is nowhere to show a tray or a window.\n\
         Run the gateway without one: lanyard serve",
    )
}

#[cfg(not(target_os = "linux"))]
fn no_display() -> Option<&'static str> {
    None
}

fn start(opening: Opening) -> Result<i32, Box<dyn std::error::Error>> {
    let (paths, context) = (Paths::find(opening.home.as_deref())?, tauri::generate_context!());
    let version = context.package_info().version.to_string();
    if let Some(trial) = updates::staged::take_up(&paths, &version, std::env::args_os().skip(1)) {
        return Ok(trial.begin().map(|()| 0)?);
    }
    let threads = cli::threads()?;
    tauri::async_runtime::set(threads.handle().clone());
    let code = {
        let _here = threads.enter();
        events(opening, &paths, context)
    };
    // Nothing is waited for any more: the gateway has ended what it started.
    threads.shutdown_background();
    code
}

/// The system's event loop, from the start to the end.
fn events(opening: Opening, paths: &Paths, context: tauri::Context) -> Result<i32, Box<dyn std::error::Error>> {
    let (ticks, ticking) = mpsc::channel(TICKS);
    let (wishes, wished) = mpsc::channel(WISHES);
    let (update, inputs) = mpsc::channel(updates::INPUTS);
    let (desk, status) = (watch::Sender::new(None), watch::Sender::new(None));
    let shown = watch::Sender::new(trouble::Shown { config: paths.config.clone(), ..trouble::Shown::default() });
    let shared = commands::Shared {
        desk: desk.subscribe(),
        lines: Lines::default(),
        status: status.subscribe(),
        ticks: ticks.clone(),
    };
    let app = builder(&opening, paths, &ticks, (desk.subscribe(), shown.subscribe())).manage(shared).build(context)?;
    let handle = app.handle().clone();
    let stop = watch::Sender::new(false);
    let keeper = Keeper {
        paths: paths.clone(),
        wishes: wished,
        stop: stop.subscribe(),
        ticks: ticks.clone(),
        desk: desk.clone(),
    };
    let (successor, left) = (Successor::default(), watch::Sender::new(false));
    let mut ending = Some(Ending { ticks: ticks.clone(), left: left.subscribe() });
    let leaving = Leaving::new(handle.clone(), left);
    let updates = Updates {
        app: handle.clone(),
        data: paths.data.clone(),
        inputs,
        tell: update.clone(),
        desk: desk.subscribe(),
        shown: shown.subscribe(),
        ticks: ticks.clone(),
        successor: successor.clone(),
        leaving: leaving.clone(),
    };
    let panel = Panel {
        app: handle.clone(),
        ticks: ticks.clone(),
        wishes,
        stop,
        desk: desk.subscribe(),
        status,
        updates: update.clone(),
        leaving,
        shown,
        login: Login::new(&handle, &opening),
        icon: crate::panel::Icon::new(&handle, ticks.clone()),
        notices: crate::panel::Notices::new(ticks.clone()),
        webview: opening.home.as_ref().map(|home| home.join("cache").join("webview")),
    };
    let began = Begun { panel, keeper, updates, opening, ticking, ticks };
    let mut begun = Some(began);
    let code = app.run_return(move |_app, event| match event {
        RunEvent::Ready => begin(begun.take()),
        // The last window was closed: the tray stays.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::Exit if begun.is_none() => {
            if let Some(ending) = ending.take() {
                tauri::async_runtime::block_on(ending.met(STOPS_WITHIN));
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::tick(&_app.state::<commands::Shared>().ticks, Tick::Opened),
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            let screen = urls.iter().find_map(|url| crate::links::screen(url.as_str()));
            let opening = Opening { screen, ..Opening::default() };
            window::tick(&_app.state::<commands::Shared>().ticks, Tick::StartedAgain(opening));
        }
        _ => {}
    });
    updates::hand_over(&successor);
    Ok(code)
}

struct Begun {
    panel: Panel,
    keeper: Keeper,
    updates: Updates,
    opening: Opening,
    ticking: mpsc::Receiver<Tick>,
    ticks: mpsc::Sender<Tick>,
}

/// The event loop runs: everything else may begin.
fn begin(begun: Option<Begun>) {
    let Some(Begun { panel, keeper, updates, opening, ticking, ticks }) = begun else { return };
    let autostart = panel.login.is_on();
    // A Lanyard in a folder of its own leaves links to the owner's usual one.
    #[cfg(target_os = "linux")]
    if let Some(handler) = crate::links::handler::Handler::here(updates::packed()).filter(|_| opening.home.is_none()) {
        tauri::async_runtime::spawn(handler.keep());
    }
    let controller = Controller::new(panel, &opening, autostart, Instant::now());
    tauri::async_runtime::spawn(controller.run(ticking));
    tauri::async_runtime::spawn(keeper.run());
    tauri::async_runtime::spawn(updates.run());
    tauri::async_runtime::spawn(async move {
        cli::asked_to_stop().await;
        let _the_app_is_ending = ticks.send(Tick::Terminated).await;
    });
}

type Reached = (watch::Receiver<Option<gateway::desk::Desk>>, watch::Receiver<trouble::Shown>);

fn builder(
    opening: &Opening,
    paths: &Paths,
    ticks: &mpsc::Sender<Tick>,
    reached: Reached,
) -> tauri::Builder<tauri::Wry> {
    let (again, buttons, config) = (ticks.clone(), ticks.clone(), paths.config.clone());
    let one =
        tauri_plugin_single_instance::Builder::new().dbus_id(bus_name(opening)).callback(move |_, arguments, _| {
            let words = arguments.into_iter().skip(1).map(OsString::from);
            let opening = match Start::read(words, None) {
                Start::App(opening) => opening,
                Start::Command => Opening::default(),
            };
            window::tick(&again, Tick::StartedAgain(opening));
        });
    // First, so that a second start ends before anything of it begins.
    let builder = tauri::Builder::default().plugin(one.build());
    #[cfg(not(target_os = "linux"))]
    let builder = builder.plugin(crate::login::plugin(opening));
    #[cfg(target_os = "macos")]
    let builder = crate::menu_bar::with(builder, ticks.clone());
    builder
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_updater::Builder::new().build())
        .invoke_handler(tauri::generate_handler![
            commands::desk_subscribe,
            commands::desk_tell,
            commands::desk_unsubscribe,
            commands::desk_each_line,
            commands::native_status,
            commands::native_autostart,
            commands::native_open,
            commands::native_pick_folder,
            commands::update_check,
            commands::update_install,
        ])
        .register_asynchronous_uri_scheme_protocol(scheme::SCHEME, move |_, request, responder| {
            if let Some(button) = trouble::Button::at(request.uri().path()) {
                responder.respond(trouble::pressed(button, &buttons, &config));
                return;
            }
            let answering = scheme::answer(reached.0.clone(), reached.1.clone(), request);
            tauri::async_runtime::spawn(async move { responder.respond(answering.await) });
        })
}

/// Each home folder has a Lanyard of its own.
fn bus_name(opening: &Opening) -> String {
    const NAME: &str = "dev.lanyard.desktop";
    match &opening.home {
        None => NAME.to_owned(),
        Some(home) => {
            use std::hash::{DefaultHasher, Hash, Hasher};
            let mut hash = DefaultHasher::new();
            std::path::absolute(home).unwrap_or_else(|_| home.clone()).hash(&mut hash);
            format!("{NAME}.at{:x}", hash.finish())
        }
    }
}
