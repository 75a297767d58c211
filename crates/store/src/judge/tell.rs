//! Events and the deliveries that tell of them: the one place where either is written.
//!
//! `event_add` numbers the event, asks `domain::alert` who is concerned, and writes a delivery per channel in the same
//! transaction, its notice frozen as it will be sent. Rules that wait become rows of `waits`; they fire while their
//! incident is open, and vanish with its end. When an incident ends, whoever was told of it is told so; a channel whose
//! earlier delivery still waits gets the end alone, and the earlier one is merged into it.

use std::sync::Arc;

use gazer_domain::alert::{self, Listener, Rule};
use gazer_domain::cause::Cause;
use gazer_domain::channel::{About, Notice, Story};
use gazer_domain::incident::EventKind;
use gazer_domain::period::Status;
use gazer_domain::{DeliveryId, RuleId, Timestamp};

use crate::sql::args;
use crate::{OpenIncident, Result, Tx, Watch, alerts};

/// One event of an incident, and what is said about it.
struct Happening<'a> {
    number: u32,
    kind: EventKind,
    at: Timestamp,
    cause: &'a Cause,
}

impl Tx {
    pub(super) async fn event_add(
        &mut self,
        watch: &Watch,
        open: &mut OpenIncident,
        kind: EventKind,
        at: Timestamp,
        cause: Option<&Cause>,
        now: Timestamp,
    ) -> Result<()> {
        open.events += 1;
        let sql = "insert into events (incident, number, kind, at, cause_code, cause_text)
            values ($1, $2, $3, $4, $5, $6)";
        let code = cause.map(|cause| cause.code.as_str().to_owned());
        let text = cause.map(|cause| cause.text.clone());
        self.conn().run(sql, args![open.key, open.events, kind.as_str(), at, code, text]).await?;
        self.conn().run("update incidents set events = $2 where key = $1", args![open.key, open.events]).await?;
        let event = Happening { number: open.events, kind, at, cause: cause.unwrap_or(&open.cause) };
        if kind.ends() {
            return self.tell_end(watch, open, &event, now).await;
        }
        let rules = self.rules(watch).await?;
        let earlier = self.earlier(open).await?;
        let told = alert::on_trouble(kind, at, &earlier, watch.monitor, &rules);
        for (rule, due) in told.later {
            let sql = "insert into waits (incident, rule, event, due_at) values ($1, $2, $3, $4)";
            self.conn().run(sql, args![open.key, rule, event.number, due]).await?;
        }
        self.tell(watch, open, &event, &told.now, now).await.map(drop)
    }

    /// The events before the last one.
    async fn earlier(&mut self, open: &OpenIncident) -> Result<Vec<(EventKind, Timestamp)>> {
        if open.events == 1 {
            return Ok(Vec::new());
        }
        let sql = "select number, kind, at from events where incident = $1 and number < $2 order by number";
        let rows = self.conn().rows(sql, args![open.key, open.events]).await?;
        rows.iter().map(|row| Ok((row.word("kind", EventKind::parse)?, row.time("at")?))).collect()
    }

    async fn tell_end(
        &mut self,
        watch: &Watch,
        open: &OpenIncident,
        event: &Happening<'_>,
        now: Timestamp,
    ) -> Result<()> {
        self.conn().run("delete from waits where incident = $1", args![open.key]).await?;
        // A dead delivery told nobody anything, so there is nothing to take back.
        let sql = "select c.id, max(d.hears_end) as hears_end from deliveries d join channels c on c.key = d.channel
            where d.incident = $1 and d.state <> 'dead' group by c.key, c.id order by c.key";
        let rows = self.conn().rows(sql, args![open.key]).await?;
        let told = rows.iter().map(|row| Ok(Listener { channel: row.id("id")?, hears_end: row.flag("hears_end")? }));
        let told = told.collect::<Result<Vec<_>>>()?;
        let rules = self.rules(watch).await?;
        let channels = alert::on_end(event.kind, watch.monitor, &rules, &told);
        let told: Vec<_> = channels.into_iter().map(|channel| Listener { channel, hears_end: false }).collect();
        self.tell(watch, open, event, &told, now).await.map(drop)
    }

    /// Fires what waited for this incident to last, as far as checks have seen that it does. How many deliveries it made.
    pub(crate) async fn waits_fire(&mut self, watch: &Watch, now: Timestamp) -> Result<u64> {
        let Some(open) = &watch.open else { return Ok(0) };
        if !matches!(watch.standing.status, Status::Slow | Status::Regional | Status::Down) {
            return Ok(0);
        }
        let seen = watch.troubled().filter_map(|(track, _)| track.seen).max();
        let Some(seen) = seen.map(|seen| seen.min(now)) else { return Ok(0) };
        let sql = "select w.rule, w.event, e.kind, e.at, e.cause_code, e.cause_text
            from waits w join events e on e.incident = w.incident and e.number = w.event
            where w.incident = $1 and w.due_at <= $2 order by w.event, w.due_at";
        let due = self.conn().rows(sql, args![open.key, seen]).await?;
        let sql = "delete from waits where incident = $1 and due_at <= $2";
        self.conn().run(sql, args![open.key, seen]).await?;
        let rules = self.rules(watch).await?;
        let mut made = 0;
        for row in &due {
            let rule: RuleId = row.id("rule")?;
            let Some(rule) = rules.iter().find(|known| known.id == rule) else { continue };
            let kind = row.word("kind", EventKind::parse)?;
            if !rule.settings.concerns(kind, watch.monitor) {
                continue;
            }
            let event = Happening {
                number: row.number("event")?,
                kind,
                at: row.time("at")?,
                cause: &crate::incidents::cause(row)?,
            };
            let told: Vec<_> = alert::listeners(&rule.settings).collect();
            made += self.tell(watch, open, &event, &told, now).await?;
        }
        Ok(made)
    }

    /// One delivery per channel that was not told of this event, or of a later one, already. What still waits to tell it
    /// of an earlier one is merged into it.
    async fn tell(
        &mut self,
        watch: &Watch,
        open: &OpenIncident,
        event: &Happening<'_>,
        told: &[Listener],
        now: Timestamp,
    ) -> Result<u64> {
        if told.is_empty() {
            return Ok(0);
        }
        let sql = "select key, name, kind, target from monitors where key = $1";
        let row = self.conn().row(sql, args![watch.key]).await?.expect("the monitor's row is locked");
        let notice = gazer_wire::notice::to_json(&Notice {
            at: event.at,
            about: About::Incident(Story {
                event: event.kind,
                monitor: watch.monitor,
                monitor_name: row.text("name")?,
                monitor_kind: row.text("kind")?,
                monitor_target: row.text("target")?,
                incident: open.id,
                started: open.started,
                ended: event.kind.ends().then_some(event.at),
                cause: event.cause.clone(),
                link: format!("{}/incidents/{}", self.store.public_url(), open.id),
            }),
        });
        let mut made = 0;
        for Listener { channel, hears_end } in told {
            let id = DeliveryId::of(open.id, event.number, *channel);
            let (number, kind) = (event.number, event.kind.as_str());
            let args = args![&id, *channel, open.key, number, kind, now, notice.as_str(), *hears_end];
            made += self.conn().run(include_str!("deliver.sql"), args).await?;
            let sql = "update deliveries set state = 'merged', settled_at = $4
                where incident = $1 and channel = (select key from channels where id = $2) and event < $3
                    and state = 'waiting'";
            self.conn().run(sql, args![open.key, *channel, number, now]).await?;
        }
        Ok(made)
    }

    async fn rules(&mut self, watch: &Watch) -> Result<Arc<[Rule]>> {
        if let Some(rules) = self.rules.get(&watch.team) {
            return Ok(Arc::clone(rules));
        }
        let rules: Arc<[Rule]> = alerts::rules(self.conn(), watch.team).await?.into();
        self.rules.insert(watch.team, Arc::clone(&rules));
        Ok(rules)
    }
}
