//! `/api/v1`: JSON for programs that carry a token.
//!
//! One file per group of endpoints, each beside its OpenAPI description: routes are registered together with it, so
//! none is undocumented. `wire` holds what travels and converts it from and to what the domain knows. Whatever is
//! refused is refused as a [`Problem`] that names the field.

use axum::{Extension, Router};
use utoipa_axum::router::OpenApiRouter;

use crate::auth::Realm;
use crate::{Problem, Web};

pub fn router() -> Router<Web> {
    let (router, _document) = OpenApiRouter::<Web>::new().split_for_parts();
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(http::StatusCode::METHOD_NOT_ALLOWED, "This address does not take that method.")
        })
        .layer(Extension(Realm::Api))
}
