//! Whether we can see at all: facts about ourselves, folded to what the operator is told.
//!
//! A look gathers [`Facts`] of one region: what came of the two canaries, what the witnesses say, whether the store
//! answers, whether checks are judged. [`judge`] says what is wrong with us, if anything. [`Sight::fold`] opens an
//! [`Episode`] at the second look in a row that finds something, and closes it at the second in a row that finds
//! nothing, so that one stumble is no news and a flapping one is one story. An episode begins and ends with the first of
//! its two looks. It is the operator's alone: no tenant hears of our faults.

use std::fmt;
use std::time::Duration;

use crate::time::humane_duration;
use crate::verdict::{Judgement, Verdict};
use crate::{DeliveryId, Region, Timestamp};

/// Looks in a row that open an episode, and that close it.
const CERTAIN: u8 = 2;
/// A judge takes milliseconds; one that is this far behind no longer tells in time.
const BEHIND: Duration = Duration::from_secs(20);

/// What is wrong with us. A code never changes its meaning; new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing that is decided is kept.
    StoreSilent,
    /// What is up is not seen as up.
    UpNotSeen,
    /// What is down is not seen as down.
    DownNotSeen,
    /// All witnesses that have a vote are gone.
    NetworkDown,
    /// What was seen waits to be judged.
    JudgingLate,
    /// Most monitors were not checked when they were due.
    ChecksMissed,
    /// None of the probers of a region says anything.
    RegionSilent,
}

impl Fault {
    pub const ALL: [Self; 7] = [
        Self::StoreSilent,
        Self::UpNotSeen,
        Self::DownNotSeen,
        Self::NetworkDown,
        Self::JudgingLate,
        Self::ChecksMissed,
        Self::RegionSilent,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StoreSilent => "store_silent",
            Self::UpNotSeen => "up_not_seen",
            Self::DownNotSeen => "down_not_seen",
            Self::NetworkDown => "network_down",
            Self::JudgingLate => "judging_late",
            Self::ChecksMissed => "checks_missed",
            Self::RegionSilent => "region_silent",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a prober says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub region: Region,
    /// Tells the probers of a region apart.
    pub prober: String,
    pub canaries: Option<Canaries>,
    pub world: World,
}

/// What a look found out. What could not be asked, because there is none, is not against us.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    pub canaries: Option<Canaries>,
    pub world: World,
    pub store: StoreSays,
    /// How long the oldest observation that is in the judge's hands waits.
    pub judging: Duration,
}

/// What is said of something that is up, and of something that is down, and we know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Canaries {
    pub up: Judgement,
    pub down: Judgement,
}

/// What witnesses say that have a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    Answers,
    Silent {
        asked: usize,
    },
    /// Nobody has a vote.
    Unasked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSays {
    /// It took a write. So many monitors are overdue, of those that are watched.
    Taken {
        overdue: u64,
        watched: u64,
    },
    Silent {
        why: String,
    },
}

/// What is wrong and a sentence for the operator; of several faults the one that explains the others.
pub fn judge(facts: &Facts) -> Option<(Fault, String)> {
    if let StoreSays::Silent { why } = &facts.store {
        return Some((Fault::StoreSilent, format!("the database does not take what is decided: {why}")));
    }
    if let Some(found) = blind(facts.canaries.as_ref(), facts.world) {
        return Some(found);
    }
    if facts.judging > BEHIND {
        let text = format!("what was seen {} ago is not judged yet", humane_duration(facts.judging));
        return Some((Fault::JudgingLate, text));
    }
    match facts.store {
        // Single ones may be slow, or new; it is we where it is most of them.
        StoreSays::Taken { overdue, watched } if overdue * 2 > watched => {
            Some((Fault::ChecksMissed, format!("{overdue} of {watched} monitors were not checked when they were due")))
        }
        _ => None,
    }
}

/// What is wrong with a region whose probers are elsewhere, from what they said within `patience`.
pub fn judge_looks<'a>(looks: impl IntoIterator<Item = &'a Look>, patience: Duration) -> Option<(Fault, String)> {
    let mut looks = looks.into_iter().peekable();
    if looks.peek().is_none() {
        let text = format!("none of its probers has said anything for {}", humane_duration(patience));
        return Some((Fault::RegionSilent, text));
    }
    looks.find_map(|look| blind(look.canaries.as_ref(), look.world))
}

/// What is wrong with what a prober sees.
fn blind(canaries: Option<&Canaries>, world: World) -> Option<(Fault, String)> {
    if let Some(Canaries { up, down }) = canaries {
        let said = |judged: &Judgement| judged.cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"));
        if up.verdict != Verdict::Up {
            let text = format!("a page of our own that is up was found {}{}", up.verdict.as_str(), said(up));
            return Some((Fault::UpNotSeen, text));
        }
        if down.verdict != Verdict::Down {
            let text = format!("a port of our own that is closed was found {}{}", down.verdict.as_str(), said(down));
            return Some((Fault::DownNotSeen, text));
        }
    }
    if let World::Silent { asked } = world {
        return Some((Fault::NetworkDown, format!("our network seems to be down: none of {asked} witnesses answers")));
    }
    None
}

/// A stretch in which a region could not see, or could not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    pub region: Region,
    /// What was wrong first.
    pub fault: Fault,
    pub text: String,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
}

/// What the operator is told of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Impaired,
    Recovered,
}

impl Episode {
    /// The same for every attempt: it derives from what the row is found by.
    pub fn message(&self, news: News) -> DeliveryId {
        let number = match news {
            News::Impaired => 1,
            News::Recovered => 2,
        };
        DeliveryId::from_text(format!("opr_{}_{}_{number}", self.region, self.started.millis()))
    }

    /// What a channel is still to be told that was told so much. An end tells its start as well, so one that did not
    /// get through is not told after it.
    pub const fn due(&self, told: Told) -> Option<News> {
        match (told, self.ended) {
            (Told::Nothing, None) => Some(News::Impaired),
            (Told::Nothing | Told::Start, Some(_)) => Some(News::Recovered),
            (Told::Start, None) | (Told::All, _) => None,
        }
    }
}

/// How much of an episode a channel was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    Nothing,
    Start,
    /// Also of a channel that there is none of.
    All,
}

impl Told {
    pub const ALL: [Self; 3] = [Self::Nothing, Self::Start, Self::All];

    pub const fn after(news: News) -> Self {
        match news {
            News::Impaired => Self::Start,
            News::Recovered => Self::All,
        }
    }

    pub const fn number(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Start => 1,
            Self::All => 2,
        }
    }
}

/// What is known between two looks.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    impaired: bool,
    /// Looks in a row that contradict that, and what the first of them found, and when.
    against: u8,
    first: Option<(Timestamp, Option<(Fault, String)>)>,
}

/// What a look changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    Opened { at: Timestamp, fault: Fault, text: String },
    Closed { at: Timestamp },
}

impl Sight {
    /// Takes up what is known from elsewhere: which fault lasts, if any does.
    pub fn resume(&mut self, lasting: Option<Fault>) {
        if lasting.is_some() != self.impaired {
            *self = Self { impaired: lasting.is_some(), ..Self::default() };
        }
    }

    pub const fn is_impaired(&self) -> bool {
        self.impaired
    }

    /// The last look contradicts what is known: the next should come soon.
    pub const fn is_doubtful(&self) -> bool {
        self.against > 0
    }

    pub fn fold(&mut self, at: Timestamp, found: Option<(Fault, String)>) -> Option<Turn> {
        if found.is_some() == self.impaired {
            (self.against, self.first) = (0, None);
            return None;
        }
        self.against += 1;
        let (at, found) = self.first.get_or_insert((at, found)).clone();
        if self.against < CERTAIN {
            return None;
        }
        *self = Self { impaired: !self.impaired, ..Self::default() };
        Some(match found {
            Some((fault, text)) => Turn::Opened { at, fault, text },
            None => Turn::Closed { at },
        })
    }
}

#[cfg(test)]
mod tests;
