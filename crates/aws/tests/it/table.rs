//! The table of the deployment and the registry of the program say the same.

use std::collections::{BTreeMap, BTreeSet};

use gazer_bus::Topic;
use serde_json::Value;
use tokio::process::Command;

use crate::stack::{finished, root, venv};

/// Not deployed, and why.
const ABSENT: [(&str, &str); 1] = [(
    "canary",
    "it tells the operator itself, and nothing in the database's network calls out; `look` concludes alone",
)];

async fn table() -> BTreeMap<String, Value> {
    let mut command: Command = venv("python");
    let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    command.args(["-c", read]).arg(root().join("deploy/aws/functions.yml"));
    serde_json::from_str(&finished(command).await).unwrap()
}

#[tokio::test]
async fn every_function_of_the_registry_is_deployed_and_no_other() {
    let deployed: BTreeSet<_> = table().await.into_keys().filter(|name| name != "web").collect();
    let absent: BTreeSet<_> = ABSENT.iter().map(|(name, _)| (*name).to_owned()).collect();
    let known: BTreeSet<_> = gazer_functions::NAMES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(deployed, known.difference(&absent).cloned().collect());
}

#[tokio::test]
async fn a_function_is_woken_by_its_topic_and_lives_where_its_role_says() {
    let table = table().await;
    for (name, role) in gazer_functions::NAMES.iter().filter(|(name, _)| table.contains_key(*name)) {
        let row = &table[*name];
        let has_topic = Topic::ALL.iter().any(|topic| topic.consumer() == *name);
        assert_eq!(row["topic"] == true, has_topic, "{name}");
        assert_eq!(row["house"] == true, role.needs_store(), "{name}");
        assert!(row["topic"] == true || row["every"].is_string(), "{name} is woken by nothing");
        assert_eq!(row["concurrency"].is_u64(), role.needs_store(), "{name} bounds its connections");
    }
}
