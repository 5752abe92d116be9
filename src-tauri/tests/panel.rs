//! A real desktop's panel (Xfce's) shows the icon, and a press on it opens the window. What it looked like stands in
//! `target/tmp/desktop`, for a person to look at.
#![cfg(target_os = "linux")]

mod desktop;

use desktop::{Desktop, until};
use std::{fs, path::Path, process::Stdio};
use tokio::process::{Child, Command};

/// A panel at the top with nothing but the tray, at the right.
const PANEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="true"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="30"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/><value type="int" value="2"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator"><property name="expand" type="bool" value="true"/></property>
    <property name="plugin-2" type="string" value="systray"/>
  </property>
</channel>
"#;

/// Where the panel shows the only icon.
const ICON: (&str, &str) = ("1266", "14");

fn start(desktop: &Desktop, program: &str) -> Child {
    let home = desktop.home.path();
    let mut command = Command::new(program);
    command.env("DISPLAY", &desktop.display).env("DBUS_SESSION_BUS_ADDRESS", desktop.notices.address());
    command.env("HOME", home).env("XDG_CONFIG_HOME", home.join(".config")).env("XDG_CACHE_HOME", home.join(".cache"));
    command.env("XDG_RUNTIME_DIR", home.join("run")).env("NO_AT_BRIDGE", "1").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|e| panic!("{program}: {e}"))
}

/// What keeps the panel's settings; no bus starts it here.
fn settings_keeper() -> String {
    let places = ["/usr/lib/x86_64-linux-gnu/xfce4/xfconf/xfconfd", "/usr/lib/aarch64-linux-gnu/xfce4/xfconf/xfconfd"];
    let more =
        ["/usr/lib/xfce4/xfconf/xfconfd", "/usr/lib64/xfce4/xfconf/xfconfd", "/usr/libexec/xfce4/xfconf/xfconfd"];
    places.into_iter().chain(more).find(|path| Path::new(path).exists()).expect("xfconf is installed").to_owned()
}

async fn mouse(desktop: &Desktop, words: &[&str]) {
    let mut move_ = Command::new("xdotool");
    assert!(move_.args(words).env("DISPLAY", &desktop.display).status().await.unwrap().success());
}

/// Pixels of the bar's right end that are about as red as the icon of trouble.
async fn red_pixels(desktop: &Desktop) -> usize {
    let picture = desktop.picture("panel").await;
    let picture = image::open(picture).unwrap().into_rgb8();
    let (width, _) = picture.dimensions();
    let icon = (0..30).flat_map(|y| (width - 40..width).map(move |x| (x, y)));
    icon.filter(|(x, y)| {
        let [r, g, b] = picture.get_pixel(*x, *y).0;
        r > 170 && g < 120 && b < 120
    })
    .count()
}

#[tokio::test]
async fn a_real_panel_shows_the_icon_and_a_press_on_it_opens_the_window() {
    let desktop = Desktop::new().await;
    let settings = desktop.home.path().join(".config/xfce4/xfconf/xfce-perchannel-xml");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("xfce4-panel.xml"), PANEL).unwrap();
    desktop.interrupted_turn("water the plants").await;
    let _keeper = start(&desktop, &settings_keeper());
    let _frames = start(&desktop, "openbox");
    let _panel = start(&desktop, "xfce4-panel");
    let mut app = desktop.start(&["--minimized"]);
    let listed = app.says(&desktop, &["approve", "--json"]).await;
    let number = listed[0]["number"].to_string();
    let denied = desktop.command(&["approve", &number, "--no"]).status().await.unwrap();
    assert!(denied.success());
    // No engine answers here: that is the trouble.
    until("the icon", async || (red_pixels(&desktop).await > 60).then_some(())).await;
    mouse(&desktop, &["mousemove", ICON.0, ICON.1, "click", "3"]).await;
    desktop.until_windows("the menu", |titles| titles.len() > 1).await;
    desktop.picture("panel-menu").await;
    desktop.keys(&["Escape"]).await;
    mouse(&desktop, &["mousemove", ICON.0, ICON.1, "click", "1"]).await;
    desktop.until_windows("the window", |titles| titles.contains(&"Lanyard".to_owned())).await;
    desktop.picture("panel-window").await;
    app.ask_to_end();
    assert!(app.ends().await.success());
}
