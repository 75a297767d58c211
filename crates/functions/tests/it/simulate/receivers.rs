//! Who is told: the receivers of the team's webhooks, each with its manners, and the operator's.

use gazer_domain::alert::{RuleSettings, Scope, Trigger};
use serde_json::Value;
use tokio::io::{AsyncWriteExt, DuplexStream};

use super::faults::{Faults, Stretch, stretches};
use super::network::Network;
use super::stream::{read_request, until_left};
use super::time::True;
use gazer_domain::ChannelId;
use gazer_testkit::chance::Chance;
use std::time::Duration;

pub(crate) const OPERATOR: &str = "http://10.0.0.9/";
const MINUTE: True = 60_000;
/// A rule waits so long that most outages end before.
pub(crate) const PATIENCE: True = 8 * MINUTE;

/// The channels of the team, by their place.
pub(crate) const PROMPT: usize = 0;
/// Hears only of what lasts.
pub(crate) const PATIENT: usize = 1;
/// Of it people change their minds.
pub(crate) const FICKLE: usize = 2;
/// Fails for a while, and comes back.
pub(crate) const FALLS: usize = 3;
/// Refuses for good from some time on.
pub(crate) const GONE: usize = 4;
pub(crate) const RECEIVERS: usize = 5;

/// One message as its receiver took it.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) at: True,
    /// The place of the receiver; nothing for the operator's.
    pub(crate) receiver: Option<usize>,
    pub(crate) id: String,
    pub(crate) json: Value,
}

/// One that was refused for good.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) at: True,
    pub(crate) id: String,
    pub(crate) json: Value,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Receiver {
    /// It takes nothing in the first of these, answers too late in the second, and so on in turns.
    pub(crate) falls: Vec<Stretch>,
    /// From then on it answers that it is gone for good.
    pub(crate) gone: Option<True>,
}

/// What a receiver does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Takes,
    /// It took the message, and its answer is lost.
    TakesSilently,
    /// It took the message, and whoever told it dies before the answer.
    TakesOfTheDying,
    Fails,
    Refuses,
}

pub(crate) fn name_of(receiver: usize) -> String {
    format!("hooks{receiver}.test")
}

pub(crate) fn channel(receiver: usize) -> ChannelId {
    ChannelId::from_bits(1 + receiver as u128)
}

/// Who hears of what, by the rules that stand at the beginning. The first is the one that people change.
pub(crate) fn rules() -> [RuleSettings; 3] {
    let rule = |name: &str, receivers: &[usize], after: True| RuleSettings {
        name: name.into(),
        scope: Scope::All,
        channels: receivers.iter().copied().map(channel).collect(),
        on: vec![Trigger::Down, Trigger::Recovered],
        after: Duration::from_millis(after),
    };
    [rule("fickle", &[FICKLE], 3 * MINUTE), rule("all", &[PROMPT, FALLS, GONE], 0), rule("lasts", &[PATIENT], PATIENCE)]
}

pub(crate) fn draw(faults: &Faults, chance: &mut Chance) -> Vec<Receiver> {
    let mut all = vec![Receiver::default(); RECEIVERS];
    all[FALLS].falls = stretches(faults.falls, 5 * MINUTE, 20 * MINUTE, chance);
    all[GONE].gone = (faults.falls > 0).then(|| chance.between(8 * 60 * MINUTE, 16 * 60 * MINUTE));
    all
}

impl Receiver {
    fn manner(&self, at: True) -> Manner {
        if self.gone.is_some_and(|gone| at >= gone) {
            return Manner::Refuses;
        }
        match self.falls.iter().position(|fall| fall.holds(at)) {
            Some(n) if n % 2 == 0 => Manner::Fails,
            Some(_) => Manner::TakesSilently,
            None => Manner::Takes,
        }
    }
}

impl Network {
    pub(super) async fn receive(&self, place: usize, receiver: &Receiver, stream: DuplexStream) {
        let manner = match receiver.manner(self.0.time.now()) {
            Manner::Takes => self.stumble(self.0.faults.dies_telling),
            other => other,
        };
        self.take(Some(place), manner, stream).await;
    }

    pub(super) async fn tell_operator(&self, stream: DuplexStream) {
        let manner = self.stumble(self.0.faults.dies_telling_operator);
        self.take(None, manner, stream).await;
    }

    /// Also who has no reason to fails now and then.
    fn stumble(&self, dies_telling: u64) -> Manner {
        let (dies, fails, silent) =
            (self.once_in(dies_telling), self.once_in(self.0.faults.receiver_fails), self.once_in(2));
        match (dies, fails, silent) {
            (true, ..) => Manner::TakesOfTheDying,
            (_, false, _) => Manner::Takes,
            (_, true, true) => Manner::TakesSilently,
            (_, true, false) => Manner::Fails,
        }
    }

    async fn take(&self, receiver: Option<usize>, manner: Manner, mut stream: DuplexStream) {
        let Some((head, body)) = read_request(&mut stream).await else { return };
        self.data().await;
        let at = self.0.time.now();
        let id = head.lines().find_map(|line| line.strip_prefix("webhook-id: ")).unwrap_or_default().to_owned();
        let json = serde_json::from_slice(&body).expect("messages are JSON");
        match manner {
            Manner::Fails => {}
            Manner::Refuses => self.0.refusals.lock().expect("no panics here").push(Refusal { at, id, json }),
            Manner::Takes | Manner::TakesSilently | Manner::TakesOfTheDying => {
                self.0.receipts.lock().expect("no panics here").push(Receipt { at, receiver, id, json });
            }
        }
        let answer = match manner {
            Manner::Takes => "HTTP/1.1 204 No Content\r\n\r\n",
            Manner::Fails => "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            Manner::Refuses => "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
            // Where nothing takes time, the connection breaks instead.
            Manner::TakesSilently if !self.0.time.runs() => return,
            Manner::TakesSilently => return until_left(&mut stream).await,
            Manner::TakesOfTheDying => {
                self.0.death.notify_one();
                return until_left(&mut stream).await;
            }
        };
        self.data().await;
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}
