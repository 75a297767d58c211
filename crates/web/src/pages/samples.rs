//! Values to render pages with in tests: with names and bodies that try to break out, and all that can be missing.

use std::collections::HashMap;
use std::time::Duration;

use gazer_domain::access::Role;
use gazer_domain::alert::{Rule, RuleSettings, Scope, Trigger};
use gazer_domain::assertion::{Assertion, Op, StatusSet};
use gazer_domain::cause::{Cause, Code};
use gazer_domain::channel::Target;
use gazer_domain::delivery::{State, obstacle};
use gazer_domain::http::{Auth, HttpSpec, Method};
use gazer_domain::incident::{Event, EventKind, Incident, Trouble};
use gazer_domain::issue::{self, Fingerprint, Issue, Occurrence};
use gazer_domain::monitor::{Monitor, Settings, Spec, Verify};
use gazer_domain::observation::{
    Answer, Attempt, Certificate, Excerpt, Hop, HttpVersion, Observation, Phases, Request,
};
use gazer_domain::period::{Period, Status};
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{
    ChannelId, DeliveryId, IncidentId, IssueId, MonitorId, Quorum, Region, RuleId, TeamId, Timestamp, TokenId, UserId,
};
use gazer_store::{
    CheckRow, DeliveryView, Evidence, IncidentStory, IncidentView, Kept, LastCheck, Listed, MonitorFilter, MonitorView,
    Principal, RegionHealth, Token, Totals,
};

use super::{monitor, monitors};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const MONITOR: MonitorId = MonitorId::from_bits(1);
const INCIDENT: IncidentId = IncidentId::from_bits(2);
const CHANNEL: ChannelId = ChannelId::from_bits(3);

fn ago(secs: u64) -> Timestamp {
    NOW - Duration::from_secs(secs)
}

pub(crate) fn viewer() -> Principal {
    Principal {
        user: Some(UserId::from_bits(4)),
        token: None,
        who: "ann@example.com".into(),
        team: TeamId::from_bits(5),
        team_name: "<script>Team".into(),
        role: Role::Owner,
        is_operator: true,
    }
}

/// One of each state.
pub(crate) fn issues() -> Vec<Issue> {
    let states = [issue::State::Open, issue::State::Resolved { at: ago(60) }, issue::State::Ignored];
    let issue = |state| Issue {
        id: IssueId::from_bits(9),
        fingerprint: Fingerprint::of("judge", "gazer_bus::registry", "judge observations", &[]),
        function: "judge".into(),
        message: "judge observations: <script>alert(1)</script>".into(),
        first_version: "0.1.0".into(),
        last_version: "0.2.0".into(),
        first_seen: ago(90_000),
        last_seen: ago(90),
        count: 1_234,
        state,
    };
    states.into_iter().map(issue).collect()
}

pub(crate) fn occurrences() -> Vec<Occurrence> {
    let occurrence = |secs| Occurrence {
        at: ago(secs),
        message: "judge observations: <script>alert(1)</script>".into(),
        version: "0.2.0".into(),
        count: 3,
        region: Region::local(),
    };
    [90, 900].map(occurrence).into()
}

pub(crate) fn settings() -> Settings {
    let spec = HttpSpec {
        method: Method::Post,
        headers: vec![("Accept".into(), "text/html".into()), ("X-Api-Key".into(), "k3y".into())],
        body: Some("a\nb".into()),
        auth: Some(Auth::Basic { user: "ann".into(), password: "hunter2".into() }),
        assertions: vec![
            Assertion::Status(StatusSet::parse("200-299").unwrap()),
            Assertion::Body { op: Op::Lacks, value: "<script>".into() },
        ],
        ..HttpSpec::get("https://shop.example/%22%3E".parse().unwrap())
    };
    Settings {
        name: "Shop <script>".into(),
        spec: Spec::Http(spec),
        interval: Duration::from_secs(30),
        verify: Verify::default(),
        recover_after: 1,
        regions: Vec::new(),
        quorum: Quorum::Majority,
    }
}

fn view() -> MonitorView {
    let monitor = Monitor {
        id: MONITOR,
        settings: settings(),
        revision: 3,
        created: ago(9_000_000),
        cadence_since: ago(9_000_000),
        align: Duration::ZERO,
        paused: false,
    };
    let last = Some(LastCheck { slot: ago(12), took: Duration::from_millis(2_010), verdict: Verdict::Down });
    let here = RegionHealth { region: Region::local(), status: Verdict::Down, since: ago(200), last };
    MonitorView {
        monitor,
        status: Status::Down,
        status_since: ago(200),
        last,
        incident: Some(INCIDENT),
        certificate_until: Some(NOW + Duration::from_secs(86_400 * 9)),
        regions: vec![here],
    }
}

fn checks() -> Vec<CheckRow> {
    (0..120u64)
        .map(|i| CheckRow {
            slot: ago((120 - i) * 30),
            lateness: Duration::from_millis(3),
            took: Duration::from_millis(60 + i % 40),
            verdict: if i > 112 {
                Verdict::Down
            } else if i == 70 {
                Verdict::Unknown
            } else {
                Verdict::Up
            },
            code: None,
            phases: Phases {
                dns: 4_000,
                connect: 12_000,
                tls: 20_000,
                send: 300,
                first_byte: 24_000 + 1_000 * (i % 40) as u32,
                download: 1_200,
            },
        })
        .collect()
}

fn periods() -> Vec<Period> {
    let period = |status, from, until: Option<u64>| Period { status, started: ago(from), ended: until.map(ago) };
    vec![
        period(Status::Up, 9_000_000, Some(90_000)),
        period(Status::Unknown, 90_000, Some(80_000)),
        period(Status::Up, 80_000, Some(200)),
        period(Status::Down, 200, None),
    ]
}

pub(crate) fn list() -> monitors::List {
    monitors::List {
        filter: MonitorFilter::default(),
        after: None,
        totals: Totals { down: 1, up: 2_345, ..Totals::default() },
        listed: Listed { rows: vec![view()], next: Some("next".into()) },
        checks: HashMap::from([(MONITOR, checks())]),
        periods: HashMap::from([(MONITOR, periods())]),
    }
}

pub(crate) fn sight() -> monitor::Sight {
    monitor::Sight {
        view: view(),
        range: 0,
        region: 0,
        checks: checks(),
        periods: periods(),
        kept: Kept { checks: 2_870, late: 2, missed: 8 },
        incidents: vec![incident_view()],
        retention: Duration::from_secs(7 * 86_400),
    }
}

pub(crate) fn cause() -> Cause {
    Cause::new(Code::StatusUnexpected, "the status was 503, expected 100-399")
}

pub(crate) fn incident_view() -> IncidentView {
    let incident =
        Incident { id: INCIDENT, trouble: Trouble::Down, started: ago(200), ended: None, cause: cause(), events: 1 };
    IncidentView {
        incident,
        monitor: MONITOR,
        monitor_name: "Shop <script>".into(),
        monitor_target: "https://shop.example/".into(),
    }
}

fn attempt() -> Attempt {
    let hop = Hop {
        request: Request {
            method: "GET".into(),
            url: "https://shop.example/?<script>".into(),
            headers: vec![("accept".into(), "*/*".into())],
        },
        address: Some("203.0.113.9:443".parse().unwrap()),
        phases: Phases { dns: 4_000, connect: 12_000, tls: 20_000, send: 300, first_byte: 44_000, download: 1_200 },
        answer: Some(Answer {
            status: 503,
            version: HttpVersion::Http2,
            headers: vec![("x-powered-by".into(), "<script>".into())],
            body_bytes: 1_234,
            body: Some(Excerpt { text: "<script>alert(1)</script>\n".into(), truncated: true }),
        }),
        certificate: Some(Certificate {
            not_before: ago(8_000_000),
            not_after: NOW + Duration::from_secs(800_000),
            subject: "CN=shop.example".into(),
            issuer: "CN=Example CA".into(),
            names: vec!["shop.example".into(), "www.shop.example".into()],
        }),
    };
    let refused = Hop { answer: None, certificate: None, phases: Phases::default(), ..hop.clone() };
    Attempt {
        started: ago(199),
        took: Duration::from_millis(163),
        hops: vec![hop, refused],
        fault: Some(Cause::new(Code::ConnectionRefused, "203.0.113.9:443 refused the connection")),
        facts: Vec::new(),
    }
}

pub(crate) fn observation() -> Observation {
    Observation {
        monitor: MONITOR,
        revision: 3,
        slot: ago(200),
        started: ago(200),
        took: Duration::from_millis(2_400),
        judgement: Judgement::of(Verdict::Down, cause()),
        phases: Phases::default(),
        certificate_until: None,
        attempts: vec![attempt(), attempt()],
    }
}

pub(crate) fn deliveries() -> Vec<DeliveryView> {
    let delivery = |number, state, attempts, next_at, settled_at| DeliveryView {
        id: DeliveryId::of(INCIDENT, number, CHANNEL),
        channel: CHANNEL,
        channel_name: "Ops <script>".into(),
        channel_kind: "webhook".into(),
        event: number,
        event_kind: Some(EventKind::Down),
        incident: Some(INCIDENT),
        monitor_name: Some("Shop <script>".into()),
        state,
        attempts,
        next_at,
        settled_at,
        receipt: Some("the receiver answered 204".into()),
        obstacle: obstacle(state, false, false),
    };
    vec![
        delivery(1, State::Delivered, 1, None, Some(ago(198))),
        delivery(1, State::Waiting, 3, Some(NOW + Duration::from_secs(90)), None),
        delivery(1, State::Dead, 12, None, Some(ago(5))),
        delivery(1, State::Merged, 0, None, Some(ago(5))),
    ]
}

pub(crate) fn story() -> IncidentStory {
    IncidentStory {
        view: incident_view(),
        events: vec![Event { number: 1, kind: EventKind::Down, at: ago(200), cause: Some(cause()) }],
        evidence: vec![Evidence { slot: ago(200), region: Region::local(), attempts: vec![attempt(), attempt()] }],
        deliveries: deliveries(),
    }
}

pub(crate) fn channels() -> Vec<gazer_store::Channel> {
    let channel = |id, name: &str, target| gazer_store::Channel { id, name: name.into(), target, created: ago(50_000) };
    let url = "https://hooks.example/<script>".parse().unwrap();
    vec![
        channel(CHANNEL, "Ops <script>", Target::Webhook { url, secret: vec![1; 32] }),
        channel(ChannelId::from_bits(6), "Ann", Target::Email { to: vec!["ann@example.com".into()] }),
    ]
}

pub(crate) fn rules() -> Vec<Rule> {
    let rule = |id, name: &str, scope, after| {
        let on = vec![Trigger::Down, Trigger::Recovered];
        let settings = RuleSettings { name: name.into(), scope, channels: vec![CHANNEL], on, after };
        Rule { id: RuleId::from_bits(id), settings }
    };
    vec![
        rule(7, "Night <script>", Scope::All, Duration::from_secs(300)),
        rule(8, "Shop", Scope::Some(vec![MONITOR]), Duration::ZERO),
    ]
}

pub(crate) fn token() -> Token {
    Token {
        id: TokenId::from_bits(9),
        name: "ci <script>".into(),
        role: Role::Admin,
        created: ago(500_000),
        last_used: Some(ago(60)),
    }
}

/// Every element that opens closes, in order, and ids are unique: what a parser would silently mend.
pub(crate) fn well_formed(page: &str) {
    const VOID: [&str; 6] = ["meta", "link", "input", "br", "img", "hr"];
    let mut open: Vec<&str> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a page begins with its doctype");
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "closed out of order");
            continue;
        }
        let name = tag.split(' ').next().unwrap();
        assert!(!tag.contains(" style=") && !tag.contains(" onclick="), "the policy forbids it: {tag}");
        if let Some(id) = tag.split(" id=\"").nth(1).and_then(|id| id.split('"').next()) {
            assert!(!ids.contains(&id), "the id {id} is there twice");
            ids.push(id);
        }
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, [""; 0], "left open");
    for needed in ["main", "skip"] {
        assert!(page.contains(needed), "a page has {needed}");
    }
}
