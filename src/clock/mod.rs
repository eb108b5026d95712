//! The only room that reads the clock. Everything else is handed a [`Clock`] or a time.
//!
//! Owns: wall-clock and monotonic time, and their test double.
//! May use: domain (for `UnixMillis`).

use crate::domain::UnixMillis;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where time comes from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Offset in milliseconds from the moment the double was made.
    Test {
        base: Instant,
        base_unix: UnixMillis,
        offset: Arc<AtomicI64>,
    },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `unix` until [`Clock::advance`] moves it.
    #[expect(clippy::disallowed_methods, reason = "this room is where time is read")]
    pub fn test(unix: UnixMillis) -> Self {
        Self(Source::Test { base: Instant::now(), base_unix: unix, offset: Arc::new(AtomicI64::new(0)) })
    }

    /// Moves a test clock; the system clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Source::Test { offset, .. } = &self.0 {
            offset.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
        }
    }

    /// Monotonic time.
    #[expect(clippy::disallowed_methods, reason = "this room is where time is read")]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => Instant::now(),
            Source::Test { base, offset, .. } => {
                *base + Duration::from_millis(offset.load(Ordering::SeqCst).max(0) as u64)
            }
        }
    }

    /// Wall-clock time in milliseconds since the epoch.
    #[expect(clippy::disallowed_methods, reason = "this room is where time is read")]
    pub fn unix_millis(&self) -> UnixMillis {
        match &self.0 {
            Source::System => {
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
            }
            Source::Test { base_unix, offset, .. } => base_unix + offset.load(Ordering::SeqCst),
        }
    }
}
