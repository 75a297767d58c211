//! Tells the pages that are open at other processes. Not kept: a page that missed it loads afresh with the next.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use gazer_domain::{MonitorId, TeamId};
use gazer_wire::{Unreadable, parsed, read, write};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;

use super::streams::CHANGED;
use super::{Link, RECONNECT};
use crate::live::Live;
use crate::message::Changed;

/// What changes meanwhile is told together.
const TOGETHER: Duration = Duration::from_millis(250);
/// Well below what a server takes at a time.
const MOST: usize = 5_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct News {
    /// Whoever told it need not hear it.
    from: String,
    changed: Vec<(String, Option<String>)>,
}

pub(super) async fn tell(link: Arc<Link>, live: Live) {
    let mut told = live.listen_away();
    loop {
        let mut changed = BTreeSet::new();
        let pause = match told.recv().await {
            Ok(first) => {
                changed.insert(key(first));
                tokio::time::sleep(TOGETHER)
            }
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                next = told.recv() => match next {
                    Ok(next) if changed.len() < MOST => { changed.insert(key(next)); }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        }
        let text = |(team, monitor): (TeamId, Option<MonitorId>)| (team.to_string(), monitor.map(|id| id.to_string()));
        let news = News { from: link.packer.name().to_owned(), changed: changed.into_iter().map(text).collect() };
        let _ = link.client.publish(CHANGED, write(&news).into()).await;
    }
}

pub(super) async fn hear(link: Arc<Link>, live: Live) {
    loop {
        link.ready().await;
        let Ok(mut heard) = link.client.subscribe(CHANGED).await else {
            tokio::time::sleep(RECONNECT).await;
            continue;
        };
        while let Some(message) = heard.next().await {
            let news =
                std::str::from_utf8(&message.payload).ok().and_then(|text| changed(link.packer.name(), text).ok());
            news.into_iter().flatten().for_each(|changed| live.tell_here(changed));
        }
    }
}

const fn key(changed: Changed) -> (TeamId, Option<MonitorId>) {
    (changed.team, changed.monitor)
}

fn changed(own: &str, text: &str) -> Result<Vec<Changed>, Unreadable> {
    let News { from, changed } = read(text)?;
    if from == own {
        return Ok(Vec::new());
    }
    let one = |(team, monitor): (String, Option<String>)| {
        Ok(Changed { team: parsed(&team)?, monitor: monitor.map(|id| parsed(&id)).transpose()? })
    };
    changed.into_iter().map(one).collect()
}
