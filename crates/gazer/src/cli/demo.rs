//! `gazer demo`: two sites on this machine, one of which keeps failing, and the real Gazer watching them.
//!
//! Nothing is simulated but the sites: the checks go over real sockets, the alerts to a real webhook receiver, which
//! prints what it gets. The data lies in a temporary folder that goes with the demo.

mod site;
mod webhook;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::header::SET_COOKIE;
use axum::response::Redirect;
use axum::routing::get;
use gazer_domain::alert::{Rule, RuleSettings, Scope, Trigger};
use gazer_domain::channel::Target;
use gazer_domain::http::HttpSpec;
use gazer_domain::monitor::{Monitor, Settings, Spec, Verify};
use gazer_domain::time::humane_duration;
use gazer_domain::{ChannelId, MonitorId, Quorum, RuleId, TeamId, Timestamp};
use gazer_store::Channel;
use gazer_web::auth::{same_secret, session};
use gazer_web::{Problem, Wake, Web};
use url::Url;

use super::{DemoFlags, Failure, say, serve};
use crate::app::App;
use crate::assembly::{Owner, Site};
use crate::chance;
use crate::config::Config;
use crate::issues::Heard;
use crate::people::Account;
use crate::signals::Signals;

const EMAIL: &str = "demo@example.com";
const INTERVAL: Duration = Duration::from_secs(5);

pub(crate) async fn run(flags: DemoFlags, heard: Heard) -> Result<ExitCode, Failure> {
    let mut signals = Signals::listen()?;
    let folder = Folder::make();
    let account = Account::new(EMAIL, chance::secret()).expect("the demo's account is valid");
    let pass = chance::secret();
    let config = Config::demo(folder.0.clone(), flags.listen, account.clone());
    let entrance = |web: &Web, owner, router: Router| router.merge(entrance(web.clone(), owner, pass.clone()));
    let app = App::start(config, heard, entrance).await?;
    let site = app.site.as_ref().expect("the demo has pages");
    let (_, team) = site.owner.expect("the folder is fresh, so the demo's account owns it");
    let now = site.web.now();
    let (steady, shaky, receiver) = (site::steady().await?, site::shaky().await?, webhook::receive().await?);
    for (name, at) in [("Steady site", steady), ("Shaky site", shaky)] {
        site.store.monitor_create(team, &monitor(name, at, now)).await?;
    }
    alert(site, team, receiver, now).await?;
    (site.web.wake)(Wake::Plan);

    let every = humane_duration(INTERVAL);
    say(&format!("Two sites run on this machine, and Gazer checks each of them every {every}:"));
    say(&format!("  {}  is steady", link(steady)));
    say(&format!("  {}  is broken for 25 s, works for 45 s, and so on", link(shaky)));
    say(&format!("See for yourself:  {}", site.link(&format!("/demo/{pass}"))));
    say(&format!("   or sign in at:  {}  as {EMAIL} with {}", site.link("/"), account.password));
    say("Here you see what happens and what the webhook is told. Ctrl-C ends the demo and forgets it.\n");
    signals.next().await;
    Ok(serve::finish(app, &mut signals).await)
}

/// One line of the story, with the time of day.
fn tell(text: &str) {
    let now = gazer_bus::clock::system_now().rfc3339();
    say(&format!("{}  {text}", &now[11..19]));
}

fn link(at: SocketAddr) -> Url {
    Url::parse(&format!("http://{at}/")).expect("an address and a port make a URL")
}

fn monitor(name: &str, at: SocketAddr, now: Timestamp) -> Monitor {
    let settings = Settings {
        name: name.to_owned(),
        spec: Spec::Http(HttpSpec::get(link(at))),
        interval: INTERVAL,
        verify: Verify::default(),
        recover_after: 1,
        regions: Vec::new(),
        quorum: Quorum::Majority,
    };
    let id = MonitorId::new(now, chance::bytes());
    Monitor::new(id, settings, now)
}

async fn alert(site: &Site, team: TeamId, receiver: SocketAddr, now: Timestamp) -> Result<(), gazer_store::Error> {
    let target = Target::Webhook { url: link(receiver), secret: chance::bytes::<32>().to_vec() };
    let id = ChannelId::new(now, chance::bytes());
    site.store.channel_create(team, &Channel { id, name: "This terminal".to_owned(), target, created: now }).await?;
    let settings = RuleSettings {
        name: "Tell this terminal".to_owned(),
        scope: Scope::All,
        channels: vec![id],
        on: vec![Trigger::Down, Trigger::Recovered],
        after: Duration::ZERO,
    };
    let rule = Rule { id: RuleId::new(now, chance::bytes()), settings };
    site.store.rule_create(team, &rule, now).await
}

/// An address that signs in whoever knows it: the terminal it is printed to is the proof.
fn entrance(web: Web, owner: Owner, pass: String) -> Router {
    let enter = async move |Path(given): Path<String>| {
        let Some((user, team)) = owner.filter(|_| same_secret(&given, &pass)) else {
            return Err(Problem::not_found());
        };
        let session = session::begin(&web, user, team).await?;
        Ok(([(SET_COOKIE, session.0)], Redirect::to("/")))
    };
    Router::new().route("/demo/{pass}", get(enter))
}

/// A folder of its own that goes when the demo does.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Self {
        Self(std::env::temp_dir().join(format!("gazer-demo-{}", chance::secret())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(err) = std::fs::remove_dir_all(&self.0)
            && err.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(folder = %self.0.display(), error = %err, "the demo's folder could not be removed");
        }
    }
}
