//! Reading and making messages, over sipx-sip.

use bytes::Bytes;
use sipx_sip::headers::{Address, From as FromHeader, To};
use sipx_sip::{CSeq, Header, HeaderName, Headers, Limits, Message, Request, Response, StatusCode};
use std::borrow::Cow;

/// What we do, for Allow.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE";
/// Extensions we know, for Supported.
pub(super) const SUPPORTED: &str = "100rel, timer";
/// The one body we read.
pub(super) const SDP: &str = "application/sdp";
/// Who we are, without a version that would help an attacker.
pub(super) const AGENT: &str = "BlueBean";

/// Bounds of one message; all of it fits a datagram.
pub(super) const LIMITS: Limits = Limits {
    max_message_bytes: 65_536,
    max_body_bytes: 65_536,
    max_headers: 128,
    max_header_bytes: 8_192,
    max_folding_lines: 16,
};

/// Bytes as text, for what is ASCII by grammar.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Adds a header whose value is ours or was parsed; one that could break the message (CR, LF,
/// NUL) is left out.
pub(super) fn push(headers: &mut Headers, name: HeaderName, value: impl Into<Bytes>) {
    if let Ok(header) = Header::build(name, value) {
        headers.push(header);
    }
}

/// The value of a header, unfolded and owned.
pub(super) fn value(headers: &Headers, name: &HeaderName) -> Option<Bytes> {
    headers.value(name).map(|value| Bytes::copy_from_slice(&value))
}

/// The sequence number of CSeq.
pub(super) fn sequence(headers: &Headers) -> Option<u32> {
    headers.typed::<CSeq>()?.ok().map(|cseq| cseq.sequence)
}

/// The tag of To, if it has one.
pub(super) fn to_tag(headers: &Headers) -> Option<Vec<u8>> {
    headers.typed::<To>()?.ok()?.tag().map(<[u8]>::to_vec)
}

/// The tag of From, if it has one.
pub(super) fn from_tag(headers: &Headers) -> Option<Vec<u8>> {
    headers.typed::<FromHeader>()?.ok()?.tag().map(<[u8]>::to_vec)
}

/// Every element of a comma-separated token list, lower case, over all rows.
pub(super) fn tokens(headers: &Headers, name: &HeaderName) -> Vec<String> {
    let mut found = Vec::new();
    for header in headers.get_all(name) {
        let value = header.value();
        let row = text(&value);
        found.extend(row.split(',').map(|token| token.trim().to_ascii_lowercase()).filter(|t| !t.is_empty()));
    }
    found
}

/// The route set of a request or response, each element without display name, in the order
/// written. `None` when it can't be read or has more than 20 elements.
pub(super) fn record_route(headers: &Headers) -> Option<Vec<Bytes>> {
    let mut routes = Vec::new();
    for header in headers.get_all(&HeaderName::RecordRoute) {
        for address in Address::parse_list(&header.value(), "Record-Route").ok()? {
            let mut route = vec![b'<'];
            address.uri.write_to(&mut route);
            route.push(b'>');
            routes.push(Bytes::from(route));
        }
    }
    (routes.len() <= 20).then_some(routes)
}

/// A response with the headers every response repeats (RFC 3261 §8.2.6.2). `tag` completes a To
/// that has none. Works on a request that lacks some of them.
pub(super) fn response(request: &Request, status: u16, tag: u64) -> Option<Response> {
    let mut response = Response::new(StatusCode::new(status)?, reason(status));
    for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
        for header in request.headers.get_all(&name) {
            if name == HeaderName::To && status > 100 {
                let value = header.value();
                let tagged = Address::parse(&value, "To").is_ok_and(|to| to.tag().is_some());
                if !tagged {
                    let mut with_tag = value.into_owned();
                    with_tag.extend_from_slice(format!(";tag={tag:016x}").as_bytes());
                    push(&mut response.headers, HeaderName::To, with_tag);
                    continue;
                }
            }
            response.headers.push(header.clone());
        }
    }
    Some(response)
}

/// Closes a header section with a body, or with none.
pub(super) fn finish(headers: &mut Headers, body: Option<&Bytes>) {
    if body.is_some() {
        push(headers, HeaderName::ContentType, SDP);
    }
    push(headers, HeaderName::ContentLength, body.map_or(0, Bytes::len).to_string());
}

/// Finishes a response and writes it out.
pub(super) fn response_bytes(mut response: Response) -> Bytes {
    finish(&mut response.headers, None);
    Message::Response(response).to_bytes()
}

/// The phrase beside a status.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        422 => "Session Interval Too Small",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        other => match other / 100 {
            1 => "Progress",
            3 => "Redirected",
            4 => "Refused",
            5 => "Failed",
            _ => "Declined",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sipx_sip::parse_datagram;

    #[test]
    fn a_response_repeats_what_it_must_and_adds_the_tag() {
        let raw = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nTo: <sip:a@b>\r\nFrom: <sip:c@d>;tag=1\r\nCall-ID: i\r\nCSeq: 3 OPTIONS\r\n\r\n";
        let Ok(Message::Request(request)) = parse_datagram(Bytes::from(raw), &LIMITS) else {
            panic!("no request")
        };
        let bytes = response_bytes(response(&request, 200, 0xab).unwrap());
        assert_eq!(
            text(&bytes),
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:c@d>;tag=1\r\nTo: <sip:a@b>;tag=00000000000000ab\r\nCall-ID: i\r\nCSeq: 3 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_header_that_would_split_the_message_is_left_out() {
        let mut headers = Headers::new();
        push(&mut headers, HeaderName::Subject, "x\r\nEvil: 1");
        assert_eq!(headers.len(), 0);
    }
}
