//! Named instants at which a test has the process die.
//!
//! What a kill costs at each step is a promise (ARCHITECTURE.md, "What a kill does"), and a random kill hits a given step
//! once in thousands of times. So functions name the instants that matter, and a build with the feature `crash-points`
//! dies there when it was told to. Every other build knows nothing of it: [`point`] is empty.

/// Where a process can be told to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Point {
    /// plan: checks are published.
    Planned = 1,
    /// check: the site was asked, and nobody knows yet.
    Probed,
    /// judge: everything is written, nothing is committed.
    Judged,
    /// judge: committed, and no bell was rung.
    Committed,
    /// deliver: leased, and not handed to a sender.
    Claimed,
    /// send: about to send.
    Sending,
    /// send: the service took it, and nobody knows yet.
    Sent,
    /// settle: the receipt is at hand, and not written.
    Settling,
    /// settle: written.
    Settled,
    /// escalate: what waited is committed, and no bell was rung.
    Fired,
}

impl Point {
    pub const ALL: [Self; 10] = [
        Self::Planned,
        Self::Probed,
        Self::Judged,
        Self::Committed,
        Self::Claimed,
        Self::Sending,
        Self::Sent,
        Self::Settling,
        Self::Settled,
        Self::Fired,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Probed => "probed",
            Self::Judged => "judged",
            Self::Committed => "committed",
            Self::Claimed => "claimed",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Settling => "settling",
            Self::Settled => "settled",
            Self::Fired => "fired",
        }
    }
}

/// Passing here may be the end.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub fn point(_: Point) {}

#[cfg(feature = "crash-points")]
pub use armed::{arm, point};

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::SeqCst};

    use super::Point;

    static WHERE: AtomicU8 = AtomicU8::new(0);
    static PASSES: AtomicU32 = AtomicU32::new(0);

    /// `committed:3` dies at the third commit. Anything else is refused with what would be right.
    pub fn arm(text: &str) -> Result<(), String> {
        let refused = || format!("{text:?} is no crash point; write one such as committed:3");
        let (name, passes) = text.split_once(':').ok_or_else(refused)?;
        let point = Point::ALL.into_iter().find(|point| point.as_str() == name).ok_or_else(refused)?;
        PASSES.store(passes.parse().ok().filter(|passes| *passes > 0).ok_or_else(refused)?, SeqCst);
        WHERE.store(point as u8, SeqCst);
        Ok(())
    }

    /// Passing here may be the end: without a destructor, a flush or a word to anybody but the log.
    pub fn point(point: Point) {
        if WHERE.load(SeqCst) == point as u8 && PASSES.fetch_sub(1, SeqCst) == 1 {
            tracing::error!(point = point.as_str(), "crash point");
            std::process::abort();
        }
    }
}
