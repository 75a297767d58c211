//! What is known of every process, under the names that Prometheus gives it everywhere, as far as `/proc` tells it.

use std::fmt;

use gazer_domain::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Linux counts a process's time in these, whatever its own clock does (`USER_HZ`, proc(5)).
const TICKS: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Process {
    pub(super) started: Timestamp,
}

impl Collector for Process {
    /// A figure that cannot be read is left out: a zero would be a lie.
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let started = self.started.millis() as f64 / 1_000.0;
        gauge(&mut encoder, "process_start_time_seconds", "When the process started, since 1970.", started)?;
        if let Some(seconds) = read("stat").and_then(|stat| cpu_seconds(&stat)) {
            let cpu = ConstCounter::new(seconds);
            let said = "Time on processors, of users and system.";
            cpu.encode(encoder.encode_descriptor("process_cpu_seconds", said, None, cpu.metric_type())?)?;
        }
        let status = read("status").unwrap_or_default();
        for (name, said, line) in [
            ("process_resident_memory_bytes", "Memory that is held in RAM.", "VmRSS:"),
            ("process_virtual_memory_bytes", "Addresses that are mapped.", "VmSize:"),
        ] {
            if let Some(kibibytes) = number_after(&status, line) {
                gauge(&mut encoder, name, said, kibibytes * 1_024.0)?;
            }
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            // The listing itself holds one.
            gauge(&mut encoder, "process_open_fds", "Files and sockets that are open.", open.count() as f64 - 1.0)?;
        }
        if let Some(most) = read("limits").and_then(|limits| number_after(&limits, "Max open files")) {
            gauge(&mut encoder, "process_max_fds", "Files and sockets that may be open.", most)?;
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, said: &str, value: f64) -> Result<(), fmt::Error> {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, said, None, gauge.metric_type())?)
}

fn read(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/self/{name}")).ok()
}

/// Fields 14 and 15 of `/proc/self/stat`, counted after the name, which may hold spaces and parentheses.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

/// The first number of the line that begins so.
fn number_after(text: &str, beginning: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(beginning))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_it_is_written() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 9 0 77 1 2";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("nonsense"), None);
        assert_eq!(number_after("Name:\tgazer\nVmRSS:\t   2048 kB\n", "VmRSS:"), Some(2048.0));
        assert_eq!(number_after("Max open files            1024     4096     files", "Max open files"), Some(1024.0));
        assert_eq!(number_after("Max open files            unlimited", "Max open files"), None);
    }
}
