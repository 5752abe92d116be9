//! The config file: as written (TOML), as resolved (types that hold). Unknown keys are refused with the nearest known one.

mod paths;
mod resolved;
mod written;

pub use paths::Paths;
pub(crate) use resolved::wrong;
pub use resolved::{
    ApiSettings, Caps, Each, ForgeKind, ForgeSettings, Pace, PushSettings, Refused, Resolved, SmsSettings,
    TaskSettings, TunnelSettings, TwilioSettings, is_image,
};
pub use written::{Carrier as SandboxCarrier, LogFormat, Preset, Written};

use domain::{Code, Problem};
use std::path::Path;

/// The file with every key at its default and what each is for.
pub const DEFAULT_TOML: &str = include_str!("config/default.toml");

/// Reads the file at `path`; a missing one means every default.
///
/// # Errors
/// `CONFIG_INVALID` with the line, the reason, and for an unknown key the nearest known one.
pub fn read(path: &Path) -> Result<Written, Problem> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map_err(|p| Problem { message: format!("{} ({})", p.message, path.display()), ..p }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Written::default()),
        Err(e) => Err(Problem::with_detail(Code::ConfigInvalid, format!("{} could not be read: {e}.", path.display()))),
    }
}

/// Reads TOML text.
pub fn parse(text: &str) -> Result<Written, Problem> {
    let invalid = |e: toml::de::Error| Problem::with_detail(Code::ConfigInvalid, e.to_string().trim());
    let mut unknown = Vec::new();
    let document = toml::Deserializer::parse(text).map_err(invalid)?;
    let written = serde_ignored::deserialize(document, |key| unknown.push(key.to_string())).map_err(invalid)?;
    match unknown.first() {
        None => Ok(written),
        Some(key) => Err(unknown_key(key)),
    }
}

/// That there is no such key, with the nearest known one.
pub(crate) fn unknown_key(key: &str) -> Problem {
    let problem = Problem::with_detail(Code::ConfigInvalid, format!("There is no key {key}."));
    match nearest(key) {
        Some(known) => problem.suggest(format!("Did you mean {known}? lanyard config shows every key.")),
        None => problem.suggest("lanyard config shows every key with its default."),
    }
}

/// The known key closest to `key`: by the whole path, or by its last part in another table.
fn nearest(key: &str) -> Option<String> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    known_keys()
        .into_iter()
        .map(|known| {
            let whole = strsim::jaro_winkler(key, &known);
            let part = strsim::jaro_winkler(&last(key), &last(&known)) - 0.02;
            (if whole > part { whole } else { part }, known)
        })
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Every key as `table.key`, and every table.
pub fn known_keys() -> Vec<String> {
    let defaults: toml::Table = DEFAULT_TOML.parse().unwrap_or_default();
    let keys = |(table, values): (&String, &toml::Value)| {
        let inner = values.as_table().into_iter().flat_map(|t| t.keys()).map(|key| format!("{table}.{key}"));
        std::iter::once(table.clone()).chain(inner).collect::<Vec<_>>()
    };
    defaults.iter().flat_map(keys).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_says_exactly_the_defaults() {
        assert_eq!(parse(DEFAULT_TOML).unwrap(), Written::default());
        let keys = toml::Table::try_from(Written::default()).unwrap();
        let listed: toml::Table = DEFAULT_TOML.parse().unwrap();
        assert_eq!(listed, keys, "every key stands in default.toml");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        let wrong = parse("[server]\nlissten = \"127.0.0.1:1\"\n").unwrap_err();
        assert_eq!(wrong.code, Code::ConfigInvalid);
        assert!(wrong.message.contains("server.lissten"), "{wrong}");
        assert!(wrong.suggestion.contains("server.listen"), "{wrong}");
        let moved = parse("[server]\naccount_sid = \"AC1\"\n").unwrap_err();
        assert!(moved.suggestion.contains("twilio.account_sid"), "{moved}");
        assert!(parse("[sandboks]\n").unwrap_err().suggestion.contains("sandbox"));
    }

    #[test]
    fn a_wrong_value_names_its_line() {
        let wrong = parse("[agent]\nmode = \"yolo\"\n").unwrap_err();
        assert!(wrong.message.contains("line 2") && wrong.message.contains("acceptEdits"), "{wrong}");
    }
}
