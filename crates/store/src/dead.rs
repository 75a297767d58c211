//! What was given up, and how it is sent again by hand.
//!
//! A delivery is dead when its service refused it for good or its last attempt failed. Somebody mends the receiver and
//! presses a button: the same row waits again, under the same id, so a receiver that did take it sees it once. It is due
//! at once, its attempts are counted anew, and its epoch fences out whoever still holds it.
//!
//! Order stays what it is. A dead delivery is sent again only while nothing later of its incident went, or goes, to its
//! channel. If the incident is over by now, its end is written behind it: nobody told that channel, so nobody told it
//! the end either (see `judge/tell.rs`), and a start is never told without one.
//!
//! Each incident is a transaction of its own, and takes its monitor's row first, as judges do: no event can come in
//! between. Pressed twice, the second finds nothing dead. A crash before the commit leaves the delivery dead, and one
//! after it leaves it to the next poll.

use gazer_domain::alert::{self, Listener};
use gazer_domain::channel::{About, Notice, Story};
use gazer_domain::delivery::{Obstacle, State};
use gazer_domain::incident::EventKind;
use gazer_domain::{ChannelId, DeliveryId, TeamId, Timestamp};

use crate::deliveries::{read, view};
use crate::page::cursor;
use crate::sql::{Conn, args};
use crate::{DeliveryView, Listed, Page, Result, Store, alerts, incidents};

/// Incidents that "send all again" takes at once. What is left is still listed, and the button still there.
const AT_ONCE: u32 = 500;

/// What became of "send again".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It waits, and is due.
    Due,
    /// Nothing changed.
    Kept(Obstacle),
}

/// The deliveries of one channel about one incident; of a test there is neither before nor after.
struct Line {
    channel: i64,
    incident: Option<i64>,
}

impl Store {
    /// What was given up of a team's incidents, the newest death first. Tests are no news, so they are not listed.
    pub async fn deliveries_dead(&self, team: TeamId, page: &Page) -> Result<Listed<DeliveryView>> {
        // The state is written out: only then is the index of the dead used.
        let sql = concat!(
            view!(),
            " where d.team = (select key from teams where id = $1) and d.state = 'dead' and d.incident is not null
            and ($2 is null or d.settled_at < $2 or (d.settled_at = $2 and d.id < $3))
            order by d.settled_at desc, d.id desc limit $4"
        );
        let (died, id) = page.place().unzip();
        let died = died.and_then(|died| died.parse::<i64>().ok());
        let rows = self.rows(sql, args![team, died, id, page.asked()]).await?;
        let views = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(views, page, |view| {
            let died = view.settled_at.map_or(0, Timestamp::millis);
            cursor(&died.to_string(), view.id.as_str())
        }))
    }

    /// `None` if the team has no such delivery.
    pub async fn delivery_again(&self, team: TeamId, id: &DeliveryId, now: Timestamp) -> Result<Option<Again>> {
        let mut conn = self.write().await?;
        let sql = "select d.key, d.channel, d.incident from deliveries d
            where d.team = (select key from teams where id = $1) and d.id = $2";
        let Some(row) = conn.row(sql, args![team, id]).await? else { return Ok(None) };
        let (key, line) = (row.int("key")?, Line { channel: row.int("channel")?, incident: row.opt_int("incident")? });
        lock(&mut conn, &line).await?;
        let row = conn.row(concat!(view!(), " where d.key = $1"), args![key]).await?;
        let Some(view) = row.as_ref().map(read).transpose()? else { return Ok(None) };
        if let Some(obstacle) = view.obstacle {
            return Ok(Some(Again::Kept(obstacle)));
        }
        if !make_due(&mut conn, key, now).await? {
            return Ok(Some(Again::Kept(Obstacle::NotDead(State::Waiting))));
        }
        self.end_add(&mut conn, team, &line, now).await?;
        conn.commit().await?;
        Ok(Some(Again::Due))
    }

    /// Everything of a channel that can be sent again; how many. `None` if the team has no such channel.
    pub async fn deliveries_again(&self, team: TeamId, channel: ChannelId, now: Timestamp) -> Result<Option<u64>> {
        let sql = "select key from channels
            where team = (select key from teams where id = $1) and id = $2 and deleted_at is null";
        let Some(row) = self.row(sql, args![team, channel]).await? else { return Ok(None) };
        let channel = row.int("key")?;
        let sql = include_str!("dead/incidents.sql");
        let mut due = 0;
        for row in self.rows(sql, args![team, channel, AT_ONCE]).await? {
            due += self.line_again(team, &Line { channel, incident: row.opt_int("incident")? }, now).await?;
        }
        Ok(Some(due))
    }

    /// All of one line, which goes out in its order.
    async fn line_again(&self, team: TeamId, line: &Line, now: Timestamp) -> Result<u64> {
        let mut conn = self.write().await?;
        lock(&mut conn, line).await?;
        let sql = concat!(view!(), " where d.incident = $1 and d.channel = $2 and d.state = 'dead'");
        let mut due = 0;
        for row in conn.rows(sql, args![line.incident, line.channel]).await? {
            if read(&row)?.obstacle.is_none() {
                due += u64::from(make_due(&mut conn, row.int("key")?, now).await?);
            }
        }
        self.end_add(&mut conn, team, line, now).await?;
        conn.commit().await?;
        Ok(due)
    }

    /// Whoever is told of a start by now is told of its end, if the incident has ended and the channel hears of ends.
    async fn end_add(&self, conn: &mut Conn, team: TeamId, line: &Line, now: Timestamp) -> Result<()> {
        let sql = include_str!("dead/end.sql");
        let Some(row) = conn.row(sql, args![line.incident, line.channel]).await? else { return Ok(()) };
        let notice = row.read("notice", gazer_wire::notice::from_json(&row.text("notice")?))?;
        let About::Incident(start) = notice.about else { return Ok(()) };
        let (kind, at) = (row.word("kind", EventKind::parse)?, row.time("at")?);
        let told = Listener { channel: row.id("channel")?, hears_end: row.flag("hears_end")? };
        let rules = alerts::rules(conn, team).await?;
        let number: u32 = row.number("number")?;
        for channel in alert::on_end(kind, start.monitor, &rules, &[told]) {
            let id = DeliveryId::of(start.incident, number, channel);
            let end = Story { event: kind, ended: Some(at), cause: incidents::cause(&row)?, ..start.clone() };
            let notice = gazer_wire::notice::to_json(&Notice { at, about: About::Incident(end) });
            let args = args![&id, channel, line.incident, number, kind.as_str(), now, notice, false];
            conn.run(include_str!("judge/deliver.sql"), args).await?;
        }
        Ok(())
    }
}

/// No event of the incident, and no deletion of the channel, comes in between.
async fn lock(conn: &mut Conn, line: &Line) -> Result<()> {
    for (sql, key) in [
        (
            "select key from monitors where key = (select monitor from incidents where key = $1) {for update}",
            line.incident,
        ),
        ("select key from channels where key = $1 {for update}", Some(line.channel)),
    ] {
        let sql = conn.dialect().spell(sql);
        conn.rows(sql, args![key]).await?;
    }
    Ok(())
}

/// False if somebody else was quicker.
async fn make_due(conn: &mut Conn, key: i64, now: Timestamp) -> Result<bool> {
    let sql = "update deliveries set state = 'waiting', epoch = epoch + 1, attempts = 0, due_at = $2,
            planned_at = 0, soonest_at = 0, settled_at = null, receipt = null
        where key = $1 and state = 'dead'";
    Ok(conn.run(sql, args![key, now]).await? == 1)
}
