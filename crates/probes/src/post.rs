//! The same door for messages to people: one POST, judged like every dial, with no redirect followed.
//!
//! A webhook that redirects has moved, and its owner should say where to: following would send a signed message to
//! whomever the old place names.

use std::time::Duration;

use bytes::Bytes;
use gazer_domain::Timestamp;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::http::Trust;
use http::header::{HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::Prober;
use crate::http::exchange::{self, Terms, Trace};
use crate::http::{EXCERPT_BYTES, Outgoing, Target, fault, shown};

/// How a message was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The start of the answer's body, at most 16 KiB.
    pub body_excerpt: String,
    pub took: Duration,
    /// How long the receiver asks to be left alone (RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
}

impl Prober {
    /// Sends `body` to `url`. Any answer is a receipt, also one that refuses; a cause says why there is none.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(String, String)],
        body: Vec<u8>,
        within: Duration,
    ) -> Result<Receipt, Cause> {
        let begun = Instant::now();
        let at = (self.0.now)();
        let outgoing = self.message(url, headers, body)?;
        let terms = Terms { trust: Trust::Verified, avoid: None, at, keep: EXCERPT_BYTES, skips_body: &|_| false };
        let mut trace = Trace::new(shown(&outgoing));
        let outcome = timeout(within, exchange::run(&self.0.means, &outgoing, &terms, &mut trace)).await;
        let received = outcome.unwrap_or_else(|_| Err(fault::of_deadline(&trace, within)))?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = received.head.headers.iter();
        Ok(Receipt {
            status: received.head.status.as_u16(),
            headers: headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
            body_excerpt: received.body.excerpt().text,
            took: begun.elapsed(),
            retry_after: received.head.headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, at)),
        })
    }

    fn message(&self, url: &Url, headers: &[(String, String)], body: Vec<u8>) -> Result<Outgoing, Cause> {
        let refused = |text: String| Cause::new(Code::Internal, text);
        let to = Target::new(url).map_err(|why| refused(format!("{url} cannot be sent to: a URL {why}")))?;
        let mut map = HeaderMap::with_capacity(headers.len() + 2);
        let host = HeaderValue::from_str(to.authority()).map_err(|_| refused(format!("{url} names no host")))?;
        map.insert(HOST, host);
        map.insert(USER_AGENT, self.0.user_agent.clone());
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| refused(format!("{name:?} is not a header's name")))?;
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| refused(format!("the header {name} cannot hold its value")))?;
            map.insert(name, value);
        }
        Ok(Outgoing { method: Method::POST, headers: map, body: Bytes::from(body), to })
    }
}

/// Seconds, or an HTTP date in its preferred form (RFC 9110 §5.6.7).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let at = Timestamp::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z"))?;
    Some(at.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_may_ask_for_time_in_either_form() {
        let now = Timestamp::parse_rfc3339("1994-11-06T08:49:07Z").unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
