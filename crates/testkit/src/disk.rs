//! A small disk of its own, to be filled and to be given room again.
//!
//! It is a file system in memory, so that a full disk is the real thing: `ENOSPC`, from the kernel. Mounting takes root,
//! which the machines that run all tests have.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Dropping it takes the disk and what is on it away.
#[derive(Debug)]
pub struct Disk {
    root: TempDir,
}

impl Disk {
    /// # Panics
    /// If this user may not mount.
    pub fn of_mebibytes(size: u32) -> Self {
        let root = tempfile::Builder::new().prefix("gazer-disk-").tempdir().expect("the temp directory is writable");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}m"), "gazer-disk"]).arg(root.path());
        let done = mount.output().expect("mount can be run");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "a disk that can be filled has to be mounted, which takes root: {said}");
        Self { root }
    }

    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("the disk takes a file");
        for size in [64 * 1024, 4 * 1024, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Gives the room back.
    pub fn relieve(&self) {
        fs::remove_file(self.filler()).expect("the disk was filled");
    }

    fn filler(&self) -> PathBuf {
        self.root.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: what still has a file open keeps it until its end.
        Command::new("umount").arg("--lazy").arg(self.root.path()).status().ok();
    }
}
