//! Loopback ports for programs that insist on being told one.
//!
//! They lie below those that a system hands out by itself (Linux: from 32768 on). So whoever connects somewhere takes
//! none of them before the program is there, nor between two of its lives.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::chance::Chance;

const PORTS: Range<u16> = 10_240..32_768;

/// A port that nobody has.
pub fn free() -> u16 {
    free_row(1)
}

/// The first of so many in a row.
pub fn free_row(count: u16) -> u16 {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let mut chance = Chance::new(u64::from(std::process::id()), ASKED.fetch_add(1, Ordering::Relaxed));
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let mut draw = || PORTS.start + chance.between(0, u64::from(PORTS.end - PORTS.start - count)) as u16;
    let first = (0..100).map(|_| draw()).find(|&first| (first..first + count).all(is_free));
    first.expect("a machine has free ports")
}
