//! Small facts about addresses and sockets.
//!
//! Owns: IPv4-mapped folding, sockets with the options we need. May use: nothing of this crate.

use std::net::{IpAddr, SocketAddr};

/// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) as the IPv4 address it is, so that one
/// allowlist entry covers both ways a dual-stack socket shows it.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(canonical_ip(address.ip()), address.port())
}

/// [`canonical`] for a bare address.
pub fn canonical_ip(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}
