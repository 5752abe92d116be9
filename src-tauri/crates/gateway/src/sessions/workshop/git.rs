//! How git in the sandbox is led to the door for the hosts that the owner has credentials for: by its environment, so that no file
//! of the agent's is touched.

use egress::CredentialRule;
use sandbox::RELAY_PORT;
use secrecy::{ExposeSecret, SecretString};

/// `GIT_CONFIG_COUNT` and its keys and values (git 2.31 and later). The token is worth something at the door alone.
pub fn environment(rules: &[CredentialRule], token: &SecretString) -> Vec<(String, String)> {
    let mut hosts: Vec<String> = rules.iter().map(CredentialRule::host).collect();
    hosts.sort();
    hosts.dedup();
    if hosts.is_empty() {
        return Vec::new();
    }
    let door = format!("http://127.0.0.1:{RELAY_PORT}/");
    let mut settings =
        vec![(format!("http.{door}.extraHeader"), format!("Authorization: Bearer {}", token.expose_secret()))];
    for host in hosts {
        let here = format!("url.{door}host/{host}/.insteadOf");
        let bare = host.split(':').next().unwrap_or_default();
        // There is no way for ssh: what is written so goes by https.
        let written = [format!("https://{host}/"), format!("git@{bare}:"), format!("ssh://git@{bare}/")];
        settings.extend(written.map(|written| (here.clone(), written)));
    }
    let mut env = vec![
        ("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string()),
        // Nobody is there to type one.
        ("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()),
    ];
    for (n, (key, value)) in settings.into_iter().enumerate() {
        env.push((format!("GIT_CONFIG_KEY_{n}"), key));
        env.push((format!("GIT_CONFIG_VALUE_{n}"), value));
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_is_led_to_the_door_once_and_without_rules_nothing_is_set() {
        let rules: Vec<CredentialRule> =
            ["github.com/acme bearer secret=x", "github.com/other bearer secret=y", "git.example:8443 bearer secret=z"]
                .map(|rule| rule.parse().unwrap())
                .to_vec();
        let env = environment(&rules, &"token".into());
        let value = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(value("GIT_CONFIG_COUNT"), Some("7"));
        assert_eq!(value("GIT_CONFIG_VALUE_0"), Some("Authorization: Bearer token"));
        assert_eq!(value("GIT_CONFIG_KEY_1"), Some("url.http://127.0.0.1:3128/host/git.example:8443/.insteadOf"));
        assert_eq!(value("GIT_CONFIG_VALUE_4"), Some("https://github.com/"));
        assert!(environment(&[], &"token".into()).is_empty());
    }
}
