//! The table of misbehaviours.

use gazer_domain::cause::Code;

use super::Step::{Close, Drip, Flood, Make, ReadHead, ReadSome, RedirectChain, Reset, Say, SayBytes, Vanish};
use super::{Certificate, Door, H2Fault, Misbehaviour, Step, made};

const OK: Step = Say("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<h1>All is well</h1>");

const fn plain(name: &'static str, expect: Code, script: &'static [Step]) -> Misbehaviour {
    Misbehaviour { name, expect: Some(expect), door: Door::Plain, script }
}

const fn not_tls(name: &'static str, expect: Code, script: &'static [Step]) -> Misbehaviour {
    Misbehaviour { name, expect: Some(expect), door: Door::NotTls, script }
}

const fn tls(name: &'static str, expect: Code, certificate: Certificate, script: &'static [Step]) -> Misbehaviour {
    Misbehaviour { name, expect: Some(expect), door: Door::Tls(certificate), script }
}

const fn h2(name: &'static str, expect: Code, fault: H2Fault) -> Misbehaviour {
    Misbehaviour { name, expect: Some(expect), door: Door::H2(fault), script: &[] }
}

const fn up(name: &'static str, door: Door, script: &'static [Step]) -> Misbehaviour {
    Misbehaviour { name, expect: None, door, script }
}

/// The whole of a page and its certificate, wrong only in the latter.
const PAGE: &[Step] = &[ReadHead, OK];

/// TLS record 21 (alert), version 1.0 as old servers stamp it, fatal, `protocol_version` (RFC 5246, 7.2).
const ALERT_PROTOCOL_VERSION: Step = SayBytes(&[21, 3, 1, 0, 2, 2, 70]);
const ALERT_HANDSHAKE_FAILURE: Step = SayBytes(&[21, 3, 3, 0, 2, 2, 40]);

/// A ServerHello of a server that has never heard of TLS 1.2: version 3.2, no session, AES-128-CBC-SHA, no compression.
const SERVER_HELLO_1_1: Step = SayBytes(&[
    22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 47, 0,
]);

pub(super) const ALL: &[Misbehaviour] = &[
    // The connection
    Misbehaviour { name: "refuses", expect: Some(Code::ConnectionRefused), door: Door::Nobody, script: &[] },
    Misbehaviour { name: "never accepts", expect: Some(Code::ConnectTimeout), door: Door::FullQueue, script: &[] },
    plain("resets on accept", Code::ConnectionReset, &[Reset]),
    plain("resets after the request", Code::ConnectionReset, &[ReadHead, Reset]),
    plain("resets mid-header", Code::ConnectionReset, &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-"), Reset]),
    // Stalls, in each phase
    plain("accepts and never reads", Code::ResponseTimeout, &[]),
    plain("stalls before the first byte", Code::ResponseTimeout, &[ReadHead]),
    plain("stalls mid-status", Code::ResponseTimeout, &[ReadHead, Say("HTTP/1.1 2")]),
    plain("stalls mid-header", Code::ResponseTimeout, &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Le")]),
    plain(
        "stalls mid-body",
        Code::DownloadTimeout,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")],
    ),
    plain(
        "stalls mid-chunk",
        Code::DownloadTimeout,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf of it")],
    ),
    plain("drips a header", Code::ResponseTimeout, &[ReadHead, Say("HTTP/1.1 200 OK\r\nX-Drip: "), Drip("a")]),
    plain(
        "drips a body",
        Code::DownloadTimeout,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"), Drip("a")],
    ),
    plain("informs without end", Code::ResponseTimeout, &[ReadHead, Drip("HTTP/1.1 103 Early Hints\r\n\r\n")]),
    not_tls("tls stalls on accept", Code::TlsTimeout, &[]),
    not_tls("tls stalls after ClientHello", Code::TlsTimeout, &[ReadSome]),
    not_tls("tls drips its ServerHello", Code::TlsTimeout, &[ReadSome, SayBytes(&[22, 3, 3, 64, 0]), Drip("\u{2}")]),
    tls("tls stalls before the first byte", Code::ResponseTimeout, Certificate::Good, &[ReadHead]),
    // Not HTTP
    plain("replies nothing", Code::EmptyReply, &[ReadHead, Close]),
    plain("speaks SSH", Code::BadResponse, &[Say("SSH-2.0-OpenSSH_9.6\r\n")]),
    plain("has a bad status line", Code::BadResponse, &[ReadHead, Say("HTTP/1.1 two hundred\r\n\r\n")]),
    plain("has a version of its own", Code::BadResponse, &[ReadHead, Say("HTTP/9.9 200 OK\r\n\r\n")]),
    plain(
        "has a bad header",
        Code::BadResponse,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nThis is no header\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain(
        "has two lengths",
        Code::BadResponse,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!")],
    ),
    plain("has a huge header", Code::HeaderTooLarge, &[ReadHead, Make(made::huge_header)]),
    plain("has too many headers", Code::HeaderTooLarge, &[ReadHead, Make(made::many_headers)]),
    plain("has endless headers", Code::HeaderTooLarge, &[ReadHead, Say("HTTP/1.1 200 OK\r\nX-Endless: "), Flood("a")]),
    // The body
    plain("closes mid-header", Code::ConnectionClosed, &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-"), Close]),
    plain(
        "closes mid-body",
        Code::ConnectionClosed,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"), Close],
    ),
    plain(
        "closes before the last chunk",
        Code::ConnectionClosed,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), Close],
    ),
    tls(
        "tls vanishes mid-body",
        Code::ConnectionClosed,
        Certificate::Good,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"), Vanish],
    ),
    plain(
        "resets mid-body",
        Code::ConnectionReset,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"), Reset],
    ),
    plain(
        "has a bad chunk",
        Code::BadBody,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n")],
    ),
    plain("is a zip bomb", Code::BadBody, &[ReadHead, Make(made::zip_bomb)]),
    plain(
        "is no gzip",
        Code::BadBody,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 11\r\n\r\nnot gzipped")],
    ),
    plain("has half a gzip", Code::BadBody, &[ReadHead, Make(made::half_gzip)]),
    plain("has a corrupt gzip", Code::BadBody, &[ReadHead, Make(made::corrupt_gzip)]),
    // Redirects
    plain(
        "redirects to itself",
        Code::TooManyRedirects,
        &[ReadHead, Say("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), Close],
    ),
    plain("redirects eleven times", Code::TooManyRedirects, &[ReadHead, RedirectChain(11), Close]),
    plain(
        "redirects to metadata",
        Code::EgressDenied,
        &[ReadHead, Say("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain(
        "redirects to a file",
        Code::BadRedirect,
        &[ReadHead, Say("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain(
        "redirects to nonsense",
        Code::BadRedirect,
        &[ReadHead, Say("HTTP/1.1 302 Found\r\nLocation: http://[::1/\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain("redirects nowhere", Code::BadRedirect, &[ReadHead, Say("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")]),
    // Certificates
    tls("tls has expired", Code::TlsExpired, Certificate::Expired, PAGE),
    tls("tls is not yet valid", Code::TlsNotYetValid, Certificate::NotYetValid, PAGE),
    tls("tls is for another host", Code::TlsWrongHost, Certificate::WrongHost, PAGE),
    tls("tls is of an unknown authority", Code::TlsUntrusted, Certificate::Untrusted, PAGE),
    tls("tls is self-signed", Code::TlsSelfSigned, Certificate::SelfSigned, PAGE),
    tls("tls has an expired intermediate", Code::TlsExpired, Certificate::ExpiredIntermediate, PAGE),
    tls("tls lacks its intermediate", Code::TlsUntrusted, Certificate::MissingIntermediate, PAGE),
    // The handshake
    not_tls("tls 1.1 only, by alert", Code::TlsObsolete, &[ReadSome, ALERT_PROTOCOL_VERSION, Close]),
    not_tls("tls 1.1 only, by ServerHello", Code::TlsObsolete, &[ReadSome, SERVER_HELLO_1_1]),
    not_tls("tls refuses the handshake", Code::TlsHandshake, &[ReadSome, ALERT_HANDSHAKE_FAILURE, Close]),
    not_tls("tls closes after ClientHello", Code::TlsHandshake, &[ReadSome, Close]),
    not_tls("tls resets after ClientHello", Code::ConnectionReset, &[ReadSome, Reset]),
    not_tls(
        "speaks plain HTTP on an https port",
        Code::TlsHandshake,
        &[ReadSome, Say("HTTP/1.1 400 Bad Request\r\n\r\n"), Close],
    ),
    Misbehaviour {
        name: "tls asks for a certificate of ours",
        expect: Some(Code::TlsHandshake),
        door: Door::TlsForMembers,
        script: PAGE,
    },
    // HTTP/2
    h2("h2 closes without an answer", Code::EmptyReply, H2Fault::Close),
    h2("h2 goes away", Code::Http2Error, H2Fault::GoAway),
    h2("h2 sends a frame too large", Code::Http2Error, H2Fault::FrameTooLarge),
    h2("h2 resets the stream", Code::Http2Error, H2Fault::ResetStream),
    h2("h2 resets mid-body", Code::Http2Error, H2Fault::ResetMidBody),
    h2("h2 is silent", Code::ResponseTimeout, H2Fault::Silent),
    h2("h2 stalls mid-body", Code::DownloadTimeout, H2Fault::StallMidBody),
    Misbehaviour {
        name: "h2 never begins",
        expect: Some(Code::ResponseTimeout),
        door: Door::RawH2,
        script: &[ReadSome],
    },
    // Answers, but bad ones
    plain(
        "answers 404",
        Code::StatusUnexpected,
        &[ReadHead, Say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain(
        "answers 500",
        Code::StatusUnexpected,
        &[ReadHead, Say("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nsorr")],
    ),
    plain(
        "answers 503 and stays",
        Code::StatusUnexpected,
        &[ReadHead, Say("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")],
    ),
    // Up: the control group, and what is merely odd
    up("is well", Door::Plain, PAGE),
    up("is well over tls", Door::Tls(Certificate::Good), PAGE),
    up("is well over h2", Door::H2(H2Fault::None), &[]),
    up("is well in gzip", Door::Plain, &[ReadHead, Make(made::good_gzip)]),
    up("redirects ten times", Door::Plain, &[ReadHead, RedirectChain(10), Close]),
    up("has no length", Door::Plain, &[ReadHead, Say("HTTP/1.0 200 OK\r\n\r\nuntil the end"), Close]),
    up("informs once", Door::Plain, &[ReadHead, Say("HTTP/1.1 103 Early Hints\r\n\r\n"), OK]),
    up(
        "has an endless body",
        Door::Plain,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\n\r\n"), Flood("All work and no play. ")],
    ),
    up(
        "has endless chunks",
        Door::Plain,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Flood("4\r\nwork\r\n")],
    ),
];
