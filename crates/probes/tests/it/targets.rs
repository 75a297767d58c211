//! Every way of misbehaving that the testkit knows, met by the probe: it ends in time and says what was wrong.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use gazer_domain::http::HttpSpec;
use gazer_domain::observation::Attempt;
use gazer_domain::verdict::{Verdict, judge};
use gazer_probes::{Config, Prober};
use gazer_testkit::now::now;
use gazer_testkit::targets::{self, Misbehaviour};
use tokio::time::Instant;

const TIMEOUT: Duration = Duration::from_secs(2);

fn prober() -> Prober {
    let roots = vec![targets::authority().der()];
    Prober::new(Config { extra_roots: roots, witnesses: Vec::new(), ..Config::new(now) }).unwrap()
}

struct Met {
    attempt: Attempt,
    spec: HttpSpec,
    took: Duration,
    at: SocketAddr,
}

async fn met(prober: &Prober, one: &'static Misbehaviour) -> Met {
    let target = targets::start(one).await;
    let mut spec = HttpSpec::get(target.url().parse().unwrap());
    spec.timeout = TIMEOUT;
    let plan = prober.compile(&spec).unwrap();
    let begun = Instant::now();
    let attempt = prober.attempt(&plan, None).await;
    Met { attempt, spec, took: begun.elapsed(), at: target.address() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_misbehaviour_ends_in_time_with_its_cause() {
    let prober = prober();
    let all = join_all(targets::all().iter().map(|one| met(&prober, one))).await;
    let mut wrong = Vec::new();
    for (one, Met { attempt, spec, took, at }) in targets::all().iter().zip(all) {
        let judged = judge(&attempt, &spec);
        let code = judged.cause.as_ref().map(|cause| cause.code);
        let text = judged.cause.as_ref().map_or("", |cause| cause.text.as_str());
        if code != one.expect || !one.is_told_as(text, at) || took > TIMEOUT + Duration::from_secs(1) {
            wrong
                .push(format!("{}: expected {:?} {:?}, was {judged:?} after {took:?}", one.name, one.expect, one.text));
        }
        let unknown = judged.verdict == Verdict::Unknown;
        assert_eq!(unknown, code.is_some_and(|code| code.is_ours()), "{}", one.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_greeting_of_http2_is_not_its_answer() {
    let silent = met(&prober(), targets::named("h2 is silent")).await.attempt;
    let phases = silent.phases();
    assert!(phases.first_byte > 1_500_000 && phases.download == 0, "{phases:?}");
    let well = met(&prober(), targets::named("is well over h2")).await.attempt;
    let phases = well.phases();
    assert!(phases.send > 0 && phases.first_byte > 0, "{phases:?}");
}
