//! The core task: everything that reaches the core passes here, one after the other.

use super::admission::Admission;
use super::connection::Arrival;
use super::connections::Connections;
use super::handle::Command;
use super::local::LocalAddresses;
use super::start::EVENTS;
use super::udp::Udp;
use super::{Event, Invited};
use crate::clock::Clock;
use crate::sip::sdp::Audio;
use crate::sip::{self, Action, Core, LegId, Outbound, Path, Standing, Target, Transport};
use crate::task::{Phase, Stop};
use bytes::Bytes;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Inputs of one kind taken in a row before the others have their turn.
const BATCH: usize = 64;
/// Free places in the event queue below which new calls are shed.
const CROWDED: usize = EVENTS / 4;

/// What the core task listens to.
pub(super) struct Inputs {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) arrivals: mpsc::Receiver<Arrival>,
    pub(super) accepted: mpsc::Receiver<(TcpStream, SocketAddr)>,
    pub(super) stop: Stop,
}

/// The core and what it speaks through.
pub(super) struct Driver {
    pub(super) core: Core,
    pub(super) clock: Clock,
    pub(super) udp: Vec<Udp>,
    /// Addresses of the TCP listeners.
    pub(super) tcp: Vec<SocketAddr>,
    pub(super) connections: Connections,
    pub(super) admission: Admission,
    pub(super) local: Arc<LocalAddresses>,
    pub(super) events: mpsc::Sender<Event>,
    /// Events that found the queue full. No event is ever lost; new calls are shed long before.
    pub(super) late: VecDeque<Event>,
    pub(super) phase: Phase,
    /// Whether the last new call was shed, to log the change only.
    pub(super) shedding: bool,
}

enum Woken {
    Command(Option<Command>),
    Arrival(Option<Arrival>),
    Accepted(Option<(TcpStream, SocketAddr)>),
    Datagram,
    Due,
    Trunks,
    Room,
    Stop,
}

impl Driver {
    /// Runs until Stopped, or until nobody holds the handle any more.
    pub(super) async fn run(mut self, mut inputs: Inputs) {
        let mut buffer = vec![0; 65_536];
        loop {
            let woken = self.wait(&mut inputs).await;
            let now = self.clock.now();
            match woken {
                Woken::Command(None) => break,
                Woken::Command(Some(command)) => self.command(command, now),
                Woken::Arrival(Some(arrival)) => self.arrival(arrival, now),
                Woken::Accepted(Some((stream, peer))) => self.accepted(stream, peer),
                Woken::Trunks => self.trunks_changed(now),
                Woken::Stop => {
                    self.phase = inputs.stop.phase();
                    if self.phase == Phase::Stopped {
                        break;
                    }
                }
                Woken::Arrival(None) | Woken::Accepted(None) | Woken::Datagram | Woken::Due | Woken::Room => {
                }
            }
            // Everybody's turn, whoever woke us: none can starve the others.
            for command in std::iter::from_fn(|| inputs.commands.try_recv().ok()).take(BATCH) {
                self.command(command, now);
            }
            self.datagrams(&mut buffer, now);
            for arrival in std::iter::from_fn(|| inputs.arrivals.try_recv().ok()).take(BATCH) {
                self.arrival(arrival, now);
            }
            self.core.tick(now);
            self.perform(now);
        }
        self.close();
    }

    async fn wait(&mut self, inputs: &mut Inputs) -> Woken {
        let due = self.core.next_deadline();
        let due = async {
            match due {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let room = async {
            match self.late.is_empty() {
                true => std::future::pending().await,
                false => drop(self.events.reserve().await),
            }
        };
        let next = match self.phase {
            Phase::Running => Phase::Draining,
            Phase::Draining | Phase::Stopped => Phase::Stopped,
        };
        let udp = &self.udp;
        let readable = poll_fn(|cx| match udp.iter().any(|udp| udp.poll_readable(cx).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        tokio::select! {
            () = inputs.stop.reached(next) => Woken::Stop,
            command = inputs.commands.recv() => Woken::Command(command),
            () = readable => Woken::Datagram,
            arrival = inputs.arrivals.recv() => Woken::Arrival(arrival),
            accepted = inputs.accepted.recv(), if !inputs.accepted.is_closed() => Woken::Accepted(accepted),
            () = due => Woken::Due,
            () = self.admission.changed() => Woken::Trunks,
            () = room => Woken::Room,
        }
    }

    fn datagrams(&mut self, buffer: &mut [u8], now: Instant) {
        for at in 0..self.udp.len() {
            for _ in 0..BATCH {
                let Some(udp) = self.udp.get(at) else { break };
                let bound = udp.address;
                let Some((bytes, source)) = udp.receive(buffer) else { break };
                // Before a byte is looked at.
                let Some(standing) = self.standing(source.ip()) else { continue };
                let bytes = Bytes::copy_from_slice(bytes);
                self.receive(&bytes, Transport::Udp, at as u64 + 1, bound, source, standing, now);
            }
        }
    }

    fn arrival(&mut self, arrival: Arrival, now: Instant) {
        match arrival {
            Arrival::Message { flow, peer, bytes, broken, _permit } => {
                let Some(standing) = self.standing(peer.ip()) else { return };
                let bound = self.listener(peer.ip());
                if broken {
                    let path = Path { transport: Transport::Tcp, flow, peer, advertised: bound };
                    self.core.refuse_broken(&bytes, path, standing);
                } else {
                    self.receive(&bytes, Transport::Tcp, flow, bound, peer, standing, now);
                }
                // The answer is in the connection's queue before its next message is let in.
                self.perform(now);
            }
            Arrival::Gone { flow, peer } => {
                self.connections.gone(flow);
                self.core.peer_lost(peer, now);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the facts of one message, used once")]
    fn receive(
        &mut self,
        bytes: &Bytes,
        transport: Transport,
        flow: u64,
        bound: SocketAddr,
        peer: SocketAddr,
        standing: Standing,
        now: Instant,
    ) {
        let Some(advertised) = self.advertised(bound, peer.ip()) else { return };
        let path = Path { transport, flow, peer, advertised };
        let crowded = self.events.capacity() < CROWDED || self.late.len() > BATCH;
        let busy = crowded || self.phase != Phase::Running;
        let shed = self.core.status().shed;
        self.core.receive(bytes, path, standing, busy, now);
        let shedding = self.core.status().shed > shed;
        if shedding != self.shedding && bytes.starts_with(b"INVITE") {
            self.shedding = shedding;
            tracing::info!(shedding, "new calls are refused, or taken again");
        }
    }

    fn accepted(&mut self, stream: TcpStream, peer: SocketAddr) {
        if self.standing(peer.ip()).is_some() {
            self.connections.accept(stream, peer);
        }
    }

    /// `None` is not let in.
    fn standing(&self, ip: IpAddr) -> Option<Standing> {
        match self.admission.trunk(ip) {
            Some(_) => Some(Standing::Trunk),
            None => self.core.expects(ip).then_some(Standing::Peer),
        }
    }

    fn trunks_changed(&mut self, now: Instant) {
        let (admission, core) = (&self.admission, &self.core);
        let shut = self.connections.close_unless(|ip| admission.trunk(ip).is_some() || core.expects(ip));
        shut.into_iter().for_each(|peer| self.core.peer_lost(peer, now));
    }

    fn command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Ring(leg) => self.core.ring(leg, now),
            Command::Accept(leg, audio) => {
                let audio = self.outward(leg, audio);
                self.core.accept(leg, &audio, now);
            }
            Command::Reject(leg, status) => self.core.reject(leg, status, now),
            Command::HangUp(leg) => self.core.hang_up(leg, now),
            Command::Invite { leg, target, caller, offer } => match self.path_to(&target) {
                Some(path) => {
                    let offer = self.public_audio(path, offer);
                    self.core.invite(Outbound { leg, target, path, caller, offer }, now);
                }
                None => self.tell(Event::Failed(leg, 503)),
            },
        }
    }

    /// The way to a contact: a listener of its family and transport.
    fn path_to(&self, target: &Target) -> Option<Path> {
        let peer = target.address;
        let (flow, bound) = match target.transport {
            Transport::Udp => {
                let at = self.udp.iter().position(|udp| udp.reaches(peer.ip()))?;
                (at as u64 + 1, self.udp.get(at)?.address)
            }
            Transport::Tcp => (0, self.listener(peer.ip())),
        };
        let advertised = self.advertised(bound, peer.ip())?;
        Some(Path { transport: target.transport, flow, peer, advertised })
    }

    /// The TCP listener that `ip` could connect to, else any address of ours.
    fn listener(&self, ip: IpAddr) -> SocketAddr {
        let fits = |a: &&SocketAddr| a.ip().is_unspecified() || a.is_ipv4() == ip.is_ipv4();
        let udp = self.udp.iter().map(|udp| udp.address);
        let any = SocketAddr::new([0, 0, 0, 0].into(), 5060);
        self.tcp.iter().find(fits).copied().or_else(|| udp.into_iter().next()).unwrap_or(any)
    }

    /// What `peer` is told of where we are.
    fn advertised(&self, bound: SocketAddr, peer: IpAddr) -> Option<SocketAddr> {
        let local =
            if bound.ip().is_unspecified() { self.local.toward(peer)? } else { bound.ip().to_canonical() };
        Some(SocketAddr::new(self.local.advertised(peer, local), bound.port()))
    }

    /// Our audio as the leg's peer has to see it.
    fn outward(&self, leg: LegId, audio: Audio) -> Audio {
        match self.core.path(leg) {
            Some(path) => self.public_audio(path, audio),
            None => audio,
        }
    }

    /// Does what the core wants done.
    fn perform(&mut self, now: Instant) {
        while let Some(action) = self.core.next_action() {
            match action {
                Action::Send(path, bytes) => self.send(path, bytes, now),
                Action::Tell(event) => {
                    if let Some(event) = self.event(event) {
                        self.tell(event);
                    }
                }
            }
        }
        while let Some(event) = self.late.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
                self.late.push_front(event);
                break;
            }
        }
    }

    fn send(&mut self, path: Path, bytes: Bytes, now: Instant) {
        match path.transport {
            Transport::Udp => {
                let flow = path.flow.checked_sub(1).and_then(|at| self.udp.get(usize::try_from(at).ok()?));
                let udp = flow.or_else(|| self.udp.iter().find(|udp| udp.reaches(path.peer.ip())));
                if let Some(udp) = udp {
                    udp.send(&bytes, path.peer);
                }
            }
            Transport::Tcp => {
                let is_response = bytes.starts_with(b"SIP/");
                if !self.connections.send(path.flow, path.peer, bytes, is_response) && !is_response {
                    self.core.peer_lost(path.peer, now);
                }
            }
        }
    }

    fn tell(&mut self, event: Event) {
        self.late.push_back(event);
    }

    fn event(&self, event: sip::Event) -> Option<Event> {
        Some(match event {
            sip::Event::Invited(invited) => {
                let sip::Invited { leg, path, caller, called, offer } = *invited;
                let trunk = self.admission.trunk(path.peer.ip())?;
                let local = self.local_of(path);
                Event::Invited(Box::new(Invited {
                    leg,
                    trunk,
                    source: path.peer,
                    local,
                    caller,
                    called,
                    offer,
                }))
            }
            sip::Event::Cancelled(leg) => Event::Cancelled(leg),
            sip::Event::Confirmed(leg, audio) => Event::Confirmed(leg, audio),
            sip::Event::Ringing(leg) => Event::Ringing(leg),
            sip::Event::Answered(leg, audio) => Event::Answered(leg, audio),
            sip::Event::Failed(leg, status) => Event::Failed(leg, status),
            sip::Event::Reoffered(leg, audio) => Event::Reoffered(leg, audio),
            sip::Event::Ended(leg, reason) => Event::Ended(leg, reason),
        })
    }

    /// The address of ours that a caller's packets reached.
    fn local_of(&self, path: Path) -> IpAddr {
        let peer = path.peer.ip();
        let udp = path.flow.checked_sub(1).and_then(|at| self.udp.get(usize::try_from(at).ok()?));
        let bound = match (path.transport, udp) {
            (Transport::Udp, Some(udp)) => udp.address.ip(),
            _ => self.listener(peer).ip(),
        };
        let routed = if bound.is_unspecified() { self.local.toward(peer) } else { None };
        routed.unwrap_or(bound.to_canonical())
    }

    /// The last words: BYE, CANCEL or a refusal to everybody who is left.
    fn close(&mut self) {
        let now = self.clock.now();
        for leg in self.core.living() {
            self.core.hang_up(leg, now);
        }
        self.perform(now);
    }

    /// The public address in place of the local one, where the peer is told so.
    fn public_audio(&self, path: Path, mut audio: Audio) -> Audio {
        let told = path.advertised.ip();
        if self.local.is_public(told) && told.is_ipv4() == audio.address.is_ipv4() {
            audio.address.set_ip(told);
            if let Some(rtcp) = &mut audio.rtcp {
                rtcp.set_ip(told);
            }
        }
        audio
    }
}
