//! How Lanyard's types stand in columns.

use crate::{Error, Result};
use rusqlite::Row;
use serde::{Serialize, de::DeserializeOwned};
use std::str::FromStr;

/// A column of text as one of our types.
pub fn parsed<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(row: &Row<'_>, column: usize) -> Result<T> {
    let text = row.get_ref(column)?.as_str().map_err(|e| Error::Value(Box::new(e)))?;
    text.parse().map_err(|e| Error::Value(Box::new(e)))
}

/// As [`parsed`], for a column that may be null.
pub fn parsed_opt<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> Result<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|e| Error::Value(Box::new(e)))?;
    text.map(|t| t.parse().map_err(|e| Error::Value(Box::new(e) as _))).transpose()
}

/// A column of JSON as one of our types.
pub fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    let text = row.get_ref(column)?.as_str().map_err(|e| Error::Value(Box::new(e)))?;
    Ok(serde_json::from_str(text)?)
}

pub fn json_opt<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|e| Error::Value(Box::new(e)))?;
    text.map(|t| serde_json::from_str(t).map_err(Error::from)).transpose()
}

/// The JSON word of a plain enum, without its quotes, as columns that are searched keep it.
pub fn word<T: Serialize>(value: &T) -> Result<String> {
    Ok(serde_json::to_string(value)?.trim_matches('"').to_owned())
}

pub fn from_word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    let text = row.get_ref(column)?.as_str().map_err(|e| Error::Value(Box::new(e)))?;
    Ok(serde_json::from_value(serde_json::Value::String(text.to_owned()))?)
}

/// So many bytes.
pub fn bytes<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N]> {
    let bytes = row.get_ref(column)?.as_blob().map_err(|e| Error::Value(Box::new(e)))?;
    bytes.try_into().map_err(|e| Error::Value(Box::new(e)))
}

/// An empty text is no value.
pub fn none_if_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
