//! The top Via: where a reply goes, and what we write into it (RFC 3261 §18.2, RFC 3581).

use super::action::{Path, Transport};
use super::message::text;
use sipx_sip::headers::{Via, first_hop_end};
use sipx_sip::{Header, HeaderName, Headers, Host};
use std::fmt::Write as _;

/// Marks the top Via with where the request really came from, and returns the path of its
/// reply. `None` when there is no readable top Via.
pub(super) fn receive(headers: &mut Headers, path: Path) -> Option<(Via, Path)> {
    let value = headers.value(&HeaderName::Via)?.into_owned();
    let end = first_hop_end(&value);
    let via = Via::parse_one(value.get(..end)?).ok()?;
    let wants_port = via.rport().is_some();
    let same_host = matches!(via.host, Host::Ip(ip) if ip == path.peer.ip());
    let mut reply = path;
    if path.transport == Transport::Udp && !wants_port {
        reply.peer.set_port(via.port.unwrap_or(5060));
    }
    // Whatever `received` or `rport` the sender wrote itself is a lie or a loop: ours replaces it.
    if wants_port || !same_host || via.received().is_some() {
        let mut marked = first_hop(&via);
        if wants_port {
            let _ = write!(marked, ";rport={}", path.peer.port());
        }
        let _ = write!(marked, ";received={}", path.peer.ip());
        let mut marked = marked.into_bytes();
        marked.extend_from_slice(value.get(end..).unwrap_or_default());
        let at = headers.iter().position(|header| *header.name() == HeaderName::Via)?;
        let header = Header::build(HeaderName::Via, marked).ok()?;
        headers.remove_first(&HeaderName::Via);
        headers.insert(at, header);
    }
    Some((via, reply))
}

fn first_hop(via: &Via) -> String {
    let mut hop = format!("{}/{}/{} ", text(&via.protocol), text(&via.version), text(&via.transport));
    match &via.host {
        Host::Ip(std::net::IpAddr::V6(ip)) => {
            let _ = write!(hop, "[{ip}]");
        }
        host => hop.push_str(&text(&host.to_bytes())),
    }
    if let Some(port) = via.port {
        let _ = write!(hop, ":{port}");
    }
    for param in via.params.iter().filter(|p| !p.is("rport") && !p.is("received")) {
        let _ = write!(hop, ";{}", text(&param.name));
        match &param.value {
            Some(value) if value.iter().all(|b| token_or_host(*b)) => {
                let _ = write!(hop, "={}", text(value));
            }
            Some(value) => {
                let _ = write!(hop, "=\"{}\"", text(value).replace('\\', "\\\\").replace('"', "\\\""));
            }
            None => {}
        }
    }
    hop
}

fn token_or_host(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-.!%*_+`'~[]:".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(via: &str, peer: &str) -> (String, Path) {
        let path = Path {
            transport: Transport::Udp,
            flow: 0,
            peer: peer.parse().unwrap(),
            advertised: "192.0.2.9:5060".parse().unwrap(),
        };
        let mut headers = Headers::new();
        headers.push(Header::build(HeaderName::Via, via.to_owned()).unwrap());
        let (_, reply) = receive(&mut headers, path).unwrap();
        (text(&headers.value(&HeaderName::Via).unwrap()).into_owned(), reply)
    }

    #[test]
    fn the_reply_goes_where_rfc_3581_says() {
        let cases = [
            (
                "SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bKa",
                "192.0.2.1:9999",
                "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa;rport=9999;received=192.0.2.1",
                9999,
            ),
            (
                "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa",
                "192.0.2.1:9999",
                "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa",
                5070,
            ),
            (
                "SIP/2.0/UDP pbx.example;branch=z9hG4bKa, SIP/2.0/UDP x;branch=y",
                "192.0.2.1:9999",
                "SIP/2.0/UDP pbx.example;branch=z9hG4bKa;received=192.0.2.1, SIP/2.0/UDP x;branch=y",
                5060,
            ),
            (
                "SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bKa;received=1.2.3.4",
                "[2001:db8::1]:5070",
                "SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bKa;received=2001:db8::1",
                5070,
            ),
        ];
        for (via, peer, expected, port) in cases {
            let (value, reply) = marked(via, peer);
            assert_eq!(value, expected);
            assert_eq!(reply.peer.port(), port, "{via}");
        }
    }
}
