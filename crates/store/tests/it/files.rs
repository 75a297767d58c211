//! A data directory: one server at a time, commands beside it, and everything there after a restart.

use gazer_store::{Error, Options, SealingKey, Store};

use crate::world::{World, at};

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
    let again = Store::open(world.options.clone()).await.unwrap();
    assert_eq!(again.monitor_get(world.team, monitor.id).await.unwrap().unwrap().monitor, monitor);
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

#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::sqlite().await;
    world.monitor("shop").await;
    let gazer_store::Location::Sqlite(directory) = &world.options.location else { unreachable!() };
    for name in ["gazer.db", "gazer.db-wal"] {
        let mode = std::fs::metadata(directory.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// A start of the one process that a data directory has: nobody else can be sending.
#[tokio::test]
async fn a_start_takes_back_the_leases_of_the_last_one() {
    let world = World::sqlite().await;
    let (store, lease) = (&world.store, std::time::Duration::from_secs(30));
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, gazer_domain::verdict::Verdict::Down).await;
    let first = store.deliveries_claim(at(100), lease, 9).await.unwrap().remove(0);
    assert_eq!(store.leases_release().await.unwrap(), 1);
    let delivered = gazer_store::Settled::Delivered { receipt: "200".into() };
    assert!(!world.settle(&first, &delivered, at(101)).await);
    let again = store.deliveries_claim(at(101), lease, 9).await.unwrap().remove(0);
    assert_eq!((again.id, again.epoch), (first.id, 2));
}

/// Functions run as tasks on many threads, so what they await must be able to move between them.
#[tokio::test]
async fn the_stores_futures_can_move_between_threads() {
    let world = World::sqlite().await;
    let monitor = world.monitor("shop").await;
    let (store, team) = (world.store.clone(), world.team);
    let worked = tokio::spawn(async move {
        let mut tx = store.begin().await?;
        let mut watches = tx.watches_lock(&[monitor.id]).await?;
        let watch = watches.get_mut(&monitor.id).expect("it is there");
        let change = gazer_domain::period::Change { at: at(60), status: gazer_domain::period::Status::Down };
        tx.turn(watch, change, None, gazer_domain::IncidentId::from_bits(9), at(60)).await?;
        tx.evidence_add(watch, 0, at(60), gazer_domain::cause::Code::Internal, &[]).await?;
        tx.commit().await?;
        store.waits_fire(at(70)).await?;
        store.deliveries_claim(at(70), std::time::Duration::from_secs(9), 9).await?;
        store.planned_since(0).await?;
        store.expire(at(80), std::time::Duration::from_secs(9), 9).await?;
        store.monitor_delete(team, monitor.id, at(90)).await
    });
    assert!(worked.await.unwrap().unwrap());
}

/// Before there was a check, databases had secrets: they tell which key is theirs.
#[tokio::test]
async fn a_database_without_the_check_is_asked_for_its_secrets() {
    let world = World::sqlite().await;
    world.channel("hook").await;
    world.store.close().await;
    alter(&world, "delete from settings").await;
    let other = Options { key: SealingKey::from_bytes([8; 32]), ..world.options.clone() };
    let refused = Store::open(other).await.unwrap_err();
    assert!(matches!(refused, Error::OtherKey), "{refused}");
    Store::open(world.options.clone()).await.unwrap();
}

/// What another version, or an accident, would have done to the file.
async fn alter(world: &World, sql: &'static str) {
    let gazer_store::Location::Sqlite(directory) = &world.options.location else { unreachable!() };
    let database = sqlx::SqlitePool::connect(directory.join("gazer.db").to_str().unwrap()).await.unwrap();
    sqlx::query(sql).execute(&database).await.unwrap();
    database.close().await;
}

/// A server of another version may be running, and must find its tables as it left them.
#[tokio::test]
async fn a_command_beside_a_server_takes_only_the_present_version_and_changes_nothing() {
    let world = World::sqlite().await;
    alter(&world, "insert into migrations (version) values (99)").await;
    let newer = Store::open_beside(world.options.clone()).await.unwrap_err();
    assert!(matches!(newer, Error::FromTheFuture { found: 99, .. }), "{newer}");
    alter(&world, "delete from migrations where version > 1").await;
    for _ in 0..2 {
        let older = Store::open_beside(world.options.clone()).await.unwrap_err();
        assert!(matches!(older, Error::Behind { found: 1, .. }), "{older}");
    }

    let empty = tempfile::tempdir().unwrap();
    let location = gazer_store::Location::Sqlite(empty.path().to_owned());
    Store::open_beside(Options { location, ..world.options.clone() }).await.unwrap_err();
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
    let location = gazer_store::Location::postgres(gazer_testkit::postgres::fresh_database().await);
    for _ in 0..2 {
        let fresh =
            Store::open_beside(Options { location: location.clone(), ..world.options.clone() }).await.unwrap_err();
        assert!(matches!(fresh, Error::Behind { found: 0, .. }), "{fresh}");
    }
    Store::open(Options { location: location.clone(), ..world.options.clone() }).await.unwrap();
    Store::open_beside(Options { location, ..world.options.clone() }).await.unwrap();
}
