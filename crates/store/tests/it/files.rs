//! A data directory: one server at a time, commands beside it, and everything there after a restart.

use gazer_store::{Error, Store};

use crate::world::World;

#[tokio::test]
async fn a_data_directory_belongs_to_one_server() {
    let world = World::sqlite().await;
    let refused = Store::open(world.options.clone()).await.unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    assert!(refused.to_string().ends_with("is in use by another process"));

    let beside = Store::open_beside(world.options.clone()).await.unwrap();
    assert_eq!(beside.team_list().await.unwrap().len(), 2);
    beside.setting_set("greeting", "hello").await.unwrap();
    beside.close().await;
    assert_eq!(world.store.setting_get("greeting").await.unwrap().as_deref(), Some("hello"));
}

#[tokio::test]
async fn a_restart_finds_what_was_written() {
    let world = World::sqlite().await;
    let monitor = world.monitor("shop").await;
    world.store.close().await;
    let World { store, options, team, _directory, .. } = world;
    drop(store);
    let again = Store::open(options).await.unwrap();
    assert_eq!(again.monitor_get(team, monitor.id).await.unwrap().unwrap().monitor, monitor);
}

#[tokio::test]
async fn secrets_are_not_in_the_file() {
    let world = World::sqlite().await;
    world.store.setting_set("setup", "a-rather-long-secret").await.unwrap();
    world.store.close().await;
    let gazer_store::Location::Sqlite(directory) = &world.options.location else { unreachable!() };
    let bytes = std::fs::read(directory.join("gazer.db")).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"a-rather"));
}
