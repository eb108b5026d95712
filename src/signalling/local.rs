//! Which address of ours a peer sees.

use crate::clock::Clock;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer of the kernel is believed: routes change.
const FRESH: Duration = Duration::from_secs(60);
/// Peers remembered at once.
const MOST: usize = 4096;

/// Local addresses by peer, as the kernel routes them.
#[derive(Debug)]
pub(super) struct LocalAddresses {
    clock: Clock,
    public: Option<IpAddr>,
    known: Mutex<HashMap<IpAddr, (IpAddr, Instant)>>,
}

impl LocalAddresses {
    /// `public` stands for the local address toward peers outside private networks.
    pub(super) fn new(clock: Clock, public: Option<IpAddr>) -> Self {
        Self { clock, public, known: Mutex::new(HashMap::new()) }
    }

    /// The local address that packets to `peer` leave from. `None` when there is no route.
    pub(super) fn toward(&self, peer: IpAddr) -> Option<IpAddr> {
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((local, since)) = known.get(&peer)
            && now.saturating_duration_since(*since) < FRESH
        {
            return Some(*local);
        }
        let local = ask_kernel(peer)?;
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(peer, (local, now));
        Some(local)
    }

    /// Whether this is the configured public address.
    pub(super) fn is_public(&self, ip: IpAddr) -> bool {
        self.public == Some(ip)
    }

    /// What `peer` is told: the public address if there is one of its family and it is outside,
    /// else `local`.
    pub(super) fn advertised(&self, peer: IpAddr, local: IpAddr) -> IpAddr {
        match self.public {
            Some(public) if public.is_ipv4() == peer.is_ipv4() && !is_private(peer) => public,
            _ => local,
        }
    }
}

/// A connected datagram socket has the address that the kernel would use; nothing is sent.
fn ask_kernel(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(peer, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip().to_canonical()).filter(|ip| !ip.is_unspecified())
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_reached_from_loopback_and_outsiders_see_the_public_address() {
        let public: IpAddr = [203, 0, 113, 5].into();
        let addresses = LocalAddresses::new(Clock::system(), Some(public));
        let loopback: IpAddr = [127, 0, 0, 1].into();
        assert_eq!(addresses.toward(loopback), Some(loopback));
        assert_eq!(addresses.advertised(loopback, loopback), loopback);
        assert_eq!(addresses.advertised([198, 51, 100, 1].into(), [10, 0, 0, 1].into()), public);
        assert_eq!(addresses.advertised("2001:db8::1".parse().unwrap(), loopback), loopback);
    }
}
