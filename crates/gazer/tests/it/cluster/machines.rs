//! A Gazer of several processes: pages and planning, judging and claiming, sending, probing, each of its own.

use std::path::PathBuf;

use gazer_testkit::nats::Nats;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::process::{Gazer, Recipe};
use tempfile::TempDir;

use crate::driver::{Driver, owned};

/// What all processes share.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) nats: Nats,
    pub(crate) postgres: Cluster,
    database: String,
    keys: TempDir,
}

/// All processes but the one with the pages, which plans as well.
#[derive(Debug)]
pub(crate) struct Workers {
    /// Judges, claims and settles.
    pub(crate) back: Gazer,
    /// Knows of no database, as the probers.
    pub(crate) sender: Gazer,
    pub(crate) probers: Vec<Gazer>,
}

/// The whole.
#[derive(Debug)]
pub(crate) struct Machines {
    pub(crate) front: Driver,
    pub(crate) workers: Workers,
    pub(crate) ground: Ground,
}

impl Ground {
    pub(crate) async fn start() -> Self {
        let (nats, postgres) = (Nats::start().await, Cluster::start().await);
        let database = postgres.fresh_database().await;
        let keys = tempfile::tempdir().expect("the temp directory is writable");
        Self { nats, postgres, database, keys }
    }

    /// The one with the pages, which plans as well.
    pub(crate) fn front(&self) -> Recipe {
        self.housed(owned()).arg("--roles").arg("web,plan")
    }

    /// One of the house, beside the first.
    pub(crate) fn beside(&self, front: &Gazer, roles: &str) -> Recipe {
        let recipe = self.housed(Gazer::new(env!("CARGO_BIN_EXE_gazer")).beside(front));
        recipe.arg("--roles").arg(roles).arg("--public-url").arg(front.url())
    }

    /// A prober in each of these regions.
    pub(crate) async fn workers(&self, front: &Gazer, regions: &[&str]) -> Workers {
        let back = self.beside(front, "judge,deliver").start().await;
        let sender = Gazer::new(env!("CARGO_BIN_EXE_gazer")).beside(front).env("GAZER_BUS", self.nats.url());
        let sender = sender.arg("--roles").arg("send").start().await;
        let mut probers = Vec::new();
        for region in regions {
            probers.push(self.prober(front, region).await);
        }
        Workers { back, sender, probers }
    }

    /// One that has the key of its region and nothing else.
    pub(crate) async fn prober(&self, front: &Gazer, region: &str) -> Gazer {
        let recipe = Gazer::new(env!("CARGO_BIN_EXE_gazer")).env("GAZER_BUS", self.nats.url());
        let key = self.key(front, region).await;
        recipe.arg("--roles").arg("check").arg("--region-key").arg(key).start().await
    }

    fn housed(&self, recipe: Recipe) -> Recipe {
        recipe.env("GAZER_BUS", self.nats.url()).env("GAZER_DATABASE", &self.database)
    }

    async fn key(&self, front: &Gazer, region: &str) -> PathBuf {
        let mut printed = front.run(&["region", "add", region]).await;
        if !printed.status.success() {
            printed = front.run(&["region", "key", region]).await;
        }
        assert!(printed.status.success(), "region key: {printed:?}");
        let file = self.keys.path().join(region);
        std::fs::write(&file, printed.stdout).expect("the temp directory is writable");
        file
    }
}

impl Machines {
    pub(crate) async fn start(regions: &[&str]) -> Self {
        Self::start_with(regions, |front| front).await
    }

    /// `more` is said to the one with the pages.
    pub(crate) async fn start_with(regions: &[&str], more: impl FnOnce(Recipe) -> Recipe) -> Self {
        let ground = Ground::start().await;
        let front = Driver::start(more(ground.front())).await;
        let workers = ground.workers(&front.gazer, regions).await;
        Self { front, workers, ground }
    }
}
