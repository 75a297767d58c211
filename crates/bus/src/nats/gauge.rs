//! How much of a topic waits or is being worked on in all processes, and for how long, for those functions that go by
//! it: nothing is claimed that no sender is free for, and nothing is called missed that a judge still has.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::State;
use tokio::time::Instant;

use super::Link;
use super::streams::kept;
use crate::Bus;
use crate::bus::Elsewhere;
use crate::hold::Hold;
use crate::message::Topic;
use crate::role::Role;

const EVERY: Duration = Duration::from_millis(500);

pub(super) async fn gauge(link: Arc<Link>, bus: Bus, role: Role, turn: Hold) {
    let topics: &[Topic] = if role == Role::Plan { &[Topic::Observed] } else { &[Topic::Send, Topic::Sent] };
    let mut oldest = HashMap::new();
    loop {
        if !turn.is_held() {
            turn.gained().await;
        }
        for topic in topics {
            link.ready().await;
            let known = match link.stream.get_stream(kept(*topic).stream).await {
                Ok(stream) => age(oldest.entry(*topic).or_default(), &stream.cached_info().state),
                // Nothing is known, and nothing is carried either.
                Err(_) => {
                    link.doubt.notify_one();
                    Elsewhere::default()
                }
            };
            bus.know(*topic, known);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The oldest message that is still there, and since when it is known to be the oldest. So no two clocks are compared,
/// and an age is at most as much too small as the pause between two looks.
#[derive(Debug, Default)]
struct Oldest(Option<(u64, Instant)>);

fn age(oldest: &mut Oldest, state: &State) -> Elsewhere {
    let messages = usize::try_from(state.messages).unwrap_or(usize::MAX);
    if messages == 0 {
        oldest.0 = None;
        return Elsewhere::default();
    }
    let since = match oldest.0 {
        Some((sequence, since)) if sequence == state.first_sequence => since,
        _ => Instant::now(),
    };
    oldest.0 = Some((state.first_sequence, since));
    Elsewhere { messages, oldest: since.elapsed() }
}
