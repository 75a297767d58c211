//! `/regions`: the places that monitors are checked from. Whoever runs this installation adds and removes them.

use axum::Json;
use axum::extract::State;

use super::request::Params;
use super::wire::{self, List};
use crate::auth::Member;
use crate::{Problem, Web};

#[utoipa::path(get, path = "/regions", tag = "regions", summary = "List the regions that check, oldest first",
    description = "Their names are what a monitor's `regions` takes. They are few: one page holds them all.",
    responses((status = 200, description = "All of them", body = List<wire::Region>)))]
pub(super) async fn list(
    State(web): State<Web>,
    _member: Member,
    params: Params,
) -> Result<Json<List<wire::Region>>, Problem> {
    params.end()?;
    let regions = web.store.regions().await?;
    Ok(Json(List { data: regions.iter().map(wire::Region::from).collect(), next: None }))
}
