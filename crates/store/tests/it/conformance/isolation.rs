//! Another team's ids answer exactly as ids that never were, in every method that takes a team.

use std::fmt::Debug;
use std::time::Duration;

use gazer_domain::access::Role;
use gazer_domain::alert::{RuleSettings, Scope, Trigger};
use gazer_domain::channel::Target;
use gazer_domain::guarantee::LATENESS;
use gazer_domain::verdict::Verdict;
use gazer_domain::{ChannelId, DeliveryId, IncidentId, MonitorId, RuleId, TeamId, TokenId};
use gazer_store::{IncidentFilter, MonitorFilter, Page, Settled, Token};

use crate::world::{World, at};

struct Ids {
    monitor: MonitorId,
    channel: ChannelId,
    rule: RuleId,
    incident: IncidentId,
    token: TokenId,
    delivery: DeliveryId,
    request: i64,
}

/// What a team gets that asks about these ids.
async fn answers(world: &World, team: TeamId, ids: &Ids) -> Vec<String> {
    fn said(answer: &impl Debug) -> String {
        format!("{answer:?}")
    }
    let (store, now) = (&world.store, at(500));
    let settings = world.new_monitor("stolen").settings;
    let target = Target::Email { to: vec!["thief@example.com".into()] };
    let own = Scope::Some(vec![ids.monitor]);
    let rule = |scope, channel| RuleSettings {
        name: "stolen".into(),
        scope,
        channels: vec![channel],
        on: vec![Trigger::Down],
        after: Duration::ZERO,
    };
    let filter = IncidentFilter { monitor: Some(ids.monitor), open: None };
    let test = DeliveryId::test(now, [9; 10]);
    let new_rule = gazer_domain::alert::Rule { id: RuleId::from_bits(1), settings: rule(own, ids.channel) };
    vec![
        said(&store.monitor_get(team, ids.monitor).await),
        said(&store.monitor_edit(team, ids.monitor, &settings, now).await),
        said(&store.monitor_pause(team, ids.monitor, now).await),
        said(&store.monitor_resume(team, ids.monitor, now).await),
        said(&store.monitor_delete(team, ids.monitor, now).await),
        said(&store.checks(team, ids.monitor, None, at(0), at(900)).await),
        said(&store.sparklines(team, &[ids.monitor], now, 30).await),
        said(&store.periods(team, &[ids.monitor], at(0), at(900)).await),
        said(&store.lateness(team, ids.monitor, at(0), at(900), LATENESS).await),
        said(&store.request_add(team, ids.monitor, now).await),
        said(&store.request_get(team, ids.request).await),
        said(&store.channel_get(team, ids.channel).await),
        said(&store.channel_edit(team, ids.channel, "stolen", &target).await),
        said(&store.channel_delete(team, ids.channel, now).await),
        said(&store.delivery_test(team, ids.channel, &test, now).await),
        said(&store.delivery_get(team, &ids.delivery).await),
        said(&store.delivery_again(team, &ids.delivery, now).await),
        said(&store.deliveries_again(team, ids.channel, now).await),
        said(&store.deliveries_dead(team, &Page::first(9)).await),
        said(&store.rule_get(team, ids.rule).await),
        said(&store.rule_edit(team, ids.rule, &new_rule.settings).await),
        said(&store.rule_create(team, &new_rule, now).await),
        said(&store.rule_delete(team, ids.rule).await),
        said(&store.incident_get(team, ids.incident).await),
        said(&store.incident_list(team, filter, &Page::first(9)).await),
        said(&store.incident_list(team, IncidentFilter::default(), &Page::first(9)).await),
        said(&store.monitor_list(team, &MonitorFilter::default(), &Page::first(9)).await),
        said(&store.monitor_totals(team).await),
        said(&store.channel_list(team).await),
        said(&store.rule_list(team).await),
        said(&store.token_list(team).await),
        said(&store.token_delete(team, ids.token).await),
    ]
}

pub(crate) async fn another_teams_ids_look_like_none(world: World) {
    let (store, team) = (&world.store, world.team);
    let channel = world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    let lease = Duration::from_secs(30);
    let claimed = store.deliveries_claim(at(400), lease, 1).await.unwrap().remove(0);
    let dead = Settled::Dead { why: "410".into() };
    assert!(world.settle(&claimed, &dead, at(401)).await);
    let story = world.story(monitor.id).await;
    let token = Token { id: world.id(), name: "ci".into(), role: Role::Owner, created: at(1), last_used: None };
    store.token_create(team, &token, [4; 32]).await.unwrap();
    let ours = Ids {
        monitor: monitor.id,
        channel,
        rule: store.rule_list(team).await.unwrap()[0].id,
        incident: story.view.incident.id,
        token: token.id,
        delivery: story.deliveries[0].id.clone(),
        request: store.request_add(team, monitor.id, at(1)).await.unwrap().unwrap(),
    };
    let nobodys = Ids {
        monitor: world.id(),
        channel: world.id(),
        rule: world.id(),
        incident: world.id(),
        token: world.id(),
        delivery: DeliveryId::from_text("dlv_nobodys"),
        request: 9_999,
    };
    assert_eq!(answers(&world, world.other, &ours).await, answers(&world, world.other, &nobodys).await);
    assert_eq!(world.story(monitor.id).await, story, "and nothing was touched");
    assert_eq!(store.monitor_get(team, monitor.id).await.unwrap().unwrap().monitor, monitor);
    assert_eq!(store.token_list(team).await.unwrap(), [token]);
}
