//! `/monitors`: what is watched.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use gazer_domain::id::Monitors;
use gazer_domain::monitor::{Monitor, Settings};
use gazer_domain::{MonitorId, TeamId};
use gazer_store::{Listed, MonitorFilter, MonitorView, Page};

use super::body::{Body, Patch};
use super::request::{Named, Params};
use super::wire::{self, List, MonitorSettings};
use crate::auth::{Admin, Member};
use crate::{Problem, Web};

pub(super) mod actions;

#[utoipa::path(get, path = "/monitors", tag = "monitors", summary = "List monitors, by name",
    params(
        ("search" = Option<String>, Query, description = "A part of the name or the URL"),
        ("status" = Option<String>, Query, description = "`up`, `slow`, `regional`, `down`, `unknown` or `paused`"),
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, description = "One page", body = List<wire::Monitor>)))]
pub(super) async fn list(
    State(web): State<Web>,
    member: Member,
    mut params: Params,
) -> Result<Json<List<wire::Monitor>>, Problem> {
    let page = params.page(Page::is_cursor::<Monitors>)?;
    let status = params.text("status").map(|text| status(&text)).transpose()?;
    let filter = MonitorFilter { search: params.text("search"), status };
    params.end()?;
    let listed = web.store.monitor_list(member.team, &filter, &page).await?;
    let data = show(&web, member.team, &listed.rows).await?;
    Ok(Json(List::of(Listed { rows: data, next: listed.next }, |row| row)))
}

#[utoipa::path(post, path = "/monitors", tag = "monitors", summary = "Watch something",
    request_body = MonitorSettings,
    responses((status = 201, description = "It is watched from now on", body = wire::Monitor)))]
pub(super) async fn create(
    State(web): State<Web>,
    admin: Admin,
    Body(settings): Body<MonitorSettings>,
) -> Result<impl IntoResponse, Problem> {
    let settings = resolve(&web, settings)?;
    let now = web.now();
    let monitor = Monitor::new(web.new_id(), settings, now);
    let _turn = web.doors.turns.of(admin.team).await;
    web.store.monitor_create(admin.team, &monitor).await?;
    web.monitor_begun(admin.team, monitor.id);
    let shown = get_shown(&web, admin.team, monitor.id).await?;
    let location = format!("/api/v1/monitors/{}", monitor.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], shown))
}

#[utoipa::path(get, path = "/monitors/{id}", tag = "monitors", summary = "One monitor",
    params(("id" = String, Path)),
    responses((status = 200, description = "As it stands", body = wire::Monitor)))]
pub(super) async fn get(
    State(web): State<Web>,
    member: Member,
    Named(id): Named<Monitors>,
) -> Result<Json<wire::Monitor>, Problem> {
    get_shown(&web, member.team, id).await
}

#[utoipa::path(patch, path = "/monitors/{id}", tag = "monitors", summary = "Change a monitor",
    description = "A JSON merge patch (RFC 7396): what is absent stays. Null takes `http.body`, `http.auth` or a header away, and is refused elsewhere.",
    params(("id" = String, Path)),
    request_body = wire::MonitorPatch,
    responses((status = 200, description = "As it stands now", body = wire::Monitor)))]
pub(super) async fn edit(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Monitors>,
    mut patch: Patch,
) -> Result<Json<wire::Monitor>, Problem> {
    let view = web.store.monitor_get(admin.team, id).await?.ok_or_else(Problem::not_found)?;
    let current = MonitorSettings::from(&view.monitor.settings).for_patch(&mut patch);
    let settings = resolve(&web, patch.apply(current, MonitorSettings::CLEARS)?)?;
    // What changes nothing makes no revision.
    if settings != view.monitor.settings {
        let _turn = web.doors.turns.of(admin.team).await;
        web.store.monitor_edit(admin.team, id, &settings, web.now()).await?.ok_or_else(Problem::not_found)?;
        web.monitor_changed(admin.team, id);
    }
    get_shown(&web, admin.team, id).await
}

#[utoipa::path(delete, path = "/monitors/{id}", tag = "monitors", summary = "Stop watching, and forget",
    description = "An open incident ends with an event of its own, and whoever was told of its start is told so.",
    params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Monitors>,
) -> Result<StatusCode, Problem> {
    let _turn = web.doors.turns.of(admin.team).await;
    if !web.store.monitor_delete(admin.team, id, web.now()).await? {
        return Err(Problem::not_found());
    }
    web.monitor_changed(admin.team, id);
    Ok(StatusCode::NO_CONTENT)
}

fn status(text: &str) -> Result<gazer_domain::period::Status, Problem> {
    let known = gazer_domain::period::Status::parse(text);
    known.ok_or_else(|| Problem::field("status", "must be one of up, slow, regional, down, unknown and paused"))
}

fn resolve(web: &Web, settings: MonitorSettings) -> Result<Settings, Problem> {
    let settings = settings.resolve()?;
    web.judge(&settings.spec)?;
    Ok(settings)
}

async fn get_shown(web: &Web, team: TeamId, id: MonitorId) -> Result<Json<wire::Monitor>, Problem> {
    let view = web.store.monitor_get(team, id).await?.ok_or_else(Problem::not_found)?;
    let mut shown = show(web, team, &[view]).await?;
    shown.pop().map(Json).ok_or_else(Problem::not_found)
}

async fn show(web: &Web, team: TeamId, views: &[MonitorView]) -> Result<Vec<wire::Monitor>, Problem> {
    let now = web.now();
    let ids: Vec<MonitorId> = views.iter().map(|view| view.monitor.id).collect();
    let periods = web.store.periods(team, &ids, now - wire::LONGEST_WINDOW, now).await?;
    let of = |view: &MonitorView| periods.get(&view.monitor.id).map_or(&[][..], Vec::as_slice);
    Ok(views.iter().map(|view| wire::Monitor::of(view, of(view), now)).collect())
}
