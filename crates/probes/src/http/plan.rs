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

use super::{json, redirect};

/// Compiled size of a pattern: room for a few `\w` with the letters of all languages. In the worst case each byte of a body
/// meets each part of it, so this decides how long a search of 1 MiB may go on behind its deadline: some seconds.
const PATTERN_BYTES: usize = 256 * 1024;
/// The cache that a search may build.
const CACHE_BYTES: usize = 1 << 20;

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
    /// What the monitor sends in confidence, longest first, so that none hides a part of another.
    pub(crate) secrets: Vec<String>,
    /// Looking costs more than reading: a pattern, or JSON.
    pub(crate) studies_body: bool,
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
        let studies_body = asks.iter().any(|ask| matches!(ask, Ask::Matches(_) | Ask::Json(_)));
        let secrets = secrets(spec, &headers);
        let first = Outgoing { method, headers, body, to };
        Ok(Self(Arc::new(Compiled { spec: spec.clone(), first, asks, asks_body, secrets, studies_body })))
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

/// What is to be masked where a site repeats it. Shorter ones would mask half of every page.
fn secrets(spec: &HttpSpec, headers: &HeaderMap) -> Vec<String> {
    const SHORTEST: usize = 4;
    let mut secrets: Vec<String> = match &spec.auth {
        Some(Auth::Basic { password, .. }) => vec![password.clone()],
        Some(Auth::Bearer { token }) => vec![token.clone()],
        None => Vec::new(),
    };
    let sent =
        headers.iter().filter(|(name, _)| redirect::is_secret(name)).filter_map(|(_, value)| value.to_str().ok());
    for value in sent {
        // `Basic dXNlcjpwYXNz`: a site may repeat the credentials without their scheme.
        secrets.extend(value.split_once(' ').map(|(_, credentials)| credentials.to_owned()));
        secrets.push(value.to_owned());
    }
    secrets.retain(|secret| secret.len() >= SHORTEST);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
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
        Assertion::Json { path, .. } => Ok(Ask::Json(json::path(path, &field("path"))?)),
        Assertion::Status(_) | Assertion::Header { .. } | Assertion::Time { .. } | Assertion::Certificate { .. } => {
            Ok(Ask::Nothing)
        }
    }
}

fn pattern(text: &str, field: String) -> Result<Regex, Invalid> {
    RegexBuilder::new(text).size_limit(PATTERN_BYTES).dfa_size_limit(CACHE_BYTES).build().map_err(|err| match err {
        regex::Error::CompiledTooBig(_) => {
            let text = "must be a smaller regular expression: repeat less, and write [A-Za-z0-9_] or (?-u:\\w) for \\w, which \
                        stands for the letters of all languages";
            Invalid::new(field, text)
        }
        err => {
            let why = err.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Invalid::new(field, format!("must be a regular expression: {why}"))
        }
    })
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
        let path = Assertion::Json { path: "$..a..b".into(), op: Op::Eq, value: JsonValue::Null };
        assert_eq!(compile(path).unwrap_err().field, "http.assertions[1].path");
        // Compiled it would be large, and searching with it slow.
        let refused = compile(Assertion::Body { op: Op::Matches, value: "[01]*1[01]{9000}2".into() }).unwrap_err();
        assert_eq!(refused.field, "http.assertions[1].value");
        assert!(refused.message.starts_with("must be a smaller regular expression"), "{refused}");
    }

    #[test]
    fn ordinary_patterns_compile() {
        for value in
            ["(?i)all is well", r"version \d+\.\d+\.\d+", "<title>.*</title>", r"\w+@\w+\.\w+", "größer|kleiner"]
        {
            compile(Assertion::Body { op: Op::Matches, value: value.into() }).unwrap();
        }
    }
}
