//! RTP packets (RFC 3550 §5.1): parsed in place, and their heads written.

/// Octets of a head without contributors and extension.
pub(super) const HEAD: usize = 12;

/// One packet, its payload still in the receiver's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) payload_type: u8,
    pub(super) marker: bool,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a datagram; `None` for whatever is not RTP version 2 with a payload.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let [flags, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *head;
        if flags >> 6 != 2 {
            return None;
        }
        let mut payload = rest.get(usize::from(flags & 0x0F) * 4..)?;
        if flags & 0x10 != 0 {
            let ([_, _, l0, l1], after) = payload.split_first_chunk::<4>()?;
            payload = after.get(usize::from(u16::from_be_bytes([*l0, *l1])) * 4..)?;
        }
        if flags & 0x20 != 0 {
            let padding = usize::from(*payload.last()?);
            if padding == 0 {
                return None;
            }
            payload = payload.get(..payload.len().checked_sub(padding)?)?;
        }
        if payload.is_empty() {
            return None;
        }
        Some(Self {
            payload_type: kind & 0x7F,
            marker: kind & 0x80 != 0,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            payload,
        })
    }
}

/// Whether a datagram on an RTP port is RTCP instead (RFC 5761 §4).
pub(super) fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, kind, ..] if first >> 6 == 2 && (192..=223).contains(kind))
}

/// What a sent packet's head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) payload_type: u8,
    pub(super) marker: bool,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
}

impl Head {
    /// The head on the wire.
    pub(super) fn bytes(&self) -> [u8; HEAD] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [c0, c1, c2, c3] = self.ssrc.to_be_bytes();
        let kind = (self.payload_type & 0x7F) | if self.marker { 0x80 } else { 0 };
        [0x80, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head() -> Head {
        Head { payload_type: 8, marker: true, sequence: 0xABCD, timestamp: 0x0102_0304, ssrc: 0xDEAD_BEEF }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = head().bytes().to_vec();
        bytes.extend([7; 160]);
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!((packet.payload_type, packet.marker, packet.sequence), (8, true, 0xABCD));
        assert_eq!(
            (packet.timestamp, packet.ssrc, packet.payload),
            (0x0102_0304, 0xDEAD_BEEF, &[7; 160][..])
        );
    }

    #[test]
    fn contributors_extension_and_padding_are_left_out() {
        let mut bytes = head().bytes().to_vec();
        bytes[0] = 0x80 | 0x20 | 0x10 | 2;
        bytes.extend([0; 8]);
        bytes.extend([0xBE, 0xDE, 0, 1, 1, 2, 3, 4]);
        bytes.extend([9, 9, 9, 0, 0, 3]);
        assert_eq!(Packet::parse(&bytes).unwrap().payload, &[9, 9, 9]);
    }

    #[test]
    fn a_lying_length_is_no_packet() {
        let mut bytes = head().bytes().to_vec();
        assert_eq!(Packet::parse(&bytes), None);
        bytes.extend([1, 2, 200]);
        bytes[0] |= 0x20;
        assert_eq!(Packet::parse(&bytes), None);
        bytes[0] = 0x8F;
        assert_eq!(Packet::parse(&bytes), None);
        assert_eq!(Packet::parse(&[0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xBE, 0xDE, 0xFF, 0xFF]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEAD <= bytes.len());
            }
            let _ = is_rtcp(&bytes);
        }
    }
}
