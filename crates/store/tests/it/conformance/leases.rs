use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_store::Word;

use crate::world::World;

const LONG: Duration = Duration::from_secs(3_600);
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

pub(crate) async fn a_lease_is_one_holders_until_it_ends(world: World) {
    let store = &world.store;
    assert_eq!(store.lease_renew("clock", "a", LONG).await.unwrap(), Some(1));
    assert_eq!(store.lease_renew("clock", "b", LONG).await.unwrap(), None, "it is a's");
    assert_eq!(store.lease_renew("other", "b", LONG).await.unwrap(), Some(1), "leases know nothing of each other");
    assert_eq!(store.lease_renew("clock", "a", LONG).await.unwrap(), Some(1), "one turn, prolonged");
    store.lease_release("clock", "b").await.unwrap();
    assert_eq!(store.lease_renew("clock", "b", LONG).await.unwrap(), None, "nobody ends what is another's");
    store.lease_release("clock", "a").await.unwrap();
    assert_eq!(store.lease_renew("clock", "b", Duration::ZERO).await.unwrap(), Some(2), "a new turn, a new epoch");
    assert_eq!(store.lease_renew("clock", "b", Duration::ZERO).await.unwrap(), Some(2), "it ran out, and nobody came");
    assert_eq!(store.lease_renew("clock", "a", LONG).await.unwrap(), Some(3), "b's ran out at once");
}

pub(crate) async fn whoever_has_a_lease_hears_that_another_waits_and_leaves_word(world: World) {
    let store = &world.store;
    let is_wanted = async || store.lease_wanted("clock", "a", LONG).await.unwrap();
    let epoch = store.lease_renew("clock", "a", LONG).await.unwrap().unwrap();
    assert_eq!((is_wanted().await, store.word_read("clock").await.unwrap()), (false, None));
    store.lease_want("clock", "a").await.unwrap();
    assert!(!is_wanted().await, "nobody waits for what is its own");
    store.lease_want("clock", "b").await.unwrap();
    assert!(is_wanted().await);
    assert!(!store.lease_wanted("clock", "a", Duration::ZERO).await.unwrap(), "that was before");
    store.lease_renew("clock", "a", LONG).await.unwrap();
    assert!(is_wanted().await, "it is not forgotten by going on");

    let word = Word { next: NOW, seq: 7 };
    store.word_leave("clock", epoch, word).await.unwrap();
    store.lease_release("clock", "a").await.unwrap();
    assert_eq!(store.lease_renew("clock", "b", LONG).await.unwrap(), Some(epoch + 1));
    assert_eq!(store.word_read("clock").await.unwrap(), Some(word));
    assert!(!store.lease_wanted("clock", "b", LONG).await.unwrap(), "a new turn, which nobody waits for yet");
    store.word_leave("clock", epoch, Word { next: NOW + LONG, seq: 8 }).await.unwrap();
    assert_eq!(store.word_read("clock").await.unwrap(), Some(word), "the turn in which that was so is over");
}

pub(crate) async fn of_many_who_ask_one_has_it(world: World) {
    let names: Vec<String> = (0..12).map(|n| format!("node {n}")).collect();
    let asked = names.iter().map(|name| world.store.lease_renew("clock", name, LONG));
    let won = futures_util::future::join_all(asked).await;
    let won: Vec<_> = won.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(won, [1]);
}
