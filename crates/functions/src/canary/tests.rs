use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use gazer_bus::hold::{self, Lease};
use gazer_bus::{Clock, Hold};
use gazer_domain::Region;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::sight::{Canaries, Episode, Look, Told};
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_store::TrackedEpisode;
use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::until::until;

use super::*;
use crate::trial::{self, Still};

const SOON: Duration = Duration::from_secs(10);

/// Ours, in the turn that it says.
#[derive(Debug)]
struct Ours(Arc<AtomicI64>);

#[async_trait::async_trait]
impl Lease for Ours {
    async fn renew(&self) -> Result<Option<i64>, Failure> {
        Ok(Some(self.0.load(Ordering::SeqCst)))
    }

    async fn release(&self) -> Result<(), Failure> {
        Ok(())
    }
}

struct World {
    canary: Canary,
    clock: Arc<Still>,
    epoch: Arc<AtomicI64>,
    receiver: WebhookReceiver,
}

impl World {
    async fn new() -> Self {
        let receiver = WebhookReceiver::start().await;
        let url = receiver.url().parse().expect("a URL");
        let operator = Operator { webhook: Some((url, vec![7; 24])), ..Operator::default() };
        let (clock, epoch) = (Arc::new(Still::new()), Arc::new(AtomicI64::new(1)));
        let (hold, _) = hold::keep(Arc::new(Ours(Arc::clone(&epoch))));
        let lookout = Lookout::new(Region::local(), Lookout::EVERY, operator);
        let parts = Parts { hold, ..trial::parts(trial::store().await, clock.clone(), lookout) };
        let world = Self { canary: Canary::new(&parts), clock, epoch, receiver };
        world.turn(1).await;
        world
    }

    fn is_impaired(&self) -> bool {
        self.canary.parts.lookout.impaired()[&Region::local()]
    }

    /// Waits until the turn is of this epoch.
    async fn turn(&self, epoch: i64) {
        self.epoch.store(epoch, Ordering::SeqCst);
        let hold: &Hold = &self.canary.parts.hold;
        assert!(until(SOON, async || hold.epoch() == Some(epoch)).await, "the lease is not asked for");
    }

    /// Looks once, a little later.
    async fn look(&self) {
        self.clock.stand_at(self.clock.now() + Lookout::EVERY);
        let (at, until) = (self.clock.now(), self.clock.now());
        self.canary.run(Woken::Clock { at, until }).await.expect("it runs");
    }

    fn kinds(&self) -> Vec<String> {
        self.receiver.received().iter().map(|told| told.kind().to_owned()).collect()
    }

    fn episode(&self) -> Episode {
        let text = "the database does not take what is decided: it is away".to_owned();
        let region = Region::local();
        Episode { region, fault: Fault::StoreSilent, text, started: self.clock.now(), ended: None }
    }
}

/// The lease runs out while the store is away, so the turn that comes with it is a new one.
#[tokio::test]
async fn what_the_store_did_not_take_outlives_the_turn() {
    let world = World::new().await;
    {
        let mut state = world.canary.state.lock().await;
        for _ in 0..2 {
            state.home.fold(world.clock.now(), Some((Fault::StoreSilent, "no answer".into())));
        }
        state.epoch = 1;
        // Told from memory: the store is not known to answer.
        state.home.work(&world.canary.parts).await;
    }
    assert_eq!(world.kinds(), ["operator.impaired"]);
    world.turn(2).await;
    for _ in 0..3 {
        world.look().await;
    }
    assert_eq!(world.kinds(), ["operator.impaired", "operator.recovered"]);
    let told = world.receiver.received();
    assert_eq!(told[0].json["data"]["started_at"], told[1].json["data"]["started_at"]);
    let left = world.canary.parts.store.episodes_unsettled(&Region::local(), world.clock.now()).await;
    assert!(left.expect("the store answers").is_empty(), "it is written, and settled");
}

#[tokio::test]
async fn what_another_process_told_is_not_told_again() {
    let world = World::new().await;
    world.look().await;
    let store = &world.canary.parts.store;
    let mut tracked = TrackedEpisode { episode: world.episode(), webhook: Told::Start, email: Told::All };
    store.episode_put(&tracked).await.expect("the store answers");
    world.turn(2).await;
    world.look().await;
    assert!(world.is_impaired(), "it lasts until two looks found nothing");
    // It is ended, and told, by another; then the turn comes back.
    (tracked.episode.ended, tracked.webhook) = (Some(world.clock.now()), Told::All);
    store.episode_put(&tracked).await.expect("the store answers");
    world.turn(3).await;
    for _ in 0..2 {
        world.look().await;
        assert!(!world.is_impaired());
    }
    assert!(world.kinds().is_empty(), "{:?}", world.kinds());
}

impl World {
    /// A prober of that region says what it sees: all is well, or its network is down.
    async fn says(&self, region: &str, world: gazer_domain::sight::World) {
        let refused = Judgement::of(Verdict::Down, Cause::new(Code::ConnectionRefused, "it is closed"));
        let canaries = Some(Canaries { up: Judgement::UP, down: refused });
        let look = Look { region: region.parse().unwrap(), prober: "one".into(), canaries, world };
        let said = self.canary.run(Woken::Messages(vec![Message::Looked(Box::new(look))])).await;
        said.expect("hearing cannot fail");
    }

    fn news(&self) -> Vec<String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let told = self.receiver.received();
        let data = |hook: &gazer_testkit::receiver::Received| {
            format!(
                "{} {} {}",
                hook.kind(),
                text(&hook.json["data"]["region"]),
                text(&hook.json["data"]["cause"]["code"])
            )
        };
        told.iter().map(data).collect()
    }
}

#[tokio::test]
async fn a_region_that_is_blind_or_silent_is_told_by_its_name_once() {
    use gazer_domain::sight::World as Seen;
    let world = World::new().await;
    let store = &world.canary.parts.store;
    for region in ["eu", "us"] {
        assert!(store.region_add(&region.parse().unwrap(), world.clock.now()).await.unwrap());
    }
    world.look().await;
    for _ in 0..6 {
        world.says("eu", Seen::Answers).await;
        world.says("us", Seen::Answers).await;
        world.look().await;
    }
    assert!(world.news().is_empty(), "{:?}", world.news());
    for _ in 0..3 {
        world.says("eu", Seen::Silent { asked: 3 }).await;
        world.says("us", Seen::Answers).await;
        world.look().await;
    }
    assert_eq!(world.news(), ["operator.impaired eu network_down"]);
    for _ in 0..8 {
        world.says("eu", Seen::Answers).await;
        world.look().await;
    }
    let impaired = "operator.impaired us region_silent";
    assert_eq!(world.news(), ["operator.impaired eu network_down", "operator.recovered eu network_down", impaired]);
    assert!(store.region_remove(&"us".parse().unwrap(), world.clock.now()).await.unwrap());
    for _ in 0..2 {
        world.says("eu", Seen::Answers).await;
        world.look().await;
    }
    assert_eq!(world.news().last().map(String::as_str), Some("operator.recovered us region_silent"));
    assert_eq!(world.canary.parts.lookout.impaired().len(), 2, "what is gone is not counted");
}
