//! Every row of `ssrf_vectors.tsv` as it says, with a recorder in place of the network that proves what was not dialled.

use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::sync::{Arc, Mutex};

use gazer_domain::cause::Code;
use gazer_domain::http::{Auth, HttpSpec, Method, parse_url, validate_header};
use gazer_domain::observation::Attempt;
use gazer_probes::Prober;
use gazer_probes::net::{Names, Stage, Wire};
use gazer_testkit::ca::Leaf;
use gazer_testkit::targets::authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Host;

use crate::dns::{self, Says};
use crate::world::{Recorder, Table, closed};

const ROWS: &str = include_str!("../ssrf_vectors.tsv");
/// Where names lead that no row speaks of.
const PUBLIC: &str = "93.184.215.14";

#[derive(Debug)]
struct Row {
    id: &'static str,
    kind: &'static str,
    input: String,
    must_block: bool,
    never_dial: Option<IpAddr>,
}

fn rows(kind: &str) -> Vec<Row> {
    let all = ROWS.lines().skip(1).map(|line| {
        let field: Vec<&'static str> = line.split('\t').collect();
        Row {
            id: field[0],
            kind: field[1],
            input: unescape(field[2]),
            must_block: field[3] == "yes",
            never_dial: field[6].parse().ok(),
        }
    });
    let rows: Vec<Row> = all.filter(|row| row.kind == kind).collect();
    assert!(!rows.is_empty(), "no rows of kind {kind}");
    rows
}

fn unescape(text: &str) -> String {
    text.replace("\\r", "\r").replace("\\n", "\n").replace("\\\\", "\\")
}

impl Row {
    /// Blocked means refused as ours and nothing dialled; allowed means that something was.
    fn holds(&self, blocked: bool, sockets: &Recorder) {
        let dialled = sockets.dialled();
        assert_eq!(blocked, self.must_block, "{self:?} dialled {dialled:?}");
        if let Some(never) = self.never_dial {
            let never = [never, never.to_canonical()];
            assert!(!dialled.iter().any(|ip| never.contains(ip)), "{self:?} dialled {dialled:?}");
        }
    }
}

async fn get(prober: &Prober, url: &str) -> Attempt {
    let spec = HttpSpec::get(parse_url(url).unwrap());
    prober.attempt(&prober.compile(&spec).unwrap(), None).await
}

fn is_denied(attempt: &Attempt) -> bool {
    attempt.fault.as_ref().is_some_and(|cause| cause.code == Code::EgressDenied)
}

#[tokio::test]
async fn addresses() {
    for row in rows("ip") {
        let sockets = Recorder::default();
        let prober = closed(Arc::new(Table::default()), &sockets, &[]);
        let ip: IpAddr = row.input.parse().unwrap();
        let attempt = get(&prober, &format!("http://{}/", SocketAddr::new(ip, 80))).await;
        row.holds(is_denied(&attempt), &sockets);
        assert_eq!(sockets.dialled().is_empty(), row.must_block, "{row:?}");
    }
}

#[tokio::test]
async fn urls() {
    for row in rows("url") {
        let (sockets, names) = (Recorder::default(), Table::default());
        // Names that only their spelling gives away would lead to the public internet here.
        for name in ["example.com", "xn--bcher-kva.example", "metadata", "kubernetes.default.svc", "printer.local"] {
            names.says(name, &[PUBLIC], &[]);
        }
        let prober = closed(Arc::new(names), &sockets, &[]);
        let blocked = match parse_url(&row.input) {
            Err(_) => true,
            Ok(url) => {
                let foretold = prober.door().judge(&url).is_err();
                assert_eq!(foretold, row.must_block, "what is said at save is what is said at check: {row:?}");
                let spec = HttpSpec::get(url);
                match prober.compile(&spec) {
                    Err(_) => true,
                    Ok(plan) => is_denied(&prober.attempt(&plan, None).await),
                }
            }
        };
        row.holds(blocked, &sockets);
        assert_eq!(sockets.dialled().is_empty(), row.must_block, "{row:?}");
    }
}

#[tokio::test]
async fn names_and_what_they_answer() {
    for row in rows("dns") {
        let (sockets, table) = (Recorder::default(), Table::default());
        let name = row.input.split(' ').next().unwrap().to_owned();
        let (record, value) = row.input[name.len()..].trim().split_once('=').unwrap();
        let value = value.split(' ').next().unwrap();
        let mut asked = None;
        let names: Arc<dyn Names> = match record {
            "CNAME" => {
                // The alias alone condemns it, whatever address came along.
                table.says(&name, &[PUBLIC], &[value.trim_end_matches('.')]);
                Arc::new(table)
            }
            "from /etc/hosts" => {
                let (at, _) = dns::server(Says::Code(3)).await;
                Arc::new(Wire::new(&[at], &format!("{value} {name}\n")).unwrap())
            }
            _ if record.starts_with("NXDOMAIN") => {
                let (at, questions) = dns::server(Says::Code(3)).await;
                asked = Some(questions);
                Arc::new(Wire::new(&[at], "").unwrap())
            }
            "A" if row.input.contains("on the 2nd check") => {
                table.says(&name, &[PUBLIC], &[]);
                table.says(&name, &[value], &[]);
                Arc::new(table)
            }
            "A" | "AAAA" => {
                table.says(&name, &value.split(',').collect::<Vec<_>>(), &[]);
                Arc::new(table)
            }
            other => panic!("{}: nobody knows the record {other:?}", row.id),
        };
        let prober = closed(names, &sockets, &[]);
        let mut attempt = get(&prober, &format!("http://{name}/")).await;
        if row.input.contains("2nd check") {
            attempt = get(&prober, &format!("http://{name}/")).await;
        }
        let blocked = is_denied(&attempt) || attempt.fault.as_ref().unwrap().code == Code::DnsNotFound;
        row.holds(blocked, &sockets);
        if let Some(asked) = asked {
            let asked = asked.lock().unwrap();
            assert!(asked.iter().all(|question| *question == format!("{name}.")), "{row:?} asked {asked:?}");
        }
    }
}

/// Answers each connection over TLS with these bytes, and tells what it was asked.
async fn tls_site(leaf: Leaf, answer: String) -> (SocketAddr, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(String::new()));
    let record = asked.clone();
    let acceptor = TlsAcceptor::from(leaf.server(&["http/1.1"]));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = vec![0; 8_192];
            let length = stream.read(&mut head).await.unwrap_or(0);
            record.lock().unwrap().push_str(&String::from_utf8_lossy(&head[..length]));
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (at, asked)
}

#[tokio::test]
async fn redirects() {
    for row in rows("redirect") {
        let (sockets, names) = (Recorder::default(), Table::default());
        names.says("ok.test", &[PUBLIC], &[]);
        names.says("other.test", &["8.8.8.8"], &[]);
        names.says("a.rebind.test", &["127.0.0.1"], &[]);
        let (_, led) = row.input.split_once(" -> ").unwrap();
        let mut words = led.split(' ');
        let (status, location) = (words.next().unwrap(), words.next().unwrap());
        let answer = format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let (ok, _) = tls_site(authority().leaf(&["ok.test"]), answer).await;
        let fine = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned();
        let (other, asked) = tls_site(authority().leaf(&["other.test"]), fine).await;
        sockets.leads(&format!("{PUBLIC}:443"), ok);
        sockets.leads("8.8.8.8:443", other);
        let prober = closed(Arc::new(names), &sockets, &[]);
        let mut spec = HttpSpec::get("https://ok.test/".parse().unwrap());
        spec.headers = vec![("X-Api-Key".into(), "s3cr3t".into()), ("Cookie".into(), "s3cr3t".into())];
        spec.auth = Some(Auth::Bearer { token: "s3cr3t".into() });
        if row.input.contains("POST") {
            spec.method = Method::Post;
            spec.body = Some("a body".into());
        }
        let attempt = prober.attempt(&prober.compile(&spec).unwrap(), None).await;
        let blocked =
            attempt.fault.as_ref().is_some_and(|cause| matches!(cause.code, Code::EgressDenied | Code::BadRedirect));
        row.holds(blocked, &sockets);
        let shown = format!("{attempt:?}");
        assert!(!shown.contains("s3cr3t"), "{row:?}: evidence shows a secret");
        if !row.must_block {
            assert_eq!(attempt.fault, None, "{row:?}");
            let asked = asked.lock().unwrap();
            assert!(asked.contains("host: other.test") && !asked.contains("s3cr3t"), "{row:?}: {asked}");
        }
    }
}

#[test]
fn headers() {
    for row in rows("header") {
        let (name, value) = row.input.split_once(": ").unwrap();
        assert_eq!(validate_header(name, value).is_err(), row.must_block, "{row:?}");
    }
}

/// Run again by [`an_environment_with_a_proxy`], with the variable set.
#[tokio::test]
async fn asks_the_target_whatever_the_environment_says() {
    let row = rows("env").remove(0);
    let (sockets, names) = (Recorder::default(), Table::default());
    names.says("example.com", &[PUBLIC], &[]);
    let attempt = get(&closed(Arc::new(names), &sockets, &[]), "http://example.com/").await;
    row.holds(is_denied(&attempt), &sockets);
    assert_eq!(sockets.dialled(), [PUBLIC.parse::<IpAddr>().unwrap()]);
}

#[test]
fn an_environment_with_a_proxy() {
    let row = rows("env").remove(0);
    let (name, value) = row.input.split(' ').next().unwrap().split_once('=').unwrap();
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ssrf::asks_the_target_whatever_the_environment_says"])
        .env(name, value)
        .env(name.to_lowercase(), value)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn other_protocols_go_through_the_same_door() {
    for row in rows("proto") {
        let (sockets, names) = (Recorder::default(), Table::default());
        names.says("a.rebind.test", &["127.0.0.1"], &[]);
        let prober = closed(Arc::new(names), &sockets, &[]);
        let target = row.input.split(' ').nth(1).unwrap();
        let url = if target.contains("://") { target.to_owned() } else { format!("tcp://{target}/") };
        let url = url::Url::parse(&url).unwrap();
        let host = Host::parse(url.host_str().unwrap()).unwrap();
        let host = match &host {
            Host::Domain(name) => Host::Domain(name.as_str()),
            Host::Ipv4(ip) => Host::Ipv4(*ip),
            Host::Ipv6(ip) => Host::Ipv6(*ip),
        };
        let mut stage = Stage::default();
        let refused = prober.door().dial(host, url.port().unwrap_or(7), None, &mut stage).await.unwrap_err();
        row.holds(refused.code == Code::EgressDenied, &sockets);
        assert!(sockets.dialled().is_empty(), "{row:?}");
    }
}

#[tokio::test]
async fn exceptions_are_the_operators_alone() {
    for row in rows("allow") {
        let (sockets, names) = (Recorder::default(), Table::default());
        names.says("evil.test", &["192.168.0.9"], &["nas.test"]);
        names.says("nas.test", &["192.168.0.9"], &[]);
        let (rule, target) = row.input.rsplit_once("allow=").unwrap().1.split_once(' ').unwrap();
        // A tenant's wish has nowhere to go: neither a monitor nor any call of the prober takes a rule.
        let by_operator = !row.input.starts_with("tenant-setting");
        let allow: Vec<&str> = if by_operator { vec![rule] } else { Vec::new() };
        let prober = closed(Arc::new(names), &sockets, &allow);
        let url = target.split(' ').next().unwrap();
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}/") };
        row.holds(is_denied(&get(&prober, &url).await), &sockets);
        assert_eq!(sockets.dialled().is_empty(), row.must_block, "{row:?}");
    }
}

#[tokio::test]
async fn a_name_that_the_operator_allows_may_lead_to_a_private_address() {
    let (sockets, names) = (Recorder::default(), Table::default());
    names.says("nas.test", &["192.168.0.9", "169.254.169.254"], &[]);
    let prober = closed(Arc::new(names), &sockets, &["host:nas.test"]);
    assert!(!is_denied(&get(&prober, "http://nas.test/").await));
    assert_eq!(sockets.dialled(), ["192.168.0.9".parse::<IpAddr>().unwrap()]);
}

#[test]
fn every_row_has_a_test() {
    let known = ["ip", "url", "dns", "redirect", "header", "env", "proto", "allow"];
    let held: usize = known.iter().map(|kind| rows(kind).len()).sum();
    assert_eq!(held, ROWS.lines().count() - 1);
    assert_eq!(rows("env").len(), 1);
}
