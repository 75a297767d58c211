//! People: a team with a monitor per site, its channels and rules, and how it changes its mind about them.
//!
//! What they do goes through the store, as a page would do it. What they want from then on is written down beside it,
//! for the judgement. A page is served by the process, so nobody does anything while it is down.

use std::time::Duration;

use gazer_domain::alert::{Rule, RuleSettings, Scope, Trigger};
use gazer_domain::channel::Target;
use gazer_domain::http::{HttpSpec, parse_url};
use gazer_domain::monitor::{Monitor, Settings, Spec, Verify};
use gazer_domain::observation::Observation;
use gazer_domain::{MonitorId, Quorum, RuleId, TeamId, Timestamp};
use gazer_store::{Channel, Store};
use gazer_testkit::chance::Chance;

use super::chance;
use super::faults::{DAY, Faults};
use super::network;
use super::receivers::{self, FICKLE, RECEIVERS};
use super::time::{START, True};
use super::truth::{Reign, Site, Watched};

pub(crate) const TEAM: TeamId = TeamId::from_bits(1);
const MINUTE: True = 60_000;
const INTERVALS: [u64; 4] = [60, 300, 300, 600];

/// What somebody does to a monitor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Interval(Duration),
    /// The other one of its two sites.
    Url,
    Verify(u8),
    RecoverAfter(u8),
    Pause,
    Resume,
    Delete,
    /// "Check now".
    Ask,
}

/// A check that somebody asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) at: True,
    pub(crate) monitor: usize,
    pub(crate) request: i64,
    pub(crate) answer: Option<Observation>,
}

/// What a rule said from some time on; nothing where it was deleted.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) from: True,
    pub(crate) settings: Option<RuleSettings>,
}

#[derive(Debug)]
pub(crate) struct People {
    pub(crate) watched: Vec<Watched>,
    pub(crate) asked: Vec<Asked>,
    /// Of the rule that people change.
    pub(crate) said: Vec<Said>,
    wants: Vec<Want>,
    sites: Vec<Site>,
    rule: RuleId,
}

/// How things stand with a monitor.
#[derive(Debug)]
struct Want {
    settings: Settings,
    site: usize,
    paused: bool,
    deleted: bool,
}

/// When somebody does what: at any time, or while a site fails.
pub(crate) fn acts(site: &Site, faults: &Faults, chance: &mut Chance) -> Vec<(True, Act)> {
    let mut acts = Vec::new();
    for _ in 0..faults.acts {
        let outage = site.outages.get(chance.between(0, 4) as usize);
        // Often while the first check that fails is under way: what it finds is about another site by then.
        if let Some(outage) = outage
            && chance.once_in(3)
        {
            acts.push((outage.when.from + chance.between(0, 90_000), Act::Url));
            continue;
        }
        let at = match outage {
            Some(outage) => outage.when.from + chance.between(0, 15 * MINUTE),
            None => chance.between(30 * MINUTE, DAY - 60 * MINUTE),
        };
        let act = match chance.between(0, 14) {
            0..3 => Act::Interval(interval(chance)),
            3..6 => Act::Url,
            6 => Act::Verify(chance.between(1, 4) as u8),
            7..9 => Act::RecoverAfter(chance.between(1, 4) as u8),
            9..11 => {
                acts.push((at + chance.between(MINUTE, 60 * MINUTE), Act::Resume));
                Act::Pause
            }
            11 if chance.once_in(2) => Act::Delete,
            _ => Act::Ask,
        };
        acts.push((at, act));
    }
    acts
}

fn interval(chance: &mut Chance) -> Duration {
    Duration::from_secs(INTERVALS[chance.between(0, 4) as usize])
}

impl People {
    /// One team; each monitor has a site, and a second one that its owner may turn to.
    pub(crate) async fn begin(store: &Store, sites: Vec<Site>, chance: &mut Chance) -> Self {
        store.team_create(TEAM, "Ours", START).await.expect("a team");
        for receiver in 0..RECEIVERS {
            let url = parse_url(&format!("http://{}/", receivers::name_of(receiver))).expect("a URL");
            let target = Target::Webhook { url, secret: vec![1; 24] };
            let id = receivers::channel(receiver);
            let channel = Channel { id, name: format!("hook {receiver}"), target, created: START };
            store.channel_create(TEAM, &channel).await.expect("a channel");
        }
        for (n, settings) in receivers::rules().into_iter().enumerate() {
            store.rule_create(TEAM, &Rule { id: RuleId::from_bits(n as u128), settings }, START).await.expect("a rule");
        }
        let [fickle, ..] = receivers::rules();
        let said = vec![Said { from: 0, settings: Some(fickle) }];
        let (watched, asked, wants) = (Vec::new(), Vec::new(), Vec::new());
        let mut people = Self { watched, asked, said, wants, sites, rule: RuleId::from_bits(0) };
        for n in 0..people.sites.len() / 2 {
            people.watch(store, n, interval(chance)).await;
        }
        people
    }

    async fn watch(&mut self, store: &Store, n: usize, interval: Duration) {
        let spec = Spec::Http(HttpSpec::get(parse_url(&url(2 * n)).expect("a URL")));
        let (name, verify) = (format!("Site {n}"), Verify::default());
        let settings =
            Settings { name, spec, interval, verify, recover_after: 1, regions: Vec::new(), quorum: Quorum::Majority };
        let mut random = [0; 10];
        chance::fill(&mut random);
        let id = MonitorId::new(START, random);
        let monitor = Monitor::new(id, settings, START);
        store.monitor_create(TEAM, &monitor).await.expect("a monitor");
        let reigns = vec![Reign::begin(0, &monitor.settings, &self.sites[2 * n])];
        self.watched.push(Watched { id, reigns });
        self.wants.push(Want { settings: monitor.settings, site: 2 * n, paused: false, deleted: false });
    }

    /// Does it; answers whether it changed anything, and the request that somebody now waits for.
    pub(crate) async fn act(&mut self, store: &Store, n: usize, act: Act, at: True, now: Timestamp) -> Option<usize> {
        let (want, watched) = (&mut self.wants[n], &mut self.watched[n]);
        if want.deleted {
            return None;
        }
        match act {
            Act::Interval(interval) => want.settings.interval = interval,
            Act::Verify(attempts) => want.settings.verify.attempts = attempts,
            Act::RecoverAfter(checks) => want.settings.recover_after = checks,
            Act::Url => {
                want.site ^= 1;
                want.settings.spec = Spec::Http(HttpSpec::get(parse_url(&url(want.site)).expect("a URL")));
            }
            Act::Pause => {
                want.paused = true;
                store.monitor_pause(TEAM, watched.id, now).await.expect("the store answers").expect("it is there");
            }
            Act::Resume => {
                if !want.paused {
                    return None;
                }
                want.paused = false;
                store.monitor_resume(TEAM, watched.id, now).await.expect("the store answers").expect("it is there");
            }
            Act::Delete => {
                want.deleted = true;
                assert!(store.monitor_delete(TEAM, watched.id, now).await.expect("the store answers"), "it is there");
            }
            // Refused, in the API and on the page.
            Act::Ask if want.paused => return None,
            Act::Ask => {
                let request = store.request_add(TEAM, watched.id, now).await.expect("the store answers")?;
                self.asked.push(Asked { at, monitor: n, request, answer: None });
                return Some(self.asked.len() - 1);
            }
        }
        if matches!(act, Act::Interval(_) | Act::Verify(_) | Act::RecoverAfter(_) | Act::Url) {
            let edited = store.monitor_edit(TEAM, watched.id, &want.settings, now).await;
            edited.expect("the store answers").expect("it is there");
        }
        if let Some(reign) = watched.reigns.last_mut() {
            reign.when.until = reign.when.until.min(at);
        }
        if !want.paused && !want.deleted {
            watched.reigns.push(Reign::begin(at, &want.settings, &self.sites[want.site]));
        }
        None
    }

    /// Looks what came of a request.
    pub(crate) async fn look(&mut self, store: &Store, asked: usize) {
        let asked = &mut self.asked[asked];
        let answer = store.request_get(TEAM, asked.request).await.expect("the store answers");
        asked.answer = answer.flatten().map(|answer| answer.observation);
    }

    /// Changes the rule, deletes it, or makes it anew.
    pub(crate) async fn change_rule(&mut self, store: &Store, at: True, now: Timestamp, chance: &mut Chance) {
        let settings = RuleSettings {
            name: "fickle".into(),
            scope: self.scope(chance),
            channels: vec![receivers::channel(FICKLE)],
            on: [Trigger::Down, Trigger::Recovered].into_iter().take(1 + chance.between(0, 2) as usize).collect(),
            after: Duration::from_secs([0, 120, 300][chance.between(0, 3) as usize]),
        };
        let is_there = self.said.last().is_some_and(|said| said.settings.is_some());
        let settings = match is_there {
            true if chance.once_in(6) => {
                assert!(store.rule_delete(TEAM, self.rule).await.expect("the store answers"), "it is there");
                None
            }
            true => {
                let edited = store.rule_edit(TEAM, self.rule, &settings).await.expect("the store answers");
                Some(edited.expect("it is there").settings)
            }
            false => {
                self.rule = RuleId::from_bits(100 + self.said.len() as u128);
                let rule = Rule { id: self.rule, settings };
                store.rule_create(TEAM, &rule, now).await.expect("the store answers");
                Some(rule.settings)
            }
        };
        self.said.push(Said { from: at, settings });
    }

    /// All monitors, or every second one that is there.
    fn scope(&self, chance: &mut Chance) -> Scope {
        if chance.once_in(2) {
            return Scope::All;
        }
        let there = self.watched.iter().zip(&self.wants).filter(|(_, want)| !want.deleted);
        Scope::Some(there.map(|(watched, _)| watched.id).step_by(2).collect())
    }
}

fn url(site: usize) -> String {
    format!("http://{}/", network::name_of(site))
}
