//! How tasks are done, and where repositories are.

use super::{Refused, base_url, minutes, wrong};
use crate::config::written;
use domain::{PermissionMode, task::Repository};
use egress::CredentialSource;
use std::time::Duration;
use url::Url;

#[derive(Clone, Debug)]
pub struct TaskSettings {
    pub at_once: usize,
    pub longest: Duration,
    /// Of one run of a repository's own tests.
    pub tests: Duration,
    pub mode: PermissionMode,
    /// The sandbox of one that failed stays so long.
    pub keep: Duration,
    pub spare: bool,
    /// Bytes of copies of repositories on this computer.
    pub mirrors: u64,
    /// How often failed checks go back to the agent unasked.
    pub fix_checks: u32,
    pub forges: Vec<ForgeSettings>,
    /// Names, or the beginnings of names with a star, of images that a repository may name.
    pub images: Vec<String>,
    /// The client id of an app that signs in by device flow.
    pub github_app: Option<String>,
}

/// A place where repositories are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgeSettings {
    /// As in a repository's address.
    pub host: String,
    pub kind: ForgeKind,
    pub api: Url,
    /// Where it signs in by device flow.
    pub login: Url,
    pub token: CredentialSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKind {
    GitHub,
    GitLab,
}

impl ForgeKind {
    /// The user whose password a token is, for git by https.
    pub fn git_user(self) -> &'static str {
        match self {
            ForgeKind::GitHub => "x-access-token",
            ForgeKind::GitLab => "oauth2",
        }
    }
}

impl TaskSettings {
    pub(super) fn new(w: &written::Tasks) -> Result<Self, Refused> {
        if !(w.mirrors_gb >= 0.0 && w.mirrors_gb.is_finite()) {
            return Err(wrong("tasks.mirrors_gb", "it is no size", "Write gigabytes, as in 5.0; 0 keeps none."));
        }
        if let Some(odd) = w.images.iter().find(|image| !may_be_named(image)) {
            return Err(wrong(
                "tasks.images",
                format!("{odd:?} names no image"),
                "Write each as in \"rust:1.90\" or \"ghcr.io/acme/*\".",
            ));
        }
        let mut forges = w.forges.iter().map(|line| forge(line)).collect::<Result<Vec<_>, _>>()?;
        for usual in ["github.com github api=https://api.github.com secret=github", "gitlab.com gitlab secret=gitlab"] {
            let usual = forge(usual)?;
            if forges.iter().all(|known| known.host != usual.host) {
                forges.push(usual);
            }
        }
        Ok(Self {
            at_once: w.at_once.max(1),
            longest: minutes(w.minutes.max(1)),
            tests: minutes(w.test_minutes.max(1)),
            mode: w.mode,
            keep: minutes(w.keep_hours.saturating_mul(60)),
            spare: w.spare,
            mirrors: (w.mirrors_gb * 1e9) as u64,
            fix_checks: w.fix_checks,
            forges,
            images: w.images.clone(),
            github_app: Some(w.github_app.trim().to_owned()).filter(|id| !id.is_empty()),
        })
    }

    /// Where this repository is, if that is known.
    pub fn forge(&self, repository: &Repository) -> Option<&ForgeSettings> {
        self.forges.iter().find(|forge| forge.host == repository.host)
    }

    /// Whether a repository may have its tasks run on this image.
    pub fn may_run_on(&self, image: &str) -> bool {
        self.images.iter().any(|known| match known.strip_suffix('*') {
            Some(beginning) => {
                image.strip_prefix(beginning).is_some_and(|rest| beginning.ends_with('/') || !rest.contains('/'))
            }
            None => image == known,
        })
    }
}

/// A star stands after a slash, or within a tag or a digest: else another registry's name might begin so.
fn may_be_named(image: &str) -> bool {
    let Some(beginning) = image.strip_suffix('*') else { return is_image(image) };
    let last = beginning.rsplit('/').next().unwrap_or_default();
    is_image(beginning) && (last.is_empty() || last.contains([':', '@']))
}

/// As engines name them: registry, path, tag or digest.
pub fn is_image(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    name.len() <= 255 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

/// `HOST github|gitlab [api=URL] [login=URL] secret=NAME|command=WORDS...`
fn forge(line: &str) -> Result<ForgeSettings, Refused> {
    let bad = |why: &str| {
        let suggestion = "Write each as in \"git.example gitlab secret=work\".";
        wrong("tasks.forges", format!("{line:?}: {why}"), suggestion)
    };
    let (rest, command) = match line.split_once(" command=") {
        Some((rest, command)) => (rest, Some(CredentialSource::Command(command.trim().to_owned()))),
        None => (line, None),
    };
    let mut words = rest.split_whitespace();
    let host = words.next().ok_or_else(|| bad("it names no host"))?.to_ascii_lowercase();
    // What a repository's address may begin with.
    format!("{host}/a/b")
        .parse::<Repository>()
        .ok()
        .filter(|r| r.host == host)
        .ok_or_else(|| bad("it names no host"))?;
    let kind = match words.next() {
        Some("github") => ForgeKind::GitHub,
        Some("gitlab") => ForgeKind::GitLab,
        _ => return Err(bad("it is neither github nor gitlab")),
    };
    let (mut api, mut login, mut token) = (None, None, command);
    for word in words {
        match word.split_once('=') {
            Some(("api", url)) => api = Some(base_url("tasks.forges", url)?),
            Some(("login", url)) => login = Some(base_url("tasks.forges", url)?),
            Some(("secret", name)) if !name.is_empty() && token.is_none() => {
                token = Some(CredentialSource::Secret(name.to_owned()));
            }
            _ => return Err(bad(&format!("{word:?} says nothing"))),
        }
    }
    let usual = match kind {
        ForgeKind::GitHub => format!("https://{host}/api/v3"),
        ForgeKind::GitLab => format!("https://{host}/api/v4"),
    };
    let api = api.map_or_else(|| base_url("tasks.forges", &usual), Ok)?;
    let login = login.map_or_else(|| base_url("tasks.forges", &format!("https://{host}/login")), Ok)?;
    Ok(ForgeSettings { host, kind, api, login, token: token.ok_or_else(|| bad("it says not whose token"))? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_may_run_on_the_images_that_are_named_and_on_no_other() {
        let named = |images: &[&str]| {
            TaskSettings::new(&written::Tasks {
                images: images.iter().map(|image| (*image).to_owned()).collect(),
                ..Default::default()
            })
        };
        let some = named(&["rust:1.90", "ghcr.io/acme/*", "node:2*"]).unwrap();
        for (image, may) in [
            ("rust:1.90", true),
            ("rust:1.91", false),
            ("node:22-slim", true),
            ("node:2/x", false),
            ("ghcr.io/acme/base:2", true),
            ("ghcr.io/acme.evil/base", false),
            ("evil.example/ghcr.io/acme/base", false),
        ] {
            assert_eq!(some.may_run_on(image), may, "{image}");
        }
        assert!(!named(&[]).unwrap().may_run_on("rust:1.90"));
        for odd in ["*", "", "-v", "a b", "$BASE", "a*b", "rust*", "ghcr.io*"] {
            assert!(named(&[odd]).is_err(), "{odd}");
        }
    }

    #[test]
    fn the_two_usual_forges_are_known_and_another_is_added_or_put_in_their_place() {
        let none = TaskSettings::new(&written::Tasks::default()).unwrap();
        let at = |settings: &TaskSettings, repository: &str| {
            let forge = settings.forge(&repository.parse().unwrap()).unwrap();
            (forge.kind, forge.api.to_string(), forge.token.clone())
        };
        let secret = |name: &str| CredentialSource::Secret(name.into());
        let usual = (ForgeKind::GitHub, "https://api.github.com/".to_owned(), secret("github"));
        assert_eq!(at(&none, "acme/shop"), usual);
        assert_eq!(at(&none, "gitlab.com/a/b/c").1, "https://gitlab.com/api/v4");
        assert!(none.forge(&"git.example/a/b".parse().unwrap()).is_none());

        let forges = [
            "git.example:8443 gitlab secret=work",
            "github.com github api=https://api.github.com command=gh auth token",
        ];
        let own =
            TaskSettings::new(&written::Tasks { forges: forges.map(str::to_owned).to_vec(), ..Default::default() });
        let own = own.unwrap();
        let work = (ForgeKind::GitLab, "https://git.example:8443/api/v4".to_owned(), secret("work"));
        assert_eq!(at(&own, "git.example:8443/a/b"), work);
        assert_eq!(at(&own, "acme/shop").2, CredentialSource::Command("gh auth token".into()));
        assert_eq!(own.forges.len(), 3);
    }
}
