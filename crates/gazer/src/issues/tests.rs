use gazer_bus::function::{Failure, Function, Wake, Woken};
use gazer_bus::{Registry, Role};
use gazer_domain::Invalid;
use tracing_subscriber::layer::SubscriberExt;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000)
}

/// What is heard of what happens meanwhile.
fn heard(happens: impl FnOnce()) -> Vec<Report> {
    let (ear, heard) = listen(now);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(ear), happens);
    published(&heard)
}

fn published(heard: &Heard) -> Vec<Report> {
    let bus = Bus::new();
    heard.publish(&bus, &Speaker { process: "one".into(), region: "eu".parse().unwrap() });
    let reports = bus.take_waiting().into_iter().map(|message| match message {
        Message::Issue(report) => *report,
        other => panic!("{other:?}"),
    });
    reports.collect()
}

#[test]
fn an_error_of_ours_is_reported_with_its_causes_and_without_secrets() {
    let reports = heard(|| {
        let err = gazer_store::Error::Directory {
            path: "/data".into(),
            source: std::io::Error::new(std::io::ErrorKind::PermissionDenied, "for ann@example.com"),
        };
        tracing::error!(target: "gazer_web::error", error = &err as &dyn Error, id = 7, "a request failed");
    });
    let [report] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!(report.message, "a request failed: could not open the data directory /data: for …, id: 7");
    assert_eq!((report.function.as_str(), report.process.as_str(), report.region.as_str()), ("web", "one", "eu"));
    let kinds = ["Directory".to_owned(), "PermissionDenied".to_owned()];
    assert_eq!(report.fingerprint, Fingerprint::of("web", "gazer_web::error ", "a request failed", &kinds));
}

#[test]
fn what_is_alike_is_one_report_with_a_count() {
    let reports = heard(|| {
        for row in 0..50 {
            let err = Invalid::new(format!("row {row}"), "cannot be read");
            tracing::error!(target: "gazer_store::plan", error = &err as &dyn Error, row, "row {row} is wrong");
        }
    });
    assert_eq!(reports.iter().map(|report| report.count).collect::<Vec<_>>(), [50]);
}

#[test]
fn what_is_not_ours_or_told_anyway_is_not_reported() {
    let reports = heard(|| {
        tracing::warn!(target: "gazer_web::error", "a warning");
        tracing::error!(target: "hyper::proto", "an error of somebody else");
        tracing::error!(target: "gazerly", "and another");
        tracing::error!(target: "gazer_functions::canary::watch", "impaired: our network is down");
        tracing::error!(target: "gazer_bus::registry", function = "issue", "fold a report of an error");
        tracing::error!(target: "gazer_bus::nats", topic = "issue.v1", "a message is put aside");
        let away = gazer_store::Error::Transaction(sqlx::Error::PoolTimedOut);
        let failure = Failure::new("judge observations", away);
        let (function, error) = ("judge", &*failure.source as &(dyn Error + 'static));
        tracing::error!(target: "gazer_bus::registry", function, error, "{}", failure.doing);
    });
    assert!(reports.is_empty(), "{reports:?}");
}

/// The tests of a process share it.
fn hear_panics_once() {
    static HEARD: std::sync::Once = std::sync::Once::new();
    HEARD.call_once(hear_panics);
}

#[test]
fn a_panic_is_heard_where_it_arises() {
    hear_panics_once();
    let reports = heard(|| {
        for n in [7, 8] {
            assert!(panic::catch_unwind(|| panic!("index {n} is out of range, says ann@example.com")).is_err());
        }
    });
    let [report] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((report.function.as_str(), report.count), ("gazer", 2));
    assert!(report.message.starts_with("panicked: index 8 is out of range, says …, place: "), "{}", report.message);
    assert!(report.message.contains("issues/tests.rs, line: "), "{}", report.message);
}

/// Fails, or panics.
#[derive(Debug)]
struct Bad {
    name: &'static str,
    panics: bool,
}

#[async_trait::async_trait]
impl Function for Bad {
    fn name(&self) -> &'static str {
        self.name
    }

    fn role(&self) -> Role {
        Role::Plan
    }

    fn wakes(&self) -> &[Wake] {
        &[]
    }

    async fn run(&self, _: Woken) -> Result<gazer_bus::Report, Failure> {
        if self.panics {
            panic!("index 7 is out of range");
        }
        Err(Failure::new("judge observations", Invalid::new("observed", "is wrong")))
    }
}

fn run(name: &'static str, panics: bool) -> Vec<Report> {
    heard(|| {
        let bad: Arc<dyn Function> = Arc::new(Bad { name, panics });
        let registry = Registry::new(vec![Arc::clone(&bad)]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (at, until) = (now(), now());
        assert!(runtime.block_on(registry.dispatch(&bad, Woken::Clock { at, until })).is_err());
    })
}

#[test]
fn a_run_that_failed_or_panicked_is_one_report_of_its_function() {
    let failed = run("judge", false);
    let said = failed.iter().map(|report| (report.function.as_str(), report.message.as_str()));
    assert_eq!(said.collect::<Vec<_>>(), [("judge", "judge observations: observed: is wrong")]);
    hear_panics_once();
    let panicked = run("judge", true);
    let [report] = &panicked[..] else { panic!("{panicked:?}") };
    assert_eq!((report.function.as_str(), report.count), ("judge", 1));
    assert!(report.message.starts_with("panicked: index 7 is out of range"), "{}", report.message);
    for panics in [false, true] {
        assert!(run("issue", panics).is_empty(), "it does not hear itself");
    }
}
