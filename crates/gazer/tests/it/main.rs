//! What holds for Gazer as a whole.

mod architecture;
mod arguments;
mod blind;
mod check_command;
mod cluster;
mod command;
mod crash;
mod database;
mod driver;
mod metrics;
mod newcomer;
mod serve_command;
mod story;
mod undelivered;
