//! `gazer aws`: what a deployment to AWS needs of Gazer, and what came of it. Neither speaks to AWS.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gazer_domain::Region;
use gazer_store::SealingKey;
use serde_json::{Map, Value};

use super::{AwsCommand, Failure, say};
use crate::{chance, cluster};

pub(crate) fn run(command: AwsCommand) -> Result<ExitCode, Failure> {
    let (rows, json) = match command {
        AwsCommand::Secrets { region, stage, json } => (secrets(&region, &stage), json),
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
    let of_region = cluster::seals(&SealingKey::from_bytes(key)).region_key(region);
    let of_region = of_region.expect("the house has the keys of all regions");
    let parameter = |name: &str, value: String| (format!("/gazer/{stage}/{name}"), value);
    vec![
        parameter("key", STANDARD.encode(key)),
        parameter("region-key", of_region.secret_text()),
        parameter("database-password", chance::secret()),
        parameter("owner-password", chance::secret()),
    ]
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
