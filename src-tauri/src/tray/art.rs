//! The icons' pixels, from the files that are made of the drawings in `icons/tray`.

use super::{Face, Tone};
use tauri::image::Image;

/// Files of one icon, the smallest first.
macro_rules! art {
    ($($face:ident $tone:ident $name:literal),+ $(,)?) => {
        /// In PNG, 24 and 48 pixels wide.
        pub fn files(face: Face, tone: Tone) -> [&'static [u8]; 2] {
            match (face, tone) {
                $((Face::$face, Tone::$tone) => [
                    include_bytes!(concat!("../../../icons/tray/made/", $name, "-24.png")),
                    include_bytes!(concat!("../../../icons/tray/made/", $name, "-48.png")),
                ],)+
            }
        }
    };
}

art! {
    Idle Any "idle-any", Idle Light "idle-light", Idle Dark "idle-dark",
    Working Any "working-any", Working Light "working-light", Working Dark "working-dark",
    NeedsYou Any "needs-you-any", NeedsYou Light "needs-you-light", NeedsYou Dark "needs-you-dark",
    Offline Any "offline-any", Offline Light "offline-light", Offline Dark "offline-dark",
    Trouble Any "trouble-any", Trouble Light "trouble-light", Trouble Dark "trouble-dark",
}

/// For macOS: what is opaque is drawn in the bar's own colour. 44 pixels wide.
#[cfg(target_os = "macos")]
pub fn template(face: Face) -> &'static [u8] {
    match face {
        Face::Idle => include_bytes!("../../../icons/tray/made/idle-template.png"),
        Face::Working => include_bytes!("../../../icons/tray/made/working-template.png"),
        Face::NeedsYou => include_bytes!("../../../icons/tray/made/needs-you-template.png"),
        Face::Offline => include_bytes!("../../../icons/tray/made/offline-template.png"),
        Face::Trouble => include_bytes!("../../../icons/tray/made/trouble-template.png"),
    }
}

/// No other system has templates.
#[cfg(not(any(target_os = "macos", target_os = "linux")))]
pub fn template(face: Face) -> &'static [u8] {
    files(face, Tone::Any)[1]
}

/// As the tray of Linux takes them: ARGB.
#[cfg(target_os = "linux")]
pub fn pixels(face: Face, tone: Tone) -> Vec<ksni::Icon> {
    let of = |file: &[u8]| {
        let image = Image::from_bytes(file).ok()?;
        let data = image.rgba().chunks_exact(4).flat_map(|rgba| [rgba[3], rgba[0], rgba[1], rgba[2]]).collect();
        Some(ksni::Icon { width: image.width() as i32, height: image.height() as i32, data })
    };
    files(face, tone).into_iter().filter_map(of).collect()
}
