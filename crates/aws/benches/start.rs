//! What a cold start costs: from the start of the process to its first question for work, and what it holds by then.
//!
//! The process is the one that Lambda runs, and is told where the Runtime API is as Lambda would tell it; what answers
//! there only notes when it was asked. `check` knows no database; `judge` opens a connection to PostgreSQL first.
//!
//! `cargo bench -p gazer-aws --profile lambda --bench start`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gazer_bus::seal::Seals;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::usage::Usage;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::Instant;

const STARTS: usize = 40;
const KEY: [u8; 32] = [7; 32];
const REGION: &str = "us-east-1";
const LONGEST: Duration = Duration::from_secs(10);
/// A process that has asked for work writes nothing more down; its pages settle.
const SETTLED: Duration = Duration::from_millis(200);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let runtime_api = TcpListener::bind("127.0.0.1:0").await?;
    let region_key = Seals::house(KEY).region_key(&REGION.parse()?).context("the house has the keys of all regions")?;
    let database = Cluster::shared().await.fresh_database().await;
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_bootstrap"))?.len();
    println!("bootstrap: {:.1} MiB", mib(size));
    let outside = [("GAZER_REGION_SECRET", region_key.secret_text())];
    report("check", &runtime_api, &outside).await?;
    let house = [
        ("GAZER_DATABASE", database),
        ("GAZER_DATABASE_CONNECTIONS", "1".to_owned()),
        ("GAZER_KEY", BASE64_STANDARD.encode(KEY)),
        ("GAZER_PUBLIC_URL", "https://gazer.example/".to_owned()),
    ];
    // The first one makes the schema.
    start("judge", &runtime_api, &house).await?;
    report("judge", &runtime_api, &house).await
}

async fn report(function: &str, runtime_api: &TcpListener, knows: &[(&str, String)]) -> anyhow::Result<()> {
    let (mut took, mut most) = (Vec::new(), 0);
    for _ in 0..STARTS {
        let (asked, resident) = start(function, runtime_api, knows).await?;
        took.push(asked);
        most = most.max(resident);
    }
    took.sort_unstable();
    println!(
        "{function}: start to first poll {:.0} ms ({:.0} to {:.0}), resident {:.1} MiB",
        millis(took[STARTS / 2]),
        millis(took[0]),
        millis(took[STARTS - 1]),
        mib(most)
    );
    Ok(())
}

/// How long it took until it asked, and how much it held then.
async fn start(function: &str, runtime_api: &TcpListener, knows: &[(&str, String)]) -> anyhow::Result<(Duration, u64)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command.env("AWS_LAMBDA_RUNTIME_API", runtime_api.local_addr()?.to_string());
    command.env("AWS_LAMBDA_FUNCTION_NAME", format!("gazer-bench-{function}"));
    command.envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"), ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")]);
    command.envs([("AWS_ACCESS_KEY_ID", "bench"), ("AWS_SECRET_ACCESS_KEY", "bench"), ("AWS_REGION", REGION)]);
    command.envs([("GAZER_FUNCTION", function), ("GAZER_REGION", REGION), ("GAZER_LOG", "warn")]);
    command.env("GAZER_TOPICS", format!("arn:aws:sns:{REGION}:123456789012:gazer-bench-"));
    command.envs(knows.iter().map(|(name, value)| (name, value)));
    let began = Instant::now();
    let mut process = command.spawn()?;
    let asked = tokio::time::timeout(LONGEST, runtime_api.accept()).await.context("it never asked for work")??;
    let mut line = String::new();
    let mut stream = BufReader::new(asked.0);
    stream.read_line(&mut line).await?;
    let took = began.elapsed();
    anyhow::ensure!(line.contains("/runtime/invocation/next"), "it asked for {line:?}");
    tokio::time::sleep(SETTLED).await;
    let resident = Usage::of(process.id().context("it is up")?).resident;
    process.kill().await?;
    Ok((took, resident))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
