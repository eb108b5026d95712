//! Our side of the descriptions of one dialog: offers and answers with a steady shape and a
//! counted version (RFC 3264 §5, §6, §8).

use super::sdp::{Audio, Codec, Description, Line};
use bytes::Bytes;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// Payload type of telephone-event in our offers.
const DIGITS: u8 = 101;

/// What we have described so far in one dialog.
#[derive(Debug)]
pub(super) struct Local {
    id: u64,
    version: u64,
    lines: Vec<Line>,
    chosen: usize,
    /// Everything after o=, to see whether it changed.
    rest: String,
    body: Bytes,
}

impl Local {
    /// `id` is the session id: random, so that it doesn't count our calls.
    pub(super) fn new(id: u64) -> Self {
        // Some peers keep o= numbers in signed 64 or 53 bits.
        let id = id >> 12;
        Self { id, version: id, lines: Vec::new(), chosen: 0, rest: String::new(), body: Bytes::new() }
    }

    /// The last description sent; empty before the first.
    pub(super) fn body(&self) -> &Bytes {
        &self.body
    }

    /// An offer: the lines of the last exchange, ours at its place (RFC 3264 §8).
    pub(super) fn offer(&mut self, audio: &Audio) -> Bytes {
        if self.lines.is_empty() {
            self.lines = vec![Line {
                media: "audio".to_owned(),
                protocol: "RTP/AVP".to_owned(),
                format: "0".to_owned(),
            }];
            self.chosen = 0;
        }
        let audio = Audio { digits: audio.digits.or(Some(DIGITS)), ..audio.clone() };
        self.describe(&audio)
    }

    /// The answer to `offer`: every line in its order, all but ours refused. `None` when `audio`
    /// has no codec of the offer.
    pub(super) fn answer(&mut self, offer: &Description, audio: &Audio) -> Option<Bytes> {
        // Payload types are the offerer's (RFC 3264 §6.1), the order of preference is ours.
        let number =
            |codec| offer.audio.codecs.iter().find(|(offered, _)| *offered == codec).map(|(_, pt)| *pt);
        let codecs: Vec<(Codec, u8)> =
            audio.codecs.iter().filter_map(|(codec, _)| Some((*codec, number(*codec)?))).collect();
        if codecs.is_empty() {
            return None;
        }
        let answered = Audio {
            address: audio.address,
            rtcp: audio.rtcp,
            codecs,
            digits: offer.audio.digits,
            direction: audio.direction.within(offer.audio.direction.mirrored()),
        };
        self.lines.clone_from(&offer.lines);
        self.chosen = offer.chosen;
        Some(self.describe(&answered))
    }

    fn describe(&mut self, audio: &Audio) -> Bytes {
        let rest = self.rest_of(audio);
        if rest != self.rest || self.body.is_empty() {
            self.version = self.version.wrapping_add(1);
            let connection = connection(audio.address.ip());
            self.body = format!("v=0\r\no=- {} {} {connection}\r\n{rest}", self.id, self.version).into();
            self.rest = rest;
        }
        self.body.clone()
    }

    fn rest_of(&self, audio: &Audio) -> String {
        let mut out = format!("s=-\r\nc={}\r\nt=0 0\r\n", connection(audio.address.ip()));
        for (at, line) in self.lines.iter().enumerate() {
            if at == self.chosen {
                audio_line(&mut out, &line.protocol, audio);
            } else {
                let _ = write!(out, "m={} 0 {} {}\r\n", line.media, line.protocol, line.format);
            }
        }
        out
    }
}

fn audio_line(out: &mut String, protocol: &str, audio: &Audio) {
    let _ = write!(out, "m=audio {} {protocol}", audio.address.port());
    for payload_type in audio.codecs.iter().map(|(_, pt)| pt).chain(&audio.digits) {
        let _ = write!(out, " {payload_type}");
    }
    out.push_str("\r\n");
    for (codec, payload_type) in &audio.codecs {
        let name = match codec {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        };
        let _ = write!(out, "a=rtpmap:{payload_type} {name}/8000\r\n");
    }
    if let Some(digits) = audio.digits {
        let _ = write!(out, "a=rtpmap:{digits} telephone-event/8000\r\na=fmtp:{digits} 0-16\r\n");
    }
    let _ = write!(out, "a=ptime:20\r\na={}\r\n", audio.direction.attribute());
    // RFC 3605: only when it is not where everybody looks anyway.
    let usual = SocketAddr::new(audio.address.ip(), audio.address.port().wrapping_add(1));
    if let Some(rtcp) = audio.rtcp.filter(|rtcp| *rtcp != usual) {
        let _ = write!(out, "a=rtcp:{} {}\r\n", rtcp.port(), connection(rtcp.ip()));
    }
}

fn connection(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!("IN IP4 {ip}"),
        IpAddr::V6(ip) => format!("IN IP6 {ip}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sdp::{Direction, read};
    use super::*;

    fn ours(port: u16, direction: Direction) -> Audio {
        Audio {
            address: SocketAddr::new("192.0.2.9".parse().unwrap(), port),
            rtcp: None,
            codecs: vec![(Codec::Pcmu, 0), (Codec::Pcma, 8)],
            digits: Some(101),
            direction,
        }
    }

    fn theirs(rest: &str) -> Description {
        read(
            format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{rest}")
                .as_bytes(),
        )
        .unwrap()
    }

    fn text(body: &Bytes) -> &str {
        std::str::from_utf8(body).unwrap()
    }

    #[test]
    fn an_answer_mirrors_the_offer_line_by_line() {
        let offer = theirs(
            "m=video 4000 RTP/AVP 31 32\r\nm=audio 6000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/8000\r\na=sendonly\r\nm=image 5000 udptl t38\r\n",
        );
        let body = Local::new(1 << 20).answer(&offer, &ours(20_000, Direction::SendRecv)).unwrap();
        assert_eq!(
            text(&body),
            "v=0\r\no=- 256 257 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
             m=video 0 RTP/AVP 31\r\n\
             m=audio 20000 RTP/AVP 8 97\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-16\r\na=ptime:20\r\na=recvonly\r\n\
             m=image 0 udptl t38\r\n"
        );
    }

    #[test]
    fn the_version_counts_changes_only_and_the_shape_stays() {
        let mut local = Local::new(1 << 20);
        let offer = theirs("m=audio 6000 RTP/AVP 0\r\nm=video 4000 RTP/AVP 31\r\n");
        let first = local.answer(&offer, &ours(20_000, Direction::SendRecv)).unwrap();
        let same = local.answer(&offer, &ours(20_000, Direction::SendRecv)).unwrap();
        assert_eq!(first, same);
        let hold = local.answer(&offer, &ours(20_000, Direction::Inactive)).unwrap();
        assert!(text(&hold).contains("o=- 256 258 "), "{}", text(&hold));
        let reoffer = local.offer(&ours(20_000, Direction::SendRecv));
        let read_back = read(&reoffer).unwrap();
        assert_eq!((read_back.lines.len(), read_back.chosen), (2, 0));
        assert_eq!(read_back.audio, ours(20_000, Direction::SendRecv));
    }

    #[test]
    fn no_common_codec_is_no_answer() {
        let offer = theirs("m=audio 6000 RTP/AVP 8\r\n");
        let only_mu = Audio { codecs: vec![(Codec::Pcmu, 0)], ..ours(20_000, Direction::SendRecv) };
        assert_eq!(Local::new(0).answer(&offer, &only_mu), None);
    }

    #[test]
    fn an_ipv6_offer_reads_back() {
        let audio = Audio {
            address: "[2001:db8::9]:20000".parse().unwrap(),
            rtcp: Some("[2001:db8::9]:30000".parse().unwrap()),
            ..ours(0, Direction::SendRecv)
        };
        let body = Local::new(77).offer(&audio);
        assert_eq!(read(&body).unwrap().audio, audio);
    }
}
