//! Links of the form `lanyard://…`. Anyone may write one, so a link only ever shows a screen: it does nothing and carries
//! nothing.

#[cfg(target_os = "linux")]
pub mod handler;

use url::Url;

const SCHEME: &str = "lanyard";
/// The window's screens, as they are named in its addresses.
const SCREENS: [&str; 9] =
    ["sessions", "approvals", "phones", "pair", "activity", "usage", "settings", "setup", "tasks"];

pub fn is_ours(word: &str) -> bool {
    word.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
}

/// The screen a link asks for: `lanyard://sessions/<id>` is `/sessions/<id>`. None: no such screen.
pub fn screen(link: &str) -> Option<String> {
    let link = Url::parse(link).ok().filter(|link| link.scheme() == SCHEME)?;
    let parts: Vec<&str> =
        link.host_str().into_iter().chain(link.path().split('/')).filter(|p| !p.is_empty()).collect();
    match parts.as_slice() {
        [] | ["home"] => Some("/".to_owned()),
        [screen] if SCREENS.contains(screen) => Some(format!("/{screen}")),
        ["sessions", id] if is_id(id) => Some(format!("/sessions/{id}")),
        _ => None,
    }
}

/// As session ids are written.
fn is_id(word: &str) -> bool {
    word.len() == 36 && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_link_names_a_screen_and_nothing_else() {
        assert_eq!(screen("lanyard://").as_deref(), Some("/"));
        assert_eq!(screen("LANYARD://pair/").as_deref(), Some("/pair"));
        let id = "0192f0c1-2222-7333-8444-555566667777";
        assert_eq!(screen(&format!("lanyard://sessions/{id}")).as_deref(), Some(&*format!("/sessions/{id}")));
        for wrong in
            ["lanyard://sessions/../settings", "lanyard://lock", "https://pair", "lanyard://pair/now", "lanyard"]
        {
            assert_eq!(screen(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_link_a_screen_is_letters_digits_and_dashes(rest in ".{0,80}") {
            if let Some(screen) = screen(&format!("lanyard://{rest}")) {
                prop_assert!(screen.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-".contains(&b)), "{screen}");
            }
        }
    }
}
