//! From a byte range of the document to the line and key a person looks for.

use super::ConfigError;
use std::ops::Range;
use std::path::Path;

/// Makes errors that name their place.
pub(super) struct Places<'a> {
    pub(super) text: &'a str,
    pub(super) file: &'a Path,
}

impl Places<'_> {
    pub(super) fn error(&self, span: Range<usize>, reason: impl Into<String>) -> ConfigError {
        let (line, key) = locate(self.text, span.start);
        ConfigError::Place { file: self.file.into(), line, key, reason: reason.into() }
    }
}

/// An error of the TOML reader, whose own message spans several lines, as one.
pub(super) fn syntax(text: &str, file: &Path, error: &toml::de::Error) -> ConfigError {
    let places = Places { text, file };
    let message = error.message().trim().replace('\n', "; ");
    let reason = if message.starts_with("unknown field") {
        // serde lists the keys that exist, which is what to do about it.
        message.replacen("unknown field", "unknown key", 1).replace('`', "'")
    } else {
        message
    };
    places.error(error.span().unwrap_or(0..0), reason)
}

/// The 1-based line of byte `at`, and the key that stands there as `table.key`.
fn locate(text: &str, at: usize) -> (usize, String) {
    let mut end = at.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let lines: Vec<&str> = text.lines().take(line).collect();
    let mut key = None;
    for text in lines.iter().rev() {
        let text = text.trim_start();
        if let Some(table) = table_of(text) {
            return (line, key.map_or_else(|| table.to_owned(), |key| format!("{table}.{key}")));
        }
        key = key.or_else(|| key_of(text));
    }
    (line, key.unwrap_or("-").to_owned())
}

fn table_of(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?;
    let (name, _) = inner.split_once(']')?;
    is_bare(name.trim()).then(|| name.trim())
}

fn key_of(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    is_bare(name.trim()).then(|| name.trim())
}

fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
