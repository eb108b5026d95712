//! One UDP listener.

use crate::net::canonical;
use bytes::Bytes;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::task::{Context, Poll};
use tokio::net::UdpSocket;

/// Room in the kernel for a burst; the system may grant less.
const RECEIVE_BUFFER: usize = 8 << 20;

/// A bound UDP socket.
#[derive(Debug)]
pub(super) struct Udp {
    socket: UdpSocket,
    /// Where it is bound.
    pub(super) address: SocketAddr,
}

impl Udp {
    /// Binds; an IPv6 wildcard takes IPv4 too unless `v6_only`.
    pub(super) fn bind(address: SocketAddr, v6_only: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(v6_only)?;
        }
        // Less than asked for is no reason not to start.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        let _ = socket.set_send_buffer_size(RECEIVE_BUFFER);
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::from(address))?;
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Self { address: socket.local_addr()?, socket })
    }

    /// Whether packets to `ip` can leave from here.
    pub(super) fn reaches(&self, ip: IpAddr) -> bool {
        match self.address.ip() {
            IpAddr::V4(bound) => {
                ip.is_ipv4() && (bound.is_unspecified() || bound.is_loopback() == ip.is_loopback())
            }
            IpAddr::V6(bound) => ip.is_ipv6() || bound.is_unspecified(),
        }
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_recv_ready(cx).map(|_| ())
    }

    /// The next datagram that waits, and its source with IPv4-mapped addresses folded.
    pub(super) fn receive<'a>(&self, buffer: &'a mut [u8]) -> Option<(&'a [u8], SocketAddr)> {
        loop {
            match self.socket.try_recv_from(buffer) {
                Ok((length, source)) => return Some((buffer.get(..length)?, canonical(source))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                // An ICMP error of an earlier datagram; the socket goes on.
                Err(_) => {}
            }
        }
    }

    /// Sends, or loses, as datagrams do; the core sends again.
    pub(super) fn send(&self, bytes: &Bytes, peer: SocketAddr) {
        let peer = match (self.address, peer) {
            (SocketAddr::V6(_), SocketAddr::V4(peer)) => {
                SocketAddrV6::new(peer.ip().to_ipv6_mapped(), peer.port(), 0, 0).into()
            }
            _ => peer,
        };
        if let Err(error) = self.socket.try_send_to(bytes, peer) {
            tracing::debug!(%error, "a datagram could not be sent");
        }
    }
}
