use std::sync::Arc;

use gazer_bus::{Clock, Sent};
use gazer_channels::Operator;
use gazer_domain::Region;
use gazer_domain::channel::About;
use gazer_domain::delivery::Outcome;
use gazer_domain::issue::{Fingerprint, Kind};
use gazer_store::Page;

use super::*;
use crate::Lookout;
use crate::deliver::Deliver;
use crate::trial::{self, Still};

const DAY: u64 = 86_400_000;

struct World {
    issue: Issue,
    inform: Inform,
    settle: Deliver,
    clock: Arc<Still>,
}

impl World {
    async fn with(operator: Operator) -> Self {
        let clock = Arc::new(Still::new());
        let lookout = Lookout::new(Region::local(), Lookout::EVERY, operator);
        let parts = trial::parts(trial::store().await, clock.clone(), lookout);
        Self { issue: Issue::new(&parts), inform: Inform::new(&parts), settle: Deliver::new(&parts), clock }
    }

    /// With an operator who has a webhook.
    async fn new() -> Self {
        let webhook = Some(("https://hook.example/".parse().expect("a URL"), vec![7; 24]));
        Self::with(Operator { webhook, ..Operator::default() }).await
    }

    fn report(&self) -> issue::Report {
        issue::Report {
            fingerprint: Fingerprint::of("judge", "gazer_bus::registry", "judge observations", &[]),
            function: "judge".into(),
            message: "judge observations: it is broken".into(),
            version: "0.1.0".into(),
            count: 1,
            at: self.clock.now(),
            process: "one".into(),
            region: Region::local(),
        }
    }

    fn pass(&self, millis: u64) {
        self.clock.stand_at(self.clock.now() + Duration::from_millis(millis));
    }

    /// Runs with that report, and answers what was handed to the sender.
    async fn reported(&self, report: issue::Report) -> Vec<gazer_bus::Send> {
        let woken = Woken::Messages(vec![Message::Issue(Box::new(report))]);
        self.issue.run(woken).await.expect("it runs");
        self.sent()
    }

    async fn polled(&self) -> Vec<gazer_bus::Send> {
        let (at, until) = (self.clock.now(), self.clock.now());
        self.inform.run(Woken::Clock { at, until }).await.expect("it runs");
        self.sent()
    }

    fn sent(&self) -> Vec<gazer_bus::Send> {
        let waiting = self.issue.parts.bus.take_waiting().into_iter();
        let sends = waiting.filter_map(|message| match message {
            Message::Send(send) => Some(*send),
            _ => None,
        });
        sends.collect()
    }

    async fn settle(&self, send: &gazer_bus::Send, outcome: Outcome) {
        let sent =
            Sent { delivery: send.delivery.clone(), epoch: send.epoch, attempts: send.attempts, early: false, outcome };
        self.settle.run(Woken::Messages(vec![Message::Sent(sent)])).await.expect("it runs");
    }
}

fn kind(send: &gazer_bus::Send) -> Kind {
    let About::Issues(news) = &send.notice.about else { panic!("{send:?}") };
    news.kind
}

fn delivered() -> Outcome {
    Outcome::Delivered { receipt: "HTTP 204".into() }
}

fn refused() -> Outcome {
    Outcome::Retry { why: "HTTP 503".into(), after: None }
}

#[tokio::test]
async fn what_comes_twice_is_counted_once() {
    let world = World::new().await;
    let report = world.report();
    let first = world.reported(report.clone()).await;
    assert_eq!(first.iter().map(kind).collect::<Vec<_>>(), [Kind::New]);
    assert!(world.reported(report.clone()).await.is_empty());
    let listed = world.issue.parts.store.issue_list(None, &Page::first(9)).await.expect("the store answers");
    assert_eq!(listed.rows.iter().map(|issue| issue.count).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn what_nobody_took_is_sent_again_under_its_id() {
    let world = World::new().await;
    let first = world.reported(world.report()).await.remove(0);
    assert!(matches!(&first.target, Target::Webhook { secret, .. } if *secret == [7; 24]));
    assert!(world.polled().await.is_empty(), "it is on its way");
    world.settle(&first, refused()).await;
    assert!(world.polled().await.is_empty(), "after a while");
    world.pass(10_000);
    // Its sender dies with it.
    let second = world.polled().await.remove(0);
    assert_eq!((&second.delivery, second.attempts, &second.notice), (&first.delivery, 1, &first.notice));
    world.pass(31_000);
    let third = world.polled().await.remove(0);
    assert_eq!((&third.delivery, third.attempts), (&first.delivery, 1));
    world.settle(&second, refused()).await;
    world.settle(&third, delivered()).await;
    world.pass(DAY / 2);
    assert!(world.polled().await.is_empty(), "it was delivered, whatever the one before says");
}

#[tokio::test]
async fn repeats_are_told_in_a_digest_a_day_later() {
    let world = World::new().await;
    let first = world.reported(world.report()).await.remove(0);
    world.settle(&first, delivered()).await;
    world.pass(1_000);
    assert!(world.reported(issue::Report { count: 5, ..world.report() }).await.is_empty());
    world.pass(DAY - 60_000);
    assert!(world.polled().await.is_empty());
    world.pass(60_000);
    let digest = world.polled().await.remove(0);
    let About::Issues(news) = &digest.notice.about else { panic!("{digest:?}") };
    assert_eq!((news.kind, news.issues[0].repeats, news.issues[0].count), (Kind::Digest, 5, 6));
    world.settle(&digest, delivered()).await;
    world.pass(2 * DAY);
    assert!(world.polled().await.is_empty(), "nothing new has happened");
}

#[tokio::test]
async fn without_an_operator_nobody_is_told_then_or_later() {
    let world = World::with(Operator::default()).await;
    assert!(world.reported(world.report()).await.is_empty());
    assert!(world.polled().await.is_empty());
    let left = world.issue.parts.store.issue_news_claim(world.clock.now(), LEASE, NEWS).await;
    assert!(left.expect("the store answers").is_empty(), "nothing is written to tell");
}
