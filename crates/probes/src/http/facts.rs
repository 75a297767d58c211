//! What the assertions want to know of a body: looked up here, because bodies do not travel; compared by the domain.

use gazer_domain::observation::Fact;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::body::{BODY_BYTES, Kept};
use super::charset::Charset;
use super::json;
use super::plan::{Ask, Compiled};

/// One fact per assertion, in their order.
pub(crate) fn find(compiled: &Compiled, headers: &HeaderMap, body: &Kept) -> Vec<Fact> {
    if compiled.asks.is_empty() {
        return Vec::new();
    }
    let charset = Charset::of(headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()));
    let text = if compiled.asks_body { charset.decode(&body.bytes) } else { "".into() };
    let mut parsed: Option<Result<Value, String>> = None;
    let answer = |ask: &Ask| match ask {
        Ask::Nothing => Fact::NotAsked,
        Ask::Contains(needle) => Fact::Found(text.contains(needle.as_str())),
        Ask::Matches(pattern) => Fact::Found(pattern.is_match(&text)),
        Ask::HeaderMatches { name, pattern } => {
            let values = headers.get_all(name).iter();
            Fact::Found(values.filter_map(|value| value.to_str().ok()).any(|value| pattern.is_match(value)))
        }
        Ask::Json(path) => match parsed.get_or_insert_with(|| parse(body, charset, &text)) {
            Ok(value) => json::located(path, value),
            Err(why) => Fact::Missing(why.clone()),
        },
    };
    compiled.asks.iter().map(answer).collect()
}

fn parse(body: &Kept, charset: Charset, text: &str) -> Result<Value, String> {
    if body.total >= BODY_BYTES {
        return Err("the body is longer than 1 MiB and was not read to its end".into());
    }
    if body.bytes.is_empty() {
        return Err("the body is empty".into());
    }
    match charset.behind_mark(&body.bytes) {
        // Not the text, where replacement characters would stand for what is no JSON.
        (Charset::Utf8, bytes) => json::parse(bytes),
        _ => json::parse(text.as_bytes()),
    }
}
