//! Errors of our own: folded, listed, told once and settled once.

use std::time::Duration;

use gazer_domain::channel::About;
use gazer_domain::issue::{Act, Fingerprint, Kind, News, OCCURRENCES, Report, State, Turn, Way};
use gazer_domain::{IssueId, Region};
use gazer_store::{ClaimedNews, IssueStory, Page, Settled, Settlement};

use crate::world::{World, at};

const LEASE: Duration = Duration::from_secs(30);
const DAY: u64 = 86_400;

fn report(place: &str, second: u64) -> Report {
    Report {
        fingerprint: Fingerprint::of("judge", place, "judge observations", &[]),
        function: "judge".into(),
        message: format!("judge observations in {place}: seen at {second}"),
        version: "0.1.0".into(),
        count: 2,
        at: at(second),
        process: "one".into(),
        region: Region::local(),
    }
}

/// Folds it at its own instant.
async fn fold(world: &World, report: &Report, ways: &[Way]) -> Option<Turn> {
    let kind = u128::from_str_radix(&report.fingerprint.to_string(), 16).unwrap();
    let fresh = IssueId::from_bits(kind << 64 | report.at.millis() as u128);
    world.store.issue_report(report, ways, fresh, report.at).await.unwrap()
}

async fn only(world: &World) -> IssueStory {
    let listed = world.store.issue_list(None, &Page::first(9)).await.unwrap();
    assert_eq!(listed.rows.len(), 1);
    world.store.issue_get(listed.rows[0].id).await.unwrap().unwrap()
}

async fn claim(world: &World, second: u64) -> Vec<ClaimedNews> {
    world.store.issue_news_claim(at(second), LEASE, 50).await.unwrap()
}

async fn settle(world: &World, claimed: &ClaimedNews, settled: &Settled, second: u64) -> bool {
    let settlement = Settlement { id: claimed.id.clone(), epoch: claimed.epoch, settled: settled.clone() };
    world.store.issue_news_settle(&settlement, at(second)).await.unwrap()
}

fn delivered() -> Settled {
    Settled::Delivered { receipt: "HTTP 204".into() }
}

fn news(claimed: &ClaimedNews) -> &News {
    let About::Issues(news) = &claimed.notice.about else { panic!("{:?}", claimed.notice) };
    news
}

pub(crate) async fn reports_are_folded_into_their_issue(world: World) {
    assert_eq!(fold(&world, &report("a", 10), &[]).await, Some(Turn::New));
    assert_eq!(fold(&world, &report("a", 10), &[]).await, None, "it came before");
    assert_eq!(fold(&world, &Report { process: "two".into(), ..report("a", 10) }, &[]).await, Some(Turn::Repeat));
    for second in 11..60 {
        assert_eq!(fold(&world, &report("a", second), &[]).await, Some(Turn::Repeat));
    }
    let IssueStory { issue, occurrences } = only(&world).await;
    assert_eq!((issue.count, issue.first_seen, issue.last_seen), (102, at(10), at(59)));
    assert_eq!((issue.state, issue.message.as_str()), (State::Open, "judge observations in a: seen at 59"));
    assert_eq!(occurrences.len(), OCCURRENCES as usize, "the last of them");
    assert!(occurrences.is_sorted_by(|a, b| a.at > b.at) && occurrences[0].at == at(59), "{occurrences:?}");
    assert_eq!((occurrences[0].count, occurrences[0].region.as_str()), (2, "local"));
}

pub(crate) async fn issues_are_listed_by_state_last_seen_first(world: World) {
    for (n, place) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        fold(&world, &report(place, 10 + n as u64), &[]).await;
    }
    let (mut found, mut page) = (Vec::new(), Page::first(2));
    loop {
        let listed = world.store.issue_list(None, &page).await.unwrap();
        found.extend(listed.rows);
        let Some(next) = listed.next else { break };
        page.after = Some(next);
    }
    assert_eq!(found.iter().map(|issue| issue.last_seen).collect::<Vec<_>>(), [14, 13, 12, 11, 10].map(at));
    let act = async |n: usize, act| world.store.issue_act(found[n].id, act, at(100)).await.unwrap();
    assert_eq!(act(0, Act::Resolve).await, Some(true));
    assert_eq!(act(0, Act::Resolve).await, Some(false), "twice is once");
    assert_eq!(act(1, Act::Ignore).await, Some(true));
    for (state, count) in [("open", 3), ("resolved", 1), ("ignored", 1)] {
        let listed = world.store.issue_list(Some(state), &Page::first(9)).await.unwrap();
        assert_eq!(listed.rows.iter().filter(|issue| issue.state.as_str() == state).count(), count, "{state}");
        assert_eq!(listed.rows.len(), count, "{state}");
    }
    assert_eq!(act(1, Act::Reopen).await, Some(true));
    assert_eq!(world.store.issue_list(Some("open"), &Page::first(9)).await.unwrap().rows.len(), 4);
    let nobody = IssueId::from_bits(1);
    assert_eq!(world.store.issue_act(nobody, Act::Resolve, at(100)).await.unwrap(), None);
    assert_eq!(world.store.issue_get(nobody).await.unwrap(), None);
}

pub(crate) async fn news_of_an_issue_is_told_on_each_way_until_it_is_taken(world: World) {
    fold(&world, &report("a", 10), &Way::ALL).await;
    let claimed = claim(&world, 10).await;
    assert_eq!(claimed.iter().map(|one| news(one).kind).collect::<Vec<_>>(), [Kind::New; 2]);
    assert_ne!((claimed[0].way, &claimed[0].id), (claimed[1].way, &claimed[1].id));
    let told = &news(&claimed[0]).issues[0];
    let id = only(&world).await.issue.id;
    assert_eq!((told.id, told.count), (id, 2));
    assert!(told.link.ends_with(&format!("/operator/issues/{id}")), "{}", told.link);
    assert!(claim(&world, 11).await.is_empty(), "they are on their way");

    assert!(settle(&world, &claimed[0], &delivered(), 12).await);
    assert!(!settle(&world, &claimed[0], &delivered(), 12).await, "once");
    assert!(settle(&world, &claimed[1], &Settled::Again { at: at(20), soonest: at(20), why: "450".into() }, 12).await);
    assert!(claim(&world, 19).await.is_empty());
    let again = claim(&world, 20).await;
    assert_eq!((again.len(), &again[0].id, again[0].attempts), (1, &claimed[1].id, 1));
    assert_eq!(again[0].notice, claimed[1].notice);
    // Its lease runs out.
    let last = claim(&world, 51).await;
    assert_eq!((last.len(), &last[0].id), (1, &claimed[1].id));
    assert!(!settle(&world, &again[0], &delivered(), 52).await, "somebody else has it");
    assert!(settle(&world, &last[0], &delivered(), 52).await);
    assert!(claim(&world, 5_000).await.is_empty());
}

pub(crate) async fn what_was_resolved_and_is_back_is_told_again(world: World) {
    let ways = &[Way::Webhook];
    fold(&world, &report("a", 10), ways).await;
    let first = claim(&world, 10).await;
    assert!(
        settle(&world, &first[0], &Settled::Again { at: at(1_000), soonest: at(1_000), why: "503".into() }, 11).await
    );
    let id = only(&world).await.issue.id;
    world.store.issue_act(id, Act::Resolve, at(20)).await.unwrap();
    assert_eq!(fold(&world, &report("a", 15), ways).await, Some(Turn::Repeat), "it was on its way");
    assert_eq!(fold(&world, &report("a", 30), ways).await, Some(Turn::Regressed));
    assert_eq!(only(&world).await.issue.state, State::Open);
    let second = claim(&world, 2_000).await;
    assert_eq!(second.iter().map(|one| news(one).kind).collect::<Vec<_>>(), [Kind::Regressed], "it says both");
    assert_ne!(second[0].id, first[0].id);
    world.store.issue_act(id, Act::Ignore, at(2_010)).await.unwrap();
    assert!(settle(&world, &second[0], &delivered(), 2_010).await);
    assert_eq!(fold(&world, &report("a", 3_000), ways).await, Some(Turn::Repeat));
    assert!(claim(&world, 4_000).await.is_empty());
    assert!(!world.store.issue_digest(ways, at(9 * DAY)).await.unwrap(), "nobody wants to hear of it");
}

pub(crate) async fn repeats_are_one_digest_a_day(world: World) {
    let ways = &[Way::Webhook];
    for place in ["a", "b", "c"] {
        fold(&world, &report(place, 10), ways).await;
    }
    for one in claim(&world, 10).await {
        assert!(settle(&world, &one, &delivered(), 11).await);
    }
    assert!(!world.store.issue_digest(ways, at(9 * DAY)).await.unwrap(), "nothing repeats");
    for second in 100..105 {
        fold(&world, &report("b", second), ways).await;
    }
    fold(&world, &report("c", 100), ways).await;
    assert!(!world.store.issue_digest(ways, at(DAY)).await.unwrap(), "it was told of a moment ago");
    assert!(!world.store.issue_digest(&[], at(DAY + 20)).await.unwrap(), "to nobody");
    assert!(world.store.issue_digest(ways, at(DAY + 20)).await.unwrap());
    assert!(!world.store.issue_digest(ways, at(DAY + 21)).await.unwrap(), "once");
    let digest = claim(&world, DAY + 21).await.remove(0);
    let repeats: Vec<_> = news(&digest).issues.iter().map(|told| (told.count, told.repeats)).collect();
    assert_eq!((news(&digest).kind, repeats, news(&digest).more), (Kind::Digest, vec![(12, 10), (4, 2)], 0));
    assert!(settle(&world, &digest, &delivered(), DAY + 22).await);
    fold(&world, &report("a", DAY + 30), ways).await;
    assert!(!world.store.issue_digest(ways, at(2 * DAY)).await.unwrap(), "a day has not passed");
    assert!(world.store.issue_digest(ways, at(2 * DAY + 20)).await.unwrap());
}

pub(crate) async fn of_too_many_at_once_the_rest_is_for_the_digest(world: World) {
    let ways = &[Way::Webhook];
    let places: Vec<String> = (0..25).map(|n: u8| char::from(b'a' + n).to_string()).collect();
    for place in &places {
        assert_eq!(fold(&world, &report(place, 10), ways).await, Some(Turn::New));
    }
    let told = claim(&world, 10).await;
    assert_eq!(told.len(), 20);
    for one in told {
        assert!(settle(&world, &one, &delivered(), 11).await);
    }
    assert_eq!(fold(&world, &report("z", 4_000), ways).await, Some(Turn::New));
    assert_eq!(claim(&world, 4_000).await.len(), 1, "an hour later there is room again");
    assert!(world.store.issue_digest(ways, at(DAY + 20)).await.unwrap());
    let digest = claim(&world, DAY + 20).await;
    let digest = digest.iter().find(|one| news(one).kind == Kind::Digest).unwrap();
    assert_eq!(news(digest).issues.len(), 5, "{digest:?}");
}

pub(crate) async fn issues_that_are_mended_or_forgotten_expire(world: World) {
    for place in ["a", "b"] {
        fold(&world, &report(place, 10), &Way::ALL).await;
    }
    for one in claim(&world, 10).await {
        assert!(settle(&world, &one, &delivered(), 11).await);
    }
    let listed = world.store.issue_list(None, &Page::first(9)).await.unwrap();
    world.store.issue_act(listed.rows[0].id, Act::Resolve, at(20)).await.unwrap();
    let expire = async |second: u64| world.store.expire(at(second), Duration::from_secs(DAY), 9).await.unwrap().issues;
    assert_eq!(expire(90 * DAY).await, 0);
    assert_eq!(expire(91 * DAY).await, 1);
    assert_eq!(only(&world).await.issue.id, listed.rows[1].id);
    assert_eq!(fold(&world, &report("b", 92 * DAY), &[]).await, Some(Turn::Repeat));
    assert_eq!(expire(490 * DAY).await, 0);
    assert_eq!(expire(493 * DAY).await, 1);
}

pub(crate) async fn of_two_who_report_the_same_one_begins_it(world: World) {
    for round in 0..8 {
        let place = ["a", "b", "c", "d", "e", "f", "g", "h"][round];
        let (one, two) = (report(place, 10), Report { process: "two".into(), ..report(place, 11) });
        let (one, two) = tokio::join!(fold(&world, &one, &Way::ALL), fold(&world, &two, &Way::ALL));
        let turns = [one.unwrap(), two.unwrap()];
        assert!(turns.contains(&Turn::New) && turns.contains(&Turn::Repeat), "{turns:?}");
    }
    assert_eq!(claim(&world, 100).await.len(), 16);
}
