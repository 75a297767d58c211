//! Errors of our own software: the operator's, and no team's. Who may see them is decided above this crate.
//!
//! A report is folded into the issue of its fingerprint and, where that is news, what the operator is told is written
//! in the same transaction (see `news.rs`). A report that comes twice is known by its process and its instant while it is
//! among the last of its issue; later it is counted twice, which tells nobody anything.

mod news;

use gazer_domain::issue::{
    Act, Fingerprint, Issue, Kind, OCCURRENCES, Occurrence, Report, State, Told, Turn, Way, fold,
};
use gazer_domain::{IssueId, Timestamp};

use crate::page::cursor;
use crate::sql::{Conn, Row, args};
use crate::{Listed, Page, Result, Store};

pub use news::ClaimedNews;

/// A program with more kinds of errors that nobody looks at has told its operator often enough.
const MOST_ISSUES: u32 = 1_000;

/// An issue with its last occurrences, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueStory {
    pub issue: Issue,
    pub occurrences: Vec<Occurrence>,
}

macro_rules! view {
    () => {
        "select i.id, i.key, i.fingerprint, i.function, i.said, i.first_version, i.last_version, i.first_seen, i.last_seen,
            i.times, i.told_times, i.state, i.resolved_at
        from issues i"
    };
}
use view;

impl Store {
    /// Folds a report into what is known, and writes what is to be told by each of `ways`. `fresh` is the id of the issue
    /// if it is new. `None` where nothing changed: the report came before, or there is no room for one more issue.
    pub async fn issue_report(
        &self,
        report: &Report,
        ways: &[Way],
        fresh: IssueId,
        now: Timestamp,
    ) -> Result<Option<Turn>> {
        let mut conn = self.write().await?;
        let mut known = known(&mut conn, report.fingerprint).await?;
        if known.is_none() {
            if is_full(&mut conn).await? {
                tracing::warn!(function = report.function, "one more kind of error; there are too many to keep it");
                return Ok(None);
            }
            let (issue, _) = fold(None, report, fresh);
            if begin(&mut conn, &issue).await? {
                let key = self::known(&mut conn, report.fingerprint).await?.expect("it was just written").0;
                occurred(&mut conn, key, report).await?;
                self.tell(&mut conn, key, &issue, Kind::New, ways, now).await?;
                conn.commit().await?;
                return Ok(Some(Turn::New));
            }
            // Another process was quicker.
            known = self::known(&mut conn, report.fingerprint).await?;
        }
        let Some((key, known)) = known else { return Ok(None) };
        if !occurred(&mut conn, key, report).await? {
            return Ok(None);
        }
        let (issue, turn) = fold(Some(&known), report, fresh);
        advance(&mut conn, key, &issue).await?;
        if turn == Turn::Regressed {
            self.tell(&mut conn, key, &issue, Kind::Regressed, ways, now).await?;
        }
        conn.commit().await?;
        Ok(Some(turn))
    }

    /// Those that were seen last come first. `state` is one of [`State::WORDS`].
    pub async fn issue_list(&self, state: Option<&str>, page: &Page) -> Result<Listed<Issue>> {
        let sql = concat!(
            view!(),
            " where ($1 is null or i.state = $1)
            and ($2 is null or i.last_seen < $2 or (i.last_seen = $2 and i.id < $3))
            order by i.last_seen desc, i.id desc limit $4"
        );
        let (seen, id) = page.place().unzip();
        let seen = seen.and_then(|seen| seen.parse::<i64>().ok());
        let rows = self.rows(sql, args![state.map(str::to_owned), seen, id, page.asked()]).await?;
        let issues = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(issues, page, |issue| cursor(&issue.last_seen.millis().to_string(), &issue.id.to_string())))
    }

    pub async fn issue_get(&self, id: IssueId) -> Result<Option<IssueStory>> {
        let Some(row) = self.row(concat!(view!(), " where i.id = $1"), args![id]).await? else { return Ok(None) };
        let sql = "select o.at, o.said, o.version, o.region, o.times from issue_occurrences o
            where o.issue = $1 order by o.at desc, o.key desc";
        let rows = self.rows(sql, args![row.int("key")?]).await?;
        let occurrence = |row: &Row| {
            Ok(Occurrence {
                at: row.time("at")?,
                message: row.text("said")?,
                version: row.text("version")?,
                count: row.number("times")?,
                region: row.word("region", |name| name.parse().ok())?,
            })
        };
        let occurrences = rows.iter().map(occurrence).collect::<Result<_>>()?;
        Ok(Some(IssueStory { issue: read(&row)?, occurrences }))
    }

    /// Whether that changed it; `None` if there is no such issue.
    pub async fn issue_act(&self, id: IssueId, act: Act, now: Timestamp) -> Result<Option<bool>> {
        let mut conn = self.write().await?;
        let sql = conn.dialect().spell(concat!(view!(), " where i.id = $1 {for update}"));
        let Some(row) = conn.row(sql, args![id]).await? else { return Ok(None) };
        let issue = read(&row)?;
        let Some(state) = act.on(issue.state, now) else { return Ok(Some(false)) };
        advance(&mut conn, row.int("key")?, &Issue { state, ..issue }).await?;
        conn.commit().await?;
        Ok(Some(true))
    }

    fn issues_link(&self) -> String {
        format!("{}/operator/issues", self.public_url())
    }

    fn told(&self, issue: &Issue, repeats: u64) -> Told {
        Told::of(issue, repeats, format!("{}/{}", self.issues_link(), issue.id))
    }
}

/// Locked, where others write as well.
async fn known(conn: &mut Conn, fingerprint: Fingerprint) -> Result<Option<(i64, Issue)>> {
    let sql = conn.dialect().spell(concat!(view!(), " where i.fingerprint = $1 {for update}"));
    let row = conn.row(sql, args![fingerprint.to_string()]).await?;
    row.map(|row| Ok((row.int("key")?, read(&row)?))).transpose()
}

async fn is_full(conn: &mut Conn) -> Result<bool> {
    let row = conn.row("select count(*) as issues from issues", args![]).await?;
    row.map_or(Ok(false), |row| Ok(row.number::<u32>("issues")? >= MOST_ISSUES))
}

/// False if there is one of that fingerprint by now.
async fn begin(conn: &mut Conn, issue: &Issue) -> Result<bool> {
    let sql = "insert into issues (id, fingerprint, function, said, first_version, last_version, first_seen, last_seen,
            times, told_times, told_at, state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10) on conflict (fingerprint) do nothing";
    let Issue { id, fingerprint, function, message, first_version, last_version, first_seen, last_seen, .. } = issue;
    let args = args![
        *id,
        fingerprint.to_string(),
        function.as_str(),
        message.as_str(),
        first_version.as_str(),
        last_version.as_str(),
        *first_seen,
        *last_seen,
        number(issue.count),
        issue.state.as_str()
    ];
    Ok(conn.run(sql, args).await? == 1)
}

async fn advance(conn: &mut Conn, key: i64, issue: &Issue) -> Result<()> {
    let resolved = match issue.state {
        State::Resolved { at } => Some(at),
        State::Open | State::Ignored => None,
    };
    let sql = "update issues set said = $2, last_version = $3, last_seen = $4, times = $5, state = $6, resolved_at = $7
        where key = $1";
    let (said, version) = (issue.message.as_str(), issue.last_version.as_str());
    let args = args![key, said, version, issue.last_seen, number(issue.count), issue.state.as_str(), resolved];
    conn.run(sql, args).await.map(drop)
}

/// Keeps it among the last. False if it is there already.
async fn occurred(conn: &mut Conn, issue: i64, report: &Report) -> Result<bool> {
    let sql = "insert into issue_occurrences (issue, process, at, said, version, region, times)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict (issue, process, at) do nothing";
    let (process, said, version) = (report.process.as_str(), report.message.as_str(), report.version.as_str());
    let args = args![issue, process, report.at, said, version, report.region.as_str(), report.count];
    if conn.run(sql, args).await? == 0 {
        return Ok(false);
    }
    let sql = "delete from issue_occurrences where issue = $1 and key not in (
            select key from issue_occurrences where issue = $1 order by at desc, key desc limit $2
        )";
    conn.run(sql, args![issue, OCCURRENCES]).await?;
    Ok(true)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn read(row: &Row) -> Result<Issue> {
    let state = match row.text("state")?.as_str() {
        "open" => State::Open,
        "resolved" => State::Resolved { at: row.time("resolved_at")? },
        "ignored" => State::Ignored,
        other => return Err(row.corrupt("state", &format!("{other:?} is not a word it may hold"))),
    };
    Ok(Issue {
        id: row.id("id")?,
        fingerprint: row.word("fingerprint", |text| text.parse().ok())?,
        function: row.text("function")?,
        message: row.text("said")?,
        first_version: row.text("first_version")?,
        last_version: row.text("last_version")?,
        first_seen: row.time("first_seen")?,
        last_seen: row.time("last_seen")?,
        count: row.number("times")?,
        state,
    })
}
