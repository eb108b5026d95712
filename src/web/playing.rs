//! Who plays recordings now: how many at once, and which requests begin a playback.

use crate::domain::{AccountId, RecordingId, SessionId, UnixMillis};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Streams an account may hold open at once: one that plays, and what a browser leaves behind
/// when it seeks.
const PER_ACCOUNT: usize = 8;

/// A seek within this time of the last request is the same playback.
const SAME_PLAYBACK_MS: i64 = 60_000;

/// Playbacks remembered; past it the old ones are forgotten, and audited anew.
const REMEMBERED: usize = 4096;

/// Shared by all requests. Cheap to clone.
#[derive(Clone, Default)]
pub struct Playing(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    streams: HashMap<AccountId, usize>,
    heard: HashMap<(SessionId, RecordingId), UnixMillis>,
}

/// A stream that is open as long as this lives.
pub struct Permit {
    playing: Playing,
    account: AccountId,
}

impl Playing {
    /// Room for one more stream of this account, or none.
    pub fn admit(&self, account: AccountId) -> Option<Permit> {
        let mut state = self.lock();
        let streams = state.streams.entry(account).or_default();
        if *streams >= PER_ACCOUNT {
            return None;
        }
        *streams += 1;
        Some(Permit { playing: self.clone(), account })
    }

    /// Whether a request for bytes from `start` begins a playback: from the very beginning, or
    /// the first of its session and recording within a minute.
    pub fn begins(&self, session: SessionId, recording: RecordingId, start: u64, now: UnixMillis) -> bool {
        let mut state = self.lock();
        if state.heard.len() >= REMEMBERED {
            state.heard.retain(|_, at| now - *at < SAME_PLAYBACK_MS);
        }
        if state.heard.len() >= REMEMBERED {
            state.heard.clear();
        }
        let last = state.heard.insert((session, recording), now);
        start == 0 || last.is_none_or(|at| now - at >= SAME_PLAYBACK_MS)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.playing.lock();
        if let Some(streams) = state.streams.get_mut(&self.account) {
            *streams = streams.saturating_sub(1);
            if *streams == 0 {
                state.streams.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn seeking_is_one_playback() {
        let playing = Playing::default();
        let (session, recording) = (SessionId(Uuid::from_u128(1)), RecordingId(Uuid::from_u128(2)));
        assert!(playing.begins(session, recording, 500, 0), "the first request, wherever it begins");
        assert!(!playing.begins(session, recording, 900, 30_000));
        assert!(playing.begins(session, recording, 0, 31_000), "from the beginning");
        assert!(!playing.begins(session, recording, 7, 90_000));
        assert!(playing.begins(session, recording, 7, 150_000), "a minute later");
        assert!(playing.begins(SessionId(Uuid::from_u128(3)), recording, 7, 150_000), "another session");
    }

    #[test]
    fn memory_is_bounded() {
        let playing = Playing::default();
        for n in 0..3 * REMEMBERED as u128 {
            playing.begins(SessionId(Uuid::from_u128(n)), RecordingId(Uuid::from_u128(n)), 0, 0);
        }
        assert!(playing.lock().heard.len() <= REMEMBERED);
    }

    #[test]
    fn streams_are_bounded_and_given_back() {
        let playing = Playing::default();
        let account = AccountId(Uuid::from_u128(1));
        let permits: Vec<_> = (0..PER_ACCOUNT).map(|_| playing.admit(account).unwrap()).collect();
        assert!(playing.admit(account).is_none());
        assert!(playing.admit(AccountId(Uuid::from_u128(2))).is_some());
        drop(permits);
        assert!(playing.admit(account).is_some());
        assert!(playing.lock().streams.is_empty());
    }
}
