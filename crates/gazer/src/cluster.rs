//! How this process joins others: over NATS, with what it was given to open what is sealed.

use std::path::PathBuf;

use anyhow::Context;
use gazer_bus::nats::{self, Nats, ServerAddr};
use gazer_bus::seal::{RegionKey, Seals};
use gazer_bus::{Bus, Role};
use gazer_domain::Region;
use gazer_store::{Location, SealingKey};

use crate::cli::{BusFlags, Failure};
use crate::config::{Config, Place};
use crate::place;

/// What the keys of the bus derive from.
const PURPOSE: &str = "bus";

/// The servers that carry messages, and who we are there.
#[derive(Debug)]
pub(crate) struct Servers {
    addresses: Vec<ServerAddr>,
    /// No monitor may talk to these.
    pub(crate) hosts: Vec<(String, u16)>,
    credentials: Option<PathBuf>,
    replicas: usize,
}

/// What this process does, where, and with whom.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) roles: Vec<Role>,
    pub(crate) bus: Option<Servers>,
    pub(crate) region: Region,
    pub(crate) key: Option<RegionKey>,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let roles: Vec<_> = self.roles.iter().map(|role| role.as_str()).collect();
        write!(f, "{} in {}", roles.join(", "), self.region)
    }
}

impl Part {
    /// All of it, alone.
    pub(crate) fn whole() -> Self {
        Self { roles: Role::ALL.to_vec(), bus: None, region: Region::local(), key: None }
    }

    /// Messages are written where it is judged, and by the clock.
    pub(crate) fn tells_of_pages(&self) -> bool {
        let has = |role| self.roles.contains(&role);
        !has(Role::Web) && (has(Role::Judge) || has(Role::Plan))
    }

    pub(crate) fn resolve(flags: BusFlags, place: &Place) -> Result<Self, Failure> {
        let bus = Servers::resolve(&flags)?;
        let roles = roles(flags.roles, bus.is_some(), place)?;
        let key = flags.region_key.as_deref().map(read_key).transpose()?;
        if let (Some(region), Some(key)) = (&flags.region, &key)
            && *region != key.region
        {
            return Err(Failure::Usage(format!(
                "--region-key is the key of {}, and --region says {region}",
                key.region
            )));
        }
        if key.is_some() && roles.iter().any(|role| *role != Role::Check) {
            return Err(Failure::Usage("--region-key is for a process that only probes: --roles check".into()));
        }
        let region = key.as_ref().map(|key| key.region.clone()).or(flags.region).unwrap_or_else(Region::local);
        Ok(Self { roles, bus, region, key })
    }
}

impl Servers {
    fn resolve(flags: &BusFlags) -> Result<Option<Self>, Failure> {
        let Some(urls) = flags.bus.as_deref().filter(|urls| !urls.is_empty()) else {
            if flags.bus_credentials.is_some() {
                return Err(Failure::Usage("--bus-credentials needs --bus: the server that they are for".into()));
            }
            return Ok(None);
        };
        let refused = |why: String| Failure::usage("--bus <URL>", why);
        let mut addresses = Vec::new();
        for url in urls.split(',') {
            let url = url.trim();
            if !(url.starts_with("nats://") || url.starts_with("tls://")) {
                return Err(refused("must be nats://host:4222, or tls://… ; several with commas between them".into()));
            }
            addresses.push(url.parse::<ServerAddr>().map_err(|err| refused(err.to_string()))?);
        }
        let hosts = addresses.iter().map(|server| (server.host().to_owned(), server.port())).collect();
        let credentials = flags.bus_credentials.clone();
        Ok(Some(Self { addresses, hosts, credentials, replicas: flags.bus_replicas }))
    }
}

fn roles(asked: Vec<Role>, has_bus: bool, place: &Place) -> Result<Vec<Role>, Failure> {
    if asked.is_empty() {
        return Ok(Role::ALL.to_vec());
    }
    let missing = |role: &Role| !asked.contains(role);
    if !has_bus && Role::ALL.iter().any(missing) {
        return Err(Failure::Usage("--roles needs --bus: what this process leaves out is another one's to do".into()));
    }
    let needs_store = |role: &&Role| role.needs_store();
    if let Location::Sqlite(_) = place.location
        && asked.iter().any(|role| role.needs_store())
        && let Some(role) = Role::ALL.iter().filter(needs_store).find(|role| missing(role))
    {
        return Err(Failure::Usage(format!(
            "--roles leaves out {role}: a data folder belongs to one process, which does all of web, plan, judge and \
             deliver; several share a --database postgres://…"
        )));
    }
    Ok(asked)
}

fn read_key(path: &std::path::Path) -> Result<RegionKey, Failure> {
    let refused = |why: String| Failure::usage("--region-key <FILE>", why);
    let text =
        std::fs::read_to_string(path).map_err(|err| refused(format!("{} cannot be read: {err}", path.display())))?;
    text.parse().map_err(|err| refused(format!("{} {err}", path.display())))
}

/// What opens and seals the messages of this Gazer.
pub(crate) fn seals(key: &SealingKey) -> Seals {
    Seals::house(key.derive(PURPOSE))
}

impl Config {
    /// What a process opens and seals with that has not opened its house.
    pub fn seals(&self) -> anyhow::Result<Seals> {
        match &self.part.key {
            Some(key) => Ok(Seals::region(key.clone())),
            None => {
                let key =
                    place::key_of(&self.place).context("this process needs --region-key, or the key of its house");
                key.map(|key| seals(&key))
            }
        }
    }

    /// Probes from a region, with no key but its own.
    #[must_use]
    pub fn probing(self, key: RegionKey) -> Self {
        let part = Part { region: key.region.clone(), key: Some(key), ..self.part };
        Self { part, ..self }
    }
}

/// The bus of this process. `key` is the house's, where this process has opened it.
pub(crate) async fn join(
    config: &Config,
    name: String,
    key: Option<&SealingKey>,
) -> anyhow::Result<(Bus, Option<Nats>)> {
    let Part { roles, bus, region, .. } = &config.part;
    let Some(Servers { addresses, credentials, replicas, .. }) = bus else { return Ok((Bus::new(), None)) };
    let seals = match key {
        Some(key) => seals(key),
        None => config.seals()?,
    };
    let options = nats::Options {
        servers: addresses.clone(),
        credentials: credentials.clone(),
        authorities: config.authorities_file.clone(),
        name,
        region: region.clone(),
        is_house: roles.iter().any(|role| role.needs_store()),
        seals,
        replicas: *replicas,
    };
    let nats = Nats::connect(options).await.context("the bus of --bus")?;
    Ok((nats.bus(), Some(nats)))
}
