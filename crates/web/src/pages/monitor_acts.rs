//! What people do with a monitor: pause, resume, check now, delete.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use gazer_domain::observation::Observation;
use gazer_domain::period::Status;
use gazer_domain::{MonitorId, Timestamp};
use gazer_store::{Answer as Seen, MonitorView, Principal};
use maud::{Markup, html};

use super::{Answer, Question, confirm, found, go, id, links};
use crate::Web;
use crate::auth::{Admin, Member};
use crate::ui::attempt::{attempt, certificate};
use crate::ui::layout::{self, Frame, Section};
use crate::ui::{status, words};
use crate::web::Wake;

/// `POST /monitors/{monitor}/pause`
pub(crate) async fn pause(State(web): State<Web>, admin: Admin, Path(monitor): Path<String>) -> Answer {
    let _turn = web.doors.turns.of(admin.team).await;
    let paused = found(web.store.monitor_pause(admin.team, id(&monitor)?, web.now()).await?)?;
    web.monitor_changed(admin.team, paused.id);
    go(&links::monitor(paused.id))
}

/// `POST /monitors/{monitor}/resume`
pub(crate) async fn resume(State(web): State<Web>, admin: Admin, Path(monitor): Path<String>) -> Answer {
    let _turn = web.doors.turns.of(admin.team).await;
    let resumed = found(web.store.monitor_resume(admin.team, id(&monitor)?, web.now()).await?)?;
    web.monitor_begun(admin.team, resumed.id);
    go(&links::monitor(resumed.id))
}

/// `POST /monitors/{monitor}/check`: a request that `plan` serves; its page waits for the answer.
pub(crate) async fn check(State(web): State<Web>, admin: Admin, Path(monitor): Path<String>) -> Answer {
    let monitor: MonitorId = id(&monitor)?;
    let turn = web.doors.turns.of(admin.team).await;
    let request = found(web.store.request_add(admin.team, monitor, web.now()).await?)?;
    drop(turn);
    (web.wake)(Wake::Plan);
    go(&links::check(monitor, request))
}

/// `GET /monitors/{monitor}/checks/{request}`
pub(crate) async fn checked(
    State(web): State<Web>,
    member: Member,
    Path((monitor, request)): Path<(String, String)>,
) -> Answer {
    let view = found(web.store.monitor_get(member.team, id(&monitor)?).await?)?;
    let seen = found(web.store.request_get(member.team, id(&request)?).await?)?;
    if seen.as_ref().is_some_and(|seen| seen.observation.monitor != view.monitor.id) {
        return Err(crate::Problem::not_found().into());
    }
    Ok(checked_page(&view, seen.as_ref(), &member, web.now()).into_response())
}

pub(crate) fn checked_page(view: &MonitorView, seen: Option<&Seen>, viewer: &Principal, now: Timestamp) -> Markup {
    let (id, name) = (view.monitor.id, &view.monitor.settings.name);
    let body = html! {
        div {
            p.crumb { a href=(links::MONITORS) { "Monitors" } " / " a href=(links::monitor(id)) { (name) } " /" }
            h1 { "One check" }
        }
        @match seen {
            None => div.note role="status" { p { strong { "Checking…" } } p.soft { "This page shows the answer as soon as it is there." } },
            Some(seen) => (answer(seen, view.regions.len() > 1, now)),
        }
        div.acts { a.button href=(links::monitor(id)) { "Back to the monitor" } }
    };
    let reload = seen.is_none().then_some(1);
    layout::page(&Frame { reload, ..Frame::new("One check", Section::Monitors, viewer, now) }, &body)
}

fn answer(Seen { region, observation: seen }: &Seen, from: bool, now: Timestamp) -> Markup {
    let verdict = Status::from(seen.judgement.verdict);
    let shown = seen.attempts.last().and_then(|last| last.certificate());
    html! {
        section.sheet.hero.(verdict.as_str()) aria-label="Verdict" {
            div {
                p { (status::plain(verdict)) }
                @if let Some(cause) = &seen.judgement.cause { p.cause { (cause.text) } p.small.soft { code { (cause.code) } } }
            }
            div { dl.pairs { dt { "Took" } dd { (took(seen)) } dt { "Started" } dd { (words::at(seen.started)) } @if from { dt { "From" } dd { (region) ", the first region to answer" } } } }
        }
        section.sheet aria-labelledby="h-attempts" {
            h2 #h-attempts { "What was asked and answered" }
            @for (i, one) in seen.attempts.iter().enumerate() { (attempt(one, i + 1, i == 0)) }
        }
        @if let Some(shown) = shown {
            section.sheet aria-labelledby="h-certificate" { h2 #h-certificate { "Certificate" } (certificate(shown, Some(now))) }
        }
    }
}

/// With its verification, a check that failed takes longer than the site did.
fn took(seen: &Observation) -> String {
    match seen.attempts.len() {
        0 | 1 => words::took(seen.took),
        attempts => format!("{}, over {attempts} attempts and the waits between them", words::took(seen.took)),
    }
}

/// `GET /monitors/{monitor}/delete`
pub(crate) async fn ask_delete(State(web): State<Web>, admin: Admin, Path(monitor): Path<String>) -> Answer {
    let view = found(web.store.monitor_get(admin.team, id(&monitor)?).await?)?;
    let here = links::monitor(view.monitor.id);
    let question = Question {
        title: format!("Delete {}?", view.monitor.settings.name),
        text: html! {
            p { "Its history, incidents and evidence go with it, for good. An open incident is closed, and whoever was told of it is told of its end." }
            p { "To stop checking for a while, pause it instead." }
        },
        yes: "Delete for good",
        action: format!("{here}/delete"),
        back: here,
    };
    Ok(layout::page(&Frame::new("Delete", Section::Monitors, &admin, web.now()), &confirm(&question)).into_response())
}

/// `POST /monitors/{monitor}/delete`
pub(crate) async fn delete(State(web): State<Web>, admin: Admin, Path(monitor): Path<String>) -> Answer {
    let monitor = id(&monitor)?;
    let _turn = web.doors.turns.of(admin.team).await;
    found(web.store.monitor_delete(admin.team, monitor, web.now()).await?.then_some(()))?;
    web.monitor_changed(admin.team, monitor);
    go(links::MONITORS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn a_check_waits_and_then_shows_what_it_saw() {
        let view = samples::sight().view;
        let waiting = checked_page(&view, None, &samples::viewer(), samples::NOW).into_string();
        assert!(waiting.contains(r#"http-equiv="refresh""#), "{waiting}");
        let seen = Seen { region: gazer_domain::Region::local(), observation: samples::observation() };
        let page = checked_page(&view, Some(&seen), &samples::viewer(), samples::NOW).into_string();
        assert!(
            page.contains("the status was 503")
                && page.contains("2.40 s, over 2 attempts")
                && page.contains("First byte"),
            "{page}"
        );
        assert!(!page.contains("<script>") && !page.contains("http-equiv=\"refresh\""));
        samples::well_formed(&page);
    }
}
