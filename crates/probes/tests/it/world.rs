//! A world made of tables: names that resolve as a test says, and a network that records what is dialled.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use gazer_domain::cause::{Cause, Code};
use gazer_probes::net::{Answer, Names, Pending, Sockets, Stream};
use gazer_probes::{AllowRule, Config, Egress, Prober};
use gazer_testkit::now::now;
use tokio::net::TcpStream;

/// A name for which the resolver has no answer.
pub(crate) const UNRESOLVED: &str = "unresolved.test";

/// Answers in the order given; the last one stays.
#[derive(Debug, Default, Clone)]
pub(crate) struct Table(Arc<Mutex<HashMap<String, Vec<Answer>>>>);

impl Table {
    /// From now on no name exists.
    pub(crate) fn forgets(&self) {
        self.0.lock().unwrap().clear();
    }

    pub(crate) fn says(&self, name: &str, addresses: &[&str], aliases: &[&str]) {
        let addresses = addresses.iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect();
        let answer = Answer { addresses, aliases: aliases.iter().map(|&alias| alias.to_owned()).collect() };
        self.0.lock().unwrap().entry(name.to_owned()).or_default().push(answer);
    }
}

impl Names for Table {
    fn lookup<'a>(&'a self, name: &'a str) -> Pending<'a, Result<Answer, Cause>> {
        Box::pin(async move {
            if name == UNRESOLVED {
                return Err(Cause::new(Code::ResolverFailed, "our resolver did not answer in time"));
            }
            let mut known = self.0.lock().unwrap();
            let answers =
                known.get_mut(name).ok_or_else(|| Cause::new(Code::DnsNotFound, format!("no row for {name}")))?;
            Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
        })
    }
}

/// Records every dial. Leads where a route says, and refuses elsewhere.
#[derive(Debug, Default, Clone)]
pub(crate) struct Recorder {
    dialled: Arc<Mutex<Vec<SocketAddr>>>,
    routes: Arc<Mutex<HashMap<SocketAddr, SocketAddr>>>,
    silent: Arc<Mutex<Vec<SocketAddr>>>,
    failing: Arc<Mutex<HashMap<SocketAddr, i32>>>,
}

impl Recorder {
    pub(crate) fn leads(&self, from: &str, to: SocketAddr) {
        self.routes.lock().unwrap().insert(from.parse().unwrap(), to);
    }

    /// Dials to it are never answered.
    pub(crate) fn is_silent(&self, at: &str) {
        self.silent.lock().unwrap().push(at.parse().unwrap());
    }

    /// Dials to it fail with this error of the operating system.
    pub(crate) fn fails(&self, at: &str, errno: i32) {
        self.failing.lock().unwrap().insert(at.parse().unwrap(), errno);
    }

    pub(crate) fn dialled(&self) -> Vec<IpAddr> {
        self.dialled.lock().unwrap().iter().map(SocketAddr::ip).collect()
    }
}

impl Sockets for Recorder {
    #[expect(clippy::disallowed_methods, reason = "the test's network leads to the test's own listeners")]
    fn connect(&self, to: SocketAddr) -> Pending<'_, io::Result<Stream>> {
        Box::pin(async move {
            self.dialled.lock().unwrap().push(to);
            if self.silent.lock().unwrap().contains(&to) {
                return std::future::pending().await;
            }
            if let Some(errno) = self.failing.lock().unwrap().get(&to) {
                return Err(io::Error::from_raw_os_error(*errno));
            }
            let route = self.routes.lock().unwrap().get(&to).copied();
            match route {
                Some(there) => Ok(Box::new(TcpStream::connect(there).await?) as Stream),
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }
}

/// A prober on closed egress in that world.
pub(crate) fn closed(names: Arc<dyn Names>, sockets: &Recorder, allow: &[&str]) -> Prober {
    let allow: Vec<AllowRule> = allow.iter().map(|rule| rule.parse().unwrap()).collect();
    let extra_roots = vec![gazer_testkit::targets::authority().der()];
    let config = Config { egress: Egress::Public, allow, extra_roots, witnesses: Vec::new(), ..Config::new(now) };
    Prober::over(config, names, Arc::new(sockets.clone())).unwrap()
}
