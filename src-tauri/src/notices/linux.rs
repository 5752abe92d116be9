//! Notices by D-Bus (`org.freedesktop.Notifications` 1.2): with buttons, and taken back when they are settled elsewhere.

use super::{Key, Notice, Press};
use crate::controller::Tick;
use futures::StreamExt;
use std::collections::HashMap;
use tokio::sync::mpsc;
use zbus::{proxy, zvariant::Value};

/// Waiting to be shown. What is more is not shown: nobody reads so many.
const WAITING: usize = 32;

#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    #[expect(clippy::too_many_arguments, reason = "as the specification has it")]
    fn notify(
        &self,
        app: &str,
        replaces: u32,
        icon: &str,
        title: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Value<'_>>,
        timeout: i32,
    ) -> zbus::Result<u32>;
    fn close_notification(&self, id: u32) -> zbus::Result<()>;
    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;
    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action: String) -> zbus::Result<()>;
    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
}

enum Order {
    Show(Notice),
    TakeBack(Key),
    TakeAllBack,
}

pub struct Notices(mpsc::Sender<Order>);

impl Notices {
    pub fn new(ticks: mpsc::Sender<Tick>) -> Self {
        let (orders, taken) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            if let Err(e) = keep(taken, ticks).await {
                tracing::warn!(error = %e, "this desktop shows no notices");
            }
        });
        Self(orders)
    }

    pub fn show(&self, notice: Notice) {
        let _no_desktop_shows_them = self.0.try_send(Order::Show(notice));
    }

    pub fn take_back(&self, key: Key) {
        let _no_desktop_shows_them = self.0.try_send(Order::TakeBack(key));
    }

    pub fn take_all_back(&self) {
        let _no_desktop_shows_them = self.0.try_send(Order::TakeAllBack);
    }
}

/// What stands on the screen.
struct Standing {
    id: u32,
    buttons: Vec<Press>,
    look: Option<Press>,
}

async fn keep(mut orders: mpsc::Receiver<Order>, ticks: mpsc::Sender<Tick>) -> zbus::Result<()> {
    let bus = zbus::Connection::session().await?;
    let desktop = NotificationsProxy::builder(&bus).cache_properties(zbus::proxy::CacheProperties::No).build().await?;
    let mut pressed = desktop.receive_action_invoked().await?;
    let mut closed = desktop.receive_notification_closed().await?;
    let mut standing: HashMap<Key, Standing> = HashMap::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Show(notice)) => {
                    let before = standing.remove(&notice.key).map_or(0, |s| s.id);
                    match show(&desktop, &notice, before).await {
                        Ok(shown) => drop(standing.insert(notice.key, shown)),
                        Err(e) => tracing::warn!(error = %e, "a notice was not shown"),
                    }
                }
                Some(Order::TakeBack(key)) => {
                    if let Some(shown) = standing.remove(&key) {
                        let _gone_already = desktop.close_notification(shown.id).await;
                    }
                }
                Some(Order::TakeAllBack) => {
                    for (_, shown) in standing.drain() {
                        let _gone_already = desktop.close_notification(shown.id).await;
                    }
                }
                None => return Ok(()),
            },
            Some(signal) = pressed.next() => {
                let Ok(args) = signal.args() else { continue };
                let found = standing.iter().find(|(_, shown)| shown.id == args.id);
                let Some((key, press)) = found.and_then(|(key, shown)| Some((*key, shown.meant(&args.action)?))) else { continue };
                crate::window::tick(&ticks, Tick::Pressed(key, press));
            }
            Some(signal) = closed.next() => {
                let Ok(args) = signal.args() else { continue };
                standing.retain(|_, shown| shown.id != args.id);
            }
        }
    }
}

impl Standing {
    /// Actions are numbered as their buttons; `default` is a press on the notice itself.
    fn meant(&self, action: &str) -> Option<Press> {
        match action {
            "default" => self.look.clone(),
            number => self.buttons.get(number.parse::<usize>().ok()?).cloned(),
        }
    }
}

async fn show(desktop: &NotificationsProxy<'_>, notice: &Notice, replaces: u32) -> zbus::Result<Standing> {
    let capabilities = desktop.get_capabilities().await?;
    let can = |what: &str| capabilities.iter().any(|c| c == what);
    let names: Vec<String> = (0..notice.buttons.len()).map(|n| n.to_string()).collect();
    let look = notice.buttons.iter().map(|(press, _)| press).find(|press| matches!(press, Press::Look(_))).cloned();
    let mut actions: Vec<&str> = look.as_ref().map_or(vec![], |_| vec!["default", "Look at it"]);
    actions.extend(names.iter().zip(&notice.buttons).flat_map(|(name, (_, label))| [name.as_str(), *label]));
    if !can("actions") {
        actions.clear();
    }
    // Where bodies are markup, what the agent wrote stays words.
    let body = if can("body-markup") { escaped(&notice.body) } else { notice.body.clone() };
    let urgency: u8 = if notice.stays { 2 } else { 1 };
    let hints = HashMap::from([
        ("urgency", Value::from(urgency)),
        ("desktop-entry", Value::from("Lanyard")),
        ("category", Value::from("im.received")),
    ]);
    let timeout = if notice.stays { 0 } else { -1 };
    let id =
        desktop.notify("Lanyard", replaces, "lanyard-desktop", &notice.title, &body, &actions, hints, timeout).await?;
    Ok(Standing { id, buttons: notice.buttons.iter().map(|(press, _)| press.clone()).collect(), look })
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
