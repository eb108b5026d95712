//! Binding and starting.

use super::admission::Admission;
use super::connections::Connections;
use super::driver::{Driver, Inputs};
use super::handle::Signalling;
use super::local::LocalAddresses;
use super::udp::Udp;
use super::{Setup, StartError, Started};
use crate::net::canonical;
use crate::sip::{Core, Settings};
use crate::task::{self, Phase, Stop};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Commands that may wait; a command is small and the core quick.
const COMMANDS: usize = 4096;
/// Events that may wait for `calls`.
pub(super) const EVENTS: usize = 4096;
/// Messages of all TCP connections that may wait.
const ARRIVALS: usize = 256;
/// Accepted connections that may wait to be admitted.
const ACCEPTED: usize = 64;
const BACKLOG: i32 = 256;

impl Signalling {
    /// Binds the listeners and starts the core task. Must be called on a tokio runtime.
    pub async fn start(setup: Setup) -> Result<Started, StartError> {
        let Setup { sip, limits, trunks, clock, stop } = setup;
        let udp = bind("udp", &sip.udp, Udp::bind)?;
        let tcp = bind("tcp", &sip.tcp, listen)?;
        let (arrivals_in, arrivals) = mpsc::channel(ARRIVALS);
        let (accepted_in, accepted) = mpsc::channel(ACCEPTED);
        let (commands_in, commands) = mpsc::channel(COMMANDS);
        let (events, events_out) = mpsc::channel(EVENTS);
        let mut tcp_addresses = Vec::new();
        for (listener, address) in tcp {
            tcp_addresses.push(address);
            task::spawn("sip listener", accept(listener, accepted_in.clone(), stop.clone()));
        }
        let mut seed = [0; 32];
        aws_lc_rs::rand::fill(&mut seed).map_err(|_| StartError::Random)?;
        let local = Arc::new(LocalAddresses::new(clock.clone(), sip.public_address));
        let settings = Settings { calls: limits.calls, invites_per_second: limits.invites_per_second };
        let udp_addresses = udp.iter().map(|udp| udp.address).collect();
        let driver = Driver {
            core: Core::new(settings, seed),
            clock,
            udp,
            tcp: tcp_addresses.clone(),
            connections: Connections::new(arrivals_in),
            admission: Admission::new(trunks),
            local: Arc::clone(&local),
            events,
            late: std::collections::VecDeque::new(),
            phase: stop.phase(),
            shedding: false,
        };
        let task = task::spawn("sip core", driver.run(Inputs { commands, arrivals, accepted, stop }));
        let signalling = Signalling::new(commands_in, local);
        Ok(Started { signalling, events: events_out, udp: udp_addresses, tcp: tcp_addresses, task })
    }
}

fn bind<T>(
    protocol: &'static str,
    addresses: &[SocketAddr],
    bind: impl Fn(SocketAddr, bool) -> io::Result<T>,
) -> Result<Vec<T>, StartError> {
    let has_v4_wildcard =
        |port| addresses.iter().any(|a| a.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED) && a.port() == port);
    addresses
        .iter()
        .map(|address| {
            let v6_only = has_v4_wildcard(address.port());
            bind(*address, v6_only).map_err(|source| StartError::Bind { protocol, address: *address, source })
        })
        .collect()
}

fn listen(address: SocketAddr, v6_only: bool) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(v6_only)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Accepts for ever: no error of one connection, and no lack of descriptors, ends it.
async fn accept(listener: TcpListener, accepted: mpsc::Sender<(TcpStream, SocketAddr)>, mut stop: Stop) {
    const SHORTEST: Duration = Duration::from_millis(10);
    let mut pause = SHORTEST;
    loop {
        let next = tokio::select! {
            () = stop.reached(Phase::Stopped) => return,
            next = listener.accept() => next,
        };
        match next {
            Ok((stream, peer)) => {
                pause = SHORTEST;
                // A flood beyond the queue is closed unseen.
                let _ = accepted.try_send((stream, canonical(peer)));
            }
            Err(error) => {
                tracing::debug!(%error, "a SIP connection could not be accepted");
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}
