//! The functions together: a day of theirs in seconds, with everything that can go wrong on the way.

mod regions;
mod simulate;
mod whole;
