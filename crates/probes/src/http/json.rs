//! Looking into JSON of other people's making, at a cost that is known beforehand.
//!
//! A body of 1 MiB may hold 150,000 tiny objects, which take a hundred times their text; and a path is a small program
//! that may visit each value many times. So both are bounded: what parsing may allocate ([`PARSED_BYTES`]), and what a
//! path may say ([`path`]).

use std::cell::Cell;
use std::fmt;

use gazer_domain::Invalid;
use gazer_domain::observation::{Fact, JsonValue};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_json_path::JsonPath;

/// What the values of one body may take, as estimated below. Beyond it the body is not looked into.
pub(crate) const PARSED_BYTES: usize = 4 << 20;
/// A compound value is compared and shown as text up to this length.
const COMPOUND_BYTES: usize = 4 * 1024;

/// A `Value` itself.
const VALUE: usize = size_of::<Value>();
/// What the allocator adds to each piece.
const PIECE: usize = 16;
/// The first node of a map has room for eleven entries.
const NODE: usize = 11 * (size_of::<String>() + VALUE) + PIECE;
const NODE_ENTRIES: usize = 11;
/// An entry of a map that has several nodes, which are half full.
const ENTRY: usize = 2 * (size_of::<String>() + VALUE);

/// Parses a whole body. The error says why it cannot be looked into.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let left = Cell::new(Some(PARSED_BYTES));
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = Metered(&left).deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    parsed.map_err(|err| match left.get() {
        None => "the body is too large to look into: its values take more than 4 MiB".into(),
        Some(_) => format!("the body is not JSON ({err})"),
    })
}

/// Takes from what is left before it keeps anything; nothing is left once that fails.
#[derive(Clone, Copy)]
struct Metered<'a>(&'a Cell<Option<usize>>);

impl Metered<'_> {
    fn take<E: serde::de::Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().and_then(|left| left.checked_sub(bytes));
        self.0.set(left);
        left.map(drop).ok_or_else(|| E::custom("too large"))
    }
}

impl<'de> DeserializeSeed<'de> for Metered<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Metered<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.take::<E>(text.len() + PIECE)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            // A list doubles when it is full, and begins with four.
            if values.len() == values.capacity() {
                self.take::<A::Error>(if values.is_empty() { 4 * VALUE + PIECE } else { values.capacity() * VALUE })?;
            }
            let Some(value) = list.next_element_seed(self)? else { return Ok(Value::Array(values)) };
            values.push(value);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let room = match map.len() {
                0 => NODE,
                1..NODE_ENTRIES => 0,
                _ => ENTRY,
            };
            self.take::<A::Error>(key.len() + PIECE + room)?;
            map.insert(key, entries.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

/// The one value that a path names.
pub(crate) fn located(path: &JsonPath, value: &Value) -> Fact {
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

/// Reads an RFC 9535 path and bounds what evaluating it can cost: an assertion asks for one value. A second `..` would
/// visit what the first has found once more for each of its ancestors, and a list of selectors would multiply it.
pub(crate) fn path(text: &str, field: &str) -> Result<JsonPath, Invalid> {
    let refused = |message: String| Invalid::new(field, message);
    let cost = PathCost::of(text);
    if text.len() > 512 || cost.descents > 1 || cost.commas > 1 || cost.filters > 3 || cost.inner_roots > 0 {
        return Err(refused(
            "must be a short path: at most 512 bytes, one `..`, one comma and three filters, with `$` only at its start"
                .into(),
        ));
    }
    if cost.commas_after_descent > 0 {
        return Err(refused("must not list several selectors after `..`".into()));
    }
    if cost.descends_in_filter {
        return Err(refused("must not use `..` within a filter".into()));
    }
    JsonPath::parse(text).map_err(|err| refused(format!("must be a JSONPath (RFC 9535) such as $.status: {err}")))
}

#[derive(Default)]
struct PathCost {
    descents: usize,
    commas: usize,
    commas_after_descent: usize,
    filters: usize,
    inner_roots: usize,
    descends_in_filter: bool,
}

impl PathCost {
    /// Counts outside of quotes.
    fn of(text: &str) -> Self {
        let mut cost = Self::default();
        let mut quote: Option<char> = None;
        let mut before = ' ';
        let mut escaped = false;
        for (at, c) in text.char_indices() {
            if let Some(open) = quote {
                quote = if c == open && !escaped { None } else { quote };
                escaped = c == '\\' && !escaped;
                continue;
            }
            match c {
                '\'' | '"' => quote = Some(c),
                '.' if before == '.' => {
                    cost.descents += 1;
                    cost.descends_in_filter |= cost.filters > 0;
                }
                ',' => {
                    cost.commas += 1;
                    cost.commas_after_descent += usize::from(cost.descents > 0);
                }
                '?' => cost.filters += 1,
                '$' if at > 0 => cost.inner_roots += 1,
                _ => {}
            }
            before = c;
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_could_cost_much_is_refused() {
        for path in [
            "status",
            "$..a..b",
            "$..*..*",
            "$..[0,1]",
            "$[?@..a]",
            "$.a[?$.b]",
            "$[*,*][*,*]",
            "$[?search(@.a, '(a{1000}){1000}')]",
        ] {
            assert!(super::path(path, "field").is_err(), "{path}");
        }
        for path in ["$.status", "$..price", "$..*", "$.items[?@.name == 'a..b,$'].up", "$['a','b'][0]"] {
            super::path(path, "field").unwrap();
        }
    }

    #[test]
    fn what_takes_little_text_and_much_memory_is_not_looked_into() {
        let tiny = format!("[{}0]", r#"{"":0},"#.repeat(140_000));
        assert!(parse(tiny.as_bytes()).unwrap_err().contains("too large to look into"));
        let list = format!("[{}0]", "0,".repeat(500_000));
        assert!(parse(list.as_bytes()).unwrap_err().contains("too large to look into"));
        let ordinary: Vec<String> =
            (0..4_000).map(|n| format!(r#"{{"id":{n},"name":"article {n}","up":true}}"#)).collect();
        assert_eq!(parse(format!("[{}]", ordinary.join(",")).as_bytes()).unwrap().as_array().unwrap().len(), 4_000);
    }

    #[test]
    fn a_value_reads_as_serde_json_reads_it() {
        for text in [r#"{"a":[1,-2,3.5,"x",null,true,{}],"b":{"c":[]}}"#, "7", r#""é""#] {
            assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
        for wrong in ["", "{", "[1,]", "{} x", &"[".repeat(1_000)] {
            assert!(parse(wrong.as_bytes()).unwrap_err().starts_with("the body is not JSON ("), "{wrong}");
        }
    }
}
