//! What an alert rule says. Its name and id have columns of their own.

use std::time::Duration;

use gazer_domain::alert::{RuleSettings, Scope, Trigger};
use gazer_domain::time::millis;
use serde::{Deserialize, Serialize};

use gazer_wire::{Unreadable, parsed};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// `None` is every monitor of the team, also one that is not made yet.
    monitors: Option<Vec<String>>,
    channels: Vec<String>,
    on: Vec<String>,
    after_ms: u64,
}

pub(crate) fn to_json(settings: &RuleSettings) -> String {
    let monitors = match &settings.scope {
        Scope::All => None,
        Scope::Some(monitors) => Some(monitors.iter().map(ToString::to_string).collect()),
    };
    gazer_wire::write(&Settings {
        monitors,
        channels: settings.channels.iter().map(ToString::to_string).collect(),
        on: settings.on.iter().map(|on| on.as_str().to_owned()).collect(),
        after_ms: millis(settings.after).unsigned_abs(),
    })
}

pub(crate) fn from_json(name: String, text: &str) -> Result<RuleSettings, Unreadable> {
    let wire: Settings = gazer_wire::read(text)?;
    let scope = match wire.monitors {
        None => Scope::All,
        Some(monitors) => Scope::Some(monitors.iter().map(|id| parsed(id)).collect::<Result<_, _>>()?),
    };
    let trigger = |text: &String| Trigger::parse(text).ok_or_else(|| format!("{text:?} is no trigger"));
    Ok(RuleSettings {
        name,
        scope,
        channels: wire.channels.iter().map(|id| parsed(id)).collect::<Result<_, _>>()?,
        on: wire.on.iter().map(trigger).collect::<Result<_, _>>()?,
        after: Duration::from_millis(wire.after_ms),
    })
}
