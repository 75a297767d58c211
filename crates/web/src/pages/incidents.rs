//! The list of incidents: open ones first, then by age.

use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use gazer_domain::incident::Trouble;
use gazer_domain::period::Status;
use gazer_domain::{MonitorId, Timestamp};
use gazer_store::{IncidentFilter, IncidentView, Listed, Page, Principal};
use maud::{Markup, html};

use super::{Answer, links};
use crate::Web;
use crate::auth::Member;
use crate::ui::form::Form;
use crate::ui::layout::{self, Frame, Section};
use crate::ui::{status, words};

const ROWS: u32 = 50;

pub(crate) struct List {
    pub(crate) filter: IncidentFilter,
    /// Name of the one monitor that is asked for.
    pub(crate) only: Option<String>,
    pub(crate) open: Vec<IncidentView>,
    pub(crate) closed: Listed<IncidentView>,
}

/// `GET /incidents?show=open|closed&monitor=&after=`
pub(crate) async fn show(State(web): State<Web>, member: Member, RawQuery(query): RawQuery) -> Answer {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let (team, store) = (member.team, &web.store);
    let monitor: Option<MonitorId> = query.value("monitor").parse().ok();
    let only = match monitor {
        Some(monitor) => store.monitor_get(team, monitor).await?.map(|view| view.monitor.settings.name),
        None => None,
    };
    let wanted = match query.value("show") {
        "open" => Some(true),
        "closed" => Some(false),
        _ => None,
    };
    let after = Some(query.value("after").to_owned()).filter(|after| !after.is_empty());
    let of = |open| IncidentFilter { monitor, open: Some(open) };
    let mut open = Vec::new();
    if wanted != Some(false) && after.is_none() {
        open = store.incident_list(team, of(true), &Page::first(ROWS * 4)).await?.rows;
    }
    let mut closed = Listed { rows: Vec::new(), next: None };
    if wanted != Some(true) {
        closed = store.incident_list(team, of(false), &Page { after, limit: ROWS }).await?;
    }
    let list = List { filter: IncidentFilter { monitor, open: wanted }, only, open, closed };
    Ok(page(&list, &member, web.now()).into_response())
}

pub(crate) fn page(list: &List, viewer: &Principal, now: Timestamp) -> Markup {
    let body = html! {
        div.head {
            div { h1 { "Incidents" } @if let Some(name) = &list.only { p { "of " (name) " · " a href=(links::INCIDENTS) { "of all" } } } }
            (filters(&list.filter))
        }
        div #incidents data-live { (tables(list, now)) }
    };
    layout::page(&Frame::new("Incidents", Section::Incidents, viewer, now), &body)
}

fn filters(filter: &IncidentFilter) -> Markup {
    let monitor = filter.monitor.map_or_else(String::new, |monitor| format!("&monitor={monitor}"));
    html! {
        nav.tabs aria-label="Which incidents" {
            @for (show, label, open) in [("all", "All", None), ("open", "Open", Some(true)), ("closed", "Closed", Some(false))] {
                a href={ (links::INCIDENTS) "?show=" (show) (monitor) } aria-current=[(filter.open == open).then_some("true")] { (label) }
            }
        }
    }
}

fn tables(list: &List, now: Timestamp) -> Markup {
    let monitor = list.filter.monitor.map_or_else(String::new, |monitor| format!("&monitor={monitor}"));
    let show = if list.filter.open == Some(false) { "closed" } else { "all" };
    html! {
        @if list.open.is_empty() && list.closed.rows.is_empty() {
            div.sheet.empty {
                (layout::eye())
                h2 { (match list.filter.open { Some(true) => "No open incidents", Some(false) => "No closed incidents", None => "No incidents" }) }
                p { "When a site goes down or turns slow, what happened stands here, with every request that shows it." }
                p { @if list.filter == IncidentFilter::default() { a href=(links::MONITORS) { "See the monitors" } } @else { a href=(links::INCIDENTS) { "Show all" } } }
            }
        } @else {
            div.stack {
                @if !list.open.is_empty() { (table("Open", &list.open, now)) }
                @if !list.closed.rows.is_empty() { (table("Closed", &list.closed.rows, now)) }
            }
            @if let Some(next) = &list.closed.next {
                p { a href={ (links::INCIDENTS) "?show=" (show) (monitor) "&after=" (escaped(next)) } { "Earlier ones" } }
            }
        }
    }
}

pub(crate) fn escaped(cursor: &str) -> String {
    url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect()
}

fn table(title: &str, rows: &[IncidentView], now: Timestamp) -> Markup {
    html! {
        section.sheet.flush aria-label=(title) {
            header { h2 { (title) } }
            table.cards.incidents {
                thead { tr { th { "What" } th { "Monitor and cause" } th { "Began" } th.num { "Lasted" } } }
                tbody {
                    @for row in rows {
                        tr {
                            td { (badge(row)) }
                            td.whole {
                                a.title href=(links::incident(row.incident.id)) { (row.monitor_name) }
                                span.soft.small.wrap { (row.incident.cause.text) }
                            }
                            td { (words::at(row.incident.started)) }
                            td.num data-label="lasted" { (lasted(row, now)) }
                        }
                    }
                }
            }
        }
    }
}

/// For the page of one monitor.
pub(crate) fn short(rows: &[IncidentView], now: Timestamp) -> Markup {
    html! {
        @if rows.is_empty() { p.soft { "None so far." } } @else {
            ul.line {
                @for row in rows {
                    li {
                        (badge(row))
                        " " a href=(links::incident(row.incident.id)) { (words::at(row.incident.started)) }
                        span.soft.small { " · " @if row.incident.ended.is_none() { "open for " } (lasted(row, now)) }
                        br;
                        span.soft.small.wrap { (row.incident.cause.text) }
                    }
                }
            }
        }
    }
}

/// An open incident shows its trouble; a closed one says that it is over, and what it was.
pub(crate) fn badge(row: &IncidentView) -> Markup {
    let (status, was) = match row.incident.trouble {
        Trouble::Down => (Status::Down, "was down"),
        Trouble::Regional => (Status::Regional, "was down in some regions"),
        Trouble::Slow => (Status::Slow, "was slow"),
    };
    html! {
        @if row.incident.ended.is_none() { (status::pill(status)) } @else {
            (status::labelled(Status::Up, "Over")) " " span.soft.small { (was) }
        }
    }
}

fn lasted(row: &IncidentView, now: Timestamp) -> Markup {
    html! {
        @match row.incident.ended {
            Some(ended) => (gazer_domain::time::humane_duration(ended.since(row.incident.started))),
            None => (words::age(row.incident.started, now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn open_ones_stand_first() {
        let open = samples::incident_view();
        let mut closed = open.clone();
        closed.incident.ended = Some(samples::NOW);
        let filter = IncidentFilter::default();
        let list = List {
            filter,
            only: None,
            open: vec![open],
            closed: Listed { rows: vec![closed], next: Some("a b".into()) },
        };
        let page = page(&list, &samples::viewer(), samples::NOW).into_string();
        assert!(page.find(">Open<") < page.find("was down"), "{page}");
        assert!(page.contains("after=a+b") && !page.contains("<script>"), "{page}");
        samples::well_formed(&page);
    }
}
