//! A history as one Markdown file. Pictures are in it, as addresses at its end that hold them: what is read stays readable.

use super::parts::Part;
use base64::{Engine, engine::general_purpose::STANDARD};

pub fn written(parts: &[Part]) -> String {
    let (mut text, mut addresses) = (String::new(), String::new());
    for part in parts {
        if !text.is_empty() {
            text.push('\n');
        }
        match part {
            Part::Words(words) => text.push_str(words.trim_end()),
            Part::Block(block) => text.push_str(&fenced("", block)),
            Part::Change(diff) => {
                let file = if diff.file.is_empty() { String::new() } else { format!("--- {0}\n+++ {0}\n", diff.file) };
                text.push_str(&fenced("diff", &(file + &diff.lines.join("\n"))));
            }
            // The name is one that no text before it can have given to something else.
            Part::Picture { id, media_type, caption, bytes } => {
                text.push_str(&format!("![{}][{id}]", plain(caption)));
                addresses.push_str(&format!("\n[{id}]: <data:{media_type};base64,{}>\n", STANDARD.encode(bytes)));
            }
        }
        text.push('\n');
    }
    text + &addresses
}

/// A fence longer than any in the text, so that nothing in it ends the block.
fn fenced(kind: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{kind}\n{text}\n{fence}")
}

/// Words between brackets.
fn plain(words: &str) -> String {
    words.chars().flat_map(|c| ['\\'].into_iter().filter(move |_| c.is_ascii_punctuation()).chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::diff::Diff, *};

    #[test]
    fn no_text_ends_its_block() {
        assert_eq!(fenced("", "a\n````\nb"), "`````\na\n````\nb\n`````");
    }

    #[test]
    fn a_change_is_a_diff_and_a_picture_is_at_the_end() {
        let id = domain::ArtifactId::new();
        let lines = vec!["@@".into(), "-a".into(), "+b".into()];
        let parts = [
            Part::Picture { id, media_type: "image/png".into(), caption: "a](b".into(), bytes: b"png".into() },
            Part::Change(Diff { file: "x.rs".into(), lines }),
        ];
        let address = format!("[{id}]: <data:image/png;base64,cG5n>");
        let expected = format!("![a\\]\\(b][{id}]\n\n```diff\n--- x.rs\n+++ x.rs\n@@\n-a\n+b\n```\n\n{address}\n");
        assert_eq!(written(&parts), expected);
    }
}
