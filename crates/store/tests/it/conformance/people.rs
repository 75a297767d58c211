use std::time::Duration;

use gazer_domain::access::Role;
use gazer_domain::{TeamId, TokenId, UserId};
use gazer_store::{Error, Options, SealingKey, Store, Token};

use crate::world::{World, at};

pub(crate) async fn the_first_owner_is_made_once(world: World) {
    let store = &world.store;
    assert!(!store.owner_exists().await.unwrap());
    let create = |n: u128| {
        let team = TeamId::from_bits(n);
        async move { store.owner_create(UserId::from_bits(n), &format!("{n}@x.org"), "h", team, "T", at(1)).await.unwrap() }
    };
    let (one, two) = tokio::join!(create(50), create(51));
    assert!(one ^ two, "two strangers at once: one becomes the owner");
    assert!(store.owner_exists().await.unwrap());
    assert!(!create(52).await);
}

pub(crate) async fn a_team_is_founded_with_its_owner_or_not_at_all(world: World) {
    let (store, user, team) = (&world.store, world.id(), world.id());
    let before = store.team_list().await.unwrap().len();
    assert!(store.team_found(user, "Bob@example.com", "h", team, "Shop", at(1)).await.unwrap());
    assert_eq!(store.team_of(user).await.unwrap(), Some(team));
    assert_eq!(store.team_list().await.unwrap().len(), before + 1);
    assert!(!store.team_found(world.id(), "bob@EXAMPLE.com", "h", world.id(), "Other", at(2)).await.unwrap());
    assert_eq!(store.team_list().await.unwrap().len(), before + 1, "no team without its owner");
}

pub(crate) async fn the_owner_of_the_first_team_is_the_operator(world: World) {
    let store = &world.store;
    let (first, _) = store.team_list().await.unwrap().remove(0);
    let later: TeamId = world.id();
    store.team_create(later, "Later", at(1)).await.unwrap();
    for (n, (team, role, expected)) in
        [(first, Role::Owner, true), (first, Role::Admin, false), (later, Role::Owner, false)].into_iter().enumerate()
    {
        let (user, hash): (UserId, _) = (world.id(), [n as u8; 32]);
        assert!(store.user_create(user, &format!("{n}@example.com"), "h", at(1)).await.unwrap());
        store.member_add(team, user, role, at(1)).await.unwrap();
        store.session_create(hash, user, team, at(1), at(100)).await.unwrap();
        let principal = store.session_find(hash, at(2)).await.unwrap().unwrap();
        assert_eq!(principal.is_operator, expected, "{role} of {team}");
        let token = Token { id: world.id(), name: "ci".into(), role, created: at(1), last_used: None };
        store.token_create(team, &token, hash).await.unwrap();
        assert_eq!(store.token_find(hash, at(2)).await.unwrap().unwrap().is_operator, expected);
    }
}

pub(crate) async fn addresses_are_compared_without_case(world: World) {
    let (store, user) = (&world.store, world.id());
    assert!(store.user_create(user, " Ann@Example.com", "hash", at(1)).await.unwrap());
    assert!(!store.user_create(world.id(), "ann@example.COM", "other", at(2)).await.unwrap());
    let found = store.user_by_email("ANN@example.com").await.unwrap().unwrap();
    assert_eq!((found.id, found.password_hash.as_str()), (user, "hash"));
    assert_eq!(store.user_by_email("nul\0@example.com").await.unwrap(), None);
}

async fn member(world: &World) -> UserId {
    let user = world.id();
    world.store.user_create(user, "ann@example.com", "hash", at(1)).await.unwrap();
    world.store.member_add(world.team, user, Role::Admin, at(1)).await.unwrap();
    user
}

pub(crate) async fn a_new_password_ends_sessions(world: World) {
    let (store, user) = (&world.store, member(&world).await);
    store.session_create([1; 32], user, world.team, at(1), at(1_000)).await.unwrap();
    let who = store.session_find([1; 32], at(2)).await.unwrap().unwrap();
    assert_eq!(
        (who.who.as_str(), who.team, who.role, who.user),
        ("ann@example.com", world.team, Role::Admin, Some(user))
    );
    assert!(store.user_set_password(user, "new").await.unwrap());
    assert_eq!(store.session_find([1; 32], at(3)).await.unwrap(), None);
    assert!(!store.user_set_password(world.id(), "new").await.unwrap());
}

pub(crate) async fn sessions_expire(world: World) {
    let (store, user) = (&world.store, member(&world).await);
    for n in [1, 2] {
        store.session_create([n; 32], user, world.team, at(1), at(10)).await.unwrap();
    }
    assert!(store.session_find([1; 32], at(9)).await.unwrap().is_some());
    assert!(store.session_find([1; 32], at(10)).await.unwrap().is_none());
    store.session_end([2; 32]).await.unwrap();
    assert!(store.session_find([2; 32], at(5)).await.unwrap().is_none());
    assert_eq!(store.expire(at(11), Duration::from_secs(9), 100).await.unwrap().sessions, 1);
}

async fn last_used(store: &Store, team: TeamId) -> Option<gazer_domain::Timestamp> {
    store.token_list(team).await.unwrap()[0].last_used
}

pub(crate) async fn tokens_act_for_their_team(world: World) {
    let (store, team) = (&world.store, world.team);
    let id: TokenId = world.id();
    let token = Token { id, name: "ci".into(), role: Role::Viewer, created: at(1), last_used: None };
    store.token_create(team, &token, [9; 32]).await.unwrap();
    assert_eq!(store.token_list(team).await.unwrap(), [token]);
    let who = store.token_find([9; 32], at(5)).await.unwrap().unwrap();
    assert_eq!((who.who.as_str(), who.team, who.role, who.token), ("ci", team, Role::Viewer, Some(id)));
    store.token_find([9; 32], at(64)).await.unwrap();
    assert_eq!(last_used(store, team).await, Some(at(5)), "at most once a minute");
    store.token_find([9; 32], at(65)).await.unwrap();
    assert_eq!(last_used(store, team).await, Some(at(65)));
    assert!(store.token_delete(team, id).await.unwrap());
    assert!(store.token_find([9; 32], at(66)).await.unwrap().is_none());
}

pub(crate) async fn settings_are_sealed(world: World) {
    let store = &world.store;
    assert_eq!(store.setting_get("setup").await.unwrap(), None);
    store.setting_set("setup", "one").await.unwrap();
    store.setting_set("setup", "two").await.unwrap();
    assert_eq!(store.setting_get("setup").await.unwrap().as_deref(), Some("two"));
}

/// A database that was restored without its key, or a second node with a folder of its own.
pub(crate) async fn another_key_is_refused(world: World) {
    world.store.close().await;
    let other = Options { key: SealingKey::from_bytes([8; 32]), ..world.options.clone() };
    for refused in [Store::open(other.clone()).await, Store::open_beside(other).await] {
        let error = refused.unwrap_err();
        assert!(matches!(error, Error::OtherKey), "{error}");
    }
    Store::open(world.options.clone()).await.unwrap();
}
