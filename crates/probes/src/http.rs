//! The http probe: one attempt at a URL, its redirects included.
//!
//! [`attempt`] cannot fail: whatever the site does, and whatever we fail at, is written into the [`Attempt`]. One
//! deadline covers all of it, from the first name resolved to the last byte of the last hop. Each hop is a fresh
//! connection through the one door, so each is judged.

mod body;
pub(crate) mod charset;
pub(crate) mod exchange;
mod facts;
pub(crate) mod fault;
mod json;
mod plan;
pub(crate) mod redirect;
mod wiretap;

use std::net::SocketAddr;
use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::observation::{Attempt, Fact, Request};
use gazer_domain::verdict::{Judgement, Verdict, judge};
use tokio::time::{Instant, timeout};

pub(crate) use body::{BODY_BYTES, Budget, EXCERPT_BYTES};
use charset::Charset;
use exchange::{Means, Received, Terms, Trace, Wanted};
pub use plan::Plan;
pub(crate) use plan::{Compiled, Outgoing, Target};

/// Bodies beyond this are searched on a thread for blocking work, so that other checks keep their instants.
const SEARCH_ASIDE_BYTES: usize = 64 * 1024;
/// The same for bodies that are parsed, or met with a pattern, which takes many times as long.
const STUDY_ASIDE_BYTES: usize = 16 * 1024;

/// An answer that came in time is looked at, also if it came in the last moment.
const LOOK_AT_LEAST: Duration = Duration::from_millis(250);

/// One try, judged. `avoid` is an address that a verification should not take again, where there is another.
pub(crate) async fn attempt(
    means: &Means,
    plan: &Plan,
    avoid: Option<SocketAddr>,
    at: Timestamp,
) -> (Attempt, Judgement) {
    let compiled = plan.compiled();
    let spec = &compiled.spec;
    let begun = Instant::now();
    let mut journey =
        Journey { hops: Vec::with_capacity(1), trace: Trace::new(shown(&compiled.first)), waited: Duration::ZERO };
    let outcome = timeout(spec.timeout, follow(means, compiled, avoid, at, &mut journey)).await;
    let took = begun.elapsed().saturating_sub(journey.waited + journey.trace.waited);
    let outcome = outcome.unwrap_or_else(|_| Err(fault::of_deadline(&journey.trace, spec.timeout)));
    let Journey { mut hops, mut trace, .. } = journey;
    let reader = trace.reader.take();
    hops.push(trace.into_hop());
    let mut attempt = Attempt { started: at, took, hops, fault: None, facts: Vec::new() };
    let kept = match outcome {
        Ok(received) => {
            let left = spec.timeout.saturating_sub(begun.elapsed()).max(LOOK_AT_LEAST);
            match timeout(left, look(means, plan, received)).await {
                Ok(Ok((facts, kept))) => {
                    attempt.facts = facts;
                    Some(kept)
                }
                Ok(Err(cause)) => {
                    attempt.fault = Some(cause);
                    None
                }
                Err(_) => {
                    let text = "the body came too late to be searched within the deadline, or its search took too long";
                    attempt.fault = Some(Cause::new(Code::Overloaded, text));
                    None
                }
            }
        }
        Err(cause) => {
            attempt.fault = Some(cause);
            None
        }
    };
    let judgement = judge(&attempt, spec);
    if judgement.verdict == Verdict::Down {
        let kept = kept.as_ref().or(reader.as_ref().map(body::Reader::kept));
        let answer = attempt.hops.last_mut().and_then(|hop| hop.answer.as_mut());
        if let (Some(answer), Some(kept)) = (answer, kept) {
            answer.body = Some(kept.excerpt(Charset::of(answer.header("content-type"))));
        }
    }
    (attempt, judgement)
}

/// The hops behind us and the one under way.
struct Journey {
    hops: Vec<gazer_domain::observation::Hop>,
    trace: Trace,
    /// How long those behind us waited for our own memory.
    waited: Duration,
}

async fn follow<'m>(
    means: &'m Means,
    compiled: &Compiled,
    avoid: Option<SocketAddr>,
    at: Timestamp,
    journey: &mut Journey,
) -> Result<Received<'m>, Cause> {
    let spec = &compiled.spec;
    let follows = spec.redirects > 0;
    let skips = move |head: &http::response::Parts| follows && redirect::leads_on(head.status);
    let keep = if compiled.asks_body { BODY_BYTES } else { EXCERPT_BYTES };
    let mut terms = Terms { trust: spec.trust, avoid, at, body: Wanted::Whole { keep }, skips_body: &skips };
    let mut left = spec.redirects;
    let mut redirected: Option<Outgoing> = None;
    loop {
        let outgoing = redirected.as_ref().unwrap_or(&compiled.first);
        let received = exchange::run(means, outgoing, &terms, &mut journey.trace).await?;
        if !skips(&received.head) {
            return Ok(received);
        }
        let location = redirect::location(&received.head)?;
        if left == 0 {
            let text = format!("more than {} redirects; the last leads to {}", spec.redirects, lossy(location));
            return Err(Cause::new(Code::TooManyRedirects, text));
        }
        left -= 1;
        let next = redirect::next(outgoing, received.head.status, location)?;
        let done = std::mem::replace(&mut journey.trace, Trace::new(shown(&next)));
        journey.waited += done.waited;
        journey.hops.push(done.into_hop());
        terms.avoid = None;
        redirected = Some(next);
    }
}

/// Finds what the assertions ask for. A search that runs aside goes on if nobody waits for it any more, so it keeps its
/// place among the few that may run.
async fn look(means: &Means, plan: &Plan, received: Received<'_>) -> Result<(Vec<Fact>, body::Kept), Cause> {
    let Received { head, body, .. } = received;
    let compiled = plan.compiled();
    let most = if compiled.studies_body { STUDY_ASIDE_BYTES } else { SEARCH_ASIDE_BYTES };
    if !compiled.asks_body || body.bytes.len() <= most {
        return Ok((facts::find(compiled, &head.headers, &body), body));
    }
    let place = means.budget.look().await;
    let plan = plan.clone();
    let searched = tokio::task::spawn_blocking(move || {
        let _place = place;
        (facts::find(plan.compiled(), &head.headers, &body), body)
    });
    searched.await.map_err(|err| {
        tracing::error!(error = %err, "searching a body");
        Cause::new(Code::Internal, "our search of the body failed")
    })
}

/// The request as evidence: what may be a secret is masked.
pub(crate) fn shown(outgoing: &Outgoing) -> Request {
    let headers = outgoing.headers.iter().map(|(name, value)| {
        let value = if redirect::is_secret(name) { "•••".to_owned() } else { lossy(value) };
        (name.as_str().to_owned(), value)
    });
    Request {
        method: outgoing.method.as_str().to_owned(),
        url: outgoing.to.url.as_str().to_owned(),
        headers: headers.collect(),
    }
}

/// The host of a hop's URL.
pub(crate) fn host_of(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn lossy(value: &http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use gazer_domain::assertion::{Assertion, Op};
    use gazer_domain::http::HttpSpec;
    use gazer_testkit::now::now;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::{Config, Prober};

    #[tokio::test]
    async fn a_body_that_nobody_can_look_into_in_time_says_nothing_about_its_site() {
        let prober = Prober::new(Config { body_budget_bytes: 1, witnesses: Vec::new(), ..Config::new(now) }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut spec = HttpSpec::get(format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap());
        spec.timeout = Duration::from_secs(1);
        spec.assertions = vec![Assertion::Body { op: Op::Matches, value: "y$".into() }];
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
            let _ = stream.write_all(&[b'x'; 100_000]).await;
        });
        let means = &prober.0.means;
        let _taken = means.budget.look().await;
        let (attempt, judged) = super::attempt(means, &prober.compile(&spec).unwrap(), None, now()).await;
        assert_eq!(judged.verdict, Verdict::Unknown, "{judged:?}");
        assert_eq!(attempt.fault.unwrap().code, Code::Overloaded);
    }
}
