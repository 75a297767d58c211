//! What a change of status means: a period ends and begins, an incident opens, worsens or ends.
//!
//! What is decided comes from `domain::incident::turn`; here it is written down. Each of the three writes an event, by
//! `Tx::event_add`, which also writes who is told.

use gazer_domain::cause::{Cause, Code};
use gazer_domain::incident::{self, EventKind, Trouble, Turn};
use gazer_domain::period::{Change, Status};
use gazer_domain::{IncidentId, Timestamp};

use super::proof::brought;
use crate::sql::args;
use crate::{OpenIncident, Result, Tx, Watch, status};

/// So many of a monitor's incidents keep their evidence, the newest.
const PROVED_INCIDENTS: u32 = 100;

impl Tx {
    /// Everything that a change of status means: the period, the incident, its events, who is told, who waits.
    /// `new_id` names the incident if one opens. `watch.open` follows.
    pub async fn turn(
        &mut self,
        watch: &mut Watch,
        change: Change,
        cause: Option<&Cause>,
        new_id: IncidentId,
        now: Timestamp,
    ) -> Result<()> {
        let began = self.period_turn(watch.key, change.status, change.at).await?;
        if let Some(open) = &watch.open {
            match change.status {
                Status::Unknown => self.waits_hold(open.key, change.at).await?,
                _ => self.waits_go_on(open.key, change.at).await?,
            }
        }
        // What another region saw later was told of first; one that a clock began that was ahead holds back nothing.
        let at = if began <= now { began } else { change.at };
        let mut cause = cause.cloned();
        for turn in incident::turn(watch.open.as_ref().map(|open| open.trouble), change.status) {
            match turn {
                Turn::Open(trouble) => self.open(watch, trouble, at, cause.take(), new_id, now).await?,
                Turn::Worsen(trouble) => self.worsen(watch, trouble, at, cause.take(), now).await?,
                Turn::Recover => {
                    // What goes on in fewer regions than before goes on for the same reason.
                    let known = watch.open.as_ref().map(|open| open.cause.clone());
                    cause = cause.or(known.filter(|_| change.status == Status::Regional));
                    self.end(watch, EventKind::Recovered, at, now).await?;
                }
            }
        }
        Ok(())
    }

    /// The lasting period ends where the new one begins. One that would begin before it takes its place. Answers when
    /// the new one begins.
    pub(crate) async fn period_turn(&mut self, key: i64, status: Status, at: Timestamp) -> Result<Timestamp> {
        let sql = "select started from periods where monitor = $1 and ended is null order by started desc limit 1";
        let lasting = self.conn().row(sql, args![key]).await?;
        let at = match lasting {
            Some(row) => row.time("started")?.max(at),
            None => at,
        };
        let sql = "update periods set ended = $2 where monitor = $1 and ended is null";
        self.conn().run(sql, args![key, at]).await?;
        let sql = "insert into periods (monitor, started, status) values ($1, $2, $3)
            on conflict (monitor, started) do update set status = excluded.status, ended = null";
        self.conn().run(sql, args![key, at, status::number(status)]).await?;
        let sql = "update monitors set status = $2, status_since = $3 where key = $1";
        self.conn().run(sql, args![key, status::number(status), at]).await?;
        Ok(at)
    }

    async fn open(
        &mut self,
        watch: &mut Watch,
        trouble: Trouble,
        at: Timestamp,
        cause: Option<Cause>,
        id: IncidentId,
        now: Timestamp,
    ) -> Result<()> {
        let onsets = self.onsets(watch).await?;
        let cause = cause.or_else(|| brought(&onsets, trouble).cloned());
        let cause = cause.unwrap_or_else(|| Cause::new(Code::Internal, "the cause was not recorded"));
        let kind = trouble.event();
        let sql = "insert into incidents (id, team, monitor, trouble, started, cause_code, cause_text, events)
            select $2, m.team, m.key, $3, $4, $5, $6, 0 from monitors m where m.key = $1 returning key";
        let args = args![watch.key, id, kind.as_str(), at, cause.code.as_str(), cause.text.as_str()];
        let row = self.conn().row(sql, args).await?;
        let key = row.expect("the monitor's row is locked").int("key")?;
        self.conn().run("update monitors set incident = $2 where key = $1", args![watch.key, key]).await?;
        // A site that keeps failing and coming back must not fill the disk with proofs of it.
        let sql = "delete from evidence where incident in (
                select key from incidents where monitor = $1 order by started desc, key desc limit 10 offset $2
            )";
        self.conn().run(sql, args![watch.key, PROVED_INCIDENTS]).await?;
        let mut open = OpenIncident { key, id, trouble, started: at, cause: cause.clone(), events: 0, proved: None };
        self.event_add(watch, &mut open, kind, at, Some(&cause), now).await?;
        self.onsets_prove(&open, &onsets).await?;
        watch.open = Some(open);
        Ok(())
    }

    async fn worsen(
        &mut self,
        watch: &mut Watch,
        trouble: Trouble,
        at: Timestamp,
        cause: Option<Cause>,
        now: Timestamp,
    ) -> Result<()> {
        let onsets = self.onsets(watch).await?;
        let Some(mut open) = watch.open.take() else { return Ok(()) };
        open.trouble = trouble;
        if let Some(cause) = cause.or_else(|| brought(&onsets, trouble).cloned()) {
            open.cause = cause;
        }
        let cause = open.cause.clone();
        let kind = trouble.event();
        let sql = "update incidents set trouble = $2, cause_code = $3, cause_text = $4 where key = $1";
        let args = args![open.key, kind.as_str(), cause.code.as_str(), cause.text.as_str()];
        self.conn().run(sql, args).await?;
        self.event_add(watch, &mut open, kind, at, Some(&cause), now).await?;
        self.onsets_prove(&open, &onsets).await?;
        watch.open = Some(open);
        Ok(())
    }

    /// Closes the open incident, if there is one, by a recovery, a pause or a deletion.
    pub(crate) async fn end(
        &mut self,
        watch: &mut Watch,
        kind: EventKind,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let Some(mut open) = watch.open.take() else { return Ok(()) };
        let at = at.max(open.started);
        self.conn().run("update incidents set ended = $2 where key = $1", args![open.key, at]).await?;
        self.conn().run("update monitors set incident = null where key = $1", args![watch.key]).await?;
        self.event_add(watch, &mut open, kind, at, None, now).await
    }
}
