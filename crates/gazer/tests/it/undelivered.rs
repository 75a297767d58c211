//! A receiver that refuses for good is mended, and gets what it missed: by hand, under the same id, in order.

use std::time::Duration;

use gazer_testkit::receiver::{Answer, WebhookReceiver};
use gazer_testkit::site::{Fault, Site};
use http::Method;
use serde_json::{Value, json};

use crate::driver::{Driver, owned, text};

const SOON: Duration = Duration::from_secs(20);
const DEAD: &str = "/deliveries?state=dead";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_sent_again_by_hand() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let app = Driver::start(owned()).await;
    let (channel, secret) = app.webhook(&receiver.url()).await;
    receiver.answer_next(1, Answer::Status(410));
    site.break_with(Fault::Status(500)).await;
    let monitor = app.monitor("Shop", &site.url(), json!({"verify": {"attempts": 0, "gap": "0s"}})).await;
    let refused = receiver.wait_for(|hook| hook.kind() == "monitor.down", SOON).await;
    let listed = app.until(DEAD, |seen| seen["data"] != json!([]), SOON).await;
    let dead = &listed["data"][0];
    let about = ["id", "monitor", "kind"].map(|name| text(&dead[name]));
    assert_eq!(about, [refused.id(), "Shop", "down"], "{listed:#}");
    assert_eq!((text(&dead["channel"]["id"]), text(&dead["state"])), (channel.clone(), "dead".into()));
    assert!(text(&dead["receipt"]).contains("410"), "{listed:#}");

    // The site is back before anybody mends the receiver: there is nothing that its owner was told of.
    site.repair().await;
    app.until(&format!("/monitors/{monitor}"), |seen| seen["status"] == "up", SOON).await;
    assert_eq!(receiver.received().len(), 1);

    let path = format!("/deliveries/{}/send-again", refused.id());
    let (status, sent) = app.call(Method::POST, &path, None).await;
    assert_eq!((status, &sent["id"], &sent["attempts"]), (202, &json!(refused.id()), &json!(0)), "{sent}");
    let all = receiver.wait_until(|all| all.len() == 3, SOON).await;
    let kinds = ["monitor.down", "monitor.down", "monitor.recovered"];
    assert_eq!(all.iter().map(|hook| hook.kind()).collect::<Vec<_>>(), kinds);
    let [_, down, up] = &all[..] else { unreachable!("three were waited for") };
    assert_eq!((down.id(), &down.body), (refused.id(), &refused.body), "the same message, under the same id");
    assert_eq!(up.json["data"]["incident"]["id"], down.json["data"]["incident"]["id"]);
    assert_ne!(up.id(), down.id());
    for hook in [down, up] {
        hook.verify(&secret).expect("the signature holds");
    }

    let incident = format!("/incidents/{}", text(&dead["incident"]));
    let delivered = |seen: &Value| {
        let mut states = seen["deliveries"].as_array().into_iter().flatten().map(|one| one["state"].clone());
        states.all(|state| state == "delivered")
    };
    app.until(&incident, delivered, SOON).await;
    assert_eq!(app.get(DEAD).await, json!({"data": [], "next": null}));
    let (status, problem) = app.call(Method::POST, &path, None).await;
    assert_eq!((status, text(&problem["detail"])), (409, "It was delivered.".into()), "{problem}");
    let (_, all) = app.call(Method::POST, &format!("/channels/{channel}/send-again"), None).await;
    assert_eq!(all, json!({"sent_again": 0}));
    assert_eq!(receiver.received().len(), 3);
}
