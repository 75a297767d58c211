//! Statuses and verdicts as the small numbers that rows have room for; `unknown` is 3 in both.

use gazer_domain::Timestamp;
use gazer_domain::period::Status;
use gazer_domain::verdict::Verdict;

use crate::Result;
use crate::sql::Row;

pub(crate) const fn number(status: Status) -> i64 {
    match status {
        Status::Up => 0,
        Status::Slow => 1,
        Status::Down => 2,
        Status::Unknown => 3,
        Status::Paused => 4,
        Status::Regional => 5,
    }
}

pub(crate) fn verdict_number(verdict: Verdict) -> i64 {
    number(Status::from(verdict))
}

pub(crate) fn read(row: &Row, column: &'static str) -> Result<Status> {
    let found = row.int(column)?;
    let status = Status::ALL.into_iter().find(|status| number(*status) == found);
    status.ok_or_else(|| row.corrupt(column, &format!("{found} is no status")))
}

pub(crate) fn read_verdict(row: &Row, column: &'static str) -> Result<Verdict> {
    let found = row.int(column)?;
    let verdict = Verdict::ALL.into_iter().find(|verdict| verdict_number(*verdict) == found);
    verdict.ok_or_else(|| row.corrupt(column, &format!("{found} is no verdict")))
}

/// When a status was first seen. A judge of the version before writes a newer slot without it.
pub(crate) fn began(row: &Row) -> Result<Timestamp> {
    Ok(row.time("began")?.max(row.time("since")?))
}
