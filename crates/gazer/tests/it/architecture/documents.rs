//! A promise in the documents links to the test that holds it, so no link may lead nowhere.

use std::fs;
use std::path::{Path, PathBuf};

use super::{hold, root};

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut complaints = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).expect("documents are UTF-8");
        let folder = document.parent().expect("a document lies in a folder");
        let dead = targets(&text).into_iter().filter(|target| !folder.join(target).exists());
        complaints.extend(dead.map(|target| format!("{} links to {target}, which is not there", shown(&document))));
    }
    hold(&complaints);
}

#[test]
fn the_architecture_is_read_in_one_sitting() {
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the document is there").lines().count();
    assert!(lines <= 200, "ARCHITECTURE.md has {lines} lines, and 200 are what a newcomer reads");
}

/// Markdown in the root and below `docs/`.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let docs = root().join("docs");
    for folder in [root(), docs.clone(), docs.join("decisions"), docs.join("howto")] {
        let entries = fs::read_dir(folder).expect("folders of the documents can be read").flatten();
        found.extend(entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    found
}

/// Files that are linked to, without the place within them. Addresses elsewhere are not ours to hold.
fn targets(text: &str) -> Vec<&str> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let files = links.map(|(link, _)| link.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains("://")).collect()
}

fn shown(document: &Path) -> String {
    document.strip_prefix(root()).unwrap_or(document).display().to_string()
}

#[test]
fn links_are_found_without_their_anchors() {
    let text = "See [a](b.md#c), ![d](e.svg), [f](https://g.example/h) and [i](#j).";
    assert_eq!(targets(text), ["b.md", "e.svg"]);
}
