use std::time::Duration;

use gazer_domain::cause::{Cause, Code};
use gazer_domain::channel::{About, Notice, Target};
use gazer_domain::delivery::Outcome;
use gazer_domain::http::{Auth, HttpSpec, parse_url};
use gazer_domain::issue::{Fingerprint, Kind, News, Report, Told};
use gazer_domain::monitor::{Brief, Spec, Verify};
use gazer_domain::observation::Observation;
use gazer_domain::sight::{Canaries, Look, World};
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{IssueId, MonitorId};

use gazer_testkit::sample::well;

use super::*;

fn house() -> Seals {
    Seals::house([7; 32])
}

fn eu() -> Region {
    "eu".parse().unwrap()
}

fn due(bits: u128, auth: Option<Auth>) -> Due {
    let spec = HttpSpec { auth, ..HttpSpec::get(parse_url("https://shop.example/").unwrap()) };
    let brief =
        Brief { id: MonitorId::from_bits(bits), revision: 3, spec: Spec::Http(spec), verify: Verify::default() };
    let slot = Timestamp::from_millis(1_000);
    Due { monitor: Arc::new(brief), team: TeamId::from_bits(9), slot, occasion: Occasion::Request(4) }
}

fn batch(auth: Option<Auth>) -> Message {
    let due = vec![due(1, None), due(2, auth)];
    Message::Check(CheckBatch { region: eu(), epoch: 5, due, deadline: Timestamp::from_millis(6_000) })
}

fn carried(message: &Message, seals: &Seals) -> Result<Message, Unreadable> {
    let text = format!("[{}]", encode(message, &eu(), &house(), 100).unwrap().join(","));
    decode(message.topic(), &eu(), &text, seals).map(|mut items| items.remove(0))
}

fn arrives(message: &Message) {
    assert_eq!(format!("{:?}", carried(message, &house()).unwrap()), format!("{message:?}"));
}

#[test]
fn what_is_carried_arrives_as_it_was() {
    arrives(&batch(None));
    arrives(&batch(Some(Auth::Bearer { token: "s3cret".into() })));
    let refused = Cause::new(Code::ConnectionRefused, "192.0.2.1:443 refused the connection");
    let observation = Observation {
        revision: 3,
        started: Timestamp::from_millis(1_002),
        took: Duration::from_micros(1_500),
        judgement: Judgement::of(Verdict::Down, refused),
        ..well(MonitorId::from_bits(1), Timestamp::from_millis(1_000))
    };
    let seen = Observed { region: eu(), observation, team: TeamId::from_bits(9), request: Some(7) };
    arrives(&Message::Observed(Box::new(seen)));
    let issue = Told {
        id: IssueId::from_bits(3),
        function: "judge".into(),
        message: "it is broken".into(),
        version: "0.1.0".into(),
        first_seen: Timestamp::from_millis(1),
        last_seen: Timestamp::from_millis(2),
        count: 9,
        repeats: 4,
        link: "https://gazer.example/operator/issues/iss_3".into(),
    };
    let news = News { kind: Kind::Digest, issues: vec![issue], more: 1, link: "https://gazer.example/".into() };
    for about in [About::Test, About::Issues(news)] {
        let url = parse_url("https://hook.example/").unwrap();
        arrives(&Message::Send(Box::new(Send {
            delivery: DeliveryId::from_text("del_1"),
            epoch: 2,
            until: Timestamp::from_millis(30_000),
            attempts: 1,
            early: true,
            target: Target::Webhook { url, secret: b"webhook secret".to_vec() },
            notice: Notice { about, at: Timestamp::from_millis(5) },
        })));
    }
    for outcome in [
        Outcome::Delivered { receipt: "HTTP 204".into() },
        Outcome::Retry { why: "HTTP 503".into(), after: Some(Duration::from_secs(9)) },
        Outcome::Refused { why: "HTTP 410".into() },
    ] {
        arrives(&Message::Sent(Sent {
            delivery: DeliveryId::from_text("del_1"),
            epoch: 2,
            attempts: 1,
            early: true,
            outcome,
        }));
    }
    let canaries =
        Canaries { up: Judgement::UP, down: Judgement::unknown(Cause::new(Code::Overloaded, "no descriptors")) };
    for (canaries, world) in [(Some(canaries), World::Answers), (None, World::Silent { asked: 3 })] {
        arrives(&Message::Looked(Box::new(Look { region: eu(), prober: "one".into(), canaries, world })));
    }
    arrives(&Message::Issue(Box::new(Report {
        fingerprint: Fingerprint::of("judge", "gazer_bus::registry", "judge observations", &[]),
        function: "judge".into(),
        message: "judge observations: it is broken".into(),
        version: "0.1.0".into(),
        count: 3,
        at: Timestamp::from_millis(7),
        process: "one".into(),
        region: eu(),
    })));
    arrives(&Message::Plan);
    arrives(&Message::Deliver);
}

#[test]
fn many_checks_travel_in_portions_that_a_server_takes() {
    let large = |n: u128| {
        let due = due(n, None);
        let Spec::Http(http) = due.monitor.spec.clone();
        let spec = Spec::Http(HttpSpec { body: Some("x".repeat(60_000)), ..http });
        Due { monitor: Arc::new(Brief { spec, ..(*due.monitor).clone() }), ..due }
    };
    for (due, portions) in [((1..=250).map(|n| due(n, None)).collect::<Vec<_>>(), 3), ((1..=5).map(large).collect(), 3)]
    {
        let ids: Vec<_> = due.iter().map(|due| due.monitor.id).collect();
        let batch = CheckBatch { region: eu(), epoch: 1, due, deadline: Timestamp::EPOCH };
        let items = encode(&Message::Check(batch), &eu(), &house(), 100).unwrap();
        assert_eq!(items.len(), portions);
        assert!(items.iter().all(|item| item.len() < 256 * 1024));
        let text = format!("[{}]", items.join(","));
        let carried = decode(Topic::Check, &eu(), &text, &house()).unwrap();
        let due = carried.iter().flat_map(|message| match message {
            Message::Check(batch) => &batch.due[..],
            _ => &[],
        });
        assert_eq!(due.map(|due| due.monitor.id).collect::<Vec<_>>(), ids, "each once, in order");
    }
}

#[test]
fn a_secret_travels_sealed_to_its_region() {
    let message = batch(Some(Auth::Bearer { token: "s3cret".into() }));
    let text = encode(&message, &eu(), &house(), 100).unwrap().join(",");
    assert!(text.contains("shop.example") && !text.contains("s3cret"), "{text}");
    let key = |region: &str| Seals::region(house().region_key(&region.parse().unwrap()).unwrap());
    assert!(carried(&message, &key("eu")).is_ok());
    let refused = carried(&message, &key("us")).unwrap_err();
    assert!(refused.contains("does not open"), "{refused}");
    assert!(carried(&batch(None), &key("us")).is_ok(), "without secrets there is nothing to open");
}

#[test]
fn what_cannot_be_read_says_why() {
    for (topic, text) in [
        (Topic::Check, "{}"),
        (Topic::Check, r#"[{"epoch":1,"deadline_ms":1,"due":[],"sealed":null,"more":1}]"#),
        (Topic::Observed, r#"[{"team":"tem_1","request":null,"observation":{}}]"#),
        (Topic::Sent, "[null]"),
        (
            Topic::Issue,
            r#"[{"fingerprint":"1","function":"a","message":"b","version":"c","count":1,"at_ms":1,"process":"d"}]"#,
        ),
    ] {
        assert!(!decode(topic, &eu(), text, &house()).unwrap_err().is_empty(), "{text}");
    }
}
