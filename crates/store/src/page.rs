//! Lists are read a page at a time; a cursor is opaque to everybody but the query that made it.

/// `after` is the `next` of the page before. One that makes no sense begins at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub after: Option<String>,
    pub limit: u32,
}

impl Page {
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    pub rows: Vec<T>,
    /// `None` on the last page.
    pub next: Option<String>,
}
