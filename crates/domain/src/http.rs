//! What an http monitor asks for: the request, its bounds, and its assertions.

use std::fmt;
use std::time::Duration;

use url::{Host, Url};

use crate::Invalid;
use crate::assertion::{Assertion, MOST, Op};

/// Longest URL that browsers and servers agree on.
const URL_BYTES: usize = 2_048;
const BODY_BYTES: usize = 16 * 1024;
const HEADERS: usize = 32;
const HEADER_BYTES: usize = 4 * 1024;
pub const MOST_REDIRECTS: u8 = 10;
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    pub const ALL: [Self; 7] = [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text));
        known.ok_or_else(|| {
            Invalid::new("http.method", "must be one of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS")
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Credentials; `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    Basic { user: String, password: String },
    Bearer { token: String },
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { user, .. } => write!(f, "Basic({user:?}, …)"),
            Self::Bearer { .. } => f.write_str("Bearer(…)"),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct HttpSpec {
    pub url: Url,
    pub method: Method,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub auth: Option<Auth>,
    /// How many redirects are followed; 0 judges the redirect itself.
    pub redirects: u8,
    pub trust: Trust,
    /// For the whole attempt, from resolving the name to the last byte.
    pub timeout: Duration,
    pub assertions: Vec<Assertion>,
}

/// Whether a certificate that cannot be verified fails the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    Verified,
    Any,
}

impl HttpSpec {
    pub fn get(url: Url) -> Self {
        Self {
            url,
            method: Method::Get,
            headers: Vec::new(),
            body: None,
            auth: None,
            redirects: MOST_REDIRECTS,
            trust: Trust::Verified,
            timeout: DEFAULT_TIMEOUT,
            assertions: Vec::new(),
        }
    }

    /// Checks every bound; the first that does not hold is named.
    pub fn validate(&self) -> Result<(), Invalid> {
        judge_url(&self.url).map_err(|message| Invalid::new("http.url", message))?;
        if self.headers.len() > HEADERS {
            return Err(Invalid::new("http.headers", format!("must be at most {HEADERS} headers")));
        }
        for (name, value) in &self.headers {
            validate_header(name, value)?;
        }
        if self.body.as_ref().is_some_and(|body| body.len() > BODY_BYTES) {
            return Err(Invalid::new("http.body", "must be at most 16 KiB"));
        }
        if self.redirects > MOST_REDIRECTS {
            return Err(Invalid::new("http.follow_redirects", "must be true, false or a number up to 10"));
        }
        if self.timeout < SHORTEST_TIMEOUT || self.timeout > LONGEST_TIMEOUT {
            return Err(Invalid::new("http.timeout", "must be between 1s and 60s"));
        }
        if let Some(Auth::Basic { user, .. }) = &self.auth
            && user.contains(':')
        {
            return Err(Invalid::new("http.auth.user", "must not contain a colon (RFC 7617 §2)"));
        }
        self.validate_assertions()
    }

    fn validate_assertions(&self) -> Result<(), Invalid> {
        if self.assertions.len() > MOST {
            return Err(Invalid::new("http.assertions", format!("must be at most {MOST} assertions")));
        }
        for (i, assertion) in self.assertions.iter().enumerate() {
            let refuse =
                |field: &str, message: &str| Err(Invalid::new(format!("http.assertions[{i}].{field}"), message));
            match assertion {
                Assertion::Body { op, .. } if !matches!(op, Op::Contains | Op::Lacks | Op::Matches) => {
                    return refuse("op", "must be contains, lacks or matches");
                }
                Assertion::Json { op: Op::Contains | Op::Lacks | Op::Matches, .. } => {
                    return refuse("op", "must be one of == != < <= > >=");
                }
                Assertion::Time { op, .. } if !matches!(op, Op::Lt | Op::Le) => {
                    return refuse("op", "must be < or <=");
                }
                Assertion::Certificate { op, .. } if !matches!(op, Op::Gt | Op::Ge) => {
                    return refuse("op", "must be > or >=");
                }
                Assertion::Body { value, .. } | Assertion::Header { value, .. } if value.len() > HEADER_BYTES => {
                    return refuse("value", "must be at most 4 KiB");
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Reads a URL as people type it: outer spaces go, and `example.com` means `https://example.com/`.
pub fn parse_url(text: &str) -> Result<Url, Invalid> {
    let refused = |message: String| Invalid::new("http.url", message);
    let text = text.trim();
    if text.len() > URL_BYTES {
        return Err(refused("must be at most 2,048 bytes long".into()));
    }
    let looks_bare = !text.contains("://") && !text.starts_with('/') && text.contains('.') && !text.contains(':');
    let spelled = if looks_bare { format!("https://{text}") } else { text.to_owned() };
    let url = Url::parse(&spelled)
        .map_err(|_| refused(format!("{text:?} is not a URL; write one such as https://example.com/")))?;
    judge_url(&url).map_err(refused)?;
    Ok(url)
}

/// What holds for every URL, also for one that a redirect names, whatever the egress policy.
pub fn judge_url(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("must begin with http:// or https://, not {}:", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or a password: use http.auth, which is kept secret".into());
    }
    match url.host() {
        None => return Err("must name a host".into()),
        Some(Host::Domain(name)) if name.trim_end_matches('.').is_empty() => return Err("must name a host".into()),
        Some(_) => {}
    }
    let port = url.port_or_known_default().unwrap_or(0);
    if port == 0 || BAD_PORTS.contains(&port) {
        return Err(format!("port {port} belongs to another protocol and is never asked for HTTP"));
    }
    Ok(())
}

/// Ports that a browser refuses too: a request there could be read as another protocol's commands.
/// Source: Fetch standard, §2.9 "Port blocking".
const BAD_PORTS: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
    111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
    540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
    6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Headers that frame the message or speak to a proxy are ours; the metadata one opens cloud credentials.
const OWN_HEADERS: [&str; 9] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "metadata-flavor",
];

pub fn validate_header(name: &str, value: &str) -> Result<(), Invalid> {
    let refuse = |message: &str| Err(Invalid::new(format!("http.headers[{name:?}]"), message));
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return refuse("must be a header name (RFC 9110 §5.6.2): letters, digits and dashes");
    }
    if value.len() > HEADER_BYTES || value.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
        return refuse("must have a value of at most 4 KiB without line breaks (RFC 9110 §5.5)");
    }
    let lower = name.to_ascii_lowercase();
    if OWN_HEADERS.contains(&lower.as_str()) || lower.starts_with("proxy-") || lower.starts_with("x-aws-ec2-metadata") {
        return refuse("cannot be set: it frames the message, or speaks to a proxy or a metadata service");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_as_people_type_it() {
        assert_eq!(parse_url(" example.com/a ").unwrap().as_str(), "https://example.com/a");
        assert_eq!(parse_url("http://bücher.example").unwrap().host_str(), Some("xn--bcher-kva.example"));
    }

    #[test]
    fn a_url_that_no_check_may_ask_is_refused_with_what_would_be_right() {
        for (url, says) in [
            ("file:///etc/passwd", "must begin with http://"),
            ("http://user:pass@example.com/", "use http.auth"),
            ("http://example.com:25/", "port 25 belongs to another protocol"),
            ("http://example.com:0/", "port 0"),
            ("javascript:alert(1)", "must begin with http://"),
            ("//127.0.0.1/", "is not a URL"),
            ("http://1.2.3.4.5/", "is not a URL"),
        ] {
            let refused = parse_url(url).unwrap_err();
            assert_eq!(refused.field, "http.url");
            assert!(refused.message.contains(says), "{url}: {}", refused.message);
        }
    }

    #[test]
    fn headers_that_frame_or_inject_are_refused() {
        for (name, value) in
            [("X-A", "b\r\nX-Injected: 1"), ("X-A\r\nX", "1"), ("Content-Length", "0"), ("Proxy-Authorization", "x")]
        {
            assert!(validate_header(name, value).is_err(), "{name}");
        }
        assert_eq!(validate_header("Host", "other.example"), Ok(()));
    }

    #[test]
    fn credentials_are_not_shown() {
        let auth = Auth::Basic { user: "ann".into(), password: "hunter2".into() };
        assert_eq!(format!("{auth:?}"), r#"Basic("ann", …)"#);
    }
}
