//! All bodies together have a bounded memory; who gets none in time is told that it was us.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use gazer_domain::assertion::{Assertion, Op};
use gazer_domain::cause::Code;
use gazer_domain::http::HttpSpec;
use gazer_probes::{Config, Prober};
use gazer_testkit::now::now;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Sends this much of a large body, then nothing more. Counts those that it served.
async fn stalling_site(starts_with: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n").await;
            let _ = stream.write_all(&vec![b'x'; starts_with]).await;
            held.push(stream);
            count.fetch_add(1, Relaxed);
        }
    });
    (url, served)
}

#[tokio::test]
async fn one_large_body_at_a_time_where_there_is_room_for_one() {
    let config = Config { body_budget_bytes: 1, witnesses: Vec::new(), ..Config::new(now) };
    let prober = Prober::new(config).unwrap();
    let mut spec = HttpSpec::get(stalling_site(100_000).await.0.parse().unwrap());
    spec.timeout = Duration::from_secs(10);
    spec.assertions = vec![Assertion::Body { op: Op::Contains, value: "y".into() }];
    let patient = prober.compile(&spec).unwrap();
    spec.timeout = Duration::from_secs(1);
    let hasty = prober.compile(&spec).unwrap();
    let other = prober.clone();
    let holder = tokio::spawn(async move { other.attempt(&patient, None).await });
    // Should the hasty one be first, the patient one is next in the queue, and the second try finds it there.
    let first = prober.attempt(&hasty, None).await.fault.unwrap().code;
    let second = prober.attempt(&hasty, None).await.fault.unwrap().code;
    assert!([Code::Overloaded, Code::DownloadTimeout].contains(&first), "{first}");
    assert_eq!(second, Code::Overloaded);
    holder.abort();
}

#[tokio::test]
async fn a_message_to_people_does_not_wait_for_the_memory_of_checks() {
    let config = Config { body_budget_bytes: 1, witnesses: Vec::new(), ..Config::new(now) };
    let prober = Prober::new(config).unwrap();
    let spec = HttpSpec::get(stalling_site(100_000).await.0.parse().unwrap());
    let (plan, other) = (prober.compile(&spec).unwrap(), prober.clone());
    let holder = tokio::spawn(async move { other.attempt(&plan, None).await });
    let url = stalling_site(100_000).await.0.parse().unwrap();
    let sent = prober.post(&url, &[], Vec::new(), Duration::from_secs(5)).await.unwrap();
    assert_eq!((sent.status, sent.body_excerpt.len()), (200, 16 * 1024));
    holder.abort();
}

#[tokio::test]
async fn sites_that_are_slow_hold_no_more_than_what_they_sent() {
    let prober = Prober::new(Config { witnesses: Vec::new(), ..Config::new(now) }).unwrap();
    let (url, served) = stalling_site(20_000).await;
    let mut spec = HttpSpec::get(url.parse().unwrap());
    spec.timeout = Duration::from_secs(30);
    spec.assertions = vec![Assertion::Body { op: Op::Lacks, value: "y".into() }];
    let mut holders = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (plan, other) = (prober.compile(&spec).unwrap(), prober.clone());
        holders.spawn(async move { other.attempt(&plan, None).await });
    }
    while served.load(Relaxed) < 40 {
        tokio::task::yield_now().await;
    }
    // What was sent is there; each of these lets them read it.
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    spec.url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n").await;
        let _ = stream.write_all(&[b'x'; 900_000]).await;
    });
    let whole = prober.attempt(&prober.compile(&spec).unwrap(), None).await;
    assert_eq!(whole.fault, None);
    assert!(whole.took < Duration::from_secs(20), "{:?}", whole.took);
}
