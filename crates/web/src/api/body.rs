//! JSON bodies, read strictly: whatever cannot be taken as it is becomes a problem that names the field.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::request::no_query;
use crate::Problem;

/// A whole object, for `POST`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// What is to change, for `PATCH`: a JSON merge patch (RFC 7396). What is absent stays, and `null` clears.
#[derive(Debug)]
pub(crate) struct Patch(Map<String, Value>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        no_query(request.uri())?;
        let object = object(request, state).await?;
        read(Value::Object(object)).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for Patch {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        object(request, state).await.map(Self)
    }
}

impl Patch {
    /// What `current` becomes, read as strictly as a whole object. `null` is kept, not dropped, so that a required
    /// field that is cleared and an unknown field that is cleared are both refused by name.
    pub(crate) fn apply<T: DeserializeOwned>(self, current: Value) -> Result<T, Problem> {
        let mut merged = current;
        merge(&mut merged, Value::Object(self.0));
        read(merged)
    }

    /// The object at that path of the patch, if there is one.
    pub(crate) fn object_mut(&mut self, path: &[&str]) -> Option<&mut Map<String, Value>> {
        path.iter().try_fold(&mut self.0, |object, name| object.get_mut(*name)?.as_object_mut())
    }
}

fn merge(into: &mut Value, patch: Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, patch) => *into = patch,
    }
}

async fn object<S: Send + Sync>(request: Request, state: &S) -> Result<Map<String, Value>, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send JSON, with Content-Type: application/json"));
    }
    let bytes = Bytes::from_request(request, state).await.map_err(|err| match err.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 256 KiB.")
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "The body broke off."),
    })?;
    let value = serde_json::from_slice(&bytes)
        .map_err(|err| Problem::new(StatusCode::BAD_REQUEST, format!("The body is not JSON: {err}")))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Problem::new(StatusCode::BAD_REQUEST, "The body must be a JSON object.")),
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|err| {
        let at = err.path().to_string();
        let message = err.inner().to_string();
        // A missing field is reported at the object that lacks it.
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        match (missing, at.as_str()) {
            (Some(name), ".") => Problem::field(name, "is missing"),
            (Some(name), at) => Problem::field(format!("{at}.{name}"), "is missing"),
            (None, _) => Problem::field(at, message),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        inner: Option<Inner>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        sizes: Vec<u8>,
    }

    #[test]
    fn a_refusal_names_the_field() {
        for (value, field) in [
            (json!({}), "name"),
            (json!({"name": 5}), "name"),
            (json!({"name": "a", "nmae": 1}), "nmae"),
            (json!({"name": "a", "inner": {}}), "inner.sizes"),
            (json!({"name": "a", "inner": {"sizes": [1, 300]}}), "inner.sizes[1]"),
            (json!({"name": "a", "inner": {"sizes": [], "x": 1}}), "inner.x"),
        ] {
            let problem = read::<Outer>(value.clone()).unwrap_err();
            assert_eq!(problem.field.as_deref(), Some(field), "{value}: {problem:?}");
        }
    }

    #[test]
    fn a_patch_leaves_what_it_does_not_name_and_clears_with_null() {
        let current = || json!({"name": "a", "inner": {"sizes": [1]}});
        let patch = |value: Value| Patch(value.as_object().cloned().unwrap());
        let renamed: Outer = patch(json!({"name": "b"})).apply(current()).unwrap();
        assert_eq!(renamed, Outer { name: "b".into(), inner: Some(Inner { sizes: vec![1] }) });
        let cleared: Outer = patch(json!({"inner": null})).apply(current()).unwrap();
        assert_eq!(cleared.inner, None);
        for refused in [json!({"name": null}), json!({"nmae": null})] {
            let field = refused.as_object().unwrap().keys().next().cloned();
            assert_eq!(patch(refused).apply::<Outer>(current()).unwrap_err().field, field);
        }
    }
}
