//! How often and where the process dies.

use std::collections::BTreeSet;
use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_testkit::chance::Chance;
use gazer_testkit::now::now;
use gazer_testkit::process::Gazer;

use crate::cluster::machines::{Ground, Workers};
use crate::driver::Driver;

/// Small enough to run with all the other tests; CI asks for more.
const SIZE: (usize, usize) = (25, 50);
/// Fewer kills than this are not worth a round.
const KILLS_PER_ROUND: usize = 10;
const FEWEST_ROUNDS: usize = 5;
/// Longer than the clock's turn lasts.
const STANDSTILL: Duration = Duration::from_secs(8);

/// Sites fail together, round after round, and the process is killed some times while they are down, and some while
/// they come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) sites: usize,
    pub(crate) rounds: usize,
    kills: usize,
}

impl Size {
    #[expect(clippy::disallowed_methods, reason = "the size of a test run is no configuration of the product")]
    pub(crate) fn of_this_run() -> Self {
        let asked = std::env::var("GAZER_CRASH").ok();
        let parsed = asked.as_deref().map(|text| {
            let numbers =
                text.split_once(['x', '×']).and_then(|(kills, all)| Some((kills.parse().ok()?, all.parse().ok()?)));
            numbers.unwrap_or_else(|| panic!("GAZER_CRASH={text}: write kills×incidents, as in 1000×3000"))
        });
        let (kills, incidents): (usize, usize) = parsed.unwrap_or(SIZE);
        let rounds = FEWEST_ROUNDS.max(kills / KILLS_PER_ROUND);
        Self { sites: incidents.div_ceil(rounds), rounds, kills }
    }

    /// How long the database stays away.
    pub(crate) fn absence(&self) -> Duration {
        let seconds = match self.kills {
            0..100 => 6,
            100..1_000 => 60,
            _ => 600,
        };
        Duration::from_secs(seconds)
    }

    /// Spread evenly over the turns, which count from 1.
    pub(crate) fn kills_per_turn(&self, turn: usize) -> usize {
        let turns = 2 * self.rounds;
        self.kills * turn / turns - self.kills * (turn - 1) / turns
    }
}

/// Who is there besides the process that has the pages.
#[derive(Debug)]
enum Others {
    Nobody,
    /// Another one on the same database, once it is started.
    Beside {
        database: String,
        /// None or one.
        other: Vec<Gazer>,
    },
    Cluster {
        ground: Box<Ground>,
        processes: Vec<Gazer>,
    },
}

impl Others {
    fn processes(&mut self) -> &mut [Gazer] {
        match self {
            Self::Nobody => &mut [],
            Self::Beside { other, .. } => other,
            Self::Cluster { processes, .. } => processes,
        }
    }
}

/// The database crashes, or the bus dies and forgets everything.
async fn ground_shakes(ground: &mut Ground, chance: &mut Chance) {
    if chance.once_in(3) {
        ground.postgres.stop().await;
        ground.postgres.start_again().await;
        return;
    }
    ground.nats.kill9().await;
    ground.nats.wipe();
    ground.nats.start_again().await;
}

/// The one who kills.
#[derive(Debug)]
pub(crate) struct Kills {
    chance: Chance,
    named: bool,
    others: Others,
    pub(crate) count: usize,
    /// When somebody was killed, stopped or let go on.
    pub(crate) blows: Vec<(Timestamp, &'static str)>,
    /// At which instants it died.
    pub(crate) points: BTreeSet<String>,
}

impl Kills {
    pub(crate) fn random(seed: u64) -> Self {
        let chance = Chance::new(seed, 0);
        Self { chance, named: false, others: Others::Nobody, count: 0, blows: Vec::new(), points: BTreeSet::new() }
    }

    #[cfg(feature = "crash-points")]
    pub(crate) fn named(seed: u64) -> Self {
        Self { named: true, ..Self::random(seed) }
    }

    /// Of two that share a database.
    pub(crate) fn of_two(seed: u64, database: String) -> Self {
        Self { others: Others::Beside { database, other: Vec::new() }, ..Self::random(seed) }
    }

    /// Of processes that share the work over NATS, and of what they share.
    pub(crate) fn of_cluster(seed: u64, ground: Ground) -> Self {
        Self { others: Others::Cluster { ground: Box::new(ground), processes: Vec::new() }, ..Self::random(seed) }
    }

    /// Starts what else there is.
    pub(crate) async fn stand_by(&mut self, app: &Driver) {
        match &mut self.others {
            Others::Nobody => {}
            Others::Beside { database, other } => {
                let recipe = Gazer::new(env!("CARGO_BIN_EXE_gazer")).beside(&app.gazer);
                other.push(recipe.env("GAZER_DATABASE", database.as_str()).start().await);
            }
            Others::Cluster { ground, processes } => {
                let Workers { back, sender, probers } = ground.workers(&app.gazer, &["local", "local"]).await;
                let spare = ground.beside(&app.gazer, "plan,judge,deliver,send").start().await;
                processes.extend([back, sender, spare]);
                processes.extend(probers);
            }
        }
    }

    pub(crate) fn chance(&mut self) -> &mut Chance {
        &mut self.chance
    }

    /// Kills the process so many times, and starts it again each time.
    pub(crate) async fn some(&mut self, app: &mut Driver, times: usize) {
        for _ in 0..times {
            match self.named.then(|| self.next_point()) {
                Some(point) => self.at(app, &point).await,
                None => self.at_random(app).await,
            }
            self.count += 1;
        }
    }

    /// Of several any may be hit, and is sometimes stopped for longer than its turn lasts.
    async fn at_random(&mut self, app: &mut Driver) {
        tokio::time::sleep(Duration::from_millis(self.chance.between(0, 3_000))).await;
        if let Others::Cluster { ground, .. } = &mut self.others
            && self.chance.once_in(5)
        {
            self.blows.push((now(), "what they share dies"));
            return ground_shakes(ground, &mut self.chance).await;
        }
        let others = self.others.processes();
        let is_shared = !others.is_empty();
        let hit = self.chance.between(0, others.len() as u64 + 1) as usize;
        let victim = match others.get_mut(hit) {
            Some(other) => other,
            None => &mut app.gazer,
        };
        if is_shared && self.chance.once_in(5) {
            self.blows.push((now(), "a process is stopped"));
            victim.freeze().await;
            tokio::time::sleep(STANDSTILL).await;
            self.blows.push((now(), "a process goes on"));
            victim.thaw().await;
            return;
        }
        self.blows.push((now(), "a process is killed"));
        victim.kill9().await;
        victim.start().await;
    }

    /// The next instant, at its first or second pass. The order shifts from turn to turn, so that each comes up while
    /// sites are down and while they come back.
    fn next_point(&mut self) -> String {
        let all = gazer_bus::crash::Point::ALL;
        let point = all[(self.count + self.count / all.len()) % all.len()];
        format!("{}:{}", point.as_str(), self.chance.between(1, 3))
    }

    /// The point is set for one life: it begins after a restart, and ends at the point or, where the point is not
    /// passed in time, by a plain kill.
    async fn at(&mut self, app: &mut Driver, point: &str) {
        app.gazer.kill9().await;
        app.gazer.set("GAZER_CRASH_AT", Some(point));
        app.gazer.launch();
        if app.gazer.ends_within(Duration::from_secs(7)).await {
            self.blows.push((now(), "the process is dead by itself"));
            self.points.insert(point.split(':').next().unwrap_or_default().to_owned());
        } else {
            self.blows.push((now(), "the process is killed"));
            app.gazer.kill9().await;
        }
        app.gazer.set("GAZER_CRASH_AT", None);
        app.gazer.start().await;
    }
}
