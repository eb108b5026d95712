//! The transactions in flight: sipx-sip's state machines, with their timers and their owners.

use super::action::{Action, LegId, Path, Transport};
use super::core::Due;
use super::peers::Peers;
use super::timers::{Armed, Timers};
use bytes::Bytes;
use sipx_sip::{
    ClientTransaction, Method, Output, Reliability, Request, Response, ServerTransaction, Timer,
    TransactionKey, TuEvent,
};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// One transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TxId(u64);

/// Whose request a client transaction carries; server transactions have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The INVITE that makes a leg.
    Invite(LegId),
    /// The BYE that ends one.
    Bye(LegId),
    /// A session refresh: re-INVITE or UPDATE.
    Refresh(LegId),
    /// Nobody minds what becomes of it: CANCEL, PRACK, BYE of a fork, every server transaction.
    Nobody,
}

#[derive(Debug)]
enum Machine {
    Server(Box<ServerTransaction>),
    Client(Box<ClientTransaction>),
}

#[derive(Debug)]
struct Slot {
    machine: Machine,
    key: Arc<TransactionKey>,
    path: Path,
    owner: Owner,
    /// The leg whose INVITE a server transaction carries.
    leg: Option<LegId>,
    timers: Armed<Timer>,
    /// The ACK of each 2xx, by To tag: forks answer the same INVITE more than once.
    acks: Vec<(Bytes, Path, Bytes)>,
}

/// Forks that one INVITE of ours may have.
const MOST_FORKS: usize = 8;

/// The table.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    servers: HashMap<Arc<TransactionKey>, TxId>,
    clients: HashMap<Arc<TransactionKey>, TxId>,
    slots: HashMap<TxId, Slot>,
    next: u64,
}

/// What the table works on besides itself.
pub(super) struct World<'a> {
    pub(super) timers: &'a mut Timers<Due>,
    pub(super) actions: &'a mut VecDeque<Action>,
    pub(super) peers: &'a mut Peers,
    pub(super) now: Instant,
}

/// What a transaction has to say to its user.
#[derive(Debug)]
pub(super) enum News {
    /// A response to a request of ours.
    Response(Owner, Box<Response>),
    /// The ACK of a 2xx of ours.
    Ack(Box<Request>),
    /// No answer in time.
    Timeout(Owner),
    /// The transport failed.
    Failed(Owner),
}

impl Transactions {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn server(&self, key: &TransactionKey) -> Option<TxId> {
        self.servers.get(key).copied()
    }

    pub(super) fn client(&self, key: &TransactionKey) -> Option<TxId> {
        self.clients.get(key).copied()
    }

    /// The request of a server transaction.
    pub(super) fn server_request(&self, id: TxId) -> Option<&Request> {
        match &self.slots.get(&id)?.machine {
            Machine::Server(machine) => Some(machine.request()),
            Machine::Client(_) => None,
        }
    }

    /// Says whose INVITE a server transaction carries.
    pub(super) fn assign(&mut self, id: TxId, leg: LegId) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.leg = Some(leg);
        }
    }

    /// Whose INVITE a server transaction carries.
    pub(super) fn leg(&self, id: TxId) -> Option<LegId> {
        self.slots.get(&id)?.leg
    }

    /// Where a transaction sends.
    pub(super) fn path(&self, id: TxId) -> Option<Path> {
        self.slots.get(&id).map(|slot| slot.path)
    }

    /// The request of a client transaction, and where it went.
    pub(super) fn client_request(&self, id: TxId) -> Option<(&Request, Path)> {
        let slot = self.slots.get(&id)?;
        match &slot.machine {
            Machine::Client(machine) => Some((machine.request(), slot.path)),
            Machine::Server(_) => None,
        }
    }

    /// Starts a server transaction; the request comes back for its user.
    pub(super) fn receive(
        &mut self,
        key: TransactionKey,
        request: Request,
        path: Path,
        world: &mut World<'_>,
    ) -> (TxId, Option<Box<Request>>) {
        let (machine, mut outputs) = ServerTransaction::new(request, reliability(path), super::core::TIMERS);
        let request =
            outputs.iter().position(|output| matches!(output, Output::ToTu(_))).map(|at| outputs.remove(at));
        let request = match request {
            Some(Output::ToTu(event)) => match *event {
                TuEvent::Request(request) => Some(request),
                _ => None,
            },
            _ => None,
        };
        let id = self.insert(key, Machine::Server(Box::new(machine)), path, Owner::Nobody);
        self.perform(id, outputs, world);
        (id, request)
    }

    /// A request that belongs to a server transaction: a retransmission or an ACK.
    pub(super) fn repeat(&mut self, id: TxId, request: &Request, world: &mut World<'_>) -> Vec<News> {
        let Some(slot) = self.slots.get_mut(&id) else { return Vec::new() };
        let Machine::Server(machine) = &mut slot.machine else { return Vec::new() };
        let outputs = machine.on_request(request);
        self.perform(id, outputs, world)
    }

    /// Answers a server transaction.
    pub(super) fn respond(&mut self, id: TxId, response: Response, world: &mut World<'_>) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let Machine::Server(machine) = &mut slot.machine else { return };
        let outputs = machine.on_tu_response(response);
        self.perform(id, outputs, world);
    }

    /// Sends a request in a client transaction of its own.
    pub(super) fn send(
        &mut self,
        request: Request,
        path: Path,
        owner: Owner,
        world: &mut World<'_>,
    ) -> Option<TxId> {
        let key = TransactionKey::from_sent_request(&request)?;
        let (machine, outputs) = ClientTransaction::new(request, reliability(path), super::core::TIMERS);
        world.peers.hold(path.peer.ip());
        let id = self.insert(key, Machine::Client(Box::new(machine)), path, owner);
        self.perform(id, outputs, world);
        Some(id)
    }

    /// A response that belongs to a client transaction.
    pub(super) fn answer(&mut self, id: TxId, response: Response, world: &mut World<'_>) -> Vec<News> {
        let Some(slot) = self.slots.get_mut(&id) else { return Vec::new() };
        let Machine::Client(machine) = &mut slot.machine else { return Vec::new() };
        let outputs = machine.on_response(response);
        self.perform(id, outputs, world)
    }

    /// A timer of a transaction fired.
    pub(super) fn fire(&mut self, id: TxId, timer: Timer, world: &mut World<'_>) -> Vec<News> {
        let Some(slot) = self.slots.get_mut(&id) else { return Vec::new() };
        slot.timers.disarm(world.timers, timer);
        let outputs = match &mut slot.machine {
            Machine::Server(machine) => machine.on_timer(timer),
            Machine::Client(machine) => machine.on_timer(timer),
        };
        self.perform(id, outputs, world)
    }

    /// The connection to `peer` is gone: requests that wait on it fail.
    pub(super) fn peer_lost(&mut self, peer: SocketAddr, world: &mut World<'_>) -> Vec<(TxId, Vec<News>)> {
        let over = |slot: &Slot| slot.path.transport == Transport::Tcp && slot.path.peer == peer;
        let hit: Vec<TxId> = self.slots.iter().filter(|(_, slot)| over(slot)).map(|(id, _)| *id).collect();
        let mut news = Vec::new();
        for id in hit {
            // Server transactions stay: their peer may come back for the answer elsewhere.
            let Some(Slot { machine: Machine::Client(machine), .. }) = self.slots.get_mut(&id) else {
                continue;
            };
            let outputs = machine.on_transport_error();
            news.push((id, self.perform(id, outputs, world)));
        }
        news
    }

    /// Drops a client transaction that will never be answered (RFC 3261 §9.1, 64·T1 after CANCEL).
    pub(super) fn abandon(&mut self, id: TxId, world: &mut World<'_>) {
        self.remove(id, world);
    }

    /// Remembers the ACK of a 2xx; `false` when there are too many forks.
    pub(super) fn keep_ack(&mut self, id: TxId, tag: Bytes, path: Path, ack: Bytes) -> bool {
        let Some(slot) = self.slots.get_mut(&id) else { return false };
        let room = slot.acks.len() < MOST_FORKS;
        if room {
            slot.acks.push((tag, path, ack));
        }
        room
    }

    /// The ACK sent for the 2xx with this tag. `None`: not seen yet.
    pub(super) fn kept_ack(&self, id: TxId, tag: &[u8]) -> Option<(Path, Bytes)> {
        let slot = self.slots.get(&id)?;
        slot.acks
            .iter()
            .find(|(known, _, _)| known.as_ref() == tag)
            .map(|(_, path, ack)| (*path, ack.clone()))
    }

    /// Whether a client transaction carries an INVITE.
    pub(super) fn is_invite(&self, id: TxId) -> bool {
        self.client_request(id).is_some_and(|(request, _)| request.method == Method::Invite)
    }

    /// Whether a 2xx has been acknowledged already.
    pub(super) fn has_acks(&self, id: TxId) -> bool {
        self.slots.get(&id).is_some_and(|slot| !slot.acks.is_empty())
    }

    fn insert(&mut self, key: TransactionKey, machine: Machine, path: Path, owner: Owner) -> TxId {
        self.next += 1;
        let (id, key) = (TxId(self.next), Arc::new(key));
        let keys = if matches!(machine, Machine::Server(_)) { &mut self.servers } else { &mut self.clients };
        keys.insert(Arc::clone(&key), id);
        self.slots.insert(
            id,
            Slot { machine, key, path, owner, leg: None, timers: Armed::new(), acks: Vec::new() },
        );
        id
    }

    fn remove(&mut self, id: TxId, world: &mut World<'_>) {
        let Some(mut slot) = self.slots.remove(&id) else { return };
        slot.timers.disarm_all(world.timers);
        let keys = if matches!(slot.machine, Machine::Server(_)) {
            &mut self.servers
        } else {
            world.peers.release(slot.path.peer.ip());
            &mut self.clients
        };
        if keys.get(&*slot.key) == Some(&id) {
            keys.remove(&*slot.key);
        }
    }

    fn perform(&mut self, id: TxId, outputs: Vec<Output>, world: &mut World<'_>) -> Vec<News> {
        let mut news = Vec::new();
        for output in outputs {
            let Some(slot) = self.slots.get_mut(&id) else { break };
            match output {
                Output::Send(message) => world.actions.push_back(Action::Send(slot.path, message.to_bytes())),
                Output::SetTimer { timer, after } => {
                    slot.timers.arm(world.timers, timer, world.now + after, Due::Transaction(id, timer));
                }
                Output::ClearTimer(timer) => slot.timers.disarm(world.timers, timer),
                Output::ToTu(event) => match *event {
                    TuEvent::Response(response) => news.push(News::Response(slot.owner, response)),
                    TuEvent::Ack(ack) => news.push(News::Ack(ack)),
                    TuEvent::Timeout => news.push(News::Timeout(slot.owner)),
                    TuEvent::TransportError => news.push(News::Failed(slot.owner)),
                    _ => {}
                },
                Output::Terminated(_) => self.remove(id, world),
                _ => {}
            }
        }
        news
    }
}

fn reliability(path: Path) -> Reliability {
    match path.transport {
        Transport::Udp => Reliability::Unreliable,
        Transport::Tcp => Reliability::Reliable,
    }
}

/// Whether a request of this method is one we know though we may not do it (405 rather than 501).
pub(super) fn is_known(method: &Method) -> bool {
    !matches!(method, Method::Other(_))
}
