//! One issue: what it is, when it happened last, and what may be done about it.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use gazer_domain::issue::{Act, Occurrence, State as Stands};
use gazer_domain::{IssueId, Timestamp};
use gazer_store::{IssueStory, Principal};
use maud::{Markup, html};

use super::{Answer, found, go, id, issues, links};
use crate::Web;
use crate::auth::Operator;
use crate::ui::layout::{self, Frame, Section};
use crate::ui::words;

/// `GET /operator/issues/{issue}`
pub(crate) async fn show(State(web): State<Web>, operator: Operator, Path(issue): Path<String>) -> Answer {
    let story = found(web.store.issue_get(id(&issue)?).await?)?;
    Ok(page(&story, &operator, web.now()).into_response())
}

/// `POST /operator/issues/{issue}/resolve`
pub(crate) async fn resolve(State(web): State<Web>, _: Operator, Path(issue): Path<String>) -> Answer {
    act(&web, &issue, Act::Resolve).await
}

/// `POST /operator/issues/{issue}/ignore`
pub(crate) async fn ignore(State(web): State<Web>, _: Operator, Path(issue): Path<String>) -> Answer {
    act(&web, &issue, Act::Ignore).await
}

/// `POST /operator/issues/{issue}/reopen`
pub(crate) async fn reopen(State(web): State<Web>, _: Operator, Path(issue): Path<String>) -> Answer {
    act(&web, &issue, Act::Reopen).await
}

/// What is so already stays so, and is no error: somebody else pressed the same button.
async fn act(web: &Web, issue: &str, act: Act) -> Answer {
    let issue: IssueId = id(issue)?;
    found(web.store.issue_act(issue, act, web.now()).await?)?;
    go(&links::issue(issue))
}

pub(crate) fn page(story: &IssueStory, viewer: &Principal, now: Timestamp) -> Markup {
    let IssueStory { issue, occurrences } = story;
    let body = html! {
        div.head {
            div {
                p.crumb { "Operator / " a href=(links::ISSUES) { "Issues" } " /" }
                h1 { "An error in " (issue.function) }
                p { (issues::badge(issue.state)) " " @if let Stands::Resolved { at } = issue.state { span.small { (words::at(at)) } } }
            }
            div.acts { (buttons(issue.id, issue.state, now)) }
        }
        section.sheet aria-labelledby="h-message" {
            h2 #h-message { "What it says" }
            pre { (issue.message) }
            p.small.soft { "Secrets are taken out where it arises. The log of that moment may say more." }
        }
        dl.facts {
            div { dt { "Times" } dd { (words::grouped(issue.count)) } }
            div { dt { "First seen" } dd { small { (words::at(issue.first_seen)) " in " (issue.first_version) } } }
            div { dt { "Last seen" } dd { small { (words::at(issue.last_seen)) " in " (issue.last_version) } } }
            div { dt { "Fingerprint" } dd { small { code { (issue.fingerprint) } } } }
        }
        section.sheet.flush aria-labelledby="h-last" {
            header { h2 #h-last { "Last occurrences" } }
            (table(occurrences))
        }
    };
    layout::page(&Frame::new("Issue", Section::Operator, viewer, now), &body)
}

fn buttons(issue: IssueId, state: Stands, now: Timestamp) -> Markup {
    html! {
        @for (act, label, class) in [(Act::Resolve, "Resolve", "main"), (Act::Ignore, "Ignore", ""), (Act::Reopen, "Reopen", "")] {
            @if act.on(state, now).is_some() {
                form method="post" action={ (links::issue(issue)) "/" (act.as_str()) } { button.(class) type="submit" { (label) } }
            }
        }
    }
}

fn table(occurrences: &[Occurrence]) -> Markup {
    html! {
        table.cards.incidents {
            thead { tr { th { "When" } th { "What it said" } th { "Version and region" } th.num { "Times" } } }
            tbody {
                @for occurrence in occurrences {
                    tr {
                        td { (words::at(occurrence.at)) }
                        td.whole { span.small.wrap { (occurrence.message) } }
                        td { (occurrence.version) " " span.soft.small { (occurrence.region) } }
                        td.num data-label="times" { (words::grouped(u64::from(occurrence.count))) }
                    }
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
    fn each_state_has_the_buttons_that_change_it() {
        for (issue, buttons) in samples::issues().into_iter().zip([
            ["/resolve", "/ignore"],
            ["/ignore", "/reopen"],
            ["/resolve", "/reopen"],
        ]) {
            let story = IssueStory { occurrences: samples::occurrences(), issue };
            let page = page(&story, &samples::viewer(), samples::NOW).into_string();
            assert_eq!(page.matches("<form").count(), 2, "{page}");
            assert!(buttons.iter().all(|button| page.contains(button)), "{page}");
            assert!(!page.contains("<script>"), "{page}");
            samples::well_formed(&page);
        }
    }
}
