//! One monitor: how it is, what is promised and whether that was kept, and how it has been.

use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::response::IntoResponse;
use gazer_domain::access::Role;
use gazer_domain::guarantee::{LATENESS, guarantee, longest_check, while_silent};
use gazer_domain::monitor::Spec;
use gazer_domain::period::{Period, Status};
use gazer_domain::uptime::{Uptime, percent};
use gazer_domain::{MonitorId, Timestamp};
use gazer_store::{CheckRow, IncidentFilter, IncidentView, Kept, MonitorView, Page, Principal};
use maud::{Markup, html};

use super::monitor_hero::hero;
use super::{Answer, found, id, incidents, links, monitor_regions};
use crate::Web;
use crate::auth::Member;
use crate::svg::{days, response, waterfall};
use crate::ui::form::Form;
use crate::ui::layout::{self, Frame, Section};
use crate::ui::{status, watched, words};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const RANGES: [(&str, &str, Duration); 3] =
    [("1h", "1 hour", HOUR), ("24h", "24 hours", DAY), ("7d", "7 days", Duration::from_secs(7 * 86_400))];
/// A chart shows at least this much, so that a few checks are no few broad bars.
const YOUNGEST: Duration = Duration::from_secs(600);
const RECENT_INCIDENTS: u32 = 5;
const RECENT_PERIODS: usize = 12;

pub(crate) struct Sight {
    pub(crate) view: MonitorView,
    /// Index into `RANGES`.
    pub(crate) range: usize,
    /// Whose checks are shown: an index into the view's regions.
    pub(crate) region: usize,
    pub(crate) checks: Vec<CheckRow>,
    /// Of the last 90 days, newest last.
    pub(crate) periods: Vec<Period>,
    /// Over the last day.
    pub(crate) kept: Kept,
    pub(crate) incidents: Vec<IncidentView>,
    pub(crate) retention: Duration,
}

/// `GET /monitors/{monitor}?range=&region=`
pub(crate) async fn show(
    State(web): State<Web>,
    member: Member,
    Path(monitor): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let (team, store, now) = (member.team, &web.store, web.now());
    let monitor: MonitorId = id(&monitor)?;
    let view = found(store.monitor_get(team, monitor).await?)?;
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let range = RANGES.iter().position(|(name, ..)| *name == query.value("range")).unwrap_or(0);
    let region = view.regions.iter().position(|health| health.region.as_str() == query.value("region")).unwrap_or(0);
    let shown = view.regions.get(region).map(|health| &health.region);
    let checks = store.checks(team, monitor, shown, now - RANGES[range].2, now).await?;
    let mut periods = store.periods(team, &[monitor], now - DAY * 90, now).await?;
    let kept = store.lateness(team, monitor, now - DAY, now, LATENESS).await?;
    let filter = IncidentFilter { monitor: Some(monitor), open: None };
    let incidents = store.incident_list(team, filter, &Page::first(RECENT_INCIDENTS)).await?.rows;
    let periods = periods.remove(&monitor).unwrap_or_default();
    let retention = web.config.retention;
    let sight = Sight { view, range, region, checks, periods, kept, incidents, retention };
    Ok(page(&sight, &member, now).into_response())
}

pub(crate) fn page(sight: &Sight, viewer: &Principal, now: Timestamp) -> Markup {
    let monitor = &sight.view.monitor;
    let settings = &monitor.settings;
    let body = html! {
        div.head {
            div {
                p.crumb { a href=(links::MONITORS) { "Monitors" } " /" }
                h1 { (settings.name) }
                p.wrap { a href=(settings.spec.target()) rel="noreferrer noopener external" { (settings.spec.target()) } }
            }
            @if viewer.role >= Role::Admin { (acts(monitor.id, monitor.paused)) }
        }
        div #now data-live data-status=(sight.view.status) { (hero(sight, now)) }
        @if sight.view.regions.len() > 1 {
            section.sheet #regions data-live aria-labelledby="h-regions" { h2 #h-regions { "Regions" } (monitor_regions::table(sight, now)) }
        }
        section.sheet aria-labelledby="h-response" {
            header { h2 #h-response { "Response time" } (monitor_regions::tabs(sight)) (ranges(sight)) }
            div #response data-live {
                (chart(sight, now))
            }
            (waterfall::legend())
        }
        section.joined #uptime data-live aria-label="Uptime" { (uptime(sight, now)) }
        div.two {
            section.sheet #periods data-live aria-labelledby="h-periods" { h2 #h-periods { "Periods" } (periods(&sight.periods, now)) }
            div.stack {
                section.sheet #incidents data-live aria-labelledby="h-incidents" {
                    header { h2 #h-incidents { "Incidents" } a.small href={ (links::INCIDENTS) "?monitor=" (monitor.id) } { "All" } }
                    (incidents::short(&sight.incidents, now))
                }
                section.sheet #certificate data-live aria-labelledby="h-settings" { h2 #h-settings { "How it is watched" } (settings_list(sight, now)) }
            }
        }
    };
    let title = format!("{} {}", status::word(sight.view.status), settings.name);
    layout::page(&Frame::new(&title, Section::Monitors, viewer, now), &body)
}

fn acts(id: MonitorId, paused: bool) -> Markup {
    let here = links::monitor(id);
    html! {
        div.acts {
            @if paused {
                form method="post" action={ (here) "/resume" } { button.main type="submit" { "Resume" } }
            } @else {
                form method="post" action={ (here) "/check" } { button.main type="submit" { "Check now" } }
                form method="post" action={ (here) "/pause" } { button type="submit" { "Pause" } }
            }
            a.button href={ (here) "/edit" } { "Edit" }
            a.button.grave href={ (here) "/delete" } { "Delete" }
        }
    }
}

/// What is guaranteed, how that is reckoned, and whether it was kept.
pub(super) fn promise(sight: &Sight) -> Markup {
    let Sight { view, kept, .. } = sight;
    let (settings, regions) = (&view.monitor.settings, view.regions.len());
    let length = words::whole(guarantee(settings));
    let broken = kept.late + kept.missed;
    html! {
        h2 { "An outage longer than " (length) " is always noticed" }
        p.small.soft {
            "Every " (words::whole(settings.interval)) ", plus the longest a check can take with its "
            (words::count(u64::from(settings.verify.attempts), "verification")) " (" (words::whole(longest_check(settings))) "), plus "
            (words::whole(LATENESS)) " of lateness."
            @if let Some(longer) = while_silent(settings, regions) {
                " While one of its " (words::count(regions as u64, "region")) " is silent, it is " (words::whole(longer)) "."
            }
        }
        @if view.monitor.paused {
            p.small { "While it is paused, nothing is promised." }
        } @else if kept.checks + kept.missed == 0 {
            p.small.soft { "Nothing to compare with yet." }
        } @else if broken == 0 {
            p.small { (status::labelled(Status::Up, "Kept")) " in the last 24 hours: " (words::count(kept.checks, "check")) ", none late, none missed." }
        } @else {
            p.small {
                (status::labelled(Status::Unknown, "Not fully kept")) " in the last 24 hours: of " (words::count(kept.checks + kept.missed, "slot")) ", "
                (words::grouped(kept.late)) " late, " (words::grouped(kept.missed)) " missed. That was Gazer, not the site."
            }
        }
    }
}

fn ranges(sight: &Sight) -> Markup {
    html! {
        nav.tabs aria-label="Range" {
            @for (i, (name, label, _)) in RANGES.iter().enumerate() {
                a href=(address(sight, i, sight.region)) aria-current=[(i == sight.range).then_some("true")] aria-label=(label) { (name) }
            }
        }
    }
}

/// The page with another range, or another region.
pub(super) fn address(sight: &Sight, range: usize, region: usize) -> String {
    let monitor = links::monitor(sight.view.monitor.id);
    let region = sight.view.regions.get(region).filter(|_| region > 0);
    let region = region.map_or_else(String::new, |health| format!("&region={}", health.region));
    format!("{monitor}?range={}{region}", RANGES[range].0)
}

fn chart(sight: &Sight, now: Timestamp) -> Markup {
    let length = RANGES[sight.range].2;
    let monitor = &sight.view.monitor;
    // A young monitor's chart begins with it, not with the empty day before.
    let from = (now - length).max(monitor.created).min(now - YOUNGEST);
    let window = response::Window { from, until: now, interval: monitor.settings.interval };
    html! {
        @if sight.checks.is_empty() {
            p.empty.soft { "No checks in this time. " @if monitor.paused { "None is made while it is paused." } @else { "The next is due within " (words::whole(monitor.settings.interval)) "." } }
        } @else {
            (response::chart(&sight.checks, &sight.periods, &window))
        }
        @if length > sight.retention {
            p.small.soft { "Single checks are kept for " (words::whole(sight.retention)) "." }
        }
    }
}

fn uptime(sight: &Sight, now: Timestamp) -> Markup {
    let windows = [("24 hours", 1), ("7 days", 7), ("30 days", 30), ("90 days", 90)];
    html! {
        dl.facts {
            @for (label, n) in windows {
                @let uptime = Uptime::of(&sight.periods, now - DAY * n, now);
                div {
                    dt { "Uptime " (label) }
                    dd {
                        (uptime.ratio().map_or_else(|| "–".into(), percent))
                        small { (bounds(&uptime)) }
                        @if let Some(length) = watched::only(&uptime, DAY * n) { small { (length) } }
                    }
                }
            }
        }
        div.sheet {
            (days::days(&sight.periods, now))
            p.small.soft { "Uptime = up ÷ (up + down). Slow and regional count as up. Unknown counts as neither: the range says what uptime would be had all of it been down, or up. Paused time is left out." }
        }
    }
}

fn bounds(uptime: &Uptime) -> String {
    if uptime.ratio().is_none() {
        return "nothing known".into();
    }
    if uptime.unknown.is_zero() {
        return if uptime.down.is_zero() {
            "no downtime".into()
        } else {
            format!("{} down", words::whole(uptime.down))
        };
    }
    uptime.bounds().map_or_else(String::new, |(low, high)| format!("between {} and {}", percent(low), percent(high)))
}

fn periods(periods: &[Period], now: Timestamp) -> Markup {
    html! {
        @if periods.is_empty() { p.soft { "None yet." } } @else {
            table {
                caption.hush { "Periods, newest first" }
                thead { tr { th { "Status" } th { "From" } th.num { "Lasted" } } }
                tbody {
                    @for period in periods.iter().rev().take(RECENT_PERIODS) {
                        tr {
                            td { (status::plain(period.status)) }
                            td { (words::at(period.started)) }
                            td.num {
                                @match period.ended {
                                    Some(ended) => (gazer_domain::time::humane_duration(ended.since(period.started))),
                                    None => (words::age(period.started, now)),
                                }
                            }
                        }
                    }
                }
            }
            @if periods.len() > RECENT_PERIODS { p.small.soft { "And " (words::count((periods.len() - RECENT_PERIODS) as u64, "earlier one")) " in 90 days." } }
        }
    }
}

fn settings_list(sight: &Sight, now: Timestamp) -> Markup {
    let settings = &sight.view.monitor.settings;
    let Spec::Http(spec) = &settings.spec;
    let expiry = sight.view.certificate_until;
    html! {
        dl.pairs {
            dt { "Request" } dd { (spec.method) ", timeout " (words::whole(spec.timeout)) ", up to " (words::count(u64::from(spec.redirects), "redirect")) }
            dt { "Every" } dd { (words::whole(settings.interval)) }
            dt { "Verified by" } dd { (words::count(u64::from(settings.verify.attempts), "more try").replace("trys", "tries")) ", " (gazer_domain::time::humane_duration(settings.verify.gap)) " apart" }
            dt { "Recovered after" } dd { (words::count(u64::from(settings.recover_after), "good check")) }
            @if sight.view.regions.len() > 1 {
                dt { "Checked from" } dd { @if settings.regions.is_empty() { "every region" } @else { (words::count(settings.regions.len() as u64, "region")) } }
                dt { "Down if" } dd { (monitor_regions::quorum(settings.quorum)) }
            }
            dt { "Assertions" } dd { @if spec.assertions.is_empty() { "status below 400" } @else { (spec.assertions.len()) } }
            dt { "Certificate" } dd {
                @match expiry {
                    Some(until) if until > now => { "expires in " (words::whole(until.since(now))) ", on " (words::day(until)) },
                    Some(until) => { span.down { "expired on " (words::day(until)) } },
                    None => "none seen",
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn a_young_monitor_says_how_long_it_was_watched() {
        let mut sight = samples::sight();
        sight.periods.retain(|period| period.ended.is_none());
        let page = page(&sight, &samples::viewer(), samples::NOW).into_string();
        assert_eq!(page.matches("watched for 3 min 20 s").count(), 4, "{page}");
        samples::well_formed(&page);
    }

    #[test]
    fn the_page_states_its_guarantee_and_whether_it_was_kept() {
        let page = page(&samples::sight(), &samples::viewer(), samples::NOW).into_string();
        for part in [
            "An outage longer than 1 min 3 s is always noticed",
            "Not fully kept",
            "Uptime = up ÷ (up + down)",
            "See the incident",
            "down after 2.01 s of trying",
            "between ",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<script>"));
        samples::well_formed(&page);
    }
}
