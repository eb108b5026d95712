//! One leg: a dialog or one being made, and the requests we send within it (RFC 3261 §12).

use super::action::{LegId, Path, Transport};
use super::core::LegTimer;
use super::message::{self, push};
use super::reliable::Reliable;
use super::reoffer::Pending;
use super::sdp::{Audio, Description};
use super::sdp_build::Local;
use super::session_timer::SessionTimer;
use super::timers::Armed;
use super::transaction::TxId;
use super::uri;
use bytes::Bytes;
use sipx_sip::headers::{Address, Contact};
use sipx_sip::{HeaderName, Headers, Method, Request, Uri};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Who sent the INVITE that made the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// They did; we are the UAS.
    Callee,
    /// We did; we are the UAC.
    Caller,
}

/// How far a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Their INVITE has no final answer yet.
    Invited,
    /// Our INVITE has no final answer yet.
    Calling,
    /// We gave our INVITE up: CANCEL is sent, or will be at the first provisional.
    Cancelling,
    /// There is a session. [`Leg::unacked`] tells whether its ACK is still due.
    Confirmed,
    /// Our BYE is on its way; kept so that theirs, crossing it, finds its dialog.
    Ending,
}

/// A 2xx of ours that waits for its ACK (RFC 3261 §13.3.1.4).
#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) bytes: Bytes,
    pub(super) path: Path,
    pub(super) interval: Duration,
    /// CSeq of the INVITE, which the ACK repeats.
    pub(super) cseq: u32,
    /// The 2xx held our offer: the ACK owes the answer.
    pub(super) owes_answer: bool,
    /// Of the INVITE that made the dialog, not of a re-INVITE.
    pub(super) initial: bool,
    /// We hang up as soon as it is acknowledged (RFC 3261 §15).
    pub(super) then_bye: bool,
}

/// One leg.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) id: LegId,
    pub(super) role: Role,
    pub(super) state: State,
    /// The owner hung up: no event follows.
    pub(super) silent: bool,
    pub(super) call_id: Bytes,
    pub(super) local_tag: u64,
    pub(super) remote_tag: Option<Bytes>,
    /// Our From or To, with our tag.
    pub(super) local: Bytes,
    /// Theirs, with their tag once known.
    pub(super) remote: Bytes,
    pub(super) local_cseq: u32,
    pub(super) remote_cseq: Option<u32>,
    /// Remote target (RFC 3261 §12.1).
    pub(super) target: Uri,
    pub(super) routes: Vec<Bytes>,
    pub(super) path: Path,
    /// The transaction of the INVITE that makes the dialog, as long as it matters.
    pub(super) invite: Option<TxId>,
    pub(super) sdp: Local,
    /// Their offer that we still owe an answer to.
    pub(super) offer: Option<Description>,
    /// Their last description, to see whether a new one changes anything.
    pub(super) last_remote: Bytes,
    /// An answer that came before the 2xx.
    pub(super) early_answer: Option<Audio>,
    pub(super) unacked: Option<Unacked>,
    pub(super) reliable: Option<Reliable>,
    pub(super) pending: Option<Pending>,
    pub(super) session: Option<SessionTimer>,
    /// A refresh of ours is under way.
    pub(super) refreshing: bool,
    /// Their Allow names UPDATE.
    pub(super) updates: bool,
    /// 180 was sent, or told.
    pub(super) rung: bool,
    /// A provisional answered our INVITE: it may be cancelled.
    pub(super) proceeding: bool,
    /// RSeq of the last reliable provisional of each fork (RFC 3262 §4).
    pub(super) forks: Vec<(Vec<u8>, u32)>,
    pub(super) timers: Armed<LegTimer>,
    /// Addresses this leg holds in [`super::peers::Peers`].
    pub(super) held: Vec<IpAddr>,
    /// Key in the index of merged requests.
    pub(super) merge: Option<u64>,
}

/// The token by which our branches are recognised; the rest differs.
pub(super) fn branch(instance: u64, random: u64) -> String {
    format!("z9hG4bK{instance:016x}{random:016x}")
}

/// The Via of a request of ours.
pub(super) fn via(path: &Path, branch: &str) -> String {
    let transport = match path.transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
    };
    format!("SIP/2.0/{transport} {};branch={branch};rport", path.advertised)
}

/// Our Contact on that path.
pub(super) fn contact(path: &Path) -> String {
    match path.transport {
        Transport::Udp => format!("<sip:{}>", path.advertised),
        Transport::Tcp => format!("<sip:{};transport=tcp>", path.advertised),
    }
}

/// The remote target that a Contact names, if it can be read.
pub(super) fn target(headers: &Headers) -> Option<Uri> {
    let contact = headers.typed::<Contact>()?.ok()?;
    contact.uri.scheme().is_sip().then_some(contact.0.uri)
}

/// Whether the sender names UPDATE in Allow.
pub(super) fn allows_update(headers: &Headers) -> bool {
    message::tokens(headers, &HeaderName::Allow).iter().any(|method| method == "update")
}

impl Leg {
    /// A leg before its first message.
    pub(super) fn new(id: LegId, role: Role, path: Path, target: Uri, sdp: Local) -> Self {
        let state = match role {
            Role::Callee => State::Invited,
            Role::Caller => State::Calling,
        };
        Self {
            id,
            role,
            state,
            silent: false,
            call_id: Bytes::new(),
            local_tag: 0,
            remote_tag: None,
            local: Bytes::new(),
            remote: Bytes::new(),
            local_cseq: 0,
            remote_cseq: None,
            target,
            routes: Vec::new(),
            path,
            invite: None,
            sdp,
            offer: None,
            last_remote: Bytes::new(),
            early_answer: None,
            unacked: None,
            reliable: None,
            pending: None,
            session: None,
            refreshing: false,
            updates: false,
            rung: false,
            proceeding: false,
            forks: Vec::new(),
            timers: Armed::new(),
            held: Vec::new(),
            merge: None,
        }
    }

    /// A request within the dialog, and where it goes. `cseq` is its number: the next for all
    /// but ACK.
    pub(super) fn request(&self, method: Method, cseq: u32, branch: &str) -> (Request, Path) {
        let path = self.next_hop();
        let (uri, routes) = self.route();
        let mut request = Request::new(method.clone(), uri);
        let headers = &mut request.headers;
        push(headers, HeaderName::Via, via(&path, branch));
        push(headers, HeaderName::MaxForwards, "70");
        for route in routes {
            push(headers, HeaderName::Route, route);
        }
        push(headers, HeaderName::From, self.local.clone());
        push(headers, HeaderName::To, self.remote.clone());
        push(headers, HeaderName::CallId, self.call_id.clone());
        push(headers, HeaderName::CSeq, format!("{cseq} {method}"));
        if matches!(method, Method::Invite | Method::Update) {
            push(headers, HeaderName::Contact, contact(&path));
            push(headers, HeaderName::Allow, message::ALLOW);
            push(headers, HeaderName::Supported, message::SUPPORTED);
        }
        push(headers, HeaderName::UserAgent, message::AGENT);
        (request, path)
    }

    /// The next CSeq of ours.
    pub(super) fn next_cseq(&mut self) -> u32 {
        self.local_cseq = self.local_cseq.wrapping_add(1) & 0x7fff_ffff;
        self.local_cseq
    }

    /// Request-URI and Route rows (RFC 3261 §12.2.1.1): a first hop without `lr` is an old
    /// strict router and wants itself as the Request-URI.
    fn route(&self) -> (Uri, Vec<Bytes>) {
        let first = self.routes.first().and_then(|route| Address::parse(route, "Route").ok());
        match first {
            Some(first) if !first.uri.params().is_some_and(|params| params.contains("lr")) => {
                let mut rows: Vec<Bytes> = self.routes.iter().skip(1).cloned().collect();
                rows.push(Bytes::from([b"<", self.target.to_bytes().as_ref(), b">"].concat()));
                (first.uri, rows)
            }
            _ => (self.target.clone(), self.routes.clone()),
        }
    }

    /// Where requests within the dialog go: the first route or the remote target when it is a
    /// literal address, else where the peer was last seen.
    fn next_hop(&self) -> Path {
        let first = self.routes.first().and_then(|route| Address::parse(route, "Route").ok()).map(|a| a.uri);
        let hop = first.as_ref().unwrap_or(&self.target);
        let (Some(address), Some(transport)) = (uri::address(hop), uri::transport(hop)) else {
            return self.path;
        };
        // A phone behind NAT writes the address it thinks it has.
        if address.ip().is_unspecified() || is_private(address) && !is_private(self.path.peer) {
            return self.path;
        }
        match (transport, self.path.transport) {
            (Transport::Udp, Transport::Udp) => Path { peer: address, ..self.path },
            // The connection the dialog lives on, whatever its port is called.
            (Transport::Tcp, Transport::Tcp) if address.ip() == self.path.peer.ip() => self.path,
            // The default of a URI without transport is no wish to leave the connection.
            (Transport::Udp, Transport::Tcp)
                if hop.transport().is_none() && address.ip() == self.path.peer.ip() =>
            {
                self.path
            }
            _ => Path { transport, flow: 0, peer: address, advertised: self.path.advertised },
        }
    }

    /// The addresses that may speak within this dialog.
    pub(super) fn addresses(&self) -> [IpAddr; 2] {
        [self.path.peer.ip(), self.next_hop().peer.ip()]
    }

    /// Takes what a dialog-making response teaches (RFC 3261 §12.1.2).
    pub(super) fn learn(&mut self, headers: &Headers) {
        if let Some(to) = message::value(headers, &HeaderName::To) {
            self.remote = to;
        }
        self.remote_tag = message::to_tag(headers).map(Bytes::from);
        if let Some(target) = target(headers) {
            self.target = target;
        }
        let mut routes = message::record_route(headers).unwrap_or_default();
        routes.reverse();
        self.routes = routes;
        self.updates = allows_update(headers);
    }
}

fn is_private(address: SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sipx_sip::Message;

    pub(crate) fn leg(target: &str, routes: &[&str], peer: &str) -> Leg {
        let path = Path {
            transport: Transport::Udp,
            flow: 1,
            peer: peer.parse().unwrap(),
            advertised: "192.0.2.9:5060".parse().unwrap(),
        };
        let target = Uri::parse(Bytes::copy_from_slice(target.as_bytes())).unwrap();
        let mut leg = Leg::new(LegId(1), Role::Caller, path, target, Local::new(1));
        leg.routes = routes.iter().map(|r| Bytes::copy_from_slice(r.as_bytes())).collect();
        leg
    }

    fn bye(leg: &Leg) -> (String, SocketAddr) {
        let (request, path) = leg.request(Method::Bye, 2, "z9hG4bKx");
        (message::text(&Message::Request(request).to_bytes()).into_owned(), path.peer)
    }

    #[test]
    fn loose_and_strict_routes_are_followed() {
        let (text, peer) = bye(&leg(
            "sip:r@198.51.100.7:5070",
            &["<sip:198.51.100.1;lr>", "<sip:b;lr>"],
            "198.51.100.2:5060",
        ));
        assert!(text.starts_with("BYE sip:r@198.51.100.7:5070 SIP/2.0\r\n"), "{text}");
        assert!(text.contains("Route: <sip:198.51.100.1;lr>\r\nRoute: <sip:b;lr>\r\n"), "{text}");
        assert_eq!(peer, "198.51.100.1:5060".parse().unwrap());
        let (text, _) =
            bye(&leg("sip:r@198.51.100.7", &["<sip:198.51.100.1>", "<sip:b;lr>"], "198.51.100.2:5060"));
        assert!(text.starts_with("BYE sip:198.51.100.1 SIP/2.0\r\n"), "{text}");
        assert!(text.contains("Route: <sip:b;lr>\r\nRoute: <sip:r@198.51.100.7>\r\n"), "{text}");
    }

    #[test]
    fn names_and_private_contacts_fall_back_to_where_the_peer_was_seen() {
        for target in ["sip:r@pbx.example", "sip:r@192.168.1.5:5070", "sip:r@0.0.0.0", "sips:r@198.51.100.7"]
        {
            assert_eq!(
                bye(&leg(target, &[], "198.51.100.2:6000")).1,
                "198.51.100.2:6000".parse().unwrap(),
                "{target}"
            );
        }
        assert_eq!(bye(&leg("sip:r@198.51.100.7:5070", &[], "198.51.100.2:6000")).1.port(), 5070);
        assert_eq!(bye(&leg("sip:r@10.0.0.7:5070", &[], "10.0.0.2:6000")).1.port(), 5070);
    }
}
