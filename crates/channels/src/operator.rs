//! What the operator is told of our own faults: to a webhook and by mail, one attempt at a time.
//!
//! It has its own words and its own ways, so that nothing of it can reach a tenant: neither a rule nor a channel of a
//! team leads here. What the webhook says is version 1 of a contract, as it is for tenants'.

use std::fmt;
use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::delivery::Outcome;
use gazer_domain::sight::{Episode, News};
use gazer_domain::time::humane_duration;
use serde::Serialize;
use url::Url;

use crate::webhook::body::Body;
use crate::{Channels, webhook};

const VERSION: u8 = 1;
/// A sign of life that takes longer is given again a minute later.
const PING: Duration = Duration::from_secs(10);

/// Where the operator is told. `Debug` shows no secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Operator {
    /// With the decoded key that signs.
    pub webhook: Option<(Url, Vec<u8>)>,
    pub email: Option<String>,
    /// Asked while all is well, so that our silence is noticed.
    pub ping: Option<Url>,
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let webhook = self.webhook.as_ref().map(|(url, _)| url.as_str());
        f.debug_struct("Operator").field("webhook", &webhook).field("email", &self.email).finish_non_exhaustive()
    }
}

impl Channels {
    /// One attempt at the operator's webhook.
    pub async fn operator_webhook(
        &self,
        (url, secret): &(Url, Vec<u8>),
        episode: &Episode,
        news: News,
        now: Timestamp,
    ) -> Outcome {
        webhook::post(&self.prober, &episode.message(news), url, secret, body(episode, news), now).await
    }

    /// A sign of life. Its URL is as good as a secret, so it is not quoted.
    pub async fn operator_ping(&self, url: &Url) -> Outcome {
        match self.prober.get(url, PING).await {
            Ok(receipt) if (200..=299).contains(&receipt.status) => {
                Outcome::Delivered { receipt: format!("HTTP {}", receipt.status) }
            }
            Ok(receipt) => Outcome::Retry { why: format!("HTTP {}", receipt.status), after: None },
            Err(cause) => Outcome::Retry { why: cause.text, after: None },
        }
    }

    /// One attempt at the operator's mailbox.
    pub async fn operator_email(&self, to: &str, episode: &Episode, news: News) -> Outcome {
        let Some(mail) = &self.mail else {
            return Outcome::Retry { why: "no mail server is configured: set --smtp-url".into(), after: None };
        };
        mail.send_plain(&episode.message(news), to, &subject(episode, news), text(episode, news), at(episode, news))
            .await
    }
}

#[derive(Serialize)]
struct Data<'a> {
    region: &'a str,
    cause: Cause<'a>,
    started_at: String,
    ended_at: Option<String>,
}

#[derive(Serialize)]
struct Cause<'a> {
    code: &'static str,
    text: &'a str,
}

/// Of an attempt that is repeated after the end came, the start still says that there is none: one id, one message.
fn body(episode: &Episode, news: News) -> Vec<u8> {
    let Episode { region, fault, text, started, .. } = episode;
    let body = Body {
        kind: match news {
            News::Impaired => "operator.impaired",
            News::Recovered => "operator.recovered",
        },
        version: VERSION,
        timestamp: at(episode, news).rfc3339(),
        data: Data {
            region: region.as_str(),
            cause: Cause { code: fault.as_str(), text },
            started_at: started.rfc3339(),
            ended_at: ended(episode, news).map(Timestamp::rfc3339),
        },
    };
    serde_json::to_vec(&body).expect("texts and numbers always serialise")
}

fn ended(episode: &Episode, news: News) -> Option<Timestamp> {
    match news {
        News::Impaired => None,
        News::Recovered => episode.ended,
    }
}

fn at(episode: &Episode, news: News) -> Timestamp {
    ended(episode, news).unwrap_or(episode.started)
}

fn subject(episode: &Episode, news: News) -> String {
    let lasted = humane_duration(at(episode, news).since(episode.started));
    match news {
        News::Impaired => format!("IMPAIRED · Gazer in {} — {}", episode.region, episode.fault),
        News::Recovered => format!("RECOVERED · Gazer in {} after {lasted}", episode.region),
    }
}

fn text(episode: &Episode, news: News) -> String {
    let Episode { region, fault, text, started, .. } = episode;
    let (first, end) = match ended(episode, news) {
        None => (format!("Gazer in {region} does not see what it should, or cannot tell it."), String::new()),
        Some(ended) => (format!("Gazer in {region} sees again."), format!("Ended   {}\n", ended.rfc3339())),
    };
    format!(
        "{first}\n\nCause   {text}\nCode    {fault}\nBegan   {}\n{end}\n\
         What was not seen meanwhile is unknown. No team was told of this.\n",
        started.rfc3339()
    )
}

#[cfg(test)]
mod tests {
    use gazer_domain::Region;
    use gazer_domain::sight::Fault;

    use super::*;

    fn episode(ended: Option<i64>) -> Episode {
        Episode {
            region: Region::local(),
            fault: Fault::NetworkDown,
            text: "our network seems to be down: none of 3 witnesses answers".into(),
            started: Timestamp::from_millis(1_790_000_000_000),
            ended: ended.map(Timestamp::from_millis),
        }
    }

    #[test]
    fn one_id_says_one_thing() {
        let (open, over) = (episode(None), episode(Some(1_790_000_090_000)));
        assert_eq!(body(&open, News::Impaired), body(&over, News::Impaired));
        assert_eq!(text(&open, News::Impaired), text(&over, News::Impaired));
        insta::assert_snapshot!(String::from_utf8(body(&over, News::Recovered)).unwrap(), @r#"{"type":"operator.recovered","version":1,"timestamp":"2026-09-21T14:14:50.000Z","data":{"region":"local","cause":{"code":"network_down","text":"our network seems to be down: none of 3 witnesses answers"},"started_at":"2026-09-21T14:13:20.000Z","ended_at":"2026-09-21T14:14:50.000Z"}}"#);
        insta::assert_snapshot!(subject(&open, News::Impaired), @"IMPAIRED · Gazer in local — network_down");
        insta::assert_snapshot!(subject(&over, News::Recovered), @"RECOVERED · Gazer in local after 1 min 30 s");
        insta::assert_snapshot!(text(&over, News::Recovered), @"
        Gazer in local sees again.

        Cause   our network seems to be down: none of 3 witnesses answers
        Code    network_down
        Began   2026-09-21T14:13:20.000Z
        Ended   2026-09-21T14:14:50.000Z

        What was not seen meanwhile is unknown. No team was told of this.
        ");
    }
}
