//! The operator is told of each cut of our own network: one episode, once, with its end, whoever dies meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use super::super::faults::Stretch;
use super::super::time::True;
use super::{RETRIED, Story, text};

/// Looks, and ticks: how long it takes until two of them in a row find the same.
const SURE: True = 60_000;
/// And until the operator is told.
const PROMISED: True = 90_000;
const JUMPED: True = 30_000;

/// What the operator heard of one episode.
#[derive(Debug, Default)]
struct Episode {
    codes: BTreeSet<String>,
    began: Vec<True>,
    impaired: Vec<(True, String)>,
    recovered: Vec<(True, String)>,
}

pub(super) fn episodes(story: &Story) -> usize {
    heard(story).len()
}

pub(super) fn check(story: &Story, complaints: &mut Vec<String>) {
    let mut heard: Vec<Episode> = heard(story).into_values().collect();
    for cut in &story.cuts {
        let (of_it, others): (Vec<_>, Vec<_>) = heard.into_iter().partition(|one| is_of(one, cut));
        heard = others;
        match &of_it[..] {
            [] if !is_seen(story, cut) => {}
            [one] => complaints.extend(wrong(story, one, cut).map(|what| format!("{cut:?}: {what}: {one:?}"))),
            many => complaints.push(format!("{cut:?}: the operator was told {} episodes: {many:?}", many.len())),
        }
    }
    // By a clock that jumped ahead most monitors missed a check, and so it is said.
    let is_of_jump = |one: &&Episode| {
        let at_jump = one.began.iter().any(|began| story.jumped(began.saturating_sub(JUMPED), *began));
        at_jump && one.codes.iter().all(|code| code == "checks_missed")
    };
    complaints.extend(
        heard.iter().filter(|one| !is_of_jump(one)).map(|one| format!("the operator was told of nothing: {one:?}")),
    );
}

fn heard(story: &Story) -> BTreeMap<String, Episode> {
    let mut episodes: BTreeMap<String, Episode> = BTreeMap::new();
    for receipt in story.receipts_of(None) {
        let data = &receipt.json["data"];
        let episode = episodes.entry(text(&data["started_at"])).or_default();
        episode.codes.insert(text(&data["cause"]["code"]));
        episode.began = story.meant_by(&data["started_at"]);
        let said = (receipt.at, receipt.id.clone());
        if receipt.json["type"] == "operator.impaired" {
            episode.impaired.push(said);
        } else {
            episode.recovered.push(said);
        }
    }
    episodes
}

fn is_of(episode: &Episode, cut: &Stretch) -> bool {
    episode.began.iter().any(|began| cut.holds(*began))
}

/// Whether we ran for long enough of it.
fn is_seen(story: &Story, cut: &Stretch) -> bool {
    let mut from = cut.from;
    let mut blind: Vec<_> =
        story.blind.iter().filter(|blind| *blind != cut).filter_map(|blind| blind.within(cut)).collect();
    blind.sort_unstable_by_key(|blind| blind.from);
    for blind in blind {
        if blind.from >= from + SURE {
            return true;
        }
        from = from.max(blind.until);
    }
    cut.until >= from + SURE
}

fn wrong(story: &Story, episode: &Episode, cut: &Stretch) -> Option<String> {
    let Episode { codes, impaired, recovered, .. } = episode;
    let ids = |said: &[(True, String)]| said.iter().map(|(_, id)| id.clone()).collect::<BTreeSet<_>>().len();
    let is_calm = story.faults.receiver_fails == u64::MAX && story.faults.dies_telling_operator == u64::MAX;
    if codes.len() != 1 || !codes.contains("network_down") {
        return Some("it was the network".to_owned());
    }
    // An end that is told tells of a start that did not get through.
    if ids(recovered) != 1 || ids(impaired) > 1 || (is_calm && ids(impaired) == 0) {
        return Some("its start and its end are told once each".to_owned());
    }
    if is_calm && (impaired.len() > 1 || recovered.len() > 1) {
        return Some("it was told twice, and nobody lost anything".to_owned());
    }
    let dead = 2 * story.hidden(cut.from, cut.until + PROMISED).saturating_sub(cut.length());
    let late = PROMISED + dead + if is_calm { 0 } else { RETRIED };
    let first = impaired.iter().map(|(at, _)| *at).min();
    let last = recovered.iter().map(|(at, _)| *at).min().unwrap_or_default();
    if first.is_some_and(|at| at < cut.from || at > cut.from + late) {
        return Some("its start was told at the wrong time".to_owned());
    }
    (last < cut.until || last > cut.until + late).then(|| "its end was told at the wrong time".to_owned())
}
