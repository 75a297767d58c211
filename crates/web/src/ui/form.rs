//! Form fields with their labels, hints and complaints, and the values a form came back with.
//!
//! A refused form is shown again as it was typed; the complaint stands beside its field and is tied to it by
//! `aria-describedby`, and the summary on top links to it. A complaint that belongs to no field shows in the summary
//! all the same, so none is lost.

use gazer_domain::Invalid;
use maud::{Markup, html};

/// What was posted, in order, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    wrong: Vec<Invalid>,
}

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self { fields: url::form_urlencoded::parse(body).into_owned().collect(), wrong: Vec::new() }
    }

    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.fields.push((name.into(), value.into()));
    }

    #[must_use]
    pub(crate) fn refused(mut self, wrong: Invalid) -> Self {
        self.wrong.push(wrong);
        self
    }

    #[must_use]
    pub(crate) fn refused_all(mut self, wrong: Vec<Invalid>) -> Self {
        self.wrong.extend(wrong);
        self
    }

    pub(crate) fn is_refused(&self) -> bool {
        !self.wrong.is_empty()
    }

    /// The complaint about this very field, not about a part of it.
    pub(crate) fn exactly(&self, name: &str) -> Option<&str> {
        self.wrong.iter().find(|wrong| wrong.field == name).map(|wrong| wrong.message.as_str())
    }

    /// Takes every field out that begins so.
    pub(crate) fn take(&mut self, beginning: &str) -> Vec<(String, String)> {
        self.fields.extract_if(.., |(name, _)| name.starts_with(beginning)).collect()
    }

    /// The first value of that name, or nothing; browsers send line breaks as CRLF.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn trimmed(&self, name: &str) -> &str {
        self.value(name).trim()
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn ticked(&self, name: &str) -> bool {
        self.fields.iter().any(|(n, _)| n == name)
    }

    /// The complaint about a field or a part of it: `http.headers["X"]` is told beside `http.headers`.
    pub(crate) fn wrong(&self, name: &str) -> Option<&str> {
        let part_of =
            |field: &str| field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('['));
        self.wrong.iter().find(|wrong| part_of(&wrong.field)).map(|wrong| wrong.message.as_str())
    }

    /// On top of the form, for whoever does not see the field at once.
    pub(crate) fn summary(&self) -> Markup {
        html! {
            @if self.is_refused() {
                div.note.bad role="alert" {
                    p { strong { "Nothing was saved yet." } " Please look again at:" }
                    ul {
                        @for wrong in &self.wrong {
                            li { a href={ "#" (id(base(&wrong.field))) } { (wrong.field) } ": " (wrong.message) }
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn input(&self, input: Input<'_>) -> Markup {
        let id = id(input.name);
        let wrong = self.wrong(input.name);
        // A secret that was typed is not sent back into the page.
        let value = if input.kind == "password" { "" } else { self.value(input.name) };
        html! {
            div.field.(input.class) {
                label for=(id) { (input.label) }
                @if input.kind == "textarea" {
                    textarea id=(id) name=(input.name) rows=(input.rows) placeholder=(input.placeholder)
                        spellcheck="false" autocapitalize="none" aria-invalid=[wrong.map(|_| "true")]
                        aria-describedby=[described(&id, input.hint, wrong)] { "\n" (value) }
                } @else {
                    input id=(id) name=(input.name) type=(input.kind) value=(value) placeholder=(input.placeholder)
                        autocomplete=(input.autocomplete) required[input.required] autofocus[input.autofocus]
                        spellcheck="false" autocapitalize="none" inputmode=[input.inputmode]
                        aria-invalid=[wrong.map(|_| "true")] aria-describedby=[described(&id, input.hint, wrong)];
                }
                (complaint(&id, wrong))
                @if !input.hint.is_empty() { p.hint id={ (id) "-hint" } { (input.hint) } }
            }
        }
    }

    pub(crate) fn select(&self, name: &str, label: &str, hint: &str, options: &[(&str, &str)]) -> Markup {
        let id = id(name);
        let wrong = self.wrong(name);
        html! {
            div.field {
                label for=(id) { (label) }
                select id=(id) name=(name) aria-invalid=[wrong.map(|_| "true")]
                    aria-describedby=[described(&id, hint, wrong)] { (choices(options, self.value(name))) }
                (complaint(&id, wrong))
                @if !hint.is_empty() { p.hint id={ (id) "-hint" } { (hint) } }
            }
        }
    }

    pub(crate) fn tick(&self, name: &str, label: &str, hint: &str) -> Markup {
        html! {
            label.tick {
                input type="checkbox" name=(name) value="on" checked[self.ticked(name)];
                span { (label) @if !hint.is_empty() { br; span.hint { (hint) } } }
            }
        }
    }

    /// A group of ticks under one name; each is on if its value was posted.
    pub(crate) fn ticks(&self, name: &str, legend: &str, hint: &str, options: &[(String, Markup)]) -> Markup {
        let id = id(name);
        let wrong = self.wrong(name);
        html! {
            fieldset id=(id) aria-describedby=[described(&id, hint, wrong)] {
                legend { (legend) }
                @if !hint.is_empty() { p.hint id={ (id) "-hint" } { (hint) } }
                div.ticks {
                    @for (value, label) in options {
                        label.tick {
                            input type="checkbox" name=(name) value=(value) checked[self.all(name).any(|v| v == value)]
                                aria-invalid=[wrong.map(|_| "true")];
                            span { (label) }
                        }
                    }
                }
                (complaint(&id, wrong))
            }
        }
    }
}

/// One labelled input. `kind` is the HTML type, or `textarea`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) hint: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) placeholder: &'a str,
    pub(crate) autocomplete: &'a str,
    pub(crate) inputmode: Option<&'a str>,
    pub(crate) class: &'a str,
    pub(crate) required: bool,
    pub(crate) autofocus: bool,
    pub(crate) rows: u8,
}

impl<'a> Input<'a> {
    pub(crate) const fn new(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            hint: "",
            kind: "text",
            placeholder: "",
            autocomplete: "off",
            inputmode: None,
            class: "plain",
            required: false,
            autofocus: false,
            rows: 4,
        }
    }
}

pub(crate) fn choices(options: &[(&str, &str)], chosen: &str) -> Markup {
    html! {
        @for (value, label) in options { option value=(value) selected[*value == chosen] { (label) } }
    }
}

pub(crate) fn complaint(id: &str, wrong: Option<&str>) -> Markup {
    html! { @if let Some(wrong) = wrong { p.wrong id={ (id) "-wrong" } { (wrong) } } }
}

pub(crate) fn described(id: &str, hint: &str, wrong: Option<&str>) -> Option<String> {
    let parts = [(!hint.is_empty()).then(|| format!("{id}-hint")), wrong.map(|_| format!("{id}-wrong"))];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// `http.assertions[0].op` → `f-http-assertions-0-op`
pub(crate) fn id(name: &str) -> String {
    let mut id = String::from("f");
    for part in name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|part| !part.is_empty()) {
        id.push('-');
        id.push_str(part);
    }
    id
}

/// The field that a complaint about a part of it links to: lists other than assertions are one field.
fn base(field: &str) -> &str {
    if field.starts_with("http.assertions[") { field } else { field.split('[').next().unwrap_or(field) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_field_shows_what_was_typed_and_is_tied_to_its_complaint() {
        let form = Form::parse(b"name=%3Cscript%3E&on=down&on=slow").refused(Invalid::new("name", "must be <short>"));
        let html = form.input(Input { hint: "Any", ..Input::new("name", "Name") }).into_string();
        assert!(html.contains(r#"value="&lt;script&gt;""#), "{html}");
        assert!(html.contains(r#"aria-describedby="f-name-hint f-name-wrong""#), "{html}");
        assert!(html.contains(r#"id="f-name-wrong">must be &lt;short&gt;"#), "{html}");
        assert_eq!(form.all("on").count(), 2);
    }

    #[test]
    fn a_complaint_about_a_part_stands_beside_the_whole() {
        let form = Form::default().refused(Invalid::new(r#"http.headers["X-A"]"#, "no"));
        assert_eq!(form.wrong("http.headers"), Some("no"));
        assert_eq!(form.wrong("http.head"), None);
        assert!(form.summary().into_string().contains("href=\"#f-http-headers\""));
    }

    #[test]
    fn a_password_is_never_sent_back() {
        let form = Form::parse(b"password=hunter2hunter2");
        let html = form.input(Input { kind: "password", ..Input::new("password", "Password") }).into_string();
        assert!(!html.contains("hunter2"));
    }
}
