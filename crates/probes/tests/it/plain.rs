//! The ordinary case: a site that answers.

use std::time::Duration;

use gazer_domain::MonitorId;
use gazer_domain::Timestamp;
use gazer_domain::assertion::{Assertion, Op};
use gazer_domain::cause::Code;
use gazer_domain::http::{Auth, HttpSpec};
use gazer_domain::monitor::Verify;
use gazer_domain::observation::{Fact, JsonValue};
use gazer_domain::verdict::Verdict;
use gazer_probes::{Config, Job, Keep, Prober};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn now() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000)
}

/// Answers every connection with these bytes, then closes it.
async fn site(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = vec![0; 4_096];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    url
}

fn prober() -> Prober {
    Prober::new(Config { witnesses: Vec::new(), ..Config::new(now) }).unwrap()
}

fn job(prober: &Prober, spec: &HttpSpec) -> Job {
    Job {
        monitor: MonitorId::from_bits(7),
        revision: 3,
        slot: now(),
        plan: prober.compile(spec).unwrap(),
        verify: Verify { attempts: 2, gap: Duration::from_millis(10) },
        keep: Keep::Failures,
    }
}

#[tokio::test]
async fn an_answer_brings_its_phases_and_what_was_asked_of_its_body() {
    let url = site("HTTP/1.1 200 OK\r\ncontent-length: 17\r\nx-version: 7\r\n\r\n{\"up\":true,\"n\":2}").await;
    let mut spec = HttpSpec::get(url.parse().unwrap());
    spec.assertions = vec![
        Assertion::Body { op: Op::Contains, value: "up".into() },
        Assertion::Json { path: "$.n".into(), op: Op::Eq, value: JsonValue::Number(2.0) },
        Assertion::Header { name: "x-version".into(), op: Op::Matches, value: "^[0-9]$".into() },
    ];
    let prober = prober();
    let attempt = prober.attempt(&prober.compile(&spec).unwrap(), None).await;
    assert_eq!(attempt.fault, None);
    let facts = vec![Fact::Found(true), Fact::Value(JsonValue::Number(2.0)), Fact::Found(true)];
    assert_eq!(attempt.facts, facts);
    let answer = attempt.answer().unwrap();
    assert_eq!((answer.status, answer.body_bytes, answer.header("x-version")), (200, 17, Some("7")));
    assert_eq!(answer.body, None);
    let phases = attempt.phases();
    assert!(phases.connect > 0 && phases.send > 0 && phases.first_byte > 0 && phases.dns == 0 && phases.tls == 0);
    assert!(phases.total_us() <= attempt.took.as_micros() as u64);
}

#[tokio::test]
async fn a_failure_is_verified_and_keeps_its_evidence() {
    let url = site("HTTP/1.1 503 Busy\r\ncontent-length: 5\r\n\r\nlater").await;
    let prober = prober();
    let seen = prober.check(&job(&prober, &HttpSpec::get(url.parse().unwrap())), now).await;
    assert_eq!(seen.judgement.verdict, Verdict::Down);
    assert_eq!(seen.judgement.cause.unwrap().code, Code::StatusUnexpected);
    assert_eq!(seen.attempts.len(), 3);
    assert!(seen.attempts.iter().all(|one| one.answer().unwrap().body.as_ref().unwrap().text == "later"));
}

#[tokio::test]
async fn evidence_tells_no_secrets() {
    let url = site(
        "HTTP/1.1 500 No\r\nset-cookie: id=c00kie; Path=/; HttpOnly\r\nx-echo: k3y-of-ours\r\ncontent-length: 64\r\n\r\n\
         you sent t0ken-of-ours and k3y-of-ours, and Bearer t0ken-of-ours",
    )
    .await;
    let prober = prober();
    let mut spec = HttpSpec::get(url.parse().unwrap());
    spec.auth = Some(Auth::Bearer { token: "t0ken-of-ours".into() });
    spec.headers = vec![("X-Key".into(), "k3y-of-ours".into())];
    let seen = prober.check(&job(&prober, &spec), now).await;
    let answer = seen.attempts[0].answer().unwrap();
    assert_eq!(answer.header("set-cookie"), Some("id=•••; Path=/; HttpOnly"));
    assert_eq!(answer.header("x-echo"), Some("•••"));
    assert_eq!(answer.body.as_ref().unwrap().text, "you sent ••• and •••, and •••");
    assert!(!format!("{seen:?}").contains("-of-ours"), "{seen:?}");
}

#[tokio::test]
async fn a_good_check_travels_light() {
    let url = site("HTTP/1.1 204 Fine\r\n\r\n").await;
    let prober = prober();
    let mut asked = job(&prober, &HttpSpec::get(url.parse().unwrap()));
    let seen = prober.check(&asked, now).await;
    assert_eq!((seen.judgement.verdict, seen.attempts.len(), seen.revision), (Verdict::Up, 0, 3));
    asked.keep = Keep::Everything;
    assert_eq!(prober.check(&asked, now).await.attempts.len(), 1);
}

#[tokio::test]
async fn nobody_listening_is_a_refusal_with_the_address_in_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    let prober = prober();
    let seen = prober.check(&job(&prober, &HttpSpec::get(format!("http://{at}/").parse().unwrap())), now).await;
    assert_eq!(seen.judgement.cause.unwrap().text, format!("{at} refused the connection"));
}

#[tokio::test]
async fn a_message_is_posted_and_its_receipt_says_when_to_come_back() {
    let url = site("HTTP/1.1 429 Slow down\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\nno").await;
    let headers = [("webhook-id".to_owned(), "del_1".to_owned())];
    let sent = prober().post(&url.parse().unwrap(), &headers, b"{}".to_vec(), Duration::from_secs(5)).await.unwrap();
    assert_eq!((sent.status, sent.body_excerpt.as_str()), (429, "no"));
    assert_eq!(sent.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_message_has_arrived_when_the_status_says_so_whatever_becomes_of_the_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stalls = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok").await;
        std::future::pending::<()>().await;
    });
    let breaks = site("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok").await;
    let lies = site("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 11\r\n\r\nnot gzipped").await;
    for (url, excerpt) in [(stalls, "ok"), (breaks, "ok"), (lies, "")] {
        let sent = prober().post(&url.parse().unwrap(), &[], b"{}".to_vec(), Duration::from_secs(10)).await.unwrap();
        assert_eq!((sent.status, sent.body_excerpt.as_str()), (200, excerpt), "{url}");
        assert!(sent.took < Duration::from_secs(5), "{:?}", sent.took);
    }
}

#[tokio::test]
async fn a_body_is_read_in_its_own_encoding() {
    let url = site("HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n\u{feff}{\"n\":\"é\"}").await;
    let mut spec = HttpSpec::get(url.parse().unwrap());
    spec.assertions = vec![
        Assertion::Body { op: Op::Matches, value: "^\\{".into() },
        Assertion::Json { path: "$.n".into(), op: Op::Eq, value: JsonValue::Text("é".into()) },
    ];
    let prober = prober();
    let attempt = prober.attempt(&prober.compile(&spec).unwrap(), None).await;
    assert_eq!(attempt.facts, vec![Fact::Found(true), Fact::Value(JsonValue::Text("é".into()))]);
}
