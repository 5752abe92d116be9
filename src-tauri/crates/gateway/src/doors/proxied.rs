//! Where a visitor of the listening port really comes from, if the owner's own proxy stands before it.

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName},
};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// From here on the request comes from where the proxies say. Anybody else's word is not taken.
pub fn unveil(request: &mut Request, proxies: &[IpNet]) {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() else { return };
    let visitor = visitor(peer.ip(), request.headers(), proxies);
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(visitor, peer.port())));
}

/// Each proxy adds at the right whom it was called by: read from there, the first that is no proxy of ours. What is further
/// left the visitor may have written.
fn visitor(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_ours = |ip: &IpAddr| proxies.iter().any(|net| net.contains(ip));
    let values = headers.get_all(FORWARDED_FOR).into_iter().map(|value| value.to_str().unwrap_or_default());
    let said: Vec<&str> = values.flat_map(|value| value.split(',')).collect();
    let mut nearest = peer.to_canonical();
    for word in said.into_iter().rev() {
        match address(word.trim()) {
            Some(next) if is_ours(&nearest) => nearest = next,
            Some(_) | None => break,
        }
    }
    nearest
}

/// As proxies write it: with or without a port, IPv6 with or without brackets.
fn address(word: &str) -> Option<IpAddr> {
    let bare = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    let ip = bare.parse().ok().or_else(|| word.parse::<SocketAddr>().ok().map(|at| at.ip()));
    ip.map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn seen(peer: &str, said: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|net| net.parse().unwrap()).collect();
        visitor(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn a_proxys_word_is_taken_and_nobody_elses() {
        let ours = ["127.0.0.0/8", "10.0.0.0/8"];
        assert_eq!(seen("127.0.0.1", &["203.0.113.7"], &ours), "203.0.113.7");
        assert_eq!(seen("::ffff:127.0.0.1", &["203.0.113.7:4711"], &ours), "203.0.113.7");
        assert_eq!(seen("127.0.0.1", &["[2001:db8::1]"], &ours), "2001:db8::1");
        assert_eq!(seen("127.0.0.1", &["1.1.1.1, 203.0.113.7", "10.0.0.2"], &ours), "203.0.113.7", "from the right");
        assert_eq!(seen("198.51.100.9", &["203.0.113.7"], &ours), "198.51.100.9", "a stranger claims what it wants");
        assert_eq!(seen("127.0.0.1", &["203.0.113.7"], &[]), "127.0.0.1", "no proxy is known");
        assert_eq!(seen("127.0.0.1", &["1.1.1.1, nonsense, 10.0.0.2"], &ours), "10.0.0.2", "as far as it can be read");
        assert_eq!(seen("127.0.0.1", &[], &ours), "127.0.0.1");
    }

    proptest! {
        #[test]
        fn no_header_makes_a_strangers_address_another(said in "[ -~]{0,80}") {
            prop_assert_eq!(seen("198.51.100.9", &[&said], &["127.0.0.0/8"]), "198.51.100.9");
            let _whatever_it_says = seen("127.0.0.1", &[&said], &["127.0.0.0/8"]);
        }

        #[test]
        fn what_a_visitor_writes_stays_left_of_what_the_proxy_saw(said in "[0-9a-f.:, \\[\\]]{0,60}") {
            let line = format!("{said},203.0.113.7");
            prop_assert_eq!(seen("127.0.0.1", &[&line], &["127.0.0.0/8"]), "203.0.113.7");
        }
    }
}
