//! `gazer token create`: a token for the API, made on the machine that holds the data.

use std::process::ExitCode;

use anyhow::Context;
use gazer_bus::clock::system_now;
use gazer_domain::monitor::validate_name;
use gazer_domain::{TeamId, TokenId};
use gazer_store::{Store, Token};
use gazer_web::auth::token::Minted;

use super::{Failure, TokenCommand, say};
use crate::chance;
use crate::config::Place;
use crate::place::open_beside;

pub(crate) async fn run(command: TokenCommand) -> Result<ExitCode, Failure> {
    let TokenCommand::Create { place, name, role, team } = command;
    validate_name(&name).map_err(|invalid| Failure::usage("--name <NAME>", invalid.message))?;
    let store = open_beside(&Place::resolve(place)?).await?;
    let team = match team {
        Some(email) => team_of(&store, &email).await?,
        None => first_team(&store).await?,
    };
    let now = system_now();
    let minted = Minted::api_token(chance::bytes());
    let token = Token { id: TokenId::new(now, chance::bytes()), name, role, created: now, last_used: None };
    store.token_create(team, &token, minted.hash).await?;
    store.close().await;
    say(&minted.secret);
    Ok(ExitCode::SUCCESS)
}

async fn first_team(store: &Store) -> Result<TeamId, Failure> {
    let teams = store.team_list().await?;
    let (team, _) = teams.first().context("there is no owner yet: run `gazer serve` and make the first account")?;
    Ok(*team)
}

async fn team_of(store: &Store, email: &str) -> Result<TeamId, Failure> {
    let refused = |why: String| Failure::usage("--team <ADDRESS>", why);
    let user = store.user_by_email(email).await?.ok_or_else(|| refused(format!("nobody signs in as {email}")))?;
    store.team_of(user.id).await?.ok_or_else(|| refused(format!("{email} is in no team")))
}
