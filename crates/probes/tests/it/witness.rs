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
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::world::{Recorder, Table, UNRESOLVED};

const WITNESS: &str = "1.1.1.1:443";

fn prober(sockets: &Recorder) -> Prober {
    with_witness(sockets, WITNESS)
}

fn with_witness(sockets: &Recorder, witness: &str) -> Prober {
    in_world(&Table::default(), sockets, witness)
}

fn in_world(names: &Table, sockets: &Recorder, witness: &str) -> Prober {
    names.says("witness.test", &["1.1.1.1"], &[]);
    let config = Config { egress: Egress::Open, witnesses: vec![witness.parse().unwrap()], ..Config::new(now) };
    Prober::over(config, Arc::new(names.clone()), Arc::new(sockets.clone())).unwrap()
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
    // This one waits for the witness's answer.
    assert_eq!(check(&prober, "http://8.8.8.8/").await.judgement.verdict, Verdict::Down);
    // What it said a moment ago, before the world went, is not about the failure that comes after.
    drop(listener);
    let seen = check(&prober, "http://8.8.8.8/").await;
    assert_eq!(seen.judgement.verdict, Verdict::Unknown, "{seen:?}");
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
async fn a_witness_that_was_heard_before_the_start_has_its_vote_and_not_for_longer() {
    let sockets = Recorder::default();
    for (ago, expected) in [(3_500, Verdict::Unknown), (3_700, Verdict::Down)] {
        let prober = prober(&sockets);
        prober.vouch(Duration::from_secs(ago)).await;
        let seen = check(&prober, "http://8.8.8.8/").await;
        assert_eq!(seen.judgement.verdict, expected, "heard {ago} s ago: {seen:?}");
        assert!(!prober.sees_internet().await, "nobody answers");
        assert_eq!(check(&prober, "http://10.0.0.1/").await.judgement.verdict, Verdict::Down, "it is not about this");
    }
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

#[tokio::test]
async fn a_resolver_that_denies_every_name_blames_nobody() {
    let (names, sockets) = (Table::default(), Recorder::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    sockets.leads(WITNESS, listener.local_addr().unwrap());
    let prober = in_world(&names, &sockets, "witness.test:443");
    // Nobody has a vote yet, and this earns one: a name that does not exist is the site's trouble.
    let seen = check(&prober, "http://gone.test/").await;
    assert_eq!((seen.judgement.verdict, seen.judgement.cause.unwrap().code), (Verdict::Down, Code::DnsNotFound));
    witness_answered(&sockets).await;
    let seen = check(&prober, "http://gone.test/").await;
    assert_eq!((seen.judgement.verdict, seen.judgement.cause.unwrap().code), (Verdict::Down, Code::DnsNotFound));
    // Then the resolver says of every name that it does not exist.
    names.forgets();
    let seen = check(&prober, "http://gone.test/").await;
    let cause = seen.judgement.cause.unwrap();
    assert_eq!((seen.judgement.verdict, cause.code), (Verdict::Unknown, Code::ResolverFailed), "{cause}");
    assert!(cause.text.contains("finds none of 1 witnesses either (no row for gone.test)"), "{cause}");
}

#[tokio::test]
async fn the_name_that_failed_is_blamed_and_not_the_one_that_led_there() {
    let (names, sockets) = (Table::default(), Recorder::default());
    let (witness, site) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    sockets.leads(WITNESS, witness.local_addr().unwrap());
    names.says("first.test", &["1.0.0.1"], &[]);
    sockets.leads("1.0.0.1:80", site.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = site.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let answer = format!("HTTP/1.1 302 Found\r\nlocation: http://{UNRESOLVED}/\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let prober = in_world(&names, &sockets, "witness.test:443");
    let cause = check(&prober, "http://first.test/").await.judgement.cause.unwrap();
    assert_eq!(cause.text, format!("the name servers of {UNRESOLVED} do not answer, while other names resolve"));
}
