//! TLS that lets a broken certificate tell what is wrong with it.
//!
//! The handshake accepts any chain, but still proves that the peer holds the leaf's key; the chain is judged right
//! after it, before a byte of the request is sent. So a failed check can show the very certificate that failed it, and
//! tell an expired one from one for another host, which a handshake that just breaks off cannot.
//!
//! Sessions are never resumed: a resumed one shows no certificate. What verified well is remembered for a few minutes
//! by a digest over the host and the whole chain, because the same chain comes back every few seconds, and its
//! signatures cost more than all the rest of a check.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use gazer_domain::Timestamp;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::http::Trust;
use gazer_domain::observation::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs as provider};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, PeerIncompatible, RootCertStore,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

use super::Stream;

/// How long a verified chain is believed. Its leaf's own end is looked at every time.
const REMEMBERED: Duration = Duration::from_secs(300);
/// Chains remembered; beyond it all are forgotten, and verified once more.
const MOST_REMEMBERED: usize = 4_096;
/// Names shown of a certificate; some carry hundreds.
const MOST_NAMES: usize = 50;

type Fingerprint = [u8; 32];

/// Wraps connections and judges chains.
pub struct Tls {
    connector: TlsConnector,
    verifier: Arc<WebPkiServerVerifier>,
    remembered: Mutex<HashMap<Fingerprint, Arc<Remembered>>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

#[derive(Debug)]
struct Remembered {
    certificate: Certificate,
    until: Timestamp,
}

/// Whom to greet.
pub(crate) struct Peer<'a> {
    pub(crate) at: SocketAddr,
    pub(crate) host: &'a str,
    pub(crate) name: &'a ServerName<'static>,
}

/// Why TLS could not be set up at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("setting up TLS")]
    Setup(#[source] rustls::Error),
    #[error("reading an extra root certificate")]
    Root(#[source] rustls::Error),
    #[error("building the certificate verifier")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
}

impl Tls {
    /// Trusts Mozilla's roots and `extra_roots`.
    pub fn new(extra_roots: &[CertificateDer<'static>]) -> Result<Self, Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in extra_roots {
            roots.add(root.clone()).map_err(Error::Root)?;
        }
        let crypto = Arc::new(provider::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto.clone())
            .build()
            .map_err(Error::Verifier)?;
        let mut config = ClientConfig::builder_with_provider(crypto.clone())
            .with_safe_default_protocol_versions()
            .map_err(Error::Setup)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(JudgedLater(crypto)))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { connector, verifier, remembered: Mutex::default() })
    }

    /// The handshake, and the judgement of the chain that the peer presented: nobody gets a stream that was not judged.
    /// With [`Trust::Any`] the chain is only read. `seen` is the certificate, also where it is refused.
    pub(crate) async fn shake(
        &self,
        stream: Stream,
        peer: &Peer<'_>,
        trust: Trust,
        now: Timestamp,
        seen: &mut Option<Certificate>,
    ) -> Result<TlsStream<Stream>, Cause> {
        let shaken = self.connector.connect(peer.name.clone(), stream).await;
        let stream = shaken.map_err(|err| handshake_fault(peer.at, &err))?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        self.judge(chain, peer, trust, now, seen)?;
        Ok(stream)
    }

    fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        peer: &Peer<'_>,
        trust: Trust,
        now: Timestamp,
        seen: &mut Option<Certificate>,
    ) -> Result<(), Cause> {
        let host = peer.host;
        let [leaf, intermediates @ ..] = chain else {
            return Err(Cause::new(Code::TlsHandshake, format!("{host} presented no certificate")));
        };
        let key = fingerprint(host, chain);
        if let Some(known) = self.recall(&key, now) {
            *seen = Some(known.certificate.clone());
            return Ok(());
        }
        *seen = read(leaf);
        if trust == Trust::Any {
            return Ok(());
        }
        let Some(certificate) = seen else {
            return Err(Cause::new(Code::TlsHandshake, format!("the certificate of {host} cannot be read")));
        };
        let at = UnixTime::since_unix_epoch(now.since(Timestamp::EPOCH));
        let verified = self.verifier.verify_server_cert(leaf, intermediates, peer.name, &[], at);
        verified.map_err(|err| chain_fault(host, certificate, &err))?;
        let until = (now + REMEMBERED).min(certificate.not_after);
        self.remember(key, Arc::new(Remembered { certificate: certificate.clone(), until }));
        Ok(())
    }

    fn recall(&self, key: &Fingerprint, at: Timestamp) -> Option<Arc<Remembered>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back makes `at` older than what was verified; then it is verified again.
        remembered.get(key).filter(|known| at < known.until && known.until.since(at) <= REMEMBERED).cloned()
    }

    fn remember(&self, key: Fingerprint, what: Arc<Remembered>) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key, what);
    }
}

/// Accepts every chain in the handshake: [`Tls::shake`] judges it right after. Signatures of the handshake are checked as ever.
#[derive(Debug)]
struct JudgedLater(Arc<CryptoProvider>);

impl ServerCertVerifier for JudgedLater {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn fingerprint(host: &str, chain: &[CertificateDer<'_>]) -> Fingerprint {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&(host.len() as u64).to_be_bytes());
    context.update(host.as_bytes());
    for certificate in chain {
        context.update(&(certificate.len() as u64).to_be_bytes());
        context.update(certificate);
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn read(leaf: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(leaf).ok()?;
    let names = parsed.subject_alternative_name().ok().flatten();
    let names = names
        .map_or(Vec::new(), |san| san.value.general_names.iter().filter_map(shown_name).take(MOST_NAMES).collect());
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_millis(time.timestamp().saturating_mul(1_000));
    Some(Certificate {
        not_before: at(parsed.validity().not_before),
        not_after: at(parsed.validity().not_after),
        subject: shown_subject(parsed.subject()),
        issuer: shown_subject(parsed.issuer()),
        names,
    })
}

fn shown_subject(name: &X509Name<'_>) -> String {
    const SHOWN: usize = 300;
    name.to_string().chars().take(SHOWN).collect()
}

fn shown_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|ip| std::net::Ipv4Addr::from(ip).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|ip| std::net::Ipv6Addr::from(ip).to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn chain_fault(host: &str, certificate: &Certificate, err: &rustls::Error) -> Cause {
    let rustls::Error::InvalidCertificate(err) = err else {
        return Cause::new(Code::TlsUntrusted, format!("the certificate of {host} cannot be verified: {err}"));
    };
    match err {
        CertificateError::ExpiredContext { not_after, .. } if stamp(not_after) != certificate.not_after => Cause::new(
            Code::TlsExpired,
            format!("a certificate in the chain of {host} expired at {}", stamp(not_after)),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Cause::new(Code::TlsExpired, format!("the certificate of {host} expired at {}", certificate.not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } if stamp(not_before) != certificate.not_before => {
            Cause::new(
                Code::TlsNotYetValid,
                format!("a certificate in the chain of {host} is not valid before {}", stamp(not_before)),
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Cause::new(
            Code::TlsNotYetValid,
            format!("the certificate of {host} is not valid before {}", certificate.not_before),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let named = match certificate.names.as_slice() {
                [] => "names no host".to_owned(),
                [one] => format!("is for {one}"),
                [one, two] => format!("is for {one} and {two}"),
                [one, two, more @ ..] => format!("is for {one}, {two} and {} more", more.len()),
            };
            Cause::new(Code::TlsWrongHost, format!("the certificate {named}, not for {host}"))
        }
        _ if certificate.issuer == certificate.subject => Cause::new(
            Code::TlsSelfSigned,
            format!("the certificate of {host} is signed by itself ({}), not by an authority", certificate.subject),
        ),
        CertificateError::UnknownIssuer => Cause::new(
            Code::TlsUntrusted,
            format!("the certificate of {host} leads to no trusted authority; it was issued by {}", certificate.issuer),
        ),
        err => Cause::new(Code::TlsUntrusted, format!("the certificate of {host} cannot be verified: {err}")),
    }
}

fn stamp(time: &UnixTime) -> Timestamp {
    Timestamp::from_millis(i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000))
}

fn handshake_fault(at: SocketAddr, err: &io::Error) -> Cause {
    let inner = err.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let (code, text) = match inner {
        Some(
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
            | rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            ),
        ) => (Code::TlsObsolete, format!("{at} speaks only an obsolete version of TLS, older than 1.2")),
        Some(rustls::Error::AlertReceived(alert)) => {
            (Code::TlsHandshake, format!("{at} broke off the TLS handshake with the alert {alert:?}"))
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            (Code::TlsHandshake, format!("{at} did not answer in TLS: is it a plain HTTP port?"))
        }
        Some(err) => (Code::TlsHandshake, format!("the TLS handshake with {at} failed: {err}")),
        None => match err.kind() {
            io::ErrorKind::UnexpectedEof => {
                (Code::TlsHandshake, format!("{at} closed the connection during the TLS handshake"))
            }
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                (Code::ConnectionReset, format!("{at} reset the connection during the TLS handshake"))
            }
            _ => (Code::TlsHandshake, format!("the TLS handshake with {at} failed: {err}")),
        },
    };
    Cause::new(code, text)
}
