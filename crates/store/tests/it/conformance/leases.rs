use std::time::Duration;

use crate::world::World;

const LONG: Duration = Duration::from_secs(3_600);

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

pub(crate) async fn of_many_who_ask_one_has_it(world: World) {
    let names: Vec<String> = (0..12).map(|n| format!("node {n}")).collect();
    let asked = names.iter().map(|name| world.store.lease_renew("clock", name, LONG));
    let won = futures_util::future::join_all(asked).await;
    let won: Vec<_> = won.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(won, [1]);
}
