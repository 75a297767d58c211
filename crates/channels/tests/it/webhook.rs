use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use gazer_channels::{Channels, signature};
use gazer_domain::cause::Cause;
use gazer_domain::channel::Target;
use gazer_domain::delivery::Outcome;
use gazer_probes::net::{self, Names, Pending};
use gazer_probes::{Config, Egress, Prober};
use gazer_testkit::now::now;
use gazer_testkit::receiver::{Answer, WebhookReceiver};

use crate::story::{channels, guarded_channels, id, nobody, notice};

const SECRET: &[u8] = b"twenty-four bytes, or so";

fn target(url: &str) -> Target {
    Target::Webhook { url: url.parse().unwrap(), secret: SECRET.to_vec() }
}

#[tokio::test]
async fn a_receiver_is_told_and_can_check_who_tells() {
    let receiver = WebhookReceiver::start().await;
    let outcome = channels(None).send(&id(), &target(&receiver.url()), &notice(), now()).await;
    let Outcome::Delivered { receipt } = outcome else { panic!("{outcome:?}") };
    assert!(receipt.starts_with("HTTP 200 in "), "{receipt}");

    let received = receiver.received();
    assert_eq!(received.len(), 1);
    received[0].verify(&signature::secret_text(SECRET)).unwrap();
    assert_eq!(received[0].id(), id().as_str());
    assert_eq!(received[0].kind(), "monitor.down");
    assert_eq!(received[0].json["data"]["monitor"]["name"], "Café");
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    assert!(received[0].header("user-agent").is_some_and(|agent| agent.starts_with("Gazer/")));
}

#[tokio::test]
async fn a_receiver_that_asks_for_patience_is_told_the_same_later() {
    let receiver = WebhookReceiver::start().await;
    receiver.answer_next(1, Answer::RetryAfter(503, 120));
    let (channels, target) = (channels(None), target(&receiver.url()));

    let first = channels.send(&id(), &target, &notice(), now()).await;
    let Outcome::Retry { why, after } = first else { panic!("{first:?}") };
    assert!(why.starts_with("HTTP 503 in "), "{why}");
    assert_eq!(after, Some(Duration::from_secs(120)));

    let second = channels.send(&id(), &target, &notice(), now()).await;
    assert!(matches!(second, Outcome::Delivered { .. }), "{second:?}");
    let received = receiver.received();
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].id(), received[1].id());
}

#[tokio::test]
async fn only_gone_is_for_good() {
    let receiver = WebhookReceiver::start().await;
    let (channels, target) = (channels(None), target(&receiver.url()));
    for status in [302, 404, 500] {
        receiver.answer_next(1, Answer::Status(status));
        let outcome = channels.send(&id(), &target, &notice(), now()).await;
        assert!(matches!(outcome, Outcome::Retry { after: None, .. }), "{status}: {outcome:?}");
    }
    receiver.answer_next(1, Answer::Status(410));
    let outcome = channels.send(&id(), &target, &notice(), now()).await;
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_receiver_that_is_away_is_tried_again() {
    let url = format!("http://{}/hook", nobody());
    let outcome = channels(None).send(&id(), &target(&url), &notice(), now()).await;
    let Outcome::Retry { why, after: None } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("refused the connection"), "{why}");
}

#[tokio::test]
async fn the_guard_refuses_before_anything_is_said() {
    let receiver = WebhookReceiver::start().await;
    let outcome = guarded_channels().send(&id(), &target(&receiver.url()), &notice(), now()).await;
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    assert!(receiver.received().is_empty());
}

/// A name that anybody may ask for, whose owner has it lead here today.
#[derive(Debug)]
struct LeadsHere;

impl Names for LeadsHere {
    fn lookup<'a>(&'a self, _: &'a str) -> Pending<'a, Result<net::Answer, Cause>> {
        let addresses = vec![Ipv4Addr::LOCALHOST.into()];
        Box::pin(async { Ok(net::Answer { addresses, aliases: Vec::new() }) })
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_refused_address_may_lead_elsewhere_later() {
    let config = Config { egress: Egress::Public, witnesses: Vec::new(), ..Config::new(now) };
    let prober = Prober::over(config, Arc::new(LeadsHere), Arc::new(net::Kernel)).unwrap();
    let channels = Channels::new(prober, None);
    let outcome = channels.send(&id(), &target("http://hooks.example/"), &notice(), now()).await;
    let Outcome::Retry { why, after: None } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("hooks.example leads nowhere"), "{why}");
    for refused in ["http://127.0.0.1/", "http://[::1]/", "http://nas.local/"] {
        let outcome = channels.send(&id(), &target(refused), &notice(), now()).await;
        assert!(matches!(outcome, Outcome::Refused { .. }), "{refused}: {outcome:?}");
    }
}
