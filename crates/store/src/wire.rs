//! What only rows need beside `gazer-wire`: the small forms that keep a check's row small, and what a rule says.

pub(crate) mod code;
pub(crate) mod phases;
pub(crate) mod rule;
