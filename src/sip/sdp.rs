//! The audio part of a session description (RFC 8866, RFC 3264), as neutral values.

use std::net::SocketAddr;

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
