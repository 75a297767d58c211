//! What was given up: each message that did not reach its channel, and a button that sends it again.

use axum::extract::{Path, RawQuery, State};
use axum::response::IntoResponse;
use gazer_domain::access::Role;
use gazer_domain::{ChannelId, Timestamp};
use gazer_store::{DeliveryView, Listed, Page, Principal};
use maud::{Markup, html};

use super::{Answer, delivery, found, go, id, incidents, links};
use crate::Web;
use crate::auth::{Admin, Member};
use crate::ui::form::Form;
use crate::ui::layout::{self, Frame, Section};
use crate::ui::words;

const ROWS: u32 = 50;

/// `GET /alerts/undelivered?after=&sent=`
pub(crate) async fn show(State(web): State<Web>, member: Member, RawQuery(query): RawQuery) -> Answer {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let after = Some(query.value("after").to_owned()).filter(|after| !after.is_empty());
    let dead = web.store.deliveries_dead(member.team, &Page { after, limit: ROWS }).await?;
    Ok(page(&dead, query.value("sent").parse().ok(), &member, web.now()).into_response())
}

/// `POST /alerts/channels/{channel}/send-again`: everything that was given up for it.
pub(crate) async fn send_all(State(web): State<Web>, admin: Admin, Path(channel): Path<String>) -> Answer {
    let sent = found(web.store.deliveries_again(admin.team, id(&channel)?, web.now()).await?)?;
    web.deliveries_changed(admin.team);
    go(&format!("{}?sent={sent}", links::UNDELIVERED))
}

/// `sent` is how many were sent again just now.
pub(crate) fn page(dead: &Listed<DeliveryView>, sent: Option<u64>, viewer: &Principal, now: Timestamp) -> Markup {
    let body = html! {
        div.head {
            div {
                p.crumb { a href=(links::ALERTS) { "Alerts" } " /" }
                h1 { "Not delivered" }
                p { "Messages that were given up: their service refused them, or took none for two and a half days." }
            }
        }
        @if let Some(sent) = sent {
            div.note.good role="status" { p { "On the way again: " (words::count(sent, "message")) ". What is given up once more comes back here." } }
        }
        div.stack #undelivered data-live {
            @if dead.rows.is_empty() {
                div.sheet.empty {
                    (layout::eye())
                    h2 { "Nothing was given up" }
                    p { "When a message cannot be delivered, it stands here, with the reason and a button that sends it again." }
                    div.acts { a.button href=(links::ALERTS) { "Back to alerts" } }
                }
            } @else {
                (several(&dead.rows, viewer))
                section.sheet.flush aria-label="Messages" { (table(&dead.rows, viewer)) }
            }
        }
        @if let Some(next) = &dead.next {
            p { a href={ (links::UNDELIVERED) "?after=" (incidents::escaped(next)) } { "Earlier ones" } }
        }
    };
    layout::page(&Frame::new("Not delivered", Section::Alerts, viewer, now), &body)
}

/// A channel that was mended gets all that it missed, with one press.
fn several(rows: &[DeliveryView], viewer: &Principal) -> Markup {
    let mut missed: Vec<(ChannelId, &str, u32)> = Vec::new();
    for row in rows.iter().filter(|row| row.obstacle.is_none()) {
        match missed.iter_mut().find(|(channel, ..)| *channel == row.channel) {
            Some((.., count)) => *count += 1,
            None => missed.push((row.channel, &row.channel_name, 1)),
        }
    }
    missed.retain(|(.., count)| *count > 1);
    html! {
        @if viewer.role >= Role::Admin && !missed.is_empty() {
            div.acts {
                @for (channel, name, _) in missed {
                    form method="post" action={ (links::channel(channel)) "/send-again" } {
                        button.long type="submit" { "Send all to " (name) " again" }
                    }
                }
            }
        }
    }
}

fn table(rows: &[DeliveryView], viewer: &Principal) -> Markup {
    html! {
        table.cards.incidents {
            thead { tr { th { "Channel" } th { "About and last error" } th { "Given up" } th { span.hush { "Actions" } } } }
            tbody {
                @for row in rows {
                    tr {
                        td.wrap { strong { (row.channel_name) } " " span.soft.small { (row.channel_kind) } }
                        td.whole {
                            @if let Some(about) = delivery::about(row) { (about) }
                            @if let Some(receipt) = &row.receipt { p.soft.small.wrap { (receipt) } }
                            (delivery::kept(row))
                        }
                        td {
                            @if let Some(died) = row.settled_at { (words::at(died)) br; }
                            span.soft.small { "after " (words::count(u64::from(row.attempts), "attempt")) }
                        }
                        td.num { div.acts { (delivery::button(row, viewer, "little")) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gazer_domain::delivery::{Obstacle, State};

    use super::*;
    use crate::pages::samples;

    fn dead(obstacle: Option<Obstacle>) -> DeliveryView {
        let dead = samples::deliveries().into_iter().find(|delivery| delivery.state == State::Dead).unwrap();
        DeliveryView { obstacle, ..dead }
    }

    fn shown(rows: Vec<DeliveryView>, role: Role) -> String {
        let viewer = Principal { role, ..samples::viewer() };
        let page = page(&Listed { rows, next: Some("a b".into()) }, Some(2), &viewer, samples::NOW).into_string();
        samples::well_formed(&page);
        assert!(!page.contains("<script>"), "{page}");
        page
    }

    #[test]
    fn each_row_has_its_button_and_a_channel_that_missed_several_one_for_all() {
        let gone = dead(Some(Obstacle::ChannelDeleted));
        let page = shown(vec![dead(None), dead(None), gone.clone()], Role::Admin);
        assert_eq!(page.matches(">Send again<").count(), 2, "{page}");
        for part in ["Send all to", "channel was deleted", "On the way again: 2 messages", "after=a+b", "12 attempts"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let page = shown(vec![dead(None), gone], Role::Admin);
        assert!(page.contains(">Send again<") && !page.contains("Send all"), "{page}");
        let page = shown(vec![dead(None), dead(None)], Role::Viewer);
        assert!(!page.contains("<form"), "a viewer reads: {page}");
        assert!(shown(Vec::new(), Role::Admin).contains("Nothing was given up"));
    }
}
