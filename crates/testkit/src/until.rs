//! What has to be asked for again and again, since nobody says when it comes true.

use std::time::Duration;

use tokio::time::Instant;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Whether it came true within this time. Whoever asks says what it means that it did not.
pub async fn until(patience: Duration, mut holds: impl AsyncFnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !holds().await {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
    true
}
