//! The pages that people see: server-rendered, whole without a script, live where there is one.
//!
//! One file per page holds its handlers, its markup and its tests; what pages are made of is in `ui` and `svg`. A form
//! that is refused is rendered again with what was typed and status 422; one that is taken answers 303 to the page that
//! shows the result, so that a reload repeats nothing. Secrets that are shown once (a token, a signing secret) are the
//! exception: they are in the answer to the form itself and nowhere else.
//!
//! A live page marks the parts that change with `data-live` and an id. The script holds one stream (`live`), fetches
//! the page again when something of the team changed, and swaps those parts: there are no fragments to keep in step.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};

use crate::ui::form::Form;
use crate::ui::layout::{self, Frame};
use crate::{Problem, Web, assets};

mod account;
mod alerts;
mod assertion_rows;
mod channels;
mod delivery;
mod incident;
mod incidents;
mod issue;
mod issues;
mod links;
mod live;
mod monitor;
mod monitor_acts;
mod monitor_edit;
mod monitor_form;
mod monitor_hero;
mod monitor_regions;
mod monitors;
mod region_fields;
mod rules;
#[cfg(test)]
mod samples;
mod setup;
mod sign_in;
mod undelivered;

/// Every route of a page, as `(method, path)`: what the access test drives.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/setup"),
    ("POST", "/setup"),
    ("GET", "/sign-in"),
    ("GET", "/live"),
    ("GET", "/monitors"),
    ("POST", "/monitors"),
    ("GET", "/monitors/new"),
    ("GET", "/monitors/{monitor}"),
    ("POST", "/monitors/{monitor}"),
    ("GET", "/monitors/{monitor}/edit"),
    ("POST", "/monitors/{monitor}/pause"),
    ("POST", "/monitors/{monitor}/resume"),
    ("POST", "/monitors/{monitor}/check"),
    ("GET", "/monitors/{monitor}/checks/{request}"),
    ("GET", "/monitors/{monitor}/delete"),
    ("POST", "/monitors/{monitor}/delete"),
    ("GET", "/incidents"),
    ("GET", "/incidents/{incident}"),
    ("GET", "/alerts"),
    ("GET", "/alerts/channels/new"),
    ("POST", "/alerts/channels"),
    ("GET", "/alerts/channels/{channel}"),
    ("POST", "/alerts/channels/{channel}"),
    ("POST", "/alerts/channels/{channel}/secret"),
    ("POST", "/alerts/channels/{channel}/test"),
    ("GET", "/alerts/channels/{channel}/delete"),
    ("POST", "/alerts/channels/{channel}/delete"),
    ("POST", "/alerts/channels/{channel}/send-again"),
    ("GET", "/alerts/undelivered"),
    ("GET", "/alerts/deliveries/{delivery}"),
    ("POST", "/alerts/deliveries/{delivery}/send-again"),
    ("GET", "/alerts/rules/new"),
    ("POST", "/alerts/rules"),
    ("GET", "/alerts/rules/{rule}"),
    ("POST", "/alerts/rules/{rule}"),
    ("GET", "/alerts/rules/{rule}/delete"),
    ("POST", "/alerts/rules/{rule}/delete"),
    ("GET", "/operator/issues"),
    ("GET", "/operator/issues/{issue}"),
    ("POST", "/operator/issues/{issue}/resolve"),
    ("POST", "/operator/issues/{issue}/ignore"),
    ("POST", "/operator/issues/{issue}/reopen"),
    ("GET", "/account"),
    ("POST", "/account/tokens"),
    ("GET", "/account/tokens/{token}/delete"),
    ("POST", "/account/tokens/{token}/delete"),
    ("GET", "/assets/{name}"),
    ("GET", "/favicon.ico"),
    // Last, because they count failures and end sessions.
    ("POST", "/sign-in"),
    ("POST", "/account/password"),
    ("POST", "/sign-out"),
];

pub fn router() -> Router<Web> {
    Router::new()
        .route("/", get(setup::front))
        .route("/setup", get(setup::show).post(setup::create))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/live", get(live::stream))
        .route("/monitors", get(monitors::show).post(monitor_edit::create))
        .route("/monitors/new", get(monitor_edit::blank))
        .route("/monitors/{monitor}", get(monitor::show).post(monitor_edit::save))
        .route("/monitors/{monitor}/edit", get(monitor_edit::edit))
        .route("/monitors/{monitor}/pause", post(monitor_acts::pause))
        .route("/monitors/{monitor}/resume", post(monitor_acts::resume))
        .route("/monitors/{monitor}/check", post(monitor_acts::check))
        .route("/monitors/{monitor}/checks/{request}", get(monitor_acts::checked))
        .route("/monitors/{monitor}/delete", get(monitor_acts::ask_delete).post(monitor_acts::delete))
        .route("/incidents", get(incidents::show))
        .route("/incidents/{incident}", get(incident::show))
        .route("/alerts", get(alerts::show))
        .route("/alerts/channels/new", get(channels::blank))
        .route("/alerts/channels", post(channels::create))
        .route("/alerts/channels/{channel}", get(channels::edit).post(channels::save))
        .route("/alerts/channels/{channel}/secret", post(channels::new_secret))
        .route("/alerts/channels/{channel}/test", post(channels::test))
        .route("/alerts/channels/{channel}/delete", get(channels::ask_delete).post(channels::delete))
        .route("/alerts/channels/{channel}/send-again", post(undelivered::send_all))
        .route("/alerts/undelivered", get(undelivered::show))
        .route("/alerts/deliveries/{delivery}", get(delivery::show))
        .route("/alerts/deliveries/{delivery}/send-again", post(delivery::send_again))
        .route("/alerts/rules/new", get(rules::blank))
        .route("/alerts/rules", post(rules::create))
        .route("/alerts/rules/{rule}", get(rules::edit).post(rules::save))
        .route("/alerts/rules/{rule}/delete", get(rules::ask_delete).post(rules::delete))
        .route("/operator/issues", get(issues::show))
        .route("/operator/issues/{issue}", get(issue::show))
        .route("/operator/issues/{issue}/resolve", post(issue::resolve))
        .route("/operator/issues/{issue}/ignore", post(issue::ignore))
        .route("/operator/issues/{issue}/reopen", post(issue::reopen))
        .route("/account", get(account::show))
        .route("/account/password", post(account::change_password))
        .route("/account/tokens", post(account::create_token))
        .route("/account/tokens/{token}/delete", get(account::ask_delete_token).post(account::delete_token))
        .route("/assets/{name}", get(assets::serve))
        .route("/favicon.ico", get(assets::favicon))
        .layer(axum::middleware::map_response(too_large))
        .method_not_allowed_fallback(async |request: Request| {
            let detail = format!("This address does not take {}.", request.method());
            problem(&Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail))
        })
}

/// A form beyond the bound is refused before any handler sees it, in words that are for programmers.
async fn too_large(response: Response) -> Response {
    if response.status() != StatusCode::PAYLOAD_TOO_LARGE {
        return response;
    }
    problem(&Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "What was sent is larger than 256 KiB. Go back and shorten it.",
    ))
}

/// How a person is told of a problem: a page with its title, what to do, and a way back.
pub fn problem(problem: &Problem) -> Response {
    let mut response = (problem.status, problem_page(problem)).into_response();
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn problem_page(problem: &Problem) -> Markup {
    let title = match problem.status {
        StatusCode::NOT_FOUND => "Nothing to see here",
        StatusCode::FORBIDDEN => "Not yours to do",
        StatusCode::METHOD_NOT_ALLOWED => "Not the way in",
        status if status.is_server_error() => "That went wrong on our side",
        _ => problem.title(),
    };
    let body = html! {
        div.sheet.empty.narrow {
            (layout::eye())
            h1 { (title) }
            p { (problem.detail) }
            div.acts { a.button.main href="/" { "To the start" } }
            p.small { (problem.status.as_u16()) " " (problem.title()) }
        }
    };
    layout::page(&Frame::stranger(title), &body)
}

/// What went wrong in a page's handler; it is told as a page.
#[derive(Debug)]
pub(crate) struct Failed(Problem);

impl<E: Into<Problem>> From<E> for Failed {
    fn from(err: E) -> Self {
        Self(err.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        problem(&self.0)
    }
}

pub(crate) type Answer = Result<Response, Failed>;

/// A form taken: to the page that shows what came of it.
pub(crate) fn go(to: &str) -> Answer {
    let to = HeaderValue::try_from(to).expect("our own paths, and ids in them, are plain ASCII");
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

/// A form shown for the first time, or again with what is wrong with it.
pub(crate) fn form_page(form: &Form, page: Markup) -> Answer {
    let status = if form.is_refused() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page).into_response())
}

/// An id in an address. One that cannot be read names nothing.
pub(crate) fn id<T: std::str::FromStr>(text: &str) -> Result<T, Failed> {
    text.parse().map_err(|_| Problem::not_found().into())
}

pub(crate) fn found<T>(found: Option<T>) -> Result<T, Failed> {
    found.ok_or_else(|| Problem::not_found().into())
}

/// Before something is gone for good.
pub(crate) struct Question<'a> {
    pub(crate) title: String,
    pub(crate) text: Markup,
    pub(crate) yes: &'a str,
    pub(crate) action: String,
    pub(crate) back: String,
}

pub(crate) fn confirm(question: &Question<'_>) -> Markup {
    html! {
        div.sheet.narrow {
            h1 { (question.title) }
            div.soft { (question.text) }
            form.acts method="post" action=(question.action) {
                button.main.grave type="submit" { (question.yes) }
                a.button href=(question.back) { "Cancel" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_escaped_and_with_a_way_back() {
        let page = problem_page(&Problem::new(StatusCode::BAD_REQUEST, "<script>")).into_string();
        assert!(page.contains("&lt;script&gt;") && page.contains(r#"href="/""#), "{page}");
        samples::well_formed(&page);
    }
}
