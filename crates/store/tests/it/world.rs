//! A fresh store with two teams in it, and hands that work it: a small judge, a clock that only moves when told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gazer_domain::alert::{Rule, RuleSettings, Scope, Trigger};
use gazer_domain::cause::{Cause, Code};
use gazer_domain::channel::Target;
use gazer_domain::health::{Seen, fold};
use gazer_domain::http::HttpSpec;
use gazer_domain::id::{Id, Kind};
use gazer_domain::monitor::{Monitor, Settings, Spec, Verify};
use gazer_domain::observation::{Attempt, Observation, Phases};
use gazer_domain::period::Status;
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{ChannelId, MonitorId, Quorum, Region, RuleId, TeamId, Timestamp};
use gazer_store::{Advance, Channel, Claimed, LastCheck, Location, Options, SealingKey, Settled, Store};
use tempfile::TempDir;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) options: Options,
    pub(crate) team: TeamId,
    pub(crate) other: TeamId,
    ids: AtomicU64,
    _directory: Option<TempDir>,
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000) + Duration::from_secs(seconds)
}

pub(crate) fn cause(verdict: Verdict) -> Option<Cause> {
    match verdict {
        Verdict::Up => None,
        Verdict::Slow => Some(Cause::new(Code::SlowResponse, "the answer took 900 ms, expected < 800ms")),
        Verdict::Down => Some(Cause::new(Code::ConnectionRefused, "192.0.2.7:443 refused the connection")),
        Verdict::Unknown => Some(Cause::new(Code::ResolverFailed, "our resolver failed")),
    }
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::of(Location::Sqlite(directory.path().to_owned()), Some(directory)).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::of(Location::postgres(gazer_testkit::postgres::fresh_database().await), None).await
    }

    async fn of(location: Location, directory: Option<TempDir>) -> Self {
        let key = SealingKey::from_bytes([7; 32]);
        let options = Options { location, key, public_url: "https://gazer.example/".into(), align: Duration::ZERO };
        let store = Store::open(options.clone()).await.unwrap();
        let (team, other) = (TeamId::from_bits(1), TeamId::from_bits(2));
        store.region_add(&Region::local(), at(0)).await.unwrap();
        store.team_create(team, "Ours", at(0)).await.unwrap();
        store.team_create(other, "Theirs", at(0)).await.unwrap();
        Self { store, options, team, other, ids: AtomicU64::new(100), _directory: directory }
    }

    pub(crate) fn id<K: Kind>(&self) -> Id<K> {
        Id::from_bits(u128::from(self.ids.fetch_add(1, Ordering::Relaxed)))
    }

    /// Whether the claim still held.
    pub(crate) async fn settle(&self, claimed: &Claimed, settled: &Settled, now: Timestamp) -> bool {
        self.store.deliveries_settle(&[claimed.came_to(settled.clone())], now).await.unwrap() == 1
    }

    pub(crate) fn new_monitor(&self, name: &str) -> Monitor {
        let url = format!("https://{name}.example/").parse().unwrap();
        let settings = Settings {
            name: name.to_owned(),
            spec: Spec::Http(HttpSpec::get(url)),
            interval: MINUTE,
            verify: Verify::default(),
            recover_after: 1,
            regions: Vec::new(),
            quorum: Quorum::Majority,
        };
        Monitor::new(self.id(), settings, at(0))
    }

    pub(crate) async fn monitor(&self, name: &str) -> Monitor {
        let monitor = self.new_monitor(name);
        self.store.monitor_create(self.team, &monitor).await.unwrap();
        monitor
    }

    pub(crate) async fn channel(&self, name: &str) -> ChannelId {
        let url = format!("https://{name}.example/hook").parse().unwrap();
        let target = Target::Webhook { url, secret: vec![1, 2, 3] };
        let channel = Channel { id: self.id(), name: name.to_owned(), target, created: at(0) };
        self.store.channel_create(self.team, &channel).await.unwrap();
        channel.id
    }

    pub(crate) async fn rule(&self, channels: &[ChannelId], on: &[Trigger], after: Duration) -> RuleId {
        let settings = RuleSettings {
            name: "a rule".into(),
            scope: Scope::All,
            channels: channels.to_vec(),
            on: on.to_vec(),
            after,
        };
        let rule = Rule { id: self.id(), settings };
        self.store.rule_create(self.team, &rule, at(0)).await.unwrap();
        rule.id
    }

    /// A channel that hears at once of every outage and its end.
    pub(crate) async fn listener(&self, name: &str) -> ChannelId {
        let channel = self.channel(name).await;
        self.rule(&[channel], &[Trigger::Down, Trigger::Recovered], Duration::ZERO).await;
        channel
    }

    /// The n-th slot of a monitor.
    pub(crate) fn slot(&self, monitor: &Monitor, n: u32) -> Timestamp {
        monitor.cadence().at_or_after(monitor.cadence_since) + monitor.settings.interval * n
    }

    pub(crate) fn seen(&self, monitor: &Monitor, n: u32, verdict: Verdict) -> Observation {
        let slot = self.slot(monitor, n);
        let started = slot + Duration::from_millis(3);
        let took = Duration::from_millis(25);
        let fault = cause(verdict).filter(|_| verdict == Verdict::Down);
        let attempt = Attempt { started, took, hops: Vec::new(), fault, facts: Vec::new() };
        Observation {
            monitor: monitor.id,
            revision: monitor.revision,
            slot,
            started,
            took,
            judgement: Judgement { verdict, cause: cause(verdict) },
            phases: Phases { connect: 1_200, first_byte: 3_400, ..Phases::default() },
            certificate_until: None,
            attempts: if verdict == Verdict::Up { Vec::new() } else { vec![attempt] },
        }
    }

    /// Judges one observation as the function `judge` does.
    pub(crate) async fn judge(&self, seen: &Observation) {
        self.judge_from(&Region::local(), seen).await;
    }

    pub(crate) async fn judge_from(&self, region: &Region, seen: &Observation) {
        let now = seen.started + seen.took;
        let mut tx = self.store.begin().await.unwrap();
        let mut watches = tx.watches_lock(&[seen.monitor]).await.unwrap();
        let Some(watch) = watches.get_mut(&seen.monitor) else { return };
        let Some(at) = watch.track_of(region) else { return };
        let track = watch.tracks[at].key;
        tx.checks_append(&[(track, seen)]).await.unwrap();
        let verdict = seen.judgement.verdict;
        let Some(step) = fold(watch.standing.regions[at], Seen::of(seen, true, now), &watch.policy) else {
            return tx.commit().await.unwrap();
        };
        let last = Some(LastCheck { slot: seen.slot, took: seen.took, verdict });
        let certificate_until = seen.certificate_until;
        tx.health_advance(&[Advance { track, health: step.health, last, certificate_until }]).await.unwrap();
        let cause = seen.judgement.cause.as_ref();
        if let Some(cause) = cause.filter(|_| !step.changes.is_empty()) {
            tx.onset_put(watch, at, seen.slot, cause, &seen.attempts).await.unwrap();
        }
        for change in watch.standing.take(at, &step) {
            let cause = cause.filter(|_| Status::from(verdict) == change.status);
            tx.turn(watch, change, cause, self.id(), now).await.unwrap();
        }
        if let Some(cause) = cause {
            tx.evidence_add(watch, at, seen.slot, cause.code, &seen.attempts).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub(crate) async fn check(&self, monitor: &Monitor, n: u32, verdict: Verdict) {
        self.judge(&self.seen(monitor, n, verdict)).await;
    }

    pub(crate) async fn check_from(&self, region: &Region, monitor: &Monitor, n: u32, verdict: Verdict) {
        self.judge_from(region, &self.seen(monitor, n, verdict)).await;
    }

    /// Regions beside the first, which is `local`.
    pub(crate) async fn region(&self, name: &str) -> Region {
        let region = name.parse().unwrap();
        assert!(self.store.region_add(&region, at(0)).await.unwrap());
        region
    }

    /// The last incident of a monitor.
    pub(crate) async fn story(&self, monitor: MonitorId) -> gazer_store::IncidentStory {
        let filter = gazer_store::IncidentFilter { monitor: Some(monitor), open: None };
        let listed = self.store.incident_list(self.team, filter, &gazer_store::Page::first(1)).await.unwrap();
        let id = listed.rows.first().expect("an incident").incident.id;
        self.store.incident_get(self.team, id).await.unwrap().expect("a story")
    }
}
