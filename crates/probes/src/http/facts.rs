//! What the assertions want to know of a body: looked up here, because bodies do not travel; compared by the domain.

use gazer_domain::observation::{Fact, JsonValue};
use http::HeaderMap;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::body::{BODY_BYTES, Kept};
use super::plan::{Ask, Compiled};

/// A compound value is compared and shown as text up to this length.
const COMPOUND_BYTES: usize = 4 * 1024;

/// One fact per assertion, in their order.
pub(crate) fn find(compiled: &Compiled, headers: &HeaderMap, body: &Kept) -> Vec<Fact> {
    if compiled.asks.is_empty() {
        return Vec::new();
    }
    let text = if compiled.asks_body { String::from_utf8_lossy(&body.bytes) } else { "".into() };
    let mut parsed: Option<Result<Value, String>> = None;
    let answer = |ask: &Ask| match ask {
        Ask::Nothing => Fact::NotAsked,
        Ask::Contains(needle) => Fact::Found(text.contains(needle.as_str())),
        Ask::Matches(pattern) => Fact::Found(pattern.is_match(&text)),
        Ask::HeaderMatches { name, pattern } => {
            let values = headers.get_all(name).iter();
            Fact::Found(values.filter_map(|value| value.to_str().ok()).any(|value| pattern.is_match(value)))
        }
        Ask::Json(path) => match parsed.get_or_insert_with(|| parse(body)) {
            Ok(value) => located(path, value),
            Err(why) => Fact::Missing(why.clone()),
        },
    };
    compiled.asks.iter().map(answer).collect()
}

fn parse(body: &Kept) -> Result<Value, String> {
    if body.total >= BODY_BYTES {
        return Err("the body is longer than 1 MiB and was not read to its end".into());
    }
    if body.bytes.is_empty() {
        return Err("the body is empty".into());
    }
    serde_json::from_slice(&body.bytes).map_err(|err| format!("the body is not JSON ({err})"))
}

fn located(path: &JsonPath, value: &Value) -> Fact {
    let found = path.query(value);
    match found.len() {
        0 => Fact::Missing("no such value".into()),
        1 => found.first().map_or_else(|| Fact::Missing("no such value".into()), |one| Fact::Value(shown(one))),
        n => Fact::Missing(format!("{n} values, expected one")),
    }
}

fn shown(value: &Value) -> JsonValue {
    match value {
        Value::Null => JsonValue::Null,
        Value::Bool(value) => JsonValue::Bool(*value),
        Value::Number(value) => value.as_f64().map_or_else(|| JsonValue::Text(value.to_string()), JsonValue::Number),
        Value::String(text) => JsonValue::Text(text.clone()),
        compound => JsonValue::Compound(compound.to_string().chars().take(COMPOUND_BYTES).collect()),
    }
}
