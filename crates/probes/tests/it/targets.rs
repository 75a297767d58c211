//! Every way of misbehaving that the testkit knows, met by the probe: it ends in time and says what was wrong.

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

async fn met(prober: &Prober, one: &'static Misbehaviour) -> (Attempt, HttpSpec, Duration) {
    let target = targets::start(one).await;
    let mut spec = HttpSpec::get(target.url().parse().unwrap());
    spec.timeout = TIMEOUT;
    let plan = prober.compile(&spec).unwrap();
    let begun = Instant::now();
    let attempt = prober.attempt(&plan, None).await;
    (attempt, spec, begun.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_misbehaviour_ends_in_time_with_its_cause() {
    let prober = prober();
    let all = join_all(targets::all().iter().map(|one| met(&prober, one))).await;
    let mut wrong = Vec::new();
    for (one, (attempt, spec, took)) in targets::all().iter().zip(all) {
        let judged = judge(&attempt, &spec);
        let code = judged.cause.as_ref().map(|cause| cause.code);
        if code != one.expect || took > TIMEOUT + Duration::from_secs(1) {
            wrong.push(format!("{}: expected {:?}, was {judged:?} after {took:?}", one.name, one.expect));
        }
        let unknown = judged.verdict == Verdict::Unknown;
        assert_eq!(unknown, code.is_some_and(|code| code.is_ours()), "{}", one.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_greeting_of_http2_is_not_its_answer() {
    let (silent, _, _) = met(&prober(), targets::named("h2 is silent")).await;
    let phases = silent.phases();
    assert!(phases.first_byte > 1_500_000 && phases.download == 0, "{phases:?}");
    let (well, _, _) = met(&prober(), targets::named("is well over h2")).await;
    let phases = well.phases();
    assert!(phases.send > 0 && phases.first_byte > 0, "{phases:?}");
}
