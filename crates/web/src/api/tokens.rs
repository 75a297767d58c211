//! `/tokens`: API tokens, for the owner.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gazer_domain::id::Tokens;

use super::body::Body;
use super::request::{Named, Params};
use super::wire::{self, List, TokenRequest, is_id, page_of};
use crate::auth::Owner;
use crate::auth::token::Minted;
use crate::{Problem, Web};

#[utoipa::path(get, path = "/tokens", tag = "tokens", summary = "List API tokens, oldest first",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, description = "One page", body = List<wire::Token>)))]
pub(super) async fn list(
    State(web): State<Web>,
    owner: Owner,
    mut params: Params,
) -> Result<Json<List<wire::Token>>, Problem> {
    let page = params.page(is_id::<Tokens>)?;
    params.end()?;
    let listed = page_of(web.store.token_list(owner.team).await?, &page, |token| token.id);
    Ok(Json(List::of(listed, |token| (&token).into())))
}

#[utoipa::path(post, path = "/tokens", tag = "tokens", summary = "Make an API token",
    request_body = TokenRequest,
    responses((status = 201, description = "The token is shown here, and never again", body = wire::Token)))]
pub(super) async fn create(
    State(web): State<Web>,
    owner: Owner,
    Body(wanted): Body<TokenRequest>,
) -> Result<(StatusCode, Json<wire::Token>), Problem> {
    let (name, role) = wanted.resolve()?;
    let minted = Minted::api_token(web.bytes());
    let token = gazer_store::Token { id: web.new_id(), name, role, created: web.now(), last_used: None };
    web.store.token_create(owner.team, &token, minted.hash).await?;
    let mut shown = wire::Token::from(&token);
    shown.token = Some(minted.secret);
    Ok((StatusCode::CREATED, Json(shown)))
}

#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", summary = "Revoke an API token",
    params(("id" = String, Path)),
    responses((status = 204, description = "It opens nothing any more")))]
pub(super) async fn delete(
    State(web): State<Web>,
    owner: Owner,
    Named(id): Named<Tokens>,
) -> Result<StatusCode, Problem> {
    if !web.store.token_delete(owner.team, id).await? {
        return Err(Problem::not_found());
    }
    Ok(StatusCode::NO_CONTENT)
}
