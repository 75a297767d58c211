//! What holds for Gazer as a whole.

mod architecture;
mod arguments;
mod blind;
mod check_command;
mod cluster;
mod command;
mod cost_command;
mod crash;
mod database;
mod driver;
mod issues;
mod metrics;
mod newcomer;
mod noisy;
mod serve_command;
mod starved;
mod story;
mod undelivered;
