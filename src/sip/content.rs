//! What a request carries and what it demands of us: bodies, Accept, Require.

use super::message::{SDP, tokens};
use bytes::Bytes;
use sipx_sip::headers::ContentType;
use sipx_sip::{HeaderName, Headers, Request};

/// A refusal with the headers that explain it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new() }
    }

    pub(super) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The session description of a message, if it has one. A body of another kind is refused
/// unless its sender calls it optional (RFC 3261 §20.11).
pub(super) fn description(headers: &Headers, body: &Bytes) -> Result<Option<Bytes>, Refusal> {
    if body.is_empty() {
        return Ok(None);
    }
    if tokens(headers, &HeaderName::ContentEncoding).iter().any(|coding| coding != "identity") {
        return Err(Refusal::new(415).with(HeaderName::AcceptEncoding, "identity"));
    }
    let kind = match headers.typed::<ContentType>() {
        Some(Ok(kind)) => kind,
        _ => return Err(Refusal::new(400)),
    };
    if kind.is("application", "sdp") {
        return Ok(Some(body.clone()));
    }
    if kind.media_type == b"multipart" {
        let part = kind.param("boundary").and_then(|boundary| part(body, boundary));
        if part.is_some() {
            return Ok(part);
        }
    }
    let optional = tokens(headers, &HeaderName::ContentDisposition)
        .iter()
        .any(|value| value.split(';').any(|param| param.trim() == "handling=optional"));
    if optional { Ok(None) } else { Err(Refusal::new(415).with(HeaderName::Accept, SDP)) }
}

/// The application/sdp part of a multipart body (RFC 2046 §5.1).
fn part(body: &Bytes, boundary: &[u8]) -> Option<Bytes> {
    let delimiter = [b"--", boundary].concat();
    let mut at = find(body, &delimiter)? + delimiter.len();
    for _ in 0..16 {
        let rest = body.get(at..)?;
        let end = find(rest, &delimiter)?;
        let whole = rest.get(..end)?;
        let head_end = find(whole, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(whole.get(..head_end)?).to_ascii_lowercase();
        let is_sdp = head.lines().any(|line| line.starts_with("content-type:") && line.contains(SDP));
        if is_sdp {
            let from = at + head_end + 4;
            return body.get(from..at + end).map(|part| body.slice_ref(part.trim_ascii_end()));
        }
        at += end + delimiter.len();
    }
    None
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// Refuses an INVITE that could not read our answer (RFC 3261 §21.4.7).
pub(super) fn check_accept(headers: &Headers) -> Result<(), Refusal> {
    let accepted = tokens(headers, &HeaderName::Accept);
    let reads_sdp = |value: &String| {
        let kind = value.split(';').next().unwrap_or_default().trim();
        matches!(kind, SDP | "application/*" | "*/*")
    };
    if accepted.is_empty() || accepted.iter().any(reads_sdp) { Ok(()) } else { Err(Refusal::new(406)) }
}

/// Refuses what requires an extension we don't have (RFC 3261 §8.2.2.3), naming it.
pub(super) fn check_require(request: &Request) -> Result<(), Refusal> {
    let unknown = |name| {
        let mut tags = tokens(&request.headers, name);
        tags.retain(|tag| !matches!(tag.as_str(), "100rel" | "timer"));
        tags
    };
    let mut unsupported = unknown(&HeaderName::Require);
    if unsupported.is_empty() {
        return Ok(());
    }
    // Proxy-Require alone is no concern of an endpoint; once we refuse, the whole list helps.
    unsupported.extend(unknown(&HeaderName::ProxyRequire));
    Err(Refusal::new(420).with(HeaderName::Unsupported, unsupported.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sipx_sip::Header;

    fn headers(rows: &[(HeaderName, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in rows {
            headers.push(Header::build(name.clone(), (*value).to_owned()).unwrap());
        }
        headers
    }

    #[test]
    fn bodies_are_found_or_refused() {
        use HeaderName::{ContentDisposition, ContentEncoding, ContentType};
        let body = Bytes::from("v=0");
        let of = |rows: &[_]| description(&headers(rows), &body);
        assert_eq!(of(&[(ContentType, "Application/SDP;charset=utf-8")]), Ok(Some(body.clone())));
        assert_eq!(
            of(&[(ContentType, "text/plain"), (ContentDisposition, "render; handling=Optional")]),
            Ok(None)
        );
        assert_eq!(of(&[(ContentType, "text/plain")]).unwrap_err().status, 415);
        assert_eq!(
            of(&[(ContentType, "application/sdp"), (ContentEncoding, "gzip")]).unwrap_err().status,
            415
        );
        assert_eq!(of(&[]).unwrap_err().status, 400);
        assert_eq!(description(&headers(&[]), &Bytes::new()), Ok(None));
    }

    #[test]
    fn the_sdp_part_of_a_multipart_is_found() {
        let rows = headers(&[(HeaderName::ContentType, "multipart/mixed;boundary=\"x y\"")]);
        let body = Bytes::from(
            "--x y\r\nContent-Type: application/isup\r\n\r\n\0\x01\r\n--x y\r\ncontent-type: application/sdp\r\n\r\nv=0\r\no=-\r\n--x y--\r\n",
        );
        assert_eq!(description(&rows, &body), Ok(Some(Bytes::from("v=0\r\no=-"))));
        for broken in ["--x y", "--x y\r\n\r\n", "", "--x y--x y--x y"] {
            let body = Bytes::from(broken);
            assert_ne!(description(&rows, &body).map(|d| d.is_some()), Ok(true));
        }
    }

    #[test]
    fn every_unknown_tag_is_named() {
        let request = |rows: &[(HeaderName, &str)]| {
            let mut request = Request::new(
                sipx_sip::Method::Options,
                sipx_sip::Uri::parse(Bytes::from("sip:a@b")).unwrap(),
            );
            request.headers = headers(rows);
            request
        };
        use HeaderName::{ProxyRequire, Require};
        let refused = check_require(&request(&[(Require, "a, 100rel"), (Require, "b"), (ProxyRequire, "c")]))
            .unwrap_err();
        assert_eq!(refused.headers, [(HeaderName::Unsupported, "a, b, c".to_owned())]);
        assert_eq!(check_require(&request(&[(Require, "timer, 100rel"), (ProxyRequire, "c")])), Ok(()));
    }
}
