//! What broke an exchange, as a cause for people: hyper's errors, what the wire said, and the step that stalled.

use std::error::Error as _;
use std::time::Duration;

use gazer_domain::cause::{Cause, Code};
use gazer_domain::time::format_duration;

use super::exchange::{Step, Trace};
use super::wiretap::Broke;

/// The deadline ended the attempt; the step it was in decides whose delay that was.
pub(crate) fn of_deadline(trace: &Trace, timeout: Duration) -> Cause {
    let within = format_duration(timeout);
    let at = shown_address(trace);
    match trace.step {
        Step::Dial => match trace.stage.connecting {
            None => Cause::new(
                Code::ResolverFailed,
                format!(
                    "our resolver did not answer for {} within the {within} of the check",
                    super::host_of(&trace.request.url)
                ),
            ),
            Some((_, at)) => {
                Cause::new(Code::ConnectTimeout, format!("{at} did not accept the connection within {within}"))
            }
        },
        Step::Tls => Cause::new(Code::TlsTimeout, format!("{at} did not finish the TLS handshake within {within}")),
        Step::Exchange if trace.heard.as_ref().is_none_or(|heard| heard.is_sending()) => {
            Cause::new(Code::SendTimeout, format!("{at} did not take the request within {within}"))
        }
        Step::Exchange => Cause::new(Code::ResponseTimeout, format!("{at} did not answer within {within}")),
        Step::Memory => Cause::new(Code::Overloaded, "the memory for bodies was taken by other checks"),
        Step::Download => Cause::new(
            Code::DownloadTimeout,
            format!("the answer was not complete after {within}; {} bytes of its body had come", received(trace)),
        ),
    }
}

/// No answer: the request failed, or its connection did.
pub(crate) fn of_exchange(trace: &Trace, err: &hyper::Error, connection: Option<&hyper::Error>) -> Cause {
    // hyper answers "canceled" to the request when the connection knows the real reason.
    let err = if err.is_canceled() { connection.unwrap_or(err) } else { err };
    let at = shown_address(trace);
    let (broke, silent) =
        trace.heard.as_ref().map_or((&Broke::Not, true), |heard| (heard.broke(), heard.first_byte() == 0));
    if is_too_large(err) {
        return Cause::new(
            Code::HeaderTooLarge,
            format!("the head of the answer of {at} is larger than 64 KiB or 100 lines"),
        );
    }
    if err.is_parse() {
        return Cause::new(Code::BadResponse, format!("{at} did not answer in HTTP: {}", told(err)));
    }
    match broke {
        Broke::Tls(why) => Cause::new(Code::TlsHandshake, format!("{at} ended TLS before it had answered, with {why}")),
        Broke::Reset => Cause::new(Code::ConnectionReset, format!("{at} reset the connection before it had answered")),
        Broke::Closed if silent && !says_http2(err) => {
            Cause::new(Code::EmptyReply, format!("{at} closed the connection without an answer"))
        }
        _ if is_http2(err) => Cause::new(Code::Http2Error, format!("{at} broke the HTTP/2 exchange: {}", told(err))),
        Broke::Closed => {
            Cause::new(Code::ConnectionClosed, format!("{at} closed the connection in the middle of its answer's head"))
        }
        Broke::Not => Cause::new(Code::BadResponse, format!("{at} answered with what is no HTTP: {}", told(err))),
    }
}

/// An answer whose body broke off.
pub(crate) fn of_body(trace: &Trace, err: &hyper::Error) -> Cause {
    let at = shown_address(trace);
    let after = format!("after {} bytes of the body", received(trace));
    let broke = trace.heard.as_ref().map_or(&Broke::Not, |heard| heard.broke());
    match broke {
        Broke::Tls(why) => Cause::new(Code::ConnectionClosed, format!("{at} ended TLS {after}, with {why}")),
        Broke::Reset => Cause::new(Code::ConnectionReset, format!("{at} reset the connection {after}")),
        _ if is_http2(err) => {
            Cause::new(Code::Http2Error, format!("{at} broke the HTTP/2 stream {after}: {}", told(err)))
        }
        Broke::Closed => {
            Cause::new(Code::ConnectionClosed, format!("{at} closed the connection {after}, which was not its end"))
        }
        Broke::Not => Cause::new(Code::BadBody, format!("the body's framing is broken {after}: {}", told(err))),
    }
}

fn received(trace: &Trace) -> usize {
    trace.reader.as_ref().map_or(0, super::body::Reader::received)
}

fn shown_address(trace: &Trace) -> String {
    trace.address.map_or_else(|| trace.request.url.clone(), |at| at.to_string())
}

fn is_too_large(err: &hyper::Error) -> bool {
    // hyper answers that question only to servers; to clients it tells it in words.
    err.is_parse() && err.to_string().contains("too large")
}

fn is_http2(err: &hyper::Error) -> bool {
    // hyper names the kind only in its text.
    err.to_string().starts_with("http2 error")
}

/// The peer broke it off in HTTP/2's own words, rather than by leaving.
fn says_http2(err: &hyper::Error) -> bool {
    let inner = err.source().and_then(|inner| inner.downcast_ref::<h2::Error>());
    inner.is_some_and(|inner| !inner.is_io())
}

/// The innermost reason, which says most.
fn told(err: &hyper::Error) -> String {
    err.source().map_or_else(|| err.to_string(), ToString::to_string)
}
