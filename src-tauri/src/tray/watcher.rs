//! Whether anything on this desktop shows tray icons. A watcher only keeps the list of them; a host draws them, and a watcher
//! knows whether it has one. Hosts come and go without their watcher.
//! <https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/StatusNotifierWatcher/>

use futures::StreamExt;
use std::time::Duration;
use tokio::{sync::watch, time::timeout};
use zbus::{Connection, proxy::CacheProperties};

/// One that does not answer shows nothing.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

#[zbus::proxy(
    interface = "org.kde.StatusNotifierWatcher",
    default_service = "org.kde.StatusNotifierWatcher",
    default_path = "/StatusNotifierWatcher",
    gen_blocking = false
)]
trait Watcher {
    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> zbus::Result<bool>;
    #[zbus(signal)]
    fn status_notifier_host_registered(&self) -> zbus::Result<()>;
    #[zbus(signal)]
    fn status_notifier_host_unregistered(&self) -> zbus::Result<()>;
}

/// Kept up to date until nobody listens. None: not known yet.
pub fn host() -> watch::Receiver<Option<bool>> {
    let (tell, told) = watch::channel(None);
    tokio::spawn(async move {
        if let Err(e) = keep(&tell).await {
            tracing::warn!(error = %e, "whether the desktop shows tray icons is not known");
            tell.send_replace(Some(false));
        }
    });
    told
}

async fn keep(tell: &watch::Sender<Option<bool>>) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let watcher = WatcherProxy::builder(&bus).cache_properties(CacheProperties::No).build().await?;
    let mut owner = watcher.inner().receive_owner_changed().await?;
    let mut came = watcher.receive_status_notifier_host_registered().await?;
    let mut went = watcher.receive_status_notifier_host_unregistered().await?;
    loop {
        let asked = timeout(ANSWERS_WITHIN, watcher.is_status_notifier_host_registered()).await;
        let there = asked.is_ok_and(|answer| answer.unwrap_or(false));
        tell.send_if_modified(|known| known.replace(there) != Some(there));
        let heard = tokio::select! {
            () = tell.closed() => return Ok(()),
            heard = owner.next() => heard.is_some(),
            heard = came.next() => heard.is_some(),
            heard = went.next() => heard.is_some(),
        };
        if !heard {
            return Err(zbus::Error::InterfaceNotFound);
        }
    }
}
