//! One TCP connection: its own task, which harms nobody else whatever its peer does.

use super::framing::{Frame, Framer};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};

/// Replies that may wait for the peer to read.
pub(super) const WAITING: usize = 64;
/// Messages of one connection that the core has not looked at yet. Twice as many replies fit
/// the half of `WAITING` that must be free before one more message is read.
const IN_FLIGHT: usize = 16;
/// How long the peer may take to read what fits its window.
const WRITE: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 10 });
/// How long a message may take from its first byte to its last.
const PARTIAL: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
/// How long a connection may be without its first message.
const FIRST: Duration = Duration::from_secs(30);
/// How long one may be silent later.
const IDLE: Duration = Duration::from_secs(900);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// What a connection tells the core task.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A message; the permit lets the next one in. A broken one is a head that ended the stream.
    Message { flow: u64, peer: SocketAddr, bytes: Bytes, broken: bool, _permit: OwnedSemaphorePermit },
    /// It is over.
    Gone { flow: u64, peer: SocketAddr },
}

/// The core task's end of a connection.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) flow: u64,
    pub(super) peer: SocketAddr,
    pub(super) arrivals: mpsc::Sender<Arrival>,
    /// Bytes to write.
    pub(super) outgoing: mpsc::Receiver<Bytes>,
    /// The other end of `outgoing`, to see how full it is.
    pub(super) queue: mpsc::WeakSender<Bytes>,
}

/// Serves an accepted connection to its end.
pub(super) async fn serve(stream: TcpStream, mut ends: Ends) {
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    let drained = Notify::new();
    tokio::select! {
        () = read(reader, &ends.arrivals, &ends.queue, &drained, (ends.flow, ends.peer)) => {}
        () = write(writer, &mut ends.outgoing, &drained) => {}
    }
    let _ = ends.arrivals.send(Arrival::Gone { flow: ends.flow, peer: ends.peer }).await;
}

/// Makes a connection and serves it; what is to be written meanwhile waits.
pub(super) async fn connect(ends: Ends) {
    match timeout(CONNECT, TcpStream::connect(ends.peer)).await {
        Ok(Ok(stream)) => serve(stream, ends).await,
        _ => {
            let _ = ends.arrivals.send(Arrival::Gone { flow: ends.flow, peer: ends.peer }).await;
        }
    }
}

async fn read(
    mut reader: OwnedReadHalf,
    arrivals: &mpsc::Sender<Arrival>,
    queue: &mpsc::WeakSender<Bytes>,
    drained: &Notify,
    (flow, peer): (u64, SocketAddr),
) {
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut framer = Framer::default();
    let mut deadline = std::pin::pin!(sleep(FIRST));
    let (mut spoken, mut partial) = (false, false);
    loop {
        let mut progress = false;
        while let Some(frame) = framer.next() {
            let (bytes, broken) = match frame {
                Frame::Message(bytes) => (bytes, false),
                Frame::Broken(bytes) => (bytes, true),
                Frame::Ping => {
                    if let Some(queue) = queue.upgrade() {
                        let _ = queue.try_send(Bytes::from_static(b"\r\n"));
                    }
                    progress |= spoken;
                    continue;
                }
                Frame::TooLong => return,
            };
            // A peer that sends faster than it reads waits here for itself.
            room(queue, drained, WAITING / 2).await;
            let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await else { return };
            if arrivals.send(Arrival::Message { flow, peer, bytes, broken, _permit: permit }).await.is_err() {
                return;
            }
            if broken {
                // Let the answer out, then close.
                let _ = in_flight.acquire_many(IN_FLIGHT as u32).await;
                let _ = timeout(PARTIAL, room(queue, drained, WAITING)).await;
                return;
            }
            (spoken, progress) = (true, true);
        }
        // A message has one deadline from its first byte on, however it trickles in.
        if progress || framer.is_partial() != partial {
            partial = framer.is_partial();
            deadline.set(sleep(if partial {
                PARTIAL
            } else if spoken {
                IDLE
            } else {
                FIRST
            }));
        }
        tokio::select! {
            () = &mut deadline => return,
            read = reader.read_buf(&mut framer.buffer) => if !matches!(read, Ok(1..)) { return },
        }
    }
}

/// Waits until `free` more messages fit the queue.
async fn room(queue: &mpsc::WeakSender<Bytes>, drained: &Notify, free: usize) {
    loop {
        let written = drained.notified();
        if queue.upgrade().is_none_or(|queue| queue.capacity() >= free) {
            return;
        }
        written.await;
    }
}

async fn write(mut writer: OwnedWriteHalf, outgoing: &mut mpsc::Receiver<Bytes>, drained: &Notify) {
    while let Some(bytes) = outgoing.recv().await {
        if !matches!(timeout(WRITE, writer.write_all(&bytes)).await, Ok(Ok(()))) {
            return;
        }
        drained.notify_one();
    }
}
