//! A small disk of its own, to be filled and to be given room again.
//!
//! It is a file system in memory, so that a full disk is the real thing: `ENOSPC`, from the kernel. Mounting takes root,
//! or sudo that asks for no password.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
        let size = format!("size={size}m");
        let mounted = as_root(&["mount", "-t", "tmpfs", "-o", &size, "gazer-disk"], root.path());
        assert!(mounted, "a disk that can be filled has to be mounted, which takes root, or sudo without a password");
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
        as_root(&["umount", "--lazy"], self.root.path());
    }
}

/// Whether it worked: as who we are, or else through sudo.
fn as_root(words: &[&str], folder: &Path) -> bool {
    [&[][..], &["sudo", "-n"]].into_iter().any(|by| {
        let all = [by, words].concat();
        let ended = Command::new(all[0]).args(&all[1..]).arg(folder).stderr(Stdio::null()).status();
        ended.is_ok_and(|status| status.success())
    })
}
