//! Stories over the real router and a real store in a temporary directory. What other functions would do after a bell
//! (check now, send a test) a small stand-in does through the store's own methods.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]

mod access;
mod app;
mod eyes;
mod golden;
mod input;
mod operation;
mod pages;
mod people;
mod refusals;
mod sessions;
mod stories;
mod visitor;
