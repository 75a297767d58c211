//! The first account. It asks for the set-up token that the start prints, so that no stranger can take a new
//! installation; with an owner in place the page is gone.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use gazer_domain::channel::Target;
use gazer_domain::monitor::validate_name;
use gazer_domain::{Invalid, TeamId, UserId};
use maud::{Markup, html};

use super::{Answer, Failed, form_page, go, links};
use crate::auth::member::Refusal;
use crate::auth::{Address, Member, SETUP_TOKEN, password, same_secret, session};
use crate::ui::form::{Form, Input};
use crate::ui::layout::{self, Frame};
use crate::{Problem, Web};

/// `GET /`
pub(crate) async fn front(State(web): State<Web>, member: Result<Member, Refusal>) -> Answer {
    if member.is_ok() {
        return go(links::MONITORS);
    }
    go(if web.store.owner_exists().await? { "/sign-in" } else { "/setup" })
}

/// `GET /setup`; the printed link carries the token.
pub(crate) async fn show(State(web): State<Web>, RawQuery(query): RawQuery) -> Answer {
    if web.store.owner_exists().await? {
        return go("/sign-in");
    }
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    form_page(&form, page(&form))
}

/// `POST /setup`
pub(crate) async fn create(State(web): State<Web>, from: Address, body: Bytes) -> Answer {
    if web.store.owner_exists().await? {
        return go("/sign-in");
    }
    let form = Form::parse(&body);
    match owner(&web, from, &form).await? {
        Ok(response) => Ok(response),
        Err(wrong) => {
            let form = form.refused(wrong);
            form_page(&form, page(&form))
        }
    }
}

async fn owner(web: &Web, from: Address, form: &Form) -> Result<Result<Response, Invalid>, Failed> {
    let now = web.now();
    if let Some(wait) = web.doors.by_address.refused(&from.key(), now) {
        return Err(Problem::too_many(wait.as_secs() + 1).into());
    }
    let token = web.store.setting_get(SETUP_TOKEN).await?.filter(|token| !token.is_empty());
    if !token.is_some_and(|token| same_secret(form.trimmed("token"), &token)) {
        web.doors.by_address.count(&from.key(), now);
        return Ok(Err(Invalid::new("token", "is not the token that Gazer printed when it started")));
    }
    let (email, team_name) = match fields(form) {
        Ok(fields) => fields,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let hash = match password::hash(web, form.value("password").to_owned()).await {
        Ok(hash) => hash,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let (user, team): (UserId, TeamId) = (web.new_id(), web.new_id());
    if !web.store.owner_create(user, &email, &hash, team, &team_name, now).await? {
        return Ok(Ok(go("/sign-in")?));
    }
    let pass = session::begin(web, user, team).await?;
    Ok(Ok(([(header::SET_COOKIE, pass.0)], go(links::MONITORS)?).into_response()))
}

fn fields(form: &Form) -> Result<(String, String), Invalid> {
    let email = form.trimmed("email").to_owned();
    let address = Target::Email { to: vec![email.clone()] };
    address.validate().map_err(|wrong| Invalid::new("email", wrong.message))?;
    let team = match form.trimmed("team") {
        "" => "My team",
        name => name,
    };
    validate_name(team).map_err(|wrong| Invalid::new("team", wrong.message))?;
    password::validate(form.value("password"))?;
    Ok((email, team.to_owned()))
}

fn page(form: &Form) -> Markup {
    let body = html! {
        div.narrow.stack {
            div {
                h1 { "Welcome to Gazer" }
                p.soft { "Make the first account. It owns this installation." }
            }
            form.sheet.form method="post" action="/setup" {
                (form.summary())
                (form.input(Input {
                    hint: "Gazer printed it when it started; whoever reads that output may go on.",
                    required: true, autofocus: form.value("token").is_empty(), ..Input::new("token", "Set-up token")
                }))
                (form.input(Input {
                    kind: "email", autocomplete: "username", required: true, placeholder: "you@example.com",
                    ..Input::new("email", "E-mail")
                }))
                (form.input(Input {
                    kind: "password", autocomplete: "new-password", required: true, hint: "At least 10 characters.",
                    ..Input::new("password", "Password")
                }))
                (form.input(Input { placeholder: "My team", autocomplete: "organization", ..Input::new("team", "Team") }))
                button.main type="submit" { "Make the account" }
            }
        }
    };
    layout::page(&Frame::stranger("Set up"), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn a_refused_set_up_keeps_what_was_typed_but_the_password() {
        let form = Form::parse(b"token=t0k&email=%22%3E%3Cscript%3E&password=secret-secret&team=Ours");
        let wrong = fields(&form).unwrap_err();
        assert_eq!(wrong.field, "email");
        let page = page(&form.refused(wrong)).into_string();
        assert!(page.contains(r#"value="t0k""#) && page.contains("must be an e-mail address"), "{page}");
        assert!(!page.contains("secret-secret") && !page.contains("<script>"), "{page}");
        samples::well_formed(&page);
    }
}
