//! `gazer team create`: one more team on this Gazer, made on the machine that holds the data.

use std::process::ExitCode;

use gazer_bus::clock::system_now;
use gazer_domain::monitor::validate_name;

use super::{Failure, TeamCommand, say};
use crate::chance;
use crate::config::{Place, environment};
use crate::people::Account;
use crate::place::open_beside;

pub(crate) async fn run(command: TeamCommand) -> Result<ExitCode, Failure> {
    let TeamCommand::Create { place, name, owner_email } = command;
    validate_name(&name).map_err(|invalid| Failure::usage("--name <NAME>", invalid.message))?;
    let given = environment("GAZER_PASSWORD");
    let made = given.is_none();
    let account = Account::new(&owner_email, given.unwrap_or_else(chance::secret)).map_err(|invalid| {
        let flag = if invalid.field == "password" { "GAZER_PASSWORD" } else { "--owner-email <ADDRESS>" };
        Failure::usage(flag, invalid.message)
    })?;
    let store = open_beside(&Place::resolve(place)?).await?;
    let is_new = account.found(&store, name.trim(), system_now()).await?;
    store.close().await;
    if !is_new {
        let why = format!("{} signs in to this Gazer already; each address owns one team", account.email);
        return Err(Failure::usage("--owner-email <ADDRESS>", why));
    }
    if made {
        say(&account.password);
    }
    Ok(ExitCode::SUCCESS)
}
