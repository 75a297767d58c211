//! Who is told of what: the channels and the rules of a team.

use axum::extract::State;
use axum::response::IntoResponse;
use gazer_domain::access::Role;
use gazer_domain::alert::{Rule, Scope, Trigger};
use gazer_domain::time::humane_duration;
use gazer_domain::{ChannelId, Timestamp};
use gazer_store::{Channel, Page, Principal};
use maud::{Markup, html};

use super::{Answer, links};
use crate::Web;
use crate::auth::Member;
use crate::ui::layout::{self, Frame, Section};

/// Enough to see whether anything can be sent again; the list has a page of its own.
const DEAD_LOOKED_AT: u32 = 50;

pub(crate) struct Sight {
    pub(crate) channels: Vec<Channel>,
    pub(crate) rules: Vec<Rule>,
    /// Whether a mail server is set.
    pub(crate) mail: bool,
    /// Whether something was given up that can be sent again.
    pub(crate) undelivered: bool,
}

/// `GET /alerts`
pub(crate) async fn show(State(web): State<Web>, member: Member) -> Answer {
    let channels = web.store.channel_list(member.team).await?;
    let rules = web.store.rule_list(member.team).await?;
    let dead = web.store.deliveries_dead(member.team, &Page::first(DEAD_LOOKED_AT)).await?;
    let undelivered = dead.rows.iter().any(|dead| dead.obstacle.is_none());
    let sight = Sight { channels, rules, mail: web.config.mail, undelivered };
    Ok(page(&sight, &member, web.now()).into_response())
}

pub(crate) fn page(sight: &Sight, viewer: &Principal, now: Timestamp) -> Markup {
    let (channels, rules) = (&sight.channels, &sight.rules);
    let admin = viewer.role >= Role::Admin;
    let named = |channel: &&Channel| rules.iter().any(|rule| rule.settings.channels.contains(&channel.id));
    let silent: Vec<&str> = channels.iter().filter(|c| !named(c)).map(|channel| channel.name.as_str()).collect();
    let body = html! {
        div.head {
            div { h1 { "Alerts" } p { "Channels are ways to reach someone. Rules say who is told of what." } }
            a.button href=(links::UNDELIVERED) { "Not delivered" }
        }
        @if sight.undelivered {
            div.note.bad { p { "Messages were given up. " a href=(links::UNDELIVERED) { "See them, and send them again" } } }
        }
        @if channels.is_empty() {
            div.sheet.empty {
                (layout::eye())
                h2 { "Nobody is told yet" }
                @if admin {
                    p { "Add a webhook or an e-mail address, and Gazer tells it when a site goes down and when it is back." }
                    div.acts { (adders()) }
                } @else {
                    p { "An admin of your team adds webhooks and e-mail addresses, which Gazer tells when a site goes down and when it is back." }
                }
            }
        } @else {
            @if !silent.is_empty() {
                div.note { p { "No rule names " (silent.join(", ")) ": nothing is told there. " @if admin { a href=(links::RULE_NEW) { "Add a rule" } } } }
            }
            section.sheet.flush aria-labelledby="h-channels" {
                header { h2 #h-channels { "Channels" } @if admin { div.acts { (adders()) } } }
                (channel_table(channels, sight.mail, viewer.role))
            }
            section.sheet.flush aria-labelledby="h-rules" {
                header { h2 #h-rules { "Rules" } @if admin { div.acts { a.button.little href=(links::RULE_NEW) { "Add a rule" } } } }
                @if rules.is_empty() { p.empty { "No rules yet. A rule says which monitors tell which channel, and of what." } } @else { (rule_table(rules, channels, admin)) }
            }
        }
    };
    layout::page(&Frame::new("Alerts", Section::Alerts, viewer, now), &body)
}

fn adders() -> Markup {
    html! {
        a.button.little href={ (links::CHANNELS) "/new?kind=webhook" } { "Add a webhook" }
        a.button.little href={ (links::CHANNELS) "/new?kind=email" } { "Add e-mail" }
    }
}

fn channel_table(channels: &[Channel], mail: bool, role: Role) -> Markup {
    let admin = role >= Role::Admin;
    html! {
        table.cards {
            thead { tr { th { "Channel" } th { "Kind" } th { span.hush { "Actions" } } } }
            tbody {
                @for channel in channels {
                    @let here = links::channel(channel.id);
                    tr {
                        td.whole { strong.wrap { (channel.name) } br; span.soft.small.wrap { (channel.target.seen_by(role)) } }
                        td {
                            (kind(channel))
                            @if !mail && channel.target.kind() == "email" { br; span.small.slow { "No mail server is configured" } }
                        }
                        td.num {
                            @if admin {
                                div.acts {
                                    form method="post" action={ (here) "/test" } { button.little type="submit" { "Send a test" } }
                                    a.button.little href=(here) { "Edit" }
                                    a.button.little.grave href={ (here) "/delete" } { "Delete" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn kind(channel: &Channel) -> &'static str {
    match channel.target.kind() {
        "webhook" => "Webhook",
        _ => "E-mail",
    }
}

fn rule_table(rules: &[Rule], channels: &[Channel], admin: bool) -> Markup {
    html! {
        table.cards {
            thead { tr { th { "Rule" } th { "Tells" } th { span.hush { "Actions" } } } }
            tbody {
                @for rule in rules {
                    @let here = links::rule(rule.id);
                    tr {
                        td.whole { strong.wrap { (rule.settings.name) } br; span.soft.small { (sentence(rule)) } }
                        td.wrap { (names(&rule.settings.channels, channels)) }
                        td.num {
                            @if admin {
                                div.acts {
                                    a.button.little href=(here) { "Edit" }
                                    a.button.little.grave href={ (here) "/delete" } { "Delete" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `When any monitor is down, slow or recovered, if it lasts 5 min`
fn sentence(rule: &Rule) -> String {
    let settings = &rule.settings;
    let which = match &settings.scope {
        Scope::All => "any monitor".to_owned(),
        Scope::Some(monitors) if monitors.len() == 1 => "one monitor".to_owned(),
        Scope::Some(monitors) => format!("any of {} monitors", monitors.len()),
    };
    let words: Vec<&str> = Trigger::ALL
        .into_iter()
        .filter(|trigger| settings.on.contains(trigger))
        .map(|trigger| match trigger {
            Trigger::Down => "is down",
            Trigger::Regional => "is down in some regions",
            Trigger::Slow => "is slow",
            Trigger::Recovered => "has recovered",
        })
        .collect();
    let when = match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    };
    let wait = if settings.after.is_zero() {
        "at once".into()
    } else {
        format!("if it lasts {}", humane_duration(settings.after))
    };
    format!("When {which} {when}, {wait}")
}

fn names(ids: &[ChannelId], channels: &[Channel]) -> String {
    let name = |id: &ChannelId| channels.iter().find(|channel| channel.id == *id).map(|channel| channel.name.as_str());
    ids.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn rules_read_as_sentences() {
        let (channels, rules) = (samples::channels(), samples::rules());
        let sight = Sight { channels, rules, mail: false, undelivered: true };
        let page = page(&sight, &samples::viewer(), samples::NOW).into_string();
        for part in [
            "When any monitor is down or has recovered, if it lasts 5 min",
            "No mail server",
            "Send a test",
            "Ops &lt;script&gt;",
            "Messages were given up",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        samples::well_formed(&page);
    }

    #[test]
    fn a_viewer_does_not_read_the_path_of_a_webhook() {
        let sight = Sight { channels: samples::channels(), rules: samples::rules(), mail: true, undelivered: false };
        let seen_by = |role| page(&sight, &Principal { role, ..samples::viewer() }, samples::NOW).into_string();
        let (viewer, admin) = (seen_by(Role::Viewer), seen_by(Role::Admin));
        assert!(viewer.contains(">https://hooks.example/…<") && viewer.contains("ann@example.com"), "{viewer}");
        assert!(admin.contains(">https://hooks.example/%3Cscript%3E<"), "{admin}");
    }
}
