//! The config file as a form.

use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;

/// `GET /settings`, and the answer to `PATCH /settings`, whose body is a part of `values`.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Settings {
    /// Table, key, value: what the config file says, with every default.
    #[ts(type = "Record<string, Record<string, string | number | boolean | string[]>>")]
    pub values: Value,
    /// What each key is, in the order of a form.
    pub fields: Vec<Field>,
    /// Where the config file is.
    pub path: String,
    /// The file says something that holds only after a restart.
    pub restart_needed: bool,
    /// Those keys.
    pub waiting: Vec<String>,
}

/// One key of the config.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct Field {
    /// `spend.day`: a table and a key of `values`.
    pub key: String,
    pub kind: FieldKind,
    pub label: String,
    pub help: String,
    /// What may be chosen, with kind `choice`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<FieldChoice>>")]
    pub choices: Vec<FieldChoice>,
    /// Of a number: `dollars`, `minutes`, `seconds`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<&'static str>,
    #[ts(type = "string | number | boolean | string[]")]
    pub default: Value,
    /// Under which heading it stands: "Spending".
    pub section: &'static str,
    /// For those who know what it is: shown when asked for.
    pub advanced: bool,
    /// A change holds after a restart of the gateway.
    pub restart: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    /// Text of several lines.
    Lines,
    Number,
    Switch,
    Choice,
    /// Texts.
    List,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct FieldChoice {
    /// As it stands in the file.
    pub value: &'static str,
    pub label: &'static str,
}
