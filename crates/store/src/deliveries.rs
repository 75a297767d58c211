//! Messages on their way.
//!
//! A row is written by the judge's transaction (see `judge/tell.rs`), claimed under a lease, sent, and settled. `due_at`
//! is when it may be claimed: the time of the next attempt while it waits, the end of the lease while it is leased, so
//! a claimant's death needs no care. Every claim takes a new epoch; whoever settles with an old one changes nothing.
//! A row is settled (`settled_at`) when it is delivered, dead or merged.
//!
//! Per incident and channel, deliveries go out in the order of their events: only the head of the line can be claimed.
//! A failure plans the next try (`planned_at`). What waits so is tried before its time where its channel takes something,
//! not before it has rested (`soonest_at`): a try that does not count.
//!
//! A start that did not get through is merged into its end. One whose lease ran out is not: it may have got through, so
//! it is sent again under its id, and its end follows. What is dead waits again only by hand (see `dead.rs`).

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use gazer_domain::channel::{About, Notice, Target};
use gazer_domain::delivery::{Obstacle, State, obstacle};
use gazer_domain::incident::EventKind;
use gazer_domain::{ChannelId, DeliveryId, IncidentId, TeamId, Timestamp};
use serde::Serialize;

use crate::dialect::Dialect;
use crate::sql::{Row, args, storable};
use crate::{Result, Store};

/// What a service answered is kept for people to read; more than this says nothing more.
const RECEIPT_CHARS: usize = 1_000;
/// Under way to one channel at once. A service that answers slowly keeps its own messages waiting, and nobody else's.
const PER_CHANNEL: u32 = 8;
/// What is tried before its time for each message that its channel takes. Where a service is back, each of those brings
/// as many; where it stumbles again, no more have knocked in vain.
const HURRIED: u32 = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryView {
    pub id: DeliveryId,
    pub channel: ChannelId,
    pub channel_name: String,
    pub channel_kind: String,
    /// Number of the incident's event; 0 for a test.
    pub event: u32,
    /// `None` for a test, as what follows.
    pub event_kind: Option<EventKind>,
    pub incident: Option<IncidentId>,
    pub monitor_name: Option<String>,
    pub state: State,
    pub attempts: u32,
    /// When it is due, while it waits.
    pub next_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
    /// The receipt, or the last error.
    pub receipt: Option<String>,
    /// Why it cannot be sent again by hand; `None` if it can (see `dead.rs`).
    pub obstacle: Option<Obstacle>,
}

/// One delivery under a lease. Whoever settles it says the `epoch`, which fences out those whose lease ran out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub id: DeliveryId,
    pub epoch: i64,
    /// Failed attempts before this one.
    pub attempts: u32,
    /// Before its time.
    pub early: bool,
    pub target: Target,
    pub notice: Notice,
}

impl Claimed {
    pub fn came_to(&self, settled: Settled) -> Settlement {
        Settlement { id: self.id.clone(), epoch: self.epoch, settled }
    }
}

/// What came of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub id: DeliveryId,
    pub epoch: i64,
    pub settled: Settled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Delivered {
        receipt: String,
    },
    /// It failed, and waits until then; not before `soonest`, also where its channel takes other messages.
    Again {
        at: Timestamp,
        soonest: Timestamp,
        why: String,
    },
    /// It failed before its time, and waits as it did.
    AsPlanned {
        soonest: Timestamp,
        why: String,
    },
    Dead {
        why: String,
    },
}

impl Settled {
    pub(crate) fn state(&self) -> State {
        match self {
            Self::Delivered { .. } => State::Delivered,
            Self::Again { .. } | Self::AsPlanned { .. } => State::Waiting,
            Self::Dead { .. } => State::Dead,
        }
    }

    /// What was answered, as it is kept.
    pub(crate) fn receipt(&self) -> String {
        let (Self::Delivered { receipt: said }
        | Self::Again { why: said, .. }
        | Self::AsPlanned { why: said, .. }
        | Self::Dead { why: said }) = self;
        said.chars().take(RECEIPT_CHARS).collect()
    }

    /// When the next try is planned, and how soon it may come; nothing where that stays as it was.
    pub(crate) fn next(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        match self {
            Self::Again { at, soonest, .. } => (Some(*at), Some(*soonest)),
            Self::AsPlanned { soonest, .. } => (None, Some(*soonest)),
            Self::Delivered { .. } | Self::Dead { .. } => (None, None),
        }
    }
}

macro_rules! view {
    () => {
        "select d.id, d.key, d.event, d.event_kind, d.state, d.attempts, d.due_at, d.settled_at, d.receipt,
            c.id as channel, c.name as channel_name, c.kind as channel_kind, c.deleted_at as channel_deleted,
            i.id as incident, m.name as monitor_name,
            case when exists (
                select 1 from deliveries l where l.incident = d.incident and l.channel = d.channel
                    and l.event > d.event and l.state <> 'dead'
            ) then 1 else 0 end as told_later
        from deliveries d join channels c on c.key = d.channel
            left join incidents i on i.key = d.incident left join monitors m on m.key = i.monitor"
    };
}
pub(crate) use view;

impl Store {
    /// Due deliveries, each the head of its line: a later event of the same incident waits until the earlier one is
    /// settled for that channel. Rows whose lease ran out are claimed again, under the same id and a new epoch.
    pub async fn deliveries_claim(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Claimed>> {
        // Most polls find nothing, and what is found is ranked outside of the write lock. Who is at the head of a line
        // stays there until it is settled, so only what somebody else claims meanwhile has to be looked at again.
        let sql = include_str!("deliveries/claimable.sql");
        let found = self.rows(sql, args![now, PER_CHANNEL, limit]).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let ids = found.iter().map(|row| row.text("id")).collect::<Result<Vec<_>>>()?;
        let mut conn = self.write().await?;
        let sql = conn.dialect().spell(include_str!("deliveries/claim.sql"));
        let rows = conn.rows(sql, args![gazer_wire::write(&ids), now, now + lease]).await?;
        let ids = rows.iter().map(|row| row.text("id")).collect::<Result<Vec<_>>>()?;
        let sql = conn.dialect().spell(
            "select d.id, d.epoch, d.attempts, d.planned_at, d.notice, c.id as channel, c.target, c.secret
            from deliveries d join channels c on c.key = d.channel where d.id {in list} order by d.key",
        );
        let rows = conn.rows(sql, args![gazer_wire::write(&ids)]).await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in &rows {
            match self.claimed(row, now) {
                Ok(delivery) => claimed.push(delivery),
                // One that cannot be read must not hold up all others for ever.
                Err(err) => {
                    let id = DeliveryId::from_text(row.text("id")?);
                    tracing::error!(%id, error = &err as &dyn std::error::Error, "a delivery cannot be read");
                    let sql = "update deliveries set state = 'dead', settled_at = $2, receipt = $3 where id = $1";
                    conn.run(sql, args![&id, now, err.to_string()]).await?;
                }
            }
        }
        conn.commit().await?;
        Ok(claimed)
    }

    /// How many still held their lease. Of the others, which somebody else holds by now or which were settled before,
    /// nothing changes.
    pub async fn deliveries_settle(&self, settlements: &[Settlement], now: Timestamp) -> Result<u64> {
        if settlements.is_empty() {
            return Ok(0);
        }
        let mut conn = self.write().await?;
        // Of two that answer the same claim the first holds.
        let mut claims = HashSet::new();
        let firsts = settlements.iter().filter(|one| claims.insert((&one.id, one.epoch)));
        let list: Vec<_> = firsts.map(|one| written(one, now)).collect();
        let sql = conn.dialect().spell(include_str!("deliveries/settle.sql"));
        let settled = conn.rows(sql, args![gazer_wire::write(&list)]).await?;
        // How many each channel took.
        let mut taken: BTreeMap<i64, u32> = BTreeMap::new();
        let mut failed = Vec::new();
        for row in &settled {
            match row.word("state", State::parse)? {
                State::Delivered => *taken.entry(row.int("channel")?).or_default() += 1,
                _ => failed.push(row.text("id")?),
            }
        }
        let sql = conn.dialect().spell(include_str!("deliveries/hurry.sql"));
        for (channel, times) in taken {
            conn.run(sql.clone(), args![channel, now, HURRIED * times]).await?;
        }
        if !failed.is_empty() {
            let sql = conn.dialect().spell(include_str!("deliveries/merge.sql"));
            conn.run(sql, args![gazer_wire::write(&failed), now]).await?;
        }
        conn.commit().await?;
        Ok(settled.len() as u64)
    }

    /// Ends every lease, where nobody else can hold one: the data directory of SQLite belongs to one process, which has
    /// just started. On PostgreSQL others may be sending, and a lease runs out by itself.
    pub async fn leases_release(&self) -> Result<u64> {
        if self.dialect() == Dialect::Postgres {
            return Ok(0);
        }
        let sql = "update issue_news set leased = 0, due_at = 0 where leased = 1 and settled_at is null";
        self.run(sql, args![]).await?;
        let sql = "update deliveries set state = 'waiting', due_at = 0 where state = 'leased' and settled_at is null";
        self.run(sql, args![]).await
    }

    /// Ends the leases that would end by `until`, so that what was claimed with them is claimed again.
    pub async fn leases_end(&self, until: Timestamp, now: Timestamp) -> Result<u64> {
        let sql = "update deliveries set due_at = $2
            where state = 'leased' and settled_at is null and due_at > $2 and due_at <= $1";
        self.run(sql, args![until, now]).await
    }

    /// False if the team has no such channel.
    pub async fn delivery_test(
        &self,
        team: TeamId,
        channel: ChannelId,
        id: &DeliveryId,
        now: Timestamp,
    ) -> Result<bool> {
        let sql = "insert into deliveries
                (id, team, channel, event, state, epoch, attempts, due_at, notice, created)
            select $3, c.team, c.key, 0, 'waiting', 0, 0, $4, $5, $4 from channels c
            where c.team = (select key from teams where id = $1) and c.id = $2 and c.deleted_at is null";
        let notice = Notice { about: About::Test, at: now };
        Ok(self.run(sql, args![team, channel, id, now, gazer_wire::notice::to_json(&notice)]).await? == 1)
    }

    pub async fn delivery_get(&self, team: TeamId, id: &DeliveryId) -> Result<Option<DeliveryView>> {
        let sql = concat!(view!(), " where d.team = (select key from teams where id = $1) and d.id = $2");
        let row = self.row(sql, args![team, id]).await?;
        row.as_ref().map(read).transpose()
    }

    pub(crate) async fn deliveries_of(&self, incident: i64) -> Result<Vec<DeliveryView>> {
        let rows =
            self.rows(concat!(view!(), " where d.incident = $1 order by d.event, d.key"), args![incident]).await?;
        rows.iter().map(read).collect()
    }

    fn claimed(&self, row: &Row, now: Timestamp) -> Result<Claimed> {
        Ok(Claimed {
            id: DeliveryId::from_text(row.text("id")?),
            epoch: row.int("epoch")?,
            attempts: row.number("attempts")?,
            early: row.time("planned_at")? > now,
            target: self.target(row, "channel")?,
            notice: row.read("notice", gazer_wire::notice::from_json(&row.text("notice")?))?,
        })
    }
}

/// As `settle.sql` reads it, in its order.
fn written(Settlement { id, epoch, settled }: &Settlement, now: Timestamp) -> impl Serialize {
    let (state, (planned, soonest)) = (settled.state(), settled.next());
    let settled_at = (state != State::Waiting).then_some(now);
    let [planned, soonest, settled_at] = [planned, soonest, settled_at].map(|at| at.map(Timestamp::millis));
    let counts = u8::from(!matches!(settled, Settled::AsPlanned { .. }));
    (id.as_str(), epoch, state.as_str(), planned, soonest, settled_at, storable(settled.receipt()), counts)
}

pub(crate) fn read(row: &Row) -> Result<DeliveryView> {
    let state = row.word("state", State::parse)?;
    let channel_deleted = row.opt_time("channel_deleted")?.is_some();
    let event_kind = match row.opt_text("event_kind")? {
        Some(_) => Some(row.word("event_kind", EventKind::parse)?),
        None => None,
    };
    Ok(DeliveryView {
        id: DeliveryId::from_text(row.text("id")?),
        channel: row.id("channel")?,
        channel_name: row.text("channel_name")?,
        channel_kind: row.text("channel_kind")?,
        event: row.number("event")?,
        event_kind,
        incident: row.opt_id("incident")?,
        monitor_name: row.opt_text("monitor_name")?,
        state,
        attempts: row.number("attempts")?,
        next_at: if state == State::Waiting { Some(row.time("due_at")?) } else { None },
        settled_at: row.opt_time("settled_at")?,
        receipt: row.opt_text("receipt")?,
        obstacle: obstacle(state, channel_deleted, row.flag("told_later")?),
    })
}
