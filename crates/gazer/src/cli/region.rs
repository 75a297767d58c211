//! `gazer region`: the places that probe.

use std::process::ExitCode;

use super::{Failure, RegionCommand, say};
use crate::cluster;
use crate::config::Place;
use crate::place::key_of;

pub(crate) async fn run(command: RegionCommand) -> Result<ExitCode, Failure> {
    match command {
        RegionCommand::Key { place, name } => {
            let key = key_of(&Place::resolve(place)?)?;
            let key = cluster::seals(&key).region_key(&name).expect("the house has the keys of all regions");
            say(&key.secret_text());
        }
    }
    Ok(ExitCode::SUCCESS)
}
