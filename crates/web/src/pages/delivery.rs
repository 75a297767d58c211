//! One message to one channel: what came of it, and sending it again when it was given up.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use gazer_domain::access::Role;
use gazer_domain::delivery::{Obstacle, State as Sent};
use gazer_domain::{DeliveryId, Timestamp};
use gazer_store::{Again, DeliveryView, Principal};
use maud::{Markup, html};

use super::{Answer, found, go, incident, links};
use crate::auth::{Admin, Member};
use crate::ui::layout::{self, Frame, Section};
use crate::ui::status;
use crate::{Problem, Web};

/// `GET /alerts/deliveries/{delivery}`
pub(crate) async fn show(State(web): State<Web>, member: Member, Path(delivery): Path<String>) -> Answer {
    let delivery = found(web.store.delivery_get(member.team, &DeliveryId::from_text(delivery)).await?)?;
    Ok(page(&delivery, &member, web.now()).into_response())
}

/// `POST /alerts/deliveries/{delivery}/send-again`; whoever presses twice sees what the first press did.
pub(crate) async fn send_again(State(web): State<Web>, admin: Admin, Path(delivery): Path<String>) -> Answer {
    let id = DeliveryId::from_text(delivery);
    match found(web.store.delivery_again(admin.team, &id, web.now()).await?)? {
        Again::Due => web.deliveries_changed(admin.team),
        Again::Kept(Obstacle::NotDead(_)) => {}
        Again::Kept(obstacle) => return Err(Problem::conflict(obstacle.to_string()).into()),
    }
    go(&links::delivery(&id))
}

pub(crate) fn page(sent: &DeliveryView, viewer: &Principal, now: Timestamp) -> Markup {
    let is_test = sent.event_kind.is_none();
    let message = if is_test { "The test message" } else { "The message" };
    let (class, told) = match sent.state {
        Sent::Delivered => ("good", "arrived."),
        Sent::Merged => ("good", "was told by a later one."),
        Sent::Dead => ("bad", "could not be delivered."),
        _ if sent.attempts > 0 => ("bad", "did not get through yet."),
        _ => ("wait", "is on its way."),
    };
    let title = if is_test { "Test of" } else { "Message to" };
    let body = html! {
        div.middle.stack {
            div {
                p.crumb {
                    a href=(links::ALERTS) { "Alerts" } " /"
                    @if !is_test { " " a href=(links::UNDELIVERED) { "Not delivered" } " /" }
                }
                h1 { (title) " " (sent.channel_name) }
                @if let Some(about) = about(sent) { (about) }
            }
            div.note.(class) #result data-live role="status" {
                p.about { (status::delivery(sent.state)) " " strong { (message) " " (told) } }
                p.small { (incident::progress(sent, now)) }
                @if let Some(receipt) = &sent.receipt { p.wrap { (receipt) } }
                (kept(sent))
            }
            div.acts {
                @if is_test {
                    a.button href=(links::ALERTS) { "Back to alerts" }
                    form method="post" action={ (links::channel(sent.channel)) "/test" } { button type="submit" { "Send another" } }
                } @else {
                    (button(sent, viewer, "main"))
                    a.button href=(links::UNDELIVERED) { "Back to the list" }
                }
            }
        }
    };
    let settled = matches!(sent.state, Sent::Delivered | Sent::Dead | Sent::Merged);
    let reload = (!settled).then_some(2);
    layout::page(&Frame { reload, ..Frame::new(title, Section::Alerts, viewer, now) }, &body)
}

/// What happened to which monitor, with the way to its incident.
pub(crate) fn about(sent: &DeliveryView) -> Option<Markup> {
    let (incident, monitor, kind) = (sent.incident?, sent.monitor_name.as_ref()?, sent.event_kind?);
    Some(html! { p.about { (status::event(kind)) " " span.wrap { a href=(links::incident(incident)) { (monitor) } } } })
}

/// For whoever may press it, where pressing it does something.
pub(crate) fn button(sent: &DeliveryView, viewer: &Principal, class: &str) -> Markup {
    html! {
        @if sent.obstacle.is_none() && viewer.role >= Role::Admin {
            form method="post" action={ (links::delivery(&sent.id)) "/send-again" } { button.(class) type="submit" { "Send again" } }
        }
    }
}

/// Why what was given up cannot be sent again.
pub(crate) fn kept(sent: &DeliveryView) -> Markup {
    html! {
        @if let (Sent::Dead, Some(obstacle)) = (sent.state, sent.obstacle) { p.small.soft.wrap { (obstacle) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn a_message_says_what_came_of_it() {
        for delivery in samples::deliveries() {
            let test = DeliveryView { incident: None, monitor_name: None, event_kind: None, ..delivery.clone() };
            for sent in [delivery, test] {
                let page = page(&sent, &samples::viewer(), samples::NOW).into_string();
                assert_eq!(page.contains("http-equiv"), sent.state == Sent::Waiting, "{page}");
                let again = sent.state == Sent::Dead && sent.event_kind.is_some();
                assert_eq!(page.contains("Send again"), again, "{page}");
                samples::well_formed(&page);
            }
        }
    }
}
