//! Which of a name's addresses are tried, in which order, and what is said when none answers.

use std::sync::Arc;
use std::time::Duration;

use gazer_domain::MonitorId;
use gazer_domain::cause::Code;
use gazer_domain::http::HttpSpec;
use gazer_domain::monitor::Verify;
use gazer_domain::observation::Attempt;
use gazer_domain::verdict::Verdict;
use gazer_probes::{Job, Keep};
use gazer_testkit::now::now;
use gazer_testkit::targets;

use crate::world::{Recorder, Table, closed};

async fn attempt(names: &Table, sockets: &Recorder, timeout: Duration) -> Attempt {
    let prober = closed(Arc::new(names.clone()), sockets, &[]);
    let mut spec = HttpSpec::get("http://site.test/".parse().unwrap());
    spec.timeout = timeout;
    prober.attempt(&prober.compile(&spec).unwrap(), None).await
}

fn dialled(sockets: &Recorder) -> Vec<String> {
    sockets.dialled().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_silent_address_is_passed_over_for_the_next() {
    let well = targets::start(targets::named("is well")).await;
    let (names, sockets) = (Table::default(), Recorder::default());
    names.says("site.test", &["1.0.0.1", "2606:4700::1"], &[]);
    sockets.is_silent("[2606:4700::1]:80");
    sockets.leads("1.0.0.1:80", well.address());
    let attempt = attempt(&names, &sockets, Duration::from_secs(5)).await;
    assert_eq!(attempt.fault, None);
    assert_eq!(dialled(&sockets), ["2606:4700::1", "1.0.0.1"]);
    assert!(attempt.took < Duration::from_secs(2), "{:?}", attempt.took);
}

#[tokio::test]
async fn where_all_are_silent_the_deadline_says_who_did_not_accept() {
    let (names, sockets) = (Table::default(), Recorder::default());
    names.says("site.test", &["1.0.0.1"], &[]);
    sockets.is_silent("1.0.0.1:80");
    let attempt = attempt(&names, &sockets, Duration::from_secs(1)).await;
    let fault = attempt.fault.unwrap();
    assert_eq!(
        (fault.code, fault.text.as_str()),
        (Code::ConnectTimeout, "1.0.0.1:80 did not accept the connection within 1s")
    );
    assert!(attempt.hops[0].phases.connect >= 900_000, "{:?}", attempt.hops);
}

#[tokio::test]
async fn a_machine_without_ipv6_sees_what_ipv4_says() {
    let (names, sockets) = (Table::default(), Recorder::default());
    names.says("site.test", &["1.0.0.1", "2606:4700::1"], &[]);
    sockets.fails("[2606:4700::1]:80", libc::EADDRNOTAVAIL);
    let seen = attempt(&names, &sockets, Duration::from_secs(5)).await;
    let fault = seen.fault.unwrap();
    assert_eq!((fault.code, fault.text.as_str()), (Code::ConnectionRefused, "1.0.0.1:80 refused the connection"));
    assert_eq!(seen.hops[0].address, Some("1.0.0.1:80".parse().unwrap()));
    // A site that has nothing but IPv6 cannot be judged from there.
    let names = Table::default();
    names.says("site.test", &["2606:4700::1"], &[]);
    assert_eq!(attempt(&names, &sockets, Duration::from_secs(5)).await.fault.unwrap().code, Code::NetworkDown);
}

#[tokio::test]
async fn at_the_deadline_the_silent_address_is_named_and_not_the_one_that_failed() {
    let (names, sockets) = (Table::default(), Recorder::default());
    names.says("site.test", &["1.0.0.1", "2606:4700::1"], &[]);
    sockets.is_silent("1.0.0.1:80");
    let seen = attempt(&names, &sockets, Duration::from_secs(1)).await;
    assert_eq!(seen.fault.unwrap().text, "1.0.0.1:80 did not accept the connection within 1s");
    assert_eq!(seen.hops[0].address, Some("1.0.0.1:80".parse().unwrap()));
}

#[tokio::test]
async fn a_failure_is_verified_over_another_address() {
    let bad = targets::start(targets::named("answers 500")).await;
    let well = targets::start(targets::named("is well")).await;
    let (names, sockets) = (Table::default(), Recorder::default());
    names.says("site.test", &["1.0.0.1", "1.0.0.2"], &[]);
    sockets.leads("1.0.0.1:80", bad.address());
    sockets.leads("1.0.0.2:80", well.address());
    let prober = closed(Arc::new(names), &sockets, &[]);
    let job = Job {
        monitor: MonitorId::from_bits(1),
        revision: 1,
        slot: now(),
        plan: prober.compile(&HttpSpec::get("http://site.test/".parse().unwrap())).unwrap(),
        verify: Verify { attempts: 2, gap: Duration::from_millis(1) },
        keep: Keep::Everything,
    };
    // Spawned, because that is how checks run: the future has to travel.
    let seen = tokio::spawn(async move { prober.check(&job, now).await }).await.unwrap();
    assert_eq!(seen.judgement.verdict, Verdict::Up);
    assert_eq!(seen.attempts.len(), 2);
    assert_eq!(dialled(&sockets), ["1.0.0.1", "1.0.0.2"]);
}

#[tokio::test]
async fn a_certificate_is_shown_every_time_also_when_its_chain_is_remembered() {
    let site = targets::start(targets::named("is well over tls")).await;
    let prober = closed(Arc::new(Table::default()), &Recorder::default(), &[]);
    let spec = HttpSpec::get(site.url().parse().unwrap());
    assert_eq!(prober.attempt(&prober.compile(&spec).unwrap(), None).await.fault.unwrap().code, Code::EgressDenied);
    let sockets = Recorder::default();
    sockets.leads(&site.address().to_string(), site.address());
    let prober = closed(Arc::new(Table::default()), &sockets, &["127.0.0.0/8"]);
    let plan = prober.compile(&spec).unwrap();
    let first = prober.attempt(&plan, None).await;
    let second = prober.attempt(&plan, None).await;
    assert_eq!((&first.fault, &second.fault), (&None, &None));
    assert!(first.certificate().is_some());
    assert_eq!(first.certificate(), second.certificate());
}
