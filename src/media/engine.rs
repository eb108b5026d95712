//! The media thread: its start, its loop, its end.
//!
//! One round: wait for packets, commands or a deadline; packets first, then commands, then what
//! is due. Nothing in a round blocks, locks or, for a SIP leg's packet, allocates.

use super::bridge::Bridge;
use super::browser::{Act, Maker};
use super::command::{Command, Link, Shared};
use super::demux::Doors;
use super::handle::{Event, EventKind, Limits, StartError};
use super::leg::{Leg, Transport};
use super::news::News;
use super::ports::Ports;
use super::slots::Slots;
use super::timers::{Owner, Timers};
use crate::clock::Clock;
use crate::config;
use mio::{Events, Interest, Poll, Token, Waker};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const WAKE: Token = Token(0);
/// Tokens of the browsers' sockets.
const DOOR: usize = 1;
/// Tokens of legs: two a slot, RTP and RTCP.
const LEG: usize = 1024;
/// Octets a datagram may have.
const DATAGRAM: usize = 2048;
/// Datagrams read from a socket before others get their turn.
const SIP_TURN: usize = 32;
const DOOR_TURN: usize = 512;
/// Commands carried out a round.
const COMMANDS: usize = 256;
/// The longest wait: nothing is lost if a wake-up is.
const IDLE: Duration = Duration::from_millis(500);
/// From this many datagrams in one [`RATE_WINDOW`] on (1000 a second) the thread takes a breath
/// between rounds, so that one wake-up serves several: waking costs as much as a packet.
const BUSY: u32 = 100;
const RATE_WINDOW: Duration = Duration::from_millis(100);
/// The breath; half of it is what a packet waits on average.
const BREATH: Duration = Duration::from_millis(1);
/// How soon news that found no room is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// All the thread owns.
pub(super) struct Engine {
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) poll: Poll,
    pub(super) legs: Slots<Leg>,
    pub(super) bridges: Slots<Bridge>,
    pub(super) timers: Timers,
    pub(super) news: News,
    pub(super) ports: Ports,
    pub(super) doors: Doors,
    pub(super) maker: Maker,
    pub(super) browsers: usize,
    /// What browsers did that is still to be acted on.
    pub(super) acts: Vec<(u32, Act)>,
    /// An empty list that keeps its room, to be exchanged with `acts`.
    spare: Vec<(u32, Act)>,
    /// RTCP is written here.
    pub(super) report: Vec<u8>,
    /// Our canonical name in RTCP: random, no one's address (RFC 7022).
    pub(super) name: String,
    queue: Receiver<Command>,
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    /// Sockets that may hold more than their turn allowed.
    unfinished: Vec<Token>,
    pace: Pace,
}

/// How many datagrams came of late.
struct Pace {
    since: Instant,
    datagrams: u32,
    is_busy: bool,
}

impl Pace {
    /// Ends a round; whether to take a breath before the next.
    fn round(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= RATE_WINDOW {
            self.is_busy = self.datagrams >= BUSY;
            (self.since, self.datagrams) = (now, 0);
        }
        self.is_busy
    }
}

/// Binds, starts the thread, returns the ways in and out.
pub(super) fn start(
    config: &config::Media,
    limits: Limits,
    clock: Clock,
) -> Result<(Link, mpsc::Receiver<Event>, SocketAddr), StartError> {
    let poll = Poll::new()?;
    let (mut doors, browser) = Doors::open(config.browser, &config.browser_candidates)?;
    for (n, socket) in doors.sockets().enumerate() {
        poll.registry().register(socket, Token(DOOR + n), Interest::READABLE)?;
    }
    let maker = Maker::new().ok_or(StartError::Certificate)?;
    let (mut link, queue, shared) = Link::new(Waker::new(poll.registry(), WAKE)?);
    let (news, events) = News::new();
    let now = clock.now();
    let engine = Engine {
        clock,
        limits,
        poll,
        legs: Slots::new(),
        bridges: Slots::new(),
        timers: Timers::default(),
        news,
        ports: Ports::new(config.rtp_ports, random())?,
        doors,
        maker,
        browsers: 0,
        acts: Vec::new(),
        spare: Vec::new(),
        report: Vec::new(),
        name: format!("{:08x}{:08x}{:08x}", random(), random(), random()),
        queue,
        shared,
        buffer: vec![0; DATAGRAM],
        unfinished: Vec::new(),
        pace: Pace { since: now, datagrams: 0, is_busy: false },
    };
    link.attach(std::thread::Builder::new().name("media".into()).spawn(move || engine.run())?);
    Ok((link, events, browser))
}

/// A number no one can guess: SSRCs, first sequence numbers and timestamps (RFC 3550 §5.1).
pub(super) fn random() -> u32 {
    let mut bytes = [0; 4];
    // Failing means the kernel has no randomness at all; a repeated SSRC is survivable then.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u32::from_ne_bytes(bytes)
}

impl Engine {
    fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        while !self.shared.stop.load(Ordering::Acquire) {
            let wait = self.wait(self.clock.now());
            if let Err(error) = self.poll.poll(&mut events, Some(wait)) {
                if error.kind() == std::io::ErrorKind::Interrupted {
                    continue;
                }
                tracing::error!(%error, "the media thread cannot wait for packets and ends");
                break;
            }
            let now = self.clock.now();
            for token in std::mem::take(&mut self.unfinished) {
                self.readable(token, now);
            }
            for event in &events {
                self.readable(event.token(), now);
            }
            self.obey(now);
            let now = self.clock.now();
            self.due(now);
            self.news.flush();
            if self.pace.round(now) && self.unfinished.is_empty() {
                std::thread::park_timeout(BREATH);
            }
        }
        self.end();
    }

    fn wait(&self, now: Instant) -> Duration {
        if !self.unfinished.is_empty() {
            return Duration::ZERO;
        }
        let idle = if self.news.waits() { RETRY } else { IDLE };
        self.timers.next().map_or(idle, |at| at.saturating_duration_since(now).min(idle))
    }

    fn readable(&mut self, token: Token, now: Instant) {
        // Taken out, so that a packet can lie in it while the engine acts on it.
        let mut buffer = std::mem::take(&mut self.buffer);
        let more = match token.0 {
            leg if leg >= LEG => {
                let slot = ((leg - LEG) / 2) as u32;
                if leg % 2 == 0 {
                    self.read_rtp(slot, &mut buffer, now)
                } else {
                    self.read_rtcp(slot, &mut buffer, now)
                }
            }
            door if token != WAKE => self.read_door(door - DOOR, &mut buffer, now),
            _ => false,
        };
        self.buffer = buffer;
        if more {
            self.unfinished.push(token);
        }
    }

    /// Reads a SIP leg's RTP socket; whether more may be waiting.
    fn read_rtp(&mut self, slot: u32, buffer: &mut [u8], now: Instant) -> bool {
        for _ in 0..SIP_TURN {
            let Some(Leg { transport: Transport::Sip(sip), .. }) = self.legs.get(slot) else { return false };
            match sip.rtp.recv_from(buffer) {
                Ok((length, from)) => {
                    self.pace.datagrams += 1;
                    self.rtp_came(slot, buffer.get(..length).unwrap_or_default(), from, now);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return false,
                Err(_) => {}
            }
        }
        true
    }

    fn read_rtcp(&mut self, slot: u32, buffer: &mut [u8], now: Instant) -> bool {
        for _ in 0..SIP_TURN {
            let Some(Leg { transport: Transport::Sip(sip), .. }) = self.legs.get(slot) else { return false };
            match sip.rtcp.recv_from(buffer) {
                Ok((length, from)) => {
                    self.rtcp_came(slot, buffer.get(..length).unwrap_or_default(), from, now)
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return false,
                Err(_) => {}
            }
        }
        true
    }

    fn read_door(&mut self, door: usize, buffer: &mut [u8], now: Instant) -> bool {
        for _ in 0..DOOR_TURN {
            match self.doors.receive(door, buffer) {
                Ok(Some((length, via, local))) => {
                    self.pace.datagrams += 1;
                    self.browser_sent(buffer.get(..length).unwrap_or_default(), via, local, now);
                }
                Ok(None) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return false,
                Err(_) => {}
            }
        }
        true
    }

    fn obey(&mut self, now: Instant) {
        for _ in 0..COMMANDS {
            let Ok(command) = self.queue.try_recv() else { break };
            self.perform(command, now);
        }
        for leg in self.shared.take_overflow() {
            self.close(leg, now);
        }
        self.act(now);
    }

    fn due(&mut self, now: Instant) {
        while let Some((at, owner)) = self.timers.due(now) {
            match owner {
                Owner::Leg(slot) => {
                    if let Some(leg) = self.legs.get_mut(slot).filter(|leg| leg.armed == Some(at)) {
                        leg.armed = None;
                        self.leg_due(slot, now);
                    }
                }
                Owner::Bridge(slot) => {
                    if let Some(bridge) = self.bridges.get_mut(slot).filter(|bridge| bridge.armed == Some(at))
                    {
                        bridge.armed = None;
                        self.bridge_due(slot, now);
                    }
                }
            }
        }
    }

    /// Acts on what browsers did; relaying may make others do something in turn.
    pub(super) fn act(&mut self, now: Instant) {
        while !self.acts.is_empty() {
            let mut acts = std::mem::replace(&mut self.acts, std::mem::take(&mut self.spare));
            for (slot, act) in acts.drain(..) {
                match act {
                    Act::Connected => {
                        if let Some(leg) = self.legs.get_mut(slot) {
                            leg.heard = now;
                            self.news.tell(leg.id, EventKind::Connected);
                        }
                    }
                    Act::Packet(packet) => self.browser_spoke(slot, &packet, now),
                }
            }
            self.spare = acts;
        }
    }

    fn end(mut self) {
        let now = self.clock.now();
        for slot in self.legs.taken() {
            self.remove(slot, now);
        }
    }

    /// Registers a SIP leg's sockets under its slot.
    pub(super) fn register(&mut self, slot: u32) -> std::io::Result<()> {
        if let Some(Leg { transport: Transport::Sip(sip), .. }) = self.legs.get_mut(slot) {
            let first = LEG + slot as usize * 2;
            self.poll.registry().register(&mut sip.rtp, Token(first), Interest::READABLE)?;
            self.poll.registry().register(&mut sip.rtcp, Token(first + 1), Interest::READABLE)?;
        }
        Ok(())
    }
}
