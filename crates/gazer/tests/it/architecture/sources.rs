//! How large the files and the crates are, and what they are called.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ROOMS, hold, root};

/// A file of this many lines holds more than one idea.
const FILE_LINES: usize = 500;
/// Half of the files are shorter than this.
const MEDIAN_LINES: usize = 150;
/// Names that say nothing about what is inside.
const NAMELESS: [&str; 7] = ["mod", "util", "utils", "common", "helper", "helpers", "prelude"];

#[test]
fn files_hold_one_idea_each() {
    let long = sources("").into_iter().filter(|source| source.lines >= FILE_LINES);
    let complaints: Vec<_> = long
        .map(|source| {
            format!("{} has {} lines: files stay under {FILE_LINES}, so split it by idea", source.name, source.lines)
        })
        .collect();
    hold(&complaints);
}

#[test]
fn half_of_the_files_are_short() {
    let mut lines: Vec<_> = sources("src").iter().map(|source| source.lines).collect();
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    assert!(
        median < MEDIAN_LINES,
        "half of the files in crates/*/src have {median} lines or more: stay under {MEDIAN_LINES}"
    );
}

#[test]
fn files_are_named_after_their_idea() {
    let nameless = sources("").into_iter().filter(|source| NAMELESS.contains(&source.stem().as_str()));
    let complaints: Vec<_> = nameless
        .map(|source| {
            format!("{} is named after nothing: name the concept (`name.rs` beside `name/`), or inline it", source.name)
        })
        .collect();
    hold(&complaints);
}

#[test]
fn crates_keep_their_budget() {
    let sources = sources("src");
    let mut complaints = Vec::new();
    for room in &ROOMS {
        let Some(kloc) = room.kloc else { continue };
        let within = format!("crates/{}/", room.folder);
        let code: usize =
            sources.iter().filter(|source| source.name.starts_with(&within)).map(|source| source.code).sum();
        if code as f64 > kloc * 1_000.0 {
            complaints.push(format!("{} has {code} lines of code, and its budget is {kloc} thousand", room.name));
        }
    }
    hold(&complaints);
}

struct Source {
    /// Path from the root of the workspace.
    name: String,
    lines: usize,
    /// Lines that are neither blank, nor a comment, nor a test.
    code: usize,
}

impl Source {
    fn stem(&self) -> String {
        let stem = Path::new(&self.name).file_stem().expect("every source file has a name");
        stem.to_string_lossy().into_owned()
    }
}

/// The Rust files below `crates/*/part`.
fn sources(part: &str) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    for room in &ROOMS {
        collect(&root.join("crates").join(room.folder).join(part), &mut found);
    }
    assert!(found.len() > ROOMS.len(), "hardly any source file was found below {}", root.display());
    found.iter().map(|path| read(&root, path)).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folders of the workspace can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn read(root: &Path, path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("source files are UTF-8");
    let name = path.strip_prefix(root).expect("it was found below the root").to_string_lossy().into_owned();
    let is_test = path.components().any(|part| part.as_os_str() == "tests") || name.ends_with("/tests.rs");
    let code = if is_test { 0 } else { code_lines(&text) };
    Source { name, lines: text.lines().count(), code }
}

/// Tests stand last in a file, so the code ends where they begin.
fn code_lines(text: &str) -> usize {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn blank_lines_comments_and_tests_are_no_code() {
    let text =
        "//! Story.\n\n/// Why.\nfn one() {\n    // A reason.\n}\n\n#[cfg(test)]\nmod tests {\n    fn two() {}\n}\n";
    assert_eq!(code_lines(text), 2);
}
