//! Cause codes as the small numbers that a check's row has room for. A number never changes its meaning.

use gazer_domain::cause::Code;

/// A new code takes the next free number; the compiler asks for it.
pub(crate) const fn number(code: Code) -> i64 {
    match code {
        Code::DnsNotFound => 1,
        Code::DnsNoAddress => 2,
        Code::DnsServerFailure => 3,
        Code::ConnectionRefused => 4,
        Code::ConnectionReset => 5,
        Code::ConnectTimeout => 6,
        Code::HostUnreachable => 7,
        Code::TlsExpired => 8,
        Code::TlsNotYetValid => 9,
        Code::TlsWrongHost => 10,
        Code::TlsSelfSigned => 11,
        Code::TlsUntrusted => 12,
        Code::TlsObsolete => 13,
        Code::TlsHandshake => 14,
        Code::TlsTimeout => 15,
        Code::SendTimeout => 16,
        Code::ResponseTimeout => 17,
        Code::DownloadTimeout => 18,
        Code::EmptyReply => 19,
        Code::BadResponse => 20,
        Code::HeaderTooLarge => 21,
        Code::ConnectionClosed => 22,
        Code::BadBody => 23,
        Code::Http2Error => 24,
        Code::TooManyRedirects => 25,
        Code::BadRedirect => 26,
        Code::StatusUnexpected => 27,
        Code::HeaderMismatch => 28,
        Code::BodyMismatch => 29,
        Code::JsonMismatch => 30,
        Code::SlowResponse => 31,
        Code::CertificateExpiring => 32,
        Code::EgressDenied => 33,
        Code::ResolverFailed => 34,
        Code::NetworkDown => 35,
        Code::NoDescriptors => 36,
        Code::Overloaded => 37,
        Code::Missed => 38,
        Code::Internal => 39,
    }
}

pub(crate) fn of_number(wanted: i64) -> Option<Code> {
    Code::ALL.into_iter().find(|code| number(*code) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_number_of_its_own() {
        for code in Code::ALL {
            assert_eq!(of_number(number(code)), Some(code));
        }
    }
}
