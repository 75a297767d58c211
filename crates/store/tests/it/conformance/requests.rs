use gazer_domain::Region;
use gazer_domain::verdict::Verdict;
use gazer_store::Answer;

use crate::world::{World, at};

pub(crate) async fn a_request_is_handed_out_once(world: World) {
    let (store, team) = (&world.store, world.team);
    let monitor = world.monitor("shop").await;
    assert!(store.requests_claim(at(1)).await.unwrap().is_empty());
    let request = store.request_add(team, monitor.id, at(1)).await.unwrap().unwrap();
    assert_eq!(store.request_add(team, monitor.id, at(2)).await.unwrap(), Some(request), "one answer serves both");
    let claim = async || store.requests_claim(at(2)).await.unwrap();
    let (one, two) = tokio::join!(claim(), claim());
    assert_eq!([one, two].concat(), [(request, monitor.id)]);
    assert_eq!(store.request_get(team, request).await.unwrap(), Some(None));
    let mut seen = world.seen(&monitor, 0, Verdict::Down);
    seen.certificate_until = Some(at(99));
    let mut other = seen.clone();
    other.certificate_until = None;
    let astray = world.seen(&world.monitor("other").await, 0, Verdict::Down);
    for answer in [&astray, &seen, &other] {
        let mut tx = store.begin().await.unwrap();
        tx.request_settle(request, &Region::local(), answer).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(
        store.request_get(team, request).await.unwrap(),
        Some(Some(Answer { region: Region::local(), observation: seen }))
    );
    let day = std::time::Duration::from_secs(86_400);
    assert_eq!(store.expire(at(3_600), day, 9).await.unwrap().requests, 0);
    assert_eq!(store.expire(at(3_601), day, 9).await.unwrap().requests, 1);
    assert_eq!(store.request_get(team, request).await.unwrap(), None);
}
