//! The same door for messages to people: one POST, judged like every dial, with no redirect followed.
//!
//! A webhook that redirects has moved, and its owner should say where to: following would send a signed message to
//! whomever the old place names.
//!
//! The receipt is the status and its headers. Once they are there the message has arrived, or was refused, whatever
//! becomes of the body that follows: to send again because a body broke off is to say the same thing twice.

use std::time::Duration;

use bytes::Bytes;
use gazer_domain::Timestamp;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::http::Trust;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::Prober;
use crate::http::charset::Charset;
use crate::http::exchange::{self, Terms, Trace, Wanted};
use crate::http::{Outgoing, Target, fault, shown};

/// How long the answer's body is waited for: it is an ornament of the receipt.
const BODY_PATIENCE: Duration = Duration::from_secs(1);

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
        let outgoing = self.message(Method::POST, url, headers, body)?;
        self.exchange(&outgoing, within).await
    }

    /// Asks `url`, as whoever watches over us wants to be asked. The same holds as for a message.
    pub async fn get(&self, url: &Url, within: Duration) -> Result<Receipt, Cause> {
        let outgoing = self.message(Method::GET, url, &[], Vec::new())?;
        self.exchange(&outgoing, within).await
    }

    async fn exchange(&self, outgoing: &Outgoing, within: Duration) -> Result<Receipt, Cause> {
        let begun = Instant::now();
        let at = (self.0.now)();
        let body = Wanted::Excerpt(BODY_PATIENCE);
        let terms = Terms { trust: Trust::Verified, avoid: None, at, body, skips_body: &|_| false };
        let mut trace = Trace::new(shown(outgoing));
        let outcome = timeout(within, exchange::run(&self.0.means, outgoing, &terms, &mut trace)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(fault::of_deadline(&trace, within)));
        let Some(answer) = trace.answer.take() else {
            let silent = || Cause::new(Code::Internal, "the exchange ended without an answer");
            return Err(outcome.err().unwrap_or_else(silent));
        };
        let kept = outcome.as_ref().ok().map(|received| &received.body);
        let kept = kept.or(trace.reader.as_ref().map(|reader| reader.kept()));
        let charset = Charset::of(answer.header(CONTENT_TYPE.as_str()));
        Ok(Receipt {
            status: answer.status,
            body_excerpt: kept.map(|kept| kept.excerpt(charset).text).unwrap_or_default(),
            took: begun.elapsed(),
            retry_after: answer.header(RETRY_AFTER.as_str()).and_then(|value| retry_after(value, at)),
            headers: answer.headers,
        })
    }

    fn message(
        &self,
        method: Method,
        url: &Url,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Outgoing, Cause> {
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
        Ok(Outgoing { method, headers: map, body: Bytes::from(body), to })
    }
}

/// Seconds, or an HTTP date in any of the three forms that a recipient must read (RFC 9110 §5.6.7).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
    let at = Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).ok()?);
    Some(at.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_may_ask_for_time_in_every_form() {
        let now = Timestamp::parse_rfc3339("1994-11-06T08:49:07Z").unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(retry_after(date, now), Some(Duration::from_secs(30)), "{date}");
        }
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
