//! Two addresses of our own: one that is up, one that is down, and we know it.
//!
//! The first is a page that this process serves on loopback, the second a port that it holds and does not listen on: so
//! they work without any network, and nobody else can take their place. They are asked as every site is. Whatever keeps
//! the one from being seen as up, or lets the other be seen as anything but down, does the same to the sites of our
//! tenants.
//!
//! Both are addresses of this Gazer itself, which no monitor reaches. What asks them has a door of its own, which leads
//! to these two and nowhere else. Their way is plain HTTP to an address; names and TLS are for the witnesses to tell.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderValue;
use gazer_domain::Invalid;
use gazer_domain::http::{HttpSpec, parse_url};
use gazer_domain::sight;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::http::exchange::Means;
use crate::http::{self, Plan};
use crate::net::{Door, Guard, Names, Sockets, tls};
use crate::{Error, Prober};

/// Loopback answers in a millisecond; a process that needs longer has no time for sites either.
const PATIENCE: Duration = Duration::from_secs(5);
/// Who connects to the page and says nothing is not waited for.
const REQUEST: Duration = Duration::from_secs(1);
/// With no descriptors left, accepting fails at once and over and over.
const AFTER_FAILURE: Duration = Duration::from_millis(50);
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// The two addresses, as long as one of its clones lives.
#[derive(Debug, Clone)]
pub struct Canaries(Arc<Held>);

#[derive(Debug)]
struct Held {
    up: SocketAddr,
    down: SocketAddr,
    serving: AbortHandle,
    /// Bound, and never listened on: whoever connects is refused.
    _closed: TcpSocket,
}

impl Canaries {
    pub async fn open() -> io::Result<Self> {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = TcpListener::bind(here).await?;
        let up = listener.local_addr()?;
        let closed = TcpSocket::new_v4()?;
        closed.bind(here)?;
        let down = closed.local_addr()?;
        let serving = tokio::spawn(serve(listener)).abort_handle();
        Ok(Self(Arc::new(Held { up, down, serving, _closed: closed })))
    }

    /// The one that is up, and the one that is down.
    pub fn addresses(&self) -> [SocketAddr; 2] {
        [self.0.up, self.0.down]
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = timeout(REQUEST, answer(stream)).await;
            }
            Err(_) => sleep(AFTER_FAILURE).await,
        }
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let (mut head, mut part) = (Vec::new(), [0; 512]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < 4_096 {
        match stream.read(&mut part).await? {
            0 => return Ok(()),
            read => head.extend_from_slice(&part[..read]),
        }
    }
    stream.write_all(ANSWER).await?;
    stream.shutdown().await
}

/// What asks the canaries: the same code as every check, through a door that leads nowhere else.
#[derive(Debug)]
pub(crate) struct Cage {
    means: Means,
    up: Plan,
    down: Plan,
    /// Kept open for as long as they are asked.
    _canaries: Canaries,
}

impl Cage {
    pub(crate) fn new(
        canaries: Canaries,
        names: Arc<dyn Names>,
        sockets: Arc<dyn Sockets>,
        user_agent: &HeaderValue,
    ) -> Result<Self, Error> {
        let [up, down] = canaries.addresses();
        let plan = |at: SocketAddr| -> Result<Plan, Invalid> {
            let mut spec = HttpSpec::get(parse_url(&format!("http://{at}/"))?);
            (spec.redirects, spec.timeout) = (0, PATIENCE);
            Plan::compile(&spec, user_agent)
        };
        let door = Door::new(Guard::only(vec![up, down]), names, sockets);
        let means = Means { door, tls: tls::Tls::new(&[]).map_err(Error::Tls)?, budget: http::Budget::new(1 << 20) };
        let (up, down) = (plan(up).map_err(Error::Canary)?, plan(down).map_err(Error::Canary)?);
        Ok(Self { means, up, down, _canaries: canaries })
    }
}

impl Prober {
    /// Asks both, once; nothing where there are none.
    pub async fn canaries(&self) -> Option<sight::Canaries> {
        let cage = self.0.cage.as_ref()?;
        let now = (self.0.now)();
        let ask = |plan| http::attempt(&cage.means, plan, None, now);
        let ((_, up), (_, down)) = futures_util::future::join(ask(&cage.up), ask(&cage.down)).await;
        Some(sight::Canaries { up, down })
    }
}
