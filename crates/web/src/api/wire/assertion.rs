//! Assertions. One flat struct on the wire, so that a refusal can name the member at fault.

use gazer_domain::Invalid;
use gazer_domain::assertion::{self as domain, Op, StatusSet};
use gazer_domain::observation::JsonValue;
use gazer_domain::time::{format_duration, parse_duration};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What an answer must be like. Which members belong to it depends on its kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assertion {
    kind: Kind,
    /// For `status`: codes and ranges, as in `200-299,401`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "200-299,401")]
    r#in: Option<String>,
    /// For `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// For `json`: a JSONPath (RFC 9535) that names one value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// One of `== != < <= > >= contains lacks matches`, as far as the kind knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    op: Option<String>,
    /// Text for `header` and `body`, any simple value for `json`, a duration for `time` and `certificate`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    value: Option<Value>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AssertionKind)]
enum Kind {
    #[default]
    Status,
    Header,
    Body,
    Json,
    Time,
    Certificate,
}

/// Keeps `"value": null`, which a `json` assertion may ask for, apart from no value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Assertion {
    /// `at` is the path of this assertion.
    pub(crate) fn resolve(self, at: &str) -> Result<domain::Assertion, Invalid> {
        let members = Members { at, of: self };
        members.refuse_strangers()?;
        Ok(match members.of.kind {
            Kind::Status => {
                let set = members.text("in", members.of.r#in.as_deref())?;
                domain::Assertion::Status(StatusSet::parse(set).map_err(|why| members.refuse("in", why))?)
            }
            Kind::Header => domain::Assertion::Header {
                name: members.text("name", members.of.name.as_deref())?.to_owned(),
                op: members.op()?,
                value: members.value_text()?.to_owned(),
            },
            Kind::Body => domain::Assertion::Body { op: members.op()?, value: members.value_text()?.to_owned() },
            Kind::Json => domain::Assertion::Json {
                path: members.text("path", members.of.path.as_deref())?.to_owned(),
                op: members.op()?,
                value: members.value_json()?,
            },
            Kind::Time => domain::Assertion::Time { op: members.op()?, limit: members.value_span()? },
            Kind::Certificate => domain::Assertion::Certificate { op: members.op()?, left: members.value_span()? },
        })
    }
}

struct Members<'a> {
    at: &'a str,
    of: Assertion,
}

impl Members<'_> {
    fn refuse(&self, member: &str, why: impl Into<String>) -> Invalid {
        Invalid::new(format!("{}.{member}", self.at), why)
    }

    fn refuse_strangers(&self) -> Result<(), Invalid> {
        let belongs: &[&str] = match self.of.kind {
            Kind::Status => &["in"],
            Kind::Header => &["name", "op", "value"],
            Kind::Json => &["path", "op", "value"],
            Kind::Body | Kind::Time | Kind::Certificate => &["op", "value"],
        };
        let given = [
            ("in", self.of.r#in.is_some()),
            ("name", self.of.name.is_some()),
            ("path", self.of.path.is_some()),
            ("op", self.of.op.is_some()),
            ("value", self.of.value.is_some()),
        ];
        match given.into_iter().find(|(name, given)| *given && !belongs.contains(name)) {
            None => Ok(()),
            Some((name, _)) => Err(self.refuse(name, "does not belong to an assertion of this kind")),
        }
    }

    fn text<'t>(&self, member: &str, text: Option<&'t str>) -> Result<&'t str, Invalid> {
        text.filter(|text| !text.is_empty()).ok_or_else(|| self.refuse(member, "is missing"))
    }

    fn op(&self) -> Result<Op, Invalid> {
        let text = self.text("op", self.of.op.as_deref())?;
        Op::parse(text).ok_or_else(|| self.refuse("op", "must be one of == != < <= > >= contains lacks matches"))
    }

    fn value(&self) -> Result<&Value, Invalid> {
        self.of.value.as_ref().ok_or_else(|| self.refuse("value", "is missing"))
    }

    fn value_text(&self) -> Result<&str, Invalid> {
        self.value()?.as_str().ok_or_else(|| self.refuse("value", "must be text"))
    }

    fn value_span(&self) -> Result<std::time::Duration, Invalid> {
        let text = self.value()?.as_str();
        let text = text.ok_or_else(|| self.refuse("value", "must be a duration as text, such as \"800ms\""))?;
        parse_duration(text).map_err(|why| self.refuse("value", why))
    }

    fn value_json(&self) -> Result<JsonValue, Invalid> {
        Ok(match self.value()? {
            Value::Null => JsonValue::Null,
            Value::Bool(value) => JsonValue::Bool(*value),
            Value::Number(value) => JsonValue::Number(value.as_f64().unwrap_or(f64::NAN)),
            Value::String(value) => JsonValue::Text(value.clone()),
            Value::Array(_) | Value::Object(_) => {
                return Err(self.refuse("value", "must be text, a number, true, false or null"));
            }
        })
    }
}

impl From<&domain::Assertion> for Assertion {
    fn from(assertion: &domain::Assertion) -> Self {
        let of = |kind: Kind, op: Op, value: Value| Self {
            kind,
            op: Some(op.to_string()),
            value: Some(value),
            ..Self::default()
        };
        match assertion {
            domain::Assertion::Status(set) => Self { r#in: Some(set.to_string()), ..Self::default() },
            domain::Assertion::Header { name, op, value } => {
                Self { name: Some(name.clone()), ..of(Kind::Header, *op, value.as_str().into()) }
            }
            domain::Assertion::Body { op, value } => of(Kind::Body, *op, value.as_str().into()),
            domain::Assertion::Json { path, op, value } => {
                Self { path: Some(path.clone()), ..of(Kind::Json, *op, json(value)) }
            }
            domain::Assertion::Time { op, limit } => of(Kind::Time, *op, format_duration(*limit).into()),
            domain::Assertion::Certificate { op, left } => of(Kind::Certificate, *op, format_duration(*left).into()),
        }
    }
}

fn json(value: &JsonValue) -> Value {
    match value {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(value) => (*value).into(),
        // Whole numbers go out as they came in: 3, not 3.0. Beyond 2^53 a double is no longer exact.
        JsonValue::Number(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
            (*value as i64).into()
        }
        JsonValue::Number(value) => (*value).into(),
        JsonValue::Text(value) | JsonValue::Compound(value) => value.as_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_goes_out_as_it_came_in() {
        for wire in [
            json!({"kind": "status", "in": "200-299,401"}),
            json!({"kind": "header", "name": "X-A", "op": "==", "value": "1"}),
            json!({"kind": "body", "op": "matches", "value": "a+"}),
            json!({"kind": "json", "path": "$.a", "op": ">=", "value": 3}),
            json!({"kind": "json", "path": "$.a", "op": "==", "value": null}),
            json!({"kind": "json", "path": "$.a", "op": "!=", "value": 0.5}),
            json!({"kind": "time", "op": "<", "value": "800ms"}),
            json!({"kind": "certificate", "op": ">", "value": "14d"}),
        ] {
            let read: Assertion = serde_json::from_value(wire.clone()).unwrap();
            let domain = read.resolve("a").unwrap();
            assert_eq!(serde_json::to_value(Assertion::from(&domain)).unwrap(), wire);
        }
    }

    #[test]
    fn a_refusal_names_the_member() {
        for (wire, field) in [
            (json!({"kind": "status"}), "a.in"),
            (json!({"kind": "status", "in": "9-1"}), "a.in"),
            (json!({"kind": "status", "in": "200", "op": "=="}), "a.op"),
            (json!({"kind": "body", "op": "like", "value": "x"}), "a.op"),
            (json!({"kind": "body", "op": "contains", "value": 5}), "a.value"),
            (json!({"kind": "json", "path": "$.a", "op": "==", "value": []}), "a.value"),
            (json!({"kind": "json", "op": "==", "value": 1}), "a.path"),
            (json!({"kind": "time", "op": "<", "value": 800}), "a.value"),
            (json!({"kind": "header", "op": "==", "value": "x"}), "a.name"),
        ] {
            let read: Assertion = serde_json::from_value(wire.clone()).unwrap();
            assert_eq!(read.resolve("a").unwrap_err().field, field, "{wire}");
        }
    }
}
