//! Each outage longer than the guarantee is told and ended, in time, and no other is told.

use super::super::receivers::{FALLS, GONE, PATIENT, PROMPT, RECEIVERS};
use super::super::time::True;
use super::super::truth::{Trouble, Watched};
use super::{ByMonitor, Heard, ON_ITS_WAY, Story};

/// From its slot until a check begins: a tick of the clock, and a message that is late.
const BEGINS: True = 10_000;
/// A slot that a jump of the clock skipped is older than the check that stands for it.
const SKIPPED: True = 900_000;

pub(super) fn check(story: &Story, heard: &[ByMonitor], complaints: &mut Vec<String>) {
    for one in &story.people.watched {
        let troubles = one.troubles();
        let of = |receiver: usize| heard[receiver].get(&one.id.to_string()).map(Vec::as_slice).unwrap_or_default();
        for receiver in [PROMPT, FALLS, GONE] {
            missed(story, receiver, one, &troubles, of(receiver), complaints);
        }
        for receiver in [PROMPT, PATIENT, FALLS] {
            closed(story, receiver, one, of(receiver), complaints);
        }
        for receiver in 0..RECEIVERS {
            let at_once = [PROMPT, FALLS, GONE].contains(&receiver);
            for heard in of(receiver).iter().filter(|heard| heard.down.is_some()) {
                if source(story, heard, &troubles, at_once).is_none() {
                    let (at, started) = (heard.down, &heard.started);
                    complaints.push(format!(
                        "{} (receiver {receiver}): told at {at:?} of an outage at {started:?} that never was",
                        one.id
                    ));
                }
            }
        }
    }
}

/// What this incident was about: what failed when its first check was made, where that was the monitor's site. A
/// message that is written later may name the site of later.
pub(super) fn source<'a>(
    story: &Story,
    heard: &Heard,
    troubles: &'a [Trouble<'a>],
    names_site: bool,
) -> Option<(True, &'a Trouble<'a>)> {
    heard.started.iter().find_map(|started| {
        let skipped = if story.jumped(started.saturating_sub(1_000), started + SKIPPED) { SKIPPED } else { 0 };
        let trouble = troubles.iter().find(|trouble| {
            let ended = started + BEGINS + trouble.reign.longest_check + skipped;
            trouble.when.touches(started.saturating_sub(1_000), ended)
                && (!names_site || trouble.reign.url == heard.url)
        });
        trouble.map(|trouble| (*started, trouble))
    })
}

/// Every outage longer than the guarantee, and than what kept us from looking, is told and ended.
fn missed(
    story: &Story,
    receiver: usize,
    one: &Watched,
    troubles: &[Trouble<'_>],
    heard: &[Heard],
    complaints: &mut Vec<String>,
) {
    let gone = story.receivers[receiver].gone.unwrap_or(True::MAX);
    for (n, trouble) in troubles.iter().enumerate() {
        let Trouble { when, how, reign } = trouble;
        let on_its_way = story.on_its_way(receiver, when.until);
        let noticed = noticed(story, trouble);
        if when.length() <= noticed || when.until + on_its_way + reign.promise > gone {
            continue;
        }
        let mut complain =
            |what: String| complaints.push(format!("{} (receiver {receiver}): {when:?}, {how:?}, {what}", one.id));
        let hears_end_in_time = |heard: &&Heard| heard.ended.is_none_or(|at| at >= when.until);
        // A start that did not get through is told by its end.
        let begins = |heard: &&Heard| heard.down.or(heard.ended).is_some_and(|at| at < when.until + on_its_way);
        let Some(told) = heard.iter().filter(begins).find(hears_end_in_time) else {
            complain("was never told".to_owned());
            continue;
        };
        // It may go on under other settings, or fail again before its end could be seen.
        let (over, last) = over(story, when.until, &troubles[n..]);
        let on_its_way_back = story.on_its_way(receiver, over);
        match told.ended {
            Some(at) if at <= over + on_its_way_back => {}
            _ if over + on_its_way_back > gone => {}
            ended => complain(format!("ended for good at {last}, was told so at {ended:?}, not by {over}")),
        }
        let late = told.down.unwrap_or_default().saturating_sub(when.from + noticed);
        if late > story.on_its_way(receiver, when.from + noticed) {
            complain(format!("was told {late} ms late"));
        }
        let times = heard.iter().filter(|heard| heard.down.is_some_and(|at| when.holds(at))).count();
        if story.faults.spare_messages() && times > 1 && receiver == PROMPT {
            complain(format!("was told {times} times"));
        }
    }
}

/// Whoever pauses or deletes a monitor ends its incident, and that is told.
fn closed(story: &Story, receiver: usize, one: &Watched, heard: &[Heard], complaints: &mut Vec<String>) {
    let nexts = one.reigns.iter().skip(1).map(|next| next.when.from).chain([True::MAX]);
    let closed = one.reigns.iter().map(|reign| reign.when.until).zip(nexts).filter(|(until, next)| until < next);
    for (at, _) in closed {
        let late = at + 2 * story.hidden(at, at + ON_ITS_WAY) + story.on_its_way(receiver, at);
        let is_open =
            |heard: &&Heard| heard.down.is_some_and(|down| down < at) && heard.ended.is_none_or(|ended| ended > late);
        let open = heard.iter().filter(is_open);
        complaints.extend(open.map(|heard| {
            format!("{} (receiver {receiver}): closed at {at}, and not told by {late}: {heard:?}", one.id)
        }));
    }
}

/// What an outage must last to be noticed for sure.
pub(super) fn noticed(story: &Story, trouble: &Trouble<'_>) -> True {
    let Trouble { when, reign, .. } = trouble;
    reign.promise + 5_000 + 2 * story.hidden(when.from, when.until) + story.dropped(reign.promise)
}

/// By when it is known to be over that a site fails which failed until then, and when it was over.
fn over(story: &Story, until: True, from_then_on: &[Trouble<'_>]) -> (True, True) {
    let (mut over, mut last) = (until, until);
    for Trouble { when, reign, .. } in from_then_on {
        if when.from > over {
            break;
        }
        last = when.until;
        over = over.max(story.end_seen(last, reign.promise + reign.recovery));
    }
    (over, last)
}
