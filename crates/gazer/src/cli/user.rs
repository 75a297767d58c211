//! `gazer user reset-password`: for those who locked themselves out and hold the data folder.

use std::process::ExitCode;

use anyhow::Context;
use gazer_web::auth::password;

use super::{Failure, UserCommand, say};
use crate::config::{Place, environment};
use crate::place::open_beside;
use crate::{chance, people};

pub(crate) async fn run(command: UserCommand) -> Result<ExitCode, Failure> {
    let UserCommand::ResetPassword { place, email } = command;
    let given = environment("GAZER_PASSWORD");
    if let Some(password) = &given {
        password::validate(password).map_err(|invalid| Failure::usage("GAZER_PASSWORD", invalid.message))?;
    }
    let store = open_beside(&Place::resolve(place)?).await?;
    let user = store.user_by_email(email.trim()).await?;
    let user = user.with_context(|| format!("nobody signs in as {email}"))?;
    let made = given.is_none();
    let password = given.unwrap_or_else(chance::secret);
    store.user_set_password(user.id, &people::hash(&password)).await?;
    store.close().await;
    if made {
        say(&password);
    }
    Ok(ExitCode::SUCCESS)
}
