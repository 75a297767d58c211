//! `/channels`: ways to reach someone.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use gazer_domain::DeliveryId;
use gazer_domain::channel::Target;
use gazer_domain::delivery;
use gazer_domain::id::Channels;
use gazer_store::{Channel, DeliveryView};

use super::body::{Body, Patch};
use super::patience::Patience;
use super::request::{Named, Params};
use super::wire::{self, ChannelSettings, List, is_id, page_of};
use crate::auth::{Admin, Member};
use crate::web::{Changed, Wake};
use crate::{Problem, Web};

/// A test button is watched; a service that takes longer than this answers on the page later.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

#[utoipa::path(get, path = "/channels", tag = "channels", summary = "List channels, oldest first",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, description = "One page", body = List<wire::Channel>)))]
pub(super) async fn list(
    State(web): State<Web>,
    member: Member,
    mut params: Params,
) -> Result<Json<List<wire::Channel>>, Problem> {
    let page = params.page(is_id::<Channels>)?;
    params.end()?;
    let channels = web.store.channel_list(member.team).await?;
    let listed = page_of(channels, &page, |channel| channel.id);
    Ok(Json(List::of(listed, |channel| wire::Channel::shown_to(member.role, &channel))))
}

#[utoipa::path(post, path = "/channels", tag = "channels", summary = "Make a channel",
    request_body = ChannelSettings,
    responses((status = 201, description = "The channel; a webhook's signing secret is shown here, and never again",
        body = wire::Channel)))]
pub(super) async fn create(
    State(web): State<Web>,
    admin: Admin,
    Body(settings): Body<ChannelSettings>,
) -> Result<impl IntoResponse, Problem> {
    let (name, target) = settings.resolve(web.bytes::<32>().to_vec())?;
    web.judge_target(&target)?;
    let channel = Channel { id: web.new_id(), name, target, created: web.now() };
    web.store.channel_create(admin.team, &channel).await?;
    web.tell(Changed { team: admin.team, monitor: None });
    let location = format!("/api/v1/channels/{}", channel.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(wire::Channel::with_secret(&channel))))
}

#[utoipa::path(get, path = "/channels/{id}", tag = "channels", summary = "One channel",
    params(("id" = String, Path)),
    responses((status = 200, description = "As it stands", body = wire::Channel)))]
pub(super) async fn get(
    State(web): State<Web>,
    member: Member,
    Named(id): Named<Channels>,
) -> Result<Json<wire::Channel>, Problem> {
    let channel = web.store.channel_get(member.team, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(wire::Channel::shown_to(member.role, &channel)))
}

#[utoipa::path(patch, path = "/channels/{id}", tag = "channels", summary = "Change a channel",
    description = "A JSON merge patch (RFC 7396): what is absent stays, and null is refused. The kind stays, and a webhook keeps its secret.",
    params(("id" = String, Path)),
    request_body = wire::ChannelPatch,
    responses((status = 200, description = "As it stands now", body = wire::Channel)))]
pub(super) async fn edit(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Channels>,
    patch: Patch,
) -> Result<Json<wire::Channel>, Problem> {
    let current = web.store.channel_get(admin.team, id).await?.ok_or_else(Problem::not_found)?;
    let secret = match &current.target {
        Target::Webhook { secret, .. } => secret.clone(),
        Target::Email { .. } => Vec::new(),
    };
    let settings: ChannelSettings = patch.apply(ChannelSettings::of(&current.name, &current.target).to_value(), &[])?;
    // Before the rest is looked at: what another kind lacks is not what is wrong.
    if settings.kind() != current.target.kind() {
        return Err(Problem::field("kind", "cannot change: make another channel"));
    }
    let (name, target) = settings.resolve(secret)?;
    web.judge_target(&target)?;
    let edited = web.store.channel_edit(admin.team, id, &name, &target).await?.ok_or_else(Problem::not_found)?;
    web.tell(Changed { team: admin.team, monitor: None });
    Ok(Json(wire::Channel::shown_to(admin.role, &edited)))
}

#[utoipa::path(delete, path = "/channels/{id}", tag = "channels", summary = "Forget a channel",
    description = "Rules lose it; a rule that is left without a channel goes with it.",
    params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Channels>,
) -> Result<StatusCode, Problem> {
    if !web.store.channel_delete(admin.team, id, web.now()).await? {
        return Err(Problem::not_found());
    }
    web.tell(Changed { team: admin.team, monitor: None });
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/channels/{id}/test", tag = "channels", summary = "Send a test message",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "What came of it, or of the first attempt", body = wire::Delivery),
        (status = 202, description = "It takes longer than 10 s", body = wire::Delivery),
    ))]
pub(super) async fn test(
    State(web): State<Web>,
    admin: Admin,
    Named(id): Named<Channels>,
) -> Result<impl IntoResponse, Problem> {
    let now = web.now();
    let delivery = DeliveryId::test(now, web.bytes());
    if !web.store.delivery_test(admin.team, id, &delivery, now).await? {
        return Err(Problem::not_found());
    }
    (web.wake)(Wake::Deliver);
    let mut patience = Patience::of(LONGEST_WAIT);
    let mut seen = None;
    while patience.look().await {
        let view = web.store.delivery_get(admin.team, &delivery).await?.ok_or_else(Problem::not_found)?;
        if was_tried(&view) {
            return Ok((StatusCode::OK, Json(wire::Delivery::from(&view))));
        }
        seen = Some(view);
    }
    let seen = seen.ok_or_else(Problem::not_found)?;
    Ok((StatusCode::ACCEPTED, Json(wire::Delivery::from(&seen))))
}

/// Settled, or refused once: the person who pressed the button wants the error, not the retries.
fn was_tried(delivery: &DeliveryView) -> bool {
    match delivery.state {
        delivery::State::Delivered | delivery::State::Dead | delivery::State::Merged => true,
        delivery::State::Waiting => delivery.attempts > 0,
        delivery::State::Leased => false,
    }
}
