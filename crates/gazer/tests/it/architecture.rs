//! The shape of the house, held by a test instead of a drawing.
//!
//! [`edges`] asks `cargo metadata` who lists whom, and `cargo tree` what is built; [`sources`] counts lines and reads
//! file names; [`documents`] follows links. Each test gathers everything that is wrong and fails once, in sentences
//! that say what to do.

mod documents;
mod edges;
mod sources;

use std::path::{Path, PathBuf};

/// A crate of the house: what it may know, and how large it may grow.
struct Room {
    name: &'static str,
    /// Folder below `crates/`.
    folder: &'static str,
    /// The crates of ours that it may list, tests aside.
    knows: &'static [&'static str],
    /// Crates that it must never list. A trailing `*` stands for any ending.
    refuses: &'static [&'static str],
    /// Lines of code in thousands: no blank lines, no comments, no tests.
    kloc: Option<f64>,
}

/// Only the crate for AWS may list these. `aws-lc-rs` is cryptography, not a cloud.
const AWS: [&str; 4] = ["aws-config", "aws-sdk-*", "aws_lambda_*", "lambda_*"];

const AWS_ROOM: &str = "gazer-aws";

const ROOMS: [Room; 11] = [
    Room {
        name: "gazer-domain",
        folder: "domain",
        knows: &[],
        refuses: &["tokio", "serde_json", "sqlx", "axum", "hyper", "tracing"],
        kloc: Some(5.0),
    },
    Room {
        name: "gazer-wire",
        folder: "wire",
        knows: &["gazer-domain"],
        refuses: &["tokio", "sqlx", "axum", "hyper", "tracing"],
        kloc: Some(1.0),
    },
    Room {
        name: "gazer-bus",
        folder: "bus",
        knows: &["gazer-domain", "gazer-wire"],
        refuses: &["sqlx", "axum"],
        // A thousand for one process; parcels, seals and a driver for many.
        kloc: Some(2.3),
    },
    Room {
        name: "gazer-probes",
        folder: "probes",
        knows: &["gazer-domain"],
        refuses: &["sqlx", "axum", "gazer-bus"],
        kloc: Some(5.0),
    },
    Room {
        name: "gazer-channels",
        folder: "channels",
        knows: &["gazer-domain", "gazer-probes"],
        refuses: &["sqlx", "axum", "gazer-store"],
        kloc: Some(2.0),
    },
    Room {
        name: "gazer-store",
        folder: "store",
        knows: &["gazer-domain", "gazer-wire"],
        refuses: &["axum", "hyper", "gazer-probes"],
        // Four thousand, and errors of our own: what is known of them, and what is to be told.
        kloc: Some(4.2),
    },
    Room {
        name: "gazer-functions",
        folder: "functions",
        knows: &["gazer-domain", "gazer-bus", "gazer-store", "gazer-probes", "gazer-channels"],
        refuses: &["sqlx", "axum"],
        // Fair shares between teams, and what is said where they do not suffice, came on top of three thousand.
        kloc: Some(3.2),
    },
    Room {
        name: "gazer-web",
        folder: "web",
        knows: &["gazer-domain", "gazer-bus", "gazer-store"],
        refuses: &["sqlx", "gazer-probes", "gazer-functions"],
        // Seven thousand, and what was given up: its list, its buttons and its endpoints; and regions: their fields,
        // their table and what the API says of them;
        // and errors of our own: their list and their page.
        kloc: Some(7.7),
    },
    Room {
        name: "gazer",
        folder: "gazer",
        knows: &[
            "gazer-domain",
            "gazer-bus",
            "gazer-probes",
            "gazer-channels",
            "gazer-store",
            "gazer-functions",
            "gazer-web",
        ],
        refuses: &[],
        // One thousand to put everything together, the demo, teams, regions, whom the operator is, the parts of a
        // cluster, what AWS would bill, and errors of our own: hearing them, and the command that shows them.
        kloc: Some(3.3),
    },
    Room {
        name: AWS_ROOM,
        folder: "aws",
        knows: &["gazer", "gazer-domain", "gazer-bus", "gazer-functions", "gazer-web"],
        refuses: &[],
        kloc: Some(1.0),
    },
    Room { name: "gazer-testkit", folder: "testkit", knows: &["gazer-domain"], refuses: &[], kloc: None },
];

fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// The root of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders below the root").to_path_buf()
}

/// Fails with every complaint at once, so a second run is not needed to learn of the second one.
fn hold(complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "the house is out of shape (design: ARCHITECTURE.md)\n  {}",
        complaints.join("\n  ")
    );
}
