//! What went wrong, as the caller is told: problem details after RFC 9457.
//!
//! This is the one file that maps errors to HTTP. A problem that is the caller's names the field and says what would be
//! right; one that is ours says nothing of our insides, and its chain of causes goes to the log, once, here.

use std::borrow::Cow;
use std::error::Error;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gazer_domain::Invalid;
use serde::Serialize;

/// Seconds after which a store that was away may be asked again.
const RETRY_AFTER: u64 = 5;

/// One failed request. As an answer it is `application/problem+json`; pages show it through `pages::problem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    pub detail: Cow<'static, str>,
    /// Path of the field at fault, as in `http.assertions[2].value`.
    pub field: Option<String>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), field: None, retry_after: None }
    }

    pub fn field(field: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// One answer for what never was, what is gone and what belongs to another team.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing here, or nothing that you may see.")
    }

    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Send a valid API token: Authorization: Bearer gzr_…")
    }

    pub fn forbidden(needed: gazer_domain::access::Role) -> Self {
        Self::new(StatusCode::FORBIDDEN, format!("This needs the role {needed} in the team."))
    }

    pub fn not_the_operator() -> Self {
        Self::new(StatusCode::FORBIDDEN, "This is for the owner of the first team, who runs this Gazer.")
    }

    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub fn too_many(retry_after: u64) -> Self {
        let detail = "Too many failed attempts. Wait before the next one.";
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// Our fault: logged here with its causes, told without them.
    pub fn internal(err: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = err, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Gazer failed to do this. The log says why.")
    }

    /// The database is away or full, which passes.
    pub fn unavailable(err: &gazer_store::Error) -> Self {
        tracing::error!(error = err as &dyn Error, advice = err.advice(), "the store cannot do this now");
        let detail = "The store cannot do this now. Checks go on, and the log says why.";
        Self { retry_after: Some(RETRY_AFTER), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// The reason phrase: `Not Found`.
    pub fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::field(invalid.field, invalid.message)
    }
}

impl From<gazer_store::Error> for Problem {
    fn from(err: gazer_store::Error) -> Self {
        match err {
            gazer_store::Error::Invalid(invalid) => invalid.into(),
            err if err.is_trouble() => Self::unavailable(&err),
            err => Self::internal(&err),
        }
    }
}

/// What travels; RFC 9457 §3.1 with our own member `field`.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem, description = "Problem details after RFC 9457, with a member `field`.")]
pub(crate) struct Wire<'a> {
    /// Always `about:blank`: the status says what kind of problem it is (RFC 9457 §4.2.1).
    r#type: &'static str,
    title: &'static str,
    status: u16,
    /// What is wrong, and what would be right.
    detail: &'a str,
    /// Path of the field at fault, as in `http.assertions[2].value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let wire = Wire {
            r#type: "about:blank",
            title: self.title(),
            status: self.status.as_u16(),
            detail: &self.detail,
            field: self.field.as_deref(),
        };
        let body = serde_json::to_vec(&wire).expect("strings and a number always serialise");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
