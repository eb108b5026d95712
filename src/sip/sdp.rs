//! The audio part of a session description (RFC 8866, RFC 3264), as neutral values.

use sipx_sdp::{MediaDescription, SessionDescription};
use std::net::{IpAddr, SocketAddr};

/// A codec of an audio description that BlueBean speaks on SIP legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

/// Direction as its describer sees it (RFC 3264 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// It only sends: we are on hold.
    SendOnly,
    /// It only listens.
    RecvOnly,
    /// Neither.
    Inactive,
}

/// One side's description of its audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Where it wants RTP; an unspecified address is a hold of the old kind (RFC 2543).
    pub address: SocketAddr,
    /// Where it wants RTCP, when it says (RFC 3605).
    pub rtcp: Option<SocketAddr>,
    /// Codecs with their payload types, preferred first.
    pub codecs: Vec<(Codec, u8)>,
    /// Payload type of telephone-event/8000.
    pub digits: Option<u8>,
    /// Direction as the describer sees it.
    pub direction: Direction,
}

impl Direction {
    /// As the other side sees it.
    pub fn mirrored(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            same => same,
        }
    }

    /// What is left of a wish when the other side allows only `allowed` (seen from here).
    pub(super) fn within(self, allowed: Self) -> Self {
        let sends = |d| matches!(d, Self::SendRecv | Self::SendOnly);
        let receives = |d| matches!(d, Self::SendRecv | Self::RecvOnly);
        match (sends(self) && sends(allowed), receives(self) && receives(allowed)) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// Why a description can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SdpError {
    /// Not a session description: 400.
    #[error("malformed session description")]
    Malformed,
    /// Nothing in it that we can do: 488.
    #[error("no audio we speak in the session description")]
    Unacceptable,
}

impl SdpError {
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unacceptable => 488,
        }
    }
}

/// One m-line, as far as an answer must repeat it (RFC 3264 §6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) format: String,
}

/// A peer's description, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) audio: Audio,
    pub(super) lines: Vec<Line>,
    /// Which line `audio` is.
    pub(super) chosen: usize,
}

/// More m-lines than any phone sends.
const MOST_LINES: usize = 16;

/// Reads a description and picks the first audio line that we can do.
pub(super) fn read(body: &[u8]) -> Result<Description, SdpError> {
    let session = sipx_sdp::parse(&String::from_utf8_lossy(body)).map_err(|_| SdpError::Malformed)?;
    if session.media.len() > MOST_LINES {
        return Err(SdpError::Unacceptable);
    }
    let lines = session.media.iter().map(|media| Line {
        media: media.media.clone(),
        protocol: media.protocol.clone(),
        format: media.formats.first().cloned().unwrap_or_default(),
    });
    let lines = lines.collect();
    let found = session.media.iter().enumerate().find_map(|(at, media)| Some((at, audio(&session, media)?)));
    let (chosen, audio) = found.ok_or(SdpError::Unacceptable)?;
    Ok(Description { audio, lines, chosen })
}

fn audio(session: &SessionDescription, media: &MediaDescription) -> Option<Audio> {
    if media.media != "audio" || media.port == 0 || media.protocol != "RTP/AVP" {
        return None;
    }
    let ip = session.address_for(media)?.to_canonical();
    if ip.is_multicast() {
        return None;
    }
    let (mut codecs, mut digits) = (Vec::new(), None);
    for format in media.formats.iter().take(32) {
        let Some(payload_type) = format.parse::<u8>().ok().filter(|pt| *pt < 128) else { continue };
        let map = media.rtpmap(format).map(str::trim);
        match encoding(payload_type, map) {
            Some(Encoding::Codec(codec)) if codecs.iter().all(|(known, _)| *known != codec) => {
                codecs.push((codec, payload_type));
            }
            Some(Encoding::Digits) => digits = digits.or(Some(payload_type)),
            _ => {}
        }
    }
    if codecs.is_empty() {
        return None;
    }
    let direction = media.declared_direction().unwrap_or_else(|| session.direction());
    let direction = match direction {
        sipx_sdp::Direction::SendRecv => Direction::SendRecv,
        sipx_sdp::Direction::SendOnly => Direction::SendOnly,
        sipx_sdp::Direction::RecvOnly => Direction::RecvOnly,
        sipx_sdp::Direction::Inactive => Direction::Inactive,
    };
    let address = SocketAddr::new(ip, media.port);
    let rtcp = media.attribute("rtcp").and_then(|a| rtcp(a.value.as_deref()?, ip));
    Some(Audio { address, rtcp, codecs, digits, direction })
}

enum Encoding {
    Codec(Codec),
    Digits,
}

fn encoding(payload_type: u8, map: Option<&str>) -> Option<Encoding> {
    let Some(map) = map else {
        // RFC 3551 §6: the two static types need no rtpmap.
        return match payload_type {
            0 => Some(Encoding::Codec(Codec::Pcmu)),
            8 => Some(Encoding::Codec(Codec::Pcma)),
            _ => None,
        };
    };
    let mut parts = map.split('/');
    let (name, rate, channels) = (parts.next()?, parts.next()?, parts.next().unwrap_or("1"));
    if rate != "8000" || channels != "1" {
        return None;
    }
    match name.to_ascii_uppercase().as_str() {
        "PCMU" => Some(Encoding::Codec(Codec::Pcmu)),
        "PCMA" => Some(Encoding::Codec(Codec::Pcma)),
        "TELEPHONE-EVENT" => Some(Encoding::Digits),
        _ => None,
    }
}

/// `port [IN IP4 address]` (RFC 3605 §2.1).
fn rtcp(value: &str, default: IpAddr) -> Option<SocketAddr> {
    let mut parts = value.split_whitespace();
    let port = parts.next()?.parse::<u16>().ok().filter(|port| *port != 0)?;
    let ip = match parts.nth(2) {
        Some(address) => address.parse::<IpAddr>().ok()?.to_canonical(),
        None => default,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn described(rest: &str) -> Result<Description, SdpError> {
        read(
            format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{rest}")
                .as_bytes(),
        )
    }

    #[test]
    fn the_first_audio_line_we_can_do_is_picked() {
        let offer = "m=video 4000 RTP/AVP 31\r\nm=audio 5000 RTP/SAVP 0\r\nm=audio 6000 RTP/AVP 18 96 8 101 0\r\na=rtpmap:96 pcmu/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\na=rtcp:7001 IN IP4 192.0.2.5\r\n";
        let read = described(offer).unwrap();
        assert_eq!((read.chosen, read.lines.len()), (2, 3));
        assert_eq!(
            read.audio,
            Audio {
                address: "192.0.2.1:6000".parse().unwrap(),
                rtcp: Some("192.0.2.5:7001".parse().unwrap()),
                codecs: vec![(Codec::Pcmu, 96), (Codec::Pcma, 8)],
                digits: Some(101),
                direction: Direction::SendOnly,
            }
        );
    }

    #[test]
    fn addresses_and_directions_come_from_the_nearest_line() {
        let read = described("a=inactive\r\nm=audio 6000 RTP/AVP 0\r\nc=IN IP6 2001:db8::7\r\n").unwrap();
        assert_eq!(read.audio.address, "[2001:db8::7]:6000".parse().unwrap());
        assert_eq!(read.audio.direction, Direction::Inactive);
        let hold = described("m=audio 6000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n").unwrap();
        assert!(hold.audio.address.ip().is_unspecified());
    }

    #[test]
    fn what_we_cannot_do_is_unacceptable_and_noise_is_malformed() {
        for rest in [
            "",
            "m=audio 0 RTP/AVP 0\r\n",
            "m=audio 6000 RTP/AVP 18 101\r\na=rtpmap:101 telephone-event/8000\r\n",
            "m=audio 6000 RTP/AVP 96\r\na=rtpmap:96 PCMU/16000\r\n",
            "m=audio 6000 UDP/TLS/RTP/SAVPF 0\r\n",
            "m=audio 6000 RTP/AVP 0\r\nc=IN IP4 pbx.example\r\n",
            "m=audio 6000 RTP/AVP 0\r\nc=IN IP4 224.0.0.1/16\r\n",
            &"m=audio 6000 RTP/AVP 0\r\n".repeat(17),
        ] {
            assert_eq!(described(rest), Err(SdpError::Unacceptable), "{rest}");
        }
        for body in [&b""[..], b"v=0\r\n", b"\xff\xfe\0", b"v=0\r\no=- x y IN IP4 1.2.3.4\r\n", b"m=audio"] {
            assert_eq!(read(body), Err(SdpError::Malformed));
        }
    }
}
