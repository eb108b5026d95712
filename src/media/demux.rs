//! The browsers' port: which datagram belongs to whom.
//!
//! A STUN check names its browser by the ICE user fragment; everything else is told by the address
//! that a check or an authentic packet came from, or, when a browser's port has just moved, by its
//! SSRC. What fits nobody is dropped for the price of a look-up.

use super::handle::StartError;
use super::ports::bind;
use crate::net::canonical;
use mio::net::UdpSocket;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Octets of kernel buffer: many browsers share a socket.
const BUFFER: usize = 4 << 20;
/// Sockets: one an address.
const DOORS: usize = 16;
/// Addresses and SSRCs remembered a browser; the oldest go.
const REMEMBERED: usize = 8;

/// Through which socket, and from (or to) which address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Via {
    pub(super) door: usize,
    pub(super) address: SocketAddr,
}

/// The sockets and who is known behind them.
pub(super) struct Doors {
    doors: Vec<Door>,
    candidates: Vec<SocketAddr>,
    by_ufrag: HashMap<String, u32>,
    by_address: HashMap<SocketAddr, u32>,
    by_ssrc: HashMap<u32, u32>,
    known: HashMap<u32, Known>,
}

struct Door {
    socket: UdpSocket,
    /// The candidates that datagrams at this socket are for, an IPv4 and an IPv6 one.
    four: Option<SocketAddr>,
    six: Option<SocketAddr>,
}

#[derive(Default)]
struct Known {
    addresses: VecDeque<SocketAddr>,
    ssrcs: VecDeque<u32>,
}

impl Doors {
    /// Binds `listen`: where that is a wildcard, each candidate address of its own, since an answer
    /// must leave from the address that was asked. Port 0 takes a free one.
    pub(super) fn open(listen: SocketAddr, configured: &[IpAddr]) -> Result<(Self, SocketAddr), StartError> {
        let interfaces = interface_addresses();
        let mut doors = Self {
            doors: Vec::new(),
            candidates: Vec::new(),
            by_ufrag: HashMap::new(),
            by_address: HashMap::new(),
            by_ssrc: HashMap::new(),
            known: HashMap::new(),
        };
        let mut port = listen.port();
        for (ip, offered) in plan(listen.ip(), configured, &interfaces) {
            let address = SocketAddr::new(ip, port);
            match bind(address, Some(BUFFER)) {
                Ok(socket) => {
                    port = socket.local_addr()?.port();
                    doors.add(socket, &offered, port);
                }
                // One address that went away must not keep the rest shut; the first must open.
                Err(error) if !doors.doors.is_empty() => {
                    tracing::warn!(%error, "an address is left out for browsers")
                }
                Err(source) => return Err(StartError::Listen { address, source }),
            }
        }
        Ok((doors, SocketAddr::new(listen.ip(), port)))
    }

    fn add(&mut self, socket: UdpSocket, offered: &[IpAddr], port: u16) {
        let candidates = offered.iter().map(|ip| SocketAddr::new(*ip, port));
        let four = candidates.clone().find(SocketAddr::is_ipv4);
        let six = candidates.clone().find(SocketAddr::is_ipv6);
        self.candidates.extend(candidates);
        self.doors.push(Door { socket, four, six });
    }

    /// The sockets, to be registered.
    pub(super) fn sockets(&mut self) -> impl Iterator<Item = &mut UdpSocket> {
        self.doors.iter_mut().map(|door| &mut door.socket)
    }

    /// What browsers are told.
    pub(super) fn candidates(&self) -> &[SocketAddr] {
        &self.candidates
    }

    /// Receives one datagram: its length, where it came from, and the candidate it is for.
    pub(super) fn receive(
        &self,
        door: usize,
        buffer: &mut [u8],
    ) -> std::io::Result<Option<(usize, Via, SocketAddr)>> {
        let Some(Door { socket, four, six }) = self.doors.get(door) else { return Ok(None) };
        let (length, from) = socket.recv_from(buffer)?;
        let address = canonical(from);
        let local = if address.is_ipv4() { *four } else { *six };
        Ok(local.map(|local| (length, Via { door, address }, local)))
    }

    /// Sends; a full socket buffer drops, as the network would.
    pub(super) fn send(&self, door: usize, bytes: &[u8], to: SocketAddr) {
        if let Some(door) = self.doors.get(door) {
            let _ = door.socket.send_to(bytes, to);
        }
    }

    /// Whose datagram this is.
    pub(super) fn route(&self, bytes: &[u8], from: SocketAddr) -> Option<u32> {
        let first = *bytes.first()?;
        if first < 2 {
            return self.by_ufrag.get(local_ufrag(bytes)?).copied();
        }
        if let Some(slot) = self.by_address.get(&from) {
            return Some(*slot);
        }
        let is_rtp = (128..192).contains(&first);
        let rtcp = bytes.get(1).is_some_and(|kind| (192..=223).contains(kind));
        let ssrc = bytes.get(if rtcp { 4 } else { 8 }..)?.first_chunk::<4>()?;
        is_rtp.then(|| self.by_ssrc.get(&u32::from_be_bytes(*ssrc)).copied())?
    }

    pub(super) fn learn_ufrag(&mut self, ufrag: String, slot: u32) {
        self.by_ufrag.insert(ufrag, slot);
    }

    pub(super) fn forget_ufrag(&mut self, ufrag: &str, slot: u32) {
        if self.by_ufrag.get(ufrag) == Some(&slot) {
            self.by_ufrag.remove(ufrag);
        }
    }

    /// An authenticated message of `slot` came from `address`.
    pub(super) fn learn_address(&mut self, address: SocketAddr, slot: u32) {
        if self.by_address.insert(address, slot) == Some(slot) {
            return;
        }
        let known = self.known.entry(slot).or_default();
        known.addresses.push_back(address);
        if known.addresses.len() > REMEMBERED
            && let Some(old) = known.addresses.pop_front()
            && self.by_address.get(&old) == Some(&slot)
        {
            self.by_address.remove(&old);
        }
    }

    /// An authentic packet of `slot` carried `ssrc`.
    pub(super) fn learn_ssrc(&mut self, ssrc: u32, slot: u32) {
        if self.by_ssrc.get(&ssrc) == Some(&slot) {
            return;
        }
        self.by_ssrc.insert(ssrc, slot);
        let known = self.known.entry(slot).or_default();
        known.ssrcs.push_back(ssrc);
        if known.ssrcs.len() > REMEMBERED
            && let Some(old) = known.ssrcs.pop_front()
            && self.by_ssrc.get(&old) == Some(&slot)
        {
            self.by_ssrc.remove(&old);
        }
    }

    /// Forgets a browser altogether.
    pub(super) fn forget(&mut self, slot: u32) {
        self.by_ufrag.retain(|_, owner| *owner != slot);
        let known = self.known.remove(&slot).unwrap_or_default();
        for address in known.addresses {
            if self.by_address.get(&address) == Some(&slot) {
                self.by_address.remove(&address);
            }
        }
        for ssrc in known.ssrcs {
            if self.by_ssrc.get(&ssrc) == Some(&slot) {
                self.by_ssrc.remove(&ssrc);
            }
        }
    }
}

/// What to bind, and what each socket offers as candidates.
fn plan(listen: IpAddr, configured: &[IpAddr], interfaces: &[IpAddr]) -> Vec<(IpAddr, Vec<IpAddr>)> {
    if !listen.is_unspecified() {
        let offered = if configured.is_empty() { vec![listen] } else { configured.to_vec() };
        return vec![(listen, offered)];
    }
    let wanted = if configured.is_empty() { interfaces } else { configured };
    // `0.0.0.0` means IPv4 alone, `::` both.
    let wanted = wanted.iter().copied().filter(|ip| ip.is_ipv4() || listen.is_ipv6());
    let (ours, foreign): (Vec<_>, Vec<_>) = wanted.partition(|ip| interfaces.contains(ip));
    let mut plan: Vec<_> = Vec::new();
    // Addresses in front of NAT arrive at whichever is ours.
    for family in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
        let same = |ip: &&IpAddr| ip.is_ipv4() == family.is_ipv4();
        let foreign: Vec<_> = foreign.iter().filter(same).copied().collect();
        if foreign.is_empty() {
            plan.extend(ours.iter().filter(same).map(|ip| (*ip, vec![*ip])));
        } else {
            plan.push((family, foreign.iter().chain(ours.iter().filter(same)).copied().collect()));
        }
    }
    if plan.is_empty() {
        plan.push((listen, interfaces.to_vec()));
    }
    plan.truncate(DOORS);
    plan
}

/// This machine's addresses that a browser could reach; loopback when there is no other.
fn interface_addresses() -> Vec<IpAddr> {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<IpAddr> =
        all.iter().filter(|interface| !interface.is_link_local()).map(|interface| interface.ip()).collect();
    if addresses.iter().any(|ip| !ip.is_loopback()) {
        addresses.retain(|ip| !ip.is_loopback());
    }
    addresses.sort_by_key(|ip| ip.is_ipv6());
    addresses.dedup();
    addresses
}

/// Our user fragment from the USERNAME of a STUN request (RFC 8445 §7.2.2).
fn local_ufrag(bytes: &[u8]) -> Option<&str> {
    let (head, mut rest) = bytes.split_first_chunk::<20>()?;
    if head.get(4..8)? != [0x21, 0x12, 0xA4, 0x42] {
        return None;
    }
    while let Some(([t0, t1, l0, l1], after)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let value = after.get(..length)?;
        if (*t0, *t1) == (0, 6) {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_gets_its_socket_and_nat_a_shared_one() {
        let interfaces = [ip("10.0.0.2"), ip("172.17.0.1"), ip("2001:db8::2")];
        let each = |ip: IpAddr| (ip, vec![ip]);
        assert_eq!(plan(ip("::"), &[], &interfaces), interfaces.map(each));
        assert_eq!(plan(ip("0.0.0.0"), &[], &interfaces), [each(interfaces[0]), each(interfaces[1])]);
        assert_eq!(plan(ip("::"), &[interfaces[0]], &interfaces), [each(interfaces[0])]);
        let behind = plan(ip("::"), &[ip("203.0.113.5"), interfaces[2]], &interfaces);
        assert_eq!(behind, [(ip("0.0.0.0"), vec![ip("203.0.113.5")]), each(interfaces[2])]);
        assert_eq!(plan(ip("127.0.0.1"), &[], &interfaces), [each(ip("127.0.0.1"))]);
        let forwarded = plan(ip("10.0.0.2"), &[ip("203.0.113.5")], &interfaces);
        assert_eq!(forwarded, [(ip("10.0.0.2"), vec![ip("203.0.113.5")])]);
    }

    #[test]
    fn a_wildcard_opens_on_this_machine() {
        let (mut doors, address) = Doors::open("[::]:0".parse().unwrap(), &[]).unwrap();
        assert!(address.port() != 0 && !doors.candidates().is_empty());
        let port = address.port();
        assert!(doors.candidates().iter().all(|candidate| candidate.port() == port));
        assert!(doors.sockets().all(|socket| socket.local_addr().unwrap().port() == port));
    }

    #[test]
    fn what_is_remembered_of_a_browser_is_bounded_and_forgotten() {
        let (mut doors, _) = Doors::open("127.0.0.1:0".parse().unwrap(), &[]).unwrap();
        doors.learn_ufrag("abcd".into(), 3);
        for n in 0..1000_u16 {
            doors.learn_address(SocketAddr::new(ip("10.0.0.1"), n), 3);
            doors.learn_ssrc(u32::from(n), 3);
        }
        assert_eq!((doors.by_address.len(), doors.by_ssrc.len()), (REMEMBERED, REMEMBERED));
        let rtp = [0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 3, 0xE7, 1];
        assert_eq!(doors.route(&rtp, "10.9.9.9:1".parse().unwrap()), Some(3), "known by its SSRC");
        assert_eq!(doors.route(&[22, 1], "10.0.0.1:999".parse().unwrap()), Some(3), "known by its address");
        // Another browser behind the same NAT took over an address: forgetting the first leaves it.
        doors.learn_address("10.0.0.1:999".parse().unwrap(), 4);
        doors.forget(3);
        assert_eq!((doors.by_address.len(), doors.by_ssrc.len(), doors.by_ufrag.len()), (1, 0, 0));
        assert_eq!(doors.route(&rtp, "10.9.9.9:1".parse().unwrap()), None);
    }

    #[test]
    fn the_name_in_a_check_is_found_behind_other_attributes() {
        let mut check = vec![0, 1, 0, 24, 0x21, 0x12, 0xA4, 0x42];
        check.extend([0; 12]);
        check.extend([0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
        check.extend([0, 6, 0, 9, b'o', b'u', b'r', b's', b':', b't', b'h', b'e', b'm', 0, 0, 0]);
        assert_eq!(local_ufrag(&check), Some("ours"));
        check[29 + 2] = 0xFF;
        assert_eq!(local_ufrag(&check), None);
    }

    proptest! {
        #[test]
        fn any_datagram_is_routed_or_dropped(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = local_ufrag(&bytes);
            let mut check = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            check.extend(&bytes);
            let _ = local_ufrag(&check);
        }
    }
}
