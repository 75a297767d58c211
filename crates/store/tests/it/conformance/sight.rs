use std::time::Duration;

use gazer_domain::Region;
use gazer_domain::sight::{Episode, Fault, Told};
use gazer_domain::verdict::Verdict;
use gazer_store::{Overdue, TrackedEpisode};

use crate::world::{World, at};

fn episode(region: &Region, started: u64) -> TrackedEpisode {
    let text = "our network seems to be down".to_owned();
    let episode =
        Episode { region: region.clone(), fault: Fault::NetworkDown, text, started: at(started), ended: None };
    TrackedEpisode { episode, webhook: Told::Nothing, email: Told::All }
}

async fn unsettled(world: &World, now: u64) -> Vec<TrackedEpisode> {
    world.store.episodes_unsettled(&Region::local(), at(now)).await.unwrap()
}

pub(crate) async fn an_episode_is_kept_until_it_is_told(world: World) {
    let store = &world.store;
    let mut tracked = episode(&Region::local(), 10);
    for told in [Told::Nothing, Told::Start] {
        tracked.webhook = told;
        store.episode_put(&tracked).await.unwrap();
        assert_eq!(unsettled(&world, 20).await, [tracked.clone()], "as it was written, and once");
    }
    tracked.episode.ended = Some(at(100));
    store.episode_put(&tracked).await.unwrap();
    let newer = episode(&Region::local(), 200);
    store.episode_put(&newer).await.unwrap();
    assert_eq!(unsettled(&world, 200).await, [tracked.clone(), newer.clone()], "oldest first");
    let left = [newer];
    assert_eq!(unsettled(&world, 4 * 86_400).await, left, "nobody wants to hear the other now; this one lasts");
    tracked.webhook = Told::All;
    store.episode_put(&tracked).await.unwrap();
    assert_eq!(unsettled(&world, 200).await, left);
    let expired = store.expire(at(500 * 86_400), Duration::from_secs(86_400), 9).await.unwrap();
    assert_eq!(expired.episodes, 1, "what lasts stays");
}

pub(crate) async fn a_region_has_its_own_episodes(world: World) {
    let (store, elsewhere) = (&world.store, &"fra".parse().unwrap());
    for region in [&Region::local(), elsewhere] {
        store.episode_put(&episode(region, 10)).await.unwrap();
        for second in [10, 25] {
            store.look_note(region, at(second)).await.unwrap();
        }
    }
    assert_eq!(unsettled(&world, 20).await, [episode(&Region::local(), 10)]);
    assert_eq!(store.episodes_unsettled(elsewhere, at(20)).await.unwrap(), [episode(elsewhere, 10)]);
}

pub(crate) async fn when_witnesses_answered_outlives_a_look(world: World) {
    let (store, elsewhere) = (&world.store, &"fra".parse().unwrap());
    let answered = async || store.world_answered(&Region::local()).await.unwrap();
    assert_eq!(answered().await, None);
    store.look_note(&Region::local(), at(10)).await.unwrap();
    assert_eq!(answered().await, None, "a look is no answer");
    store.world_note(&Region::local(), at(20)).await.unwrap();
    store.look_note(&Region::local(), at(30)).await.unwrap();
    store.world_note(elsewhere, at(40)).await.unwrap();
    assert_eq!(answered().await, Some(at(20)));
}

pub(crate) async fn checks_that_do_not_come_are_counted(world: World) {
    let store = &world.store;
    let count = async |now: u64, since: u64| store.checks_overdue(at(now), at(since)).await.unwrap();
    assert_eq!(count(0, 0).await, Overdue::default());
    let seen = world.monitor("seen").await;
    world.monitor("fresh").await;
    let paused = world.monitor("paused").await;
    store.monitor_pause(world.team, paused.id, at(1)).await.unwrap();
    assert_eq!(count(30, 0).await, Overdue { overdue: 0, watched: 2 }, "there was no time yet");
    let late = 3_600;
    assert_eq!(count(late, 0).await, Overdue { overdue: 2, watched: 2 });
    assert_eq!(count(late, late - 30).await, Overdue { overdue: 0, watched: 2 }, "we have only just begun");
    world.check(&seen, 59, Verdict::Down).await;
    assert_eq!(count(late, 0).await, Overdue { overdue: 1, watched: 2 });
}
