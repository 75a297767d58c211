//! Our own network's failure is never a site's.

use std::sync::Arc;
use std::time::Duration;

use gazer_domain::MonitorId;
use gazer_domain::cause::Code;
use gazer_domain::http::HttpSpec;
use gazer_domain::monitor::Verify;
use gazer_domain::observation::Observation;
use gazer_domain::verdict::Verdict;
use gazer_probes::{Config, Egress, Job, Keep, Prober};
use gazer_testkit::now::now;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::world::{Recorder, Table, UNRESOLVED};

const WITNESS: &str = "1.1.1.1:443";

fn prober(sockets: &Recorder) -> Prober {
    with_witness(sockets, WITNESS)
}

fn with_witness(sockets: &Recorder, witness: &str) -> Prober {
    let names = Table::default();
    names.says("witness.test", &["1.1.1.1"], &[]);
    let config = Config { egress: Egress::Open, witnesses: vec![witness.parse().unwrap()], ..Config::new(now) };
    Prober::over(config, Arc::new(names), Arc::new(sockets.clone())).unwrap()
}

async fn check(prober: &Prober, url: &str) -> Observation {
    let plan = prober.compile(&HttpSpec::get(url.parse().unwrap())).unwrap();
    let verify = Verify { attempts: 1, gap: Duration::from_millis(1) };
    let job = Job { monitor: MonitorId::from_bits(1), revision: 1, slot: now(), plan, verify, keep: Keep::Failures };
    prober.check(&job, now).await
}

fn asked(sockets: &Recorder) -> usize {
    sockets.dialled().iter().filter(|ip| ip.to_string() == "1.1.1.1").count()
}

/// Waits until the witness was asked in the background.
async fn witness_answered(sockets: &Recorder) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while asked(sockets) == 0 {
        assert!(Instant::now() < deadline, "nobody asked the witness");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_silent_witness_that_was_heard_before_makes_a_failure_ours() {
    let (sockets, listener) = (Recorder::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let there = listener.local_addr().unwrap();
    sockets.leads(WITNESS, there);
    let prober = prober(&sockets);
    // The witness earns its vote while the world is there: the site alone is down.
    let seen = check(&prober, "http://8.8.8.8/").await;
    assert_eq!(seen.judgement.verdict, Verdict::Down, "{seen:?}");
    witness_answered(&sockets).await;
    // Its answer serves for a few seconds; then it is asked again, and nobody is there.
    drop(listener);
    let deadline = Instant::now() + Duration::from_secs(10);
    let seen = loop {
        let seen = check(&prober, "http://8.8.8.8/").await;
        if seen.judgement.verdict == Verdict::Unknown {
            break seen;
        }
        assert!(Instant::now() < deadline, "the silence of the witness went unnoticed");
        sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(seen.judgement.cause.unwrap().code, Code::NetworkDown);
    assert_eq!(seen.attempts.len(), 2);
    // About private addresses it has no vote, and it is not asked.
    let before = asked(&sockets);
    let seen = check(&prober, "http://10.0.0.1/").await;
    assert_eq!((seen.judgement.verdict, asked(&sockets)), (Verdict::Down, before));
}

#[tokio::test]
async fn an_install_without_internet_still_alerts_and_asks_nobody_about_its_own_network() {
    let sockets = Recorder::default();
    let prober = prober(&sockets);
    let seen = check(&prober, "http://10.0.0.1/").await;
    assert_eq!((seen.judgement.verdict, asked(&sockets)), (Verdict::Down, 0));
    let seen = check(&prober, "http://8.8.8.8/").await;
    assert_eq!(seen.judgement.verdict, Verdict::Down);
}

#[tokio::test]
async fn a_name_that_fails_while_others_resolve_is_the_sites_failure() {
    let (sockets, listener) = (Recorder::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = format!("http://{UNRESOLVED}/");
    // Known by its address alone, a witness says nothing about names.
    sockets.leads(WITNESS, listener.local_addr().unwrap());
    let seen = check(&prober(&sockets), &url).await;
    assert_eq!((seen.judgement.verdict, seen.judgement.cause.unwrap().code), (Verdict::Unknown, Code::ResolverFailed));
    let seen = check(&with_witness(&sockets, "witness.test:443"), &url).await;
    assert_eq!((seen.judgement.verdict, seen.judgement.cause.unwrap().code), (Verdict::Down, Code::DnsServerFailure));
    assert_eq!(seen.attempts.len(), 2);
}
