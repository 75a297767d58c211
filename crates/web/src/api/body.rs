//! JSON bodies, read strictly: whatever cannot be taken as it is becomes a problem that names the field.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::request::no_query;
use crate::Problem;

mod strict;

/// A whole object, for `POST`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// What is to change, for `PATCH`: a JSON merge patch (RFC 7396). What is absent stays, and `null` clears what can be
/// absent. Elsewhere it is refused: whether it means "the default" or "as it was", it would surprise somebody.
#[derive(Debug)]
pub(crate) struct Patch(Map<String, Value>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        no_query(request.uri())?;
        let object = object(request, state).await?;
        Ok(Self(strict::read(&Value::Object(object))?))
    }
}

impl<S: Send + Sync> FromRequest<S> for Patch {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        object(request, state).await.map(Self)
    }
}

impl Patch {
    /// What `current` becomes, read as strictly as a whole object. `clears` has the paths where `null` means something;
    /// one that ends with a dot stands for all below it. A `null` for a field that nobody knows is kept, not dropped, so
    /// that it is refused as what it is.
    pub(crate) fn apply<T: DeserializeOwned>(self, current: Value, clears: &[&str]) -> Result<T, Problem> {
        let mut merged = current;
        for (name, value) in self.0 {
            merge(&mut merged, name.clone(), &name, value, clears)?;
        }
        Ok(strict::read(&merged)?)
    }

    /// The object at that path of the patch, if there is one.
    pub(crate) fn object_mut(&mut self, path: &[&str]) -> Option<&mut Map<String, Value>> {
        path.iter().try_fold(&mut self.0, |object, name| object.get_mut(*name)?.as_object_mut())
    }
}

const NULL: &str = "must not be null; leave it out to keep it as it is";

/// Puts `value` into the member `name` of `into`; `path` is where that is.
fn merge(into: &mut Value, path: String, name: &str, value: Value, clears: &[&str]) -> Result<(), Problem> {
    let Value::Object(into) = into else { unreachable!("only objects are merged into") };
    let known = into.contains_key(name);
    let means = |clear: &&str| if clear.ends_with('.') { path.starts_with(*clear) } else { path == *clear };
    if known && value.is_null() && !clears.iter().any(means) {
        return Err(Problem::field(path, NULL));
    }
    let slot = into.entry(name).or_insert(Value::Null);
    match (&slot, value) {
        (Value::Object(_), Value::Object(members)) => {
            for (name, value) in members {
                merge(slot, format!("{path}.{name}"), &name, value, clears)?;
            }
        }
        (_, value) => *slot = value,
    }
    Ok(())
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
    if bytes.is_empty() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "The body is empty. Send a JSON object."));
    }
    let value = serde_json::from_slice(&bytes)
        .map_err(|err| Problem::new(StatusCode::BAD_REQUEST, format!("The body is not JSON: {err}")))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Problem::new(StatusCode::BAD_REQUEST, "The body must be a JSON object.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        size: Option<String>,
        inner: Option<Inner>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(default)]
        labels: Map<String, Value>,
    }

    fn patched(patch: &Value) -> Result<Outer, Problem> {
        let current = json!({"name": "a", "size": "2", "inner": {"labels": {"x": 1}}});
        Patch(patch.as_object().cloned().unwrap()).apply(current, &["size", "inner.labels."])
    }

    #[test]
    fn a_patch_leaves_what_it_does_not_name() {
        let renamed = patched(&json!({"name": "b", "inner": {"labels": {"y": 2}}})).unwrap();
        let labels = json!({"x": 1, "y": 2}).as_object().cloned().unwrap();
        assert_eq!(renamed, Outer { name: "b".into(), size: Some("2".into()), inner: Some(Inner { labels }) });
    }

    #[test]
    fn null_clears_what_can_be_absent_and_nothing_else() {
        assert_eq!(patched(&json!({"size": null})).unwrap().size, None);
        assert_eq!(
            patched(&json!({"inner": {"labels": {"x": null}}})).unwrap().inner.unwrap().labels["x"],
            Value::Null
        );
        for (patch, field, told) in [
            (json!({"name": null}), "name", NULL),
            (json!({"inner": null}), "inner", NULL),
            (json!({"inner": {"labels": null}}), "inner.labels", NULL),
            (json!({"nmae": null}), "nmae", "is not known here; there are name, size and inner"),
        ] {
            assert_eq!(patched(&patch), Err(Problem::field(field, told)), "{patch}");
        }
    }
}
