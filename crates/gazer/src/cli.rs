//! The command line: what can be asked, in the words that `--help` shows.
//!
//! Each flag of `serve` can also be given as `GAZER_…`. Nothing is decided here: [`crate::config`] resolves what was
//! written, and each command has its file. Bad usage ends with 2 and a sentence that names the flag.

pub(crate) mod aws;
pub(crate) mod check;
pub(crate) mod cost;
pub(crate) mod demo;
pub(crate) mod issues;
pub(crate) mod region;
pub(crate) mod serve;
pub(crate) mod team;
pub(crate) mod token;
pub(crate) mod user;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use gazer_domain::access::Role;
use gazer_domain::http::Method;
use gazer_domain::time::parse_duration;
use gazer_domain::{IssueId, Region};
use gazer_probes::witness::Witness;
use gazer_probes::{AllowRule, Egress};

/// Exit code of what the person can mend; `clap` ends with the same.
pub(crate) const USAGE: u8 = 2;
/// Exit code of what we could not find out or do, as opposed to a site that is down (1) or bad usage (2).
pub(crate) const UNKNOWN: u8 = 3;

/// Whoever plans comes once a minute where that is dear.
const WIDEST: Duration = Duration::from_secs(60);

/// Watches websites and tells their owners the moment something goes wrong.
#[derive(Debug, Parser)]
#[command(name = "gazer", version, max_term_width = 100)]
#[command(after_help = "Logs go to standard error; GAZER_LOG says how much (info, debug, gazer_functions=debug).")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run Gazer: the dashboard, the API and everything behind them.
    Serve(Box<ServeFlags>),
    /// Watch two local sites, one of which keeps failing, in a dashboard that forgets everything at the end.
    Demo(DemoFlags),
    /// Check one URL now and show where the time went.
    Check(CheckFlags),
    /// Print what a deployment to AWS needs, and what it made.
    #[command(subcommand)]
    Aws(AwsCommand),
    /// Reckon what a month of Gazer costs on AWS, line by line, beside one invocation for each check.
    Cost(Box<cost::CostFlags>),
    /// Show errors of Gazer itself, and say what is mended.
    Issues(IssuesFlags),
    /// Manage the places that probe.
    #[command(subcommand)]
    Region(RegionCommand),
    /// Manage teams.
    #[command(subcommand)]
    Team(TeamCommand),
    /// Manage API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage people.
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ServeFlags {
    #[command(flatten)]
    pub(crate) place: PlaceFlags,
    /// Address and port that the dashboard and the API listen on, 127.0.0.1:8080 unless it is given; a process without
    /// the role web answers /healthz and /metrics there, and only if it is given.
    #[arg(long, env = "GAZER_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// Where people reach this Gazer, for the links in messages; the listening address unless it is given.
    #[arg(long, env = "GAZER_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// What may be checked: `open` also reaches private networks, `public` the public internet only.
    #[arg(long, env = "GAZER_EGRESS", value_name = "POLICY", default_value = "open", value_parser = egress)]
    pub(crate) egress: Egress,
    /// An exception to the egress policy: 10.0.0.7, 10.0.0.0/8 or host:nas.example. May be repeated.
    #[arg(long, env = "GAZER_ALLOW", value_name = "NETWORK", value_delimiter = ',')]
    pub(crate) allow: Vec<AllowRule>,
    /// The mail server: smtp://user:password@mail.example:587 (STARTTLS) or smtps://… (TLS).
    #[arg(long, env = "GAZER_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) smtp_url: Option<String>,
    /// The sender of our mail: gazer@example.com or "Gazer <gazer@example.com>".
    #[arg(long, env = "GAZER_SMTP_FROM", value_name = "ADDRESS")]
    pub(crate) smtp_from: Option<String>,
    /// A PEM file of certificate authorities to trust besides the public ones.
    #[arg(long, env = "GAZER_EXTRA_CA", value_name = "FILE")]
    pub(crate) extra_ca: Option<PathBuf>,
    /// How long single checks are kept; periods and incidents stay.
    #[arg(long, env = "GAZER_RETENTION", value_name = "DURATION", default_value = "7d", value_parser = parse_duration)]
    pub(crate) retention: Duration,
    /// How far apart the instants are at which monitors are due, so that many travel together where each message costs
    /// money. 0s spreads them evenly.
    #[arg(long, env = "GAZER_ALIGN", value_name = "DURATION", default_value = "0s", value_parser = align)]
    pub(crate) align: Duration,
    /// An address that is asked whether our own network is up, before a site is called down. May be repeated.
    #[arg(long, env = "GAZER_WITNESS", value_name = "ADDRESS", value_delimiter = ',', default_values = crate::config::WITNESSES)]
    pub(crate) witness: Vec<Witness>,
    #[command(flatten)]
    pub(crate) operator: OperatorFlags,
    #[command(flatten)]
    pub(crate) bus: BusFlags,
}

/// What this process does beside others.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct BusFlags {
    /// The NATS servers that carry messages between processes: nats://host:4222, or tls://…, with commas between them.
    #[arg(long, env = "GAZER_BUS", value_name = "URL", hide_env_values = true)]
    pub(crate) bus: Option<String>,
    /// A file with the JWT and the seed of our account there.
    #[arg(long, env = "GAZER_BUS_CREDENTIALS", value_name = "FILE")]
    pub(crate) bus_credentials: Option<PathBuf>,
    /// How many servers of a NATS cluster keep each stream.
    #[arg(long, env = "GAZER_BUS_REPLICAS", value_name = "N", default_value = "1", value_parser = replicas)]
    pub(crate) bus_replicas: usize,
    /// What this process does: web, plan, check, judge, deliver, send. All of it unless it is given.
    #[arg(long, env = "GAZER_ROLES", value_name = "ROLES", value_delimiter = ',')]
    pub(crate) roles: Vec<gazer_bus::Role>,
    /// The name of the place that this process probes from; local unless it is given.
    #[arg(long, env = "GAZER_REGION", value_name = "NAME", value_parser = region)]
    pub(crate) region: Option<Region>,
    /// A file with the region's key, for a prober without the house's: `gazer region key NAME` prints it.
    #[arg(long, env = "GAZER_REGION_KEY", value_name = "FILE")]
    pub(crate) region_key: Option<PathBuf>,
}

/// Who is told when Gazer itself does not see, or fails.
#[derive(Debug, Args)]
pub(crate) struct OperatorFlags {
    /// Told when Gazer itself cannot see or tell, when it can again, and of its own errors; no team hears of that.
    #[arg(long, env = "GAZER_OPERATOR_WEBHOOK", value_name = "URL", hide_env_values = true)]
    pub(crate) operator_webhook: Option<String>,
    /// Told the same by mail.
    #[arg(long, env = "GAZER_OPERATOR_EMAIL", value_name = "ADDRESS")]
    pub(crate) operator_email: Option<String>,
    /// Asked once a minute while all is well, so that somebody outside notices when it is not.
    #[arg(long, env = "GAZER_PING_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) ping_url: Option<String>,
}

/// Where the state lies.
#[derive(Debug, Args)]
pub(crate) struct PlaceFlags {
    /// The folder that holds everything this Gazer knows, its key included.
    #[arg(long, env = "GAZER_DATA", value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// A PostgreSQL database instead of the file in the data folder: postgres://user:password@host/name
    #[arg(long, env = "GAZER_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Connections to PostgreSQL that this process opens at most.
    #[arg(long, env = "GAZER_DATABASE_CONNECTIONS", value_name = "N", default_value = "10", value_parser = between::<1, 1000>)]
    pub(crate) database_connections: u32,
}

#[derive(Debug, Args)]
pub(crate) struct DemoFlags {
    /// Address and port that the dashboard listens on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: std::net::SocketAddr,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 the site is up (or slow), 1 it is down, 2 bad usage, 3 we could not find out.")]
pub(crate) struct CheckFlags {
    /// What to check; without a scheme, `https` is meant
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// For each attempt as a whole, between 1s and 60s.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,
    /// What may be checked: `open` also reaches private networks, `public` the public internet only.
    #[arg(long, value_name = "POLICY", default_value = "open", value_parser = egress)]
    pub(crate) egress: Egress,
    /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
    #[arg(long, value_name = "METHOD", default_value = "GET", value_parser = method)]
    pub(crate) method: Method,
    /// A header to send, as in 'Accept: text/html'. May be repeated.
    #[arg(long = "header", value_name = "HEADER", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    /// Believe the first failed attempt instead of verifying it with two more.
    #[arg(long)]
    pub(crate) no_verify: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct IssuesFlags {
    #[command(subcommand)]
    pub(crate) command: Option<IssuesCommand>,
    #[command(flatten)]
    pub(crate) list: IssuesListFlags,
}

/// Which are listed, and how.
#[derive(Debug, Args)]
pub(crate) struct IssuesListFlags {
    #[command(flatten)]
    pub(crate) place: PlaceFlags,
    /// Only those that are open, resolved or ignored.
    #[arg(long, value_name = "STATE", value_parser = gazer_domain::issue::State::WORDS)]
    pub(crate) state: Option<String>,
    /// Print them as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IssuesCommand {
    /// List them, those that were seen last first. So does `gazer issues` alone.
    List(IssuesListFlags),
    /// Show one, with its last occurrences.
    Show {
        #[command(flatten)]
        place: PlaceFlags,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
        #[arg(value_name = "ISSUE")]
        id: IssueId,
    },
    /// Say that it is mended: should it happen again, the operator is told.
    Resolve {
        #[command(flatten)]
        place: PlaceFlags,
        #[arg(value_name = "ISSUE")]
        id: IssueId,
    },
    /// Hear no more of it; it is still counted.
    Ignore {
        #[command(flatten)]
        place: PlaceFlags,
        #[arg(value_name = "ISSUE")]
        id: IssueId,
    },
    /// Take back either.
    Reopen {
        #[command(flatten)]
        place: PlaceFlags,
        #[arg(value_name = "ISSUE")]
        id: IssueId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AwsCommand {
    /// Make the secrets of a new deployment: the name of each parameter in SSM and its value, a line each. Nothing is
    /// kept of them here.
    Secrets(DeploymentFlags),
    /// Print the key of a further region of a deployment, which derives from the deployment's own: the name of its
    /// parameter in SSM and its value.
    RegionKey {
        #[command(flatten)]
        place: PlaceFlags,
        #[command(flatten)]
        deployment: DeploymentFlags,
    },
    /// Print where people reach the pages of the last deployment.
    Outputs {
        /// What it wrote.
        #[arg(long, value_name = "FILE", default_value = "deploy/aws/outputs.json")]
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DeploymentFlags {
    /// The AWS region that the secrets are for: us-east-1.
    #[arg(long, value_name = "REGION", value_parser = region)]
    pub(crate) region: Region,
    /// Tells one deployment of an account from another.
    #[arg(long, value_name = "STAGE", default_value = "prod", value_parser = stage)]
    pub(crate) stage: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegionCommand {
    /// Add a region, from which every monitor is checked that names none, and print the key for its probers.
    Add {
        #[command(flatten)]
        place: PlaceFlags,
        /// Its name, such as eu-west.
        #[arg(value_parser = region)]
        name: Region,
    },
    /// Print the key for the probers of a region. Whoever has it reads what that region's checks send.
    Key {
        #[command(flatten)]
        place: PlaceFlags,
        #[arg(value_parser = region)]
        name: Region,
    },
    /// List the regions, the oldest first.
    List {
        #[command(flatten)]
        place: PlaceFlags,
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a region: no monitor is checked from there any more.
    Remove {
        #[command(flatten)]
        place: PlaceFlags,
        #[arg(value_parser = region)]
        name: Region,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TeamCommand {
    /// Make a team and the account that owns it: with the password in GAZER_PASSWORD, or one that is made and printed.
    Create {
        #[command(flatten)]
        place: PlaceFlags,
        /// What it is called, such as 'Web shop'.
        #[arg(long)]
        name: String,
        /// The address that its owner will sign in with.
        #[arg(long, value_name = "ADDRESS")]
        owner_email: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token for the API and print it; it is shown this once.
    Create {
        #[command(flatten)]
        place: PlaceFlags,
        /// What it is for, such as ci.
        #[arg(long)]
        name: String,
        /// What it may do: viewer reads, admin also changes monitors and alerts, owner also manages people and tokens.
        #[arg(long, default_value = "owner")]
        role: Role,
        /// The team of the person who signs in with this address; the first team unless it is given.
        #[arg(long, value_name = "ADDRESS")]
        team: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Give a person a new password: the one in GAZER_PASSWORD, or one that is made and printed.
    ResetPassword {
        #[command(flatten)]
        place: PlaceFlags,
        /// The address they sign in with.
        email: String,
    },
}

/// One line of the answer, on standard output. Colours go where no terminal shows them, and a reader that left is no
/// error: `gazer check … | head -1` is fine.
pub(crate) fn say(text: &str) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// How a command that did not work ends.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The person can mend it: the sentence names the flag. Exit code 2.
    Usage(String),
    /// Something else did not work. Exit code 3.
    Broken(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(err: E) -> Self {
        Self::Broken(err.into())
    }
}

impl Failure {
    /// A value that a flag was given and that cannot be taken.
    pub(crate) fn usage(flag: &str, why: impl std::fmt::Display) -> Self {
        Self::Usage(format!("invalid value for '{flag}': {why}"))
    }
}

fn replicas(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(replicas @ (1 | 3 | 5)) => Ok(replicas),
        _ => Err("must be 1, 3 or 5".into()),
    }
}

fn between<const LEAST: u32, const MOST: u32>(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| format!("must be a whole number between {LEAST} and {MOST}"))
}

fn align(text: &str) -> Result<Duration, String> {
    let align = parse_duration(text)?;
    if align > WIDEST { Err("must be 60s or less".into()) } else { Ok(align) }
}

/// As CloudFormation names a stack.
fn stage(text: &str) -> Result<String, String> {
    let is_name = text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= 20;
    if is_name && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("must be lower-case letters and digits, a letter first, 20 at most".into())
    }
}

fn region(text: &str) -> Result<Region, String> {
    text.parse().map_err(|invalid: gazer_domain::Invalid| invalid.message)
}

fn egress(text: &str) -> Result<Egress, String> {
    match text {
        "open" => Ok(Egress::Open),
        "public" => Ok(Egress::Public),
        _ => Err("the policy is open or public".into()),
    }
}

fn method(text: &str) -> Result<Method, String> {
    Method::parse(text).map_err(|invalid| invalid.message)
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write a name, a colon and a value, as in 'Accept: text/html'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_header_needs_its_colon() {
        assert_eq!(header("Accept:  text/html "), Ok(("Accept".into(), "text/html".into())));
        assert!(header("Accept").is_err());
    }
}
