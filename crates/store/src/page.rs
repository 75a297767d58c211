//! Lists are read a page at a time; a cursor is opaque to everybody but the query that made it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gazer_domain::id::{Id, Kind};

/// More rows than this are never read at once, whatever is asked for.
const MOST: u32 = 500;

/// `after` is the `next` of the page before. One that makes no sense begins at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub after: Option<String>,
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    pub rows: Vec<T>,
    /// `None` on the last page.
    pub next: Option<String>,
}

impl Page {
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    /// Whether a cursor can be the `next` of a list whose rows have that kind of id: for callers that would rather
    /// refuse one than begin at the start.
    pub fn is_cursor<K: Kind>(cursor: &str) -> bool {
        place(cursor).is_some_and(|(_, id)| id.parse::<Id<K>>().is_ok())
    }

    /// The same of the list of dead deliveries, whose ids derive from others.
    pub fn is_delivery_cursor(cursor: &str) -> bool {
        place(cursor).is_some_and(|(died, id)| died.parse::<i64>().is_ok() && id.starts_with("dlv_"))
    }

    pub(crate) fn size(&self) -> usize {
        self.limit.clamp(1, MOST) as usize
    }

    /// One more than the page holds, which tells whether there is another.
    pub(crate) fn asked(&self) -> u32 {
        self.limit.clamp(1, MOST) + 1
    }

    /// The last row's place in the order: a text and what makes it unique.
    pub(crate) fn place(&self) -> Option<(String, String)> {
        place(self.after.as_deref()?)
    }
}

fn place(cursor: &str) -> Option<(String, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once('\n').map(|(first, second)| (first.to_owned(), second.to_owned()))
}

pub(crate) fn cursor(first: &str, second: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{first}\n{second}"))
}

impl<T> Listed<T> {
    /// `rows` are as many as `page.asked()` brought; `place` tells the order's two texts of a row.
    pub(crate) fn cut(mut rows: Vec<T>, page: &Page, place: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > page.size();
        rows.truncate(page.size());
        let next = rows.last().filter(|_| more).map(place);
        Self { rows, next }
    }
}

#[cfg(test)]
mod tests {
    use gazer_domain::MonitorId;
    use gazer_domain::id::{Incidents, Monitors};

    use super::*;

    #[test]
    fn a_cursor_is_of_one_kind_of_list() {
        let own = cursor("shop", &MonitorId::from_bits(1).to_string());
        assert!(Page::is_cursor::<Monitors>(&own));
        assert!(!Page::is_cursor::<Incidents>(&own));
        for garbage in ["", "§", "garbage", "bW9uXzE", &own[1..]] {
            assert!(!Page::is_cursor::<Monitors>(garbage), "{garbage}");
        }
        assert!(Page::is_delivery_cursor(&cursor("17", "dlv_1")));
        assert!(!Page::is_delivery_cursor(&own) && !Page::is_delivery_cursor("garbage"));
    }
}
