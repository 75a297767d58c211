//! From a JSON value to a struct, with refusals that are for whoever sent the value.
//!
//! serde_json does the same with errors for programmers: "invalid type: string, expected struct Http". Here each one
//! knows the path of its field and says in plain words what would be right. Stricter, too: a list is never taken for an
//! object, member by member, as derived code would.

use std::fmt;

use gazer_domain::Invalid;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde_json::{Map, Value};

pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Invalid> {
    T::deserialize(At(value)).map_err(|Refused { path, message }| Invalid::new(path, message))
}

/// One value of the body, to be read.
#[derive(Clone, Copy)]
struct At<'a>(&'a Value);

#[derive(Debug)]
struct Refused {
    /// From the value that was being read; those around it put their names before it.
    path: String,
    message: String,
}

impl Refused {
    fn new(message: String) -> Self {
        Self { path: String::new(), message }
    }

    fn field(name: &str, message: String) -> Self {
        Self { path: name.to_owned(), message }
    }

    fn member(mut self, name: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{joint}{}", self.path);
        self
    }

    fn item(self, index: usize) -> Self {
        self.member(&format!("[{index}]"))
    }
}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {}", plain(&expected.to_string())))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {}", plain(&expected.to_string())))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::field(
            name,
            format!("is not known here; there {} {}", if known.len() == 1 { "is" } else { "are" }, all(known, "and")),
        )
    }

    fn missing_field(name: &'static str) -> Self {
        Self::field(name, "is missing".into())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for Refused {}

/// What serde's own readers say that they expect. Ours say it plainly already.
fn plain(expected: &str) -> &str {
    match expected {
        "a string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        other => other,
    }
}

fn all(names: &[&str], and: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} {and} {last}", most.join(", ")),
    }
}

impl<'de> Deserializer<'de> for At<'de> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Object(members) => visitor.visit_map(Members { left: members.iter(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Object(_) => self.deserialize_any(visitor),
            _ => Err(Refused::new(format!("must be an object with {}", all(fields, "and")))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self.0 {
            Value::String(word) if variants.contains(&word.as_str()) => {
                visitor.visit_enum(word.as_str().into_deserializer())
            }
            _ if variants.len() == 1 => Err(Refused::new(format!("must be {}", variants[0]))),
            _ => Err(Refused::new(format!("must be one of {}", all(variants, "and")))),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'a>(std::iter::Enumerate<std::slice::Iter<'a, Value>>);

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(At(item)).map(Some).map_err(|refused| refused.item(index))
    }
}

struct Members<'a> {
    left: <&'a Map<String, Value> as IntoIterator>::IntoIter,
    value: Option<(&'a str, &'a Value)>,
}

impl<'a> MapAccess<'a> for Members<'a> {
    type Error = Refused;

    fn next_key_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        let Some((name, value)) = self.left.next() else { return Ok(None) };
        self.value = Some((name, value));
        seed.deserialize(name.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        let (name, value) = self.value.take().expect("serde asks for a value after its key");
        seed.deserialize(At(value)).map_err(|refused| refused.member(name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        inner: Option<Inner>,
        kind: Option<Kind>,
        #[serde(default)]
        labels: BTreeMap<String, bool>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        sizes: Vec<String>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Round,
        Flat,
    }

    #[test]
    fn what_is_right_is_read() {
        let value = json!({"name": "a", "inner": {"sizes": ["1"]}, "kind": "flat", "labels": {"x": true}});
        let inner = Some(Inner { sizes: vec!["1".into()] });
        let labels = BTreeMap::from([("x".into(), true)]);
        assert_eq!(read(&value), Ok(Outer { name: "a".into(), inner, kind: Some(Kind::Flat), labels }));
    }

    #[test]
    fn a_refusal_names_the_field_and_says_what_would_be_right() {
        for (value, field, message) in [
            (json!({}), "name", "is missing"),
            (json!({"name": 5}), "name", "must be text"),
            (json!({"name": null}), "name", "must be text"),
            (json!({"name": "a", "nmae": 1}), "nmae", "is not known here; there are name, inner, kind and labels"),
            (json!({"name": "a", "inner": {}}), "inner.sizes", "is missing"),
            (json!({"name": "a", "inner": [[]]}), "inner", "must be an object with sizes"),
            (json!({"name": "a", "inner": {"sizes": "1"}}), "inner.sizes", "must be a list"),
            (json!({"name": "a", "inner": {"sizes": ["1", {}]}}), "inner.sizes[1]", "must be text"),
            (json!({"name": "a", "inner": {"sizes": [], "x": 1}}), "inner.x", "is not known here; there is sizes"),
            (json!({"name": "a", "kind": "odd"}), "kind", "must be one of round and flat"),
            (json!({"name": "a", "kind": {"round": 1}}), "kind", "must be one of round and flat"),
            (json!({"name": "a", "labels": {"X-A": "yes"}}), "labels.X-A", "must be true or false"),
            (json!({"name": "a", "labels": []}), "labels", "must be an object"),
        ] {
            assert_eq!(read::<Outer>(&value), Err(Invalid::new(field, message)), "{value}");
        }
    }
}
