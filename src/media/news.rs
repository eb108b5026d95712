//! What the thread has to tell: never waits for a slow listener.

use super::handle::{Event, EventKind, LegId};
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// News the channel holds.
pub(super) const CHANNEL: usize = 4096;
/// News kept here while the channel is full.
const BACKLOG: usize = 16_384;

/// The sending end.
#[derive(Debug)]
pub(super) struct News {
    channel: mpsc::Sender<Event>,
    backlog: VecDeque<Event>,
    dropped: u64,
}

impl News {
    pub(super) fn new() -> (Self, mpsc::Receiver<Event>) {
        let (channel, events) = mpsc::channel(CHANNEL);
        (Self { channel, backlog: VecDeque::new(), dropped: 0 }, events)
    }

    /// Tells, in order.
    pub(super) fn tell(&mut self, leg: LegId, kind: EventKind) {
        if self.backlog.len() >= BACKLOG {
            if self.dropped == 0 {
                tracing::error!("nobody reads the media thread's news; some are lost");
            }
            self.dropped += 1;
            return;
        }
        self.backlog.push_back(Event { leg, kind });
        self.flush();
    }

    /// Whether something waits for room.
    pub(super) fn waits(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Hands on what there is room for.
    pub(super) fn flush(&mut self) {
        while let Some(event) = self.backlog.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(event)) = self.channel.try_send(event) {
                self.backlog.push_front(event);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_listener_gets_everything_in_order_up_to_the_bound() {
        let (mut news, mut events) = News::new();
        let sent = (CHANNEL + BACKLOG) as u64;
        for n in 0..sent + 10 {
            news.tell(LegId(n), EventKind::Stalled);
        }
        assert_eq!((news.dropped, news.waits()), (10, true));
        for n in 0..sent {
            assert_eq!(events.try_recv().unwrap().leg, LegId(n));
            news.flush();
        }
        assert!(events.try_recv().is_err() && !news.waits());
    }
}
