//! The real app on a desktop of its own: its tray, its window, its notices, its beginning and its end.
#![cfg(target_os = "linux")]

mod desktop;

use desktop::{App, Desktop, SOON, processes_of, tray::Panel, until};
use standins::ngrok::{Edge, TOKEN};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    net::UnixListener,
    process::{Child, Command},
};

/// Gives windows their frames and the keyboard.
async fn window_manager(desktop: &Desktop) -> Child {
    let mut openbox = Command::new("openbox");
    openbox.env("DISPLAY", &desktop.display).env("HOME", desktop.home.path()).kill_on_drop(true);
    let openbox = openbox.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("openbox is installed");
    until("a window manager", async || {
        let mut root = Command::new("xprop");
        let said =
            root.args(["-root", "_NET_SUPPORTING_WM_CHECK"]).env("DISPLAY", &desktop.display).output().await.unwrap();
        String::from_utf8_lossy(&said.stdout).contains("window id").then_some(())
    })
    .await;
    openbox
}

#[tokio::test]
async fn the_tray_shows_a_question_and_its_no_goes_through_the_gate() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    desktop.interrupted_turn("paint the shed").await;
    let mut app = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    let menu = icon.until_menu("the question", |menu| menu.find("#1 ").is_some()).await;
    icon.until_face("needs-you").await;
    let question = menu.find("#1 ").unwrap();
    assert!(question.labels().iter().any(|line| line.contains("paint the shed")), "{question:?}");
    assert!(question.find("Allow once").is_some() && menu.find("Quit Lanyard").is_some(), "{:?}", menu.labels());
    let began = Instant::now();
    icon.click(Some("#1 "), "Deny").await;
    icon.until_menu("no question", |menu| menu.find("#1 ").is_none()).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let logged = desktop.command(&["logs"]).output().await.unwrap();
    let logged = String::from_utf8_lossy(&logged.stdout).into_owned();
    assert!(logged.contains("denied"), "{logged}");
    icon.until_face("trouble").await;
    icon.until_says("No Docker engine answers").await;
    icon.click(None, "Quit Lanyard").await;
    assert!(app.ends().await.success(), "{}", desktop.log());
    assert!(!icon.is_there().await);
}

#[tokio::test]
async fn a_second_start_brings_the_window_of_the_first_forward_and_ends() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    let mut first = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    icon.until_menu("it is up", |menu| menu.find("Open Lanyard").is_some()).await;
    assert!(!desktop.windows().await.contains(&"Lanyard".to_owned()), "at login there is no window");
    let mut second = desktop.start(&[]);
    assert!(second.ends().await.success());
    desktop.until_windows("the window", |titles| titles.contains(&"Lanyard".to_owned())).await;
    assert!(first.child.try_wait().unwrap().is_none());
    assert_eq!(panel.registered(), 1);
    first.ask_to_end();
    assert!(first.ends().await.success(), "{}", desktop.log());
    until("nothing left", async || processes_of(desktop.home.path()).is_empty().then_some(())).await;
}

#[tokio::test]
async fn a_killed_app_leaves_no_process_behind_and_starts_again() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    desktop.interrupted_turn("count the stars").await;
    let mut app = desktop.start(&[]);
    desktop.until_windows("the window", |titles| titles.contains(&"Lanyard".to_owned())).await;
    let icon = panel.icon().await;
    icon.until_menu("the question", |menu| menu.find("#1 ").is_some()).await;
    until("its webview", async || (processes_of(desktop.home.path()).len() >= 3).then_some(())).await;
    app.kill();
    app.ends().await;
    until("nothing left", async || processes_of(desktop.home.path()).is_empty().then_some(())).await;
    let mut again = desktop.start(&["--minimized"]);
    until("the icon is back", async || (panel.registered() == 2).then_some(())).await;
    panel.icon().await.until_menu("the question again", |menu| menu.find("#1 ").is_some()).await;
    again.ask_to_end();
    assert!(again.ends().await.success());
}

#[tokio::test]
async fn where_nothing_shows_tray_icons_the_window_opens_and_says_so() {
    let desktop = Desktop::new().await;
    let mut app = desktop.start(&["--minimized"]);
    desktop.until_windows("the window", |titles| titles.contains(&"Lanyard".to_owned())).await;
    let says = desktop.notices.until(SOON, |notices| notices.iter().any(|n| n.title.contains("no tray icons"))).await;
    assert!(says.is_ok(), "{:?}", desktop.notices.shown());
    app.ask_to_end();
    assert!(app.ends().await.success());
}

#[tokio::test]
async fn a_watcher_that_nothing_draws_for_shows_no_icons_until_something_does() {
    let desktop = Desktop::new().await;
    let watcher = Panel::without_host(&desktop.notices.address()).await;
    let mut app = desktop.start(&["--minimized"]);
    let is_open = |titles: &[String]| titles.contains(&"Lanyard".to_owned());
    desktop.until_windows("the window stands in", is_open).await;
    let seen = || desktop.log().contains("the desktop shows the tray");
    assert!(!seen(), "a watcher alone shows nothing");
    watcher.host(true).await;
    // The window goes unless somebody, or the window manager, has turned to it meanwhile.
    until("the tray is seen", async || seen().then_some(())).await;
    assert!(watcher.icon().await.is_there().await);
    app.ask_to_end();
    assert!(app.ends().await.success());
}

#[tokio::test]
async fn a_link_opens_in_the_app_that_took_links_for_this_user() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    let at = desktop.home.path().join(".config/lanyard");
    std::fs::create_dir_all(&at).unwrap();
    std::fs::rename(desktop.config(), at.join("config.toml")).unwrap();
    // A Lanyard at its usual place in this home.
    let command = |program: &str, words: &[&str]| {
        let like = desktop.command(&[]);
        let mut command = Command::new(program);
        command.args(words).env_clear().kill_on_drop(true).stdin(Stdio::null());
        command.envs(like.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env_remove("LANYARD_HOME");
        command
    };
    let mut app = App::of(command(env!("CARGO_BIN_EXE_lanyard-desktop"), &["--minimized"]).spawn().unwrap(), &desktop);
    let icon = panel.icon().await;
    icon.until_menu("it is up", |menu| menu.find("Open Lanyard").is_some()).await;
    until("links are its", async || {
        let asked = command("xdg-mime", &["query", "default", "x-scheme-handler/lanyard"]).output().await.unwrap();
        (asked.stdout == b"lanyard-desktop-handler.desktop\n").then_some(())
    })
    .await;
    assert!(!desktop.windows().await.contains(&"Lanyard".to_owned()));
    let opened = command("xdg-open", &["lanyard://pair"]).output().await.unwrap();
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    desktop.until_windows("the window", |titles| titles.contains(&"Lanyard".to_owned())).await;
    assert!(app.child.try_wait().unwrap().is_none());
    app.ask_to_end();
    assert!(app.ends().await.success());
}

#[tokio::test]
async fn the_icon_tells_work_and_a_tunnel_that_is_away() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    let edge = Edge::start().await.unwrap();
    // An engine that never answers: nothing is wrong with it yet, and a turn is at work until it goes.
    let (engine, ca) = (desktop.home.path().join("engine.sock"), desktop.home.path().join("edge.pem"));
    let _silent = UnixListener::bind(&engine).unwrap();
    std::fs::write(&ca, edge.ca_pem()).unwrap();
    desktop.write_config(&format!(
        "[sandbox]\nengine = \"{}\"\n[tunnel]\nenabled = true\nedge = \"{}\"\nedge_ca = \"{}\"\n",
        engine.display(),
        edge.addr(),
        ca.display()
    ));
    desktop.keep_secret("ngrok", TOKEN);
    let mut app = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    icon.until_face("idle").await;
    edge.wait_for(SOON, |seen| seen.tunnels == 1).await.unwrap();
    edge.set_down(true).await;
    icon.until_says("The tunnel is on its way back").await;
    icon.until_face("offline").await;
    edge.set_down(false).await;
    icon.until_face("idle").await;
    let said = desktop.command(&["send", "--no-wait", "paint the shed"]).output().await.unwrap();
    assert!(said.status.success(), "{}", desktop.log());
    icon.until_says("At work in one session").await;
    icon.until_face("working").await;
    app.ask_to_end();
    assert!(app.ends().await.success());
}

#[tokio::test]
async fn quitting_while_something_waits_offers_three_ways() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    let _frames = window_manager(&desktop).await;
    desktop.interrupted_turn("sort the screws").await;
    let mut app = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    icon.until_menu("the question", |menu| menu.find("#1 ").is_some()).await;
    let ask = async || {
        icon.click(None, "Quit Lanyard").await;
        desktop.until_windows("it asks", |titles| titles.iter().any(|t| t == "Quit Lanyard?")).await;
    };
    let asked_no_more = async || {
        desktop.until_windows("answered", |titles| !titles.iter().any(|t| t == "Quit Lanyard?")).await;
    };
    ask().await;
    desktop.picture("quit").await;
    desktop.keys(&["Escape"]).await;
    asked_no_more().await;
    assert!(icon.is_there().await, "cancelled");
    ask().await;
    answer(&desktop, "Leave it running").await;
    asked_no_more().await;
    until("no icon", async || (!icon.is_there().await).then_some(())).await;
    let status = app.says(&desktop, &["status", "--json"]).await;
    assert_eq!(status["open_approvals"], 1, "it goes on without being seen: {status}");
    assert!(desktop.start(&[]).ends().await.success());
    until("the icon is back", async || (panel.registered() == 2).then_some(())).await;
    let icon = panel.icon().await;
    icon.until_menu("and its menu", |menu| menu.find("#1 ").is_some()).await;
    icon.click(None, "Quit Lanyard").await;
    desktop.until_windows("it asks again", |titles| titles.iter().any(|t| t == "Quit Lanyard?")).await;
    answer(&desktop, "Stop all").await;
    assert!(app.ends().await.success(), "{}", desktop.log());
    until("nothing left", async || processes_of(desktop.home.path()).is_empty().then_some(())).await;
}

/// Presses a button of the dialog in front. The first button has the focus.
async fn answer(desktop: &Desktop, button: &str) {
    let steps = match button {
        "Leave it running" => 0,
        _ => 1,
    };
    for _ in 0..steps {
        desktop.keys(&["Tab"]).await;
    }
    desktop.keys(&["Return"]).await;
}

#[tokio::test]
async fn a_config_with_an_error_is_said_in_the_window_and_mended_without_a_new_start() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    desktop.write_config("[sandbocks]\n");
    let mut app = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    icon.until_menu("what is wrong", |menu| menu.labels()[0].contains("sandbocks")).await;
    desktop.until_windows("the window", |titles| titles.contains(&"Lanyard".to_owned())).await;
    icon.until_face("trouble").await;
    desktop.write_config("[sandbox]\nengine = \"/nowhere/docker.sock\"\n");
    icon.click(None, "Try again").await;
    icon.until_menu("it is up", |menu| menu.find("Open Lanyard").is_some()).await;
    app.ask_to_end();
    assert!(app.ends().await.success());
}

#[tokio::test]
async fn without_a_display_it_names_what_runs_without_one() {
    let desktop = Desktop::new().await;
    let output = desktop.command(&[]).env_remove("DISPLAY").stderr(Stdio::piped()).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("lanyard serve"), "{said}");
}

#[tokio::test]
async fn a_headless_lanyard_on_the_same_folder_is_named_and_can_be_taken_over_from() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    let _frames = window_manager(&desktop).await;
    let mut headless = desktop.start(&["serve"]);
    headless.says(&desktop, &["status", "--json"]).await;
    let mut app = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    icon.until_says("Another Lanyard runs here").await;
    desktop.until_windows("the window", |titles| titles.contains(&"Lanyard".to_owned())).await;
    icon.click(None, "Stop it and run here").await;
    desktop.until_windows("it asks", |titles| titles.iter().any(|t| t == "Stop the other Lanyard?")).await;
    desktop.keys(&["Return"]).await;
    assert!(headless.ends().await.success());
    icon.until_menu("it is up", |menu| menu.find("Open Lanyard").is_some()).await;
    app.ask_to_end();
    assert!(app.ends().await.success());
}

#[tokio::test]
async fn a_notice_asks_while_nobody_looks_and_its_buttons_answer() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    desktop.interrupted_turn("wash the car").await;
    let mut app = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    let shown =
        desktop.notices.until(SOON, |notices| notices.iter().any(|n| n.title.starts_with("#1 "))).await.unwrap();
    let notice = shown.into_iter().find(|n| n.title.starts_with("#1 ")).unwrap();
    assert!(notice.buttons.iter().any(|b| b == "Allow") && notice.buttons.iter().any(|b| b == "Deny"), "{notice:?}");
    desktop.notices.press(&notice, "Deny").await.unwrap();
    icon.until_menu("no question", |menu| menu.find("#1 ").is_none()).await;
    desktop.notices.until(SOON, <[_]>::is_empty).await.unwrap();
    assert_eq!(desktop.notices.came(), 1, "once");
    app.ask_to_end();
    assert!(app.ends().await.success());
}

#[tokio::test]
async fn start_at_login_is_an_entry_of_the_desktops_own() {
    let desktop = Desktop::new().await;
    let panel = desktop.panel().await;
    let mut app = desktop.start(&["--minimized"]);
    let icon = panel.icon().await;
    icon.until_menu("it is off", |menu| menu.find("Start at login").is_some_and(|e| e.on == Some(false))).await;
    icon.click(None, "Start at login").await;
    icon.until_menu("it is on", |menu| menu.find("Start at login").is_some_and(|e| e.on == Some(true))).await;
    let entry = desktop.home.path().join(".config/autostart/Lanyard.desktop");
    let written = std::fs::read_to_string(&entry).unwrap();
    assert!(written.contains("--minimized") && written.contains("lanyard-desktop"), "{written}");
    icon.click(None, "Start at login").await;
    until("it is gone", async || (!entry.exists()).then_some(())).await;
    app.ask_to_end();
    assert!(app.ends().await.success());
}
