//! Each target is wrong in its own way, and in no other.

use std::collections::HashSet;
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use gazer_domain::cause::Code;
use gazer_testkit::targets::{self, Door, Target};
use http_body_util::{BodyExt, Empty};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, PeerIncompatible, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn dial(target: &Target) -> std::io::Result<TcpStream> {
    #[expect(clippy::disallowed_methods, reason = "the kit's own tests dial the kit's own targets")]
    TcpStream::connect(target.address()).await
}

/// What the target says to a GET, until it ends or is silent for a while.
async fn ask(target: &Target) -> std::io::Result<String> {
    let mut stream = dial(target).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").await?;
    let mut said = Vec::new();
    let silent = tokio::time::timeout(Duration::from_millis(300), stream.read_to_end(&mut said)).await;
    if let Ok(ended) = silent {
        ended?;
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// Trusts the authority and nobody else.
fn client(alpn: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(targets::authority().der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// What a client that trusts the authority finds in the handshake.
async fn shake(target: &Target) -> Result<(), Error> {
    let stream = dial(target).await.unwrap();
    let name = ServerName::from(target.address().ip());
    match tokio_rustls::TlsConnector::from(client(&[])).connect(name, stream).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.into_inner().unwrap().downcast_ref::<Error>().unwrap().clone()),
    }
}

#[test]
fn names_are_unique_and_there_are_enough_of_them() {
    let names: HashSet<_> = targets::all().iter().map(|one| one.name).collect();
    assert_eq!(names.len(), targets::all().len());
    assert!(targets::all().iter().filter(|one| one.expect.is_some()).count() >= 25);
}

#[test]
fn every_misbehaviour_has_its_sentence() {
    for one in targets::all() {
        assert_eq!(one.text.is_empty(), one.expect.is_none(), "{}", one.name);
    }
    let (bomb, at) = (targets::named("is a zip bomb"), "127.0.0.1:80".parse().unwrap());
    assert!(bomb.is_told_as("the body is a zip bomb: 7 bytes unpack to more than 1 MiB", at));
    assert!(!bomb.is_told_as("the body is a zip bomb: 7 bytes unpack to more than 1 MiB, or so", at));
    assert!(!targets::named("refuses").is_told_as("127.0.0.1:81 refused the connection", at));
}

#[tokio::test]
async fn every_target_opens_and_has_a_url() {
    for one in targets::all() {
        let target = targets::start(one).await;
        assert!(target.url().starts_with("http"), "{}", one.name);
        if !matches!(one.door, Door::Nobody | Door::FullQueue) {
            dial(&target).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_dropped_target_refuses() {
    let target = targets::start(targets::named("is well")).await;
    let address = target.address();
    assert!(ask(&target).await.unwrap().ends_with("<h1>All is well</h1>"));
    assert_eq!(target.accepted(), 1);
    drop(target);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    // The listener goes when its task is next polled.
    while tokio::net::TcpListener::bind(address).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the port is still taken");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_connection_fails_in_each_way() {
    let refuses = targets::start(targets::named("refuses")).await;
    assert_eq!(dial(&refuses).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let queue = targets::start(targets::named("never accepts")).await;
    assert!(tokio::time::timeout(Duration::from_millis(300), dial(&queue)).await.is_err());
    for name in ["resets on accept", "resets after the request", "resets mid-header", "resets mid-body"] {
        let target = targets::start(targets::named(name)).await;
        let kind = ask(&target).await.unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{name}: {kind:?}");
    }
}

#[tokio::test]
async fn certificates_are_wrong_in_one_way_each() {
    for (name, expect) in [
        ("is well over tls", None),
        ("tls has expired", Some("Expired")),
        ("tls has an expired intermediate", Some("Expired")),
        ("tls is not yet valid", Some("NotValidYet")),
        ("tls is for another host", Some("NotValidForName")),
        ("tls is of an unknown authority", Some("UnknownIssuer")),
        ("tls is self-signed", Some("UnknownIssuer")),
        ("tls lacks its intermediate", Some("UnknownIssuer")),
    ] {
        let target = targets::start(targets::named(name)).await;
        let found = match shake(&target).await {
            Ok(()) => None,
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { .. })) => Some("Expired"),
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { .. })) => Some("NotValidYet"),
            Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })) => Some("NotValidForName"),
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => Some("UnknownIssuer"),
            Err(other) => panic!("{name}: {other:?}"),
        };
        assert_eq!(found, expect, "{name}");
    }
}

#[tokio::test]
async fn obsolete_servers_are_told_from_broken_ones() {
    let alert = targets::start(targets::named("tls 1.1 only, by alert")).await;
    assert_eq!(shake(&alert).await, Err(Error::AlertReceived(AlertDescription::ProtocolVersion)));
    let hello = targets::start(targets::named("tls 1.1 only, by ServerHello")).await;
    let found = shake(&hello).await;
    let obsolete = Err(Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13));
    assert_eq!(found, obsolete);
    let refuses = targets::start(targets::named("tls refuses the handshake")).await;
    assert_eq!(shake(&refuses).await, Err(Error::AlertReceived(AlertDescription::HandshakeFailure)));
}

/// What hyper says to the target's answer: the expected codes are told apart by it.
async fn exchange(target: &Target) -> hyper::Result<Vec<u8>> {
    let io = hyper_util::rt::TokioIo::new(dial(target).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    tokio::spawn(connection);
    let request = http::Request::get("/").header("host", "here").body(Empty::<bytes::Bytes>::new()).unwrap();
    let mut body = sender.send_request(request).await?.into_body();
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        read.extend_from_slice(frame?.data_ref().unwrap());
        if read.len() > 256 * 1024 {
            break;
        }
    }
    Ok(read)
}

#[tokio::test]
async fn what_is_not_http_is_not_parsed() {
    for one in targets::all().iter().filter(|one| one.door == Door::Plain) {
        let target = targets::start(one).await;
        match one.expect {
            Some(Code::BadResponse) => assert!(exchange(&target).await.unwrap_err().is_parse(), "{}", one.name),
            Some(Code::HeaderTooLarge) => {
                let error = exchange(&target).await.unwrap_err();
                assert!(error.is_parse_too_large(), "{}: {error:?}", one.name);
            }
            Some(Code::EmptyReply | Code::ConnectionClosed | Code::ConnectionReset) => {
                assert!(exchange(&target).await.is_err(), "{}", one.name);
            }
            None => assert!(!exchange(&target).await.unwrap().is_empty() || one.name.contains("redirects")),
            Some(_) => {}
        }
    }
}

#[tokio::test]
async fn gzips_are_bad_in_their_own_way() {
    for (name, most, well) in [
        ("is well in gzip", u64::MAX, true),
        ("is a zip bomb", 8 * 1024 * 1024, true),
        ("is no gzip", u64::MAX, false),
        ("has half a gzip", u64::MAX, false),
        ("has a corrupt gzip", u64::MAX, false),
    ] {
        let target = targets::start(targets::named(name)).await;
        let body = exchange(&target).await.unwrap();
        let mut plain = flate2::read::GzDecoder::new(&body[..]).take(most);
        let read = std::io::copy(&mut plain, &mut std::io::sink());
        assert_eq!(read.is_ok(), well, "{name}: {read:?}");
        assert!(most == u64::MAX || read.unwrap() == most, "{name} is no bomb");
    }
}

/// Status and body, or the first error.
async fn exchange_h2(target: &Target) -> Result<Vec<u8>, h2::Error> {
    let config = client(&["h2"]);
    let stream = dial(target).await.unwrap();
    let name = ServerName::from(target.address().ip());
    let tls = tokio_rustls::TlsConnector::from(config).connect(name, stream).await.unwrap();
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) = h2::client::handshake(tls).await?;
    tokio::spawn(connection);
    let (answer, _) = sender.send_request(http::Request::get("https://here/").body(()).unwrap(), true)?;
    let mut body = answer.await?.into_body();
    let mut read = Vec::new();
    while let Some(data) = body.data().await {
        read.extend_from_slice(&data?);
    }
    Ok(read)
}

#[tokio::test]
async fn h2_fails_in_each_way() {
    let target = targets::start(targets::named("is well over h2")).await;
    assert_eq!(exchange_h2(&target).await.unwrap(), b"0123456789");
    let target = targets::start(targets::named("h2 goes away")).await;
    let error = exchange_h2(&target).await.unwrap_err();
    assert!(error.is_go_away(), "{error:?}");
    for name in ["h2 resets the stream", "h2 resets mid-body"] {
        let target = targets::start(targets::named(name)).await;
        assert!(exchange_h2(&target).await.unwrap_err().is_reset(), "{name}");
    }
    let target = targets::start(targets::named("h2 sends a frame too large")).await;
    let error = exchange_h2(&target).await.unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::FRAME_SIZE_ERROR), "{error:?}");
    for name in ["h2 is silent", "h2 stalls mid-body", "h2 never begins"] {
        let target = targets::start(targets::named(name)).await;
        assert!(tokio::time::timeout(Duration::from_millis(200), exchange_h2(&target)).await.is_err(), "{name}");
    }
}
