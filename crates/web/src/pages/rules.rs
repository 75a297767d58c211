//! Adding, editing and deleting an alert rule.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use gazer_domain::alert::{Rule, RuleSettings, Scope, Trigger};
use gazer_domain::time::{format_duration, parse_duration};
use gazer_domain::{Invalid, RuleId, TeamId, Timestamp};
use gazer_store::{Channel, MonitorFilter, MonitorView, Page, Principal};
use maud::{Markup, html};

use super::{Answer, Failed, Question, confirm, form_page, found, go, id, links};
use crate::Web;
use crate::auth::Admin;
use crate::ui::form::{Form, Input};
use crate::ui::layout::{self, Frame, Section};

/// A rule can be given these many monitors by ticking; a larger team says "any monitor", or uses the API.
const MOST_TICKS: u32 = 500;

/// What can be chosen.
pub(crate) struct Choice {
    pub(crate) channels: Vec<Channel>,
    pub(crate) monitors: Vec<MonitorView>,
    /// Whether a monitor can be down in some regions and not in others.
    pub(crate) several: bool,
}

async fn choice(web: &Web, team: TeamId) -> Result<Choice, Failed> {
    let channels = web.store.channel_list(team).await?;
    let page = Page::first(MOST_TICKS);
    let monitors = web.store.monitor_list(team, &MonitorFilter::default(), &page).await?.rows;
    let several = web.store.regions().await?.len() > 1;
    Ok(Choice { channels, monitors, several })
}

/// `GET /alerts/rules/new`
pub(crate) async fn blank(State(web): State<Web>, admin: Admin) -> Answer {
    let choice = choice(&web, admin.team).await?;
    let mut form = Form::default();
    form.set("scope", "all");
    form.set("after", "0s");
    form.set("on", "down");
    form.set("on", "recovered");
    if let [only] = &choice.channels[..] {
        form.set("channels", only.id.to_string());
    }
    form_page(&form, page(None, &choice, &form, &admin, web.now()))
}

/// `POST /alerts/rules`
pub(crate) async fn create(State(web): State<Web>, admin: Admin, body: Bytes) -> Answer {
    let form = Form::parse(&body);
    let wrong = match read(&form) {
        Ok(settings) => {
            let rule = Rule { id: web.new_id(), settings };
            match web.store.rule_create(admin.team, &rule, web.now()).await {
                Ok(()) => return go(links::ALERTS),
                Err(gazer_store::Error::Invalid(wrong)) => wrong,
                Err(err) => return Err(err.into()),
            }
        }
        Err(wrong) => wrong,
    };
    let form = form.refused(wrong);
    let choice = choice(&web, admin.team).await?;
    form_page(&form, page(None, &choice, &form, &admin, web.now()))
}

/// `GET /alerts/rules/{rule}`
pub(crate) async fn edit(State(web): State<Web>, admin: Admin, Path(rule): Path<String>) -> Answer {
    let rule = found(web.store.rule_get(admin.team, id(&rule)?).await?)?;
    let choice = choice(&web, admin.team).await?;
    let form = filled(&rule.settings);
    form_page(&form, page(Some(rule.id), &choice, &form, &admin, web.now()))
}

/// `POST /alerts/rules/{rule}`
pub(crate) async fn save(State(web): State<Web>, admin: Admin, Path(rule): Path<String>, body: Bytes) -> Answer {
    let rule: RuleId = id(&rule)?;
    found(web.store.rule_get(admin.team, rule).await?)?;
    let form = Form::parse(&body);
    let wrong = match read(&form) {
        Ok(settings) => match web.store.rule_edit(admin.team, rule, &settings).await {
            Ok(edited) => {
                found(edited)?;
                return go(links::ALERTS);
            }
            Err(gazer_store::Error::Invalid(wrong)) => wrong,
            Err(err) => return Err(err.into()),
        },
        Err(wrong) => wrong,
    };
    let form = form.refused(wrong);
    let choice = choice(&web, admin.team).await?;
    form_page(&form, page(Some(rule), &choice, &form, &admin, web.now()))
}

/// `GET /alerts/rules/{rule}/delete`
pub(crate) async fn ask_delete(State(web): State<Web>, admin: Admin, Path(rule): Path<String>) -> Answer {
    let rule = found(web.store.rule_get(admin.team, id(&rule)?).await?)?;
    let question = Question {
        title: format!("Delete the rule {}?", rule.settings.name),
        text: html! { p { "Its channels stay; they are told by other rules only." } },
        yes: "Delete the rule",
        action: format!("{}/delete", links::rule(rule.id)),
        back: links::ALERTS.to_owned(),
    };
    Ok(layout::page(&Frame::new("Delete", Section::Alerts, &admin, web.now()), &confirm(&question)).into_response())
}

/// `POST /alerts/rules/{rule}/delete`
pub(crate) async fn delete(State(web): State<Web>, admin: Admin, Path(rule): Path<String>) -> Answer {
    found(web.store.rule_delete(admin.team, id(&rule)?).await?.then_some(()))?;
    go(links::ALERTS)
}

fn read(form: &Form) -> Result<RuleSettings, Invalid> {
    let scope = match form.value("scope") {
        "some" => {
            let ids = form.all("monitors").map(str::parse).collect::<Result<Vec<_>, _>>();
            let ids = ids.map_err(|_| Invalid::new("monitors", "must be monitors of the team"))?;
            if ids.is_empty() {
                return Err(Invalid::new("monitors", "must name at least one monitor"));
            }
            Scope::Some(ids)
        }
        _ => Scope::All,
    };
    let channels = form.all("channels").map(str::parse).collect::<Result<Vec<_>, _>>();
    let channels = channels.map_err(|_| Invalid::new("channels", "must be channels of the team"))?;
    let after = match form.trimmed("after") {
        "" => Duration::ZERO,
        text => parse_duration(text).map_err(|message| Invalid::new("after", message))?,
    };
    let on = Trigger::ALL.into_iter().filter(|trigger| form.all("on").any(|on| on == trigger.as_str())).collect();
    let settings = RuleSettings { name: form.trimmed("name").to_owned(), scope, channels, on, after };
    settings.validate()?;
    Ok(settings)
}

fn filled(settings: &RuleSettings) -> Form {
    let mut form = Form::default();
    form.set("name", settings.name.as_str());
    form.set("after", format_duration(settings.after));
    match &settings.scope {
        Scope::All => form.set("scope", "all"),
        Scope::Some(monitors) => {
            form.set("scope", "some");
            monitors.iter().for_each(|monitor| form.set("monitors", monitor.to_string()));
        }
    }
    settings.channels.iter().for_each(|channel| form.set("channels", channel.to_string()));
    settings.on.iter().for_each(|on| form.set("on", on.as_str()));
    form
}

pub(crate) fn page(rule: Option<RuleId>, choice: &Choice, form: &Form, viewer: &Principal, now: Timestamp) -> Markup {
    let title = if rule.is_some() { "Edit the rule" } else { "Add a rule" };
    let action = rule.map_or_else(|| links::RULES.to_owned(), links::rule);
    let body = html! {
        div.middle.stack {
            div { p.crumb { a href=(links::ALERTS) { "Alerts" } " /" } h1 { (title) } }
            form.sheet.form method="post" action=(action) novalidate {
                (form.summary())
                (fields(choice, form))
                div.acts { button.main type="submit" { "Save the rule" } a.button href=(links::ALERTS) { "Cancel" } }
            }
        }
    };
    layout::page(&Frame::new(title, Section::Alerts, viewer, now), &body)
}

fn fields(choice: &Choice, form: &Form) -> Markup {
    let is_offered =
        |on: &Trigger| *on != Trigger::Regional || choice.several || form.all("on").any(|on| on == "regional");
    let triggers: Vec<(String, Markup)> =
        Trigger::ALL.into_iter().filter(is_offered).map(|on| (on.as_str().to_owned(), html! { (label(on)) })).collect();
    let channels: Vec<(String, Markup)> = choice
        .channels
        .iter()
        .map(|channel| {
            (channel.id.to_string(), html! { (channel.name) " " span.soft.small { (channel.target.kind()) } })
        })
        .collect();
    let monitors: Vec<(String, Markup)> = choice
        .monitors
        .iter()
        .map(|view| (view.monitor.id.to_string(), html! { (view.monitor.settings.name) }))
        .collect();
    html! {
        (form.input(Input { required: true, autofocus: !form.is_refused(), placeholder: "Night shift", ..Input::new("name", "Name") }))
        (form.ticks("on", "When a monitor is", "A recovery is told to whoever was told of the start.", &triggers))
        (form.input(Input { hint: "0s tells at once; 5m tells only if it lasts five minutes.", ..Input::new("after", "If it lasts") }))
        (form.ticks("channels", "Tell", "", &channels))
        @if channels.is_empty() { p.note.bad { "There is no channel yet. " a href=(links::ALERTS) { "Add one first" } } }
        (form.select("scope", "Of", "", &[("all", "any monitor, also new ones"), ("some", "only these monitors")]))
        div.scoped { (form.ticks("monitors", "Only these monitors", "", &monitors)) }
    }
}

const fn label(on: Trigger) -> &'static str {
    match on {
        Trigger::Down => "Down",
        Trigger::Regional => "Down in some regions",
        Trigger::Slow => "Slow",
        Trigger::Recovered => "Recovered",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn a_rule_survives_its_form() {
        for rule in samples::rules() {
            assert_eq!(read(&filled(&rule.settings)), Ok(rule.settings));
        }
    }

    #[test]
    fn a_rule_that_starts_nothing_is_refused_beside_its_field() {
        let mut form = filled(&samples::rules()[0].settings);
        form.take("on");
        form.set("on", "recovered");
        let form = {
            let wrong = read(&form).unwrap_err();
            form.refused(wrong)
        };
        let choice = Choice { channels: samples::channels(), monitors: vec![samples::sight().view], several: true };
        let page = page(None, &choice, &form, &samples::viewer(), samples::NOW).into_string();
        assert!(page.contains("f-on-wrong") && page.contains("must hold down, regional or slow"), "{page}");
        samples::well_formed(&page);
    }
}
