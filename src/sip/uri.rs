//! URIs as the rest of the core needs them: a user, an address to send to.

use super::action::Transport;
use super::message::text;
use bytes::Bytes;
use sipx_sip::{Host, Scheme, Uri};
use std::net::SocketAddr;

/// The longest user part that leaves the core, in bytes.
const LONGEST_USER: usize = 128;

/// A SIP contact we can call: `sip:user@address:port;transport=…` with a literal address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    uri: String,
    /// Where it is; port 5060 unless it says otherwise.
    pub address: SocketAddr,
    /// How to get there; UDP unless it says otherwise.
    pub transport: Transport,
}

/// Why a contact can't be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No `sip:` URI, or one with headers.
    #[error("not a SIP URI")]
    Uri,
    /// The host is a name, not an address.
    #[error("the host is not an IP address")]
    Host,
    /// `sips:` or a transport other than UDP and TCP.
    #[error("the transport is not supported")]
    Transport,
}

impl Target {
    /// Reads a contact.
    pub fn parse(contact: &str) -> Result<Self, TargetError> {
        let bare = contact.trim().trim_start_matches('<').trim_end_matches('>');
        let uri = Uri::parse(Bytes::copy_from_slice(bare.as_bytes())).map_err(|_| TargetError::Uri)?;
        if !uri.scheme().is_sip() || uri.has_headers() {
            return Err(TargetError::Uri);
        }
        let address = address(&uri).ok_or(TargetError::Host)?;
        let transport = transport(&uri).ok_or(TargetError::Transport)?;
        Ok(Self { uri: bare.to_owned(), address, transport })
    }

    pub(super) fn uri(&self) -> Option<Uri> {
        Uri::parse(Bytes::copy_from_slice(self.uri.as_bytes())).ok()
    }
}

/// The address of a SIP URI whose host is a literal; names are not looked up.
pub(super) fn address(uri: &Uri) -> Option<SocketAddr> {
    match uri.host()? {
        Host::Ip(ip) => {
            Some(SocketAddr::new(ip.to_canonical(), uri.port().filter(|p| *p != 0).unwrap_or(5060)))
        }
        _ => None,
    }
}

/// UDP or TCP as a SIP URI says; `None` for anything else.
pub(super) fn transport(uri: &Uri) -> Option<Transport> {
    if uri.scheme().is_secure() {
        return None;
    }
    match uri.transport() {
        None => Some(Transport::Udp),
        Some(name) if name.eq_ignore_ascii_case(b"udp") => Some(Transport::Udp),
        Some(name) if name.eq_ignore_ascii_case(b"tcp") => Some(Transport::Tcp),
        Some(_) => None,
    }
}

/// Whether a Request-URI of this scheme can be for us.
pub(super) fn is_known_scheme(uri: &Uri) -> bool {
    uri.scheme().is_sip() || matches!(uri.scheme(), Scheme::Tel)
}

/// The user part of a SIP URI or the number of a tel: URI: unescaped, without the parameters of
/// a telephone number, without control characters, at most 128 bytes. Empty when there is none.
pub(super) fn user(uri: &Uri) -> String {
    if let Some(tel) = uri.tel_parts() {
        return bounded(tel.subscriber());
    }
    let Some(user) = uri.decoded_user() else { return String::new() };
    // `+81312345678;npdi=yes@…`: a telephone number with parameters (RFC 3261 §19.1.6). Any
    // other semicolon is part of the name (RFC 4475 §3.1.1.9).
    let number = user.split(|b| *b == b';').next().unwrap_or_default();
    let is_number = !number.is_empty() && number.iter().all(|b| b.is_ascii_digit() || b"+-.()*#".contains(b));
    bounded(if is_number { number } else { &user })
}

fn bounded(raw: &[u8]) -> String {
    let mut user = String::new();
    for c in text(raw).chars().filter(|c| !c.is_control()) {
        if user.len() + c.len_utf8() > LONGEST_USER {
            break;
        }
        user.push(c);
    }
    user
}

/// A user part that may be put into a URI: everything outside the unreserved is escaped.
pub(super) fn escaped(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes().take(LONGEST_USER) {
        if byte.is_ascii_alphanumeric() || b"+-_.!~*'()".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_as_a_person_would() {
        let cases = [
            ("sip:0312345678@192.0.2.1", "0312345678"),
            ("sip:+81312345678;npdi=yes@192.0.2.1;user=phone", "+81312345678"),
            ("sip:user;par=u%40example.net@example.com", "user;par=u@example.net"),
            ("tel:+81-3-1234-5678;phone-context=x", "+81-3-1234-5678"),
            ("sip:a%00%0d%0ab@h", "ab"),
            ("sip:192.0.2.1", ""),
        ];
        for (uri, expected) in cases {
            assert_eq!(user(&Uri::parse(Bytes::from(uri)).unwrap()), expected, "{uri}");
        }
        let long = format!("sip:{}@h", "x".repeat(500));
        assert_eq!(user(&Uri::parse(Bytes::from(long)).unwrap()).len(), 128);
    }

    #[test]
    fn a_target_has_a_literal_address_and_a_transport_we_speak() {
        let target = Target::parse("sip:100@192.0.2.7:5070;transport=TCP").unwrap();
        assert_eq!(
            (target.address.to_string().as_str(), target.transport),
            ("192.0.2.7:5070", Transport::Tcp)
        );
        assert_eq!(Target::parse("<sip:[::1]>").unwrap().address.to_string(), "[::1]:5060");
        for (contact, error) in [
            ("sip:100@phone.example", TargetError::Host),
            ("sips:100@192.0.2.7", TargetError::Transport),
            ("sip:100@192.0.2.7;transport=ws", TargetError::Transport),
            ("tel:+811", TargetError::Uri),
            ("sip:a@192.0.2.7?Route=x", TargetError::Uri),
            ("", TargetError::Uri),
            ("sip:a@1.2.3.4\r\nX: y", TargetError::Uri),
        ] {
            assert_eq!(Target::parse(contact), Err(error), "{contact}");
        }
    }

    #[test]
    fn an_escaped_user_reads_back() {
        let uri = format!("sip:{}@h", escaped("太郎 <x>;a@b"));
        assert_eq!(user(&Uri::parse(Bytes::from(uri)).unwrap()), "太郎 <x>;a@b");
    }
}
