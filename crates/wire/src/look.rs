//! What a prober says of itself.

use gazer_domain::sight::{self as domain, World};
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{Region, cause};
use serde::{Deserialize, Serialize};

use crate::Unreadable;
use crate::attempt::Cause;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    prober: String,
    canaries: Option<[Judged; 2]>,
    world: Said,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Judged {
    verdict: String,
    cause: Option<Cause>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Said {
    Answers,
    Silent(usize),
    Unasked,
}

/// The region is not written: it is that of the subject.
pub fn to_json(look: &domain::Look) -> String {
    let canaries = look.canaries.as_ref().map(|canaries| [judged(&canaries.up), judged(&canaries.down)]);
    let world = match look.world {
        World::Answers => Said::Answers,
        World::Silent { asked } => Said::Silent(asked),
        World::Unasked => Said::Unasked,
    };
    crate::write(&Look { prober: look.prober.clone(), canaries, world })
}

pub fn from_json(text: &str, region: Region) -> Result<domain::Look, Unreadable> {
    let Look { prober, canaries, world } = crate::read(text)?;
    let canaries = match canaries {
        Some([up, down]) => Some(domain::Canaries { up: judgement(up)?, down: judgement(down)? }),
        None => None,
    };
    let world = match world {
        Said::Answers => World::Answers,
        Said::Silent(asked) => World::Silent { asked },
        Said::Unasked => World::Unasked,
    };
    Ok(domain::Look { region, prober, canaries, world })
}

fn judged(judgement: &Judgement) -> Judged {
    Judged { verdict: judgement.verdict.as_str().to_owned(), cause: judgement.cause.as_ref().map(Cause::from) }
}

fn judgement(wire: Judged) -> Result<Judgement, Unreadable> {
    let verdict = Verdict::parse(&wire.verdict).ok_or_else(|| format!("{:?} is no verdict", wire.verdict))?;
    Ok(Judgement { verdict, cause: wire.cause.map(cause::Cause::try_from).transpose()? })
}
