//! One WebSocket: frames in, frames out, pings, and how it ends. Knows nothing of calls.

use super::protocol::{CLOSE_POLICY, CLOSE_TRY_AGAIN, Request};
use crate::clock::Clock;
use crate::task::{Phase, Stop};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Frames that may wait for a page that reads slowly; with one more it is dropped.
const QUEUE: usize = 64;
/// One frame may take so long to be taken.
const SEND_TIME: Duration = Duration::from_secs(10);
/// What is queued may take so long when the connection ends.
const LAST_WORDS_TIME: Duration = Duration::from_secs(1);
/// Pings; two unanswered ones end it.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Frames a page may send: a burst, and so many a second.
const RATE: f64 = 50.0;

/// The holder's end of a connection.
pub struct Line {
    frames: mpsc::Sender<Utf8Bytes>,
    end: oneshot::Sender<u16>,
}

/// The socket's end of it.
pub struct Wire {
    frames: mpsc::Receiver<Utf8Bytes>,
    end: oneshot::Receiver<u16>,
}

/// A fresh pair.
pub fn line() -> (Line, Wire) {
    let (frames, wire_frames) = mpsc::channel(QUEUE);
    let (end, wire_end) = oneshot::channel();
    (Line { frames, end }, Wire { frames: wire_frames, end: wire_end })
}

impl Line {
    /// Queues a frame; `false` when the page reads too slowly or is gone.
    #[must_use]
    pub fn send(&self, frame: Utf8Bytes) -> bool {
        self.frames.try_send(frame).is_ok()
    }

    /// Ends the connection with a close code, after what is queued. Merely dropping the line
    /// ends it too.
    pub fn end(self, code: u16) {
        // A socket that is gone needs no ending.
        let _ = self.end.send(code);
    }
}

/// How a page's frame is taken.
pub enum Taken {
    /// Go on.
    Well,
    /// End with this code.
    Badly(u16),
}

/// Why the pump stopped by itself.
enum Stopped {
    /// The page is gone.
    Gone,
    /// We end it.
    Ending(u16),
}

/// Pumps until either side ends it. `take` is given every text frame.
pub async fn pump(
    mut socket: WebSocket,
    mut wire: Wire,
    clock: &Clock,
    mut stop: Stop,
    mut take: impl FnMut(&str) -> Taken,
) {
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset();
    let mut bucket = Bucket::full(clock.now());
    let mut unanswered = 0_u32;
    let stopped = loop {
        tokio::select! {
            biased;
            code = &mut wire.end => break Stopped::Ending(code.unwrap_or(CLOSE_TRY_AGAIN)),
            () = stop.reached(Phase::Stopped) => break Stopped::Ending(CLOSE_TRY_AGAIN),
            Some(frame) = wire.frames.recv() => {
                if let Some(stopped) = deliver(&mut socket, frame, &mut wire.end).await {
                    break stopped;
                }
            }
            _ = ping.tick() => {
                unanswered += 1;
                if unanswered > 2 || !matches!(timeout(SEND_TIME, socket.send(Message::Ping(Default::default()))).await, Ok(Ok(()))) {
                    break Stopped::Gone;
                }
            }
            message = socket.recv() => {
                unanswered = 0;
                match message {
                    Some(Ok(message)) => {
                        if !bucket.take(clock.now()) {
                            break Stopped::Ending(CLOSE_POLICY);
                        }
                        if let Some(stopped) = receive(message, &mut take) {
                            break stopped;
                        }
                    }
                    // Too large, not UTF-8, unmasked, or simply gone.
                    Some(Err(_)) | None => break Stopped::Gone,
                }
            }
        }
    };
    if let Stopped::Ending(code) = stopped {
        let _ = timeout(LAST_WORDS_TIME, last_words(&mut socket, &mut wire, code)).await;
    }
}

fn receive(message: Message, take: &mut impl FnMut(&str) -> Taken) -> Option<Stopped> {
    match message {
        Message::Text(text) => match take(&text) {
            Taken::Well => None,
            Taken::Badly(code) => Some(Stopped::Ending(code)),
        },
        Message::Ping(_) | Message::Pong(_) => None,
        Message::Binary(_) => Some(Stopped::Ending(CLOSE_POLICY)),
        Message::Close(_) => Some(Stopped::Gone),
    }
}

async fn deliver(
    socket: &mut WebSocket,
    frame: Utf8Bytes,
    end: &mut oneshot::Receiver<u16>,
) -> Option<Stopped> {
    tokio::select! {
        code = end => Some(Stopped::Ending(code.unwrap_or(CLOSE_TRY_AGAIN))),
        sent = timeout(SEND_TIME, socket.send(Message::Text(frame))) => match sent {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(Stopped::Gone),
            Err(_) => Some(Stopped::Ending(CLOSE_TRY_AGAIN)),
        },
    }
}

async fn last_words(socket: &mut WebSocket, wire: &mut Wire, code: u16) {
    while let Ok(frame) = wire.frames.try_recv() {
        if socket.send(Message::Text(frame)).await.is_err() {
            return;
        }
    }
    // The page may be gone already.
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static("") }))).await;
}

/// The first frame of a connection, if it comes within `within` and is a `resume`.
pub async fn first_frame(socket: &mut WebSocket, within: Duration) -> Option<(Option<String>, u64)> {
    let message = timeout(within, socket.recv()).await.ok()??.ok()?;
    let Message::Text(text) = message else { return None };
    match serde_json::from_str(&text) {
        Ok(Request::Resume { instance, seq }) => Some((instance, seq)),
        _ => None,
    }
}

/// Closes a connection that never properly began.
pub async fn close(mut socket: WebSocket, code: u16) {
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static("") };
    let _ = timeout(LAST_WORDS_TIME, socket.send(Message::Close(Some(frame)))).await;
}

/// A token bucket over the page's frames.
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Self { tokens: RATE, at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * RATE;
        self.tokens = (self.tokens + gained).min(RATE);
        self.at = now;
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_a_flood_is_not() {
        let clock = Clock::test(0);
        let mut bucket = Bucket::full(clock.now());
        assert!((0..50).all(|_| bucket.take(clock.now())));
        assert!(!bucket.take(clock.now()));
        clock.advance(Duration::from_millis(20));
        assert!(bucket.take(clock.now()) && !bucket.take(clock.now()));
        clock.advance(Duration::from_secs(3600));
        assert!((0..50).all(|_| bucket.take(clock.now())), "an hour's silence is one burst, not more");
        assert!(!bucket.take(clock.now()));
    }

    #[test]
    fn a_full_queue_is_told() {
        let (line, _wire) = line();
        assert!((0..QUEUE).all(|_| line.send("x".into())));
        assert!(!line.send("x".into()));
    }
}
