//! Who lists whom, and what gets built.
//!
//! Edges are read from `cargo metadata`. What gets built is read from `cargo tree`: metadata follows the lock file,
//! which names optional crates (`ring`, for one) that no feature turns on.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::{AWS, AWS_ROOM, ROOMS, Room, hold, room, root};

#[test]
fn every_crate_has_its_room() {
    let metadata = metadata();
    let built: BTreeSet<_> =
        metadata.workspace_packages().into_iter().map(|package| package.name.to_string()).collect();
    let drawn: BTreeSet<_> = ROOMS.iter().map(|room| room.name.to_owned()).collect();
    let undrawn = built.difference(&drawn).map(|name| {
        format!("{name} is in the workspace and not in the table of crates/gazer/tests/it/architecture.rs: say there what it may know")
    });
    let unbuilt = drawn.difference(&built).map(|name| {
        format!("{name} is in the table of crates/gazer/tests/it/architecture.rs and not in the workspace: take it out")
    });
    hold(&undrawn.chain(unbuilt).collect::<Vec<_>>());
}

#[test]
fn no_crate_lists_what_it_must_never_list() {
    let complaints: Vec<_> = each_listed()
        .into_iter()
        .filter(|(room, listed)| {
            let clouds = AWS.iter().filter(|_| room.name != AWS_ROOM);
            room.refuses.iter().chain(clouds).any(|pattern| matches(pattern, listed))
        })
        .map(|(room, listed)| {
            format!(
                "{} lists {listed}, which it must never do: move the code that needs it to a crate that may",
                room.name
            )
        })
        .collect();
    hold(&complaints);
}

#[test]
fn crates_of_ours_know_only_whom_they_may() {
    let complaints: Vec<_> = each_listed()
        .into_iter()
        .filter(|(room, listed)| super::room(listed).is_some() && !room.knows.contains(&listed.as_str()))
        .map(|(room, listed)| format!("{} lists {listed}: {}", room.name, advice(&listed)))
        .collect();
    hold(&complaints);
}

/// Listing is one edge; a runtime that came in through another crate would do the same harm here.
#[test]
fn the_domain_reaches_no_runtime_and_no_io() {
    let reached = built(&["--package", "gazer-domain", "--edges", "normal"]);
    let domain = room("gazer-domain").expect("the table has the domain");
    let complaints: Vec<_> = domain
        .refuses
        .iter()
        .filter(|refused| reached.contains_key(**refused))
        .map(|refused| format!("gazer-domain reaches {refused} through another crate: `cargo tree -p gazer-domain -i {refused}` says which"))
        .collect();
    hold(&complaints);
}

#[test]
fn one_tls_and_one_http_are_built() {
    let built = built(&["--edges", "normal,build"]);
    let mut complaints = Vec::new();
    for refused in ["ring", "openssl-sys", "native-tls"] {
        if built.contains_key(refused) {
            complaints.push(format!(
                "{refused} is built into gazer, whose one TLS is rustls on aws-lc-rs: `cargo tree -i {refused}` says who asks for it"
            ));
        }
    }
    for single in ["hyper", "rustls", "http", "h2", "tokio", "sqlx-core"] {
        let versions = built.get(single).cloned().unwrap_or_default();
        if versions.len() > 1 {
            complaints.push(format!("{single} is built in {} generations: {}", versions.len(), join(&versions)));
        }
    }
    for needed in ["rustls", "aws-lc-rs", "hyper"] {
        if !built.contains_key(needed) {
            complaints.push(format!("{needed} is not built into gazer: this test looked at the wrong graph"));
        }
    }
    hold(&complaints);
}

/// Every dependency that a crate of ours lists outside its tests.
fn each_listed() -> Vec<(&'static Room, String)> {
    let metadata = metadata();
    let ours = metadata.workspace_packages().into_iter().filter_map(|package| Some((room(&package.name)?, package)));
    ours.flat_map(|(room, package)| listed(package).map(move |name| (room, name))).collect()
}

fn listed(package: &Package) -> impl Iterator<Item = String> {
    let kept = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    kept.map(|dependency| dependency.name.clone())
}

fn advice(listed: &str) -> &'static str {
    match listed {
        "gazer-testkit" => "it is for tests, so it belongs under [dev-dependencies]",
        "gazer" => "the binary is where everything is put together, and nobody knows it",
        _ => "what both need belongs in gazer-domain, and what joins them in gazer",
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// The manifests as they stand; nothing is resolved, so nothing is downloaded.
fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.cargo_path(env!("CARGO")).manifest_path(root().join("Cargo.toml")).no_deps();
    command.exec().expect("cargo reads the workspace that it is testing")
}

/// Names and versions of what is built on this machine, as `cargo tree` tells it. Without a package it is the default
/// members: what a newcomer builds.
fn built(arguments: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root()).args(["tree", "--locked", "--prefix", "none", "--format", "{p}"]).args(arguments);
    let output = command.output().expect("cargo runs, since it runs this test");
    assert!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name.to_owned()).or_default().insert(version.to_owned());
        }
    }
    versions
}

fn join(versions: &BTreeSet<String>) -> String {
    versions.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_pattern_matches_a_name_or_a_start() {
    assert!(matches("aws-sdk-*", "aws-sdk-sns"));
    assert!(matches("hyper", "hyper"));
    assert!(!matches("hyper", "hyper-util"), "hyper-util alone does not open sockets");
    assert!(!matches("aws-sdk-*", "aws-lc-rs"), "our cryptography shares only its first letters with the cloud");
}
