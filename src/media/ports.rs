//! RTP/RTCP port pairs from the configured range (RFC 3550 §11: even and the next odd).

use super::handle::{MediaError, StartError};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Expedited forwarding, which networks give voice (RFC 3246), in the upper six bits.
const VOICE: u32 = 46 << 2;

/// The range and what is taken of it.
#[derive(Debug)]
pub(super) struct Ports {
    first: u16,
    taken: Vec<bool>,
    /// Where the search goes on: a freed pair rests as long as possible, so that a late packet
    /// of an old call seldom meets a new one.
    cursor: usize,
}

/// Two bound sockets.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) rtp: mio::net::UdpSocket,
    pub(super) rtcp: mio::net::UdpSocket,
    pub(super) port: u16,
}

impl Ports {
    /// The pairs of `first..=last`, searched from a place that `random` picks.
    pub(super) fn new((first, last): (u16, u16), random: u32) -> Result<Self, StartError> {
        let even = first.checked_add(first % 2).filter(|even| *even > 0 && *even < last);
        let pairs = even.map_or(0, |even| usize::from(last - even + 1) / 2);
        match even {
            Some(first) if pairs > 0 => {
                Ok(Self { first, taken: vec![false; pairs], cursor: random as usize % pairs })
            }
            _ => Err(StartError::Ports(first, last)),
        }
    }

    /// Binds the next free pair on `local`; pairs other programs hold are skipped.
    pub(super) fn open(&mut self, local: IpAddr) -> Result<Pair, MediaError> {
        let mut local = local;
        let pairs = self.taken.len();
        for step in 0..pairs {
            let index = (self.cursor + step) % pairs;
            let Some(taken) = self.taken.get_mut(index).filter(|taken| !**taken) else { continue };
            let port = self.first + (index as u16) * 2;
            let bound = bind_pair(local, port).or_else(|error| {
                // A public address in front of NAT is not ours to bind.
                if error.kind() != ErrorKind::AddrNotAvailable || local.is_unspecified() {
                    return Err(error);
                }
                local = unspecified(local);
                bind_pair(local, port)
            });
            match bound {
                Ok(pair) => {
                    *taken = true;
                    self.cursor = index + 1;
                    return Ok(pair);
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot open a pair of RTP ports");
                    return Err(MediaError::NoPort);
                }
            }
        }
        Err(MediaError::NoPort)
    }

    /// Gives a pair back.
    pub(super) fn release(&mut self, port: u16) {
        let index = usize::from(port.saturating_sub(self.first) / 2);
        if let Some(taken) = self.taken.get_mut(index) {
            *taken = false;
        }
    }
}

fn unspecified(like: IpAddr) -> IpAddr {
    if like.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

fn bind_pair(local: IpAddr, port: u16) -> std::io::Result<Pair> {
    let rtp = bind(SocketAddr::new(local, port), None)?;
    let rtcp = bind(SocketAddr::new(local, port + 1), None)?;
    Ok(Pair { rtp, rtcp, port })
}

/// A non-blocking UDP socket marked as voice, with at least `buffer` octets each way if given.
pub(super) fn bind(address: SocketAddr, buffer: Option<usize>) -> std::io::Result<mio::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    // Markings and buffers are wishes: a kernel that refuses them still carries voice.
    let _ = if address.is_ipv4() { socket.set_tos_v4(VOICE) } else { socket.set_tclass_v6(VOICE) };
    if address.is_ipv6() {
        // IPv4 has sockets of its own, perhaps on the same port.
        socket.set_only_v6(true)?;
    }
    if let Some(octets) = buffer {
        let _ = socket.set_recv_buffer_size(octets);
        let _ = socket.set_send_buffer_size(octets);
    }
    socket.bind(&address.into())?;
    Ok(mio::net::UdpSocket::from_std(socket.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_range_is_used_up_and_given_back() {
        let mut ports = Ports::new((31_001, 31_008), 2).unwrap();
        let mut held = Vec::new();
        while let Ok(pair) = ports.open(HERE) {
            assert_eq!((pair.port % 2, pair.rtp.local_addr().unwrap().port()), (0, pair.port));
            assert_eq!(pair.rtcp.local_addr().unwrap().port(), pair.port + 1);
            held.push(pair);
        }
        assert!(held.len() <= 3 && !held.is_empty(), "31002 to 31007");
        let port = held.pop().unwrap().port;
        ports.release(port);
        assert_eq!(ports.open(HERE).unwrap().port, port);
    }

    #[test]
    fn a_foreign_port_is_skipped() {
        let mut ports = Ports::new((31_010, 31_013), 0).unwrap();
        let _other = std::net::UdpSocket::bind((HERE, 31_011)).unwrap();
        assert_eq!(ports.open(HERE).unwrap().port, 31_012);
        assert!(matches!(ports.open(HERE), Err(MediaError::NoPort)));
    }

    #[test]
    fn an_address_in_front_of_nat_is_replaced() {
        let mut ports = Ports::new((31_020, 31_021), 0).unwrap();
        let pair = ports.open("192.0.2.77".parse().unwrap()).unwrap();
        assert!(pair.rtp.local_addr().unwrap().ip().is_unspecified());
    }

    #[test]
    fn ranges_without_a_pair_are_refused() {
        for range in [(0, 0), (31_001, 31_002), (31_001, 31_001), (65_535, 65_535), (9, 3)] {
            assert!(Ports::new(range, 1).is_err(), "{range:?}");
        }
        assert!(Ports::new((65_534, 65_535), 7).is_ok());
    }
}
