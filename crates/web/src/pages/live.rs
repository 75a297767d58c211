//! `GET /live`: tells open pages that something of their team changed. They fetch what they show again.
//!
//! The stream carries no data, so it leaks none, and a lost event costs freshness only: a page that connects anew reads
//! everything again. At most one event a second leaves, however fast checks come in.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use gazer_domain::TeamId;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::Web;
use crate::auth::Member;
use crate::web::Changed;

const SPACING: Duration = Duration::from_secs(1);
/// A browser drops an event without data (HTML standard, §9.2.6).
const NOTHING: &str = "-";
/// Proxies cut connections that are silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Where connections cannot be held, a browser is told to ask no more (HTML standard, §9.2.3), and its page polls.
pub(crate) async fn stream(State(web): State<Web>, member: Member) -> Response {
    if !web.config.streams {
        return StatusCode::NO_CONTENT.into_response();
    }
    events(&web, member.team).into_response()
}

fn events(web: &Web, team: TeamId) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let listener = (web.live.listen(), team, Instant::now() - SPACING);
    let events = stream::unfold(listener, |(mut changes, team, last)| async move {
        changed(&mut changes, team).await?;
        tokio::time::sleep_until(last + SPACING).await;
        Some((Ok(Event::default().event("changed").data(NOTHING)), (changes, team, Instant::now())))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}

/// Returns when something of the team changed; `None` when there will be no more. What lies in the queue by then is
/// told by the same event, because the page reads everything that is true by then.
async fn changed(changes: &mut Receiver<Changed>, team: TeamId) -> Option<()> {
    loop {
        match changes.recv().await {
            Ok(change) if change.team != team => {}
            Ok(_) | Err(RecvError::Lagged(_)) => break,
            Err(RecvError::Closed) => return None,
        }
    }
    *changes = changes.resubscribe();
    Some(())
}
