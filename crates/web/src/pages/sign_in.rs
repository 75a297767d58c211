//! Signing in and out.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use gazer_domain::Invalid;
use maud::{Markup, html};

use super::{Answer, form_page, go, links};
use crate::Web;
use crate::auth::password::{self, Refused};
use crate::auth::{Address, session};
use crate::ui::form::{Form, Input};
use crate::ui::layout::{self, Frame};
use crate::ui::words;

/// `GET /sign-in`
pub(crate) async fn show(State(web): State<Web>, RawQuery(query): RawQuery) -> Answer {
    if !web.store.owner_exists().await? {
        return go("/setup");
    }
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    form_page(&form, page(&form))
}

/// `POST /sign-in`
pub(crate) async fn enter(State(web): State<Web>, from: Address, body: Bytes) -> Answer {
    let form = Form::parse(&body);
    let signed = password::sign_in(&web, from, form.trimmed("email"), form.value("password").to_owned()).await?;
    let user = match signed {
        Ok(user) => user,
        Err(Refused::Wrong) => {
            let form = form.refused(Invalid::new("password", "does not go with this e-mail address"));
            return form_page(&form, page(&form));
        }
        Err(Refused::Later(seconds)) => {
            let wait = words::whole(std::time::Duration::from_secs(seconds));
            let form = form.refused(Invalid::new("password", format!("was wrong too often; try again in {wait}")));
            let retry = [(header::RETRY_AFTER, seconds.to_string())];
            return Ok((StatusCode::TOO_MANY_REQUESTS, retry, page(&form)).into_response());
        }
    };
    let Some(team) = web.store.team_of(user.id).await? else {
        let form = form.refused(Invalid::new("email", "belongs to no team any more; ask an owner"));
        return form_page(&form, page(&form));
    };
    let pass = session::begin(&web, user.id, team).await?;
    Ok(([(header::SET_COOKIE, pass.0)], go(&next(&form))?).into_response())
}

/// `POST /sign-out`
pub(crate) async fn leave(State(web): State<Web>, headers: HeaderMap) -> Answer {
    let pass = session::end(&web, &headers).await?;
    Ok(([(header::SET_COOKIE, pass.0)], go("/sign-in")?).into_response())
}

/// Only a path of ours: `//elsewhere.example` and `/\elsewhere.example` would be read as another host.
fn next(form: &Form) -> String {
    let next = form.value("next");
    let own =
        next.starts_with('/') && !next[1..].starts_with(['/', '\\']) && next.bytes().all(|b| b.is_ascii_graphic());
    if own { next.to_owned() } else { links::MONITORS.to_owned() }
}

fn page(form: &Form) -> Markup {
    let body = html! {
        div.narrow.stack {
            h1 { "Sign in" }
            form.sheet.form method="post" action="/sign-in" {
                input type="hidden" name="next" value=(form.value("next"));
                (form.input(Input {
                    kind: "email", autocomplete: "username", required: true, autofocus: true, ..Input::new("email", "E-mail")
                }))
                (form.input(Input {
                    kind: "password", autocomplete: "current-password", required: true, ..Input::new("password", "Password")
                }))
                button.main type="submit" { "Sign in" }
            }
            p.small.soft { "Password lost? Whoever runs this Gazer can set a new one: " code { "gazer user reset-password" } }
        }
    };
    layout::page(&Frame::stranger("Sign in"), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn only_a_path_of_ours_comes_next() {
        let of = |next: &str| {
            let mut form = Form::default();
            form.set("next", next);
            super::next(&form)
        };
        assert_eq!(of("/incidents/inc_1?x=y"), "/incidents/inc_1?x=y");
        for elsewhere in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nSet-Cookie: x"] {
            assert_eq!(of(elsewhere), "/monitors", "{elsewhere:?}");
        }
    }

    #[test]
    fn the_page_is_whole() {
        let page = page(&Form::parse(b"next=%22%3E%3Cscript%3E")).into_string();
        assert!(!page.contains("<script>"));
        samples::well_formed(&page);
    }
}
