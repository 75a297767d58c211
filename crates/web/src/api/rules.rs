//! `/alert-rules`: which events of which monitors reach which channels.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use gazer_domain::alert::Rule;
use gazer_domain::id::Rules;

use super::body::{Body, Patch};
use super::request::{Named, Params};
use super::wire::{self, List, RuleSettings, is_id, page_of};
use crate::auth::{Admin, Member};
use crate::web::Changed;
use crate::{Problem, Web};

#[utoipa::path(get, path = "/alert-rules", tag = "alert rules", summary = "List alert rules, oldest first",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, description = "One page", body = List<wire::Rule>)))]
pub(super) async fn list(
    State(web): State<Web>,
    member: Member,
    mut params: Params,
) -> Result<Json<List<wire::Rule>>, Problem> {
    let page = params.page(is_id::<Rules>)?;
    params.end()?;
    let listed = page_of(web.store.rule_list(member.team).await?, &page, |rule| rule.id);
    Ok(Json(List::of(listed, |rule| (&rule).into())))
}

#[utoipa::path(post, path = "/alert-rules", tag = "alert rules", summary = "Make an alert rule",
    request_body = RuleSettings,
    responses((status = 201, description = "It holds from the next event on", body = wire::Rule)))]
pub(super) async fn create(
    State(web): State<Web>,
    admin: Admin,
    Body(settings): Body<RuleSettings>,
) -> Result<impl IntoResponse, Problem> {
    let rule = Rule { id: web.new_id(), settings: settings.resolve()? };
    web.store.rule_create(admin.team, &rule, web.now()).await?;
    web.tell(Changed { team: admin.team, monitor: None });
    let location = format!("/api/v1/alert-rules/{}", rule.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(wire::Rule::from(&rule))))
}

#[utoipa::path(get, path = "/alert-rules/{id}", tag = "alert rules", summary = "One alert rule",
    params(("id" = String, Path)),
    responses((status = 200, description = "As it stands", body = wire::Rule)))]
pub(super) async fn get(
    State(web): State<Web>,
    member: Member,
    Named(id): Named<Rules>,
) -> Result<Json<wire::Rule>, Problem> {
    let rule = web.store.rule_get(member.team, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json((&rule).into()))
}

#[utoipa::path(patch, path = "/alert-rules/{id}", tag = "alert rules", summary = "Change an alert rule",
    description = "A JSON merge patch (RFC 7396): what is absent stays, and null is refused.",
    params(("id" = String, Path)),
    request_body = wire::RulePatch,
    responses((status = 200, description = "As it stands now", body = wire::Rule)))]
pub(super) async fn edit(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Rules>,
    patch: Patch,
) -> Result<Json<wire::Rule>, Problem> {
    let current = web.store.rule_get(admin.team, id).await?.ok_or_else(Problem::not_found)?;
    let settings: RuleSettings = patch.apply(RuleSettings::from(&current.settings).to_value(), &[])?;
    let settings = settings.resolve()?;
    let edited = web.store.rule_edit(admin.team, id, &settings).await?.ok_or_else(Problem::not_found)?;
    web.tell(Changed { team: admin.team, monitor: None });
    Ok(Json((&edited).into()))
}

#[utoipa::path(delete, path = "/alert-rules/{id}", tag = "alert rules", summary = "Forget an alert rule",
    params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Rules>,
) -> Result<StatusCode, Problem> {
    if !web.store.rule_delete(admin.team, id).await? {
        return Err(Problem::not_found());
    }
    web.tell(Changed { team: admin.team, monitor: None });
    Ok(StatusCode::NO_CONTENT)
}
