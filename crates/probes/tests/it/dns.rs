//! The real resolver against a name server on loopback that answers as told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gazer_domain::cause::Code;
use gazer_probes::net::{Names, Wire};
use tokio::net::UdpSocket;
use tokio::time::Instant;

/// Types of records (RFC 1035 §3.2.2, RFC 3596 §2.1).
const A: u8 = 1;
const AAAA: u8 = 28;

/// What the server says to every question.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Says {
    Address([u8; 4]),
    /// An IPv6 address at once, and this one later than a happy eyeball waits for the other family.
    Late([u8; 4]),
    NoData,
    /// A response code of RFC 1035 §4.1.1.
    Code(u8),
    Nothing,
}

/// Listens until the test ends; answers with its address and the names that it was asked.
pub(crate) async fn server(says: Says) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let at = socket.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let record = asked.clone();
    tokio::spawn(async move {
        let mut query = [0; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut query).await {
            let (name, question_end, kind) = question(&query[..length]);
            record.lock().unwrap().push(name);
            let Some(answer) = answer(&query[..question_end], kind, says) else { continue };
            let (socket, late) = (socket.clone(), matches!(says, Says::Late(_)) && kind == A);
            tokio::spawn(async move {
                if late {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                let _ = socket.send_to(&answer, from).await;
            });
        }
    });
    (at, asked)
}

/// The name asked for, where the question ends, and its type.
fn question(query: &[u8]) -> (String, usize, u8) {
    let (mut at, mut name) = (12, String::new());
    while query[at] != 0 {
        let length = usize::from(query[at]);
        name.push_str(&String::from_utf8_lossy(&query[at + 1..=at + length]));
        name.push('.');
        at += length + 1;
    }
    (name, at + 5, query[at + 2])
}

fn answer(question: &[u8], kind: u8, says: Says) -> Option<Vec<u8>> {
    let mut answer = question.to_vec();
    let (code, count) = match says {
        Says::Nothing => return None,
        Says::Code(code) => (code, 0),
        Says::Address(_) if kind == A => (0, 1),
        Says::Late(_) => (0, 1),
        Says::Address(_) | Says::NoData => (0, 0),
    };
    // A response, recursion wanted and available; one question, `count` answers, nothing more.
    answer[2..12].copy_from_slice(&[0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    if let (Says::Late(_), AAAA) = (says, kind) {
        answer.extend_from_slice(&[0xc0, 12, 0, AAAA, 0, 1, 0, 0, 0, 60, 0, 16]);
        answer.extend_from_slice(&std::net::Ipv6Addr::LOCALHOST.octets());
    } else if let (Says::Address(ip) | Says::Late(ip), 1) = (says, count) {
        answer.extend_from_slice(&[0xc0, 12, 0, A, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend_from_slice(&ip);
    }
    Some(answer)
}

async fn code(says: Says) -> Result<usize, Code> {
    let (at, _) = server(says).await;
    let wire = Wire::new(&[at], "").unwrap();
    wire.lookup("www.customer.test").await.map(|answer| answer.addresses.len()).map_err(|cause| cause.code)
}

#[tokio::test]
async fn what_a_name_server_says_about_the_name_is_the_customers_affair() {
    assert_eq!(code(Says::Address([192, 0, 2, 7])).await, Ok(1));
    assert_eq!(code(Says::Code(3)).await, Err(Code::DnsNotFound));
    assert_eq!(code(Says::NoData).await, Err(Code::DnsNoAddress));
    assert_eq!(code(Says::Code(2)).await, Err(Code::DnsServerFailure));
}

#[tokio::test]
async fn a_resolver_that_refuses_or_is_silent_is_our_affair() {
    let (refused, silent) = tokio::join!(code(Says::Code(5)), code(Says::Nothing));
    assert_eq!((refused, silent), (Err(Code::ResolverFailed), Err(Code::ResolverFailed)));
}

#[tokio::test]
async fn a_silent_resolver_costs_two_tries() {
    let begun = Instant::now();
    assert_eq!(code(Says::Nothing).await, Err(Code::ResolverFailed));
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(2_900) && took < Duration::from_millis(4_400), "{took:?}");
}

#[tokio::test]
async fn addresses_of_ipv4_are_awaited() {
    assert_eq!(code(Says::Late([192, 0, 2, 7])).await, Ok(2));
}

#[tokio::test]
async fn every_lookup_goes_to_the_wire() {
    let (at, asked) = server(Says::Address([192, 0, 2, 7])).await;
    let wire = Wire::new(&[at], "").unwrap();
    for _ in 0..3 {
        wire.lookup("www.customer.test").await.unwrap();
    }
    let asked = asked.lock().unwrap();
    assert!(asked.len() >= 6, "{asked:?}");
}
