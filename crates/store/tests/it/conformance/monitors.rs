use std::time::Duration;

use gazer_domain::assertion::{Assertion, Op, StatusSet};
use gazer_domain::http::{Auth, Method, Trust};
use gazer_domain::monitor::Spec;
use gazer_domain::observation::{JsonValue, Observation};
use gazer_domain::period::Status;
use gazer_domain::verdict::Verdict;
use gazer_store::{MonitorFilter, Page, Totals};

use crate::world::{MINUTE, World, at};

pub(crate) async fn a_monitor_comes_back_as_it_was_written(world: World) {
    let mut monitor = world.new_monitor("shop");
    let Spec::Http(http) = &mut monitor.settings.spec;
    http.method = Method::Post;
    http.headers = vec![("X-Key".into(), "hush".into()), ("Accept".into(), "*/*".into())];
    http.body = Some("{\"a\":1}".into());
    http.auth = Some(Auth::Basic { user: "ann".into(), password: "pässword".into() });
    http.trust = Trust::Any;
    http.redirects = 3;
    let left = Duration::from_secs(86_400);
    http.assertions = vec![
        Assertion::Status(StatusSet::parse("200-299,401").unwrap()),
        Assertion::Header { name: "Age".into(), op: Op::Lt, value: "60".into() },
        Assertion::Body { op: Op::Matches, value: "a+\u{1}".into() },
        Assertion::Json { path: "$.a".into(), op: Op::Ge, value: JsonValue::Number(1.5) },
        Assertion::Time { op: Op::Lt, limit: Duration::from_millis(800) },
        Assertion::Certificate { op: Op::Gt, left },
    ];
    world.store.monitor_create(world.team, &monitor).await.unwrap();
    let view = world.store.monitor_get(world.team, monitor.id).await.unwrap().unwrap();
    assert_eq!(view.monitor, monitor);
    assert_eq!((view.status, view.status_since, view.last, view.incident), (Status::Unknown, at(0), None, None));
}

pub(crate) async fn lists_are_read_a_page_at_a_time(world: World) {
    for name in ["b", "C", "a", "c", "Ä", "b"] {
        let mut monitor = world.new_monitor("x");
        monitor.settings.name = name.into();
        world.store.monitor_create(world.team, &monitor).await.unwrap();
    }
    let (mut names, mut ids, mut page) = (Vec::new(), Vec::new(), Page::first(2));
    loop {
        let listed = world.store.monitor_list(world.team, &MonitorFilter::default(), &page).await.unwrap();
        names.extend(listed.rows.iter().map(|view| view.monitor.settings.name.clone()));
        ids.extend(listed.rows.iter().map(|view| view.monitor.id));
        match listed.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    assert_eq!(names, ["a", "b", "b", "C", "c", "Ä"]);
    ids.dedup();
    assert_eq!(ids.len(), 6);
    let nonsense = Page { after: Some("§".into()), limit: 1 };
    let listed = world.store.monitor_list(world.team, &MonitorFilter::default(), &nonsense).await.unwrap();
    assert_eq!(listed.rows[0].monitor.settings.name, "a");
}

pub(crate) async fn a_search_is_plain_text(world: World) {
    for name in ["100% cotton", "under_score", "Bang!", "plain"] {
        let mut monitor = world.new_monitor("x");
        monitor.settings.name = name.into();
        world.store.monitor_create(world.team, &monitor).await.unwrap();
    }
    for (search, found) in [("%", 1), ("_", 1), ("!", 1), ("PLAIN", 1), ("x.example", 4), (" ", 4), ("nothing\0", 0)] {
        let filter = MonitorFilter { search: Some(search.into()), status: None };
        let listed = world.store.monitor_list(world.team, &filter, &Page::first(10)).await.unwrap();
        assert_eq!(listed.rows.len(), found, "{search:?}");
    }
}

pub(crate) async fn an_edit_makes_a_new_revision(world: World) {
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    let mut settings = monitor.settings.clone();
    settings.name = "Shop".into();
    let edited = world.store.monitor_edit(world.team, monitor.id, &settings, at(90)).await.unwrap().unwrap();
    assert_eq!((edited.revision, edited.cadence_since), (2, at(0)), "a new name moves no slot");

    settings.interval = MINUTE * 2;
    let edited = world.store.monitor_edit(world.team, monitor.id, &settings, at(100)).await.unwrap().unwrap();
    assert_eq!((edited.revision, edited.cadence_since), (3, at(100)));
    let view = world.store.monitor_get(world.team, monitor.id).await.unwrap().unwrap();
    assert_eq!(view.monitor, edited);
    assert!(view.incident.is_some(), "an edit leaves the incident open");
    let mut tx = world.store.begin().await.unwrap();
    let watch = tx.watches_lock(&[monitor.id]).await.unwrap().remove(&monitor.id).unwrap();
    assert_eq!((watch.revision, watch.policy.cadence), (3, edited.cadence()));
}

pub(crate) async fn the_plan_hears_of_every_change(world: World) {
    let store = &world.store;
    let (one, two) = (world.monitor("one").await, world.monitor("two").await);
    let (seq, planned) = store.planned_since(0).await.unwrap();
    assert_eq!(
        planned.iter().map(|p| (p.monitor.id, p.team, p.removed)).collect::<Vec<_>>(),
        [(one.id, world.team, false), (two.id, world.team, false)]
    );
    assert_eq!(store.planned_since(seq).await.unwrap(), (seq, Vec::new()));
    store.monitor_pause(world.team, one.id, at(5)).await.unwrap();
    store.monitor_edit(world.team, two.id, &two.settings, at(5)).await.unwrap();
    let (seq, planned) = store.planned_since(seq).await.unwrap();
    assert_eq!(
        planned.iter().map(|p| (p.monitor.id, p.removed)).collect::<Vec<_>>(),
        [(one.id, true), (two.id, false)]
    );
    assert_eq!(store.planned_since(0).await.unwrap().1.len(), 1, "a fresh start needs only what runs");
    store.monitor_resume(world.team, one.id, at(6)).await.unwrap();
    store.monitor_delete(world.team, two.id, at(7)).await.unwrap();
    let (_, planned) = store.planned_since(seq).await.unwrap();
    assert_eq!(
        planned.iter().map(|p| (p.monitor.id, p.removed)).collect::<Vec<_>>(),
        [(one.id, false), (two.id, true)]
    );
}

pub(crate) async fn the_plan_knows_what_keeps_others_waiting(world: World) {
    let (quick, slow, paused) = (world.monitor("quick").await, world.monitor("slow").await, world.monitor("off").await);
    let long = Duration::from_secs(10);
    world.check(&quick, 1, Verdict::Up).await;
    for monitor in [&slow, &paused] {
        let seen = Observation { took: long, ..world.seen(monitor, 1, Verdict::Down) };
        world.judge(&seen).await;
    }
    world.store.monitor_pause(world.team, paused.id, at(600)).await.unwrap();
    let known = async || world.store.slow_monitors(Duration::from_secs(2)).await.unwrap();
    assert_eq!(known().await.into_iter().collect::<Vec<_>>(), [slow.id]);
    world.check(&slow, 2, Verdict::Up).await;
    assert!(known().await.is_empty(), "its last check was quick");
}

pub(crate) async fn pause_and_resume_are_idempotent(world: World) {
    let (store, team) = (&world.store, world.team);
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Up).await;
    let totals = store.monitor_totals(team).await.unwrap();
    assert_eq!(totals, Totals { up: 1, ..Totals::default() });
    for second in [100, 101] {
        let paused = store.monitor_pause(team, monitor.id, at(second)).await.unwrap().unwrap();
        assert!(paused.paused && paused.revision == 1);
    }
    let view = store.monitor_get(team, monitor.id).await.unwrap().unwrap();
    assert_eq!((view.status, view.status_since), (Status::Paused, at(100)));
    assert_eq!(store.monitor_totals(team).await.unwrap(), Totals { paused: 1, ..Totals::default() });
    assert!(store.begin().await.unwrap().watches_lock(&[monitor.id]).await.unwrap().is_empty());
    for second in [200, 201] {
        let resumed = store.monitor_resume(team, monitor.id, at(second)).await.unwrap().unwrap();
        assert!(!resumed.paused && resumed.cadence_since == at(200));
    }
    let view = store.monitor_get(team, monitor.id).await.unwrap().unwrap();
    assert_eq!((view.status, view.status_since), (Status::Unknown, at(200)));
    let filter = MonitorFilter { search: None, status: Some(Status::Unknown) };
    assert_eq!(store.monitor_list(team, &filter, &Page::first(5)).await.unwrap().rows, [view]);
}
