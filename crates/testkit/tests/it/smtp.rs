//! The mail server takes a mail, in clear and after STARTTLS, and rejects on command.

use std::sync::Arc;
use std::time::Duration;

use gazer_testkit::ca::Ca;
use gazer_testkit::smtp::{Security, SmtpServer, Stage};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

async fn dial(server: &SmtpServer) -> BufReader<TcpStream> {
    #[expect(clippy::disallowed_methods, reason = "the kit's own tests dial the kit's own server")]
    BufReader::new(TcpStream::connect(server.address()).await.unwrap())
}

/// The last line of the reply to a command; an empty command waits for the greeting.
async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, command: &str) -> String {
    if !command.is_empty() {
        stream.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
    let mut line = String::new();
    while line.as_bytes().get(3) != Some(&b' ') {
        line.clear();
        assert_ne!(stream.read_line(&mut line).await.unwrap(), 0, "the server left");
    }
    line.trim_end().to_owned()
}

async fn send<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> String {
    for (command, code) in
        [("MAIL FROM:<gazer@example.com> SIZE=9", "250"), ("RCPT TO:<ops@example.com>", "250"), ("DATA", "354")]
    {
        let reply = say(stream, command).await;
        assert!(reply.starts_with(code), "{command}: {reply}");
    }
    say(stream, "Subject: Down\r\n again\r\n\r\nFirst\r\n..dotted\r\n.").await
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_meant() {
    let server = SmtpServer::start(Security::None).await;
    let mut stream = dial(&server).await;
    assert!(say(&mut stream, "").await.starts_with("220"));
    assert!(say(&mut stream, "EHLO here").await.starts_with("250"));
    assert!(send(&mut stream).await.starts_with("250"));
    assert!(say(&mut stream, "QUIT").await.starts_with("221"));
    let mail = server.wait_for(|mail| mail.from == "gazer@example.com", Duration::from_secs(1)).await;
    assert_eq!(mail.to, ["ops@example.com"]);
    assert!(mail.data.ends_with("\r\n\r\nFirst\r\n.dotted\r\n"), "{:?}", mail.data);
    assert_eq!(mail.header("subject").unwrap(), "Down again");
    assert!(!mail.encrypted);
}

#[tokio::test]
async fn rejections_come_as_often_as_told() {
    let server = SmtpServer::start(Security::None).await;
    server.reject_next(1, Stage::Data, "451 4.3.0 try later");
    server.require_login("gazer", "secret");
    let mut stream = dial(&server).await;
    say(&mut stream, "").await;
    say(&mut stream, "EHLO here").await;
    assert!(say(&mut stream, "MAIL FROM:<a@b>").await.starts_with("530"));
    assert!(say(&mut stream, "AUTH PLAIN AGdhemVyAHdyb25n").await.starts_with("535"));
    assert!(say(&mut stream, "AUTH PLAIN AGdhemVyAHNlY3JldA==").await.starts_with("235"));
    assert_eq!(send(&mut stream).await, "451 4.3.0 try later");
    assert!(server.mails().is_empty());
    assert!(send(&mut stream).await.starts_with("250"));
    assert_eq!(server.mails()[0].user.as_deref(), Some("gazer"));
}

#[tokio::test]
async fn starttls_begins_anew_under_encryption() {
    let ca = Ca::new("Mail Root");
    let server = SmtpServer::start(Security::StartTls(&ca.leaf(&["localhost"]))).await;
    let mut stream = dial(&server).await;
    say(&mut stream, "").await;
    assert!(say(&mut stream, "STARTTLS").await.starts_with("220"));

    let mut roots = RootCertStore::empty();
    roots.add(ca.der()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut stream = BufReader::new(connector.connect(name, stream.into_inner()).await.unwrap());
    assert!(say(&mut stream, "EHLO here").await.starts_with("250"));
    assert!(send(&mut stream).await.starts_with("250"));
    assert!(server.mails()[0].encrypted);
}
