//! What the window shows while there is no gateway: that it starts, or why it does not and how to mend that. Made here, for
//! there is nothing to ask.

use crate::{
    controller::Tick,
    tray::{Choice, House},
    window::tick,
};
use domain::{Code, Problem};
use http::{HeaderValue, Response, StatusCode, header};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// What such a page is made of.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    pub house: House,
    /// The config file.
    pub config: PathBuf,
}

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const STYLE: &str = include_str!("trouble.css");

/// What a button of such a page asks for, by the path it is posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    TryAgain,
    TakeOver,
    ShowConfig,
    Quit,
}

impl Button {
    const ALL: [(Self, &str, &str); 4] = [
        (Self::TryAgain, "/trouble/try-again", "Try again"),
        (Self::TakeOver, "/trouble/take-over", "Stop it and run here…"),
        (Self::ShowConfig, "/trouble/show-config", "Open the config file"),
        (Self::Quit, "/trouble/quit", "Quit"),
    ];

    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known, _)| *known == path).map(|(button, ..)| button)
    }

    fn html(self, class: &str) -> String {
        let known = Self::ALL.into_iter().find(|(button, ..)| *button == self);
        let (path, label) = known.map_or(("/", ""), |(_, path, label)| (path, label));
        format!("<form method=post action=\"{path}\"><button class=\"{class}\">{label}</button></form>")
    }
}

/// Does what the button asks for, and leads back to the page.
pub fn pressed(button: Button, ticks: &mpsc::Sender<Tick>, config: &Path) -> Response<Vec<u8>> {
    match button {
        Button::TryAgain => tick(ticks, Tick::Chosen(Choice::TryAgain)),
        Button::TakeOver => tick(ticks, Tick::Chosen(Choice::TakeOver)),
        Button::Quit => tick(ticks, Tick::Chosen(Choice::Quit)),
        Button::ShowConfig => {
            let folder = config.parent().filter(|_| !config.exists()).unwrap_or(config);
            if let Err(e) = open::that_detached(folder) {
                tracing::warn!(error = %e, "the config file could not be shown");
            }
        }
    }
    let mut back = Response::new(Vec::new());
    *back.status_mut() = StatusCode::NO_CONTENT;
    back
}

/// The page, where there is trouble.
pub fn page(shown: &Shown) -> Option<Response<Vec<u8>>> {
    match &shown.house {
        House::Refused(why) => Some(html(&refused(why, shown))),
        House::Starting | House::Up | House::Stopping | House::Stopped => None,
    }
}

/// For a gateway that takes long to start: looks again by itself.
pub fn waiting() -> Response<Vec<u8>> {
    let mut page = html("<h1>Lanyard starts</h1><p>This takes longer than usual.</p>");
    page.headers_mut().insert("refresh", HeaderValue::from_static("1"));
    page
}

fn refused(why: &Problem, shown: &Shown) -> String {
    let buttons: &[Button] = match why.code {
        Code::AlreadyRunning => &[Button::TakeOver, Button::TryAgain, Button::Quit],
        Code::ConfigInvalid | Code::PortTaken => &[Button::TryAgain, Button::ShowConfig, Button::Quit],
        _ => &[Button::TryAgain, Button::Quit],
    };
    let drawn = buttons.iter().enumerate().map(|(n, button)| button.html(if n == 0 { "first" } else { "" }));
    let (title, what) = match why.code {
        Code::AlreadyRunning => (
            "Another Lanyard runs here",
            "It has no tray: it was started with lanyard serve, and works on the same data. The command line reaches it; this \
             window can once it runs here.",
        ),
        _ => ("Lanyard does not start", why.message.as_str()),
    };
    let config = match why.code {
        Code::ConfigInvalid | Code::PortTaken => {
            format!("<p class=path>{}</p>", safe(&shown.config.display().to_string()))
        }
        _ => String::new(),
    };
    let mend = if why.code == Code::AlreadyRunning { "" } else { why.suggestion.as_str() };
    format!(
        "<h1>{title}</h1><pre>{}</pre><p>{}</p>{config}<div class=buttons>{}</div><p class=code>{}</p>",
        safe(what),
        safe(mend),
        drawn.collect::<String>(),
        why.code
    )
}

fn html(body: &str) -> Response<Vec<u8>> {
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Lanyard</title><style>{STYLE}</style><main>{body}</main></html>"
    );
    let mut response = Response::new(page.into_bytes());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn safe(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(code: Problem) -> String {
        let shown = Shown { house: House::Refused(code), config: "/home/o/<b>/config.toml".into() };
        String::from_utf8(page(&shown).unwrap().into_body()).unwrap()
    }

    #[test]
    fn it_says_what_is_wrong_how_to_mend_it_and_nothing_in_it_is_markup() {
        let config = text(Problem::with_detail(Code::ConfigInvalid, "line 3: <script>"));
        assert!(config.contains("&lt;script&gt;") && config.contains("/home/o/&lt;b&gt;/config.toml"), "{config}");
        assert!(config.contains("show-config") && config.contains("CONFIG_INVALID"));
        let other = text(Code::AlreadyRunning.into());
        assert!(other.contains("take-over") && other.contains("lanyard serve"));
        assert!(!text(Code::DatabaseDamaged.into()).contains("show-config"));
    }

    #[test]
    fn every_button_is_found_by_its_path() {
        for (button, path, _) in Button::ALL {
            assert_eq!(Button::at(path), Some(button));
        }
        assert_eq!(Button::at("/"), None);
    }
}
