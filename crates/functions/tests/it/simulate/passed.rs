//! The seeds that passed, kept in a file between runs where one is named.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;

#[derive(Debug)]
pub(crate) struct Passed {
    file: Option<String>,
    /// A seed with more monitors is another day.
    days: HashSet<(u64, usize)>,
}

impl Passed {
    #[expect(clippy::disallowed_methods, reason = "where a test run goes on is no configuration of the product")]
    pub(crate) fn of_this_run() -> Self {
        let file = std::env::var("GAZER_SIMULATED").ok().filter(|file| !file.is_empty());
        let known = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let days = known.lines().filter_map(|line| line.split_once(' '));
        let days = days.filter_map(|(monitors, seed)| Some((seed.parse().ok()?, monitors.parse().ok()?))).collect();
        Self { file, days }
    }

    pub(crate) fn holds(&self, seed: u64, monitors: usize) -> bool {
        self.days.contains(&(seed, monitors))
    }

    pub(crate) fn add(&self, seed: u64, monitors: usize) {
        let Some(file) = &self.file else { return };
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let kept = opened.and_then(|mut file| file.write_all(format!("{monitors} {seed}\n").as_bytes()));
        kept.unwrap_or_else(|error| panic!("{file} cannot keep the seeds that passed: {error}"));
    }
}
