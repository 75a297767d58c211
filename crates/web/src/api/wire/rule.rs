//! Alert rules.

use std::fmt;
use std::str::FromStr;

use gazer_domain::alert::{self as domain, Scope, Trigger};
use gazer_domain::{Invalid, MonitorId};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Span;

/// What a person decides about an alert rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleSettings {
    #[schema(max_length = 120)]
    name: String,
    #[serde(default)]
    monitors: Option<Monitors>,
    /// Ids of 1 to 20 channels.
    channels: Vec<String>,
    /// Of `down`, `regional`, `slow` and `recovered`; `down` and `recovered` unless told.
    #[serde(default)]
    on: Option<Vec<String>>,
    /// Only if it lasts that long: up to `24h`, `0s` unless told.
    #[serde(default)]
    after: Option<Span>,
}

#[derive(Debug, Clone, PartialEq)]
enum Monitors {
    All,
    Some(Vec<String>),
}

/// What is to change of an alert rule. No field is null: what is left out stays as it is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes: a patch is read by merging it into the settings")]
pub(crate) struct RulePatch {
    #[schema(required = false, max_length = 120)]
    name: String,
    #[schema(required = false)]
    monitors: Monitors,
    #[schema(required = false)]
    channels: Vec<String>,
    #[schema(required = false)]
    on: Vec<String>,
    #[schema(required = false)]
    after: Span,
}

impl RuleSettings {
    /// What a patch applies to.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("settings always serialise")
    }

    /// Validated, but for whether the ids name anything: the store knows.
    pub(crate) fn resolve(self) -> Result<domain::RuleSettings, Invalid> {
        let scope = match self.monitors.unwrap_or(Monitors::All) {
            Monitors::All => Scope::All,
            Monitors::Some(ids) => Scope::Some(parse_ids::<MonitorId>("monitors", &ids, NO_MONITOR)?),
        };
        if scope == Scope::Some(Vec::new()) {
            return Err(Invalid::new("monitors", "must be \"all\" or name at least one monitor"));
        }
        let on = match self.on {
            None => vec![Trigger::Down, Trigger::Recovered],
            Some(on) => triggers(&on)?,
        };
        let settings = domain::RuleSettings {
            name: self.name.trim().to_owned(),
            scope,
            channels: parse_ids("channels", &self.channels, NO_CHANNEL)?,
            on,
            after: self.after.map_or(std::time::Duration::ZERO, |span| span.0),
        };
        settings.validate()?;
        Ok(settings)
    }
}

/// An id that is none answers as one that names nothing of the team.
const NO_MONITOR: &str = "is not a monitor of this team";
const NO_CHANNEL: &str = "is not a channel of this team";

fn parse_ids<T: FromStr + PartialEq>(field: &str, ids: &[String], why: &str) -> Result<Vec<T>, Invalid> {
    let mut parsed: Vec<T> = Vec::new();
    for (i, text) in ids.iter().enumerate() {
        let id = text.parse().map_err(|_| Invalid::new(format!("{field}[{i}]"), why))?;
        if parsed.contains(&id) {
            return Err(Invalid::new(format!("{field}[{i}]"), "is named twice"));
        }
        parsed.push(id);
    }
    Ok(parsed)
}

fn triggers(on: &[String]) -> Result<Vec<Trigger>, Invalid> {
    let mut parsed = Vec::new();
    for (i, text) in on.iter().enumerate() {
        let refuse = || Invalid::new(format!("on[{i}]"), "must be one of down, regional, slow and recovered");
        let trigger = Trigger::parse(text).ok_or_else(refuse)?;
        if !parsed.contains(&trigger) {
            parsed.push(trigger);
        }
    }
    Ok(parsed)
}

impl From<&domain::RuleSettings> for RuleSettings {
    fn from(settings: &domain::RuleSettings) -> Self {
        let ids = |monitors: &[MonitorId]| monitors.iter().map(ToString::to_string).collect();
        Self {
            name: settings.name.clone(),
            monitors: Some(match &settings.scope {
                Scope::All => Monitors::All,
                Scope::Some(monitors) => Monitors::Some(ids(monitors)),
            }),
            channels: settings.channels.iter().map(ToString::to_string).collect(),
            on: Some(settings.on.iter().map(|on| on.as_str().to_owned()).collect()),
            after: Some(Span(settings.after)),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rule {
    #[schema(example = "rul_01jd00000000000000000000000")]
    id: String,
    #[serde(flatten)]
    settings: RuleSettings,
}

impl From<&domain::Rule> for Rule {
    fn from(rule: &domain::Rule) -> Self {
        Self { id: rule.id.to_string(), settings: (&rule.settings).into() }
    }
}

impl Serialize for Monitors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Some(ids) => ids.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Monitors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AllOrIds)
    }
}

struct AllOrIds;

impl<'de> Visitor<'de> for AllOrIds {
    type Value = Monitors;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"all\" or a list of monitor ids")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Monitors, E> {
        match text {
            "all" => Ok(Monitors::All),
            _ => Err(E::custom("must be \"all\" or a list of monitor ids")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, ids: A) -> Result<Monitors, A::Error> {
        Deserialize::deserialize(SeqAccessDeserializer::new(ids)).map(Monitors::Some)
    }
}

impl utoipa::PartialSchema for Monitors {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Type};
        let all = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["all"]));
        let ids = ArrayBuilder::new().items(Object::with_type(Type::String));
        let said = "`all` (also those to come), or the ids of some; `all` unless told.";
        OneOfBuilder::new().item(all).item(ids).description(Some(said)).into()
    }
}

impl ToSchema for Monitors {}
