//! Hears what goes wrong in this process, and says it to the function `issue`.
//!
//! [`hear`] makes a layer of `tracing`: each error that code of ours logs becomes a report, and a panic is logged as one.
//! What was heard is gathered ([`gazer_domain::issue::gather`]), so that a fault in a loop neither slows what logs it nor
//! floods the bus; [`Heard::publish`] hands on what is due. An error costs a lock and a few hundred bytes; what is no
//! error does not come here at all.
//!
//! It never hears itself: nothing that happens while a report is made, while `issue` runs, or about messages of its topic.
//! Nor does it hear what the operator is told of anyway: that the database is away or full, and what `canary` says.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Write};
use std::panic;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gazer_bus::{Bus, Message, Topic, running};
use gazer_domain::issue::gather::Gathered;
use gazer_domain::issue::redact::redact;
use gazer_domain::issue::{Fingerprint, Report};
use gazer_domain::{Region, Timestamp};
use tokio::sync::Notify;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// What is heard travels together for so long.
const PAUSE: Duration = Duration::from_secs(1);
/// What an error's `Debug` begins with is its kind; one that does not end soon is none.
const KIND_BYTES: usize = 60;
/// Whose errors the operator is told of by episodes.
const TOLD: &str = "gazer_functions::canary";
/// What makes issues does not make them of itself.
const OWN: [&str; 2] = ["issue", "inform"];
const PANIC: &str = "gazer::panic";

thread_local! {
    /// A report is being made on this thread.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// From now on hears errors and panics of this process. The layer goes beside the one that writes the log: what is
/// reported does not depend on what is written.
pub fn hear<S: Subscriber + for<'span> LookupSpan<'span>>(now: fn() -> Timestamp) -> (impl Layer<S>, Heard) {
    let (ear, heard) = listen(now);
    hear_panics();
    (ear.with_filter(LevelFilter::ERROR), heard)
}

/// Begins to listen. `now` is the clock that reports are dated by.
fn listen(now: fn() -> Timestamp) -> (Ear, Heard) {
    let shared = Arc::new(Shared { gathered: Mutex::default(), noted: Notify::new() });
    (Ear { shared: Arc::clone(&shared), now }, Heard { shared, now })
}

#[derive(Debug)]
struct Shared {
    gathered: Mutex<Gathered>,
    noted: Notify,
}

impl Shared {
    /// What a thread that panicked left is whole: a report is added in one step.
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The layer.
#[derive(Debug)]
struct Ear {
    shared: Arc<Shared>,
    now: fn() -> Timestamp,
}

/// What was heard, until it is published.
#[derive(Debug, Clone)]
pub struct Heard {
    shared: Arc<Shared>,
    now: fn() -> Timestamp,
}

/// Which process speaks, and from where.
#[derive(Debug, Clone)]
pub struct Speaker {
    pub process: String,
    pub region: Region,
}

impl Heard {
    /// Hands on what is due.
    pub fn publish(&self, bus: &Bus, speaker: &Speaker) {
        for report in self.shared.gathered().take((self.now)()) {
            let (process, region) = (speaker.process.clone(), speaker.region.clone());
            bus.publish(Message::Issue(Box::new(Report { process, region, ..report })));
        }
    }

    /// Hands on what is due, for ever. While nothing is heard, it sleeps.
    pub async fn keep_publishing(self, bus: Bus, speaker: Speaker) {
        loop {
            if self.shared.gathered().is_empty() {
                self.shared.noted.notified().await;
            }
            self.publish(&bus, &speaker);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// From now on a panic is an error in the log as well, beside what it says on standard error.
fn hear_panics() {
    let said = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        said(panicked);
        let (file, line) = panicked.location().map_or(("", 0), |location| (location.file(), location.line()));
        let why = panicked.payload_as_str().unwrap_or("for a reason that is no text");
        tracing::error!(target: PANIC, place = file, line, "panicked: {why}");
    }));
}

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        if level != Level::ERROR || !is_ours(target) || target.starts_with(TOLD) {
            return;
        }
        let Some(_busy) = Busy::begin() else { return };
        let mut said = Said { function: running().map(str::to_owned), ..Said::default() };
        event.record(&mut said);
        if let Some(report) = said.report(target, (self.now)())
            && self.shared.gathered().add(report)
        {
            self.shared.noted.notify_one();
        }
    }
}

/// While it lives, its thread hears nothing; also where what is heard panics.
struct Busy;

impl Busy {
    fn begin() -> Option<Self> {
        (!BUSY.replace(true)).then_some(Self)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    /// What is said beside the message.
    rest: String,
    function: Option<String>,
    /// The file, of a panic.
    place: String,
    kinds: Vec<String>,
    /// It is about reports, or about what the operator is told of anyway.
    is_told: bool,
}

impl Said {
    fn report(self, target: &str, at: Timestamp) -> Option<Report> {
        let Self { message, rest, function, place, kinds, is_told } = self;
        let function = function.unwrap_or_else(|| part(target).to_owned());
        if is_told || OWN.contains(&function.as_str()) {
            return None;
        }
        Some(Report {
            fingerprint: Fingerprint::of(&function, &format!("{target} {place}"), &message, &kinds),
            message: redact(&format!("{message}{rest}")),
            function,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            count: 1,
            at,
            // Whoever publishes it says who we are.
            process: String::new(),
            region: Region::local(),
        })
    }

    fn beside(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let _ = write!(self.rest, ", {}: {value}", field.name());
    }
}

impl Visit for Said {
    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        let mut next = Some(value);
        while let Some(err) = next {
            let trouble = err.downcast_ref::<gazer_store::Error>().is_some_and(gazer_store::Error::is_trouble);
            self.is_told |= trouble;
            self.kinds.push(kind(err));
            let _ = write!(self.rest, ": {err}");
            next = err.source();
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "function" => self.function = Some(value.to_owned()),
            "topic" if value == Topic::Issue.as_str() => self.is_told = true,
            "place" => {
                value.clone_into(&mut self.place);
                self.beside(field, format_args!("{value}"));
            }
            _ => self.beside(field, format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.beside(field, format_args!("{value:?}")),
        }
    }
}

/// Lambda wants its program to be called `bootstrap`.
fn is_ours(target: &str) -> bool {
    let own = target.split("::").next().unwrap_or(target);
    own == "gazer" || own == "bootstrap" || own.starts_with("gazer_")
}

/// The part of the program that a module belongs to: `web` of `gazer_web::error`.
fn part(target: &str) -> &str {
    let own = target.split("::").next().unwrap_or(target);
    own.strip_prefix("gazer_").unwrap_or(own)
}

/// What kind of error it is, without what is in it: the name that its `Debug` begins with, and of an operating system's
/// error which it is.
fn kind(err: &(dyn Error + 'static)) -> String {
    if let Some(err) = err.downcast_ref::<std::io::Error>() {
        return format!("{:?}", err.kind());
    }
    let mut name = Name(String::new());
    // It ends with an error of its own, as soon as there is more than a name.
    let _ = write!(name, "{err:?}");
    name.0
}

struct Name(String);

impl Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let name = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        self.0.push_str(name);
        if name.len() < text.len() || self.0.len() > KIND_BYTES { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
