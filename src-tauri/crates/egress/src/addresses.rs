//! Which addresses a sandbox may be connected to, whatever name led there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is to the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Public,
    /// This computer or the owner's network: only where a rule says `private = true`.
    Private(&'static str),
    /// Never connected to: cloud metadata, multicast, reserved.
    Never(&'static str),
}

/// Is it this computer or on the owner's network?
pub fn on_own_network(address: IpAddr) -> bool {
    matches!(place(address), Place::Private(_))
}

/// By the IANA registries of special-purpose addresses (RFC 6890 and its updates, as of 2025).
pub(crate) fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(v4) => place_v4(v4),
        IpAddr::V6(v6) => place_v6(v6),
    }
}

fn place_v4(v4: Ipv4Addr) -> Place {
    match v4.octets() {
        [0, ..] => Place::Never("an unspecified address"),
        [169, 254, ..] => Place::Never("a link-local address"),
        // Metadata services outside the link-local range: Alibaba Cloud, Oracle Cloud's older one, Azure's wire server.
        [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => Place::Never("a metadata service"),
        [127, ..] => Place::Private("this computer"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Place::Private("a private network"),
        [100, 64..=127, ..] => Place::Private("a shared carrier or overlay network"),
        [192, 0, 0, _]
        | [192, 0, 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Place::Never("a reserved address"),
        [224..=255, ..] => Place::Never("a multicast or reserved address"),
        _ => Place::Public,
    }
}

fn place_v6(v6: Ipv6Addr) -> Place {
    if let Some(v4) = embedded_v4(v6) {
        return place_v4(v4);
    }
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Private("this computer"),
        // AWS and GCP serve metadata on unique local addresses too.
        [0xfd00, 0x0ec2, ..] | [0xfd20, 0x00ce, ..] => Place::Never("a metadata service"),
        [0xfc00..=0xfdff, ..] => Place::Private("a private network"),
        [0xfe80..=0xfeff, ..] => Place::Never("a link-local or site-local address"),
        [0x2001, 0x0000..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0x0000..=0x0fff, ..] => {
            Place::Never("a reserved address")
        }
        // Global unicast is 2000::/3; all else is unspecified, multicast or not given out.
        [0x2000..=0x3fff, ..] => Place::Public,
        _ => Place::Never("a reserved address"),
    }
}

/// The IPv4 address that a packet to this one ends at: mapped, translated (NAT64), 6to4.
fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(from(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(from(high, low)),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(from(high, low)),
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(address: &str) -> Place {
        place(address.parse().unwrap())
    }

    #[test]
    fn the_world_is_public() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert_eq!(of(address), Place::Public, "{address}");
        }
    }

    #[test]
    fn home_needs_a_rule() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.17.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fc00::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
        ] {
            assert!(matches!(of(address), Place::Private(_)), "{address}");
        }
    }

    #[test]
    fn some_are_never_reached() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::",
            "::7f00:1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "2001:db8::1",
            "2001::1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "64:ff9b:1::1",
            "100::1",
        ] {
            assert!(matches!(of(address), Place::Never(_)), "{address}");
        }
    }

    proptest! {
        #[test]
        fn a_mapped_address_is_where_its_v4_is(v4: u32) {
            let v4 = Ipv4Addr::from(v4);
            prop_assert_eq!(place(v4.to_ipv6_mapped().into()), place(v4.into()));
        }

        #[test]
        fn what_the_standard_library_calls_special_is_never_public(v4: u32, v6: u128) {
            let v4 = Ipv4Addr::from(v4);
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast() || v4.is_multicast()
                || v4.is_unspecified() || v4.is_documentation();
            prop_assert!(!special || place(v4.into()) != Place::Public);
            let v6 = Ipv6Addr::from(v6);
            let special = v6.is_loopback() || v6.is_multicast() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local();
            prop_assert!(!special || place(v6.into()) != Place::Public);
        }
    }
}
