//! Why a check did not come out well: a stable code for programs and a sentence for people.

use std::fmt;

/// A code never changes its meaning; new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    // The name
    DnsNotFound,
    DnsNoAddress,
    DnsServerFailure,
    // The connection
    ConnectionRefused,
    ConnectionReset,
    ConnectTimeout,
    HostUnreachable,
    // TLS
    TlsExpired,
    TlsNotYetValid,
    TlsWrongHost,
    TlsSelfSigned,
    TlsUntrusted,
    TlsObsolete,
    TlsHandshake,
    TlsTimeout,
    // HTTP
    SendTimeout,
    ResponseTimeout,
    DownloadTimeout,
    EmptyReply,
    BadResponse,
    HeaderTooLarge,
    ConnectionClosed,
    BadBody,
    Http2Error,
    TooManyRedirects,
    BadRedirect,
    // Assertions
    StatusUnexpected,
    HeaderMismatch,
    BodyMismatch,
    JsonMismatch,
    SlowResponse,
    CertificateExpiring,
    // Ours: never the site's fault
    EgressDenied,
    ResolverFailed,
    NetworkDown,
    NoDescriptors,
    Overloaded,
    Missed,
    Internal,
}

impl Code {
    pub const ALL: [Self; 39] = [
        Self::DnsNotFound,
        Self::DnsNoAddress,
        Self::DnsServerFailure,
        Self::ConnectionRefused,
        Self::ConnectionReset,
        Self::ConnectTimeout,
        Self::HostUnreachable,
        Self::TlsExpired,
        Self::TlsNotYetValid,
        Self::TlsWrongHost,
        Self::TlsSelfSigned,
        Self::TlsUntrusted,
        Self::TlsObsolete,
        Self::TlsHandshake,
        Self::TlsTimeout,
        Self::SendTimeout,
        Self::ResponseTimeout,
        Self::DownloadTimeout,
        Self::EmptyReply,
        Self::BadResponse,
        Self::HeaderTooLarge,
        Self::ConnectionClosed,
        Self::BadBody,
        Self::Http2Error,
        Self::TooManyRedirects,
        Self::BadRedirect,
        Self::StatusUnexpected,
        Self::HeaderMismatch,
        Self::BodyMismatch,
        Self::JsonMismatch,
        Self::SlowResponse,
        Self::CertificateExpiring,
        Self::EgressDenied,
        Self::ResolverFailed,
        Self::NetworkDown,
        Self::NoDescriptors,
        Self::Overloaded,
        Self::Missed,
        Self::Internal,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DnsNotFound => "dns_not_found",
            Self::DnsNoAddress => "dns_no_address",
            Self::DnsServerFailure => "dns_server_failure",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectionReset => "connection_reset",
            Self::ConnectTimeout => "connect_timeout",
            Self::HostUnreachable => "host_unreachable",
            Self::TlsExpired => "tls_expired",
            Self::TlsNotYetValid => "tls_not_yet_valid",
            Self::TlsWrongHost => "tls_wrong_host",
            Self::TlsSelfSigned => "tls_self_signed",
            Self::TlsUntrusted => "tls_untrusted",
            Self::TlsObsolete => "tls_obsolete",
            Self::TlsHandshake => "tls_handshake",
            Self::TlsTimeout => "tls_timeout",
            Self::SendTimeout => "send_timeout",
            Self::ResponseTimeout => "response_timeout",
            Self::DownloadTimeout => "download_timeout",
            Self::EmptyReply => "empty_reply",
            Self::BadResponse => "bad_response",
            Self::HeaderTooLarge => "header_too_large",
            Self::ConnectionClosed => "connection_closed",
            Self::BadBody => "bad_body",
            Self::Http2Error => "http2_error",
            Self::TooManyRedirects => "too_many_redirects",
            Self::BadRedirect => "bad_redirect",
            Self::StatusUnexpected => "status_unexpected",
            Self::HeaderMismatch => "header_mismatch",
            Self::BodyMismatch => "body_mismatch",
            Self::JsonMismatch => "json_mismatch",
            Self::SlowResponse => "slow_response",
            Self::CertificateExpiring => "certificate_expiring",
            Self::EgressDenied => "egress_denied",
            Self::ResolverFailed => "resolver_failed",
            Self::NetworkDown => "network_down",
            Self::NoDescriptors => "no_descriptors",
            Self::Overloaded => "overloaded",
            Self::Missed => "missed",
            Self::Internal => "internal",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// True where the fault is ours or the refusal is ours: the site was not judged, and the verdict is `unknown`.
    pub const fn is_ours(self) -> bool {
        matches!(
            self,
            Self::EgressDenied
                | Self::ResolverFailed
                | Self::NetworkDown
                | Self::NoDescriptors
                | Self::Overloaded
                | Self::Missed
                | Self::Internal
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Longest sentence, in characters: parts of it are other people's words, and it is shown on pages and lock screens.
const TEXT_CHARS: usize = 500;

/// A code and its sentence, which names the particulars: `192.0.2.7:443 refused the connection`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub code: Code,
    pub text: String,
}

impl Cause {
    /// A text that is too long is cut.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if let Some((end, _)) = text.char_indices().nth(TEXT_CHARS) {
            text.truncate(end);
            text.push('…');
        }
        Self { code, text }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_an_end() {
        let long = Cause::new(Code::BadRedirect, "é".repeat(50_000)).text;
        assert_eq!((long.chars().count(), long.ends_with("é…")), (501, true));
        assert_eq!(Cause::new(Code::BadRedirect, "é".repeat(500)).text, "é".repeat(500));
    }

    #[test]
    fn every_code_reads_back_and_none_shares_its_text() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(code));
        }
    }
}
