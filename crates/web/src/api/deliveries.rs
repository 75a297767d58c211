//! `/deliveries`: what was given up, and how it is sent again.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use gazer_domain::DeliveryId;
use gazer_domain::id::Channels;
use gazer_store::{Again, Page};

use super::request::{Named, Params, no_query};
use super::wire::{self, List, SentAgain};
use crate::auth::{Admin, Member};
use crate::{Problem, Web};

#[utoipa::path(get, path = "/deliveries", tag = "deliveries", summary = "List what was given up, newest first",
    description = "Deliveries in other states are listed with their incident. Tests are not listed.",
    params(
        ("state" = String, Query, description = "`dead`"),
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, description = "One page", body = List<wire::Delivery>)))]
pub(super) async fn list(
    State(web): State<Web>,
    member: Member,
    mut params: Params,
) -> Result<Json<List<wire::Delivery>>, Problem> {
    if params.text("state").as_deref() != Some("dead") {
        return Err(Problem::field("state", "must be dead; other deliveries are listed with their incident"));
    }
    let page = params.page(Page::is_delivery_cursor)?;
    params.end()?;
    let listed = web.store.deliveries_dead(member.team, &page).await?;
    Ok(Json(List::of(listed, |delivery| (&delivery).into())))
}

#[utoipa::path(post, path = "/deliveries/{id}/send-again", tag = "deliveries", summary = "Send what was given up again",
    description = "Under the same id, at once, and with all its attempts. If its incident is over by now, its end follows.",
    params(("id" = String, Path)),
    responses(
        (status = 202, description = "It is on its way", body = wire::Delivery),
        (status = 409, description = "It is not dead, its channel was deleted, or a later message told it"),
    ))]
pub(super) async fn send_again(
    State(web): State<Web>,
    admin: Admin,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<impl IntoResponse, Problem> {
    no_query(&uri)?;
    let id = DeliveryId::from_text(id);
    let again = web.store.delivery_again(admin.team, &id, web.now()).await?.ok_or_else(Problem::not_found)?;
    if let Again::Kept(obstacle) = again {
        return Err(Problem::conflict(obstacle.to_string()));
    }
    web.deliveries_changed(admin.team);
    let delivery = web.store.delivery_get(admin.team, &id).await?.ok_or_else(Problem::not_found)?;
    Ok((StatusCode::ACCEPTED, Json(wire::Delivery::from(&delivery))))
}

#[utoipa::path(post, path = "/channels/{id}/send-again", tag = "deliveries",
    operation_id = "send_all_again",
    summary = "Send all again that was given up for a channel",
    description = "At most 500 incidents at once; the answer is 0 when nothing is left.",
    params(("id" = String, Path)),
    responses((status = 202, description = "So many are on their way", body = SentAgain)))]
pub(super) async fn send_all_again(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Channels>,
) -> Result<impl IntoResponse, Problem> {
    let sent_again = web.store.deliveries_again(admin.team, id, web.now()).await?.ok_or_else(Problem::not_found)?;
    web.deliveries_changed(admin.team);
    Ok((StatusCode::ACCEPTED, Json(SentAgain { sent_again })))
}
