//! Assertions as rows of a form: kind, what of, operator, value. Empty rows mean nothing, so a few are always there,
//! and the script adds more.
//!
//! Rows are numbered anew when a form is read, so that a complaint about `http.assertions[1].value` finds its field
//! whichever rows were left empty.

use gazer_domain::assertion::{Assertion, Op, StatusSet};
use gazer_domain::http::HttpSpec;
use gazer_domain::observation::JsonValue;
use gazer_domain::time::{format_duration, parse_duration};
use gazer_domain::{Invalid, assertion};
use maud::{Markup, html};

use crate::ui::form::{Form, choices, complaint, id};

const LIST: &str = "http.assertions[";
const KINDS: [(&str, &str); 7] = [
    ("", "no condition"),
    ("status", "Status"),
    ("header", "Header"),
    ("body", "Body text"),
    ("json", "JSON value"),
    ("time", "Response time"),
    ("certificate", "Certificate left"),
];
/// What an empty operator means, by kind.
const USUAL: [(&str, Op); 5] =
    [("header", Op::Eq), ("body", Op::Contains), ("json", Op::Eq), ("time", Op::Lt), ("certificate", Op::Gt)];

/// Numbers the rows that say something from 0, and answers how many there are.
pub(crate) fn compact(form: &mut Form) -> usize {
    let mut rows: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for (name, value) in form.take(LIST) {
        let Some((number, part)) = name[LIST.len()..].split_once("].") else { continue };
        match rows.iter_mut().find(|(n, _)| n == number) {
            Some((_, parts)) => parts.push((part.to_owned(), value)),
            None => rows.push((number.to_owned(), vec![(part.to_owned(), value)])),
        }
    }
    rows.retain(|(_, parts)| parts.iter().any(|(part, value)| part == "kind" && !value.is_empty()));
    // One more than may be, so that too many is said and not cut off.
    rows.truncate(assertion::MOST + 1);
    for (i, (_, parts)) in rows.iter().enumerate() {
        for (part, value) in parts {
            form.set(name(i, part), value.as_str());
        }
    }
    rows.len()
}

fn name(i: usize, part: &str) -> String {
    format!("{LIST}{i}].{part}")
}

/// Reads compacted rows.
pub(crate) fn read(form: &Form, rows: usize, wrong: &mut Vec<Invalid>) -> Vec<Assertion> {
    let mut read = Vec::new();
    for i in 0..rows {
        match one(form, i) {
            Ok(assertion) => read.push(assertion),
            Err(refused) => wrong.push(refused),
        }
    }
    read
}

fn one(form: &Form, i: usize) -> Result<Assertion, Invalid> {
    let refuse = |part: &str, message: String| Invalid::new(name(i, part), message);
    let (kind, of) = (form.value(&name(i, "kind")), form.trimmed(&name(i, "of")).to_owned());
    let value = form.value(&name(i, "value"));
    let length = || parse_duration(value).map_err(|message| refuse("value", message));
    let needed = |message: &str| if of.is_empty() { Err(refuse("of", message.into())) } else { Ok(of.clone()) };
    let op = || {
        let usual = || USUAL.iter().find(|(of, _)| *of == kind).map(|(_, op)| *op);
        let chosen = form.value(&name(i, "op"));
        let op = if chosen.is_empty() { usual() } else { Op::parse(chosen) };
        op.ok_or_else(|| refuse("op", "is not an operator".into()))
    };
    Ok(match kind {
        "status" => Assertion::Status(StatusSet::parse(value).map_err(|message| refuse("value", message))?),
        "header" => Assertion::Header { name: needed("must name a header")?, op: op()?, value: value.to_owned() },
        "body" if value.is_empty() => return Err(refuse("value", "must not be empty".into())),
        "body" => Assertion::Body { op: op()?, value: value.to_owned() },
        "json" => {
            Assertion::Json { path: needed("must be a JSONPath, such as $.status")?, op: op()?, value: json(value) }
        }
        "time" => Assertion::Time { op: op()?, limit: length()? },
        "certificate" => Assertion::Certificate { op: op()?, left: length()? },
        _ => return Err(refuse("kind", "is not a kind of assertion".into())),
    })
}

/// `true`, `12.5`, `null` and `"12"` are what JSON says they are; anything else is text as it stands.
fn json(text: &str) -> JsonValue {
    match serde_json::from_str::<serde_json::Value>(text.trim()) {
        Ok(serde_json::Value::Null) => JsonValue::Null,
        Ok(serde_json::Value::Bool(value)) => JsonValue::Bool(value),
        Ok(serde_json::Value::Number(value)) => {
            value.as_f64().map_or_else(|| JsonValue::Text(text.into()), JsonValue::Number)
        }
        Ok(serde_json::Value::String(value)) => JsonValue::Text(value),
        Ok(compound) => JsonValue::Compound(compound.to_string()),
        Err(_) => JsonValue::Text(text.into()),
    }
}

/// The other way: text that would be read as something else is quoted.
fn json_text(value: &JsonValue) -> String {
    match value {
        JsonValue::Null => "null".into(),
        JsonValue::Bool(value) => value.to_string(),
        JsonValue::Number(value) => value.to_string(),
        JsonValue::Compound(value) => value.clone(),
        JsonValue::Text(value) if json(value) == JsonValue::Text(value.clone()) => value.clone(),
        JsonValue::Text(value) => serde_json::Value::from(value.as_str()).to_string(),
    }
}

pub(crate) fn fill(form: &mut Form, spec: &HttpSpec) {
    for (i, assertion) in spec.assertions.iter().enumerate() {
        let (kind, of, op, value) = match assertion {
            Assertion::Status(set) => ("status", "", None, set.to_string()),
            Assertion::Header { name, op, value } => ("header", name.as_str(), Some(op), value.clone()),
            Assertion::Body { op, value } => ("body", "", Some(op), value.clone()),
            Assertion::Json { path, op, value } => ("json", path.as_str(), Some(op), json_text(value)),
            Assertion::Time { op, limit } => ("time", "", Some(op), format_duration(*limit)),
            Assertion::Certificate { op, left } => ("certificate", "", Some(op), format_duration(*left)),
        };
        form.set(name(i, "kind"), kind);
        form.set(name(i, "of"), of);
        form.set(name(i, "op"), op.map_or("", |op| op.as_str()));
        form.set(name(i, "value"), value);
    }
}

pub(crate) fn rows(form: &Form) -> Markup {
    let filled = (0..=assertion::MOST).take_while(|i| !form.value(&name(*i, "kind")).is_empty()).count();
    let ops: Vec<(&str, &str)> =
        [("", "usual")].into_iter().chain(Op::ALL.iter().map(|op| (op.as_str(), op.as_str()))).collect();
    html! {
        fieldset id="f-http-assertions" {
            legend { "What counts as good" }
            p.hint {
                "Without a row for the status, any below 400 is good. Status: " code { "200-299,401" }
                " · response time: " code { "800ms" } " (what fails it is slow, not down) · certificate left: " code { "14d" }
                " · JSON value: a JSONPath such as " code { "$.status" } ". The usual operator is == for headers and JSON, contains for the body, < for times, > for certificates."
            }
            (complaint("f-http-assertions", own_complaint(form)))
            div.asserts #asserts { @for i in 0..filled + 2 { (row(form, i, &ops)) } }
            p { button.little type="button" data-more="asserts" data-script hidden { "Add a row" } }
        }
    }
}

/// A complaint about the list as a whole, such as too many.
fn own_complaint(form: &Form) -> Option<&str> {
    form.exactly("http.assertions")
}

fn row(form: &Form, i: usize, ops: &[(&str, &str)]) -> Markup {
    let number = i + 1;
    let wrong = ["kind", "of", "name", "path", "op", "value", "in"].into_iter().find_map(|part| {
        let part_name = name(i, part);
        form.wrong(&part_name).map(|wrong| (shown(part), wrong))
    });
    let invalid = |part: &str| wrong.filter(|(at, _)| *at == part).map(|_| "true");
    let complaint_id = format!("{}-wrong", id(&name(i, "row")));
    let told = |part: &str| wrong.filter(|(at, _)| *at == part).map(|_| complaint_id.clone());
    html! {
        div.assert {
            select.kind name=(name(i, "kind")) id=(id(&name(i, "kind"))) aria-label={ "Kind of assertion " (number) }
                aria-invalid=[invalid("kind")] aria-describedby=[told("kind")] { (choices(&KINDS, form.value(&name(i, "kind")))) }
            input.of name=(name(i, "of")) id=(id(&name(i, "of"))) value=(form.value(&name(i, "of"))) placeholder="header or $.path"
                aria-label={ "Header or JSONPath of assertion " (number) } aria-invalid=[invalid("of")]
                aria-describedby=[told("of")] autocomplete="off" spellcheck="false" autocapitalize="none";
            select.op name=(name(i, "op")) id=(id(&name(i, "op"))) aria-label={ "Operator of assertion " (number) }
                aria-invalid=[invalid("op")] aria-describedby=[told("op")] { (choices(ops, form.value(&name(i, "op")))) }
            input.value name=(name(i, "value")) id=(id(&name(i, "value"))) value=(form.value(&name(i, "value"))) placeholder="value"
                aria-label={ "Value of assertion " (number) } aria-invalid=[invalid("value")]
                aria-describedby=[told("value")] autocomplete="off" spellcheck="false" autocapitalize="none";
            @if let Some((_, wrong)) = wrong { p.wrong id=(complaint_id) { (wrong) } }
        }
    }
}

/// Which control of a row shows a field of the domain.
fn shown(part: &str) -> &str {
    match part {
        "name" | "path" => "of",
        "in" => "value",
        part => part,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rows_survive_a_round_trip_and_empty_ones_go() {
        let mut form = Form::default();
        for (row, kind, of, op, value) in [
            ("0", "", "", "", ""),
            ("3", "status", "", "", "200-299,401"),
            ("4", "json", "$.ok", "", "\"12\""),
            ("7", "time", "", "", "800ms"),
            ("9", "header", "X-A", "lacks", "b"),
        ] {
            for (part, text) in [("kind", kind), ("of", of), ("op", op), ("value", value)] {
                form.set(format!("{LIST}{row}].{part}"), text);
            }
        }
        let rows = compact(&mut form);
        let mut wrong = Vec::new();
        let read = super::read(&form, rows, &mut wrong);
        assert_eq!(wrong, []);
        assert_eq!(read[1], Assertion::Json { path: "$.ok".into(), op: Op::Eq, value: JsonValue::Text("12".into()) });
        assert_eq!(read[2], Assertion::Time { op: Op::Lt, limit: Duration::from_millis(800) });
        let spec = HttpSpec { assertions: read.clone(), ..HttpSpec::get("https://a.example".parse().unwrap()) };
        let mut again = Form::default();
        fill(&mut again, &spec);
        assert_eq!(super::read(&again, 4, &mut wrong), read);
    }

    #[test]
    fn a_complaint_of_the_domain_stands_at_its_row() {
        let mut form = Form::default();
        form.set("http.assertions[5].kind", "json");
        form.set("http.assertions[5].of", "$[");
        compact(&mut form);
        let form = form.refused(Invalid::new("http.assertions[0].path", "is no JSONPath"));
        let html = rows(&form).into_string();
        assert!(html.contains(r#"id="f-http-assertions-0-row-wrong">is no JSONPath"#), "{html}");
        assert!(html.contains(r#"value="$[""#) && html.contains("aria-invalid"), "{html}");
    }
}
