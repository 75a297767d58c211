//! `gazer serve`: runs until it is told to stop.

use std::process::ExitCode;

use gazer_web::auth::SETUP_TOKEN;

use super::{Failure, ServeFlags, say};
use crate::app::App;
use crate::assembly::Site;
use crate::chance;
use crate::config::Config;
use crate::issues::Heard;
use crate::signals::Signals;

pub(crate) async fn run(flags: ServeFlags, heard: Heard) -> Result<ExitCode, Failure> {
    let config = Config::resolve(flags)?;
    #[cfg(feature = "crash-points")]
    if let Some(at) = crate::config::environment("GAZER_CRASH_AT") {
        gazer_bus::crash::arm(&at).map_err(|why| Failure::Usage(format!("GAZER_CRASH_AT: {why}")))?;
    }
    let mut signals = Signals::listen()?;
    let part = config.part.to_string();
    let app = App::start(config, heard, |_, _, router| router).await?;
    match &app.site {
        Some(site) => greet(site).await?,
        None => say(&format!("Gazer does its part: {part}")),
    }
    signals.next().await;
    Ok(finish(app, &mut signals).await)
}

async fn greet(site: &Site) -> Result<(), Failure> {
    say(&format!("Gazer listens on {}", site.link("/")));
    if !site.store.owner_exists().await? {
        let token = setup_token(site).await?;
        say(&format!("Make the first account at {}", site.link(&format!("/setup?token={token}"))));
    }
    Ok(())
}

/// The first signal lets what is under way settle; the second does not wait for it.
pub(crate) async fn finish(app: App, signals: &mut Signals) -> ExitCode {
    tracing::info!("stopping: nothing new is begun, and what is being sent settles");
    tokio::select! {
        () = app.drain() => ExitCode::SUCCESS,
        () = signals.next() => ExitCode::FAILURE,
    }
}

/// The same at every start until there is an owner, so that an address that was copied yesterday still opens.
async fn setup_token(site: &Site) -> Result<String, gazer_store::Error> {
    if let Some(token) = site.store.setting_get(SETUP_TOKEN).await? {
        return Ok(token);
    }
    let token = chance::secret();
    site.store.setting_set(SETUP_TOKEN, &token).await?;
    Ok(token)
}
