//! Monitors as people see and change them.
//!
//! Every change takes the next number of the plan, which is how `plan` hears of it, and happens under the lock of the
//! monitor's row, so a judge never works on what is being changed. A pause and a deletion end the open incident by the
//! same `Tx::end` that a recovery takes: whoever was told of its start is told of its end. A new interval, a pause and
//! a resume begin and end `cadences`, from which the past is enumerated.

use std::collections::HashMap;
use std::time::Duration;

use gazer_domain::cadence::Cadence;
use gazer_domain::guarantee::{GRACE, longest_check};
use gazer_domain::health::Health;
use gazer_domain::incident::EventKind;
use gazer_domain::monitor::{Monitor, Settings};
use gazer_domain::period::Status;
use gazer_domain::time::millis;
use gazer_domain::verdict::Verdict;
use gazer_domain::{IncidentId, MonitorId, Region, TeamId, Timestamp};

use crate::history::listed;
use crate::page::cursor;
use crate::seal::Cell;
use crate::sql::{Conn, Row, Value, args};
use crate::{Listed, Page, Result, Store, cadences, regions, status};

#[derive(Debug, Clone, PartialEq)]
pub struct MonitorView {
    pub monitor: Monitor,
    pub status: Status,
    pub status_since: Timestamp,
    /// The newest, of whichever region.
    pub last: Option<LastCheck>,
    /// The one that is open.
    pub incident: Option<IncidentId>,
    pub certificate_until: Option<Timestamp>,
    /// Where it is checked from, the oldest region first.
    pub regions: Vec<RegionHealth>,
}

/// What is known of a monitor in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionHealth {
    pub region: Region,
    pub status: Verdict,
    pub since: Timestamp,
    pub last: Option<LastCheck>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCheck {
    pub slot: Timestamp,
    pub took: Duration,
    pub verdict: Verdict,
}

/// `search` looks for a part of the name or the target, without case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MonitorFilter {
    pub search: Option<String>,
    pub status: Option<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub up: u64,
    pub slow: u64,
    pub regional: u64,
    pub down: u64,
    pub unknown: u64,
    pub paused: u64,
}

/// The columns that `Store::monitor` and `Store::view` read.
macro_rules! view {
    () => {
        "select m.id, m.name, m.settings, m.secret, m.interval_ms, m.recover_after, m.revision, m.created,
            m.cadence_since, m.align_ms, m.paused, m.regions, m.quorum, m.status, m.status_since, i.id as incident
        from monitors m
        left join incidents i on i.key = m.incident"
    };
}

impl Store {
    pub async fn monitor_create(&self, team: TeamId, monitor: &Monitor) -> Result<()> {
        let mut conn = self.write().await?;
        let seq = plan_next(&mut conn).await?;
        let Settings { name, spec, interval, verify, recover_after, regions, quorum } = &monitor.settings;
        let resolved = regions::resolve(&mut conn, regions).await?;
        let (settings, secret) = gazer_wire::settings::split(spec, *verify);
        let status = if monitor.paused { Status::Paused } else { Status::Unknown };
        let row = conn
            .row(
                include_str!("monitors/create.sql"),
                args![
                    monitor.id,
                    team,
                    monitor.revision,
                    monitor.paused,
                    *recover_after,
                    millis(*interval),
                    monitor.cadence_since,
                    millis(self.align()),
                    monitor.created,
                    seq,
                    status::number(status),
                    name.as_str(),
                    name.to_lowercase(),
                    searchable(&monitor.settings),
                    spec.kind(),
                    spec.target(),
                    settings,
                    self.sealed(monitor.id, secret),
                    regions::joined(regions),
                    quorum.to_string(),
                ],
            )
            .await?;
        let key = row.expect("an insert that returns its key").int("key")?;
        let fresh = Health::fresh(monitor.cadence_since);
        regions::tracks_of(&mut conn, key, &resolved, patience(&monitor.settings), fresh).await?;
        let sql = "insert into periods (monitor, started, status) values ($1, $2, $3)";
        conn.run(sql, args![key, monitor.cadence_since, status::number(status)]).await?;
        if !monitor.paused {
            let cadence = Cadence::new(monitor.id, *interval, monitor.cadence_since).aligned(self.align());
            cadences::begin(&mut conn, key, &cadence).await?;
        }
        conn.commit().await
    }

    pub async fn monitor_get(&self, team: TeamId, monitor: MonitorId) -> Result<Option<MonitorView>> {
        let sql = concat!(
            view!(),
            " where m.team = (select key from teams where id = $1) and m.deleted_at is null
            and m.id = $2"
        );
        let Some(row) = self.row(sql, args![team, monitor]).await? else { return Ok(None) };
        Ok(self.views(&[row]).await?.pop())
    }

    /// By name, then by id.
    pub async fn monitor_list(&self, team: TeamId, filter: &MonitorFilter, page: &Page) -> Result<Listed<MonitorView>> {
        let sql = concat!(
            view!(),
            " where m.team = (select key from teams where id = $1) and m.deleted_at is null
            and ($2 is null or m.search like $2 escape '!')
            and ($3 is null or m.status = $3)
            and ($4 is null or m.sort > $4 or (m.sort = $4 and m.id > $5))
            order by m.sort, m.id limit $6"
        );
        let search = filter.search.as_deref().map(str::trim).filter(|search| !search.is_empty()).map(like);
        let (sort, id) = page.place().unzip();
        let args = args![team, search, filter.status.map(status::number), sort, id, page.asked()];
        let rows = self.rows(sql, args).await?;
        let views = self.views(&rows).await?;
        Ok(Listed::cut(views, page, |view| {
            cursor(&view.monitor.settings.name.to_lowercase(), &view.monitor.id.to_string())
        }))
    }

    pub async fn monitor_totals(&self, team: TeamId) -> Result<Totals> {
        let sql = "select m.status, count(*) as monitors from monitors m
            where m.team = (select key from teams where id = $1) and m.deleted_at is null group by m.status";
        let mut totals = Totals::default();
        for row in self.rows(sql, args![team]).await? {
            let count = row.number("monitors")?;
            match status::read(&row, "status")? {
                Status::Up => totals.up = count,
                Status::Slow => totals.slow = count,
                Status::Regional => totals.regional = count,
                Status::Down => totals.down = count,
                Status::Unknown => totals.unknown = count,
                Status::Paused => totals.paused = count,
            }
        }
        Ok(totals)
    }

    /// A new revision. A new interval begins a new cadence; an open incident stays, and the next check decides.
    pub async fn monitor_edit(
        &self,
        team: TeamId,
        monitor: MonitorId,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Option<Monitor>> {
        let mut conn = self.write().await?;
        let Some((key, mut edited)) = self.locked(&mut conn, team, monitor).await? else { return Ok(None) };
        let moved = edited.settings.interval != settings.interval;
        edited.settings = settings.clone();
        edited.revision += 1;
        if moved {
            edited.cadence_since = now.max(edited.cadence_since);
        }
        let seq = plan_next(&mut conn).await?;
        let Settings { name, spec, interval, verify, recover_after, regions, quorum } = settings;
        let resolved = regions::resolve(&mut conn, regions).await?;
        let (open, secret) = gazer_wire::settings::split(spec, *verify);
        conn.run(
            include_str!("monitors/edit.sql"),
            args![
                key,
                edited.revision,
                *recover_after,
                millis(*interval),
                edited.cadence_since,
                seq,
                name.as_str(),
                name.to_lowercase(),
                searchable(settings),
                spec.kind(),
                spec.target(),
                open,
                self.sealed(monitor, secret),
                regions::joined(regions),
                quorum.to_string(),
            ],
        )
        .await?;
        conn.run("update health set patience = $2 where monitor = $1", args![key, patience(settings)]).await?;
        let fresh = Health::fresh(now.max(edited.cadence_since));
        regions::tracks_change(&mut conn, key, &resolved, patience(settings), fresh).await?;
        if moved && !edited.paused {
            cadences::end(&mut conn, key, edited.cadence_since).await?;
            cadences::begin(&mut conn, key, &edited.cadence()).await?;
        }
        conn.commit().await?;
        Ok(Some(edited))
    }

    /// Closes the open incident with an event of its own. Pausing a paused monitor changes nothing.
    pub async fn monitor_pause(&self, team: TeamId, monitor: MonitorId, now: Timestamp) -> Result<Option<Monitor>> {
        let mut tx = self.begin().await?;
        let Some((key, mut paused)) = self.locked(tx.conn(), team, monitor).await? else { return Ok(None) };
        if paused.paused {
            return Ok(Some(paused));
        }
        if let Some(mut watch) = tx.watches_lock(&[monitor]).await?.remove(&monitor) {
            tx.end(&mut watch, EventKind::Paused, now, now).await?;
        }
        tx.period_turn(key, Status::Paused, now).await?;
        let seq = plan_next(tx.conn()).await?;
        let sql = "update monitors set paused = 1, seq = $2 where key = $1";
        tx.conn().run(sql, args![key, seq]).await?;
        cadences::end(tx.conn(), key, now).await?;
        tx.commit().await?;
        paused.paused = true;
        Ok(Some(paused))
    }

    /// Begins a new cadence, of which nothing is known yet. Resuming a running monitor changes nothing.
    pub async fn monitor_resume(&self, team: TeamId, monitor: MonitorId, now: Timestamp) -> Result<Option<Monitor>> {
        let mut tx = self.begin().await?;
        let Some((key, mut resumed)) = self.locked(tx.conn(), team, monitor).await? else { return Ok(None) };
        if !resumed.paused {
            return Ok(Some(resumed));
        }
        resumed.paused = false;
        resumed.cadence_since = now.max(resumed.cadence_since);
        tx.period_turn(key, Status::Unknown, resumed.cadence_since).await?;
        let seq = plan_next(tx.conn()).await?;
        let sql = "update monitors set paused = 0, cadence_since = $2, seq = $3 where key = $1";
        tx.conn().run(sql, args![key, resumed.cadence_since, seq]).await?;
        let fresh = Health::fresh(resumed.cadence_since);
        let sql =
            "update health set status = $2, since = $3, began = $3, slot = $4, covered = $5, failing = 0, good = 0
            where monitor = $1";
        let unknown = status::verdict_number(fresh.status);
        tx.conn().run(sql, args![key, unknown, fresh.since, fresh.slot, fresh.covered]).await?;
        cadences::begin(tx.conn(), key, &resumed.cadence()).await?;
        tx.commit().await?;
        Ok(Some(resumed))
    }

    /// Tells the end of an open incident, and hides the monitor; `expire` purges it once that is told.
    pub async fn monitor_delete(&self, team: TeamId, monitor: MonitorId, now: Timestamp) -> Result<bool> {
        let mut tx = self.begin().await?;
        let Some((key, _)) = self.locked(tx.conn(), team, monitor).await? else { return Ok(false) };
        if let Some(mut watch) = tx.watches_lock(&[monitor]).await?.remove(&monitor) {
            tx.end(&mut watch, EventKind::Deleted, now, now).await?;
        }
        let seq = plan_next(tx.conn()).await?;
        let sql = "update monitors set deleted_at = $2, seq = $3 where key = $1";
        tx.conn().run(sql, args![key, now, seq]).await?;
        cadences::end(tx.conn(), key, now).await?;
        crate::alerts::forget_monitor(tx.conn(), team, monitor).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The monitor, its row locked until the transaction ends.
    async fn locked(&self, conn: &mut Conn, team: TeamId, monitor: MonitorId) -> Result<Option<(i64, Monitor)>> {
        let sql = "update monitors set revision = revision
            where team = (select key from teams where id = $1) and id = $2 and deleted_at is null returning key";
        let Some(row) = conn.row(sql, args![team, monitor]).await? else { return Ok(None) };
        let key = row.int("key")?;
        let sql = concat!(view!(), " where m.key = $1");
        let row = conn.row(sql, args![key]).await?.expect("a row that is locked");
        Ok(Some((key, self.monitor(&row)?)))
    }

    /// Monitors with what is known of them in each of their regions.
    async fn views(&self, rows: &[Row]) -> Result<Vec<MonitorView>> {
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            views.push(MonitorView {
                monitor: self.monitor(row)?,
                status: status::read(row, "status")?,
                status_since: row.time("status_since")?,
                last: None,
                incident: row.opt_id("incident")?,
                certificate_until: None,
                regions: Vec::new(),
            });
        }
        let ids: Vec<MonitorId> = views.iter().map(|view| view.monitor.id).collect();
        let places: HashMap<MonitorId, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut expiries: HashMap<MonitorId, Vec<(bool, Timestamp)>> = HashMap::new();
        let sql =
            "select m.id, r.name as region, h.status, h.since, h.began, h.seen, h.took, h.verdict, h.certificate_until
            from monitors m join health h on h.monitor = m.key join regions r on r.key = h.region
            where m.id {in list} order by h.region";
        for row in &self.rows(self.dialect().spell(sql), args![listed(&ids)]).await? {
            let Some(view) = places.get(&row.id("id")?).and_then(|at| views.get_mut(*at)) else { continue };
            let health = region_health(row)?;
            view.last = [view.last, health.last].into_iter().flatten().max_by_key(|last| last.slot);
            if let Some(until) = row.opt_time("certificate_until")? {
                expiries.entry(row.id("id")?).or_default().push((health.status == Verdict::Unknown, until));
            }
            view.regions.push(health);
        }
        for view in &mut views {
            // What a silent region saw last may be a certificate of long ago.
            let soonest = expiries.get(&view.monitor.id).and_then(|expiries| expiries.iter().min());
            view.certificate_until = soonest.map(|(_, until)| *until);
        }
        Ok(views)
    }

    pub(crate) fn monitor(&self, row: &Row) -> Result<Monitor> {
        let text = row.text("id")?;
        let sealed = row.opt_blob("secret")?;
        let secret = sealed.map(|sealed| self.seal().open(&cell(&text), &sealed)).transpose()?;
        let read = gazer_wire::settings::join(&row.text("settings")?, secret.as_deref());
        let (spec, verify) = row.read("settings", read)?;
        Ok(Monitor {
            id: row.id("id")?,
            settings: Settings {
                name: row.text("name")?,
                spec,
                interval: Duration::from_millis(row.number("interval_ms")?),
                verify,
                recover_after: row.number("recover_after")?,
                regions: regions::named(row)?,
                quorum: row.word("quorum", |text| text.parse().ok())?,
            },
            revision: row.number("revision")?,
            created: row.time("created")?,
            cadence_since: row.time("cadence_since")?,
            align: Duration::from_millis(row.number("align_ms")?),
            paused: row.flag("paused")?,
        })
    }

    fn sealed(&self, monitor: MonitorId, secret: Option<Vec<u8>>) -> Value {
        Value::Blob(secret.map(|secret| self.seal().close(&cell(&monitor.to_string()), &secret)))
    }
}

fn region_health(row: &Row) -> Result<RegionHealth> {
    let last = match row.opt_time("seen")? {
        Some(slot) => Some(LastCheck {
            slot,
            took: Duration::from_millis(row.number("took")?),
            verdict: status::read_verdict(row, "verdict")?,
        }),
        None => None,
    };
    Ok(RegionHealth {
        region: row.word("region", |name| name.parse().ok())?,
        status: status::read_verdict(row, "status")?,
        since: status::began(row)?,
        last,
    })
}

fn cell(row: &str) -> Cell<'_> {
    Cell { table: "monitors", column: "secret", row }
}

/// The next number of the plan; the row stays locked, so numbers become visible in their order.
pub(crate) async fn plan_next(conn: &mut Conn) -> Result<i64> {
    let row = conn.row("update plan set seq = seq + 1 returning seq", args![]).await?;
    row.expect("the plan has one row").int("seq")
}

pub(crate) fn patience(settings: &Settings) -> i64 {
    millis(settings.interval + longest_check(settings) + GRACE)
}

fn searchable(settings: &Settings) -> String {
    format!("{}\n{}", settings.name.to_lowercase(), settings.spec.target().to_lowercase())
}

fn like(search: &str) -> String {
    let plain = search.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{plain}%")
}
