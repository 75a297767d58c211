//! `gazer aws`: what a deployment to AWS needs of Gazer, and what came of it. Neither speaks to AWS.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gazer_domain::Region;
use gazer_store::SealingKey;
use serde_json::{Map, Value};

use super::{AwsCommand, DeploymentFlags, Failure, say};
use crate::config::Place;
use crate::place::key_of;
use crate::{chance, cluster};

pub(crate) fn run(command: AwsCommand) -> Result<ExitCode, Failure> {
    let (rows, json) = match command {
        AwsCommand::Secrets(DeploymentFlags { region, stage, json }) => (secrets(&region, &stage), json),
        AwsCommand::RegionKey { place, deployment: DeploymentFlags { region, stage, json } } => {
            let key = key_of(&Place::resolve(place)?)?;
            (vec![region_key(&key, &region, &stage)], json)
        }
        AwsCommand::Outputs { file, json } => (outputs(&file)?, json),
    };
    if json {
        let object: Map<_, _> = rows.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        say(&Value::Object(object).to_string());
    } else {
        rows.iter().for_each(|(name, value)| say(&format!("{name} {value}")));
    }
    Ok(ExitCode::SUCCESS)
}

/// What only Gazer can make, since one key derives from the other, and what nobody needs to think of.
fn secrets(region: &Region, stage: &str) -> Vec<(String, String)> {
    let key = chance::bytes();
    vec![
        parameter(stage, "key", STANDARD.encode(key)),
        region_key(&SealingKey::from_bytes(key), region, stage),
        parameter(stage, "database-password", chance::secret()),
        parameter(stage, "owner-password", chance::secret()),
    ]
}

fn region_key(key: &SealingKey, region: &Region, stage: &str) -> (String, String) {
    let of_region = cluster::seals(key).region_key(region).expect("the house has the keys of all regions");
    parameter(stage, "region-key", of_region.secret_text())
}

fn parameter(stage: &str, name: &str, value: String) -> (String, String) {
    (format!("/gazer/{stage}/{name}"), value)
}

/// As the last deployment left it.
fn outputs(file: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| {
        format!("there is no {} to read; a deployment writes it, and --file names another", file.display())
    })?;
    let object: Map<String, Value> =
        serde_json::from_str(&text).with_context(|| format!("{} is not what a deployment writes", file.display()))?;
    Ok(object.into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_region_is_that_of_the_house() {
        let region: Region = "eu-west-1".parse().unwrap();
        let [(key_name, key), (name, of_region), ..] = &secrets(&region, "test")[..] else { panic!("there are more") };
        assert_eq!((key_name.as_str(), name.as_str()), ("/gazer/test/key", "/gazer/test/region-key"));
        let key: [u8; 32] = STANDARD.decode(key).unwrap().try_into().unwrap();
        let derived = cluster::seals(&SealingKey::from_bytes(key)).region_key(&region).unwrap();
        assert_eq!(*of_region, derived.secret_text());
        assert_ne!(secrets(&region, "test"), secrets(&region, "test"), "each deployment has its own");
        let further: Region = "ap-south-1".parse().unwrap();
        let (name, of_further) = region_key(&SealingKey::from_bytes(key), &further, "test");
        assert_eq!(name, "/gazer/test/region-key");
        assert_ne!(of_further, *of_region);
    }

    #[test]
    fn what_a_deployment_wrote_is_read_and_what_is_absent_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("outputs.json");
        let why = outputs(&file).unwrap_err().to_string();
        assert!(why.starts_with("there is no ") && why.contains("--file"), "{why}");
        std::fs::write(&file, r#"{"address": "https://abc.execute-api.us-east-1.amazonaws.com"}"#).unwrap();
        let address = "https://abc.execute-api.us-east-1.amazonaws.com".to_owned();
        assert_eq!(outputs(&file).unwrap(), [("address".to_owned(), address)]);
    }
}
