//! A Gazer of several processes: pages and planning, judging and claiming, sending, probing, each of its own.

use std::path::PathBuf;

use gazer_testkit::nats::Nats;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::process::{Gazer, Recipe};
use tempfile::TempDir;

use crate::driver::{Driver, owned};

/// The processes with what they share.
#[derive(Debug)]
pub(crate) struct Machines {
    /// Pages, and what goes by the clock.
    pub(crate) front: Driver,
    /// Judges, claims and settles.
    pub(crate) back: Gazer,
    pub(crate) sender: Gazer,
    pub(crate) probers: Vec<Gazer>,
    pub(crate) nats: Nats,
    pub(crate) postgres: Cluster,
    keys: TempDir,
}

impl Machines {
    pub(crate) async fn start(regions: &[&str]) -> Self {
        let (nats, postgres) = (Nats::start().await, Cluster::start().await);
        let database = postgres.fresh_database().await;
        let shared = |recipe: Recipe| recipe.env("GAZER_BUS", nats.url()).env("GAZER_DATABASE", &database);
        let front = Driver::start(shared(owned()).arg("--roles").arg("web,plan")).await;
        let beside = |roles: &str| {
            let recipe = Gazer::new(env!("CARGO_BIN_EXE_gazer")).beside(&front.gazer);
            recipe.arg("--roles").arg(roles)
        };
        let back = shared(beside("judge,deliver")).start().await;
        // Neither of these knows of a database.
        let sender = beside("send").env("GAZER_BUS", nats.url()).start().await;
        let keys = tempfile::tempdir().expect("the temp directory is writable");
        let mut machines = Self { front, back, sender, probers: Vec::new(), nats, postgres, keys };
        for region in regions {
            let prober = machines.prober(region).await.start().await;
            machines.probers.push(prober);
        }
        machines
    }

    /// One that has the key of its region and nothing else.
    pub(crate) async fn prober(&self, region: &str) -> Recipe {
        let key = self.key(region).await;
        let recipe = Gazer::new(env!("CARGO_BIN_EXE_gazer")).env("GAZER_BUS", self.nats.url());
        recipe.arg("--roles").arg("check").arg("--region-key").arg(key)
    }

    async fn key(&self, region: &str) -> PathBuf {
        let printed = self.front.gazer.run(&["region", "key", region]).await;
        assert!(printed.status.success(), "region key: {printed:?}");
        let file = self.keys.path().join(region);
        std::fs::write(&file, printed.stdout).expect("the temp directory is writable");
        file
    }
}
