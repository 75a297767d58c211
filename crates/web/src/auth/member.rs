//! Extractors that carry authority: a handler that takes one of them cannot be reached by anybody less.

use std::ops::Deref;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{AUTHORIZATION, HeaderValue, LOCATION};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use gazer_domain::access::Role;
use gazer_store::Principal;
use url::form_urlencoded::byte_serialize;

use super::{session, token};
use crate::{Problem, Web, pages};

/// Which proof counts, and how a refusal is told. The API's router sets `Api` on its requests; pages are the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Realm {
    #[default]
    Pages,
    Api,
}

/// Anybody of the team.
#[derive(Debug, Clone)]
pub struct Member(pub Principal);

/// May change monitors, channels and alert rules.
#[derive(Debug, Clone)]
pub struct Admin(pub Principal);

/// May manage tokens and members.
#[derive(Debug, Clone)]
pub struct Owner(pub Principal);

/// Runs this installation: the owner of its first team.
#[derive(Debug, Clone)]
pub struct Operator(pub Principal);

/// How a refusal is told depends on who asked.
#[derive(Debug)]
pub enum Refusal {
    Api(Problem),
    Page(Problem),
    /// To the sign-in page, and back here afterwards.
    SignIn {
        next: String,
    },
}

macro_rules! extractor {
    ($name:ident, $needed:expr) => {
        impl Deref for $name {
            type Target = Principal;

            fn deref(&self) -> &Principal {
                &self.0
            }
        }

        impl<S: Send + Sync> FromRequestParts<S> for $name
        where
            Web: FromRef<S>,
        {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
                admit(parts, &Web::from_ref(state), $needed).await.map(Self)
            }
        }
    };
}

extractor!(Member, Needed::Role(Role::Viewer));
extractor!(Admin, Needed::Role(Role::Admin));
extractor!(Owner, Needed::Role(Role::Owner));
extractor!(Operator, Needed::Operator);

/// What somebody has to be.
#[derive(Debug, Clone, Copy)]
enum Needed {
    Role(Role),
    Operator,
}

impl Needed {
    fn refuses(self, principal: &Principal) -> Option<Problem> {
        match self {
            Self::Role(needed) if principal.role < needed => Some(Problem::forbidden(needed)),
            Self::Operator if !principal.is_operator => Some(Problem::not_the_operator()),
            Self::Role(_) | Self::Operator => None,
        }
    }
}

async fn admit(parts: &Parts, web: &Web, needed: Needed) -> Result<Principal, Refusal> {
    let realm = parts.extensions.get::<Realm>().copied().unwrap_or_default();
    let told = |problem| match realm {
        Realm::Api => Refusal::Api(problem),
        Realm::Pages => Refusal::Page(problem),
    };
    let found = principal(parts, web, realm).await.map_err(told)?;
    let Some(principal) = found else { return Err(stranger(parts, realm)) };
    match needed.refuses(&principal) {
        Some(problem) => Err(told(problem)),
        None => Ok(principal),
    }
}

async fn principal(parts: &Parts, web: &Web, realm: Realm) -> Result<Option<Principal>, Problem> {
    match realm {
        Realm::Api => {
            let sent = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let Some(hash) = sent.and_then(token::read) else { return Ok(None) };
            Ok(web.store.token_find(hash, web.now()).await?)
        }
        Realm::Pages => {
            let Some(hash) = session::read(&parts.headers) else { return Ok(None) };
            Ok(web.store.session_find(hash, web.now()).await?)
        }
    }
}

fn stranger(parts: &Parts, realm: Realm) -> Refusal {
    match realm {
        Realm::Api => Refusal::Api(Problem::unauthorized()),
        // What was to be changed is not repeated after signing in; what was to be seen is.
        Realm::Pages if parts.method == Method::GET => Refusal::SignIn { next: parts.uri.to_string() },
        Realm::Pages => Refusal::SignIn { next: "/".into() },
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Api(problem) => problem.into_response(),
            Self::Page(problem) => pages::problem(&problem),
            Self::SignIn { next } => {
                let next: String = byte_serialize(next.as_bytes()).collect();
                let to = HeaderValue::try_from(format!("/sign-in?next={next}"));
                let to = to.expect("percent-encoded text is plain ASCII");
                (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
            }
        }
    }
}
