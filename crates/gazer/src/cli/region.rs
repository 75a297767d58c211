//! `gazer region`: the places that probe.

use std::process::ExitCode;

use gazer_bus::clock::system_now;
use gazer_domain::Region;
use gazer_store::{Error, Place as Known, Store};
use serde_json::json;

use super::{Failure, RegionCommand, say};
use crate::cluster;
use crate::config::Place;
use crate::place::{key_of, open_beside};

const NAME: &str = "<NAME>";

pub(crate) async fn run(command: RegionCommand) -> Result<ExitCode, Failure> {
    match command {
        RegionCommand::Add { place, name } => add(&Place::resolve(place)?, &name).await?,
        RegionCommand::Key { place, name } => key(&Place::resolve(place)?, &name).await?,
        RegionCommand::List { place, json } => list(&Place::resolve(place)?, json).await?,
        RegionCommand::Remove { place, name } => remove(&Place::resolve(place)?, &name).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(place: &Place, name: &Region) -> Result<(), Failure> {
    let store = open_beside(place).await?;
    let is_new = store.region_add(name, system_now()).await?;
    store.close().await;
    if !is_new {
        return Err(Failure::usage(
            NAME,
            format!("there is a region {name} already; `gazer region key` prints its key"),
        ));
    }
    say_key(place, name)
}

async fn key(place: &Place, name: &Region) -> Result<(), Failure> {
    let store = open_beside(place).await?;
    let known = store.regions().await?;
    store.close().await;
    if !known.iter().any(|known| known.region == *name) {
        return Err(absent(name, &known));
    }
    say_key(place, name)
}

async fn list(place: &Place, json: bool) -> Result<(), Failure> {
    let store = open_beside(place).await?;
    let known = store.regions().await?;
    store.close().await;
    if json {
        let regions =
            known.iter().map(|known| json!({"name": known.region.as_str(), "created_at": known.created.rfc3339()}));
        say(&json!({"regions": regions.collect::<Vec<_>>()}).to_string());
    } else {
        known.iter().for_each(|known| say(known.region.as_str()));
    }
    Ok(())
}

async fn remove(place: &Place, name: &Region) -> Result<(), Failure> {
    let store = open_beside(place).await?;
    let removed = removed(&store, name).await;
    store.close().await;
    removed
}

async fn removed(store: &Store, name: &Region) -> Result<(), Failure> {
    match store.region_remove(name, system_now()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(absent(name, &store.regions().await?)),
        Err(Error::Invalid(invalid)) => Err(Failure::usage(NAME, invalid.message)),
        Err(err) => Err(err.into()),
    }
}

fn absent(name: &Region, known: &[Known]) -> Failure {
    let names: Vec<_> = known.iter().map(|known| known.region.as_str()).collect();
    let names = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
    Failure::usage(NAME, format!("there is no region {name}; there are: {names}"))
}

/// The key derives from the house's; nothing of it is stored.
fn say_key(place: &Place, name: &Region) -> Result<(), Failure> {
    let key = cluster::seals(&key_of(place)?).region_key(name).expect("the house has the keys of all regions");
    say(&key.secret_text());
    Ok(())
}
