//! Adding, editing, testing and deleting a channel.
//!
//! A webhook's signing secret is shown once, in the answer to the form that made it.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gazer_domain::alert::{Rule, RuleSettings, Scope, Trigger};
use gazer_domain::channel::Target;
use gazer_domain::monitor::validate_name;
use gazer_domain::{ChannelId, DeliveryId, Invalid, Timestamp};
use gazer_store::{Channel, Principal};
use maud::{Markup, html};
use url::Url;

use super::{Answer, Question, confirm, form_page, found, go, id, links};
use crate::Web;
use crate::auth::Admin;
use crate::ui::form::{Form, Input};
use crate::ui::layout::{self, Frame, Section};
use crate::web::Wake;

/// Standard Webhooks 1.0, "Signature scheme": between 24 and 64 bytes, written as `whsec_` and base 64.
const SECRET_BYTES: usize = 32;

/// `GET /alerts/channels/new?kind=`
pub(crate) async fn blank(State(web): State<Web>, admin: Admin, RawQuery(query): RawQuery) -> Answer {
    let mut form = Form::parse(query.unwrap_or_default().as_bytes());
    form.set("kind", "webhook");
    form.set("tell", "on");
    form_page(&form, new_page(&web, &admin, &form))
}

/// `POST /alerts/channels`
pub(crate) async fn create(State(web): State<Web>, admin: Admin, body: Bytes) -> Answer {
    let form = Form::parse(&body);
    let (name, target) = match judged(&web, &form, web.bytes::<SECRET_BYTES>().to_vec()) {
        Ok(read) => read,
        Err(wrong) => {
            let form = form.refused(wrong);
            return form_page(&form, new_page(&web, &admin, &form));
        }
    };
    let now = web.now();
    let channel = Channel { id: web.new_id(), name, target, created: now };
    web.store.channel_create(admin.team, &channel).await?;
    if form.ticked("tell") {
        web.store.rule_create(admin.team, &everything(&web, &channel), now).await?;
    }
    match &channel.target {
        Target::Webhook { secret, .. } => Ok(secret_page(&channel, secret, &admin, now).into_response()),
        Target::Email { .. } => go(links::ALERTS),
    }
}

/// What most people want of a new channel.
fn everything(web: &Web, channel: &Channel) -> Rule {
    let name: String = format!("Everything to {}", channel.name).chars().take(120).collect();
    let on = vec![Trigger::Down, Trigger::Recovered];
    let settings =
        RuleSettings { name, scope: Scope::All, channels: vec![channel.id], on, after: std::time::Duration::ZERO };
    Rule { id: web.new_id(), settings }
}

/// `GET /alerts/channels/{channel}`
pub(crate) async fn edit(State(web): State<Web>, admin: Admin, Path(channel): Path<String>) -> Answer {
    let channel = found(web.store.channel_get(admin.team, id(&channel)?).await?)?;
    let mut form = Form::default();
    form.set("name", channel.name.as_str());
    form.set("kind", channel.target.kind());
    match &channel.target {
        Target::Webhook { url, .. } => form.set("webhook.url", url.as_str()),
        Target::Email { to } => form.set("email.to", to.join("\n")),
    }
    form_page(&form, edit_page(&web, &admin, channel.id, &form))
}

/// `POST /alerts/channels/{channel}`; the kind stays, and so does the secret.
pub(crate) async fn save(State(web): State<Web>, admin: Admin, Path(channel): Path<String>, body: Bytes) -> Answer {
    let before = found(web.store.channel_get(admin.team, id(&channel)?).await?)?;
    let mut form = Form::parse(&body);
    form.take("kind");
    form.set("kind", before.target.kind());
    let secret = match &before.target {
        Target::Webhook { secret, .. } => secret.clone(),
        Target::Email { .. } => Vec::new(),
    };
    match judged(&web, &form, secret) {
        Ok((name, target)) => {
            found(web.store.channel_edit(admin.team, before.id, &name, &target).await?)?;
            go(links::ALERTS)
        }
        Err(wrong) => {
            let form = form.refused(wrong);
            form_page(&form, edit_page(&web, &admin, before.id, &form))
        }
    }
}

/// `POST /alerts/channels/{channel}/secret`: for one that was lost or seen by others.
pub(crate) async fn new_secret(State(web): State<Web>, admin: Admin, Path(channel): Path<String>) -> Answer {
    let channel = found(web.store.channel_get(admin.team, id(&channel)?).await?)?;
    let Target::Webhook { url, .. } = &channel.target else { return Err(crate::Problem::not_found().into()) };
    let secret = web.bytes::<SECRET_BYTES>().to_vec();
    let target = Target::Webhook { url: url.clone(), secret: secret.clone() };
    let channel = found(web.store.channel_edit(admin.team, channel.id, &channel.name, &target).await?)?;
    Ok(secret_page(&channel, &secret, &admin, web.now()).into_response())
}

fn judged(web: &Web, form: &Form, secret: Vec<u8>) -> Result<(String, Target), Invalid> {
    let (name, target) = read(form, secret)?;
    web.judge_target(&target)?;
    Ok((name, target))
}

fn read(form: &Form, secret: Vec<u8>) -> Result<(String, Target), Invalid> {
    let target = match form.value("kind") {
        "webhook" => {
            let text = form.trimmed("webhook.url");
            let refused =
                |_| Invalid::new("webhook.url", "is not a URL; write one such as https://example.com/hooks/gazer");
            Target::Webhook { url: Url::parse(text).map_err(refused)?, secret }
        }
        "email" => {
            let to = form.value("email.to").split(['\n', ',', ';']).map(str::trim).filter(|to| !to.is_empty());
            Target::Email { to: to.map(str::to_owned).collect() }
        }
        _ => return Err(Invalid::new("kind", "must be webhook or email")),
    };
    target.validate()?;
    let address = target.address();
    let name = match form.trimmed("name") {
        "" => match &target {
            Target::Webhook { url, .. } => url.host_str().unwrap_or_default().to_owned(),
            Target::Email { .. } => address.chars().take(120).collect(),
        },
        name => name.to_owned(),
    };
    validate_name(&name)?;
    Ok((name, target))
}

/// `POST /alerts/channels/{channel}/test`
pub(crate) async fn test(State(web): State<Web>, admin: Admin, Path(channel): Path<String>) -> Answer {
    let now = web.now();
    let delivery = DeliveryId::test(now, web.bytes());
    let made = web.store.delivery_test(admin.team, id(&channel)?, &delivery, now).await?;
    found(made.then_some(()))?;
    (web.wake)(Wake::Deliver);
    go(&links::delivery(&delivery))
}

/// `GET /alerts/channels/{channel}/delete`
pub(crate) async fn ask_delete(State(web): State<Web>, admin: Admin, Path(channel): Path<String>) -> Answer {
    let channel = found(web.store.channel_get(admin.team, id(&channel)?).await?)?;
    let question = Question {
        title: format!("Delete the channel {}?", channel.name),
        text: html! { p { "It is taken out of every rule, and a rule that names no other channel goes with it. Messages that still wait for it are not sent." } },
        yes: "Delete the channel",
        action: format!("{}/delete", links::channel(channel.id)),
        back: links::ALERTS.to_owned(),
    };
    Ok(layout::page(&Frame::new("Delete", Section::Alerts, &admin, web.now()), &confirm(&question)).into_response())
}

/// `POST /alerts/channels/{channel}/delete`
pub(crate) async fn delete(State(web): State<Web>, admin: Admin, Path(channel): Path<String>) -> Answer {
    let gone = web.store.channel_delete(admin.team, id(&channel)?, web.now()).await?;
    found(gone.then_some(()))?;
    go(links::ALERTS)
}

fn fields(form: &Form, mail: bool) -> Markup {
    html! {
        (form.summary())
        input type="hidden" name="kind" value=(form.value("kind"));
        @if form.value("kind") == "email" {
            @if !mail { div.note.bad { p { "No mail server is configured, so nothing can be sent yet. Whoever runs this Gazer can name one." } } }
            (form.input(Input {
                kind: "textarea", rows: 3, required: true, placeholder: "ann@example.com", hint: "One address per line, at most 20.",
                ..Input::new("email.to", "E-mail addresses")
            }))
        } @else {
            (form.input(Input {
                kind: "url", required: true, autofocus: !form.is_refused(), placeholder: "https://example.com/hook",
                hint: "Gazer sends a signed POST to it.", ..Input::new("webhook.url", "Address")
            }))
        }
        (form.input(Input { hint: "Left empty: what it reaches.", ..Input::new("name", "Name") }))
    }
}

fn new_page(web: &Web, viewer: &Principal, form: &Form) -> Markup {
    let title = if form.value("kind") == "email" { "Add e-mail" } else { "Add a webhook" };
    let body = html! {
        div.middle.stack {
            div { p.crumb { a href=(links::ALERTS) { "Alerts" } " /" } h1 { (title) } }
            form.sheet.form method="post" action=(links::CHANNELS) novalidate {
                (fields(form, web.config.mail))
                (form.tick("tell", "Tell it whenever any monitor goes down or recovers", "Makes a rule, which can be changed later."))
                div.acts { button.main type="submit" { "Add the channel" } a.button href=(links::ALERTS) { "Cancel" } }
            }
        }
    };
    layout::page(&Frame::new(title, Section::Alerts, viewer, web.now()), &body)
}

fn edit_page(web: &Web, viewer: &Principal, id: ChannelId, form: &Form) -> Markup {
    let here = links::channel(id);
    let body = html! {
        div.middle.stack {
            div { p.crumb { a href=(links::ALERTS) { "Alerts" } " /" } h1 { "Edit the channel" } }
            form.sheet.form method="post" action=(here) novalidate {
                (fields(form, web.config.mail))
                div.acts { button.main type="submit" { "Save" } a.button href=(links::ALERTS) { "Cancel" } }
            }
            @if form.value("kind") == "webhook" {
                form.sheet.form method="post" action={ (here) "/secret" } {
                    h2 { "Signing secret" }
                    p.soft { "It was shown when it was made. If it is lost, or somebody else saw it, make a new one; the old one stops to hold at once." }
                    div.acts { button type="submit" { "Make a new secret" } }
                }
            }
        }
    };
    layout::page(&Frame::new("Edit the channel", Section::Alerts, viewer, web.now()), &body)
}

fn secret_page(channel: &Channel, secret: &[u8], viewer: &Principal, now: Timestamp) -> Markup {
    let body = html! {
        div.middle.stack {
            h1 { (channel.name) " is ready" }
            div.sheet {
                h2 { "Its signing secret" }
                p { "Give it to the receiver, which checks with it that messages are from here. " strong { "It is not shown again." } }
                code.secret #secret { "whsec_" (STANDARD.encode(secret)) }
                div.acts {
                    button type="button" data-copy="secret" data-script hidden { "Copy" }
                    form method="post" action={ (links::channel(channel.id)) "/test" } { button.main type="submit" { "Send a test" } }
                    a.button href=(links::ALERTS) { "To the alerts" }
                }
            }
        }
    };
    layout::page(&Frame::new("Signing secret", Section::Alerts, viewer, now), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn addresses_come_one_per_line_or_with_commas() {
        let form = Form::parse(b"kind=email&email.to=ann%40example.com%0D%0Aben%40example.com%2C+cy%40example.com");
        let (name, target) = read(&form, Vec::new()).unwrap();
        assert_eq!(target.address(), "ann@example.com, ben@example.com, cy@example.com");
        assert!(name.starts_with("ann@"));
        let wrong = read(&Form::parse(b"kind=email&email.to=ann"), Vec::new()).unwrap_err();
        assert!(Form::default().refused(wrong).wrong("email.to").is_some());
    }

    #[test]
    fn a_secret_is_shown_in_the_form_that_receivers_expect() {
        let channel = &samples::channels()[0];
        let page = secret_page(channel, &[7; 32], &samples::viewer(), samples::NOW).into_string();
        assert!(page.contains("whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="), "{page}");
        samples::well_formed(&page);
    }
}
