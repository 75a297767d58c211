//! `/incidents`: what went wrong, and what was seen of it.

use axum::Json;
use axum::extract::State;
use gazer_domain::id::Incidents;
use gazer_store::{IncidentFilter, Page};

use super::request::{Named, Params};
use super::wire::{self, List};
use crate::auth::Member;
use crate::{Problem, Web};

#[utoipa::path(get, path = "/incidents", tag = "incidents", summary = "List incidents, newest first",
    params(
        ("monitor" = Option<String>, Query, description = "Only of this monitor"),
        ("open" = Option<bool>, Query, description = "Only those that last, or only those that are over"),
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, description = "One page", body = List<wire::Incident>)))]
pub(super) async fn list(
    State(web): State<Web>,
    member: Member,
    mut params: Params,
) -> Result<Json<List<wire::Incident>>, Problem> {
    let page = params.page(Page::is_cursor::<Incidents>)?;
    let filter = IncidentFilter {
        monitor: params.parsed("monitor", "must be the id of a monitor, mon_…")?,
        open: params.parsed("open", "must be true or false")?,
    };
    params.end()?;
    let listed = web.store.incident_list(member.team, filter, &page).await?;
    Ok(Json(List::of(listed, |view| wire::Incident::of(&view, &web.config))))
}

#[utoipa::path(get, path = "/incidents/{id}", tag = "incidents", summary = "One incident with its evidence",
    params(("id" = String, Path)),
    responses((status = 200, description = "The whole story", body = wire::IncidentStory)))]
pub(super) async fn get(
    State(web): State<Web>,
    member: Member,
    Named(id): Named<Incidents>,
) -> Result<Json<wire::IncidentStory>, Problem> {
    let story = web.store.incident_get(member.team, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(wire::IncidentStory::of(&story, &web.config)))
}
