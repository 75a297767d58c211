//! Lists that a change must be seen to change. `UPDATE_GOLDEN=1 cargo test` writes them again.

use std::path::Path;

#[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the tests, not configuration of the product")]
fn updating() -> bool {
    std::env::var("UPDATE_GOLDEN").is_ok()
}

#[track_caller]
pub(crate) fn assert(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(name);
    if updating() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let mut lines = expected.lines().zip(found.lines()).enumerate();
    if let Some((n, (old, new))) = lines.find(|(_, (old, new))| old != new) {
        panic!("{name} line {} was\n  {old}\nand is\n  {new}\nIf that is right, run with UPDATE_GOLDEN=1.", n + 1);
    }
    assert_eq!(expected.len(), found.len(), "{name} is longer or shorter; if that is right, run with UPDATE_GOLDEN=1");
}
