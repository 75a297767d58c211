//! Monitors.

use std::time::Duration;

use gazer_domain::guarantee::guarantee;
use gazer_domain::monitor::{self as domain, Settings, Spec};
use gazer_domain::period::Period;
use gazer_domain::{Invalid, Timestamp};
use gazer_store::MonitorView;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::http::{Http, HttpPatch};
use super::{Count, Span, Uptime};
use crate::api::body::Patch;

const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// What a person decides about a monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonitorSettings {
    #[schema(max_length = 120)]
    name: String,
    kind: Kind,
    http: Http,
    /// How often it is checked: between `5s` and `24h`, `1m` unless told.
    #[serde(default)]
    interval: Option<Span>,
    #[serde(default)]
    verify: Option<Verify>,
    /// Good checks in a row that end an outage: 1 to 10, 1 unless told.
    #[serde(default)]
    #[schema(value_type = Option<u8>, minimum = 1, maximum = 10)]
    recover_after: Option<Count>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MonitorKind)]
enum Kind {
    Http,
}

/// How a first failure is verified before anybody is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Verify {
    /// Further attempts after a failed one: 0 to 5, 2 unless told.
    #[serde(default)]
    #[schema(value_type = Option<u8>, maximum = 5)]
    attempts: Option<Count>,
    /// Between attempts: up to `10s`, `1s` unless told.
    #[serde(default)]
    gap: Option<Span>,
}

/// What is to change of a monitor. No field is null: what is left out stays as it is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes: a patch is read by merging it into the settings")]
pub(crate) struct MonitorPatch {
    #[schema(required = false, max_length = 120)]
    name: String,
    #[schema(required = false)]
    http: HttpPatch,
    #[schema(required = false)]
    interval: Span,
    #[schema(required = false)]
    verify: VerifyPatch,
    #[schema(required = false, minimum = 1, maximum = 10)]
    recover_after: u8,
}

/// What is to change of how a failure is verified.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes: a patch is read by merging it into the settings")]
struct VerifyPatch {
    #[schema(required = false, maximum = 5)]
    attempts: u8,
    #[schema(required = false)]
    gap: Span,
}

impl MonitorSettings {
    /// Where null means something in a patch: the request has no body, it carries no credentials, a header goes.
    pub(crate) const CLEARS: &[&str] = &["http.body", "http.auth", "http.auth.", "http.headers."];

    /// What a patch applies to. Names of headers do not differ by case, so the patch's are spelled as ours are; and
    /// credentials of another kind replace what was, member by member.
    pub(crate) fn for_patch(&self, patch: &mut Patch) -> Value {
        self.http.align(patch);
        let mut current = serde_json::to_value(self).expect("settings always serialise");
        if self.http.auth_differs(patch)
            && let Some(http) = current["http"].as_object_mut()
        {
            http.remove("auth");
        }
        current
    }

    /// Validated.
    pub(crate) fn resolve(self) -> Result<Settings, Invalid> {
        let defaults = domain::Verify::default();
        let (attempts, gap) = self.verify.map_or((None, None), |verify| (verify.attempts, verify.gap));
        let Kind::Http = self.kind;
        let settings = Settings {
            name: self.name.trim().to_owned(),
            spec: Spec::Http(self.http.resolve()?),
            interval: self.interval.map_or(DEFAULT_INTERVAL, |span| span.0),
            verify: domain::Verify {
                attempts: attempts.map_or(defaults.attempts, |count| count.0),
                gap: gap.map_or(defaults.gap, |span| span.0),
            },
            recover_after: self.recover_after.map_or(1, |count| count.0),
        };
        settings.validate()?;
        Ok(settings)
    }
}

/// With every secret: what a patch applies to.
impl From<&Settings> for MonitorSettings {
    fn from(settings: &Settings) -> Self {
        let Spec::Http(http) = &settings.spec;
        Self {
            name: settings.name.clone(),
            kind: Kind::Http,
            http: http.into(),
            interval: Some(Span(settings.interval)),
            verify: Some(Verify {
                attempts: Some(Count(settings.verify.attempts)),
                gap: Some(Span(settings.verify.gap)),
            }),
            recover_after: Some(Count(settings.recover_after)),
        }
    }
}

/// A monitor, how it is, and how it has been.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Monitor {
    #[schema(example = "mon_01jd00000000000000000000000")]
    id: String,
    #[serde(flatten)]
    settings: MonitorSettings,
    /// `up`, `slow`, `down`, `unknown` or `paused`.
    status: &'static str,
    status_since: String,
    paused: bool,
    /// Null before the first check.
    #[schema(required)]
    last_check: Option<LastCheck>,
    /// The incident that is open.
    #[schema(required)]
    incident: Option<String>,
    /// Of the site, where it speaks TLS.
    #[schema(required)]
    certificate: Option<Expiry>,
    uptime: Uptime,
    /// An outage longer than this is always noticed.
    guarantee: Span,
    cadence: Cadence,
    /// Counts the changes of the settings.
    revision: u32,
    created_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct LastCheck {
    /// The instant at which it was due.
    at: String,
    /// All attempts of it, and the gaps between them.
    took: Span,
    /// `up`, `slow`, `down` or `unknown`.
    verdict: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct Expiry {
    not_after: String,
}

/// When it is due: every interval, from `since` on.
#[derive(Debug, Serialize, ToSchema)]
struct Cadence {
    interval: Span,
    since: String,
    /// Null while it is paused.
    #[schema(required)]
    next: Option<String>,
}

impl Monitor {
    pub(crate) fn of(view: &MonitorView, periods: &[Period], now: Timestamp) -> Self {
        let monitor = &view.monitor;
        let mut settings = MonitorSettings::from(&monitor.settings);
        settings.http.mask();
        let cadence = monitor.cadence();
        Self {
            id: monitor.id.to_string(),
            settings,
            status: view.status.as_str(),
            status_since: view.status_since.rfc3339(),
            paused: monitor.paused,
            last_check: view.last.map(|last| LastCheck {
                at: last.slot.rfc3339(),
                took: Span(last.took),
                verdict: last.verdict.as_str(),
            }),
            incident: view.incident.map(|id| id.to_string()),
            certificate: view.certificate_until.map(|until| Expiry { not_after: until.rfc3339() }),
            uptime: Uptime::of(periods, now),
            guarantee: Span(guarantee(&monitor.settings)),
            cadence: Cadence {
                interval: Span(cadence.interval()),
                since: cadence.since().rfc3339(),
                next: (!monitor.paused).then(|| cadence.at_or_after(now).rfc3339()),
            },
            revision: monitor.revision,
            created_at: monitor.created.rfc3339(),
        }
    }
}
