use std::time::Duration;

use gazer_domain::alert::{Rule, RuleSettings, Scope, Trigger};
use gazer_domain::channel::Target;
use gazer_domain::delivery::State;
use gazer_domain::verdict::Verdict;
use gazer_domain::{ChannelId, MonitorId, RuleId};
use gazer_store::{Channel, Error};

use crate::world::{World, at};

pub(crate) async fn channels_and_rules_come_back_as_they_were_written(world: World) {
    let (store, team) = (&world.store, world.team);
    let target = Target::Email { to: vec!["ann@example.com".into()] };
    let mail = Channel { id: world.id(), name: "mail".into(), target, created: at(3) };
    store.channel_create(team, &mail).await.unwrap();
    let hook = world.channel("hook").await;
    let found = store.channel_get(team, hook).await.unwrap().unwrap();
    assert!(matches!(&found.target, Target::Webhook { secret, .. } if *secret == [1, 2, 3]));
    assert_eq!(store.channel_list(team).await.unwrap(), [mail.clone(), found]);
    let edited = store.channel_edit(team, hook, "post", &mail.target).await.unwrap().unwrap();
    assert_eq!((edited.name.as_str(), &edited.target), ("post", &mail.target));

    let monitor = world.monitor("shop").await;
    let settings = RuleSettings {
        name: "rule".into(),
        scope: Scope::Some(vec![monitor.id]),
        channels: vec![hook, mail.id],
        on: vec![Trigger::Slow, Trigger::Recovered],
        after: Duration::from_secs(90),
    };
    let rule = Rule { id: world.id(), settings };
    store.rule_create(team, &rule, at(4)).await.unwrap();
    assert_eq!(store.rule_get(team, rule.id).await.unwrap(), Some(rule.clone()));
    let changed = RuleSettings { name: "other".into(), scope: Scope::All, ..rule.settings };
    let edited = store.rule_edit(team, rule.id, &changed).await.unwrap();
    assert_eq!(edited, Some(Rule { id: rule.id, settings: changed }));
    assert_eq!(store.rule_list(team).await.unwrap(), Vec::from_iter(edited));
    assert!(store.rule_delete(team, rule.id).await.unwrap());
    assert!(!store.rule_delete(team, rule.id).await.unwrap());
}

pub(crate) async fn a_rule_names_only_what_the_team_has(world: World) {
    let (store, team) = (&world.store, world.team);
    let channel = world.channel("hook").await;
    let theirs = world.new_monitor("theirs");
    store.monitor_create(world.other, &theirs).await.unwrap();
    let nobodys: MonitorId = world.id();
    let rule = |scope, channels| RuleSettings {
        name: "rule".into(),
        scope,
        channels,
        on: vec![Trigger::Down],
        after: Duration::ZERO,
    };
    for monitor in [theirs.id, nobodys] {
        let settings = rule(Scope::Some(vec![monitor]), vec![channel]);
        let refused = store.rule_create(team, &Rule { id: world.id(), settings }, at(1)).await.unwrap_err();
        let Error::Invalid(refused) = refused else { panic!("{refused}") };
        assert_eq!(refused.to_string(), "monitors[0]: names none of the team's monitors");
    }
    let good = Rule { id: world.id::<gazer_domain::id::Rules>(), settings: rule(Scope::All, vec![channel]) };
    store.rule_create(team, &good, at(1)).await.unwrap();
    let wrong = rule(Scope::All, vec![channel, ChannelId::from_bits(77)]);
    let Err(Error::Invalid(refused)) = store.rule_edit(team, good.id, &wrong).await else { panic!("it was taken") };
    assert_eq!(refused.field, "channels[1]");
    assert_eq!(store.rule_list(team).await.unwrap(), [good], "nothing is half stored");
    assert_eq!(store.rule_edit(team, RuleId::from_bits(5), &wrong).await.unwrap(), None);
}

pub(crate) async fn a_deleted_channel_leaves_its_rules(world: World) {
    let (store, team) = (&world.store, world.team);
    let (one, two) = (world.channel("one").await, world.channel("two").await);
    let both = world.rule(&[one, two], &[Trigger::Down, Trigger::Recovered], Duration::ZERO).await;
    let alone = world.rule(&[one], &[Trigger::Down], Duration::ZERO).await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    assert!(store.channel_delete(team, one, at(100)).await.unwrap());
    assert!(!store.channel_delete(team, one, at(100)).await.unwrap());
    assert_eq!(store.channel_get(team, one).await.unwrap(), None);
    assert_eq!(store.rule_get(team, both).await.unwrap().unwrap().settings.channels, [two]);
    assert_eq!(store.rule_get(team, alone).await.unwrap(), None);
    let story = world.story(monitor.id).await;
    let states = story.deliveries.iter().map(|d| (d.channel_name.as_str(), d.state)).collect::<Vec<_>>();
    assert_eq!(states, [("one", State::Dead), ("two", State::Waiting)]);
}
