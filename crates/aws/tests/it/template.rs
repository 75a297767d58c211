//! What CloudFormation is given: linted, and held against what docs/aws.md promises of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::stack::{MOST_CONNECTIONS, Stack, finished, venv};

/// The only statements whose resource is `*`, by the name that explains why.
const EXPLAINED: [&str; 1] = ["JoinTheNetworkWhereInterfacesHaveNoNameYet"];

type Resources = BTreeMap<String, Value>;

#[tokio::test(flavor = "multi_thread")]
async fn the_template_is_sound_and_gives_nobody_more_than_it_needs() {
    let stack = Stack::bare().await;
    let home = "serverless.yml";
    for (config, setting) in [(home, "database=rds"), (home, "database=given"), ("region.yml", "home=eu-west-1")] {
        let path = stack.template(config, setting).await;
        let mut lint = venv("cfn-lint");
        // osls says twice what a function depends on.
        lint.args(["--ignore-checks", "W3005", "--template"]).arg(&path);
        finished(lint).await;
        let template: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let resources: Resources = serde_json::from_value(template["Resources"].clone()).unwrap();
        every_function_has_its_own_role_and_both_queues(&resources);
        nobody_may_do_everything(&resources);
        what_is_kept_is_encrypted_and_forgotten(&resources);
        connections_are_bounded(&resources);
        assert!(of(&resources, "AWS::EC2::NatGateway").is_empty());
        assert_eq!(of(&resources, "AWS::RDS::DBInstance").len(), usize::from(setting == "database=rds"));
    }
}

fn every_function_has_its_own_role_and_both_queues(resources: &Resources) {
    let functions = of(resources, "AWS::Lambda::Function");
    let mut roles: Vec<_> = functions.values().map(|function| function["Role"].to_string()).collect();
    roles.sort();
    roles.dedup();
    assert_eq!(roles.len(), functions.len(), "each has a role of its own");
    let failures = of(resources, "AWS::Lambda::EventInvokeConfig");
    // Whoever asks for a page hears of a failure at once.
    assert_eq!(failures.len(), functions.keys().filter(|name| **name != "WebLambdaFunction").count());
    for (name, config) in failures {
        assert!(config["DestinationConfig"]["OnFailure"]["Destination"].is_object(), "{name}");
        assert!(config["MaximumEventAgeInSeconds"].is_u64() && config["MaximumRetryAttempts"].is_u64(), "{name}");
    }
    let subscriptions = of(resources, "AWS::SNS::Subscription");
    for (name, subscription) in subscriptions.iter().filter(|(_, subscription)| subscription["Protocol"] == "lambda") {
        assert!(subscription["RedrivePolicy"]["deadLetterTargetArn"].is_object(), "{name}");
    }
}

fn nobody_may_do_everything(resources: &Resources) {
    for (name, role) in of(resources, "AWS::IAM::Role") {
        for policy in role["Policies"].as_array().into_iter().flatten() {
            for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
                let sid = statement["Sid"].as_str().unwrap_or_else(|| panic!("{name}: {statement} has no name"));
                assert!(!statement["Action"].to_string().contains('*'), "{name}: {statement}");
                assert!(statement["Resource"] != "*" || EXPLAINED.contains(&sid), "{name}: {statement}");
            }
        }
    }
}

fn what_is_kept_is_encrypted_and_forgotten(resources: &Resources) {
    for (name, group) in of(resources, "AWS::Logs::LogGroup") {
        assert!(group["RetentionInDays"].is_u64(), "{name}");
    }
    for (name, queue) in of(resources, "AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
    }
    let topics = of(resources, "AWS::SNS::Topic");
    // What CloudWatch says of alarms is no secret, and it may not use the key.
    for (name, topic) in topics.iter().filter(|(name, _)| **name != "Alarms") {
        assert!(topic["KmsMasterKeyId"].is_string(), "{name}");
    }
    for (name, database) in of(resources, "AWS::RDS::DBInstance") {
        assert_eq!(
            (&database["StorageEncrypted"], &database["PubliclyAccessible"]),
            (&true.into(), &false.into()),
            "{name}"
        );
    }
}

fn connections_are_bounded(resources: &Resources) {
    for (name, function) in of(resources, "AWS::Lambda::Function") {
        let variables = &function["Environment"]["Variables"];
        let knows = variables.get("GAZER_DATABASE").is_some();
        assert_eq!(knows, function.contains_key("VpcConfig"), "{name}");
        if knows {
            let each: u64 = variables["GAZER_DATABASE_CONNECTIONS"].as_str().unwrap().parse().unwrap();
            let at_once = function["ReservedConcurrentExecutions"].as_u64().unwrap();
            assert!(each * at_once <= MOST_CONNECTIONS, "{name}");
        }
    }
}

/// The properties of all resources of a kind, by name.
fn of<'a>(resources: &'a Resources, kind: &str) -> BTreeMap<&'a str, &'a Map<String, Value>> {
    let found = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
    found.map(|(name, resource)| (name.as_str(), resource["Properties"].as_object().unwrap())).collect()
}
