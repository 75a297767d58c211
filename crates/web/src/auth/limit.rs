//! How many wrong passwords are listened to: so many per key in a quarter of an hour, then none until it is over.
//!
//! Counted in the process, in a table of bounded size: at its limit the key whose window began first is forgotten, so
//! a flood of names costs the flooder's memory of us, not our memory.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use gazer_domain::Timestamp;

const WINDOW: Duration = Duration::from_secs(15 * 60);
const MOST_KEYS: usize = 10_000;

/// At most `N` failures per key and window.
#[derive(Debug, Default)]
pub struct Limit<const N: u32> {
    keys: Mutex<HashMap<String, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Timestamp,
    failures: u32,
}

impl<const N: u32> Limit<N> {
    /// How long to wait, if this key failed too often.
    pub fn refused(&self, key: &str, now: Timestamp) -> Option<Duration> {
        let keys = self.lock();
        let window = keys.get(key).filter(|window| window.failures >= N)?;
        let left = (window.began + WINDOW).since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Counted before the password is looked at, so that attempts side by side cannot slip through together.
    pub fn count(&self, key: &str, now: Timestamp) {
        let mut keys = self.lock();
        if keys.len() >= MOST_KEYS && !keys.contains_key(key) {
            keys.retain(|_, window| now < window.began + WINDOW);
            let oldest = keys.iter().min_by_key(|(_, window)| window.began).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest.filter(|_| keys.len() >= MOST_KEYS) {
                keys.remove(&oldest);
            }
        }
        let window = keys.entry(key.to_owned()).or_insert(Window { began: now, failures: 0 });
        if now >= window.began + WINDOW {
            *window = Window { began: now, failures: 0 };
        }
        window.failures += 1;
    }

    /// Takes one count back: the attempt was none. What others did from the same address stays counted.
    pub fn forgive(&self, key: &str) {
        if let Some(window) = self.lock().get_mut(key) {
            window.failures = window.failures.saturating_sub(1);
        }
    }

    /// The right password clears the name.
    pub fn forget(&self, key: &str) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Window>> {
        self.keys.lock().expect("nobody panics while holding this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::EPOCH + Duration::from_secs(secs)
    }

    #[test]
    fn after_the_limit_a_key_waits_for_the_end_of_its_window() {
        let limit = Limit::<2>::default();
        limit.count("ann", at(0));
        assert_eq!(limit.refused("ann", at(1)), None);
        limit.count("ann", at(60));
        assert_eq!(limit.refused("ann", at(300)), Some(Duration::from_secs(600)));
        assert_eq!(limit.refused("ben", at(300)), None);
        assert_eq!(limit.refused("ann", at(900)), None);
        limit.count("ann", at(901));
        assert_eq!(limit.refused("ann", at(902)), None, "a new window began");
    }

    #[test]
    fn what_was_right_is_not_held_against_an_address() {
        let limit = Limit::<2>::default();
        for secs in 0..10 {
            limit.count("192.0.2.1", at(secs));
            limit.forgive("192.0.2.1");
        }
        limit.count("192.0.2.1", at(11));
        assert_eq!(limit.refused("192.0.2.1", at(12)), None);
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_oldest() {
        let limit = Limit::<1>::default();
        for n in 0..=MOST_KEYS as u64 {
            limit.count(&n.to_string(), Timestamp::from_millis(n as i64));
        }
        assert_eq!(limit.lock().len(), MOST_KEYS);
        assert_eq!(limit.refused("0", at(11)), None);
        assert!(limit.refused("1", at(11)).is_some());
    }
}
