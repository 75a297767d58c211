//! Adding and editing a monitor.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use gazer_domain::monitor::{Monitor, Settings};
use gazer_domain::{Invalid, Region};
use gazer_store::Principal;
use maud::{Markup, html};

use super::{Answer, Failed, form_page, found, go, id, links, monitor_form, region_fields};
use crate::Web;
use crate::auth::Admin;
use crate::ui::form::Form;
use crate::ui::layout::{self, Frame, Section};

/// `GET /monitors/new`; `?http.url=` fills the address.
pub(crate) async fn blank(State(web): State<Web>, admin: Admin, RawQuery(query): RawQuery) -> Answer {
    let form = monitor_form::blank(query.unwrap_or_default().as_bytes());
    form_page(&form, new_page(&web, &admin, &form).await?)
}

/// `POST /monitors`
pub(crate) async fn create(State(web): State<Web>, admin: Admin, body: Bytes) -> Answer {
    let mut form = monitor_form::blank(&body);
    let settings = match read(&web, &mut form, &body, None) {
        Ok(settings) => settings,
        Err(wrong) => {
            let form = form.refused_all(wrong);
            return form_page(&form, new_page(&web, &admin, &form).await?);
        }
    };
    let now = web.now();
    let monitor = Monitor::new(web.new_id(), settings, now);
    let _turn = web.doors.turns.of(admin.team).await;
    if let Err(err) = web.store.monitor_create(admin.team, &monitor).await {
        let form = form.refused(gone(err)?);
        return form_page(&form, new_page(&web, &admin, &form).await?);
    }
    web.monitor_begun(admin.team, monitor.id);
    go(&links::monitor(monitor.id))
}

/// `GET /monitors/{monitor}/edit`
pub(crate) async fn edit(State(web): State<Web>, admin: Admin, Path(monitor): Path<String>) -> Answer {
    let view = found(web.store.monitor_get(admin.team, id(&monitor)?).await?)?;
    let form = monitor_form::filled(&view.monitor.settings);
    form_page(&form, edit_page(&web, &admin, &view.monitor, &form).await?)
}

/// `POST /monitors/{monitor}`
pub(crate) async fn save(State(web): State<Web>, admin: Admin, Path(monitor): Path<String>, body: Bytes) -> Answer {
    let before = found(web.store.monitor_get(admin.team, id(&monitor)?).await?)?.monitor;
    let mut form = Form::parse(&body);
    let settings = match read(&web, &mut form, &body, Some(&before.settings)) {
        Ok(settings) => settings,
        Err(wrong) => {
            let form = form.refused_all(wrong);
            return form_page(&form, edit_page(&web, &admin, &before, &form).await?);
        }
    };
    if settings != before.settings {
        let _turn = web.doors.turns.of(admin.team).await;
        match web.store.monitor_edit(admin.team, before.id, &settings, web.now()).await {
            Ok(edited) => found(edited)?,
            Err(err) => {
                let form = form.refused(gone(err)?);
                return form_page(&form, edit_page(&web, &admin, &before, &form).await?);
            }
        };
        web.monitor_changed(admin.team, before.id);
    }
    go(&links::monitor(before.id))
}

/// Patterns and paths are compiled by whoever will run them, and so is a literal address judged.
fn read(web: &Web, form: &mut Form, body: &[u8], kept: Option<&Settings>) -> Result<Settings, Vec<Invalid>> {
    // The one-field form of the empty list sends the address only; a tick that was taken off must not come back.
    if kept.is_none() && Form::parse(body).ticked("interval") {
        *form = Form::parse(body);
    }
    let settings = monitor_form::read(form, kept)?;
    web.judge(&settings.spec).map_err(|refused| vec![refused])?;
    Ok(settings)
}

/// A region that was removed meanwhile is the form's to say.
fn gone(err: gazer_store::Error) -> Result<Invalid, Failed> {
    match err {
        gazer_store::Error::Invalid(refused) => Ok(region_fields::told(refused)),
        err => Err(err.into()),
    }
}

async fn regions(web: &Web) -> Result<Vec<Region>, Failed> {
    Ok(web.store.regions().await?.into_iter().map(|place| place.region).collect())
}

async fn new_page(web: &Web, viewer: &Principal, form: &Form) -> Result<Markup, Failed> {
    let regions = regions(web).await?;
    let body = html! {
        div.middle.stack {
            div {
                p.crumb { a href=(links::MONITORS) { "Monitors" } " /" }
                h1 { "Watch a site" }
            }
            form.sheet.form method="post" action=(links::MONITORS) novalidate {
                (monitor_form::fields(form, true, &regions))
                div.acts { button.main type="submit" { "Start watching" } a.button href=(links::MONITORS) { "Cancel" } }
            }
        }
    };
    Ok(layout::page(&Frame::new("Watch a site", Section::Monitors, viewer, web.now()), &body))
}

async fn edit_page(web: &Web, viewer: &Principal, monitor: &Monitor, form: &Form) -> Result<Markup, Failed> {
    let regions = regions(web).await?;
    let back = links::monitor(monitor.id);
    let body = html! {
        div.middle.stack {
            div {
                p.crumb { a href=(links::MONITORS) { "Monitors" } " / " a href=(back) { (monitor.settings.name) } " /" }
                h1 { "Edit" }
            }
            form.sheet.form method="post" action=(back) novalidate {
                (monitor_form::fields(form, false, &regions))
                div.acts { button.main type="submit" { "Save" } a.button href=(back) { "Cancel" } }
            }
        }
    };
    Ok(layout::page(&Frame::new("Edit", Section::Monitors, viewer, web.now()), &body))
}
