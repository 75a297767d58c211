//! What a process costs, as `/proc` tells it (proc(5)).

use std::fs;
use std::time::Duration;

/// The kernel reports CPU time to programs in hundredths of a second on every architecture that Rust runs Linux on.
const TICK: Duration = Duration::from_millis(10);

/// What a process has used and holds. CPU time grows over its life; the rest is of the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// User and system time of all threads, ended ones included; not of its children.
    pub cpu: Duration,
    /// Bytes in memory, shared pages counted whole.
    pub resident: u64,
    /// The highest that `resident` has been.
    pub peak: u64,
    /// Bytes in memory, each shared page divided by the number of its sharers. 0 where the kernel does not tell.
    pub proportional: u64,
    pub threads: u64,
    pub descriptors: usize,
}

impl Usage {
    /// # Panics
    /// If there is no such process.
    pub fn of(pid: u32) -> Self {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
        };
        let status = read("status");
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        Self {
            cpu: cpu(&read("stat")),
            resident: kibibytes(&status, "VmRSS:"),
            peak: kibibytes(&status, "VmHWM:"),
            proportional: kibibytes(&rollup, "Pss:"),
            threads: number(&status, "Threads:"),
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count),
        }
    }

    pub fn of_this_process() -> Self {
        Self::of(std::process::id())
    }
}

/// The pids of its children, their children and so on.
pub fn descendants(pid: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .expect("/proc is mounted")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, parent(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect();
    let mut found = vec![pid];
    let mut at = 0;
    while at < found.len() {
        let above = found[at];
        found.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid));
        at += 1;
    }
    found.split_off(1)
}

/// The fields after the command name, which may hold blanks and brackets of its own: field 3 (state) comes first.
fn after_name(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace()
}

/// Field 4.
fn parent(stat: &str) -> Option<u32> {
    after_name(stat).nth(1)?.parse().ok()
}

/// Fields 14 and 15.
fn cpu(stat: &str) -> Duration {
    let ticks: u32 = after_name(stat).skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    TICK * ticks
}

fn kibibytes(text: &str, name: &str) -> u64 {
    number(text, name) * 1024
}

fn number(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_confuses_nobody() {
        let stat = "7 (a ) b) S 3 7 7 0 -1 4194304 1 0 0 0 150 50 9 9 20 0 1 0";
        assert_eq!(parent(stat), Some(3));
        assert_eq!(cpu(stat), Duration::from_secs(2));
    }

    #[test]
    fn this_process_holds_memory_and_descriptors() {
        let usage = Usage::of_this_process();
        assert!(usage.resident > 100 * 1024 && usage.peak >= usage.resident);
        assert!(usage.threads >= 1 && usage.descriptors >= 3);
    }
}
