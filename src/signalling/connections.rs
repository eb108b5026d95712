//! The table of TCP connections.

use super::connection::{self, Arrival, Ends, WAITING};
use crate::task;
use bytes::Bytes;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Connections at once.
const MOST: usize = 1024;
/// Of them from one source.
const MOST_OF_ONE: usize = 32;

#[derive(Debug)]
struct Connection {
    peer: SocketAddr,
    outgoing: mpsc::Sender<Bytes>,
    task: JoinHandle<()>,
}

/// Every connection, by number and by peer.
#[derive(Debug)]
pub(super) struct Connections {
    all: HashMap<u64, Connection>,
    by_peer: HashMap<SocketAddr, u64>,
    of_source: HashMap<IpAddr, usize>,
    arrivals: mpsc::Sender<Arrival>,
    next: u64,
}

impl Connections {
    pub(super) fn new(arrivals: mpsc::Sender<Arrival>) -> Self {
        Self { all: HashMap::new(), by_peer: HashMap::new(), of_source: HashMap::new(), arrivals, next: 0 }
    }

    /// Takes a connection that was accepted, or closes it when there are too many.
    pub(super) fn accept(&mut self, stream: TcpStream, peer: SocketAddr) {
        if self.has_room(peer.ip()) {
            self.start(peer, |ends| task::spawn("sip connection", connection::serve(stream, ends)));
        }
    }

    /// Queues bytes on connection `flow`, or on another one to `peer`, or on a new one unless
    /// `only_open`. `false`: they are lost, and with a slow peer its connection too.
    pub(super) fn send(&mut self, flow: u64, peer: SocketAddr, bytes: Bytes, only_open: bool) -> bool {
        let open =
            self.all.get_key_value(&flow).map(|(id, _)| *id).or_else(|| self.by_peer.get(&peer).copied());
        let id = match open {
            Some(id) => Some(id),
            None if only_open || !self.has_room(peer.ip()) => None,
            None => Some(self.start(peer, |ends| task::spawn("sip connection", connection::connect(ends)))),
        };
        let Some((id, entry)) = id.and_then(|id| Some((id, self.all.get(&id)?))) else { return false };
        let sent = entry.outgoing.try_send(bytes).is_ok();
        if !sent {
            tracing::debug!("a SIP peer reads too slowly; its connection is closed");
            self.close(id);
        }
        sent
    }

    /// Forgets a connection that is over. `false`: it was another one's number by now.
    pub(super) fn gone(&mut self, flow: u64) {
        self.close(flow);
    }

    /// Closes every connection whose source is no longer let in; their peers come back.
    pub(super) fn close_unless(&mut self, admitted: impl Fn(IpAddr) -> bool) -> Vec<SocketAddr> {
        let shut: Vec<(u64, SocketAddr)> =
            self.all.iter().filter(|(_, c)| !admitted(c.peer.ip())).map(|(id, c)| (*id, c.peer)).collect();
        shut.iter().for_each(|(id, _)| self.close(*id));
        shut.into_iter().map(|(_, peer)| peer).collect()
    }

    fn has_room(&self, source: IpAddr) -> bool {
        self.all.len() < MOST && self.of_source.get(&source).is_none_or(|count| *count < MOST_OF_ONE)
    }

    fn start(&mut self, peer: SocketAddr, spawn: impl FnOnce(Ends) -> JoinHandle<()>) -> u64 {
        self.next += 1;
        let flow = self.next;
        let (sender, outgoing) = mpsc::channel(WAITING);
        let task =
            spawn(Ends { flow, peer, arrivals: self.arrivals.clone(), outgoing, queue: sender.downgrade() });
        self.all.insert(flow, Connection { peer, outgoing: sender, task });
        self.by_peer.insert(peer, flow);
        *self.of_source.entry(peer.ip()).or_default() += 1;
        flow
    }

    fn close(&mut self, flow: u64) {
        let Some(entry) = self.all.remove(&flow) else { return };
        entry.task.abort();
        if self.by_peer.get(&entry.peer) == Some(&flow) {
            self.by_peer.remove(&entry.peer);
        }
        if let Some(count) = self.of_source.get_mut(&entry.peer.ip()) {
            *count -= 1;
            if *count == 0 {
                self.of_source.remove(&entry.peer.ip());
            }
        }
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        for entry in self.all.values() {
            entry.task.abort();
        }
    }
}
