//! `/openapi.json`: the description of this API, OpenAPI 3.1.
//!
//! Endpoints describe what they answer when all is well. What they refuse is the same everywhere, follows from what
//! they are, and is added here to each: who may, whether there is such a thing, whether the input can be taken.

use std::collections::BTreeMap;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder, Server,
};
use utoipa::{PartialSchema, ToSchema};

use crate::error::Wire;

const PROBLEM: &str = "application/problem+json";

pub(super) fn preface() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API token, gzr_…, from the Account page or from `gazer token create`."))
        .build();
    let components = ComponentsBuilder::new()
        .schema(Wire::name(), Wire::schema())
        .security_scheme("token", SecurityScheme::Http(bearer))
        .build();
    let described = "Times are RFC 3339, durations are texts such as `30s`, lists are pages: `next` is the `cursor` of \
                     the page after. Errors are problem details (RFC 9457) and name the `field` at fault.";
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Gazer").version("1").description(Some(described)).build())
        .servers(Some([Server::new("/api/v1")]))
        .components(Some(components))
        .security(Some([SecurityRequirement::new("token", Vec::<String>::new())]))
        .build()
}

/// The finished document, printed once.
pub(super) fn print(mut document: OpenApi) -> Bytes {
    for (path, item) in &mut document.paths.paths {
        let operations =
            [(&mut item.get, false), (&mut item.post, true), (&mut item.patch, true), (&mut item.delete, true)];
        for (operation, changes) in operations {
            if let Some(operation) = operation {
                name(operation);
                add_refusals(operation, path, changes);
            }
        }
    }
    let mut document = serde_json::to_value(document).expect("the document holds only texts and numbers");
    open_what_is_extended(&mut document);
    format!("{document:#}\n").into()
}

/// Settings refuse unknown members when they come in. Answers extend them (`allOf`), and there the same refusal would
/// make every answer invalid: JSON Schema judges each part by itself.
fn open_what_is_extended(document: &mut serde_json::Value) {
    for name in ["MonitorSettings", "RuleSettings"] {
        let schema = document["components"]["schemas"][name].as_object_mut();
        schema.expect("both are bodies of requests").remove("additionalProperties");
    }
}

/// `monitors.list`: the tag makes the name of a handler one of its kind.
fn name(operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next().map_or(String::new(), |tag| tag.replace(' ', "-"));
    operation.operation_id = operation.operation_id.take().map(|id| format!("{tag}.{id}"));
}

fn add_refusals(operation: &mut Operation, path: &str, changes: bool) {
    let mut refusals =
        BTreeMap::from([("401", "No valid API token was sent"), ("500", "Gazer failed; its log says why")]);
    if changes || path.starts_with("/tokens") {
        refusals.insert("403", "The token's role does not suffice");
    }
    if path.contains("{id}") {
        refusals.insert("404", "The team has no such thing");
    }
    if operation.request_body.is_some() {
        refusals.insert("400", "The body is not a JSON object");
        refusals.insert("413", "The body is larger than 256 KiB");
        refusals.insert("415", "The body is not said to be JSON");
        refusals.insert("422", "A field cannot be taken as it is; `field` names it");
    } else {
        refusals.insert("400", "The query cannot be read");
        refusals.insert("422", "A parameter cannot be taken as it is; `field` names it");
    }
    for (status, description) in refusals {
        operation.responses.responses.insert(status.to_owned(), refusal(description));
    }
    let late = ResponseBuilder::new().description("Gazer took too long").build();
    operation.responses.responses.insert("504".to_owned(), late.into());
    // Conflicts are described where they arise; their body is the same.
    if let Some(RefOr::T(conflict)) = operation.responses.responses.get_mut("409") {
        let described = conflict.description.clone();
        operation.responses.responses.insert("409".to_owned(), refusal(&described));
    }
}

fn refusal(description: &str) -> RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Wire::name()))).build();
    ResponseBuilder::new().description(description).content(PROBLEM, content).build().into()
}

/// Open to strangers: it says nothing of anybody.
pub(super) async fn serve(document: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], document)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    fn document() -> Value {
        let (_, document) = crate::api::endpoints().split_for_parts();
        serde_json::from_slice(&super::print(document)).unwrap()
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_it_refuses() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        let mut names = HashSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
                let refusal = &operation["responses"]["401"]["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(refusal, "#/components/schemas/Problem", "{method} {path}");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut left = vec![&document];
        while let Some(value) = left.pop() {
            match value {
                Value::Array(items) => left.extend(items),
                Value::Object(members) => {
                    if let Some(Value::String(to)) = members.get("$ref") {
                        let pointer = to.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{to}");
                    }
                    left.extend(members.values());
                }
                _ => {}
            }
        }
    }
}
