//! Whoever asks for a check is answered, and the answer is how things stood then.

use gazer_domain::verdict::Verdict;

use super::super::faults::Stretch;
use super::super::people::Asked;
use super::super::sim::LOOK;
use super::super::time::True;
use super::Story;

/// A tick, a check that is under way, and the longest check.
const ANSWERED: True = 90_000;
/// A request without an answer is taken for one that waits for it.
const UNANSWERED: True = 420_000;

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
        // Whoever asks while an earlier request seems to wait gets that one, which may have been lost.
        let lately = Stretch { from: from.saturating_sub(UNANSWERED), until: from };
        let watched = one.reigns.iter().filter_map(|reign| reign.when.within(&lately));
        let was_paused = watched.map(|watched| watched.length()).sum::<True>() < lately.length();
        // With a monitor that is deleted the request is gone as well, before anybody looks.
        let is_deleted = one.reigns.last().is_none_or(|last| last.when.until <= from + LOOK);
        if was_paused || is_deleted || story.hidden(lately.from, from) > 0 {
            return None;
        }
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
