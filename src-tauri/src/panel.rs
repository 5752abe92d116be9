//! The desktop as Tauri and the system give it: what carries out what the controller decides.

use crate::{
    controller::{Answer, Desktop, Question, Tick},
    ending::Leaving,
    errands::{self, Errand},
    keep::Wish,
    login::Login,
    native_status::NativeStatus,
    notices::{Key, Notice},
    tray::{self, Tray},
    trouble,
    updates::Input,
    window,
};
use domain::{Code, Problem};
use gateway::desk::Desk;
use std::path::PathBuf;
use tauri::{AppHandle, Emitter, Manager};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind, MessageDialogResult};
use tokio::sync::{mpsc, watch};

#[cfg(target_os = "linux")]
pub use crate::{notices::linux::Notices, tray::linux::Icon};
#[cfg(not(target_os = "linux"))]
pub use crate::{notices::native::Notices, tray::native::Icon};

pub struct Panel {
    pub app: AppHandle,
    pub ticks: mpsc::Sender<Tick>,
    pub wishes: mpsc::Sender<Wish>,
    /// Stops the gateway for good.
    pub stop: watch::Sender<bool>,
    pub desk: watch::Receiver<Option<Desk>>,
    /// What the page is told of the app.
    pub status: watch::Sender<Option<NativeStatus>>,
    /// What the window shows while there is no gateway.
    pub shown: watch::Sender<trouble::Shown>,
    pub updates: mpsc::Sender<Input>,
    pub leaving: Leaving,
    pub login: Login,
    pub icon: Icon,
    pub notices: Notices,
    /// Where the webview keeps its things, if not at the usual place.
    pub webview: Option<PathBuf>,
}

impl Panel {
    /// The system's windows belong to the main thread.
    fn on_main(&self, act: impl FnOnce(&AppHandle) + Send + 'static) {
        let app = self.app.clone();
        if let Err(e) = self.app.run_on_main_thread(move || act(&app)) {
            tracing::warn!(error = %e, "the app is ending");
        }
    }

    fn on_window(&self, act: impl FnOnce(&tauri::WebviewWindow) -> tauri::Result<()> + Send + 'static) {
        self.on_main(move |app| {
            if let Some(window) = app.get_webview_window(window::LABEL)
                && let Err(e) = act(&window)
            {
                tracing::warn!(error = %e, "the window did not do as it should");
            }
        });
    }
}

impl Desktop for Panel {
    fn tray(&mut self, tray: Option<&Tray>) {
        self.icon.draw(tray);
    }

    fn show_window(&mut self, screen: Option<&str>) {
        let (ticks, screen, data) = (self.ticks.clone(), screen.map(str::to_owned), self.webview.clone());
        self.on_main(move |app| window::show(app, &ticks, screen.as_deref(), data));
    }

    fn hide_window(&mut self) {
        self.on_window(tauri::WebviewWindow::hide);
    }

    fn drop_window(&mut self) {
        self.on_window(tauri::WebviewWindow::destroy);
    }

    fn reload_window(&mut self) {
        self.on_window(|window| {
            window.navigate(tauri::Url::parse(crate::scheme::ORIGIN).map_err(tauri::Error::InvalidUrl)?)
        });
    }

    fn house(&mut self, house: &tray::House) {
        self.shown.send_modify(|shown| shown.house = house.clone());
    }

    fn native(&mut self, status: &NativeStatus) {
        self.status.send_replace(Some(status.clone()));
        let _no_window = self.app.emit_to(window::LABEL, "native", status);
    }

    fn show_notice(&mut self, notice: Notice) {
        self.notices.show(notice);
    }

    fn take_back_notice(&mut self, key: Key) {
        self.notices.take_back(key);
    }

    fn ask(&mut self, question: Question) {
        let (words, ticks) = (question.words(), self.ticks.clone());
        let buttons = match words.other {
            Some(other) => MessageDialogButtons::YesNoCancelCustom(words.yes.into(), other.into(), words.cancel.into()),
            None => MessageDialogButtons::OkCancelCustom(words.yes.into(), words.cancel.into()),
        };
        let dialog =
            self.app.dialog().message(words.body).title(words.title).kind(MessageDialogKind::Warning).buttons(buttons);
        dialog.show_with_result(move |result| {
            let answer = match result {
                MessageDialogResult::Yes | MessageDialogResult::Ok => Answer::Yes,
                MessageDialogResult::Custom(pressed) if pressed == words.yes => Answer::Yes,
                MessageDialogResult::No => Answer::Other,
                MessageDialogResult::Custom(pressed) if Some(&*pressed) == words.other => Answer::Other,
                MessageDialogResult::Cancel | MessageDialogResult::Custom(_) => Answer::Cancel,
            };
            window::tick(&ticks, Tick::Answered(question, answer));
        });
    }

    fn run(&mut self, errand: Errand) {
        let (desk, ticks) = (self.desk.borrow().clone(), self.ticks.clone());
        tauri::async_runtime::spawn(async move {
            if let Err(problem) = errands::run(desk, errand).await {
                let _the_app_is_ending = ticks.send(Tick::Failed(problem)).await;
            }
        });
    }

    fn wish(&mut self, wish: Wish) {
        if self.wishes.try_send(wish).is_err() {
            tracing::warn!(?wish, "too much is wished at once");
        }
    }

    fn stop(&mut self) {
        self.stop.send_replace(true);
    }

    fn set_autostart(&mut self, on: bool) -> Result<(), Problem> {
        self.login.set(on).map_err(|e| {
            Problem::with_detail(Code::Internal, format!("The system did not take it: {e}."))
                .suggest("Set it in your system's own settings for what starts at login.")
        })
    }

    fn update(&mut self, input: Input) {
        if self.updates.try_send(input).is_err() {
            tracing::warn!("too much is wished of updates at once");
        }
    }

    fn exit(&mut self) {
        self.notices.take_all_back();
        self.icon.draw(None);
        if self.updates.try_send(Input::Stopped).is_err() {
            self.leaving.leave();
        }
    }
}
