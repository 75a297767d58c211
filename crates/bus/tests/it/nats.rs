//! Several processes over one NATS server; each is a connection with functions of its own here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use gazer_bus::function::Intake;
use gazer_bus::hold::{self, Lease};
use gazer_bus::nats::{Carrying, Nats, Options};
use gazer_bus::seal::Seals;
use gazer_bus::{
    Bus, Changed, CheckBatch, Due, Failure, Function, Message, Observed, Occasion, Registry, Report, Role, Running,
    Sent, SystemClock, Topic, Turns, Wake, Woken,
};
use gazer_domain::delivery::Outcome;
use gazer_domain::http::{Auth, HttpSpec, parse_url};
use gazer_domain::issue;
use gazer_domain::monitor::{Brief, Spec, Verify};
use gazer_domain::{DeliveryId, MonitorId, Region, TeamId, Timestamp};
use gazer_testkit::nats::Nats as Server;
use gazer_testkit::record::Record;
use gazer_testkit::sample::well;

const PATIENCE: Duration = Duration::from_secs(20);

/// Consumes one topic, and does with it what it is told.
#[derive(Debug)]
struct Worker {
    wakes: [Wake; 1],
    role: Role,
    got: Record<Message>,
    /// Never ends, as a process that was killed in the middle of it.
    hangs: AtomicBool,
    /// With what carries this number.
    fails: AtomicU32,
}

impl Worker {
    fn of(topic: Topic, role: Role) -> Arc<Self> {
        let (hangs, fails) = (AtomicBool::new(false), AtomicU32::new(0));
        Arc::new(Self { wakes: [Wake::Topic(topic)], role, got: Record::default(), hangs, fails })
    }

    async fn gets(&self, messages: usize) -> Vec<Message> {
        self.got.wait_until(|got| got.len() >= messages, PATIENCE).await
    }
}

/// The registry wants a `'static` list of wakes.
#[derive(Debug)]
struct Handle(Arc<Worker>, &'static [Wake]);

#[async_trait::async_trait]
impl Function for Handle {
    fn name(&self) -> &'static str {
        "worker"
    }

    fn role(&self) -> Role {
        self.0.role
    }

    fn wakes(&self) -> &[Wake] {
        self.1
    }

    fn intake(&self) -> Intake {
        Intake { concurrency: 8, ..Intake::ONE_BY_ONE }
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure> {
        let Woken::Messages(messages) = woken else { return Ok(Report::default()) };
        let fails = self.0.fails.load(Ordering::SeqCst);
        let failed = messages.iter().any(|message| matches!(message, Message::Sent(sent) if sent.attempts == fails));
        messages.into_iter().for_each(|message| self.0.got.push(message));
        if self.0.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if failed {
            return Err(Failure::new("do it", std::fmt::Error));
        }
        Ok(Report::default())
    }
}

/// A process that does one thing.
struct Process {
    bus: Bus,
    carrying: Carrying,
    running: Running,
}

fn house() -> Seals {
    Seals::house([7; 32])
}

fn eu() -> Region {
    "eu".parse().unwrap()
}

async fn connect(url: &str, name: &str, region: Region, seals: Seals, is_house: bool) -> Nats {
    let options = Options {
        servers: vec![url.parse().unwrap()],
        credentials: None,
        authorities: None,
        name: name.into(),
        region,
        is_house,
        seals,
        replicas: 1,
    };
    Nats::connect(options).await.unwrap()
}

impl Process {
    async fn of_house(server: &Server, name: &str, worker: &[&Arc<Worker>]) -> Self {
        let nats = connect(&server.url(), name, Region::local(), house(), true).await;
        Self::start(nats, worker, &Turns::default())
    }

    fn start(nats: Nats, workers: &[&Arc<Worker>], turns: &Turns) -> Self {
        let handle = |worker: &&Arc<Worker>| {
            let wakes: &'static [Wake] = Box::leak(Box::new(worker.wakes));
            Arc::new(Handle(Arc::clone(worker), wakes)) as Arc<dyn Function>
        };
        let registry = Registry::new(workers.iter().map(handle).collect());
        let bus = nats.bus();
        let clock: Arc<dyn gazer_bus::Clock> = Arc::new(SystemClock::default());
        let running = gazer_bus::start(&registry, &bus, &clock, turns);
        let carrying = nats.carry(&registry, turns, &[Role::Web, Role::Plan, Role::Deliver]);
        Self { bus, carrying, running }
    }

    /// As a kill does: nothing is said to anybody.
    fn die(self) {
        drop((self.carrying, self.running));
    }
}

fn sent(number: u32) -> Message {
    let outcome = Outcome::Delivered { receipt: "HTTP 200".into() };
    Message::Sent(Sent {
        delivery: DeliveryId::from_text(format!("del_{number}")),
        epoch: 1,
        attempts: number,
        early: false,
        outcome,
    })
}

fn number(message: &Message) -> u32 {
    let Message::Sent(sent) = message else { panic!("{message:?} was not published") };
    sent.attempts
}

fn batch(region: Region) -> Message {
    let auth = Some(Auth::Bearer { token: "s3cret".into() });
    let spec = Spec::Http(HttpSpec { auth, ..HttpSpec::get(parse_url("https://shop.example/").unwrap()) });
    let monitor = Arc::new(Brief { id: MonitorId::from_bits(1), revision: 1, spec, verify: Verify::default() });
    let slot = gazer_testkit::now::now();
    let due = vec![Due { monitor, team: TeamId::from_bits(1), slot, occasion: Occasion::Slot }];
    Message::Check(CheckBatch { region, epoch: 1, due, deadline: slot + PATIENCE })
}

fn seen(region: Region) -> Message {
    let observation = well(MonitorId::from_bits(1), Timestamp::EPOCH);
    Message::Observed(Box::new(Observed { region, observation, team: TeamId::from_bits(1), request: None }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_done_by_one_process_and_by_another_one_where_that_dies() {
    let server = Server::start().await;
    let (first, second) = (Worker::of(Topic::Sent, Role::Deliver), Worker::of(Topic::Sent, Role::Deliver));
    let publisher = Process::of_house(&server, "publisher", &[]).await;
    first.hangs.store(true, Ordering::SeqCst);
    let dying = Process::of_house(&server, "first", &[&first]).await;
    publisher.bus.publish(sent(1));
    first.gets(1).await;
    assert!(publisher.bus.pending(Topic::Sent) > 0, "it is being worked on, elsewhere");

    let _living = Process::of_house(&server, "second", &[&second]).await;
    dying.die();
    assert_eq!(second.gets(1).await.iter().map(number).collect::<Vec<_>>(), [1]);
    for more in 2..=20 {
        publisher.bus.publish(sent(more));
    }
    let mut got: Vec<_> = second.gets(20).await.iter().map(number).collect();
    got.sort_unstable();
    assert_eq!(got, (1..=20).collect::<Vec<_>>(), "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_with_nothing_is_filled_again() {
    let mut server = Server::start().await;
    let worker = Worker::of(Topic::Sent, Role::Deliver);
    let publisher = Process::of_house(&server, "publisher", &[]).await;
    let _worker = Process::of_house(&server, "worker", &[&worker]).await;
    publisher.bus.publish(sent(1));
    worker.gets(1).await;
    server.kill9().await;
    server.wipe();
    publisher.bus.publish(sent(2));
    server.start_again().await;
    // What was published shortly before may come again: it could have been lost.
    worker.got.wait_for(|message| number(message) == 2, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_in_vain_again_and_again_is_put_aside() {
    let server = Server::start().await;
    let worker = Worker::of(Topic::Sent, Role::Deliver);
    worker.fails.store(1, Ordering::SeqCst);
    let publisher = Process::of_house(&server, "publisher", &[]).await;
    let nats = connect(&server.url(), "worker", Region::local(), house(), true).await;
    let buried = nats.buried();
    let _worker = Process::start(nats, &[&worker], &Turns::default());
    publisher.bus.publish(sent(1));
    worker.gets(2).await;
    let client = async_nats::connect(server.url()).await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream("GAZER_DEAD").await.unwrap();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let aside = loop {
        match stream.get_last_raw_message_by_subject("gazer.dead.sent.v1").await {
            Ok(aside) => break aside,
            Err(err) => assert!(tokio::time::Instant::now() < deadline, "{err}"),
        }
    };
    assert_eq!(aside.headers.get("Gazer-Why").map(|why| why.as_str()), Some("it was delivered in vain"));
    publisher.bus.publish(sent(2));
    worker.got.wait_for(|message| number(message) == 2, PATIENCE).await;
    assert_eq!(buried(), 1);
}

/// What `docs/cluster.md` gives a prober.
const ACCOUNTS: &str = r#"authorization { users = [
  { user: house, password: house }
  { user: eu, password: eu, permissions: {
    publish: [ "gazer.observed.v1.eu", "gazer.looked.v1.eu", "gazer.issue.v1.eu", "gazer.dead.check.v1.eu"
               "$JS.API.CONSUMER.INFO.GAZER_CHECK.check-eu"
               "$JS.API.CONSUMER.MSG.NEXT.GAZER_CHECK.check-eu", "$JS.ACK.GAZER_CHECK.check-eu.>" ]
    subscribe: [ "_INBOX_eu.>" ]
  } }
] }"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_prober_gets_the_checks_of_its_region_and_speaks_for_no_other() {
    let server = Server::with(ACCOUNTS).await;
    let judge = Worker::of(Topic::Observed, Role::Judge);
    let issues = Worker::of(Topic::Issue, Role::Plan);
    let nats = connect(&server.url_of("house", "house"), "house", Region::local(), house(), true).await;
    let house_process = Process::start(nats, &[&judge, &issues], &Turns::default());
    let key = house().region_key(&eu()).unwrap();
    let prober = Worker::of(Topic::Check, Role::Check);
    let nats = connect(&server.url_of("eu", "eu"), "prober", eu(), Seals::region(key), false).await;
    let prober_process = Process::start(nats, &[&prober], &Turns::default());

    // What nobody takes in time is dropped, so on a busy machine once may not be enough.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let got = loop {
        house_process.bus.publish(batch(Region::local()));
        house_process.bus.publish(batch(eu()));
        if let Ok(got) = tokio::time::timeout(Duration::from_secs(1), prober.gets(1)).await {
            break got;
        }
        assert!(tokio::time::Instant::now() < deadline, "the prober got nothing");
    };
    let Message::Check(checks) = &got[0] else { panic!("{got:?}") };
    assert_eq!(checks.region, eu());
    let Spec::Http(http) = &checks.due[0].monitor.spec;
    assert_eq!(http.auth, Some(Auth::Bearer { token: "s3cret".into() }), "its secrets open here");

    // What it says of another region goes where it may not publish; what it says of its own arrives.
    prober_process.bus.publish(seen("us".parse().unwrap()));
    prober_process.bus.publish(seen(eu()));
    let got = judge.gets(1).await;
    let [Message::Observed(seen)] = &got[..] else { panic!("{got:?}") };
    assert_eq!(seen.region, eu());
    for region in ["us", "eu"] {
        prober_process.bus.publish(Message::Issue(Box::new(issue::Report {
            fingerprint: issue::Fingerprint::of("check", "gazer_bus::registry", "check a batch", &[]),
            function: "check".into(),
            message: "check a batch: it is broken".into(),
            version: "0.1.0".into(),
            count: 1,
            at: Timestamp::EPOCH,
            process: "prober".into(),
            region: region.parse().unwrap(),
        })));
    }
    let got = issues.gets(1).await;
    let [Message::Issue(report)] = &got[..] else { panic!("{got:?}") };
    assert_eq!((&report.region, report.function.as_str()), (&eu(), "check"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_open_elsewhere_hear_what_changed_once() {
    let server = Server::start().await;
    let (first, second) =
        (Process::of_house(&server, "first", &[]).await, Process::of_house(&server, "second", &[]).await);
    let changed = Changed { team: TeamId::from_bits(1), monitor: Some(MonitorId::from_bits(2)) };
    let (mut here, mut there) = (first.bus.live().listen(), second.bus.live().listen());
    // Whoever subscribes is not told of what was before.
    let heard = async {
        loop {
            first.bus.tell(changed);
            if let Ok(heard) = tokio::time::timeout(Duration::from_millis(500), there.recv()).await {
                break heard.unwrap();
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, heard).await.unwrap(), changed);
    let told_here = std::iter::from_fn(|| here.try_recv().ok()).count();
    second.bus.tell(changed);
    assert_eq!(tokio::time::timeout(PATIENCE, here.recv()).await.unwrap().unwrap(), changed);
    assert!(told_here >= 1 && here.try_recv().is_err(), "no echo of one's own");
}

/// A turn that somebody else has until it is given.
#[derive(Debug)]
struct Given(AtomicBool);

#[async_trait::async_trait]
impl Lease for Given {
    async fn renew(&self) -> Result<Option<i64>, Failure> {
        Ok(self.0.load(Ordering::SeqCst).then_some(1))
    }

    async fn release(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Wakes by the clock as well, so that one process at a time has the turn.
const CLOCK: Wake = Wake::Clock(Duration::from_secs(3_600));

#[tokio::test(flavor = "multi_thread")]
async fn a_bell_rings_where_it_is_the_turn() {
    let server = Server::start().await;
    let bells = |worker: &Arc<Worker>| {
        let wakes: &'static [Wake] = Box::leak(Box::new([worker.wakes[0], CLOCK]));
        Registry::new(vec![Arc::new(Handle(Arc::clone(worker), wakes)) as Arc<dyn Function>])
    };
    let clock: Arc<dyn gazer_bus::Clock> = Arc::new(SystemClock::default());
    let (ours, others) = (Worker::of(Topic::Deliver, Role::Deliver), Worker::of(Topic::Deliver, Role::Deliver));
    let mut processes = Vec::new();
    for (worker, has_turn) in [(&ours, true), (&others, false)] {
        let (hold, keeper) = hold::keep(Arc::new(Given(AtomicBool::new(has_turn))));
        let mut turns = Turns::default();
        turns.share(Role::Deliver, hold);
        let nats = connect(&server.url(), "bells", Region::local(), house(), true).await;
        let (bus, registry) = (nats.bus(), bells(worker));
        let running = gazer_bus::start(&registry, &bus, &clock, &turns);
        processes.push((bus, nats.carry(&registry, &turns, &[]), running, keeper));
    }
    for _ in 0..10 {
        processes[1].0.publish(Message::Deliver);
    }
    ours.gets(10).await;
    assert!(others.got.is_empty(), "it is not their turn");
}
