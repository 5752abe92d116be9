//! What a repository says of itself: an image, packages, commands to set it up, its tests. Its own `.lanyard.toml` first, else a
//! devcontainer.json (containers.dev), of which the image, the commands and the environment are read. Its `build`, `features` and
//! `dockerComposeFile` would run the repository's own words on the engine, outside of any sandbox: they are left out.

use crate::{config::is_image, sessions::Workshop};
use domain::{Code, Problem};
use serde::Deserialize;
use serde_json::Value;

const OWN: &str = "/workspace/.lanyard.toml";
const DEVCONTAINERS: [&str; 2] = ["/workspace/.devcontainer/devcontainer.json", "/workspace/.devcontainer.json"];
const LARGEST: usize = 64 * 1024;
/// The commands of a devcontainer that prepare it, in their order.
const PREPARING: [&str; 3] = ["onCreateCommand", "updateContentCommand", "postCreateCommand"];

/// As it is carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// What its sandbox is to be made from.
    pub image: Option<String>,
    /// Debian packages.
    pub packages: Vec<String>,
    /// Shell lines, one after another.
    pub commands: Vec<String>,
    /// A shell line.
    pub test: Option<String>,
    pub env: Vec<(String, String)>,
    /// What it asks for and does not get, for the owner to know.
    pub left_out: Vec<String>,
}

/// `.lanyard.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Own {
    image: Option<String>,
    packages: Vec<String>,
    setup: OneOrMore,
    test: Option<String>,
    env: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

/// Reads it from the sandbox, as the agent's user sees it.
///
/// # Errors
/// `SETUP_FAILED` for a file that cannot be understood; as the engine's.
pub async fn read(workshop: &Workshop) -> Result<Setup, Problem> {
    let [first, second] = DEVCONTAINERS;
    let all = tokio::try_join!(text_of(workshop, OWN), text_of(workshop, first), text_of(workshop, second))?;
    match all {
        (Some(text), ..) => own(&text),
        (_, Some(text), _) | (.., Some(text)) => devcontainer(&text),
        (None, None, None) => Ok(Setup::default()),
    }
}

/// A file that is not there, or too large to be one, is none.
async fn text_of(workshop: &Workshop, path: &str) -> Result<Option<String>, Problem> {
    match workshop.read_file(path, LARGEST).await {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(problem) if matches!(problem.code, Code::NotFound | Code::TooLarge) => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn own(text: &str) -> Result<Setup, Problem> {
    let own: Own = toml::from_str(text).map_err(|e| unreadable(".lanyard.toml", &e))?;
    let commands = match own.setup {
        OneOrMore::One(line) => vec![line],
        OneOrMore::More(lines) => lines,
    };
    if let Some(odd) = own.packages.iter().find(|name| !is_package(name)) {
        return Err(unreadable(".lanyard.toml", &format!("{odd:?} is no package's name")));
    }
    if let Some(odd) = own.image.as_ref().filter(|image| !is_image(image)) {
        return Err(unreadable(".lanyard.toml", &format!("{odd:?} is no image's name")));
    }
    let env = own.env.into_iter().collect();
    Ok(Setup { image: own.image, packages: own.packages, commands, test: own.test, env, left_out: Vec::new() })
}

fn devcontainer(text: &str) -> Result<Setup, Problem> {
    let name = "devcontainer.json";
    let read = jsonc_parser::parse_to_serde_value::<Value>(text, &Default::default());
    let value = read.map_err(|e| unreadable(name, &e))?;
    let table = value.as_object().ok_or_else(|| unreadable(name, &"it is no object"))?;
    let commands = PREPARING.iter().filter_map(|key| table.get(*key)).flat_map(lines).collect();
    let mut env = Vec::new();
    for key in ["containerEnv", "remoteEnv"] {
        let entries = table.get(key).and_then(Value::as_object).into_iter().flatten();
        env.extend(entries.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))));
    }
    // What refers to another variable means one of a machine that is not here.
    env.retain(|(_, value)| !value.contains("${"));
    let ours = table.get("customizations").and_then(|all| all.get("lanyard"));
    let test = ours.and_then(|ours| ours.get("test")).and_then(Value::as_str).map(str::to_owned);
    let packages = ours.and_then(|ours| ours.get("packages")).and_then(Value::as_array).into_iter().flatten();
    let packages = packages.filter_map(Value::as_str).filter(|name| is_package(name)).map(str::to_owned).collect();
    let image = table.get("image").and_then(Value::as_str).filter(|image| is_image(image)).map(str::to_owned);
    let lacking = ["build", "dockerComposeFile", "features"].into_iter().filter(|key| table.contains_key(*key));
    let left_out = lacking.map(|key| format!("{name}: {key}")).collect();
    Ok(Setup { image, packages, commands, test, env, left_out })
}

/// A line, a program with its arguments, or several by name, which may run in any order.
fn lines(command: &Value) -> Vec<String> {
    match command {
        Value::String(line) => vec![line.clone()],
        Value::Array(words) => {
            let words: Vec<String> = words.iter().filter_map(Value::as_str).map(quoted).collect();
            vec![words.join(" ")]
        }
        Value::Object(named) => named.values().flat_map(lines).collect(),
        _ => Vec::new(),
    }
}

/// For a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// As Debian names them, with a version if need be; nothing that a program takes for an option.
fn is_package(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.:=~".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 100 && name.chars().all(plain)
}

fn unreadable(file: &str, why: &dyn std::fmt::Display) -> Problem {
    Problem::with_detail(Code::SetupFailed, format!("{file}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_file_says_packages_commands_and_tests() {
        let text = "packages = [\"libpq-dev\"]\nsetup = \"npm ci\"\ntest = \"npm test\"\n[env]\nCI = \"1\"\n";
        let setup = own(text).unwrap();
        assert_eq!((setup.packages, setup.commands), (vec!["libpq-dev".to_owned()], vec!["npm ci".to_owned()]));
        assert_eq!((setup.test.as_deref(), setup.env), (Some("npm test"), vec![("CI".into(), "1".into())]));
        assert_eq!(own("setup = [\"a\", \"b\"]").unwrap().commands, ["a", "b"]);
        assert_eq!(own("image = \"rust:1.90\"").unwrap().image.as_deref(), Some("rust:1.90"));
        for bad in ["image = \"a b\"", "tests = \"x\"", "packages = [\"-o=x\"]", "setup = 3", "= "] {
            assert_eq!(own(bad).unwrap_err().code, Code::SetupFailed, "{bad}");
        }
    }

    #[test]
    fn of_a_devcontainer_the_commands_run_in_their_order_and_what_is_left_out_is_said() {
        let text = r#"{
            // The company's image.
            "image": "mcr.example/devcontainers/base",
            "postCreateCommand": ["npm", "run", "it's"],
            "onCreateCommand": "pip install -r requirements.txt",
            "updateContentCommand": { "a": "make a", },
            "containerEnv": { "CI": "1", "HOME_BIN": "${containerEnv:HOME}/bin" },
            "customizations": { "lanyard": { "test": "npm test" } },
        }"#;
        let setup = devcontainer(text).unwrap();
        assert_eq!(setup.commands, ["pip install -r requirements.txt", "make a", r"'npm' 'run' 'it'\''s'"]);
        assert_eq!((setup.test.as_deref(), setup.env), (Some("npm test"), vec![("CI".into(), "1".into())]));
        assert_eq!((setup.image.as_deref(), setup.left_out.len()), (Some("mcr.example/devcontainers/base"), 0));
        let built =
            devcontainer(r#"{ "build": { "dockerfile": "Dockerfile" }, "features": {}, "image": "-v" }"#).unwrap();
        assert_eq!(built.left_out, ["devcontainer.json: build", "devcontainer.json: features"]);
        assert_eq!(built.image, None);
        assert_eq!(devcontainer("[]").unwrap_err().code, Code::SetupFailed);
    }
}
