//! A rule that waits tells of what lasts, not before it lasted so long, and of nothing else. Time in which we saw
//! nothing does not count. Whoever hears of the start hears of the end.

use super::super::faults::Stretch;
use super::super::receivers::{PATIENCE, PATIENT, PROMPT};
use super::super::time::True;
use super::super::truth::{Reign, Trouble};
use super::told::{noticed, source};
use super::{ByMonitor, Heard, Story};

/// An attempt that failed may have begun so long before its check ended.
const ATTEMPT: True = 12_000;
const SECOND: True = 1_000;
const TICK: True = 10_000;
/// A poll, a check that is asked for, and a poll again.
const CONFIRMED: True = 60_000;

pub(super) fn check(story: &Story, heard: &[ByMonitor], complaints: &mut Vec<String>) {
    for one in &story.people.watched {
        let id = one.id.to_string();
        let troubles = one.troubles();
        let of = |receiver: usize| heard[receiver].get(&id).map(Vec::as_slice).unwrap_or_default();
        for prompt in of(PROMPT) {
            let Some((started, trouble)) = source(story, prompt, &troubles, true) else { continue };
            let patient = of(PATIENT).iter().find(|heard| heard.incident == prompt.incident);
            let whole = whole(story, &one.reigns, &troubles, trouble);
            let found = match patient {
                Some(patient) => too_early(story, started, &whole, patient, prompt),
                None => told_nothing(story, started, &whole, prompt),
            };
            complaints.extend(found.map(|what| format!("{id}: {:?}, {what}", trouble.when)));
        }
    }
}

/// An outage, with what came of it under other settings.
struct Whole<'a> {
    when: Stretch,
    last: &'a Trouble<'a>,
    /// What its end may be behind, by the slowest of its settings.
    recovery: True,
    interval: True,
    promise: True,
}

fn whole<'a>(story: &Story, reigns: &[Reign], troubles: &'a [Trouble<'a>], first: &'a Trouble<'a>) -> Whole<'a> {
    let mut whole = Whole {
        when: first.when,
        last: first,
        recovery: first.reign.recovery,
        interval: first.reign.interval,
        promise: first.reign.promise,
    };
    for next in troubles.iter().filter(|next| next.when.from >= first.when.until) {
        // Where another site takes its place at once, or it fails again at once, we may not see that it was over.
        if next.when.from > story.end_seen(whole.when.until, whole.recovery + whole.promise) {
            break;
        }
        whole.when.until = next.when.until;
        whole.last = next;
        whole.recovery = whole.recovery.max(next.reign.recovery);
        whole.interval = whole.interval.max(next.reign.interval);
        whole.promise = whole.promise.max(next.reign.promise);
    }
    // Before its end could be seen, its owner may have come to want more good checks.
    for next in reigns.iter().filter(|next| next.when.from >= whole.when.until) {
        if next.when.from > story.end_seen(whole.when.until, whole.recovery + whole.promise) {
            break;
        }
        whole.recovery = whole.recovery.max(next.recovery);
        whole.promise = whole.promise.max(next.promise);
    }
    whole
}

fn too_early(story: &Story, started: True, whole: &Whole<'_>, patient: &Heard, prompt: &Heard) -> Option<String> {
    if prompt.ended.is_some() && patient.ended.is_none() {
        return Some("the patient heard of its start, and not of its end".to_owned());
    }
    let at = patient.down?;
    if story.jumped(started, at) {
        return None;
    }
    let due = due(story, started, whole);
    if at + SECOND < due {
        return Some(format!("the patient was told at {at}, before {due}"));
    }
    let recovery = if whole.recovery > 0 { whole.recovery + whole.promise } else { 0 };
    (whole.when.until + ATTEMPT + recovery < due)
        .then(|| format!("the patient was told at {at}, though it was over before {due}"))
}

/// Its time, and what we were blind for before that had come.
fn due(story: &Story, started: True, whole: &Whole<'_>) -> True {
    // Of a blind stretch all is a period of its own but what comes before its first slot, and what was under way.
    let slots = whole.interval + whole.last.reign.longest_check + 2 * TICK;
    let mut blind: Vec<_> = story.blind.iter().filter(|blind| blind.until > started).collect();
    blind.sort_unstable_by_key(|blind| blind.from);
    let (mut due, mut counted) = (started + PATIENCE, started);
    for blind in blind {
        if blind.from >= due {
            break;
        }
        due += blind.until.saturating_sub(blind.from.max(counted)).saturating_sub(slots);
        counted = counted.max(blind.until);
    }
    due
}

fn told_nothing(story: &Story, started: True, whole: &Whole<'_>, prompt: &Heard) -> Option<String> {
    let Whole { when, last, .. } = whole;
    let blind = 2 * story.hidden(started, when.until);
    // Its owner may have turned to a site that works, and back again: that is another one.
    let over = prompt.ended.map_or(when.until, |ended| ended.min(when.until));
    let lasted = over.saturating_sub(started);
    let certain = PATIENCE + blind + noticed(story, last) + CONFIRMED;
    // One that we believed to be over begins anew.
    let whole_in_one = last.when.from <= started + last.reign.promise;
    (whole_in_one && lasted > certain && !story.jumped(started, when.until))
        .then(|| "the patient was told nothing".to_owned())
}
