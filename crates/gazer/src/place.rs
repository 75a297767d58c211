//! The data folder and the database: opened, made where that is meant, and explained where it cannot be.

use std::os::unix::fs::DirBuilderExt;
use std::time::Duration;

use anyhow::Context;
use gazer_store::{Options, SealingKey, Store};

use crate::config::{KEY, Place};

/// The key lies beside what it seals, for its owner only.
const KEY_FILE: &str = "gazer.key";

pub(crate) async fn open(place: &Place, public_url: &str, align: Duration) -> anyhow::Result<(Store, SealingKey)> {
    if place.has_folder() {
        // What is in it is for its owner only: hashes of passwords, addresses, bodies of failures.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&place.data);
        made.with_context(|| format!("the data folder {} cannot be made", place.data.display()))?;
    }
    let key = match &place.key {
        Some(key) => key.clone(),
        None => {
            let path = place.data.join(KEY_FILE);
            SealingKey::load_or_create(&path).with_context(|| format!("the key {} cannot be used", path.display()))?
        }
    };
    let public_url = public_url.trim_end_matches('/').to_owned();
    let options = Options { location: place.location.clone(), key: key.clone(), public_url, align };
    let store = Store::open(options).await.map_err(|err| explained(err, place))?;
    Ok((store, key))
}

/// Opens what a running Gazer may hold as well: for commands that read or write a row and leave.
pub(crate) async fn open_beside(place: &Place) -> anyhow::Result<Store> {
    let key = key_of(place)?;
    // Nothing that such a command does is told to anybody, so no link is made; nor does it make monitors.
    let options = Options { location: place.location.clone(), key, public_url: String::new(), align: Duration::ZERO };
    Store::open_beside(options).await.map_err(|err| explained(err, place))
}

/// The key of a Gazer that was started before.
pub(crate) fn key_of(place: &Place) -> anyhow::Result<SealingKey> {
    if let Some(key) = &place.key {
        return Ok(key.clone());
    }
    let data = &place.data;
    // A folder that was misspelt must not become a new, empty Gazer.
    anyhow::ensure!(
        data.is_dir(),
        "there is no folder {}; --data names the one that `gazer serve` uses",
        data.display()
    );
    let path = data.join(KEY_FILE);
    let key = SealingKey::load(&path).with_context(|| format!("the key {} cannot be used", path.display()))?;
    key.with_context(|| {
        format!("there is no key {}: start `gazer serve` once, or name its folder with --data", path.display())
    })
}

/// The store knows neither where its key lies nor how we are called.
fn explained(error: gazer_store::Error, place: &Place) -> anyhow::Error {
    use gazer_store::Error::{Behind, FromTheFuture, OtherKey};
    match error {
        OtherKey if place.key.is_some() => anyhow::anyhow!(
            "the key in {KEY} does not open this database, which was sealed with another one: give the one that \
             belongs to it"
        ),
        OtherKey => anyhow::anyhow!(
            "the key {} does not open this database, which was sealed with another one: put the {KEY_FILE} there that \
             belongs to it, from the backup of its data folder or from the other Gazer that uses it (where there is \
             no key, a new one is made, which is of no use to this database)",
            place.data.join(KEY_FILE).display()
        ),
        Behind { .. } => anyhow::anyhow!("{error}: start `gazer serve` once with this version, to bring it forward"),
        FromTheFuture { .. } => {
            anyhow::anyhow!("{error}: use the version of gazer that served it last, or a newer one")
        }
        _ => error.into(),
    }
}
