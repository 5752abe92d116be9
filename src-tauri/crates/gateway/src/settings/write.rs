//! Changes values in the config file and leaves everything else in it as the owner wrote it: comments, order, blank lines.

use domain::{Code, Problem};
use serde_json::Value;
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};
use toml_edit::{Array, Decor, DocumentMut, Item, RawString, Table, Value as Toml, value};

/// The text with these keys (`table.key`) at these values; null takes a key out, so that its default counts again.
///
/// # Errors
/// The parser's words, where `text` is not TOML; a value that no config can hold.
pub fn changed(text: &str, changes: &[(String, Value)]) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    for (key, wanted) in changes {
        let (table, name) = key.split_once('.').ok_or_else(|| format!("{key} is no key"))?;
        let table = document.entry(table).or_insert_with(new_table);
        let table = table.as_table_like_mut().ok_or_else(|| format!("{key} is not in a table"))?;
        match toml(wanted) {
            None => drop(table.remove(name)),
            Some(wanted) => match table.get_mut(name) {
                Some(known) => replace(known, wanted),
                None => drop(table.insert(name, value(wanted))),
            },
        }
    }
    Ok(document.to_string())
}

fn new_table() -> Item {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    Item::Table(table)
}

/// In place of the old value, with the old one's comment at the line's end. In a list, what stays keeps its own.
fn replace(known: &mut Item, mut wanted: Toml) {
    let Some(old) = known.as_value_mut() else { return *known = value(wanted) };
    if let (Some(old), Some(new)) = (old.as_array_mut(), wanted.as_array())
        && keeps_order(old, new)
    {
        return amend(old, new);
    }
    *wanted.decor_mut() = old.decor().clone();
    *old = wanted;
}

fn text_of(item: &Toml) -> String {
    item.as_str().map_or_else(|| item.to_string(), str::to_owned)
}

/// Whether the new list is the old one without some, and with others at its end.
fn keeps_order(old: &Array, new: &Array) -> bool {
    let wanted: Vec<String> = new.iter().map(text_of).collect();
    let stays: Vec<String> = old.iter().map(text_of).filter(|item| wanted.contains(item)).collect();
    wanted.starts_with(&stays)
}

/// What stands on an item's own line after it is its comment, though TOML's parser gives it to what follows.
struct Line {
    /// From the line's end before it up to it.
    lead: String,
    item: Toml,
    after: String,
}

fn amend(old: &mut Array, new: &Array) {
    let (opening, lines, closing) = taken_apart(old);
    let wanted: Vec<String> = new.iter().map(text_of).collect();
    let usual = lines.last().map(|line| match line.lead.rfind('\n') {
        Some(end) => line.lead[end..].to_owned(),
        None => " ".to_owned(),
    });
    let usual = usual.unwrap_or_default();
    let mut lines: Vec<Line> = lines.into_iter().filter(|line| wanted.contains(&text_of(&line.item))).collect();
    let there: Vec<String> = lines.iter().map(|line| text_of(&line.item)).collect();
    for item in new.iter().filter(|item| !there.contains(&text_of(item))) {
        let lead = if lines.is_empty() && !usual.contains('\n') { String::new() } else { usual.clone() };
        lines.push(Line { lead, item: item.clone(), after: String::new() });
    }
    old.clear();
    let mut before = opening;
    for Line { lead, mut item, after } in lines {
        *item.decor_mut() = Decor::new(before + &lead, "");
        old.push_formatted(item);
        before = after;
    }
    old.set_trailing_comma(!old.is_empty() && closing.contains('\n'));
    old.set_trailing(before + &closing);
}

/// What stands after the bracket, the lines, and what stands before the other bracket.
fn taken_apart(array: &Array) -> (String, Vec<Line>, String) {
    let text = |raw: Option<&RawString>| raw.and_then(RawString::as_str).unwrap_or_default().to_owned();
    let mut opening = String::new();
    let mut lines: Vec<Line> = Vec::new();
    let mut rest = String::new();
    for item in array.iter() {
        let (end, lead) = own_line(&(rest + &text(item.decor().prefix())));
        match lines.last_mut() {
            Some(line) => line.after = end,
            None => opening = end,
        }
        lines.push(Line { lead, item: item.clone(), after: String::new() });
        rest = text(item.decor().suffix());
    }
    let (end, closing) = own_line(&(rest + &text(Some(array.trailing()))));
    match lines.last_mut() {
        Some(line) => line.after = end,
        None => opening = end,
    }
    (opening, lines, closing)
}

/// Up to the end of the line, and from there on; all of it from there on, where there is no line's end.
fn own_line(text: &str) -> (String, String) {
    let end = text.find('\n').unwrap_or(0);
    (text[..end].to_owned(), text[end..].to_owned())
}

fn toml(wanted: &Value) -> Option<Toml> {
    match wanted {
        Value::Null | Value::Object(_) => None,
        Value::Bool(on) => Some((*on).into()),
        Value::Number(n) => Some(n.as_i64().map_or_else(|| n.as_f64().unwrap_or_default().into(), Toml::from)),
        Value::String(words) => Some(words.as_str().into()),
        Value::Array(items) => Some(items.iter().filter_map(toml).collect::<Array>().into()),
    }
}

/// Replaces the file whole or not at all, with the rights it had (0600 for a new one). A link stays one.
///
/// # Errors
/// `CONFIG_INVALID` or `DISK_FULL`: the file is unchanged.
pub fn replace_file(path: &Path, text: &str) -> Result<(), Problem> {
    written(path, text).map_err(|e| {
        let full = matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let code = if full { Code::DiskFull } else { Code::ConfigInvalid };
        let problem = Problem::with_detail(code, format!("{} could not be written: {e}.", path.display()));
        if full { problem } else { problem.suggest("Check its owner and its rights.") }
    })
}

fn written(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mode = fs::metadata(&path).map_or(0o600, |about| about.permissions().mode() & 0o777);
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    write().inspect_err(|_| {
        let _nothing_is_left_behind = fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, DEFAULT_TOML};
    use proptest::prelude::*;
    use serde_json::json;

    fn change(text: &str, changes: &[(&str, Value)]) -> String {
        let changes: Vec<_> = changes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        changed(text, &changes).unwrap()
    }

    #[test]
    fn comments_order_and_blank_lines_stay() {
        let before = "# mine\n[spend]   # money\nday = 5.0 # a week's worth\n\n# why\nturn = 1.0\n";
        let after = change(before, &[("spend.day", json!(7)), ("agent.model", json!("opus"))]);
        assert_eq!(
            after,
            "# mine\n[spend]   # money\nday = 7 # a week's worth\n\n# why\nturn = 1.0\n\n[agent]\nmodel = \"opus\"\n"
        );
    }

    #[test]
    fn a_list_keeps_the_comments_of_what_stays() {
        let before = "[twilio]\nallow = [\n  \"+15551230001\", # Ada\n  \"+15551230002\", # Bob\n]\n";
        let after = change(before, &[("twilio.allow", json!(["+15551230001", "+15551230003"]))]);
        assert_eq!(after, "[twilio]\nallow = [\n  \"+15551230001\", # Ada\n  \"+15551230003\",\n]\n");
        let without_a_comma = "[twilio]\nallow = [\n  \"+15551230001\", # Ada\n  \"+15551230002\" # Bob\n]\n";
        let after = change(without_a_comma, &[("twilio.allow", json!(["+15551230002", "+15551230003"]))]);
        assert_eq!(after, "[twilio]\nallow = [\n  \"+15551230002\", # Bob\n  \"+15551230003\",\n]\n");
        for (before, after) in
            [("[]", "[\"+15551230001\"]"), ("[\"+15551230009\"]", "[\"+15551230009\", \"+15551230001\"]")]
        {
            let wanted: Value = serde_json::from_str(after).unwrap();
            let changed = change(&format!("[twilio]\nallow = {before}\n"), &[("twilio.allow", wanted)]);
            assert_eq!(changed, format!("[twilio]\nallow = {after}\n"));
        }
        let turned = change(before, &[("twilio.allow", json!(["+15551230002", "+15551230001"]))]);
        assert_eq!(config::parse(&turned).unwrap().twilio.allow, ["+15551230002", "+15551230001"]);
    }

    #[test]
    fn a_key_is_found_however_it_is_written() {
        for before in ["spend.day = 5.0\n", "spend = { day = 5.0, turn = 1.0 }\n", "[spend]\n\"day\" = 5.0\n", ""] {
            let after = change(before, &[("spend.day", json!(7.5))]);
            assert_eq!(config::parse(&after).unwrap().spend.day, 7.5, "{after}");
        }
        let gone = change("[spend]\nday = 5.0\n", &[("spend.day", Value::Null)]);
        assert_eq!(config::parse(&gone).unwrap().spend.day, config::Written::default().spend.day);
    }

    #[test]
    fn a_file_is_replaced_with_its_rights_and_through_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.toml"), folder.path().join("config.toml"));
        fs::write(&real, "a").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace_file(&link, "b").unwrap();
        assert!(link.is_symlink() && fs::read_to_string(&real).unwrap() == "b");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        let new = folder.path().join("new/config.toml");
        replace_file(&new, "c").unwrap();
        assert_eq!(fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside");
    }

    proptest! {
        #[test]
        fn any_words_survive_the_way_through_the_file(words in any::<String>(), list in proptest::collection::vec(any::<String>(), 0..4)) {
            let changes = [("agent.instructions".to_owned(), json!(words)), ("api.hosts".to_owned(), json!(list))];
            let after = config::parse(&changed(DEFAULT_TOML, &changes).unwrap()).unwrap();
            prop_assert_eq!(after.agent.instructions, words);
            prop_assert_eq!(after.api.hosts, list);
        }
    }
}
