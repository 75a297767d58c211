//! Lists, a page at a time.

use gazer_domain::id::{Id, Kind};
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

/// One page of what the store gives whole because a team has few of it, oldest first. The cursor is the last id that was
/// shown; ids sort by birth, so the next page begins at the right place even where that row is gone by then.
pub(crate) fn page_of<R, K: Kind>(mut rows: Vec<R>, page: &Page, id: impl Fn(&R) -> Id<K>) -> Listed<R> {
    rows.sort_by_key(&id);
    if let Some(after) = page.after.as_ref().and_then(|after| after.parse().ok()) {
        rows.retain(|row| id(row) > after);
    }
    let more = rows.len() > page.limit as usize;
    rows.truncate(page.limit as usize);
    let next = rows.last().filter(|_| more).map(|last| id(last).to_string());
    Listed { rows, next }
}

/// Whether a text can be a cursor of [`page_of`].
pub(crate) fn is_id<K: Kind>(cursor: &str) -> bool {
    cursor.parse::<Id<K>>().is_ok()
}

#[cfg(test)]
mod tests {
    use gazer_domain::ChannelId;

    use super::*;

    fn id(n: &u128) -> ChannelId {
        ChannelId::from_bits(*n)
    }

    #[test]
    fn pages_follow_one_another_and_the_last_says_so() {
        let read = |after: Option<u128>| {
            let after = after.map(|n| id(&n).to_string());
            page_of(vec![1, 2, 4, 5], &Page { after, limit: 2 }, id)
        };
        assert_eq!(read(None), Listed { rows: vec![1, 2], next: Some(id(&2).to_string()) });
        assert_eq!(read(Some(2)), Listed { rows: vec![4, 5], next: None });
        assert_eq!(read(Some(3)).rows, vec![4, 5], "a row that is gone keeps its place");
    }
}
