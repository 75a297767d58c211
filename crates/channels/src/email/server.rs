//! The operator's mail server as its URL names it.

use std::fmt;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters, TlsParametersBuilder};
use url::Url;

use super::MailError;

/// RFC 6409 and RFC 8314: submission, and submission over TLS from the first byte.
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

#[derive(Clone)]
pub(super) struct Server {
    pub host: String,
    pub port: u16,
    pub credentials: Option<Credentials>,
    pub security: Security,
}

#[derive(Clone)]
pub(super) enum Security {
    /// `smtps://`
    Wrapped(TlsParameters),
    /// `smtp://`: no STARTTLS, no mail.
    Required(TlsParameters),
    /// `smtp://…?tls=opportunistic`: STARTTLS where it is offered.
    Opportunistic(TlsParameters),
    /// `smtp://…?tls=none`
    None,
}

impl Server {
    pub(super) fn from_url(text: &str, root: Option<&[u8]>) -> Result<Self, MailError> {
        let url = Url::parse(text).map_err(MailError::Url)?;
        let wrapped = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            other => return Err(MailError::Scheme { scheme: other.to_owned() }),
        };
        // An IPv6 address is in brackets in a URL, and nowhere else.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(MailError::Host);
        }
        if !matches!(url.path(), "" | "/") {
            return Err(MailError::Path { path: url.path().to_owned() });
        }
        let port = url.port().unwrap_or(if wrapped { SUBMISSIONS } else { SUBMISSION });
        let mut wanted = None;
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("tls", "none" | "opportunistic" | "required") if !wrapped => wanted = Some(value.into_owned()),
                ("tls", "required") => {}
                _ => return Err(MailError::Option { option: format!("{name}={value}") }),
            }
        }
        let tls = || tls(&host, root);
        let security = match wanted.as_deref() {
            _ if wrapped => Security::Wrapped(tls()?),
            Some("none") => Security::None,
            Some("opportunistic") => Security::Opportunistic(tls()?),
            _ => Security::Required(tls()?),
        };
        Ok(Self { credentials: credentials(&url)?, host, port, security })
    }
}

/// For receipts and reasons: never with the password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn tls(host: &str, root: Option<&[u8]>) -> Result<TlsParameters, MailError> {
    let mut builder = TlsParametersBuilder::new(host.to_owned());
    if let Some(pem) = root {
        // lettre takes a text without any certificate as one with none to trust.
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(MailError::Root { source: None });
        }
        let certificate = Certificate::from_pem(pem).map_err(|source| MailError::Root { source: Some(source) })?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|source| MailError::Tls { source })
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn credentials(url: &Url) -> Result<Option<Credentials>, MailError> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(MailError::Credentials),
        (user, Some(password)) => Ok(Some(Credentials::new(decoded(user)?, decoded(password)?))),
    }
}

/// Percent-decoding (RFC 3986 §2.1) of a user or a password.
fn decoded(text: &str) -> Result<String, MailError> {
    let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
            return Err(MailError::Credentials);
        };
        plain.push(high << 4 | low);
    }
    String::from_utf8(plain).map_err(|_| MailError::Credentials)
}
