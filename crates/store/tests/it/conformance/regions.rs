use std::time::Duration;

use gazer_domain::alert::Trigger;
use gazer_domain::cause::Code;
use gazer_domain::delivery::State;
use gazer_domain::guarantee::LATENESS;
use gazer_domain::health::fold_gap;
use gazer_domain::incident::{EventKind, Trouble};
use gazer_domain::monitor::{Monitor, Settings};
use gazer_domain::period::{Period, Status};
use gazer_domain::verdict::Verdict;
use gazer_domain::{Quorum, Region, Timestamp};
use gazer_store::{Advance, Error, Options, Place, Store};

use crate::world::{MINUTE, World, at, cause};

async fn three(world: &World) -> [Region; 3] {
    [Region::local(), world.region("fra").await, world.region("nyc").await]
}

async fn status(world: &World, monitor: &Monitor) -> Status {
    world.store.monitor_get(world.team, monitor.id).await.unwrap().unwrap().status
}

async fn all(world: &World, regions: &[Region], monitor: &Monitor, n: u32, verdicts: &[Verdict]) {
    for (region, verdict) in regions.iter().zip(verdicts) {
        world.check_from(region, monitor, n, *verdict).await;
    }
}

/// Every kind of trouble and its end, at once.
async fn rule(world: &World, name: &str, on: Trigger) -> gazer_domain::ChannelId {
    let channel = world.channel(name).await;
    world.rule(&[channel], &[on, Trigger::Recovered], Duration::ZERO).await;
    channel
}

/// What the function `audit` does.
async fn audit(world: &World, now: Timestamp) {
    let overdue = world.store.tracks_overdue(now, 9).await.unwrap();
    let mut tx = world.store.begin().await.unwrap();
    for watch in tx.watches_lock(&overdue).await.unwrap().values_mut() {
        let gaps = watch.standing.regions.iter().enumerate();
        let gaps = gaps.filter_map(|(i, health)| Some((i, fold_gap(*health, now, watch.grace, &watch.policy)?)));
        let gaps: Vec<_> = gaps.collect();
        let advanced: Vec<_> = gaps.iter().map(|(i, step)| Advance::of(watch.tracks[*i].key, step.health)).collect();
        tx.health_advance(&advanced).await.unwrap();
        if let Some(change) = watch.standing.lapse(&gaps) {
            tx.turn(watch, change, None, world.id(), now).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

use Verdict::{Down, Slow, Up};

pub(crate) async fn a_majority_of_three_makes_it_down(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    world.listener("hook").await;
    all(&world, &regions, &monitor, 0, &[Up, Up, Up]).await;
    all(&world, &regions, &monitor, 1, &[Up, Down]).await;
    assert_eq!(status(&world, &monitor).await, Status::Up, "the third has not reported on that slot yet");
    world.check_from(&regions[2], &monitor, 1, Down).await;
    assert_eq!(status(&world, &monitor).await, Status::Down);
    all(&world, &regions, &monitor, 2, &[Down, Up, Up]).await;
    all(&world, &regions, &monitor, 3, &[Up, Up, Up]).await;
    let story = world.story(monitor.id).await;
    let events = story.events.iter().map(|e| (e.kind, e.at)).collect::<Vec<_>>();
    let (start, partly) = (world.slot(&monitor, 1), world.slot(&monitor, 2));
    assert_eq!(events, [(EventKind::Regional, partly), (EventKind::Recovered, world.slot(&monitor, 3))]);
    let all = world.store.periods(world.team, &[monitor.id], start, at(9_000)).await.unwrap().remove(&monitor.id);
    let statuses = all.unwrap().iter().map(|p| (p.status, p.started)).collect::<Vec<_>>();
    assert_eq!(
        statuses,
        [(Status::Down, start), (Status::Regional, partly), (Status::Up, world.slot(&monitor, 3))],
        "two of three are well again: what is left is regional"
    );
}

pub(crate) async fn one_of_three_is_regional_and_has_a_trigger_of_its_own(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    let (down, regional) =
        (rule(&world, "down", Trigger::Down).await, rule(&world, "regional", Trigger::Regional).await);
    all(&world, &regions, &monitor, 0, &[Up, Up, Up]).await;
    all(&world, &regions, &monitor, 1, &[Up, Up, Down]).await;
    let story = world.story(monitor.id).await;
    let slot = world.slot(&monitor, 1);
    assert_eq!((story.view.incident.trouble, story.view.incident.started), (Trouble::Regional, slot));
    assert_eq!(story.view.incident.cause, cause(Down).unwrap());
    assert_eq!(story.deliveries.iter().map(|d| d.channel).collect::<Vec<_>>(), [regional]);
    let proofs = story.evidence.iter().map(|e| (e.slot, e.region.as_str(), e.attempts.len())).collect::<Vec<_>>();
    assert_eq!(proofs, [(slot, "nyc", 1)]);

    all(&world, &regions, &monitor, 2, &[Up, Down, Down]).await;
    let story = world.story(monitor.id).await;
    assert_eq!(story.view.incident.trouble, Trouble::Down);
    let told = story.deliveries.iter().map(|d| (d.event_kind, d.channel)).collect::<Vec<_>>();
    assert_eq!(told, [(Some(EventKind::Regional), regional), (Some(EventKind::Down), down)]);
    all(&world, &regions, &monitor, 3, &[Up, Up, Up]).await;
    let story = world.story(monitor.id).await;
    assert_eq!(story.view.incident.ended, Some(world.slot(&monitor, 3)));
    assert_eq!(story.deliveries.iter().filter(|d| d.event_kind == Some(EventKind::Recovered)).count(), 2);
}

/// The first report of an outage waits for the second; its evidence and its cause wait with it.
pub(crate) async fn what_was_seen_before_the_quorum_is_kept_as_evidence(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    all(&world, &regions, &monitor, 0, &[Up, Up, Up]).await;
    for n in 1..=2 {
        // Seen only by the one region in slot 1, while the others cannot say.
        world.check_from(&regions[2], &monitor, n, Down).await;
    }
    assert_eq!(status(&world, &monitor).await, Status::Up);
    world.check_from(&regions[0], &monitor, 2, Slow).await;
    world.check_from(&regions[1], &monitor, 2, Up).await;
    let story = world.story(monitor.id).await;
    let events = story.events.iter().map(|e| (e.kind, e.cause.as_ref().map(|c| c.code))).collect::<Vec<_>>();
    assert_eq!(events, [(EventKind::Regional, Some(Code::ConnectionRefused))], "why it is down, not why it is slow");
    let proofs = story.evidence.iter().map(|e| (e.slot, e.region.as_str())).collect::<Vec<_>>();
    assert_eq!(proofs, [(world.slot(&monitor, 1), "nyc"), (world.slot(&monitor, 2), "local")]);
}

pub(crate) async fn a_region_that_falls_silent_lapses(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    world.listener("hook").await;
    all(&world, &regions, &monitor, 0, &[Up, Up, Up]).await;
    for n in 1..=2 {
        world.check_from(&regions[0], &monitor, n, Down).await;
        assert_eq!(status(&world, &monitor).await, Status::Up);
    }
    audit(&world, world.slot(&monitor, 2) + Duration::from_secs(20)).await;
    assert_eq!(status(&world, &monitor).await, Status::Down, "nobody who reports says otherwise");
    let story = world.story(monitor.id).await;
    assert_eq!((story.view.incident.cause.clone(), story.deliveries.len()), (cause(Down).unwrap(), 1));
    let view = world.store.monitor_get(world.team, monitor.id).await.unwrap().unwrap();
    let healths = view.regions.iter().map(|health| health.status).collect::<Vec<_>>();
    assert_eq!(healths, [Down, Verdict::Unknown, Verdict::Unknown]);
    assert_eq!(view.last.map(|last| last.slot), Some(world.slot(&monitor, 2)), "the newest of any region");
}

/// It would otherwise be looked at with every slot, before those that fell silent just now.
pub(crate) async fn a_region_that_stays_silent_keeps_the_audit_from_nobody(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    all(&world, &regions, &monitor, 0, &[Up, Up, Up]).await;
    for n in 1..=6 {
        all(&world, &regions, &monitor, n, &[Up, Up]).await;
    }
    let now = world.slot(&monitor, 6) + Duration::from_secs(20);
    assert_eq!(world.store.tracks_overdue(now, 9).await.unwrap(), [monitor.id]);
    audit(&world, now).await;
    let soon = now + MINUTE;
    for n in 7..=8 {
        all(&world, &regions, &monitor, n, &[Up, Up]).await;
    }
    assert_eq!(world.store.tracks_overdue(soon + MINUTE, 9).await.unwrap(), [], "it is said already");
    world.check_from(&regions[2], &monitor, 8, Up).await;
    assert_eq!(world.store.tracks_overdue(soon + MINUTE * 3, 9).await.unwrap(), [monitor.id], "anew");
}

pub(crate) async fn an_edit_of_regions_begins_and_ends_tracks(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    let names = async || {
        let (_, planned) = world.store.planned_since(0).await.unwrap();
        planned[0].regions.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["local", "fra", "nyc"], "none named is every region");
    let edit = |regions: Vec<Region>, quorum| Settings { regions, quorum, ..monitor.settings.clone() };
    let settings = edit(vec![regions[1].clone()], Quorum::Any);
    let edited = world.store.monitor_edit(world.team, monitor.id, &settings, at(5)).await.unwrap().unwrap();
    assert_eq!((edited.settings, edited.revision), (settings, 2));
    assert_eq!(names().await, ["fra"]);

    // What a region sees that it is not checked from is not folded, and leaves no row.
    world.check_from(&regions[0], &monitor, 1, Down).await;
    world.check_from(&regions[1], &monitor, 1, Up).await;
    assert_eq!(status(&world, &monitor).await, Status::Up);
    let rows = async |region: Option<&Region>| {
        world.store.checks(world.team, monitor.id, region, at(0), at(900)).await.unwrap().len()
    };
    assert_eq!((rows(None).await, rows(Some(&regions[0])).await, rows(Some(&regions[1])).await), (1, 0, 1));

    let wrong = edit(vec!["fra".parse().unwrap(), "mars".parse().unwrap()], Quorum::Any);
    let refused = world.store.monitor_edit(world.team, monitor.id, &wrong, at(6)).await.unwrap_err();
    let Error::Invalid(invalid) = refused else { panic!("{refused}") };
    assert_eq!(invalid.field, "regions[1]");
    assert!(invalid.message.ends_with("fra, local, nyc"), "{invalid}");

    // A new region is asked, and does not count before it was.
    let every = edit(Vec::new(), Quorum::All);
    world.store.monitor_edit(world.team, monitor.id, &every, at(119)).await.unwrap().unwrap();
    assert_eq!(names().await, ["local", "fra", "nyc"]);
    world.check_from(&regions[1], &monitor, 2, Down).await;
    assert_eq!(status(&world, &monitor).await, Status::Up, "the others are still to be heard");
}

pub(crate) async fn the_removal_of_the_region_in_which_it_is_down_ends_it(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    let alone = Settings { regions: vec![regions[2].clone()], ..monitor.settings.clone() };
    let mut only = world.new_monitor("only");
    only.settings = alone;
    world.store.monitor_create(world.team, &only).await.unwrap();
    all(&world, &regions, &monitor, 0, &[Up, Up, Up]).await;
    all(&world, &regions, &monitor, 1, &[Up, Up, Down]).await;
    assert_eq!(status(&world, &monitor).await, Status::Regional);

    let (before, _) = world.store.planned_since(0).await.unwrap();
    assert!(world.store.region_remove(&regions[2], at(125)).await.unwrap());
    assert!(!world.store.region_remove(&regions[2], at(126)).await.unwrap());
    let (_, planned) = world.store.planned_since(before).await.unwrap();
    assert_eq!(planned.len(), 2, "the plan hears of it");
    assert!(planned.iter().all(|planned| planned.regions == regions[..2]), "also who named no other: {planned:?}");
    all(&world, &regions, &monitor, 2, &[Up]).await;
    assert_eq!(status(&world, &monitor).await, Status::Up);
    let story = world.story(monitor.id).await;
    assert_eq!(story.view.incident.ended, Some(world.slot(&monitor, 2)), "from the next check on");
    assert_eq!(story.evidence[0].region, regions[2], "what it saw keeps its name");

    assert!(world.store.region_remove(&regions[0], at(130)).await.unwrap());
    let refused = world.store.region_remove(&regions[1], at(131)).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)), "{refused}");

    // The name may come back; what was there before is another region's.
    let again = world.region("nyc").await;
    let checks = world.store.checks(world.team, monitor.id, Some(&again), at(0), at(900)).await.unwrap();
    assert_eq!(checks, []);
}

pub(crate) async fn a_duplicate_from_one_region_changes_nothing(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    rule(&world, "regional", Trigger::Regional).await;
    all(&world, &regions, &monitor, 0, &[Up, Up, Up]).await;
    for _ in 0..2 {
        all(&world, &regions, &monitor, 1, &[Down, Up, Up]).await;
        world.check_from(&regions[0], &monitor, 1, Down).await;
    }
    assert_eq!(status(&world, &monitor).await, Status::Regional);
    let story = world.story(monitor.id).await;
    assert_eq!((story.events.len(), story.deliveries.len(), story.evidence.len()), (1, 1, 1));
}

pub(crate) async fn a_regional_outage_that_lasts_is_told_by_a_rule_that_waits(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    let channel = world.channel("patient").await;
    world.rule(&[channel], &[Trigger::Regional], MINUTE).await;
    all(&world, &regions, &monitor, 0, &[Up, Up, Up]).await;
    all(&world, &regions, &monitor, 1, &[Down, Up, Up]).await;
    let due = world.slot(&monitor, 2) + Duration::from_secs(1);
    assert_eq!(world.store.waits_fire(due).await.unwrap(), 0);
    world.check_from(&regions[1], &monitor, 2, Up).await;
    assert_eq!(world.store.waits_fire(due).await.unwrap(), 0, "it says nothing of where the trouble is");
    world.check_from(&regions[0], &monitor, 2, Down).await;
    assert_eq!(world.store.waits_fire(due).await.unwrap(), 1);
    assert_eq!(world.story(monitor.id).await.deliveries[0].state, State::Waiting);
}

pub(crate) async fn each_region_has_its_own_history(world: World) {
    let (regions, monitor) = (three(&world).await, world.monitor("shop").await);
    let other = world.monitor("other").await;
    for n in 0..3 {
        all(&world, &regions, &monitor, n, &[Up, Slow, Up]).await;
        all(&world, &regions, &other, n, &[Up, Up, Up]).await;
    }
    let checks = async |region: Option<&Region>| {
        let checks = world.store.checks(world.team, monitor.id, region, at(0), at(900)).await.unwrap();
        checks.iter().map(|check| check.verdict).collect::<Vec<_>>()
    };
    assert_eq!(checks(None).await, [Up; 3], "the first region's");
    assert_eq!(checks(Some(&regions[1])).await, [Slow; 3]);
    assert_eq!(checks(Some(&"mars".parse().unwrap())).await, []);
    let now = world.slot(&monitor, 2) + Duration::from_secs(1);
    let lines = world.store.sparklines(world.team, &[monitor.id], now, 30).await.unwrap();
    assert_eq!(lines[&monitor.id].iter().map(|check| check.verdict).collect::<Vec<_>>(), [Up; 3]);
    let kept = world.store.lateness(world.team, monitor.id, at(0), now, LATENESS).await.unwrap();
    assert_eq!((kept.checks, kept.late, kept.missed), (9, 0, 0), "of all regions");
}

/// A database that only named regions probe has no `local`; one with monitors from before has.
pub(crate) async fn the_first_region_of_a_database_is_the_one_it_begins_with(world: World) {
    let location = match &world.options.location {
        gazer_store::Location::Postgres { .. } => {
            gazer_store::Location::postgres(gazer_testkit::postgres::fresh_database().await)
        }
        _ => gazer_store::Location::Memory,
    };
    let store = Store::open(Options { location, ..world.options.clone() }).await.unwrap();
    store.team_create(world.team, "Ours", at(0)).await.unwrap();
    let monitor = world.new_monitor("early");
    store.monitor_create(world.team, &monitor).await.unwrap();
    assert_eq!(store.planned_since(0).await.unwrap().1[0].regions, [], "nobody is there to check it");
    assert_eq!(store.monitor_get(world.team, monitor.id).await.unwrap().unwrap().status, Status::Unknown);
    let fra: Region = "fra".parse().unwrap();
    for second in 1..3 {
        store.region_add(&fra, at(second)).await.unwrap();
    }
    assert!(!store.region_add(&fra, at(3)).await.unwrap());
    assert_eq!(store.regions().await.unwrap(), [Place { region: fra.clone(), created: at(1) }]);
    assert_eq!(store.planned_since(0).await.unwrap().1[0].regions, [fra]);
    let mut tx = store.begin().await.unwrap();
    let watch = tx.watches_lock(&[monitor.id]).await.unwrap().remove(&monitor.id).unwrap();
    assert_eq!(watch.tracks[0].key, watch.key, "a track of the first region has its monitor's key");
    drop(tx);
    let nyc: Region = "nyc".parse().unwrap();
    assert!(store.region_add(&nyc, at(4)).await.unwrap());
    let period = store.periods(world.team, &[monitor.id], at(0), at(9)).await.unwrap().remove(&monitor.id).unwrap();
    assert_eq!(period, [Period { status: Status::Unknown, started: at(0), ended: None }]);
}

/// Two processes that start at once, and edits beside them.
pub(crate) async fn a_region_that_is_made_twice_is_one(world: World) {
    let monitor = world.monitor("shop").await;
    let fra: Region = "fra".parse().unwrap();
    let own = async || world.store.region_add(&fra, at(1)).await.unwrap();
    let edit = async || world.store.monitor_edit(world.team, monitor.id, &monitor.settings, at(2)).await.unwrap();
    tokio::join!(own(), edit(), own(), edit(), own());
    assert_eq!(world.store.regions().await.unwrap().len(), 2);
    assert_eq!(world.store.planned_since(0).await.unwrap().1[0].regions, [Region::local(), fra]);
}
