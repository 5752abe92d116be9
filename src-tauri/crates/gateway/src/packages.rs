//! Where packages come from: the indexes that the package managers on the owner's computer are set to, and the hosts that
//! serve their files. No list is kept here, so a company's mirror is found as the owner's own programs find it.

mod owner;
mod said;

use crate::sessions::Workshop;
use accounts::packages::{Index, Manager, file_hosts};
use owner::Owners;
pub use said::SettingsFile;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{net::lookup_host, sync::Mutex, time::timeout};
use url::Url;

/// The owner's settings are read again after this.
const FRESH: Duration = Duration::from_secs(600);
/// A name server that says nothing is not waited for: all who ask where packages come from wait for one another.
const NAMED_WITHIN: Duration = Duration::from_secs(5);
/// An index that did not answer is asked again after this.
const AGAIN: Duration = Duration::from_secs(60);

/// A host that packages come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageHost {
    pub host: String,
    pub port: u16,
    pub manager: Manager,
}

/// Shared by all who ask.
#[derive(Clone, Default)]
pub struct Packages(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// When they were read.
    owners: Option<(Owners, Instant)>,
    /// As those in the sandbox are; none: not yet looked at.
    inside: Option<Vec<Index>>,
    /// Where an index said its files are, and when it was asked; nothing where it did not answer.
    files: BTreeMap<Url, (Option<Vec<Url>>, Instant)>,
    /// Managers whose index the sandbox has reached: only these are asked where their files are.
    used: BTreeSet<Manager>,
}

impl Packages {
    /// Whether packages come from there, and if so whether that is on the owner's own network.
    pub async fn has(&self, workshop: &Workshop, host: &str, port: u16) -> Option<bool> {
        let mut known = self.0.lock().await;
        let at = |url: &Url| url.host_str() == Some(host) && url.port_or_known_default() == Some(port);
        let mut found = false;
        let indexes = known.indexes(workshop).await;
        for index in indexes.iter().filter(|index| at(&index.url)) {
            found = true;
            known.used.insert(index.manager);
        }
        for index in indexes {
            if !found && known.used.contains(&index.manager) {
                found = known.files_of(&index).await.iter().any(at);
            }
        }
        if found { Some(on_own_network(host, port).await) } else { None }
    }

    /// What the sandbox's managers are to be told, so that they use what the owner's do.
    pub async fn environment(&self) -> Vec<(String, String)> {
        let mut known = self.0.lock().await;
        // However old: no agent's start shall wait for them twice.
        said::environment(&known.owners(Duration::MAX).await.indexes)
    }

    /// What of the owner's settings has to stand in files of the sandbox's own managers.
    pub async fn files(&self) -> Vec<SettingsFile> {
        self.0.lock().await.owners(FRESH).await.files.clone()
    }

    /// What is known by now, for the owner to look at.
    pub async fn hosts(&self, workshop: &Workshop) -> Vec<PackageHost> {
        let mut known = self.0.lock().await;
        let mut all = BTreeSet::new();
        for Index { manager, url } in known.indexes(workshop).await {
            let files = known.files.get(&url).and_then(|(files, _)| files.clone()).unwrap_or_default();
            let named = |url: &Url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?));
            let hosts = files.iter().chain([&url]).filter_map(named);
            all.extend(hosts.map(|(host, port)| PackageHost { host, port, manager }));
        }
        all.into_iter().collect()
    }
}

impl Known {
    /// As they were read at most `age` ago.
    async fn owners(&mut self, age: Duration) -> &Owners {
        if self.owners.as_ref().is_none_or(|(_, at)| at.elapsed() > age) {
            self.owners = None;
        }
        let fresh = match self.owners.take() {
            Some(known) => known,
            None => (owner::read().await, Instant::now()),
        };
        &self.owners.insert(fresh).0
    }

    /// The owner's; for a manager that the owner does not have, and for apt, whose settings are the image's, the sandbox's.
    async fn indexes(&mut self, workshop: &Workshop) -> Vec<Index> {
        if self.inside.is_none() {
            self.inside = workshop.package_sources().await.map(|text| said::inside(&text));
        }
        let mut all = self.owners(FRESH).await.indexes.clone();
        let lacks = |index: &Index| all.iter().all(|known| known.manager != index.manager);
        let inside: Vec<Index> = self.inside.iter().flatten().filter(|index| lacks(index)).cloned().collect();
        all.extend(inside);
        all
    }

    async fn files_of(&mut self, index: &Index) -> Vec<Url> {
        if let Some((files, at)) = self.files.get(&index.url)
            && (files.is_some() || at.elapsed() < AGAIN)
        {
            return files.clone().unwrap_or_default();
        }
        let asked = file_hosts(index).await;
        if let Err(error) = &asked {
            tracing::warn!(manager = %index.manager, ?error, "a package index did not say where its files are");
        }
        let files = asked.ok();
        self.files.insert(index.url.clone(), (files.clone(), Instant::now()));
        files.unwrap_or_default()
    }
}

/// Whether the name leads to the owner's own network and nowhere else: then the owner's settings mean that.
async fn on_own_network(host: &str, port: u16) -> bool {
    match timeout(NAMED_WITHIN, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.into_iter().all(|address| egress::on_own_network(address.ip())),
        Ok(Err(_)) | Err(_) => false,
    }
}
