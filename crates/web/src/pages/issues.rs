//! Errors of Gazer itself: for whoever runs it, which is the owner of the first team, and for nobody else.

use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use gazer_domain::Timestamp;
use gazer_domain::issue::{self, Issue};
use gazer_domain::period::Status;
use gazer_store::{Listed, Page, Principal};
use maud::{Markup, html};

use super::{Answer, incidents, links};
use crate::Web;
use crate::auth::Operator;
use crate::ui::form::Form;
use crate::ui::layout::{self, Frame, Section};
use crate::ui::{status, words};

const ROWS: u32 = 50;

/// `GET /operator/issues?show=open|resolved|ignored&after=`; without `show`, all of them.
pub(crate) async fn show(State(web): State<Web>, operator: Operator, RawQuery(query): RawQuery) -> Answer {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let after = Some(query.value("after").to_owned()).filter(|after| !after.is_empty());
    let state = issue::State::WORDS.into_iter().find(|word| *word == query.value("show"));
    let listed = web.store.issue_list(state, &Page { after, limit: ROWS }).await?;
    Ok(page(&listed, state, &operator, web.now()).into_response())
}

pub(crate) fn page(listed: &Listed<Issue>, state: Option<&'static str>, viewer: &Principal, now: Timestamp) -> Markup {
    let body = html! {
        div.head {
            div {
                p.crumb { "Operator /" }
                h1 { "Issues" }
                p { "Errors of Gazer itself, each with all that are like it. No team sees them." }
            }
            (filters(state))
        }
        @if listed.rows.is_empty() { (none(state)) } @else {
            section.sheet.flush aria-label="Issues" { (table(&listed.rows, now)) }
        }
        @if let Some(next) = &listed.next {
            p { a href={ (links::ISSUES) "?show=" (state.unwrap_or("all")) "&after=" (incidents::escaped(next)) } { "Earlier ones" } }
        }
    };
    layout::page(&Frame::new("Issues", Section::Operator, viewer, now), &body)
}

fn filters(state: Option<&'static str>) -> Markup {
    html! {
        nav.tabs aria-label="Which issues" {
            @for (label, word) in [("All", None), ("Open", Some("open")), ("Resolved", Some("resolved")), ("Ignored", Some("ignored"))] {
                a href={ (links::ISSUES) "?show=" (word.unwrap_or("all")) } aria-current=[(word == state).then_some("true")] { (label) }
            }
        }
    }
}

fn none(state: Option<&'static str>) -> Markup {
    html! {
        div.sheet.empty {
            (layout::eye())
            h2 { "No " (state.unwrap_or("known")) " issues" }
            p { "When something goes wrong in Gazer itself, it stands here, and whoever " code { "--operator-webhook" } " or " code { "--operator-email" } " names is told." }
            @if state.is_some() { div.acts { a.button href=(links::ISSUES) { "Show all" } } }
        }
    }
}

fn table(rows: &[Issue], now: Timestamp) -> Markup {
    html! {
        table.cards.incidents {
            thead { tr { th { "State" } th { "Where and what" } th { "Last seen" } th.num { "Times" } } }
            tbody {
                @for issue in rows {
                    tr {
                        td { (badge(issue.state)) }
                        td.whole {
                            a.title href=(links::issue(issue.id)) { (issue.function) }
                            span.soft.small.wrap { (issue.message) }
                        }
                        td { (words::age(issue.last_seen, now)) " ago" }
                        td.num data-label="times" { (words::grouped(issue.count)) }
                    }
                }
            }
        }
    }
}

pub(crate) fn badge(state: issue::State) -> Markup {
    match state {
        issue::State::Open => status::labelled(Status::Down, "Open"),
        issue::State::Resolved { .. } => status::labelled(Status::Up, "Resolved"),
        issue::State::Ignored => status::labelled(Status::Paused, "Ignored"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn each_state_has_its_badge_and_nothing_breaks_out() {
        let rows = samples::issues();
        let all = Listed { rows, next: Some("a b".into()) };
        let page = page(&all, Some("open"), &samples::viewer(), samples::NOW).into_string();
        for part in ["Open", "Resolved", "Ignored", "after=a+b", "show=open&amp;after", "1,234"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<script>"), "{page}");
        samples::well_formed(&page);
    }

    #[test]
    fn without_any_it_says_where_they_would_come_from() {
        for state in [None, Some("ignored")] {
            let listed = Listed { rows: Vec::new(), next: None };
            let page = page(&listed, state, &samples::viewer(), samples::NOW).into_string();
            assert!(page.contains("--operator-webhook"), "{page}");
            samples::well_formed(&page);
        }
    }
}
