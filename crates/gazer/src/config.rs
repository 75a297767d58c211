//! What was written on the command line and in the environment, and what it means.
//!
//! Flags are parsed by `clap`; here they are resolved: files read, URLs parsed, defaults filled in. Only [`Config`]
//! travels further, and nothing in it "should be set by now". A value that cannot be taken is refused with the name of
//! its flag, before anything is created.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Parser;
use gazer_bus::Role;
use gazer_channels::{Mail, MailError};
use gazer_domain::Region;
use gazer_domain::http::parse_url;
use gazer_domain::time::parse_duration;
use gazer_functions::Lookout;
use gazer_probes::witness::Witness;
use gazer_probes::{AllowRule, Egress};
use gazer_store::{Location, SealingKey};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use url::Url;

use crate::cli::{Failure, PlaceFlags, ServeFlags};
use crate::cluster::Part;
use crate::operator::Ways;
use crate::people::Account;

/// Public resolvers of three operators, and a name that IANA keeps: they answer from everywhere, and hardly ever fail
/// together.
pub(crate) const WITNESSES: [&str; 4] = ["1.1.1.1:443", "8.8.8.8:443", "9.9.9.9:443", "example.com:443"];

/// Where the pages are unless somebody says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The key that everything is sealed with, in a variable instead of a file.
pub(crate) const KEY: &str = "GAZER_KEY";

/// Pages look back a day, so less would leave them with holes.
const SHORTEST_RETENTION: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub struct Config {
    pub(crate) place: Place,
    /// What this process does of all that Gazer does.
    pub(crate) part: Part,
    /// `None` where nobody is to be answered: a process without pages that was not told to listen.
    pub(crate) listen: Option<SocketAddr>,
    /// `None` is the address that is listened on.
    pub(crate) public_url: Option<Url>,
    pub(crate) egress: Egress,
    pub(crate) allow: Vec<AllowRule>,
    pub(crate) witnesses: Vec<Witness>,
    /// Trusted besides the public authorities.
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    pub(crate) authorities_file: Option<PathBuf>,
    pub(crate) mail: Option<Mail>,
    pub(crate) retention: Duration,
    /// The grid on which checks are due; none where they are spread.
    pub(crate) align: Duration,
    /// Who owns this Gazer from its first start, without a browser.
    pub(crate) owner: Option<Account>,
    /// How to reach whoever runs it.
    pub(crate) operator: Ways,
    /// How often it looks whether it sees.
    pub(crate) look_every: Duration,
}

/// Where the state lies.
#[derive(Debug)]
pub(crate) struct Place {
    /// The folder that keeps the key and, without a server, the database.
    pub(crate) data: PathBuf,
    pub(crate) location: Location,
    /// Where it does not lie in the folder: then a process beside a database server has no folder.
    pub(crate) key: Option<SealingKey>,
    /// The database server, which no monitor may talk to.
    pub(crate) server: Option<(String, u16)>,
}

impl Config {
    /// What the environment says, for a process without a command line; with the sentence that says what is wrong.
    pub fn from_environment() -> Result<Self, String> {
        #[derive(Debug, Parser)]
        struct Environment {
            #[command(flatten)]
            flags: ServeFlags,
        }
        let read = Environment::try_parse_from(["gazer"]).map_err(|err| err.to_string())?;
        Self::resolve(read.flags).map_err(|failure| match failure {
            Failure::Usage(why) => why,
            Failure::Broken(err) => format!("{err:#}"),
        })
    }

    pub fn roles(&self) -> &[Role] {
        &self.part.roles
    }

    /// Where this process probes from.
    pub fn region(&self) -> &Region {
        &self.part.region
    }

    /// Takes on this role only, as one of many processes.
    #[must_use]
    pub fn taking(self, role: Role) -> Self {
        Self { part: Part { roles: vec![role], ..self.part }, ..self }
    }

    pub(crate) fn resolve(flags: ServeFlags) -> Result<Self, Failure> {
        let pem = flags.extra_ca.as_deref().map(read_authorities).transpose()?;
        let mail = mail(flags.smtp_url, flags.smtp_from, pem.as_deref())?;
        if flags.retention < SHORTEST_RETENTION {
            return Err(Failure::usage("--retention <DURATION>", "must be at least 1d"));
        }
        let operator = Ways::resolve(flags.operator, mail.is_some())?;
        let place = Place::resolve(flags.place)?;
        let part = Part::resolve(flags.bus, &place)?;
        let public_url = flags.public_url.filter(|url| !url.is_empty()).map(|url| public_url(&url)).transpose()?;
        if public_url.is_none() && part.tells_of_pages() {
            let why = "--public-url is needed: what this process tells links to pages that another process has";
            return Err(Failure::Usage(why.into()));
        }
        Ok(Self {
            listen: flags.listen.or_else(|| part.roles.contains(&Role::Web).then_some(LISTEN)),
            place,
            part,
            public_url,
            egress: flags.egress,
            allow: flags.allow,
            witnesses: flags.witness,
            authorities_file: flags.extra_ca,
            authorities: pem.as_deref().map(authorities).transpose()?.unwrap_or_default(),
            mail,
            retention: flags.retention,
            align: flags.align,
            owner: owner(environment("GAZER_OWNER_EMAIL"), environment("GAZER_OWNER_PASSWORD"))?,
            operator,
            look_every: look_every(environment("GAZER_LOOK_EVERY"))?,
        })
    }

    /// What `demo` runs on: nothing is reached but this machine.
    pub(crate) fn demo(data: PathBuf, listen: SocketAddr, owner: Account) -> Self {
        let location = Location::Sqlite(data.clone());
        Self {
            place: Place { data, location, key: None, server: None },
            part: Part::whole(),
            listen: Some(listen),
            public_url: None,
            egress: Egress::Open,
            allow: Vec::new(),
            witnesses: Vec::new(),
            authorities: Vec::new(),
            authorities_file: None,
            mail: None,
            retention: parse_duration("7d").expect("it is written as durations are"),
            align: Duration::ZERO,
            owner: Some(owner),
            operator: Ways::default(),
            look_every: Lookout::EVERY,
        }
    }
}

impl Place {
    /// Whether anything of it lies in its folder.
    pub(crate) fn has_folder(&self) -> bool {
        self.key.is_none() || !matches!(self.location, Location::Postgres { .. })
    }

    pub(crate) fn resolve(flags: PlaceFlags) -> Result<Self, Failure> {
        let key = environment(KEY).map(|text| key(&text)).transpose()?;
        let Some(database) = flags.database.filter(|url| !url.is_empty()) else {
            return Ok(Self { location: Location::Sqlite(flags.data.clone()), data: flags.data, key, server: None });
        };
        let refused = |why: &str| Failure::usage("--database <URL>", why);
        let url = Url::parse(&database).map_err(|_| refused("is no URL; write postgres://user:password@host/name"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(refused("must begin with postgres://; without --database the data folder holds a SQLite file"));
        }
        let server = server_of(&url);
        let location = Location::Postgres { address: database, connections: flags.database_connections };
        Ok(Self { data: flags.data, location, key, server })
    }
}

fn key(text: &str) -> Result<SealingKey, Failure> {
    let bytes = BASE64_STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    let key = bytes.map(SealingKey::from_bytes);
    key.ok_or_else(|| Failure::usage(KEY, "must be 32 bytes in base64, as `base64 gazer.key` prints them"))
}

/// Host and port as sqlx reads them: libpq's `host`, `hostaddr` and `port` in the query go before those of the URL. A
/// server that is reached through a socket file has no host, and no monitor can reach it.
fn server_of(url: &Url) -> Option<(String, u16)> {
    let mut host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let mut port = url.port().unwrap_or(5432);
    for (name, value) in url.query_pairs() {
        match &*name {
            "host" | "hostaddr" => host = value.into_owned(),
            "port" => port = value.parse().unwrap_or(port),
            _ => {}
        }
    }
    let is_file = host.starts_with('/') || host.to_ascii_lowercase().starts_with("%2f");
    (!host.is_empty() && !is_file).then_some((host, port))
}

fn public_url(text: &str) -> Result<Url, Failure> {
    let refused = |why: String| Failure::usage("--public-url <URL>", why);
    let url = parse_url(text).map_err(|invalid| refused(invalid.message))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("must end after its path, since links are appended to it".into()));
    }
    Ok(url)
}

fn read_authorities(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|err| no_authorities(&format!("{} cannot be read: {err}", path.display())))
}

fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|err| no_authorities(&format!("the file is not PEM: {err}")))?;
    if found.is_empty() {
        return Err(no_authorities("the file holds no certificate in PEM form"));
    }
    Ok(found)
}

fn no_authorities(why: &str) -> Failure {
    Failure::usage("--extra-ca <FILE>", why)
}

fn mail(url: Option<String>, from: Option<String>, root: Option<&[u8]>) -> Result<Option<Mail>, Failure> {
    let (url, from) = match (url.filter(|url| !url.is_empty()), from.filter(|from| !from.is_empty())) {
        (None, None) => return Ok(None),
        (Some(url), Some(from)) => (url, from),
        (Some(_), None) => return Err(Failure::Usage("--smtp-url needs --smtp-from: who our mail comes from".into())),
        (None, Some(_)) => {
            return Err(Failure::Usage("--smtp-from needs --smtp-url: the server that takes our mail".into()));
        }
    };
    let mail = match root {
        Some(root) => Mail::from_url_trusting(&url, &from, root),
        None => Mail::from_url(&url, &from),
    };
    mail.map(Some).map_err(|err| {
        let flag = match &err {
            MailError::From { .. } => "--smtp-from <ADDRESS>",
            MailError::Root { .. } => "--extra-ca <FILE>",
            _ => "--smtp-url <URL>",
        };
        Failure::usage(flag, err)
    })
}

fn owner(email: Option<String>, password: Option<String>) -> Result<Option<Account>, Failure> {
    match (email, password) {
        (None, None) => Ok(None),
        (Some(email), Some(password)) => Account::new(&email, password).map(Some).map_err(|invalid| {
            let variable = if invalid.field == "password" { "GAZER_OWNER_PASSWORD" } else { "GAZER_OWNER_EMAIL" };
            Failure::usage(variable, invalid.message)
        }),
        (Some(_), None) => Err(Failure::Usage("GAZER_OWNER_EMAIL needs GAZER_OWNER_PASSWORD".into())),
        (None, Some(_)) => Err(Failure::Usage("GAZER_OWNER_PASSWORD needs GAZER_OWNER_EMAIL".into())),
    }
}

/// Nobody needs another than the usual one, but for tests that cannot wait for it.
fn look_every(text: Option<String>) -> Result<Duration, Failure> {
    let Some(text) = text else { return Ok(Lookout::EVERY) };
    let refused = |why: &str| Failure::usage("GAZER_LOOK_EVERY", why);
    parse_duration(&text).map_err(|invalid| refused(&invalid.to_string()))
}

/// A variable that has no flag, because a command line is seen by everybody on the machine.
pub(crate) fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is where configuration is read")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn resolve(arguments: &[&str]) -> Result<Config, String> {
        let cli = Cli::parse_from(["gazer", "serve"].iter().chain(arguments));
        let Command::Serve(flags) = cli.command else { unreachable!("serve was asked for") };
        Config::resolve(*flags).map_err(|failure| match failure {
            Failure::Usage(why) => why,
            Failure::Broken(err) => panic!("{err:#}"),
        })
    }

    #[test]
    fn without_flags_everything_has_its_default() {
        let config = resolve(&[]).unwrap();
        assert_eq!(config.listen.unwrap().to_string(), "127.0.0.1:8080");
        assert_eq!(config.retention, Duration::from_secs(7 * 86_400));
        assert_eq!(config.witnesses.len(), WITNESSES.len());
        assert!(matches!(config.place.location, Location::Sqlite(dir) if dir.as_os_str() == "data"));
    }

    #[test]
    fn a_value_that_cannot_be_taken_is_refused_with_its_flag() {
        for (arguments, says) in [
            (&["--retention", "1h"][..], "--retention"),
            (&["--public-url", "ftp://example.com"], "--public-url"),
            (&["--public-url", "https://example.com/?a"], "--public-url"),
            (&["--database", "mysql://localhost/x"], "--database"),
            (&["--extra-ca", "/nowhere/ca.pem"], "--extra-ca"),
            (&["--smtp-url", "smtp://mail.example"], "--smtp-from"),
            (&["--smtp-from", "a@example.com"], "--smtp-url"),
            (&["--smtp-url", "http://mail.example", "--smtp-from", "a@example.com"], "--smtp-url"),
            (&["--smtp-url", "smtp://mail.example", "--smtp-from", "nobody"], "--smtp-from"),
            (&["--operator-webhook", "ftp://example.com"], "--operator-webhook"),
            (&["--operator-email", "nobody"], "--operator-email"),
            (&["--operator-email", "ann@example.com"], "--smtp-url"),
            (&["--ping-url", "example.com:25"], "--ping-url"),
            (&["--roles", "check"], "--bus"),
            (&["--bus-credentials", "a.creds"], "--bus"),
            (&["--bus", "http://nats.example"], "--bus"),
            (&["--bus", "nats://nats.example", "--roles", "web,plan"], "leaves out judge"),
            (&["--bus", "nats://nats.example", "--roles", "check", "--region-key", "/nowhere/eu"], "--region-key"),
            (&["--bus", "nats://n.example", "--database", "postgres:///x", "--roles", "judge"], "--public-url"),
        ] {
            let refused = resolve(arguments).unwrap_err();
            assert!(refused.contains(says), "{arguments:?}: {refused}");
        }
    }

    #[test]
    fn the_database_server_is_known_so_that_no_monitor_may_ask_it() {
        for (url, server) in [
            ("postgres://gazer:x@[::1]/gazer", Some(("::1", 5432))),
            ("postgres:///gazer?host=10.0.0.5&port=6432", Some(("10.0.0.5", 6432))),
            ("postgres://db.example:5433/gazer?hostaddr=10.0.0.5", Some(("10.0.0.5", 5433))),
            ("postgres:///gazer?host=/var/run/postgresql", None),
            ("postgres://%2Fvar%2Frun%2Fpostgresql/gazer", None),
            ("postgres:///gazer", None),
        ] {
            let config = resolve(&["--database", url]).unwrap();
            let known = config.place.server.as_ref().map(|(host, port)| (host.as_str(), *port));
            assert_eq!(known, server, "{url}");
        }
    }

    #[test]
    fn a_public_url_is_read_as_people_type_it() {
        let config = resolve(&["--public-url", "status.example.com/"]).unwrap();
        assert_eq!(config.public_url.unwrap().as_str(), "https://status.example.com/");
    }
}
