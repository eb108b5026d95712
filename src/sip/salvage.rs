//! A 400 for a request that could not be parsed, made of what can still be read of it.

use std::fmt::Write as _;

/// The reply, or `None` when it is no request, is an ACK, or has no Via to answer by.
/// `tag` completes a To that has none.
pub(super) fn bad_request(bytes: &[u8], tag: u64) -> Option<Vec<u8>> {
    let head = bytes
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .map_or(bytes, |end| bytes.get(..end).unwrap_or(bytes));
    let mut lines = head.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let start = lines.next()?;
    let method = start.split(|b| *b == b' ').next()?;
    let is_token =
        !method.is_empty() && method.iter().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(b));
    if !is_token || method == b"ACK" || start.starts_with(b"SIP/") {
        return None;
    }
    let mut reply = b"SIP/2.0 400 Bad Request\r\n".to_vec();
    let (mut copying, mut has_via) = (None, false);
    for line in lines.take(200) {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if copying.is_some() {
                copy(&mut reply, line);
            }
            continue;
        }
        finish(&mut reply, copying.take(), tag);
        copying = kind(line);
        if let Some(kind) = copying {
            has_via |= kind == Kind::Via;
            copy(&mut reply, line);
        }
    }
    finish(&mut reply, copying, tag);
    if !has_via {
        return None;
    }
    reply.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    Some(reply)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Via,
    To,
    Other,
}

fn kind(line: &[u8]) -> Option<Kind> {
    let name = line.split(|b| *b == b':').next()?.trim_ascii_end().to_ascii_lowercase();
    match name.as_slice() {
        b"via" | b"v" => Some(Kind::Via),
        b"to" | b"t" => Some(Kind::To),
        b"from" | b"f" | b"call-id" | b"i" | b"cseq" => Some(Kind::Other),
        _ => None,
    }
}

fn copy(reply: &mut Vec<u8>, line: &[u8]) {
    reply.extend(line.iter().filter(|b| !matches!(b, b'\r' | b'\n' | 0)));
}

fn finish(reply: &mut Vec<u8>, kind: Option<Kind>, tag: u64) {
    let Some(kind) = kind else { return };
    let line = reply.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    if kind == Kind::To && !line.windows(5).any(|w| w.eq_ignore_ascii_case(b";tag=")) {
        let mut suffix = String::new();
        let _ = write!(suffix, ";tag={tag:016x}");
        reply.extend_from_slice(suffix.as_bytes());
    }
    reply.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_has_what_could_be_read_and_nothing_else() {
        let broken = b"OPTIONS  sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bKx,\r\n SIP/2.0/UDP g\r\nX: 1\r\nTo: <sip:a@b>\r\nFrom: f\r\nCall-ID : i\r\nCSeq: x\r\n\r\nbody";
        let reply = String::from_utf8(bad_request(broken, 7).unwrap()).unwrap();
        assert_eq!(
            reply,
            "SIP/2.0 400 Bad Request\r\nv: SIP/2.0/UDP h;branch=z9hG4bKx, SIP/2.0/UDP g\r\nTo: <sip:a@b>;tag=0000000000000007\r\nFrom: f\r\nCall-ID : i\r\nCSeq: x\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_response_an_ack_and_noise_get_no_reply() {
        for bytes in [
            &b"SIP/2.0 999 x\r\nVia: a\r\n\r\n"[..],
            b"ACK a b\r\nVia: a\r\n\r\n",
            b"\0\0\0\0",
            b"",
            b"INVITE x\r\nTo: y\r\n\r\n",
        ] {
            assert_eq!(bad_request(bytes, 0), None);
        }
    }
}
