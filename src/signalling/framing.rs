//! Messages out of a byte stream (RFC 3261 §18.3), without believing any of it.

use bytes::{Buf, Bytes, BytesMut};

/// The longest message, head and body each.
const LONGEST: usize = 65_536;

/// One piece of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A whole message.
    Message(Bytes),
    /// A keep-alive that wants CRLF back (RFC 5626 §3.5.1).
    Ping,
    /// A head without a usable Content-Length: worth an answer, but where the next message
    /// starts nobody knows.
    Broken(Bytes),
    /// More than anybody may send.
    TooLong,
}

/// What has been received and not framed yet.
#[derive(Debug, Default)]
pub(super) struct Framer {
    pub(super) buffer: BytesMut,
    /// How far the end of the head has been looked for.
    scanned: usize,
}

impl Framer {
    /// The next piece, if it is complete. After `Broken` or `TooLong` the stream is over.
    pub(super) fn next(&mut self) -> Option<Frame> {
        if self.scanned == 0 {
            if self.buffer.starts_with(b"\r\n\r\n") {
                self.buffer.advance(4);
                return Some(Frame::Ping);
            }
            // A lone CRLF, but not the first half of a ping that is still arriving.
            while self.buffer.starts_with(b"\r\n")
                && self.buffer.len() > 2
                && !b"\r\n\r".starts_with(&self.buffer)
            {
                self.buffer.advance(2);
            }
            if self.buffer.starts_with(b"\r\n\r\n") {
                return self.next();
            }
            if b"\r\n\r".starts_with(&self.buffer) {
                return None;
            }
        }
        let from = self.scanned.saturating_sub(3);
        let found = self.buffer.get(from..).and_then(|rest| rest.windows(4).position(|w| w == b"\r\n\r\n"));
        let Some(head) = found.map(|at| from + at + 4) else {
            self.scanned = self.buffer.len();
            return (self.buffer.len() > LONGEST).then_some(Frame::TooLong);
        };
        self.scanned = head.saturating_sub(1);
        let Some(body) = self.buffer.get(..head).and_then(content_length) else {
            return Some(Frame::Broken(self.buffer.split_to(head).freeze()));
        };
        if body > LONGEST || head > LONGEST {
            return Some(Frame::TooLong);
        }
        if self.buffer.len() < head + body {
            return None;
        }
        self.scanned = 0;
        Some(Frame::Message(self.buffer.split_to(head + body).freeze()))
    }

    /// Whether a message has begun and not ended.
    pub(super) fn is_partial(&self) -> bool {
        !b"\r\n\r\n".starts_with(&self.buffer)
    }
}

/// The one Content-Length of a head. `None`: missing, twice, or no number.
fn content_length(head: &[u8]) -> Option<usize> {
    let (mut found, mut current) = (None, Vec::new());
    for line in head.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if !current.is_empty() {
                current.extend_from_slice(line);
            }
            continue;
        }
        read_length(&current, &mut found)?;
        current.clear();
        let name = line.split(|b| *b == b':').next().unwrap_or_default().trim_ascii_end();
        if name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"l") {
            current.extend_from_slice(line);
        }
    }
    read_length(&current, &mut found)?;
    found
}

fn read_length(row: &[u8], found: &mut Option<usize>) -> Option<()> {
    if row.is_empty() {
        return Some(());
    }
    let value = row.splitn(2, |b| *b == b':').nth(1)?.trim_ascii();
    let digits = !value.is_empty() && value.len() <= 9 && value.iter().all(u8::is_ascii_digit);
    if !digits || found.is_some() {
        return None;
    }
    *found = Some(value.iter().fold(0, |n, b| n * 10 + usize::from(b - b'0')));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(stream: &[u8], step: usize) -> Vec<Frame> {
        let mut framer = Framer::default();
        let mut frames = Vec::new();
        for chunk in stream.chunks(step) {
            framer.buffer.extend_from_slice(chunk);
            while let Some(frame) = framer.next() {
                let over = matches!(frame, Frame::Broken(_) | Frame::TooLong);
                frames.push(frame);
                if over {
                    return frames;
                }
            }
        }
        frames
    }

    #[test]
    fn messages_are_the_same_however_they_arrive() {
        let a = b"OPTIONS a SIP/2.0\r\nContent-Length : \r\n 5\r\nX: y\r\n\r\nhello";
        let b = b"OPTIONS b SIP/2.0\r\nl: 0\r\n\r\n";
        let stream = [&b"\r\n\r\n"[..], a, b"\r\n", b, b"\r\n\r\n"].concat();
        let expected = vec![
            Frame::Ping,
            Frame::Message(Bytes::from_static(a)),
            Frame::Message(Bytes::from_static(b)),
            Frame::Ping,
        ];
        for step in 1..stream.len() {
            assert_eq!(frames(&stream, step), expected, "in steps of {step}");
        }
    }

    #[test]
    fn a_length_nobody_can_believe_breaks_the_stream() {
        for row in
            ["", "l: -1\r\n", "l: 5\r\nContent-Length: 5\r\n", "l: x\r\n", "l:\r\n", "l: 99999999999\r\n"]
        {
            let stream = format!("OPTIONS a SIP/2.0\r\n{row}\r\nhello");
            assert!(matches!(frames(stream.as_bytes(), 7)[..], [Frame::Broken(_)]), "{row:?}");
        }
        assert_eq!(frames(b"OPTIONS a SIP/2.0\r\nl: 70000\r\n\r\n", 7), [Frame::TooLong]);
        assert_eq!(frames(&vec![b'x'; 70_000], 1000), [Frame::TooLong]);
    }
}
