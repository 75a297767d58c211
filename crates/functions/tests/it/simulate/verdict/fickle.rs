//! A rule that people change: what it said when it told holds, and what it says by then is added.
//!
//! A message is written at some moment before it is received, and what counts is what the rule said then. So where it
//! said two things in that time, either is right.

use gazer_domain::alert::{RuleSettings, Trigger};
use gazer_domain::{MonitorId, incident::EventKind};

use super::super::people::Said;
use super::super::receivers::{FICKLE, PROMPT};
use super::super::time::True;
use super::{ByMonitor, Heard, Story};

const SECOND: True = 1_000;

pub(super) fn check(story: &Story, heard: &[ByMonitor], complaints: &mut Vec<String>) {
    for one in &story.people.watched {
        let id = one.id.to_string();
        let prompt = heard[PROMPT].get(&id).map(Vec::as_slice).unwrap_or_default();
        let fickle = heard[FICKLE].get(&id).map(Vec::as_slice).unwrap_or_default();
        for heard in fickle {
            let known = prompt.iter().find(|known| known.incident == heard.incident);
            complaints.extend(wrong(story, one.id, heard, known).map(|what| format!("{id}: {what} ({heard:?})")));
        }
    }
}

fn wrong(story: &Story, monitor: MonitorId, heard: &Heard, prompt: Option<&Heard>) -> Option<String> {
    let at = heard.down?;
    let on_its_way = story.on_its_way(FICKLE, at);
    let written = at.saturating_sub(on_its_way);
    let concerned = |settings: &&RuleSettings| settings.concerns(EventKind::Down, monitor);
    let could: Vec<_> = in_force(story, written, at).flatten().filter(concerned).collect();
    if could.is_empty() {
        return Some("told of what no rule was about".to_owned());
    }
    // A wait that began under an older word is kept.
    if let [started] = heard.started[..]
        && !story.jumped(started, at)
    {
        let waits = in_force(story, started.saturating_sub(SECOND), at).flatten().map(|said| said.after.as_millis());
        let due = started + waits.min().unwrap_or_default() as True;
        if at + SECOND < due {
            return Some(format!("told at {at}, before {due}"));
        }
    }
    let hears = |settings: &RuleSettings| settings.on.contains(&Trigger::Recovered);
    let over = prompt.and_then(|prompt| prompt.ended);
    if could.iter().all(|said| hears(said)) && over.is_some() && heard.ended.is_none() {
        return Some("the end was promised, and not told".to_owned());
    }
    let ended = heard.ended?;
    let by_then = in_force(story, ended.saturating_sub(story.on_its_way(FICKLE, ended)), ended);
    let by_then = by_then.flatten().any(|said| said.concerns(EventKind::Recovered, monitor));
    let promised = could.iter().any(|said| hears(said)) || by_then;
    (!promised).then(|| "the end was told, and nobody wanted to hear of it".to_owned())
}

/// What the rule said in this time, one word after the other.
fn in_force(story: &Story, from: True, until: True) -> impl Iterator<Item = Option<&RuleSettings>> {
    let said = &story.people.said;
    let ends = said.iter().skip(1).map(|next| next.from).chain([True::MAX]);
    let spoken = said.iter().zip(ends).filter(move |(said, end)| said.from <= until && from <= *end);
    spoken.map(|(Said { settings, .. }, _)| settings.as_ref())
}
