//! The form of a monitor: from settings to fields and back.
//!
//! Secrets do not travel back to the browser: a password or token left empty stays as it was, and so does a header whose
//! value still is the mask.

use std::time::Duration;

use gazer_domain::http::{self, Auth, HttpSpec, Method, Trust};
use gazer_domain::monitor::{Settings, Spec, Verify};
use gazer_domain::time::{format_duration, parse_duration};
use gazer_domain::{Invalid, Quorum, Region};
use maud::{Markup, html};

use super::{assertion_rows, region_fields};
use crate::ui::form::{Form, Input};

const MASK: &str = "••••••••";
const INTERVAL: Duration = Duration::from_secs(30);

/// What a new monitor starts from.
pub(crate) fn blank(query: &[u8]) -> Form {
    let mut form = Form::parse(query);
    let verify = Verify::default();
    for (name, value) in [
        ("interval", format_duration(INTERVAL)),
        ("http.method", "GET".into()),
        ("http.follow_redirects", http::MOST_REDIRECTS.to_string()),
        ("http.verify_tls", "on".into()),
        ("http.timeout", format_duration(http::DEFAULT_TIMEOUT)),
        ("verify.attempts", verify.attempts.to_string()),
        ("verify.gap", format_duration(verify.gap)),
        ("recover_after", "1".into()),
        ("quorum", Quorum::default().to_string()),
    ] {
        form.set(name, value);
    }
    form
}

pub(crate) fn filled(settings: &Settings) -> Form {
    let Spec::Http(spec) = &settings.spec;
    let mut form = Form::default();
    let headers: Vec<String> =
        spec.headers.iter().map(|(name, value)| format!("{name}: {}", masked(name, value))).collect();
    for (name, value) in [
        ("name", settings.name.clone()),
        ("interval", format_duration(settings.interval)),
        ("http.url", spec.url.to_string()),
        ("http.method", spec.method.to_string()),
        ("http.headers", headers.join("\n")),
        ("http.body", spec.body.clone().unwrap_or_default()),
        ("http.follow_redirects", spec.redirects.to_string()),
        ("http.timeout", format_duration(spec.timeout)),
        ("verify.attempts", settings.verify.attempts.to_string()),
        ("verify.gap", format_duration(settings.verify.gap)),
        ("recover_after", settings.recover_after.to_string()),
    ] {
        form.set(name, value);
    }
    if spec.trust == Trust::Verified {
        form.set("http.verify_tls", "on");
    }
    match &spec.auth {
        None => {}
        Some(Auth::Basic { user, .. }) => {
            form.set("http.auth.kind", "basic");
            form.set("http.auth.user", user.as_str());
        }
        Some(Auth::Bearer { .. }) => form.set("http.auth.kind", "bearer"),
    }
    region_fields::fill(&mut form, settings);
    assertion_rows::fill(&mut form, spec);
    form
}

/// `kept` is what the monitor had before, for secrets that were not typed again. Every field that cannot be read is named.
pub(crate) fn read(form: &mut Form, kept: Option<&Settings>) -> Result<Settings, Vec<Invalid>> {
    let rows = assertion_rows::compact(form);
    let mut wrong = Vec::new();
    let kept_spec = kept.map(|settings| {
        let Spec::Http(spec) = &settings.spec;
        spec
    });
    let url = http::parse_url(form.value("http.url"));
    let url = keep(url, &mut wrong);
    let method = keep(Method::parse(form.trimmed("http.method")), &mut wrong);
    let headers = keep(headers(form, kept_spec), &mut wrong);
    let body = form.value("http.body").replace("\r\n", "\n");
    let auth = keep(auth(form, kept_spec), &mut wrong);
    let redirects = number(form, "http.follow_redirects", &mut wrong);
    let timeout = length(form, "http.timeout", &mut wrong);
    let interval = length(form, "interval", &mut wrong);
    let attempts = number(form, "verify.attempts", &mut wrong);
    let gap = length(form, "verify.gap", &mut wrong);
    let recover_after = number(form, "recover_after", &mut wrong);
    let (regions, quorum) = region_fields::read(form, kept, &mut wrong);
    let assertions = assertion_rows::read(form, rows, &mut wrong);
    let (Some(url), Some(method), Some(headers), Some(auth), true) = (url, method, headers, auth, wrong.is_empty())
    else {
        return Err(wrong);
    };
    let name = match form.trimmed("name") {
        "" => url.host_str().unwrap_or_default().to_owned(),
        name => name.to_owned(),
    };
    let trust = if form.ticked("http.verify_tls") { Trust::Verified } else { Trust::Any };
    let body = (!body.is_empty()).then_some(body);
    let spec = HttpSpec { url, method, headers, body, auth, redirects, trust, timeout, assertions };
    let verify = Verify { attempts, gap };
    let settings = Settings { name, spec: Spec::Http(spec), interval, verify, recover_after, regions, quorum };
    settings.validate().map_err(|refused| vec![refused])?;
    Ok(settings)
}

fn keep<T>(read: Result<T, Invalid>, wrong: &mut Vec<Invalid>) -> Option<T> {
    read.map_err(|refused| wrong.push(refused)).ok()
}

fn length(form: &Form, name: &str, wrong: &mut Vec<Invalid>) -> Duration {
    parse_duration(form.trimmed(name)).unwrap_or_else(|message| {
        wrong.push(Invalid::new(name, message));
        Duration::ZERO
    })
}

fn number(form: &Form, name: &str, wrong: &mut Vec<Invalid>) -> u8 {
    form.trimmed(name).parse().unwrap_or_else(|_| {
        wrong.push(Invalid::new(name, "must be a whole number, such as 2"));
        0
    })
}

/// One `Name: value` per line.
fn headers(form: &Form, kept: Option<&HttpSpec>) -> Result<Vec<(String, String)>, Invalid> {
    let mut headers = Vec::new();
    for line in form.value("http.headers").lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(':') else {
            return Err(Invalid::new(
                "http.headers",
                format!("{line:?} is no header; write one per line, as in Accept: text/html"),
            ));
        };
        let (name, value) = (name.trim(), value.trim());
        let before = || kept.and_then(|spec| spec.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)));
        let value = match value {
            MASK => before().map(|(_, value)| value.as_str()).unwrap_or_default(),
            value => value,
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    Ok(headers)
}

/// Values that open doors are not shown again.
fn masked<'a>(name: &str, value: &'a str) -> &'a str {
    let name = name.to_ascii_lowercase();
    let secret = ["auth", "cookie", "key", "token", "secret", "password", "signature", "session"];
    if secret.iter().any(|part| name.contains(part)) { MASK } else { value }
}

fn auth(form: &Form, kept: Option<&HttpSpec>) -> Result<Option<Auth>, Invalid> {
    let before = kept.and_then(|spec| spec.auth.as_ref());
    let typed = |name: &str| Some(form.value(name)).filter(|text| !text.is_empty()).map(str::to_owned);
    match form.value("http.auth.kind") {
        "" => Ok(None),
        "basic" => {
            let kept = match before {
                Some(Auth::Basic { password, .. }) => Some(password.clone()),
                _ => None,
            };
            let user = form.trimmed("http.auth.user").to_owned();
            Ok(Some(Auth::Basic { user, password: typed("http.auth.password").or(kept).unwrap_or_default() }))
        }
        "bearer" => {
            let kept = match before {
                Some(Auth::Bearer { token }) => Some(token.clone()),
                _ => None,
            };
            let token = typed("http.auth.token").or(kept);
            let token = token.ok_or_else(|| Invalid::new("http.auth.token", "must not be empty"))?;
            Ok(Some(Auth::Bearer { token }))
        }
        _ => Err(Invalid::new("http.auth.kind", "must be none, basic or bearer")),
    }
}

/// `big` puts the address first and everything else behind "More settings".
pub(crate) fn fields(form: &Form, is_new: bool, regions: &[Region]) -> Markup {
    html! {
        (form.summary())
        (form.input(Input {
            class: if is_new { "big" } else { "plain" }, placeholder: "https://example.com/", required: true,
            autofocus: is_new && !form.is_refused(), inputmode: Some("url"), autocomplete: "url",
            hint: "Paste it as it is; example.com means https://example.com/.", ..Input::new("http.url", "Address")
        }))
        div.grid {
            (form.input(Input { hint: "Left empty: the host's name.", ..Input::new("name", "Name") }))
            (form.input(Input { hint: "From 5s to 24h, as in 30s or 5m.", ..Input::new("interval", "Check every") }))
        }
        (region_fields::fields(form, regions))
        details.more open[!is_new || form.is_refused()] {
            summary { "More settings" }
            div { (assertion_rows::rows(form)) (request(form, is_new)) (patience(form)) }
        }
    }
}

fn request(form: &Form, is_new: bool) -> Markup {
    let methods: Vec<(&str, &str)> = Method::ALL.iter().map(|method| (method.as_str(), method.as_str())).collect();
    html! {
        div.grid {
            (form.select("http.method", "Method", "", &methods))
            (form.input(Input {
                hint: "From 1s to 60s, from resolving the name to the last byte.", ..Input::new("http.timeout", "Timeout")
            }))
            (form.input(Input {
                hint: "0 to 10; 0 judges the redirect itself.", inputmode: Some("numeric"),
                ..Input::new("http.follow_redirects", "Redirects to follow")
            }))
        }
        (form.tick("http.verify_tls", "The certificate must be valid", "Off: an expired or foreign certificate does not fail the check."))
        (form.input(Input {
            kind: "textarea", placeholder: "Accept: application/json", hint: "One per line. Values of secret ones are not shown again.",
            ..Input::new("http.headers", "Request headers")
        }))
        (form.input(Input { kind: "textarea", hint: "At most 16 KiB.", ..Input::new("http.body", "Request body") }))
        (sign_in(form, is_new))
    }
}

/// Only what belongs to the chosen way is seen; without a script, by the style sheet alone.
fn sign_in(form: &Form, is_new: bool) -> Markup {
    // What is new has nothing that could stay as it was.
    let secret = |name, label| Input {
        kind: "password",
        autocomplete: "new-password",
        hint: if is_new { "" } else { "Left empty: stays as it was." },
        ..Input::new(name, label)
    };
    html! {
        div.grid.signin {
            (form.select("http.auth.kind", "Sign in with", "", &[("", "nothing"), ("basic", "User and password"), ("bearer", "Bearer token")]))
            div.basic { (form.input(Input::new("http.auth.user", "User"))) }
            div.basic { (form.input(secret("http.auth.password", "Password"))) }
            div.bearer { (form.input(secret("http.auth.token", "Token"))) }
        }
    }
}

fn patience(form: &Form) -> Markup {
    html! {
        div.grid {
            (form.input(Input {
                hint: "0 to 5 more tries before anybody is told.", inputmode: Some("numeric"),
                ..Input::new("verify.attempts", "Verify a failure")
            }))
            (form.input(Input { hint: "Up to 10s.", ..Input::new("verify.gap", "Wait between tries") }))
            (form.input(Input {
                hint: "1 to 10 good checks in a row.", inputmode: Some("numeric"),
                ..Input::new("recover_after", "Recovered after")
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn a_pasted_address_is_enough() {
        let mut form = blank(b"http.url=example.com");
        let settings = read(&mut form, None).unwrap();
        assert_eq!(settings.name, "example.com");
        assert_eq!(settings.spec.target(), "https://example.com/");
        assert_eq!(settings.interval, Duration::from_secs(30));
    }

    #[test]
    fn settings_survive_the_form_and_secrets_never_reach_it() {
        let settings = samples::settings();
        let mut form = filled(&settings);
        let html = fields(&form, false, &[]).into_string();
        assert!(!html.contains("hunter2") && !html.contains("k3y"), "{html}");
        assert_eq!(read(&mut form, Some(&settings)), Ok(settings));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let mut form = blank(b"http.url=file%3A%2F%2F%2Fetc%2Fpasswd&interval=30&verify.attempts=x");
        let wrong: Vec<String> = read(&mut form, None).unwrap_err().into_iter().map(|wrong| wrong.field).collect();
        assert_eq!(wrong, ["http.url", "interval", "verify.attempts"]);
    }
}
