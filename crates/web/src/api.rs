//! `/api/v1`: JSON for programs that carry a token.
//!
//! One file per group of endpoints. Each route is registered together with its OpenAPI description, so none is
//! undocumented. `wire` holds what travels and converts it from and to what the domain knows. Whatever is refused is
//! refused as a [`Problem`] that names the field. Reading takes any member, changing an admin, tokens the owner.

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Extension, Router};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Realm;
use crate::{Problem, Web};

mod body;
mod channels;
mod deliveries;
mod incidents;
mod monitors;
mod openapi;
mod patience;
mod regions;
mod request;
mod rules;
mod tokens;
pub(crate) mod wire;

pub fn router() -> Router<Web> {
    let (router, document) = endpoints().split_for_parts();
    let document = openapi::print(document);
    router
        .route("/openapi.json", get(move || openapi::serve(document.clone())))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This address does not take that method.")
        })
        .layer(Extension(Realm::Api))
}

fn endpoints() -> OpenApiRouter<Web> {
    OpenApiRouter::with_openapi(openapi::preface())
        .routes(routes!(monitors::list, monitors::create))
        .routes(routes!(monitors::get, monitors::edit, monitors::delete))
        .routes(routes!(monitors::actions::pause))
        .routes(routes!(monitors::actions::resume))
        .routes(routes!(monitors::actions::check))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::get))
        .routes(routes!(channels::list, channels::create))
        .routes(routes!(channels::get, channels::edit, channels::delete))
        .routes(routes!(channels::test))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::send_again))
        .routes(routes!(deliveries::send_all_again))
        .routes(routes!(rules::list, rules::create))
        .routes(routes!(rules::get, rules::edit, rules::delete))
        .routes(routes!(regions::list))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::delete))
}
