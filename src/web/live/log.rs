//! One account's numbered events, as far back as they are kept.

use super::protocol::{Event, Numbered};
use crate::domain::UnixMillis;
use axum::extract::ws::Utf8Bytes;
use std::collections::VecDeque;
use uuid::Uuid;

/// Events kept for a page that reconnects.
const MOST_EVENTS: usize = 256;
/// And their bytes: a pop with a long history is large.
const MOST_BYTES: usize = 1024 * 1024;

/// Frames by number, under the name of the run they belong to.
pub struct Log {
    instance: String,
    last: u64,
    kept: VecDeque<Utf8Bytes>,
    bytes: usize,
}

impl Log {
    /// An empty run of its own name.
    pub fn fresh() -> Self {
        Self { instance: Uuid::new_v4().to_string(), last: 0, kept: VecDeque::new(), bytes: 0 }
    }

    /// The run's name.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// A frame with the number of the last event, which takes none itself.
    pub fn unnumbered(&self, event: Event, at: UnixMillis) -> Utf8Bytes {
        frame(&Numbered { seq: self.last, at, event })
    }

    /// Numbers and keeps an event; returns its frame.
    pub fn append(&mut self, event: Event, at: UnixMillis) -> Utf8Bytes {
        self.last += 1;
        let frame = frame(&Numbered { seq: self.last, at, event });
        self.bytes += frame.len();
        self.kept.push_back(frame.clone());
        while self.kept.len() > MOST_EVENTS || self.bytes > MOST_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.len();
        }
        frame
    }

    /// What came after `seq` of run `instance`; `None` when that is another run, a number yet
    /// to come, or no longer kept.
    pub fn since(&self, instance: &str, seq: u64) -> Option<Vec<Utf8Bytes>> {
        let missed = usize::try_from(self.last.checked_sub(seq)?).ok()?;
        let known = instance == self.instance && missed <= self.kept.len();
        known.then(|| self.kept.iter().skip(self.kept.len() - missed).cloned().collect())
    }
}

/// An object's frame. Our own types have no way to fail to serialise.
pub fn frame(value: &impl serde::Serialize) -> Utf8Bytes {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(events: usize) -> Log {
        let mut log = Log::fresh();
        for _ in 0..events {
            log.append(Event::SessionEnded {}, 5);
        }
        log
    }

    #[test]
    fn events_are_numbered_from_one() {
        let mut log = Log::fresh();
        assert_eq!(
            log.append(Event::SessionEnded {}, 7).as_str(),
            r#"{"seq":1,"at":7,"type":"session_ended"}"#
        );
        assert_eq!(
            log.unnumbered(Event::SessionEnded {}, 8).as_str(),
            r#"{"seq":1,"at":8,"type":"session_ended"}"#
        );
    }

    #[test]
    fn what_was_missed_is_given_again() {
        let log = filled(3);
        let name = log.instance().to_owned();
        assert_eq!(log.since(&name, 3).unwrap().len(), 0);
        assert_eq!(log.since(&name, 0).unwrap().len(), 3);
        let missed = log.since(&name, 1).unwrap();
        assert!(missed[0].contains(r#""seq":2"#) && missed[1].contains(r#""seq":3"#));
        assert!(log.since("another run", 1).is_none());
        assert!(log.since(&name, 4).is_none() && log.since(&name, u64::MAX).is_none());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let log = filled(MOST_EVENTS + 10);
        let name = log.instance().to_owned();
        assert!(log.since(&name, 9).is_none());
        assert_eq!(log.since(&name, 10).unwrap().len(), MOST_EVENTS);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let mut log = Log::fresh();
        for _ in 0..20 {
            let instance = "x".repeat(100_000);
            log.append(Event::Hello { instance, operator: None, offer: None, call: None, queues: vec![] }, 0);
        }
        assert!(log.bytes <= MOST_BYTES && log.kept.len() == 10);
    }
}
