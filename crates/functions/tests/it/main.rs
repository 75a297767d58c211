//! The functions together: a day of theirs in seconds, with everything that can go wrong on the way.

mod regions;
mod relay;
mod simulate;
mod table;
mod trial;
mod whole;
