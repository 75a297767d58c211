//! Whoever asks for a check is answered, and the answer is how things stood then.

use gazer_domain::verdict::Verdict;

use super::super::people::Asked;
use super::super::sim::LOOK;
use super::super::time::True;
use super::Story;

/// A tick, a check that is under way, and the longest check.
const ANSWERED: True = 90_000;

pub(super) fn check(story: &Story, complaints: &mut Vec<String>) {
    for asked in &story.people.asked {
        complaints.extend(wrong(story, asked).map(|what| format!("{asked:?}: {what}")));
    }
}

fn wrong(story: &Story, asked: &Asked) -> Option<String> {
    let (from, until) = (asked.at, asked.at + ANSWERED);
    let one = &story.people.watched[asked.monitor];
    let watched = one.reigns.iter().find(|reign| reign.when.from <= from && until <= reign.when.until)?;
    // By a clock that jumped ahead it is forgotten before anybody looks.
    if story.hidden(from.saturating_sub(ANSWERED), until) > 0 || story.jumped(from, from + LOOK) {
        return None;
    }
    let Some(answer) = &asked.answer else {
        return story.faults.spare_messages().then(|| "nobody answered".to_owned());
    };
    let expected = match watched.troubles().find(|trouble| trouble.when.touches(from, until)) {
        None => Verdict::Up,
        Some(trouble) if trouble.when.from <= from && until <= trouble.when.until => Verdict::Down,
        Some(_) => return None,
    };
    let found = answer.judgement.verdict;
    (found != expected).then(|| format!("{found} was found, and it was {expected}"))
}
