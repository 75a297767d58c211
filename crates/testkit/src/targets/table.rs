//! The table of misbehaviours.

use gazer_domain::cause::Code;

use super::Step::{Close, Drip, Flood, Make, ReadHead, ReadSome, RedirectChain, Reset, Say, SayBytes, Vanish};
use super::{Certificate, Door, H2Fault, Misbehaviour, Step, made};

const OK: Step = Say("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<h1>All is well</h1>");

const fn plain(name: &'static str, expect: Code, text: &'static str, script: &'static [Step]) -> Misbehaviour {
    Misbehaviour { name, expect: Some(expect), text, door: Door::Plain, script }
}

const fn not_tls(name: &'static str, expect: Code, text: &'static str, script: &'static [Step]) -> Misbehaviour {
    Misbehaviour { name, expect: Some(expect), text, door: Door::NotTls, script }
}

const fn tls(
    name: &'static str,
    expect: Code,
    text: &'static str,
    certificate: Certificate,
    script: &'static [Step],
) -> Misbehaviour {
    Misbehaviour { name, expect: Some(expect), text, door: Door::Tls(certificate), script }
}

const fn h2(name: &'static str, expect: Code, text: &'static str, fault: H2Fault) -> Misbehaviour {
    Misbehaviour { name, expect: Some(expect), text, door: Door::H2(fault), script: &[] }
}

const fn up(name: &'static str, door: Door, script: &'static [Step]) -> Misbehaviour {
    Misbehaviour { name, expect: None, text: "", door, script }
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
    Misbehaviour {
        name: "refuses",
        expect: Some(Code::ConnectionRefused),
        text: "{at} refused the connection",
        door: Door::Nobody,
        script: &[],
    },
    Misbehaviour {
        name: "never accepts",
        expect: Some(Code::ConnectTimeout),
        text: "{at} did not accept the connection within *",
        door: Door::FullQueue,
        script: &[],
    },
    plain("resets on accept", Code::ConnectionReset, "{at} reset the connection *", &[Reset]),
    plain(
        "resets after the request",
        Code::ConnectionReset,
        "{at} reset the connection before it had answered",
        &[ReadHead, Reset],
    ),
    plain(
        "resets mid-header",
        Code::ConnectionReset,
        "{at} reset the connection before it had answered",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-"), Reset],
    ),
    // Stalls, in each phase
    plain("accepts and never reads", Code::ResponseTimeout, "{at} did not answer within *", &[]),
    plain("stalls before the first byte", Code::ResponseTimeout, "{at} did not answer within *", &[ReadHead]),
    plain("stalls mid-status", Code::ResponseTimeout, "{at} did not answer within *", &[ReadHead, Say("HTTP/1.1 2")]),
    plain(
        "stalls mid-header",
        Code::ResponseTimeout,
        "{at} did not answer within *",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Le")],
    ),
    plain(
        "stalls mid-body",
        Code::DownloadTimeout,
        "the answer was not complete after *; 10 bytes of its body had come",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")],
    ),
    plain(
        "stalls mid-chunk",
        Code::DownloadTimeout,
        "the answer was not complete after *; 10 bytes of its body had come",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf of it")],
    ),
    plain(
        "drips a header",
        Code::ResponseTimeout,
        "{at} did not answer within *",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nX-Drip: "), Drip("a")],
    ),
    plain(
        "drips a body",
        Code::DownloadTimeout,
        "the answer was not complete after *; * bytes of its body had come",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"), Drip("a")],
    ),
    plain(
        "informs without end",
        Code::ResponseTimeout,
        "{at} did not answer within *",
        &[ReadHead, Drip("HTTP/1.1 103 Early Hints\r\n\r\n")],
    ),
    not_tls("tls stalls on accept", Code::TlsTimeout, "{at} did not finish the TLS handshake within *", &[]),
    not_tls(
        "tls stalls after ClientHello",
        Code::TlsTimeout,
        "{at} did not finish the TLS handshake within *",
        &[ReadSome],
    ),
    not_tls(
        "tls drips its ServerHello",
        Code::TlsTimeout,
        "{at} did not finish the TLS handshake within *",
        &[ReadSome, SayBytes(&[22, 3, 3, 64, 0]), Drip("\u{2}")],
    ),
    tls(
        "tls stalls before the first byte",
        Code::ResponseTimeout,
        "{at} did not answer within *",
        Certificate::Good,
        &[ReadHead],
    ),
    // Not HTTP
    plain("replies nothing", Code::EmptyReply, "{at} closed the connection without an answer", &[ReadHead, Close]),
    plain(
        "speaks SSH",
        Code::BadResponse,
        "{at} answered with what is no HTTP: received unexpected message from connection",
        &[Say("SSH-2.0-OpenSSH_9.6\r\n")],
    ),
    plain(
        "has a bad status line",
        Code::BadResponse,
        "{at} did not answer in HTTP: invalid HTTP status-code parsed",
        &[ReadHead, Say("HTTP/1.1 two hundred\r\n\r\n")],
    ),
    plain(
        "has a version of its own",
        Code::BadResponse,
        "{at} did not answer in HTTP: invalid HTTP version parsed",
        &[ReadHead, Say("HTTP/9.9 200 OK\r\n\r\n")],
    ),
    plain(
        "has a bad header",
        Code::BadResponse,
        "{at} did not answer in HTTP: invalid HTTP header parsed",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nThis is no header\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain(
        "has two lengths",
        Code::BadResponse,
        "{at} did not answer in HTTP: invalid content-length parsed",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!")],
    ),
    plain(
        "has a huge header",
        Code::HeaderTooLarge,
        "the head of the answer of {at} is larger than 64 KiB or 100 lines",
        &[ReadHead, Make(made::huge_header)],
    ),
    plain(
        "has too many headers",
        Code::HeaderTooLarge,
        "the head of the answer of {at} is larger than 64 KiB or 100 lines",
        &[ReadHead, Make(made::many_headers)],
    ),
    plain(
        "has endless headers",
        Code::HeaderTooLarge,
        "the head of the answer of {at} is larger than 64 KiB or 100 lines",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nX-Endless: "), Flood("a")],
    ),
    // The body
    plain(
        "closes mid-header",
        Code::ConnectionClosed,
        "{at} closed the connection in the middle of its answer's head",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-"), Close],
    ),
    plain(
        "closes mid-body",
        Code::ConnectionClosed,
        "{at} closed the connection after 10 bytes of the body, which was not its end",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"), Close],
    ),
    plain(
        "closes before the last chunk",
        Code::ConnectionClosed,
        "{at} closed the connection after 2 bytes of the body, which was not its end",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), Close],
    ),
    tls(
        "tls vanishes mid-body",
        Code::ConnectionClosed,
        "{at} closed the connection after 10 bytes of the body, which was not its end",
        Certificate::Good,
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"), Vanish],
    ),
    plain(
        "resets mid-body",
        Code::ConnectionReset,
        "{at} reset the connection after 10 bytes of the body",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"), Reset],
    ),
    plain(
        "has a bad chunk",
        Code::BadBody,
        "the body's framing is broken after 0 bytes of the body: Invalid chunk size line: missing size digit",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n")],
    ),
    plain(
        "is a zip bomb",
        Code::BadBody,
        "the body is a zip bomb: * bytes unpack to more than 1 MiB",
        &[ReadHead, Make(made::zip_bomb)],
    ),
    plain(
        "is no gzip",
        Code::BadBody,
        "the body says it is gzip but cannot be unpacked after * bytes: invalid gzip header",
        &[ReadHead, Say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 11\r\n\r\nnot gzipped")],
    ),
    plain(
        "has half a gzip",
        Code::BadBody,
        "the body says it is gzip but cannot be unpacked after * bytes: incomplete deflate stream",
        &[ReadHead, Make(made::half_gzip)],
    ),
    plain(
        "has a corrupt gzip",
        Code::BadBody,
        "the body says it is gzip but cannot be unpacked after * bytes: corrupt gzip stream does not have a matching checksum",
        &[ReadHead, Make(made::corrupt_gzip)],
    ),
    // Redirects
    plain(
        "redirects to itself",
        Code::TooManyRedirects,
        "more than 10 redirects; the last leads to /",
        &[ReadHead, Say("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), Close],
    ),
    plain(
        "redirects eleven times",
        Code::TooManyRedirects,
        "more than 10 redirects; the last leads to /11",
        &[ReadHead, RedirectChain(11), Close],
    ),
    plain(
        "redirects to metadata",
        Code::EgressDenied,
        "169.254.169.254 belongs to the cloud's metadata services, which are never checked",
        &[ReadHead, Say("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain(
        "redirects to a file",
        Code::BadRedirect,
        "the redirect leads to \"file:///etc/passwd\", and a URL must begin with http:// or https://, not file:",
        &[ReadHead, Say("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain(
        "redirects to nonsense",
        Code::BadRedirect,
        "the redirect leads to \"http://[::1/\", which is not a URL: invalid IPv6 address",
        &[ReadHead, Say("HTTP/1.1 302 Found\r\nLocation: http://[::1/\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain(
        "redirects nowhere",
        Code::BadRedirect,
        "the status was 302, but it leads nowhere",
        &[ReadHead, Say("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")],
    ),
    // Certificates
    tls("tls has expired", Code::TlsExpired, "the certificate of 127.0.0.1 expired at *", Certificate::Expired, PAGE),
    tls(
        "tls is not yet valid",
        Code::TlsNotYetValid,
        "the certificate of 127.0.0.1 is not valid before *",
        Certificate::NotYetValid,
        PAGE,
    ),
    tls(
        "tls is for another host",
        Code::TlsWrongHost,
        "the certificate is for elsewhere.example and 192.0.2.7, not for 127.0.0.1",
        Certificate::WrongHost,
        PAGE,
    ),
    tls(
        "tls is of an unknown authority",
        Code::TlsUntrusted,
        "the certificate of 127.0.0.1 leads to no trusted authority; it was issued by CN=Nobody Knows This Root",
        Certificate::Untrusted,
        PAGE,
    ),
    tls(
        "tls is self-signed",
        Code::TlsSelfSigned,
        "the certificate of 127.0.0.1 is signed by itself (CN=127.0.0.1), not by an authority",
        Certificate::SelfSigned,
        PAGE,
    ),
    tls(
        "tls has an expired intermediate",
        Code::TlsExpired,
        "a certificate in the chain of 127.0.0.1 expired at *",
        Certificate::ExpiredIntermediate,
        PAGE,
    ),
    tls(
        "tls lacks its intermediate",
        Code::TlsUntrusted,
        "the certificate of 127.0.0.1 leads to no trusted authority; it was issued by CN=Gazer Absent Intermediate",
        Certificate::MissingIntermediate,
        PAGE,
    ),
    // The handshake
    not_tls(
        "tls 1.1 only, by alert",
        Code::TlsObsolete,
        "{at} speaks only an obsolete version of TLS, older than 1.2",
        &[ReadSome, ALERT_PROTOCOL_VERSION, Close],
    ),
    not_tls(
        "tls 1.1 only, by ServerHello",
        Code::TlsObsolete,
        "{at} speaks only an obsolete version of TLS, older than 1.2",
        &[ReadSome, SERVER_HELLO_1_1],
    ),
    not_tls(
        "tls refuses the handshake",
        Code::TlsHandshake,
        "{at} broke off the TLS handshake with the alert HandshakeFailure",
        &[ReadSome, ALERT_HANDSHAKE_FAILURE, Close],
    ),
    not_tls(
        "tls closes after ClientHello",
        Code::TlsHandshake,
        "{at} closed the connection during the TLS handshake",
        &[ReadSome, Close],
    ),
    not_tls(
        "tls resets after ClientHello",
        Code::ConnectionReset,
        "{at} reset the connection during the TLS handshake",
        &[ReadSome, Reset],
    ),
    not_tls(
        "speaks plain HTTP on an https port",
        Code::TlsHandshake,
        "{at} did not answer in TLS: is it a plain HTTP port?",
        &[ReadSome, Say("HTTP/1.1 400 Bad Request\r\n\r\n"), Close],
    ),
    Misbehaviour {
        name: "tls asks for a certificate of ours",
        expect: Some(Code::TlsHandshake),
        text: "{at} ended TLS before it had answered, with the alert CertificateRequired",
        door: Door::TlsForMembers,
        script: PAGE,
    },
    // HTTP/2
    h2("h2 closes without an answer", Code::EmptyReply, "{at} closed the connection without an answer", H2Fault::Close),
    h2(
        "h2 goes away",
        Code::Http2Error,
        "{at} broke the HTTP/2 exchange: connection error received: detected excessive load generating behavior",
        H2Fault::GoAway,
    ),
    h2(
        "h2 sends a frame too large",
        Code::Http2Error,
        "{at} broke the HTTP/2 exchange: connection error detected: frame with invalid size",
        H2Fault::FrameTooLarge,
    ),
    h2(
        "h2 resets the stream",
        Code::Http2Error,
        "{at} broke the HTTP/2 exchange: stream error received: unexpected internal error encountered",
        H2Fault::ResetStream,
    ),
    h2(
        "h2 resets mid-body",
        Code::Http2Error,
        "{at} broke the HTTP/2 *: stream error received: unexpected internal error encountered",
        H2Fault::ResetMidBody,
    ),
    h2("h2 is silent", Code::ResponseTimeout, "{at} did not answer within *", H2Fault::Silent),
    h2(
        "h2 stalls mid-body",
        Code::DownloadTimeout,
        "the answer was not complete after *; * bytes of its body had come",
        H2Fault::StallMidBody,
    ),
    Misbehaviour {
        name: "h2 never begins",
        expect: Some(Code::ResponseTimeout),
        text: "{at} did not answer within *",
        door: Door::RawH2,
        script: &[ReadSome],
    },
    // Answers, but bad ones
    plain(
        "answers 404",
        Code::StatusUnexpected,
        "the status was 404, expected 100-399",
        &[ReadHead, Say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")],
    ),
    plain(
        "answers 500",
        Code::StatusUnexpected,
        "the status was 500, expected 100-399",
        &[ReadHead, Say("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nsorr")],
    ),
    plain(
        "answers 503 and stays",
        Code::StatusUnexpected,
        "the status was 503, expected 100-399",
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
