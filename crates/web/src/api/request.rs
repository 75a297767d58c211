//! Ids in paths and parameters in queries.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use gazer_domain::id::{Id, Kind};
use gazer_store::Page;

use crate::Problem;

const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 200;

/// The id in the path. A text that is no id of that kind names nothing, so it answers as an id that names nothing.
/// What has an id takes no parameters, so a query is refused here.
pub(crate) struct Named<K>(pub(crate) Id<K>);

impl<S: Send + Sync, K: Kind> FromRequestParts<S> for Named<K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        let id = text.parse().map_err(|_| Problem::not_found())?;
        no_query(&parts.uri)?;
        Ok(Self(id))
    }
}

/// For endpoints without parameters: one that is sent would be ignored, and whoever sent it would not know.
pub(crate) fn no_query(uri: &Uri) -> Result<(), Problem> {
    Params::read(uri)?.end()
}

/// The query's parameters. Each is taken once by name; what is left over is unknown, and refused.
#[derive(Debug)]
pub(crate) struct Params(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.uri)
    }
}

impl Params {
    fn read(uri: &Uri) -> Result<Self, Problem> {
        let unread = |_| Problem::new(StatusCode::BAD_REQUEST, "The query cannot be read.");
        let Query(sent) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unread)?;
        let mut params = BTreeMap::new();
        for (name, value) in sent {
            if params.contains_key(&name) {
                return Err(Problem::field(name, "is given twice"));
            }
            params.insert(name, value);
        }
        Ok(Self(params))
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|text| !text.is_empty())
    }

    /// `right` says what would have been right.
    pub(crate) fn parsed<T: FromStr>(&mut self, name: &str, right: &'static str) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Problem::field(name, right))
    }

    /// `is_cursor` says whether a text can be the `next` of this list. One that cannot is refused: page one, which it
    /// would bring otherwise, looks like the page that was asked for.
    pub(crate) fn page(&mut self, is_cursor: fn(&str) -> bool) -> Result<Page, Problem> {
        const RIGHT: &str = "must be a number between 1 and 200";
        let limit = self.parsed("limit", RIGHT)?.unwrap_or(DEFAULT_LIMIT);
        if limit == 0 || limit > MOST {
            return Err(Problem::field("limit", RIGHT));
        }
        let after = self.text("cursor");
        if after.as_deref().is_some_and(|cursor| !is_cursor(cursor)) {
            return Err(Problem::field(
                "cursor",
                "must be `next` as a page of this list gave it; without it the list begins anew",
            ));
        }
        Ok(Page { after, limit })
    }

    /// Refuses what nobody took.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::field(name, "is no parameter of this address")),
        }
    }
}
