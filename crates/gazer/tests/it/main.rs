//! What holds for Gazer as a whole.

mod architecture;
mod crash;
mod driver;
mod story;
