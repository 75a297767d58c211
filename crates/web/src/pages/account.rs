//! One's own account: password, API tokens, signing out.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use gazer_domain::access::Role;
use gazer_domain::monitor::validate_name;
use gazer_domain::{Invalid, Timestamp, TokenId};
use gazer_store::{Principal, Token};
use maud::{Markup, html};

use super::{Answer, Failed, Question, confirm, form_page, found, go, id, links};
use crate::auth::password::{self, Refused};
use crate::auth::token::Minted;
use crate::auth::{Address, Member, Owner, session};
use crate::ui::form::{Form, Input};
use crate::ui::layout::{self, Frame, Section};
use crate::ui::words;
use crate::{Problem, Web};

/// `GET /account`
pub(crate) async fn show(State(web): State<Web>, member: Member) -> Answer {
    answer(&web, &member, &Form::default()).await
}

async fn answer(web: &Web, viewer: &Principal, form: &Form) -> Answer {
    let tokens = match viewer.role {
        Role::Owner => web.store.token_list(viewer.team).await?,
        Role::Viewer | Role::Admin => Vec::new(),
    };
    form_page(form, page(&tokens, form, viewer, web.now()))
}

/// `POST /account/password`: asks for the present one, and ends every other session.
pub(crate) async fn change_password(State(web): State<Web>, member: Member, from: Address, body: Bytes) -> Answer {
    let form = Form::parse(&body);
    match renew(&web, &member, from, &form).await? {
        Ok(pass) => Ok(([(header::SET_COOKIE, pass.0)], changed_page(&member, web.now())).into_response()),
        Err(wrong) => answer(&web, &member, &form.refused(wrong)).await,
    }
}

async fn renew(
    web: &Web,
    member: &Principal,
    from: Address,
    form: &Form,
) -> Result<Result<session::Pass, Invalid>, Failed> {
    let (present, new) = (form.value("present").to_owned(), form.value("password").to_owned());
    let user = match password::sign_in(web, from, &member.who, present).await? {
        Ok(user) => user,
        Err(Refused::Wrong) => return Ok(Err(Invalid::new("present", "is not your present password"))),
        Err(Refused::Later(seconds)) => return Err(Problem::too_many(seconds).into()),
    };
    let hash = match password::hash(web, new).await {
        Ok(hash) => hash,
        Err(wrong) => return Ok(Err(wrong)),
    };
    web.store.user_set_password(user.id, &hash).await?;
    Ok(Ok(session::begin(web, user.id, member.team).await?))
}

/// `POST /account/tokens`
pub(crate) async fn create_token(State(web): State<Web>, owner: Owner, body: Bytes) -> Answer {
    let form = Form::parse(&body);
    let (name, role) = match read_token(&form) {
        Ok(read) => read,
        Err(wrong) => return answer(&web, &owner, &form.refused(wrong)).await,
    };
    let now = web.now();
    let minted = Minted::api_token(web.bytes());
    let token = Token { id: web.new_id(), name, role, created: now, last_used: None };
    web.store.token_create(owner.team, &token, minted.hash).await?;
    Ok(token_page(&token, &minted.secret, &owner, now).into_response())
}

fn read_token(form: &Form) -> Result<(String, Role), Invalid> {
    let name = form.trimmed("name").to_owned();
    validate_name(&name)?;
    let role = form.value("role").parse().map_err(|message| Invalid::new("role", message))?;
    Ok((name, role))
}

/// `GET /account/tokens/{token}/delete`
pub(crate) async fn ask_delete_token(State(web): State<Web>, owner: Owner, Path(token): Path<String>) -> Answer {
    let wanted: TokenId = id(&token)?;
    let tokens = web.store.token_list(owner.team).await?;
    let token = found(tokens.into_iter().find(|token| token.id == wanted))?;
    let question = Question {
        title: format!("Delete the token {}?", token.name),
        text: html! { p { "Whatever uses it is shut out at once." } },
        yes: "Delete the token",
        action: format!("{}/delete", links::token(token.id)),
        back: links::ACCOUNT.to_owned(),
    };
    Ok(layout::page(&Frame::new("Delete", Section::Account, &owner, web.now()), &confirm(&question)).into_response())
}

/// `POST /account/tokens/{token}/delete`
pub(crate) async fn delete_token(State(web): State<Web>, owner: Owner, Path(token): Path<String>) -> Answer {
    found(web.store.token_delete(owner.team, id(&token)?).await?.then_some(()))?;
    go(links::ACCOUNT)
}

pub(crate) fn page(tokens: &[Token], form: &Form, viewer: &Principal, now: Timestamp) -> Markup {
    let body = html! {
        div.head {
            div { h1 { "Account" } p { (viewer.who) " · " (viewer.role) " of " (viewer.team_name) } }
            div.acts { form method="post" action="/sign-out" { button type="submit" { "Sign out" } } }
        }
        (form.summary())
        @if viewer.role == Role::Owner {
            section.sheet.flush aria-labelledby="h-tokens" {
                header { h2 #h-tokens { "API tokens" } a.small href="/api/v1/openapi.json" { "What the API can do" } }
                @if !tokens.is_empty() { (token_table(tokens, now)) }
                div.sheet-in { (new_token(form)) }
            }
        }
        section.sheet aria-labelledby="h-password" {
            h2 #h-password { "Password" }
            form.form method="post" action="/account/password" novalidate {
                input.hush type="text" name="username" autocomplete="username" value=(viewer.who) tabindex="-1" aria-hidden="true" readonly;
                div.grid {
                    (form.input(Input { kind: "password", autocomplete: "current-password", required: true, ..Input::new("present", "Present password") }))
                    (form.input(Input { kind: "password", autocomplete: "new-password", required: true, hint: "At least 10 characters.", ..Input::new("password", "New password") }))
                }
                p.small.soft { "Every other session of yours ends." }
                div.acts { button type="submit" { "Change the password" } }
            }
        }
    };
    layout::page(&Frame::new("Account", Section::Account, viewer, now), &body)
}

fn new_token(form: &Form) -> Markup {
    html! {
        form.form method="post" action="/account/tokens" novalidate {
            div.grid {
                (form.input(Input { required: true, placeholder: "ci", ..Input::new("name", "Name of a new token") }))
                (form.select("role", "May", "", &[
                    ("viewer", "read everything"), ("admin", "change monitors and alerts"), ("owner", "do everything"),
                ]))
            }
            div.acts { button type="submit" { "Make a token" } }
        }
    }
}

fn token_table(tokens: &[Token], now: Timestamp) -> Markup {
    html! {
        table.cards {
            thead { tr { th { "Token" } th { "Role" } th { "Made" } th { "Last used" } th { span.hush { "Actions" } } } }
            tbody {
                @for token in tokens {
                    tr {
                        td.whole { strong.wrap { (token.name) } }
                        td { (token.role) }
                        td data-label="made" { (words::day(token.created)) }
                        td data-label="last used" { @match token.last_used { Some(at) => { (words::age(at, now)) " ago" }, None => "never" } }
                        td.num { a.button.little.grave href={ (links::token(token.id)) "/delete" } { "Delete" } }
                    }
                }
            }
        }
    }
}

fn token_page(token: &Token, secret: &str, viewer: &Principal, now: Timestamp) -> Markup {
    let body = html! {
        div.middle.stack {
            h1 { "Token " (token.name) }
            div.sheet {
                p { "Send it as " code { "Authorization: Bearer …" } ". " strong { "It is not shown again." } }
                code.secret #secret { (secret) }
                div.acts {
                    button type="button" data-copy="secret" data-script hidden { "Copy" }
                    a.button.main href=(links::ACCOUNT) { "Done" }
                }
            }
        }
    };
    layout::page(&Frame::new("New token", Section::Account, viewer, now), &body)
}

fn changed_page(viewer: &Principal, now: Timestamp) -> Markup {
    let body = html! {
        div.middle.stack {
            h1 { "Password changed" }
            div.note.good role="status" { p { "Your other sessions have ended." } }
            div.acts { a.button.main href=(links::MONITORS) { "To the monitors" } }
        }
    };
    layout::page(&Frame::new("Password changed", Section::Account, viewer, now), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn only_an_owner_sees_tokens_and_a_secret_is_shown_once() {
        let token = samples::token();
        let form = Form::default();
        let page = |viewer| super::page(&[samples::token()], &form, viewer, samples::NOW).into_string();
        let owner = samples::viewer();
        assert!(page(&owner).contains("Make a token") && page(&owner).contains("ci &lt;script&gt;"));
        let viewer = Principal { role: Role::Viewer, ..owner.clone() };
        assert!(!page(&viewer).contains("Make a token"));
        samples::well_formed(&page(&owner));
        let shown = token_page(&token, "gzr_secret", &owner, samples::NOW).into_string();
        assert!(shown.contains("gzr_secret"));
        samples::well_formed(&shown);
        samples::well_formed(&changed_page(&owner, samples::NOW).into_string());
    }
}
