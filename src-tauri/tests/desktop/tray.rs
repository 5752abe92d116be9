//! A panel that shows tray icons, by the protocol of those that do (StatusNotifierItem, com.canonical.dbusmenu), and a person
//! who reads the menu and clicks in it.

use super::{SOON, until};
use std::collections::HashMap;
use tokio::sync::watch;
use zbus::{
    Connection, Proxy, connection, interface,
    message::Header,
    object_server::SignalEmitter,
    zvariant::{OwnedValue, Structure, Value},
};

pub struct Panel {
    pub bus: Connection,
    items: watch::Receiver<Vec<String>>,
}

const WATCHER: &str = "/StatusNotifierWatcher";

struct Watcher {
    items: watch::Sender<Vec<String>>,
    /// Something draws them.
    host: bool,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String, #[zbus(header)] header: Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        self.items.send_modify(|items| items.push(if service.starts_with('/') { sender } else { service }));
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.items.borrow().clone()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        self.host
    }

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn status_notifier_host_unregistered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

/// An entry of the menu.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    id: i32,
    pub label: String,
    pub enabled: bool,
    pub on: Option<bool>,
    pub entries: Vec<Entry>,
}

impl Entry {
    /// Its labels and those under it, in order.
    pub fn labels(&self) -> Vec<String> {
        let below = self.entries.iter().flat_map(Entry::labels);
        std::iter::once(self.label.clone()).chain(below).filter(|label| !label.is_empty()).collect()
    }

    pub fn find(&self, start: &str) -> Option<&Entry> {
        match self.label.starts_with(start) {
            true => Some(self),
            false => self.entries.iter().find_map(|entry| entry.find(start)),
        }
    }
}

impl Panel {
    pub async fn start(address: &str) -> Self {
        let panel = Self::without_host(address).await;
        panel.host(true).await;
        panel
    }

    /// A watcher that has nothing yet which draws icons.
    pub async fn without_host(address: &str) -> Self {
        let (told, items) = watch::channel(Vec::new());
        let bus = connection::Builder::address(address).unwrap();
        let bus = bus.serve_at(WATCHER, Watcher { items: told, host: false }).unwrap();
        let bus = bus.name("org.kde.StatusNotifierWatcher").unwrap().build().await.unwrap();
        Self { bus, items }
    }

    /// What draws icons comes, or goes.
    pub async fn host(&self, there: bool) {
        let watcher = self.bus.object_server().interface::<_, Watcher>(WATCHER).await.unwrap();
        watcher.get_mut().await.host = there;
        let emitter = watcher.signal_emitter();
        let told = match there {
            true => Watcher::status_notifier_host_registered(emitter).await,
            false => Watcher::status_notifier_host_unregistered(emitter).await,
        };
        told.unwrap();
    }

    /// The icon that registered last.
    pub async fn icon(&self) -> Icon {
        let mut items = self.items.clone();
        let wait = items.wait_for(|items| !items.is_empty());
        let name = tokio::time::timeout(SOON, wait).await.expect("an icon in time").unwrap().last().cloned().unwrap();
        Icon { bus: self.bus.clone(), name }
    }

    pub fn registered(&self) -> usize {
        self.items.borrow().len()
    }
}

/// The pixels of a state's icon, as they were made for a bar of unknown colour.
fn art(face: &str) -> Vec<(i32, Vec<u8>)> {
    let of = |size: i32| {
        let file = format!("{}/../icons/tray/made/{face}-any-{size}.png", env!("CARGO_MANIFEST_DIR"));
        let rgba = image::open(file).unwrap().into_rgba8();
        (size, rgba.pixels().flat_map(|p| [p.0[3], p.0[0], p.0[1], p.0[2]]).collect())
    };
    vec![of(24), of(48)]
}

pub struct Icon {
    bus: Connection,
    name: String,
}

impl Icon {
    async fn item(&self) -> Proxy<'_> {
        let built = zbus::proxy::Builder::new(&self.bus)
            .destination(self.name.clone())
            .unwrap()
            .path("/StatusNotifierItem")
            .unwrap()
            .interface("org.kde.StatusNotifierItem")
            .unwrap()
            .cache_properties(zbus::proxy::CacheProperties::No);
        built.build().await.unwrap()
    }

    async fn dbusmenu(&self) -> Proxy<'_> {
        Proxy::new(&self.bus, self.name.clone(), "/MenuBar", "com.canonical.dbusmenu").await.unwrap()
    }

    /// Whether the app still has it.
    pub async fn is_there(&self) -> bool {
        self.item().await.get_property::<String>("Id").await.is_ok()
    }

    /// Width and ARGB of each size.
    pub async fn pixels(&self) -> Vec<(i32, Vec<u8>)> {
        let pixmaps: Vec<(i32, i32, Vec<u8>)> = self.item().await.get_property("IconPixmap").await.unwrap();
        pixmaps.into_iter().map(|(width, _, data)| (width, data)).collect()
    }

    pub async fn until_face(&self, face: &str) {
        until(face, async || (self.pixels().await == art(face)).then_some(())).await;
    }

    /// The tooltip's second line.
    pub async fn says(&self) -> String {
        type ToolTip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);
        let tip: Result<ToolTip, _> = self.item().await.get_property("ToolTip").await;
        tip.map(|(_, _, _, says)| says).unwrap_or_default()
    }

    pub async fn until_says(&self, start: &str) {
        until(start, async || self.says().await.starts_with(start).then_some(())).await;
    }

    /// Presses the icon itself.
    pub async fn press(&self) {
        self.item().await.call::<_, _, ()>("Activate", &(0, 0)).await.unwrap();
    }

    pub async fn menu(&self) -> Entry {
        let menu = self.dbusmenu().await;
        let _need_not: Result<bool, _> = menu.call("AboutToShow", &(0,)).await;
        let layout = menu.call("GetLayout", &(0, -1, Vec::<String>::new())).await;
        let (_revision, root): (u32, Layout) = layout.unwrap();
        entry(root.0, &root.1, &root.2)
    }

    pub async fn until_menu(&self, what: &str, wanted: impl Fn(&Entry) -> bool) -> Entry {
        until(what, async || {
            let menu = self.menu().await;
            wanted(&menu).then_some(menu)
        })
        .await
    }

    /// Clicks the entry whose label starts so, under the one that starts as `under` if that is named. A menu that is drawn anew
    /// between the look and the click has other entries, and the click did nothing: it is looked for again.
    pub async fn click(&self, under: Option<&str>, start: &str) {
        until("a click on what is there", async || {
            let menu = self.menu().await;
            let from = under.map_or(Some(&menu), |under| menu.find(under));
            let entry = from.and_then(|from| from.find(start));
            let entry = entry.unwrap_or_else(|| panic!("no {start} in {:?}", menu.labels()));
            assert!(entry.enabled, "{start} can be clicked");
            let clicked = (entry.id, "clicked", Value::from(0), 0u32);
            match self.dbusmenu().await.call::<_, _, ()>("Event", &clicked).await {
                Ok(()) => Some(()),
                Err(zbus::Error::MethodError(_, Some(why), _)) if why.contains("id not found") => None,
                Err(e) => panic!("{start}: {e}"),
            }
        })
        .await;
    }
}

/// An entry as com.canonical.dbusmenu tells it: its id, its properties, and its own entries.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

fn entry(id: i32, properties: &HashMap<String, OwnedValue>, children: &[OwnedValue]) -> Entry {
    let word = |name: &str| properties.get(name).and_then(|v| <&str>::try_from(v).ok()).unwrap_or_default().to_owned();
    let enabled = properties.get("enabled").is_none_or(|v| bool::try_from(v).unwrap_or(true));
    let toggle = properties.get("toggle-state").and_then(|v| i32::try_from(v).ok());
    Entry {
        id,
        label: word("label").replace("__", "\u{1}").replace('_', "").replace('\u{1}', "_"),
        enabled,
        on: toggle.map(|state| state == 1).filter(|_| !word("toggle-type").is_empty()),
        entries: children.iter().filter_map(child).collect(),
    }
}

fn child(value: &OwnedValue) -> Option<Entry> {
    let structure = value.downcast_ref::<&Structure<'_>>().ok()?;
    let [id, properties, children] = structure.fields() else { return None };
    let properties: HashMap<String, OwnedValue> = properties.try_clone().ok()?.try_into().ok()?;
    let children: Vec<OwnedValue> = children.try_clone().ok()?.try_into().ok()?;
    Some(entry(id.downcast_ref().ok()?, &properties, &children))
}
