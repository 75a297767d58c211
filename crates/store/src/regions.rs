//! The places that monitors are checked from, and the tracks that lead there: a track is a monitor in one region.
//!
//! A track's key is written here and nowhere else ([`tracks_begin`]). A track of the first region that a database had
//! has its monitor's key, so that an installation with one region writes small numbers, and nothing was rewritten when
//! there came to be several. Every other track counts down from -1, and no number is given twice: what was checked in a
//! region that is gone stays its own until it is old enough to go.
//!
//! A monitor that names no regions is checked from every one there is. So a region that comes or goes changes monitors,
//! in the transaction that makes or removes it, and takes the next number of the plan for them.

use std::collections::{BTreeMap, HashMap};

use gazer_domain::health::Health;
use gazer_domain::{Invalid, Region, Timestamp};

use crate::monitors::{patience, plan_next};
use crate::sql::{Conn, Row, args};
use crate::{Result, Store, status};

/// A region as its operator knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub region: Region,
    pub created: Timestamp,
}

impl Store {
    /// The oldest first.
    pub async fn regions(&self) -> Result<Vec<Place>> {
        let sql = "select name, created from regions where removed_at is null order by key";
        let place = |row: &Row| {
            Ok(Place { region: row.word("name", |name| name.parse().ok())?, created: row.time("created")? })
        };
        self.rows(sql, args![]).await?.iter().map(place).collect()
    }

    /// No monitor is checked from there any more; one that named no other region is checked from every one there is.
    /// What the region saw last has no vote from the next check on. False if there is no such region.
    pub async fn region_remove(&self, region: &Region, now: Timestamp) -> Result<bool> {
        let mut conn = self.write().await?;
        let seq = change(&mut conn).await?;
        let there = present(&mut conn).await?;
        let Some(key) = there.get(region) else { return Ok(false) };
        if there.len() == 1 {
            return Err(Invalid::new("region", "must not be the last one: nothing would be checked any more").into());
        }
        conn.run("update regions set removed_at = $2 where key = $1", args![*key, now]).await?;
        let sql = "update monitors set seq = $2 where key in (select monitor from health where region = $1)";
        conn.run(sql, args![*key, seq]).await?;
        let sql = "delete from onsets where track in (select track from health where region = $1)";
        conn.run(sql, args![*key]).await?;
        conn.run("delete from health where region = $1", args![*key]).await?;
        let sql = "select key, regions from monitors where ',' || regions || ',' like '%,' || $1 || ',%'";
        for row in conn.rows(sql, args![region.as_str()]).await? {
            let left = named(&row)?.into_iter().filter(|named| named != region).collect::<Vec<_>>();
            let monitor = row.int("key")?;
            let sql = "update monitors set regions = $2, seq = $3 where key = $1";
            conn.run(sql, args![monitor, joined(&left), seq]).await?;
        }
        self.tracks_begin(&mut conn, now).await?;
        conn.commit().await?;
        Ok(true)
    }

    /// Makes sure that there is this region. False if there was one of that name, which stays as it is.
    pub async fn region_add(&self, region: &Region, now: Timestamp) -> Result<bool> {
        let sql = "select key from regions where name = $1 and removed_at is null";
        if self.row(sql, args![region.as_str()]).await?.is_some() {
            return Ok(false);
        }
        let mut conn = self.write().await?;
        let seq = change(&mut conn).await?;
        let sql = "insert into regions (key, name, created)
            select coalesce((select max(key) + 1 from regions), 0), $1, $2
            where not exists (select 1 from regions where name = $1 and removed_at is null)";
        if conn.run(sql, args![region.as_str(), now]).await? == 0 {
            return Ok(false);
        }
        let sql = "update monitors set seq = $1 where regions is null and deleted_at is null";
        conn.run(sql, args![seq]).await?;
        self.tracks_begin(&mut conn, now).await?;
        conn.commit().await?;
        Ok(true)
    }

    /// Begins the tracks that monitors have no row for yet, where the regions they name, or all there are, came to be
    /// others. Nothing is known of them before `now`.
    pub(crate) async fn tracks_begin(&self, conn: &mut Conn, now: Timestamp) -> Result<()> {
        let sql = "select m.id, m.key, m.name, m.settings, m.secret, m.interval_ms, m.recover_after, m.revision,
                m.created, m.cadence_since, m.align_ms, m.paused, m.regions, m.quorum, r.key as region
            from monitors m join regions r on r.removed_at is null
                and (m.regions is null or ',' || m.regions || ',' like '%,' || r.name || ',%')
            where m.deleted_at is null
                and not exists (select 1 from health h where h.monitor = m.key and h.region = r.key)
            order by m.key, r.key";
        let absent = conn.rows(sql, args![]).await?;
        for row in &absent {
            let (key, region) = (row.int("key")?, row.int("region")?);
            // One that cannot be read must not keep all the others from being checked.
            let Ok(monitor) = self
                .monitor(row)
                .inspect_err(|err| tracing::error!(error = err as &dyn std::error::Error, "a monitor cannot be read"))
            else {
                continue;
            };
            let fresh = Health::fresh(now.max(monitor.cadence_since));
            track_begin(conn, (key, region), patience(&monitor.settings), fresh).await?;
        }
        Ok(())
    }
}

/// Locks every monitor, and the plan behind them, as an edit does. Of two that make the same region at once, the second
/// finds the first's.
async fn change(conn: &mut Conn) -> Result<i64> {
    monitors_lock(conn).await?;
    plan_next(conn).await
}

/// Every monitor, in the order in which judges lock theirs.
pub(crate) async fn monitors_lock(conn: &mut Conn) -> Result<()> {
    let sql = conn.dialect().spell("select m.key from monitors m order by m.key {for update}");
    conn.rows(sql, args![]).await.map(drop)
}

/// Begins the tracks of one monitor, whose regions are `regions`.
pub(crate) async fn tracks_of(
    conn: &mut Conn,
    monitor: i64,
    regions: &[i64],
    patience: i64,
    fresh: Health,
) -> Result<()> {
    for region in regions {
        track_begin(conn, (monitor, *region), patience, fresh).await?;
    }
    Ok(())
}

/// Ends the tracks of a monitor that are not of those regions any more, and begins those that are new.
pub(crate) async fn tracks_change(
    conn: &mut Conn,
    monitor: i64,
    regions: &[i64],
    patience: i64,
    fresh: Health,
) -> Result<()> {
    let mut absent = regions.to_vec();
    for row in conn.rows("select track, region from health where monitor = $1", args![monitor]).await? {
        let (track, region) = (row.int("track")?, row.int("region")?);
        if regions.contains(&region) {
            absent.retain(|wanted| *wanted != region);
            continue;
        }
        conn.run("delete from onsets where track = $1", args![track]).await?;
        conn.run("delete from health where track = $1", args![track]).await?;
    }
    tracks_of(conn, monitor, &absent, patience, fresh).await
}

/// The keys of the regions that a monitor names, or of all there are.
pub(crate) async fn resolve(conn: &mut Conn, regions: &[Region]) -> Result<Vec<i64>> {
    let there = present(conn).await?;
    if regions.is_empty() {
        return Ok(there.into_values().collect());
    }
    let key_of = |(at, region): (usize, &Region)| {
        there.get(region).copied().ok_or_else(|| {
            let known = there.keys().map(Region::as_str).collect::<Vec<_>>();
            let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
            let why = format!("must be a region there is, which {region} is not; there are {known}");
            Invalid::new(format!("regions[{at}]"), why)
        })
    };
    Ok(regions.iter().enumerate().map(key_of).collect::<Result<_, _>>()?)
}

/// Every region that ever was, by its key.
pub(crate) async fn names(conn: &mut Conn) -> Result<HashMap<i64, Region>> {
    let rows = conn.rows("select name, key from regions", args![]).await?;
    rows.iter().map(|row| Ok((row.int("key")?, row.word("name", |name| name.parse().ok())?))).collect()
}

async fn present(conn: &mut Conn) -> Result<BTreeMap<Region, i64>> {
    let rows = conn.rows("select name, key from regions where removed_at is null", args![]).await?;
    rows.iter().map(|row| Ok((row.word("name", |name| name.parse().ok())?, row.int("key")?))).collect()
}

async fn track_begin(conn: &mut Conn, (monitor, region): (i64, i64), patience: i64, fresh: Health) -> Result<()> {
    let key = if region == 0 { monitor } else { next_track(conn).await? };
    let sql = "insert into health
            (track, monitor, region, patience, status, since, began, slot, covered, failing, good)
        values ($1, $2, $3, $4, $5, $6, $6, $7, $8, 0, 0)";
    let unknown = status::verdict_number(fresh.status);
    let args = args![key, monitor, region, patience, unknown, fresh.since, fresh.slot, fresh.covered];
    conn.run(sql, args).await.map(drop)
}

async fn next_track(conn: &mut Conn) -> Result<i64> {
    let row = conn.row("update plan set tracks = tracks - 1 returning tracks", args![]).await?;
    row.expect("the plan has one row").int("tracks")
}

/// What a monitor names, as its column holds it.
pub(crate) fn joined(regions: &[Region]) -> Option<String> {
    let names = regions.iter().map(Region::as_str).collect::<Vec<_>>();
    (!names.is_empty()).then(|| names.join(","))
}

pub(crate) fn named(row: &Row) -> Result<Vec<Region>> {
    let Some(text) = row.opt_text("regions")? else { return Ok(Vec::new()) };
    let names = text.split(',').map(str::parse).collect::<Result<_, Invalid>>();
    row.read("regions", names.map_err(|err| err.to_string()))
}
