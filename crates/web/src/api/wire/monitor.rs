//! Monitors.

use std::time::Duration;

use gazer_domain::guarantee::{guarantee, while_silent};
use gazer_domain::monitor::{self as domain, Settings, Spec};
use gazer_domain::period::Period;
use gazer_domain::{Invalid, Region, Timestamp};
use gazer_store::{MonitorView, RegionHealth};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::http::{Http, HttpPatch};
use super::{Count, Quorum, Span, Uptime};
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
    /// Names of up to 20 regions that it is checked from. None, as unless told, is every region there is, also one that
    /// is yet to come.
    #[serde(default)]
    regions: Option<Vec<String>>,
    /// In how many of the regions that report it must be down to be `down`; in fewer it is `regional`.
    #[serde(default)]
    quorum: Option<Quorum>,
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
    #[schema(required = false)]
    regions: Vec<String>,
    #[schema(required = false)]
    quorum: Quorum,
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
            regions: regions(&self.regions.unwrap_or_default())?,
            quorum: self.quorum.map_or_else(gazer_domain::Quorum::default, |quorum| quorum.0),
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
            regions: Some(settings.regions.iter().map(ToString::to_string).collect()),
            quorum: Some(Quorum(settings.quorum)),
        }
    }
}

/// In the order of their names. Whether there are such regions is for the store to know.
fn regions(names: &[String]) -> Result<Vec<Region>, Invalid> {
    let mut regions: Vec<Region> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let wrong = |why: String| Invalid::new(format!("regions[{i}]"), why);
        let region: Region = name.parse().map_err(|err: Invalid| wrong(err.message))?;
        if regions.contains(&region) {
            return Err(wrong("is named twice".into()));
        }
        regions.push(region);
    }
    regions.sort_unstable();
    Ok(regions)
}

/// A monitor, how it is, and how it has been.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Monitor {
    #[schema(example = "mon_01jd00000000000000000000000")]
    id: String,
    #[serde(flatten)]
    settings: MonitorSettings,
    /// `up`, `slow`, `regional`, `down`, `unknown` or `paused`. It is `regional` while it is down in fewer of its regions
    /// than `quorum` asks for, which counts as up.
    status: &'static str,
    status_since: String,
    paused: bool,
    /// The newest of whichever region. Null before the first check.
    #[schema(required)]
    last_check: Option<LastCheck>,
    /// How it is in each of its regions, the oldest region first.
    health: Vec<Health>,
    /// The incident that is open.
    #[schema(required)]
    incident: Option<String>,
    /// Of the site, where it speaks TLS.
    #[schema(required)]
    certificate: Option<Expiry>,
    uptime: Uptime,
    /// An outage longer than this is always noticed, while all of its regions report.
    guarantee: Span,
    /// And while one of them is silent. Null where nobody waits for another's report: with one region, and where any of
    /// them suffices.
    #[schema(required)]
    guarantee_while_silent: Option<Span>,
    cadence: Cadence,
    /// Counts the changes of the settings.
    revision: u32,
    created_at: String,
}

/// How it is in one region.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    region: String,
    /// `up`, `slow`, `down` or `unknown`, which has no vote.
    status: &'static str,
    /// When it was first seen so.
    since: String,
    /// Null before the first check from there.
    #[schema(required)]
    last_check: Option<LastCheck>,
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
            last_check: view.last.as_ref().map(LastCheck::from),
            health: view.regions.iter().map(Health::from).collect(),
            incident: view.incident.map(|id| id.to_string()),
            certificate: view.certificate_until.map(|until| Expiry { not_after: until.rfc3339() }),
            uptime: Uptime::of(periods, now),
            guarantee: Span(guarantee(&monitor.settings)),
            guarantee_while_silent: while_silent(&monitor.settings, view.regions.len()).map(Span),
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

impl From<&gazer_store::LastCheck> for LastCheck {
    fn from(last: &gazer_store::LastCheck) -> Self {
        Self { at: last.slot.rfc3339(), took: Span(last.took), verdict: last.verdict.as_str() }
    }
}

impl From<&RegionHealth> for Health {
    fn from(health: &RegionHealth) -> Self {
        Self {
            region: health.region.to_string(),
            status: health.status.as_str(),
            since: health.since.rfc3339(),
            last_check: health.last.as_ref().map(LastCheck::from),
        }
    }
}
