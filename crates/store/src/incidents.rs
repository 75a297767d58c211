//! Incidents as people read them.

use gazer_domain::cause::{Cause, Code};
use gazer_domain::incident::{Event, EventKind, Incident, Trouble};
use gazer_domain::observation::Attempt;
use gazer_domain::{IncidentId, MonitorId, Region, TeamId, Timestamp};

use crate::page::cursor;
use crate::sql::{Row, args};
use crate::{DeliveryView, Listed, Page, Result, Store};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentView {
    pub incident: Incident,
    pub monitor: MonitorId,
    pub monitor_name: String,
    pub monitor_target: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct IncidentStory {
    pub view: IncidentView,
    pub events: Vec<Event>,
    pub evidence: Vec<Evidence>,
    pub deliveries: Vec<DeliveryView>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub slot: Timestamp,
    pub region: Region,
    pub attempts: Vec<Attempt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncidentFilter {
    pub monitor: Option<MonitorId>,
    pub open: Option<bool>,
}

macro_rules! view {
    () => {
        "select i.id, i.key, i.trouble, i.started, i.ended, i.cause_code, i.cause_text, i.events,
            m.id as monitor, m.name as monitor_name, m.target as monitor_target
        from incidents i join monitors m on m.key = i.monitor"
    };
}

impl Store {
    /// Newest first.
    pub async fn incident_list(
        &self,
        team: TeamId,
        filter: IncidentFilter,
        page: &Page,
    ) -> Result<Listed<IncidentView>> {
        let sql = concat!(
            view!(),
            " where i.team = (select key from teams where id = $1)
            and ($2 is null or i.monitor = (select key from monitors where id = $2))
            and ($3 is null or (case when i.ended is null then 1 else 0 end) = $3)
            and ($4 is null or i.started < $4 or (i.started = $4 and i.id < $5))
            order by i.started desc, i.id desc limit $6"
        );
        let (started, id) = page.place().unzip();
        let started = started.and_then(|started| started.parse::<i64>().ok());
        let monitor = filter.monitor.map(|monitor| monitor.to_string());
        let args = args![team, monitor, filter.open.map(i64::from), started, id, page.asked()];
        let rows = self.rows(sql, args).await?;
        let views = rows.iter().map(view).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(views, page, |view| {
            cursor(&view.incident.started.millis().to_string(), &view.incident.id.to_string())
        }))
    }

    pub async fn incident_get(&self, team: TeamId, incident: IncidentId) -> Result<Option<IncidentStory>> {
        let sql = concat!(view!(), " where i.team = (select key from teams where id = $1) and i.id = $2");
        let Some(row) = self.row(sql, args![team, incident]).await? else { return Ok(None) };
        let key = row.int("key")?;
        let sql = "select number, kind, at, cause_code, cause_text from events where incident = $1 order by number";
        let events = self.rows(sql, args![key]).await?;
        let sql = "select e.slot, r.name as region, e.attempts from evidence e
            join regions r on r.key = e.region
            where e.incident = $1 order by e.slot, e.region";
        let evidence = self.rows(sql, args![key]).await?;
        Ok(Some(IncidentStory {
            view: view(&row)?,
            events: events.iter().map(event).collect::<Result<_>>()?,
            evidence: evidence.iter().map(proof).collect::<Result<_>>()?,
            deliveries: self.deliveries_of(key).await?,
        }))
    }
}

fn view(row: &Row) -> Result<IncidentView> {
    Ok(IncidentView {
        incident: Incident {
            id: row.id("id")?,
            trouble: row.word("trouble", trouble)?,
            started: row.time("started")?,
            ended: row.opt_time("ended")?,
            cause: cause(row)?,
            events: row.number("events")?,
        },
        monitor: row.id("monitor")?,
        monitor_name: row.text("monitor_name")?,
        monitor_target: row.text("monitor_target")?,
    })
}

pub(crate) fn cause(row: &Row) -> Result<Cause> {
    Ok(Cause { code: row.word("cause_code", Code::parse)?, text: row.text("cause_text")? })
}

/// A trouble is written as the event that it began with.
pub(crate) fn trouble(text: &str) -> Option<Trouble> {
    match EventKind::parse(text)? {
        EventKind::Down => Some(Trouble::Down),
        EventKind::Regional => Some(Trouble::Regional),
        EventKind::Slow => Some(Trouble::Slow),
        _ => None,
    }
}

fn event(row: &Row) -> Result<Event> {
    Ok(Event {
        number: row.number("number")?,
        kind: row.word("kind", EventKind::parse)?,
        at: row.time("at")?,
        cause: if row.opt_text("cause_code")?.is_some() { Some(cause(row)?) } else { None },
    })
}

fn proof(row: &Row) -> Result<Evidence> {
    let attempts = row.read("attempts", gazer_wire::attempt::from_json(&row.text("attempts")?))?;
    let region = row.word("region", |name| name.parse().ok())?;
    Ok(Evidence { slot: row.time("slot")?, region, attempts })
}
