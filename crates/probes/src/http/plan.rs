//! A monitor made ready: everything that does not change between two checks is computed once per revision.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use gazer_domain::Invalid;
use gazer_domain::assertion::{Assertion, Op};
use gazer_domain::http::{Auth, HttpSpec};
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use regex::{Regex, RegexBuilder};
use rustls_pki_types::ServerName;
use serde_json_path::JsonPath;
use url::{Host, Position, Url};

/// Compiled size of a pattern, and of the cache that its search may build.
const REGEX_BYTES: usize = 1 << 20;

/// A compiled monitor; cheap to clone.
#[derive(Debug, Clone)]
pub struct Plan(Arc<Compiled>);

#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) spec: HttpSpec,
    pub(crate) first: Outgoing,
    /// One per assertion, in their order.
    pub(crate) asks: Vec<Ask>,
    pub(crate) asks_body: bool,
}

/// What an assertion wants to know that the answer's head does not say.
#[derive(Debug)]
pub(crate) enum Ask {
    Nothing,
    Contains(String),
    Matches(Regex),
    HeaderMatches { name: HeaderName, pattern: Regex },
    Json(JsonPath),
}

/// One request, ready to go to one place.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) to: Target,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// The name to greet with and to verify; none over plain HTTP.
    pub(crate) tls: Option<ServerName<'static>>,
    /// Path and query, as HTTP/1.1 asks for it.
    pub(crate) origin_form: Uri,
}

impl Plan {
    pub(crate) fn compile(spec: &HttpSpec, user_agent: &HeaderValue) -> Result<Self, Invalid> {
        spec.validate()?;
        let to = Target::new(&spec.url).map_err(|message| Invalid::new("http.url", message))?;
        let method = Method::from_bytes(spec.method.as_str().as_bytes()).expect("our methods are tokens");
        let body = Bytes::from(spec.body.clone().unwrap_or_default());
        let headers = headers(spec, user_agent, &to)?;
        let asks = spec.assertions.iter().enumerate().map(|(i, one)| ask(i, one)).collect::<Result<Vec<_>, _>>()?;
        let asks_body = asks.iter().any(|ask| matches!(ask, Ask::Contains(_) | Ask::Matches(_) | Ask::Json(_)));
        let first = Outgoing { method, headers, body, to };
        Ok(Self(Arc::new(Compiled { spec: spec.clone(), first, asks, asks_body })))
    }

    pub fn spec(&self) -> &HttpSpec {
        &self.0.spec
    }

    pub(crate) fn compiled(&self) -> &Arc<Compiled> {
        &self.0
    }
}

impl Target {
    /// Refuses what is never asked, whatever the egress policy.
    pub(crate) fn new(url: &Url) -> Result<Self, String> {
        gazer_domain::http::judge_url(url)?;
        let host = url.host().ok_or("must name a host")?.to_owned();
        let port = url.port_or_known_default().ok_or("must have a port")?;
        let origin_form = url[Position::BeforePath..Position::AfterQuery]
            .parse::<Uri>()
            .map_err(|err| format!("has a path that cannot be sent: {err}"))?;
        let tls = (url.scheme() == "https").then(|| server_name(&host)).transpose()?;
        Ok(Self { url: url.clone(), host, port, tls, origin_form })
    }

    /// Host and port as the `Host` header has them: the port only where it is not the scheme's own.
    pub(crate) fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    pub(crate) fn host_str(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(crate) fn borrowed_host(&self) -> Host<&str> {
        match &self.host {
            Host::Domain(name) => Host::Domain(name),
            Host::Ipv4(ip) => Host::Ipv4(*ip),
            Host::Ipv6(ip) => Host::Ipv6(*ip),
        }
    }
}

fn server_name(host: &Host<String>) -> Result<ServerName<'static>, String> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|_| format!("{name} is not a name that a certificate can hold")),
        Host::Ipv4(ip) => Ok(ServerName::IpAddress(std::net::IpAddr::V4(*ip).into())),
        Host::Ipv6(ip) => Ok(ServerName::IpAddress(std::net::IpAddr::V6(*ip).into())),
    }
}

fn headers(spec: &HttpSpec, user_agent: &HeaderValue, to: &Target) -> Result<HeaderMap, Invalid> {
    let mut headers = HeaderMap::with_capacity(spec.headers.len() + 6);
    headers.insert(HOST, HeaderValue::from_str(to.authority()).map_err(|_| Invalid::new("http.url", "names no host"))?);
    headers.insert(USER_AGENT, user_agent.clone());
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
    if spec.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    if let Some(auth) = &spec.auth {
        headers.insert(AUTHORIZATION, credentials(auth)?);
    }
    let mut own: Vec<HeaderName> = Vec::with_capacity(spec.headers.len());
    for (name, value) in &spec.headers {
        let refused = |_| Invalid::new(format!("http.headers[{name:?}]"), "cannot be sent");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused(()))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| refused(()))?;
        // The monitor's own header replaces our default; a second of the same name joins the first.
        if own.contains(&header) {
            headers.append(header, value);
        } else {
            headers.insert(header.clone(), value);
            own.push(header);
        }
    }
    Ok(headers)
}

fn credentials(auth: &Auth) -> Result<HeaderValue, Invalid> {
    let (text, field) = match auth {
        Auth::Basic { user, password } => {
            (format!("Basic {}", BASE64.encode(format!("{user}:{password}"))), "http.auth.password")
        }
        Auth::Bearer { token } => (format!("Bearer {token}"), "http.auth.token"),
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| Invalid::new(field, "must be visible ASCII, as a header can hold it"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn ask(i: usize, assertion: &Assertion) -> Result<Ask, Invalid> {
    let field = |name: &str| format!("http.assertions[{i}].{name}");
    match assertion {
        Assertion::Body { op: Op::Matches, value } => Ok(Ask::Matches(pattern(value, field("value"))?)),
        Assertion::Body { value, .. } => Ok(Ask::Contains(value.clone())),
        Assertion::Header { name, op: Op::Matches, value } => {
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Invalid::new(field("name"), "must be a header name: letters, digits and dashes"))?;
            Ok(Ask::HeaderMatches { name: header, pattern: pattern(value, field("value"))? })
        }
        Assertion::Json { path, .. } => Ok(Ask::Json(json_path(path, &field("path"))?)),
        Assertion::Status(_) | Assertion::Header { .. } | Assertion::Time { .. } | Assertion::Certificate { .. } => {
            Ok(Ask::Nothing)
        }
    }
}

fn pattern(text: &str, field: String) -> Result<Regex, Invalid> {
    RegexBuilder::new(text).size_limit(REGEX_BYTES).dfa_size_limit(REGEX_BYTES).build().map_err(|err| {
        let why = err.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Invalid::new(field, format!("must be a regular expression: {why}"))
    })
}

/// Reads an RFC 9535 path and bounds what evaluating it can cost: a path is a small program that runs over bodies of
/// other people's choosing, and an assertion asks for one value.
fn json_path(text: &str, field: &str) -> Result<JsonPath, Invalid> {
    let refused = |message: String| Invalid::new(field, message);
    let cost = PathCost::of(text);
    if text.len() > 512 || cost.descents > 2 || cost.commas > 4 || cost.filters > 3 || cost.inner_roots > 0 {
        return Err(refused(
            "must be a short path: at most 512 bytes, two `..`, four commas and three filters, with `$` only at its start"
                .into(),
        ));
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
                ',' => cost.commas += 1,
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
    use gazer_domain::observation::JsonValue;

    fn compile(assertion: Assertion) -> Result<Plan, Invalid> {
        let mut spec = HttpSpec::get("https://example.com/".parse().unwrap());
        spec.assertions = vec![Assertion::Time { op: Op::Lt, limit: std::time::Duration::from_secs(1) }, assertion];
        Plan::compile(&spec, &HeaderValue::from_static("gazer"))
    }

    #[test]
    fn what_cannot_be_compiled_is_named_by_its_field() {
        let refused = compile(Assertion::Body { op: Op::Matches, value: "(".into() }).unwrap_err();
        assert_eq!(refused.field, "http.assertions[1].value");
        assert!(refused.message.starts_with("must be a regular expression: unclosed group"), "{refused}");
        for path in ["status", "$..a..b..c", "$[?@..a]", "$.a[?$.b]", "$[0,0][0,0][0,0][0,0][0,0]"] {
            let refused =
                compile(Assertion::Json { path: path.into(), op: Op::Eq, value: JsonValue::Null }).unwrap_err();
            assert_eq!(refused.field, "http.assertions[1].path", "{path}");
        }
    }

    #[test]
    fn ordinary_paths_compile() {
        for path in ["$.status", "$..price", "$.items[?@.name == 'a..b,$'].up", "$['a']['b'][0]"] {
            compile(Assertion::Json { path: path.into(), op: Op::Eq, value: JsonValue::Null }).unwrap();
        }
    }
}
