//! The house's own rules: imports run down the floors, files stay small.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() && !entry.ends_with("ui") {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            found.push(entry);
        }
    }
}

/// Every `crate::ROOM` of a file's code, its comments and its own tests left out.
fn rooms_used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().map(|l| l.split("//").next().unwrap_or_default());
    lines
        .flat_map(|line| {
            line.match_indices("crate::").map(|(at, _)| line[at + 7..].to_owned()).collect::<Vec<_>>()
        })
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn imports_only_run_down_the_floors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let map = fs::read_to_string(root.join("lib.rs")).unwrap();
    let floors: Vec<&str> =
        map.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(floors.len() > 15, "{floors:?}");
    let floor = |room: &str| floors.iter().position(|f| *f == room);
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut climbing = Vec::new();
    for file in &files {
        let inside = file.strip_prefix(&root).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let Some(own) = floor(first.trim_end_matches(".rs")) else { continue };
        for room in rooms_used(&fs::read_to_string(file).unwrap()) {
            if floor(&room).is_some_and(|used| used < own) {
                climbing.push(format!("{} uses {room}", inside.display()));
            }
        }
    }
    assert!(climbing.is_empty(), "{climbing:#?}");
}

#[test]
fn files_are_small() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut sizes: Vec<(usize, PathBuf)> =
        files.into_iter().map(|f| (fs::read_to_string(&f).unwrap().lines().count(), f)).collect();
    sizes.sort();
    let (median, largest) = (&sizes[sizes.len() / 2], &sizes[sizes.len() - 1]);
    assert!(median.0 < 200, "median {} lines", median.0);
    assert!(largest.0 <= 600, "{} has {} lines", largest.1.display(), largest.0);
}
