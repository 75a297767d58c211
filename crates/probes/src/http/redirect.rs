//! Redirects, followed by our own loop so that each hop passes the guard and nothing secret changes hands.
//!
//! Another host gets neither credentials nor any header that the monitor's owner set, but for harmless ones. From https
//! to plain http nothing goes that carries a body or a secret. Where a redirect leads is judged like any other URL; the
//! address behind it is judged when it is dialled.

use bytes::Bytes;
use gazer_domain::cause::{Cause, Code};
use http::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, HOST, LOCATION, PRAGMA,
    USER_AGENT,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::plan::{Outgoing, Target};

/// Headers that tell nothing about the one who sends them. All others count as secret.
const HARMLESS: [HeaderName; 9] =
    [ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, HOST, PRAGMA, USER_AGENT];

pub(crate) fn is_secret(name: &HeaderName) -> bool {
    !HARMLESS.contains(name)
}

/// True for the statuses that name another place to ask (RFC 9110 §15.4).
pub(crate) fn leads_on(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    )
}

/// Where a redirect leads, as it was sent.
pub(crate) fn location(head: &http::response::Parts) -> Result<&HeaderValue, Cause> {
    let missing =
        || Cause::new(Code::BadRedirect, format!("the status was {}, but it leads nowhere", head.status.as_u16()));
    head.headers.get(LOCATION).ok_or_else(missing)
}

/// The request that a redirect asks for.
pub(crate) fn next(from: &Outgoing, status: StatusCode, location: &HeaderValue) -> Result<Outgoing, Cause> {
    let refused = |text: String| Cause::new(Code::BadRedirect, text);
    let spelled = String::from_utf8_lossy(location.as_bytes());
    let url =
        from.to.url.join(spelled.trim()).map_err(|err| {
            refused(format!("the redirect leads to {:?}, which is not a URL: {err}", shorten(&spelled)))
        })?;
    let to = Target::new(&url)
        .map_err(|why| refused(format!("the redirect leads to {:?}, and a URL {why}", shorten(url.as_str()))))?;
    let mut outgoing =
        Outgoing { method: from.method.clone(), headers: from.headers.clone(), body: from.body.clone(), to };
    if drops_body(&from.method, status) {
        if outgoing.method != Method::HEAD {
            outgoing.method = Method::GET;
        }
        outgoing.body = Bytes::new();
        outgoing.headers.remove(CONTENT_TYPE);
    }
    if !same_party(&from.to, &outgoing.to) {
        let secret: Vec<HeaderName> = outgoing.headers.keys().filter(|name| is_secret(name)).cloned().collect();
        for name in secret {
            outgoing.headers.remove(name);
        }
    }
    if !same_party(&from.to, &outgoing.to) || from.to.authority() != outgoing.to.authority() {
        let host = HeaderValue::from_str(outgoing.to.authority())
            .map_err(|_| refused("the redirect names a host that cannot be sent".into()))?;
        outgoing.headers.insert(HOST, host);
    }
    let downgrades = from.to.tls.is_some() && outgoing.to.tls.is_none();
    if downgrades && (!outgoing.body.is_empty() || outgoing.headers.keys().any(is_secret)) {
        let text = format!(
            "the redirect leads from https to {}, in the clear, with a body or a secret",
            shorten(url.as_str())
        );
        return Err(refused(text));
    }
    Ok(outgoing)
}

/// RFC 9110 §15.4: 303 asks for GET; 301 and 302 turn a POST into one by custom.
fn drops_body(method: &Method, status: StatusCode) -> bool {
    match status {
        StatusCode::SEE_OTHER => true,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        _ => false,
    }
}

/// The same host on the same port, or its plain port's redirect to its TLS port.
fn same_party(from: &Target, to: &Target) -> bool {
    let upgraded = from.tls.is_none() && from.port == 80 && to.tls.is_some() && to.port == 443;
    // Back to plain HTTP it is still the same party: that the secrets were kept is what refuses the downgrade.
    let downgraded = from.tls.is_some() && from.port == 443 && to.tls.is_none() && to.port == 80;
    from.host == to.host && (from.port == to.port || upgraded || downgraded)
}

fn shorten(text: &str) -> String {
    const SHOWN: usize = 200;
    text.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::super::plan::Plan;
    use super::*;
    use gazer_domain::http::{Auth, HttpSpec, Method as Verb};

    fn outgoing(url: &str, method: Verb) -> Outgoing {
        let mut spec = HttpSpec::get(url.parse().unwrap());
        spec.method = method;
        spec.body = (method == Verb::Post).then(|| "a body".into());
        spec.auth = Some(Auth::Bearer { token: "s3cret".into() });
        spec.headers = vec![("X-Key".into(), "k".into()), ("Accept-Language".into(), "de".into())];
        Plan::compile(&spec, &HeaderValue::from_static("gazer")).unwrap().compiled().first.clone()
    }

    fn to(from: &Outgoing, status: u16, location: &str) -> Result<Outgoing, Cause> {
        next(from, StatusCode::from_u16(status).unwrap(), &HeaderValue::from_str(location).unwrap())
    }

    #[test]
    fn another_host_gets_nothing_secret() {
        let from = outgoing("https://ok.test/a", Verb::Get);
        let kept = to(&from, 302, "/b").unwrap();
        assert!(kept.headers.contains_key("x-key") && kept.headers.contains_key("authorization"));
        for elsewhere in ["https://other.test/", "https://ok.test:8443/", "//other.test/"] {
            let sent = to(&from, 302, elsewhere).unwrap();
            let names: Vec<&str> = sent.headers.keys().map(HeaderName::as_str).collect();
            assert!(!sent.headers.contains_key("x-key") && !sent.headers.contains_key("authorization"), "{names:?}");
            assert_eq!(sent.headers["accept-language"], "de");
            assert_eq!(sent.headers["host"], sent.to.authority());
        }
    }

    #[test]
    fn a_body_survives_only_where_the_standard_says_so() {
        let from = outgoing("https://ok.test/", Verb::Post);
        for (status, method, bytes) in
            [(301, "GET", 0), (302, "GET", 0), (303, "GET", 0), (307, "POST", 6), (308, "POST", 6)]
        {
            let sent = to(&from, status, "/next").unwrap();
            assert_eq!((sent.method.as_str(), sent.body.len()), (method, bytes), "{status}");
        }
    }

    #[test]
    fn nothing_worth_hiding_goes_from_https_to_http() {
        let from = outgoing("https://ok.test/", Verb::Post);
        for (status, location) in [(307, "http://ok.test/"), (307, "http://other.test/"), (302, "http://ok.test/")] {
            assert_eq!(to(&from, status, location).unwrap_err().code, Code::BadRedirect, "{status} {location}");
        }
        assert!(to(&from, 302, "http://other.test/").is_ok());
    }

    #[test]
    fn a_redirect_to_another_scheme_says_where_it_led() {
        let from = outgoing("https://ok.test/", Verb::Get);
        let refused = to(&from, 302, "file:///etc/passwd").unwrap_err();
        assert_eq!(refused.code, Code::BadRedirect);
        assert!(refused.text.contains("file:///etc/passwd"), "{refused}");
    }
}
