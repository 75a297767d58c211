//! How AWS is reached: by TLS, and only what Amazon's own authorities answer for.
//!
//! These are the five that Amazon asks a trust store of one's own to hold (`amazon.pem`, from
//! <https://www.amazontrust.com/repository/>). The system's 150 or so would be read and decoded at each cold start, and
//! each of them could answer for AWS.

use aws_sdk_sns::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

const AMAZON: &str = include_str!("amazon.pem");

pub(crate) fn client() -> SharedHttpClient {
    trusting(AMAZON)
}

fn trusting(authorities: &str) -> SharedHttpClient {
    let store = TrustStore::empty().with_pem_certificate(authorities);
    let context = TlsContext::builder().with_trust_store(store).build().expect("a context is made of its store");
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_https()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sns::Client;
    use aws_sdk_sns::config::retry::RetryConfig;
    use aws_sdk_sns::config::{BehaviorVersion, Config, Credentials, Region};
    use aws_sdk_sns::error::DisplayErrorContext;
    use gazer_testkit::ca::Ca;
    use gazer_testkit::site::Site;
    use rustls::RootCertStore;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use webpki_roots::TLS_SERVER_ROOTS;

    use super::*;

    #[test]
    fn amazons_authorities_are_five_that_browsers_trust() {
        let mut store = RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(AMAZON.as_bytes()) {
            store.add(authority.unwrap()).unwrap();
        }
        assert_eq!(store.len(), 5);
        for authority in &store.roots {
            assert!(TLS_SERVER_ROOTS.contains(authority), "{authority:?}");
        }
    }

    #[tokio::test]
    async fn what_poses_as_aws_is_told_nothing() {
        let ours = Ca::new("Somebody");
        let site = Site::https(&ours).await;

        let why = publish(client(), &site).await;
        assert!(why.contains("UnknownIssuer"), "{why}");
        assert!(site.hits().is_empty());

        publish(trusting(&ours.pem()), &site).await;
        assert_eq!(site.hits().len(), 1, "who is vouched for is spoken to");
    }

    /// The page that the site answers with is no answer of SNS.
    async fn publish(client: SharedHttpClient, site: &Site) -> String {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(site.url())
            .http_client(client)
            .build();
        let sent = Client::from_conf(config).publish().topic_arn("arn:aws:sns:eu-central-1:1:t").message("m").send();
        DisplayErrorContext(sent.await.unwrap_err()).to_string()
    }
}
