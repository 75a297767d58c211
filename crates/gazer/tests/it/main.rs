//! What holds for Gazer as a whole.

mod architecture;
