//! The list of monitors: totals, search, and a row each with its last checks and uptime.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use gazer_domain::access::Role;
use gazer_domain::period::{Period, Status};
use gazer_domain::uptime::{Uptime, percent};
use gazer_domain::verdict::Verdict;
use gazer_domain::{MonitorId, Timestamp};
use gazer_store::{CheckRow, LastCheck, Listed, MonitorFilter, MonitorView, Page, Principal, Totals};
use maud::{Markup, html};
use url::form_urlencoded::Serializer;

use super::{Answer, links};
use crate::Web;
use crate::auth::Member;
use crate::svg::sparkline::{CHECKS, sparkline};
use crate::ui::form::{Form, choices};
use crate::ui::layout::{self, Frame, Section};
use crate::ui::{last_check, status, watched, words};

/// Rows of one page: enough to see a team's sites at a glance, few enough for a phone.
const ROWS: u32 = 100;
const DAY: Duration = Duration::from_secs(86_400);

pub(crate) struct List {
    pub(crate) filter: MonitorFilter,
    pub(crate) after: Option<String>,
    pub(crate) totals: Totals,
    pub(crate) listed: Listed<MonitorView>,
    pub(crate) checks: HashMap<MonitorId, Vec<CheckRow>>,
    pub(crate) periods: HashMap<MonitorId, Vec<Period>>,
}

/// `GET /monitors?q=&status=&after=`
pub(crate) async fn show(State(web): State<Web>, member: Member, RawQuery(query): RawQuery) -> Answer {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let search = Some(query.trimmed("q").to_owned()).filter(|search| !search.is_empty());
    let filter = MonitorFilter { search, status: Status::parse(query.value("status")) };
    let after = Some(query.value("after").to_owned()).filter(|after| !after.is_empty());
    let now = web.now();
    let (team, store) = (member.team, &web.store);
    let totals = store.monitor_totals(team).await?;
    let listed = store.monitor_list(team, &filter, &Page { after: after.clone(), limit: ROWS }).await?;
    let ids: Vec<MonitorId> = listed.rows.iter().map(|row| row.monitor.id).collect();
    let checks = store.sparklines(team, &ids, now, CHECKS).await?;
    let periods = store.periods(team, &ids, now - DAY * 7, now).await?;
    let list = List { filter, after, totals, listed, checks, periods };
    Ok(page(&list, &member, now).into_response())
}

pub(crate) fn page(list: &List, viewer: &Principal, now: Timestamp) -> Markup {
    let all = total(&list.totals);
    let admin = viewer.role >= Role::Admin;
    let body = html! {
        @if all == 0 {
            h1.hush { "Monitors" }
            (empty(admin))
        } @else {
            div.head {
                div { h1 { "Monitors" } }
                @if admin { div.acts { a.button.main href=(links::MONITOR_NEW) { "Watch a site" } } }
            }
            div #totals data-live { (totals(&list.totals)) }
            (search(list))
            div #monitors data-live { (rows(list, now)) }
        }
    };
    let troubled = list.totals.down;
    let title = if troubled > 0 { format!("({troubled} down) Monitors") } else { "Monitors".into() };
    layout::page(&Frame::new(&title, Section::Monitors, viewer, now), &body)
}

fn total(totals: &Totals) -> u64 {
    totals.up + totals.slow + totals.regional + totals.down + totals.unknown + totals.paused
}

fn empty(admin: bool) -> Markup {
    html! {
        div.sheet.empty {
            (layout::eye())
            h2 { "Nothing is watched yet" }
            @if admin {
                p { "Paste the address of a site. Gazer looks at it every 30 seconds and tells you the moment it goes wrong." }
                form.bar method="post" action=(links::MONITORS) {
                    input.grow name="http.url" required autofocus placeholder="https://example.com/" aria-label="Address of the site"
                        inputmode="url" autocomplete="url" spellcheck="false" autocapitalize="none";
                    button.main type="submit" { "Start watching" }
                }
                p.small { a href=(links::MONITOR_NEW) { "With more settings" } " · then " a href=(links::ALERTS) { "say who is told" } }
            } @else {
                p { "An admin of the team can add the first site." }
            }
        }
    }
}

fn totals(totals: &Totals) -> Markup {
    let parts = [
        (Status::Down, totals.down),
        (Status::Regional, totals.regional),
        (Status::Slow, totals.slow),
        (Status::Unknown, totals.unknown),
        (Status::Up, totals.up),
        (Status::Paused, totals.paused),
    ];
    html! {
        dl.facts.totals {
            // Where there is one region nothing is ever regional, and nobody wonders what that is.
            @for (of, count) in parts.into_iter().filter(|part| *part != (Status::Regional, 0)) { div { dt { (status::plain(of)) } dd { (words::grouped(count)) } } }
        }
    }
}

fn search(list: &List) -> Markup {
    let mut options = vec![("", "Any status")];
    options.extend(Status::ALL.iter().map(|of| (of.as_str(), status::word(*of))));
    html! {
        form.bar method="get" action=(links::MONITORS) role="search" {
            input.grow type="search" name="q" value=(list.filter.search.as_deref().unwrap_or_default())
                placeholder="Name or address" aria-label="Search by name or address";
            select name="status" aria-label="Status" { (choices(&options, list.filter.status.map_or("", Status::as_str))) }
            button type="submit" { "Find" }
        }
    }
}

fn rows(list: &List, now: Timestamp) -> Markup {
    let filtered = list.filter != MonitorFilter::default();
    html! {
        @if list.listed.rows.is_empty() {
            div.sheet.empty { h2 { "No monitor matches" } p { a href=(links::MONITORS) { "Show all" } } }
        } @else {
            div.sheet.flush {
                table.cards.monitors {
                    caption.hush { "Monitors" }
                    thead { tr { th { "Status" } th { "Monitor" } th { "Last checks" } th.num { "24 h" } th.num { "7 d" } th.num { "Last check" } } }
                    tbody { @for row in &list.listed.rows { (one(list, row, now)) } }
                }
                @if list.listed.next.is_some() || list.after.is_some() || filtered {
                    div.pager {
                        span { "Showing " (words::count(list.listed.rows.len() as u64, "monitor")) " of " (words::grouped(total(&list.totals))) }
                        span.acts {
                            @if list.after.is_some() { a href=(address(&list.filter, None)) { "First page" } }
                            @if let Some(next) = &list.listed.next { a href=(address(&list.filter, Some(next))) { "Next page" } }
                        }
                    }
                }
            }
        }
    }
}

fn one(list: &List, row: &MonitorView, now: Timestamp) -> Markup {
    let id = row.monitor.id;
    let settings = &row.monitor.settings;
    let periods = list.periods.get(&id).map_or(&[][..], Vec::as_slice);
    let checks = list.checks.get(&id).map_or(&[][..], Vec::as_slice);
    let uptime = |days| {
        let uptime = Uptime::of(periods, now - DAY * days, now);
        let rest = watched::rest(&uptime, DAY * days);
        html! {
            @match uptime.ratio() {
                Some(ratio) => { (percent(ratio)) @if let Some(rest) = rest { " " span.soft.small { (rest) } } },
                None => "–",
            }
        }
    };
    html! {
        tr {
            td { (status::pill(row.status)) }
            td.whole {
                a.title href=(links::monitor(id)) { (settings.name) }
                span.under title=(settings.spec.target()) { (settings.spec.target()) }
            }
            td.whole { (sparkline(checks)) }
            td.num data-label="24 h" { (uptime(1)) }
            td.num data-label="7 d" { (uptime(7)) }
            td.num {
                @match &row.last {
                    Some(last) => { (took(last, checks)) " " br; span.soft.small { (words::age(last.slot, now)) " ago" } },
                    None => span.soft { "not yet" },
                }
            }
        }
    }
}

/// A response time, where there was a response.
pub(super) fn took(last: &LastCheck, checks: &[CheckRow]) -> String {
    match (last_check::answered(last, checks), last.verdict) {
        (Some(time), _) => words::took(time),
        (None, Verdict::Unknown) => "not seen".into(),
        (None, _) => "failed".into(),
    }
}

fn address(filter: &MonitorFilter, after: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in
        [("q", filter.search.as_deref()), ("status", filter.status.map(Status::as_str)), ("after", after)]
    {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("{}?{}", links::MONITORS, query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn a_row_tells_status_uptime_and_the_last_check() {
        let page = page(&samples::list(), &samples::viewer(), samples::NOW).into_string();
        for part in [
            "(1 down) Monitors",
            "st pill down",
            "Shop &lt;script&gt;",
            "aria-label=\"Last 30 checks",
            "failed ",
            " ago",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        samples::well_formed(&page);
    }

    #[test]
    fn nothing_yet_invites_to_paste_an_address() {
        let list =
            List { totals: Totals::default(), listed: Listed { rows: Vec::new(), next: None }, ..samples::list() };
        let page = page(&list, &samples::viewer(), samples::NOW).into_string();
        assert!(page.contains(r#"name="http.url""#), "{page}");
        samples::well_formed(&page);
    }

    #[test]
    fn the_next_page_keeps_the_filter() {
        let filter = MonitorFilter { search: Some("a&b".into()), status: Some(Status::Down) };
        assert_eq!(address(&filter, Some("x=")), "/monitors?q=a%26b&status=down&after=x%3D");
    }
}
