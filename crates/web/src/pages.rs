//! The pages that people see.

use axum::Router;
use axum::response::{IntoResponse, Response};

use crate::{Problem, Web};

/// Every route of a page, as `(method, path)`: what the access test drives.
pub const ROUTES: &[(&str, &str)] = &[];

pub fn router() -> Router<Web> {
    Router::new()
}

/// How a person is told of a problem: a page with its title, what to do, and a way back.
pub fn problem(problem: &Problem) -> Response {
    (problem.status, problem.title()).into_response()
}
