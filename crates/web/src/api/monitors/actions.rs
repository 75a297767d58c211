//! What can be done with a monitor: pause it, resume it, check it now.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gazer_domain::id::Monitors;

use super::get_shown;
use crate::api::patience::Patience;
use crate::api::request::Named;
use crate::api::wire;
use crate::auth::Admin;
use crate::web::Wake;
use crate::{Problem, Web};

/// A check of the default settings, which fails in every attempt, is over by then; a longer one goes on.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

#[utoipa::path(post, path = "/monitors/{id}/pause", tag = "monitors", summary = "Do not look for now",
    description = "An open incident ends with an event of its own. Pausing a paused monitor changes nothing.",
    params(("id" = String, Path)),
    responses((status = 200, description = "It is paused", body = wire::Monitor)))]
pub(crate) async fn pause(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Monitors>,
) -> Result<Json<wire::Monitor>, Problem> {
    let _turn = web.doors.turns.of(admin.team).await;
    web.store.monitor_pause(admin.team, id, web.now()).await?.ok_or_else(Problem::not_found)?;
    web.monitor_changed(admin.team, id);
    get_shown(&web, admin.team, id).await
}

#[utoipa::path(post, path = "/monitors/{id}/resume", tag = "monitors", summary = "Look again",
    description = "Resuming a running monitor changes nothing.",
    params(("id" = String, Path)),
    responses((status = 200, description = "It is watched", body = wire::Monitor)))]
pub(crate) async fn resume(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Monitors>,
) -> Result<Json<wire::Monitor>, Problem> {
    let _turn = web.doors.turns.of(admin.team).await;
    web.store.monitor_resume(admin.team, id, web.now()).await?.ok_or_else(Problem::not_found)?;
    web.monitor_begun(admin.team, id);
    get_shown(&web, admin.team, id).await
}

#[utoipa::path(post, path = "/monitors/{id}/check", tag = "monitors", summary = "Check now",
    description = "All regions of the monitor are asked; the first to answer is the answer, and `health` of the monitor has the others.",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "What the check found", body = wire::Checked),
        (status = 202, description = "It takes longer than 30 s; the monitor will show what it found"),
        (status = 409, description = "The monitor is paused"),
    ))]
pub(crate) async fn check(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Monitors>,
) -> Result<Response, Problem> {
    let view = web.store.monitor_get(admin.team, id).await?.ok_or_else(Problem::not_found)?;
    if view.monitor.paused {
        return Err(Problem::conflict("The monitor is paused. Resume it, then check it."));
    }
    let turn = web.doors.turns.of(admin.team).await;
    let request = web.store.request_add(admin.team, id, web.now()).await?.ok_or_else(Problem::not_found)?;
    drop(turn);
    (web.wake)(Wake::Plan);
    let mut patience = Patience::of(LONGEST_WAIT);
    while patience.look().await {
        let answered = web.store.request_get(admin.team, request).await?.ok_or_else(Problem::not_found)?;
        if let Some(seen) = answered {
            return Ok(Json(wire::Checked::from(&seen)).into_response());
        }
    }
    Ok(StatusCode::ACCEPTED.into_response())
}
