//! A monitor under judgement, with what is known of it in each of its regions.

use std::collections::HashMap;
use std::time::Duration;

use gazer_domain::cadence::Cadence;
use gazer_domain::cause::Code;
use gazer_domain::health::{Health, Policy};
use gazer_domain::standing::Standing;
use gazer_domain::{MonitorId, Region, TeamId, Timestamp};

use crate::history::listed;
use crate::incidents::{cause, trouble};
use crate::sql::{Row, args};
use crate::{OpenIncident, Result, Tx, regions, status};

/// A monitor under judgement, its row locked until the transaction ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    pub key: i64,
    pub team: TeamId,
    pub monitor: MonitorId,
    pub revision: u32,
    pub policy: Policy,
    /// How long after its slot a check may still be under way.
    pub grace: Duration,
    /// The health of each track, in the order of `tracks`.
    pub standing: Standing,
    pub tracks: Vec<Track>,
    pub open: Option<OpenIncident>,
}

/// The monitor in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    pub key: i64,
    pub region: Region,
    pub(crate) region_key: i64,
    /// Until when a check that was judged has looked.
    pub seen: Option<Timestamp>,
}

impl Watch {
    /// Which of the tracks is that region's; `None` if the monitor is not checked from there.
    pub fn track_of(&self, region: &Region) -> Option<usize> {
        self.tracks.iter().position(|track| track.region == *region)
    }

    /// The oldest region first.
    fn put(&mut self, track: Track, health: Health) {
        let at = self.tracks.partition_point(|known| known.region_key < track.region_key);
        self.tracks.insert(at, track);
        self.standing.regions.insert(at, health);
    }

    /// Tracks of regions in trouble, each with its health.
    pub(crate) fn troubled(&self) -> impl Iterator<Item = (&Track, &Health)> {
        use gazer_domain::verdict::Verdict::{Down, Slow};
        let all = self.tracks.iter().zip(&self.standing.regions);
        all.filter(|(_, health)| matches!(health.status, Slow | Down))
    }
}

impl Tx {
    /// Those that are neither paused nor deleted, locked in the order of their keys.
    pub async fn watches_lock(&mut self, monitors: &[MonitorId]) -> Result<HashMap<MonitorId, Watch>> {
        let list = listed(monitors);
        let dialect = self.conn().dialect();
        if let Some(lock) = dialect.watches_lock() {
            self.conn().rows(lock, args![list.clone()]).await?;
        }
        let regions = regions::names(self.conn()).await?;
        let rows = self.conn().rows(dialect.spell(include_str!("watches.sql")), args![list]).await?;
        let mut watches: HashMap<MonitorId, Watch> = HashMap::with_capacity(rows.len());
        let mut unreadable = Vec::new();
        for row in &rows {
            let read = row.id("monitor").and_then(|monitor| match watches.get_mut(&monitor) {
                Some(watch) => track(row, &regions).map(|(track, health)| watch.put(track, health)),
                None => watch(row, &regions).map(|watch| drop(watches.insert(monitor, watch))),
            });
            // One that cannot be read must not keep all the others from being judged.
            if let Err(err) = read {
                tracing::error!(error = &err as &dyn std::error::Error, "a monitor cannot be judged");
                unreadable.extend(row.id("monitor").ok());
            }
        }
        for monitor in unreadable {
            watches.remove(&monitor);
        }
        Ok(watches)
    }
}

fn watch(row: &Row, regions: &HashMap<i64, Region>) -> Result<Watch> {
    let monitor: MonitorId = row.id("monitor")?;
    let interval = Duration::from_millis(row.number("interval_ms")?);
    let align = Duration::from_millis(row.number("align_ms")?);
    let open = match row.opt_int("incident_key")? {
        Some(key) => Some(OpenIncident {
            key,
            id: row.id("incident")?,
            trouble: row.word("trouble", trouble)?,
            started: row.time("started")?,
            cause: cause(row)?,
            events: row.number("events")?,
            proved: match row.opt_time("proved_at")? {
                Some(at) => Some((at, row.word("proved_code", Code::parse)?)),
                None => None,
            },
        }),
        None => None,
    };
    let (track, health) = track(row, regions)?;
    Ok(Watch {
        key: row.int("key")?,
        team: row.id("team")?,
        monitor,
        revision: row.number("revision")?,
        policy: Policy {
            cadence: Cadence::new(monitor, interval, row.time("cadence_since")?).aligned(align),
            recover_after: row.number("recover_after")?,
        },
        grace: Duration::from_millis(row.number("patience")?).saturating_sub(interval),
        standing: Standing {
            regions: vec![health],
            quorum: row.word("quorum", |text| text.parse().ok())?,
            status: status::read(row, "stands")?,
        },
        tracks: vec![track],
        open,
    })
}

fn track(row: &Row, regions: &HashMap<i64, Region>) -> Result<(Track, Health)> {
    let health = Health {
        status: status::read_verdict(row, "status")?,
        since: row.time("since")?,
        began: status::began(row)?,
        slot: row.time("slot")?,
        covered: row.time("covered")?,
        failing: row.flag("failing")?,
        good: row.number("good")?,
    };
    let seen = match row.opt_time("seen")? {
        Some(slot) => Some(slot + Duration::from_millis(row.number("took")?)),
        None => None,
    };
    let region_key = row.int("region")?;
    let region = regions.get(&region_key).cloned();
    let region = region.ok_or_else(|| row.corrupt("region", &format!("{region_key} is no region")))?;
    Ok((Track { key: row.int("track")?, region, region_key, seen }, health))
}
