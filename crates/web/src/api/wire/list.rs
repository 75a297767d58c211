//! Lists, a page at a time.

use std::fmt::Display;

use gazer_store::{Listed, Page};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    /// Send it as `cursor` to read on; null on the last page.
    #[schema(required)]
    pub(crate) next: Option<String>,
}

impl<T> List<T> {
    pub(crate) fn of<R>(listed: Listed<R>, show: impl Fn(R) -> T) -> Self {
        Self { data: listed.rows.into_iter().map(show).collect(), next: listed.next }
    }
}

/// One page of what the store gives whole because a team has few of it. The cursor is the last id that was shown.
pub(crate) fn page_of<R, I: Display>(rows: Vec<R>, page: &Page, id: impl Fn(&R) -> I) -> Listed<R> {
    let start = match &page.after {
        None => 0,
        Some(after) => rows.iter().position(|row| id(row).to_string() == *after).map_or(0, |at| at + 1),
    };
    let left = rows.len() - start;
    let rows: Vec<R> = rows.into_iter().skip(start).take(page.limit as usize).collect();
    let next = rows.last().filter(|_| left > rows.len()).map(|last| id(last).to_string());
    Listed { rows, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_and_the_last_says_so() {
        let read =
            |after: Option<&str>| page_of(vec![1, 2, 3, 4], &Page { after: after.map(Into::into), limit: 2 }, |n| *n);
        assert_eq!(read(None), Listed { rows: vec![1, 2], next: Some("2".into()) });
        assert_eq!(read(Some("2")), Listed { rows: vec![3, 4], next: None });
        assert_eq!(read(Some("gone")).rows, vec![1, 2]);
    }
}
