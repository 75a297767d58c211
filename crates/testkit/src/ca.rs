//! A certificate authority of our own: good leaves, and leaves that are wrong in one way each.
//!
//! Dates are whole years far from the present, so that no certificate of a test depends on when the test runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

use crate::now::now;

/// When a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// From 2020 to 2120.
    Good,
    /// Ended with 2020.
    Expired,
    /// Begins in 2110.
    NotYet,
    /// Began in 2020 and ends this long from now: for the assertion on days left.
    For(Duration),
}

impl Validity {
    fn apply(self, params: &mut CertificateParams) {
        let (from, until) = match self {
            Self::Good => (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1)),
            Self::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Self::NotYet => (date_time_ymd(2110, 1, 1), date_time_ymd(2120, 1, 1)),
            Self::For(left) => {
                let present = Duration::from_millis(u64::try_from(now().millis()).expect("the present is after 1970"));
                (date_time_ymd(2020, 1, 1), date_time_ymd(1970, 1, 1) + present + left)
            }
        };
        params.not_before = from;
        params.not_after = until;
    }
}

/// A root, or an intermediate below one.
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// What a server sends above its leaf: nothing below a root, the intermediates otherwise.
    above: Vec<CertificateDer<'static>>,
}

impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ca").field("intermediates", &self.above.len()).finish_non_exhaustive()
    }
}

impl Ca {
    pub fn new(name: &str) -> Self {
        let issuer = CertifiedIssuer::self_signed(authority(name, Validity::Good), key()).expect("a root signs itself");
        Self { issuer, above: Vec::new() }
    }

    /// An authority under this one, which servers send along with the leaf.
    pub fn intermediate(&self, name: &str, validity: Validity) -> Self {
        let issuer = CertifiedIssuer::signed_by(authority(name, validity), key(), &self.issuer)
            .expect("an authority signs another");
        let mut above = vec![issuer.der().clone()];
        above.extend(self.above.iter().cloned());
        Self { issuer, above }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// A good certificate for these names and addresses.
    pub fn leaf(&self, names: &[&str]) -> Leaf {
        self.leaf_valid(names, Validity::Good)
    }

    pub fn leaf_valid(&self, names: &[&str], validity: Validity) -> Leaf {
        let key = key();
        let certificate = end_entity(names, validity).signed_by(&key, &self.issuer).expect("an authority signs a leaf");
        let mut chain = vec![certificate.der().clone()];
        chain.extend(self.above.iter().cloned());
        Leaf::new(chain, certificate.pem(), &key)
    }

    /// A leaf below an intermediate that the server forgets to send.
    pub fn leaf_without_chain(&self, names: &[&str]) -> Leaf {
        let mut leaf = self.leaf(names);
        leaf.chain.truncate(1);
        leaf
    }
}

/// What a server shows: its certificate, those above it, and its key.
pub struct Leaf {
    pub chain: Vec<CertificateDer<'static>>,
    pem: String,
    key_pem: String,
    key: Vec<u8>,
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

impl Leaf {
    fn new(chain: Vec<CertificateDer<'static>>, pem: String, key: &KeyPair) -> Self {
        Self { chain, pem, key_pem: key.serialize_pem(), key: key.serialize_der() }
    }

    /// A leaf that no authority signed.
    pub fn self_signed(names: &[&str]) -> Self {
        let key = key();
        let certificate = end_entity(names, Validity::Good).self_signed(&key).expect("a leaf signs itself");
        Self::new(vec![certificate.der().clone()], certificate.pem(), &key)
    }

    /// The leaf alone.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// TLS 1.2 and 1.3 with this certificate, offering these protocols (`h2`, `http/1.1`).
    pub fn server(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        self.server_asking(alpn, Arc::new(NoClientAuth))
    }

    /// The same for a server that turns away clients without a certificate of `authority`.
    pub fn server_for_clients_of(&self, authority: &Ca, alpn: &[&str]) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority.der()).expect("an authority is a root");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        self.server_asking(alpn, verifier.expect("there is a root"))
    }

    fn server_asking(&self, alpn: &[&str], clients: Arc<dyn ClientCertVerifier>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("aws-lc speaks TLS 1.2 and 1.3")
            .with_client_cert_verifier(clients)
            .with_single_cert(self.chain.clone(), key)
            .expect("the key belongs to the leaf");
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("aws-lc makes a P-256 key")
}

fn authority(name: &str, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity.apply(&mut params);
    params
}

fn end_entity(names: &[&str], validity: Validity) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let common = names.first().cloned().unwrap_or_default();
    let mut params = CertificateParams::new(names).expect("the names are host names or addresses");
    params.distinguished_name.push(DnType::CommonName, common);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    validity.apply(&mut params);
    params
}
