//! The seeds that passed, kept in a file between runs where one is named.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;

#[derive(Debug)]
pub(crate) struct Passed {
    file: Option<String>,
    monitors: usize,
    seeds: HashSet<u64>,
}

impl Passed {
    #[expect(clippy::disallowed_methods, reason = "where a test run goes on is no configuration of the product")]
    pub(crate) fn of_this_run(monitors: usize) -> Self {
        let file = std::env::var("GAZER_SIMULATED").ok().filter(|file| !file.is_empty());
        let known = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let size = monitors.to_string();
        // A day with more sites is another day.
        let seeds = known.lines().filter_map(|line| line.split_once(' ')).filter(|(known, _)| *known == size);
        Self { file, monitors, seeds: seeds.filter_map(|(_, seed)| seed.parse().ok()).collect() }
    }

    pub(crate) fn holds(&self, seed: u64) -> bool {
        self.seeds.contains(&seed)
    }

    pub(crate) fn add(&self, seed: u64) {
        let Some(file) = &self.file else { return };
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let kept = opened.and_then(|mut file| file.write_all(format!("{} {seed}\n", self.monitors).as_bytes()));
        kept.unwrap_or_else(|error| panic!("{file} cannot keep the seeds that passed: {error}"));
    }
}
