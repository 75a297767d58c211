//! Where a message between processes goes: its topic, and its region where the topic has one of its own for each.
//!
//! Who may publish there is what makes a message of that region; nothing that is written in it does.

use gazer_domain::Region;

use crate::message::Topic;

fn plain(topic: Topic) -> String {
    format!("gazer.{}", topic.as_str())
}

pub(crate) fn subject(topic: Topic, region: &Region) -> String {
    let plain = plain(topic);
    if topic.is_by_region() { format!("{plain}.{region}") } else { plain }
}

/// All subjects of a topic, as NATS writes it.
pub(crate) fn all_of(topic: Topic) -> String {
    let plain = plain(topic);
    if topic.is_by_region() { format!("{plain}.*") } else { plain }
}

/// Of a subject of a topic that has one for each region.
pub(crate) fn region_of(topic: Topic, subject: &str) -> Option<Region> {
    let region = subject.strip_prefix(&plain(topic))?.strip_prefix('.')?;
    region.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_read_from_the_subject_that_it_makes() {
        let eu: Region = "eu-1".parse().unwrap();
        assert_eq!(subject(Topic::Observed, &eu), "gazer.observed.v1.eu-1");
        assert_eq!(all_of(Topic::Observed), "gazer.observed.v1.*");
        assert_eq!(subject(Topic::Send, &eu), "gazer.send.v1");
        for topic in Topic::ALL {
            let region = region_of(topic, &subject(topic, &eu));
            assert_eq!(region.is_some(), topic.is_by_region(), "{topic:?}");
        }
        assert_eq!(region_of(Topic::Check, "gazer.observed.v1.eu-1"), None);
    }
}
