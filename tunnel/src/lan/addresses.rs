//! Where this computer is on its network: which of its addresses a phone could reach, which interfaces lead nowhere.

use super::{Reach, authority::PRIVATE};
use crate::error::Error;
use if_addrs::{Interface, get_if_addrs};
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

/// Beginnings of the names of interfaces that lead to containers and virtual machines, on Linux, macOS and Windows.
const VIRTUAL: [&str; 15] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "cni",
    "flannel",
    "cali",
    "podman",
    "lxc",
    "lxdbr",
    "vmnet",
    "vboxnet",
    "vnet",
    "bridge1",
    "vEthernet",
];

pub(super) fn is_virtual(interface: &str) -> bool {
    VIRTUAL.iter().any(|start| interface.starts_with(start))
}

/// Addresses for the certificate: loopback, and those of private networks that are not virtual. A public address is not
/// one of a local network, and the CA may not vouch for it.
pub(super) fn here(reach: Reach) -> Result<BTreeSet<IpAddr>, Error> {
    let interfaces = match reach {
        Reach::Network => get_if_addrs().map_err(Error::Addresses)?,
        Reach::Loopback => Vec::new(),
    };
    let mut addresses: BTreeSet<IpAddr> = interfaces.iter().filter(|i| leads_somewhere(i)).map(Interface::ip).collect();
    addresses.insert(Ipv4Addr::LOCALHOST.into());
    Ok(addresses)
}

fn leads_somewhere(interface: &Interface) -> bool {
    !is_virtual(&interface.name) && interface.is_oper_up() && may_be_certified(interface.ip())
}

/// Private, and usable in a URL: an IPv6 link-local address needs a scope that no certificate can name.
fn may_be_certified(address: IpAddr) -> bool {
    let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    !link_local
        && PRIVATE.iter().any(|(network, prefix)| network.parse().is_ok_and(|net| within(address, net, *prefix)))
}

fn within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let same = |a: u128, b: u128, width: u8| (a ^ b) >> (width - prefix) == 0;
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
        _ => false,
    }
}

/// What marks our host names: `desk.local` itself is the system's to announce, and a second program that did would make it
/// take another name (RFC 6762, 9).
const OURS: &str = "lanyard";

/// A computer's name as a host name of our own: `Ada's MacBook` is `lanyard-ada-s-macbook.local`.
pub(super) fn host(name: &str) -> String {
    let label = label(&format!("{OURS} {name}"));
    format!("{label}.local")
}

/// At most 63 small letters, digits and hyphens.
fn label(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let words: String = name.chars().map(plain).collect();
    let label = words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let label = label.get(..label.len().min(63)).unwrap_or_default().trim_end_matches('-');
    if label.is_empty() { OURS.to_owned() } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn private_addresses_are_certified_and_public_and_scoped_ones_are_not() {
        for yes in ["192.168.1.9", "10.1.2.3", "172.31.0.1", "100.100.1.1", "127.0.0.1", "fd12::1", "::1"] {
            assert!(may_be_certified(yes.parse().unwrap()), "{yes}");
        }
        for no in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "fe80::1", "100.128.0.1"] {
            assert!(!may_be_certified(no.parse().unwrap()), "{no}");
        }
    }

    #[test]
    fn bridges_of_containers_are_virtual_and_networks_of_people_are_not() {
        assert!(["docker0", "br-1a2b", "veth12", "vEthernet (WSL)"].into_iter().all(is_virtual));
        assert!(!["eth0", "wlan0", "en0", "enp3s0", "Wi-Fi", "tailscale0"].into_iter().any(is_virtual));
    }

    #[test]
    fn a_name_becomes_a_host_name() {
        assert_eq!(label("Ada's MacBook Pro"), "ada-s-macbook-pro");
        assert_eq!(label("…"), "lanyard");
        assert_eq!(host("desk"), "lanyard-desk.local");
        assert_eq!(host("…"), "lanyard.local");
    }

    proptest! {
        #[test]
        fn any_name_becomes_a_host_name(name in ".{0,200}") {
            let label = label(&name);
            prop_assert!((1..=63).contains(&label.len()));
            prop_assert!(label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            prop_assert!(!label.starts_with('-') && !label.ends_with('-'));
        }
    }
}
