use std::time::Duration;

use gazer_domain::DeliveryId;
use gazer_domain::verdict::Verdict;
use gazer_store::Settled;

use crate::world::{World, at};

const DAY: Duration = Duration::from_secs(86_400);

pub(crate) async fn what_is_old_goes(world: World) {
    let store = &world.store;
    let channel = world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    for n in 0..10 {
        world.check(&monitor, n, if n == 1 { Verdict::Down } else { Verdict::Up }).await;
    }
    store.delivery_test(world.team, channel, &DeliveryId::test(at(1), [1; 10]), at(1)).await.unwrap();
    for delivery in store.deliveries_claim(at(900), DAY, 9).await.unwrap() {
        let receipt = Settled::Delivered { receipt: "ok".into() };
        world.settle(&delivery, &receipt, at(901)).await;
    }
    let now = world.slot(&monitor, 5) + DAY;
    let first = store.expire(now, DAY, 3).await.unwrap();
    assert_eq!((first.checks, first.deliveries), (3, 0), "a batch at a time");
    assert_eq!(store.expire(now, DAY, 3).await.unwrap().checks, 2);
    assert_eq!(store.expire(now, DAY, 3).await.unwrap().checks, 0);
    let left = store.checks(world.team, monitor.id, None, at(0), at(9_000)).await.unwrap();
    assert_eq!(left[0].slot, world.slot(&monitor, 5));

    let later = store.expire(at(1_000) + DAY * 401, DAY * 500, 100).await.unwrap();
    assert_eq!((later.deliveries, later.incidents, later.checks), (1, 1, 0));
    assert!(later.periods >= 2);
    let periods = store.periods(world.team, &[monitor.id], at(0), at(9_000)).await.unwrap();
    assert_eq!(periods[&monitor.id].len(), 1, "the lasting one stays");
}
