//! Whether the bar with the tray is dark, as far as the desktop tells.

use super::Tone;
use std::time::Duration;
use zbus::zvariant::OwnedValue;

/// The portal answers at once where there is one.
const PATIENCE: Duration = Duration::from_secs(1);

pub async fn here() -> Tone {
    let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    let scheme = tokio::time::timeout(PATIENCE, scheme()).await.ok().and_then(Result::ok);
    tone(&desktop, scheme)
}

/// `org.freedesktop.appearance color-scheme`: 1 dark, 2 light, 0 no wish.
fn tone(desktop: &str, scheme: Option<u32>) -> Tone {
    // GNOME's bar is dark whatever its windows are.
    if desktop.split(':').any(|name| matches!(name, "GNOME" | "Unity")) {
        return Tone::Dark;
    }
    match scheme {
        Some(1) => Tone::Dark,
        Some(2) => Tone::Light,
        _ => Tone::Any,
    }
}

async fn scheme() -> zbus::Result<u32> {
    let bus = zbus::Connection::session().await?;
    let portal = zbus::Proxy::new(
        &bus,
        "org.freedesktop.portal.Desktop",
        "/org/freedesktop/portal/desktop",
        "org.freedesktop.portal.Settings",
    );
    let value: OwnedValue = portal.await?.call("ReadOne", &("org.freedesktop.appearance", "color-scheme")).await?;
    u32::try_from(value).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_of_unknown_colour_gets_icons_that_are_seen_on_both() {
        assert_eq!(tone("XFCE", None), Tone::Any);
        assert_eq!(tone("KDE", Some(1)), Tone::Dark);
        assert_eq!(tone("KDE", Some(2)), Tone::Light);
        assert_eq!(tone("ubuntu:GNOME", Some(2)), Tone::Dark);
    }
}
