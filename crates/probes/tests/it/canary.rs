//! What we ask of ourselves, to know that we see.

use std::sync::Arc;
use std::time::Duration;

use gazer_domain::MonitorId;
use gazer_domain::cause::Code;
use gazer_domain::http::HttpSpec;
use gazer_domain::monitor::Verify;
use gazer_domain::sight::World;
use gazer_domain::verdict::Verdict;
use gazer_probes::canary::Canaries;
use gazer_probes::{Config, Job, Keep, Prober};
use gazer_testkit::now::now;
use tokio::net::TcpListener;

use crate::world::{Recorder, Table};

const WITNESS: &str = "1.1.1.1:443";

fn prober(sockets: &Recorder, canaries: Option<&Canaries>) -> Prober {
    let config = Config { witnesses: vec![WITNESS.parse().unwrap()], canaries: canaries.cloned(), ..Config::new(now) };
    Prober::over(config, Arc::new(Table::default()), Arc::new(sockets.clone())).unwrap()
}

async fn verdict(prober: &Prober, url: &str) -> (Verdict, Option<Code>) {
    let plan = prober.compile(&HttpSpec::get(url.parse().unwrap())).unwrap();
    let verify = Verify { attempts: 0, gap: Duration::ZERO };
    let job = Job { monitor: MonitorId::from_bits(1), revision: 1, slot: now(), plan, verify, keep: Keep::Failures };
    let judged = prober.check(&job, now).await.judgement;
    (judged.verdict, judged.cause.map(|cause| cause.code))
}

#[tokio::test]
async fn they_are_seen_as_what_they_are_and_by_nobody_else() {
    let canaries = Canaries::open().await.unwrap();
    let config = Config { witnesses: Vec::new(), canaries: Some(canaries.clone()), ..Config::new(now) };
    let prober = Prober::new(config).unwrap();
    let seen = prober.canaries().await.unwrap();
    assert_eq!((seen.up.verdict, seen.down.verdict), (Verdict::Up, Verdict::Down), "{seen:?}");
    assert_eq!(seen.down.cause.unwrap().code, Code::ConnectionRefused);
    for at in canaries.addresses() {
        for host in ["127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"] {
            let url = format!("http://{host}:{}/", at.port());
            assert_eq!(verdict(&prober, &url).await, (Verdict::Unknown, Some(Code::EgressDenied)), "{url}");
        }
    }
}

#[tokio::test]
async fn a_network_that_does_not_work_does_not_show_what_is_up() {
    let (sockets, canaries) = (Recorder::default(), Canaries::open().await.unwrap());
    let [up, down] = canaries.addresses();
    let prober = prober(&sockets, Some(&canaries));
    let seen = prober.canaries().await.unwrap();
    assert_eq!(seen.up.verdict, Verdict::Down, "everything is refused");
    // One that answers for everybody is no better.
    sockets.leads(&up.to_string(), up);
    sockets.leads(&down.to_string(), up);
    let seen = prober.canaries().await.unwrap();
    assert_eq!((seen.up.verdict, seen.down.verdict), (Verdict::Up, Verdict::Up));
    sockets.leads(&down.to_string(), down);
    assert_eq!(prober.canaries().await.unwrap().down.verdict, Verdict::Down);
}

#[tokio::test]
async fn only_witnesses_that_were_heard_say_that_the_world_is_gone() {
    let (sockets, listener) = (Recorder::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let prober = prober(&sockets, None);
    assert_eq!(prober.world(false).await, World::Unasked);
    assert!(sockets.dialled().is_empty(), "an install that asks nobody goes on to ask nobody");
    // It earns its vote, as somebody insists.
    sockets.leads(WITNESS, listener.local_addr().unwrap());
    assert_eq!(prober.world(true).await, World::Answers);
    assert_eq!(prober.world(false).await, World::Answers);
    drop(listener);
    assert_eq!(prober.world(false).await, World::Silent { asked: 1 });
}
