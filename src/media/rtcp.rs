//! RTCP (RFC 3550 §6): reports written every five seconds, and what peers send read.

use super::stats::Block;
use crate::domain::UnixMillis;

/// From 1900, where NTP counts from, to 1970.
const NTP_EPOCH_SECONDS: u64 = 2_208_988_800;
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;

/// What we sent, for a sender report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) at: UnixMillis,
    pub(super) timestamp: u32,
    pub(super) packets: u32,
    pub(super) octets: u32,
}

/// One thing a peer's compound packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A sender report, with the middle 32 bits of its NTP time.
    Report { ssrc: u32, middle: u32 },
    /// This source is gone (RFC 3550 §6.6).
    Bye { ssrc: u32 },
}

/// Writes a compound packet over what `out` held: a report (SR when something was sent, else RR)
/// and the canonical name, with a BYE at the end of a leg.
pub(super) fn write(
    out: &mut Vec<u8>,
    ssrc: u32,
    sent: Option<Sent>,
    block: Option<Block>,
    name: &str,
    bye: bool,
) {
    out.clear();
    let blocks = u8::from(block.is_some());
    let words = 1 + if sent.is_some() { 5 } else { 0 } + u16::from(blocks) * 6;
    head(out, blocks, if sent.is_some() { SENDER_REPORT } else { RECEIVER_REPORT }, words);
    out.extend(ssrc.to_be_bytes());
    if let Some(sent) = sent {
        let millis = sent.at.max(0) as u64;
        out.extend(((millis / 1000 + NTP_EPOCH_SECONDS) as u32).to_be_bytes());
        out.extend((((millis % 1000) << 32) / 1000).to_be_bytes().split_at(4).1);
        for word in [sent.timestamp, sent.packets, sent.octets] {
            out.extend(word.to_be_bytes());
        }
    }
    if let Some(block) = block {
        out.extend(block.ssrc.to_be_bytes());
        out.extend(((u32::from(block.fraction_lost) << 24) | (block.lost & 0xFF_FFFF)).to_be_bytes());
        for word in [block.highest, block.jitter, block.last_report, block.delay] {
            out.extend(word.to_be_bytes());
        }
    }
    describe(out, ssrc, name);
    if bye {
        head(out, 1, BYE, 1);
        out.extend(ssrc.to_be_bytes());
    }
}

fn describe(out: &mut Vec<u8>, ssrc: u32, name: &str) {
    let name: Vec<u8> = name.bytes().take(32).collect();
    // Source, item (type, length, text), then one to four zeros up to the word.
    let words = (4 + 2 + name.len()) / 4 + 1;
    head(out, 1, DESCRIPTION, words as u16);
    let start = out.len();
    out.extend(ssrc.to_be_bytes());
    out.extend([1, name.len() as u8]);
    out.extend(&name);
    out.resize(start + words * 4, 0);
}

fn head(out: &mut Vec<u8>, count: u8, kind: u8, words: u16) {
    out.extend([0x80 | count, kind]);
    out.extend(words.to_be_bytes());
}

/// Walks a compound packet; stops at the first thing that makes no sense.
pub(super) fn read(mut bytes: &[u8], mut heard: impl FnMut(Heard)) {
    while let Some(([flags, kind, l0, l1], rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([*l0, *l1])) * 4;
        let (2, Some((body, next))) = (flags >> 6, rest.split_at_checked(length)) else { return };
        match (*kind, body.first_chunk::<16>()) {
            (SENDER_REPORT, Some([a, b, c, d, _, _, e, f, g, h, _, _, _, _, _, _])) => heard(Heard::Report {
                ssrc: u32::from_be_bytes([*a, *b, *c, *d]),
                middle: u32::from_be_bytes([*e, *f, *g, *h]),
            }),
            (BYE, _) => {
                for source in body.chunks_exact(4).take(usize::from(flags & 0x1F)) {
                    if let Some(ssrc) = source.first_chunk::<4>() {
                        heard(Heard::Bye { ssrc: u32::from_be_bytes(*ssrc) });
                    }
                }
            }
            _ => {}
        }
        bytes = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block() -> Block {
        Block {
            ssrc: 9,
            fraction_lost: 64,
            lost: 3,
            highest: 70_000,
            jitter: 8,
            last_report: 0xABCD,
            delay: 65_536,
        }
    }

    #[test]
    fn a_compound_packet_is_read_back() {
        let mut out = Vec::new();
        // 0.5 s is half of the fraction's range.
        let sent = Sent { at: 1_500, timestamp: 160, packets: 2, octets: 320 };
        write(&mut out, 7, Some(sent), Some(block()), "abcde", true);
        assert_eq!(out.len() % 4, 0);
        assert_eq!(&out[..4], [0x81, 200, 0, 12]);
        assert_eq!(&out[8..16], [0x83, 0xAA, 0x7E, 0x81, 0x80, 0, 0, 0]);
        let mut heard = Vec::new();
        read(&out, |item| heard.push(item));
        assert_eq!(heard, [Heard::Report { ssrc: 7, middle: 0x7E81_8000 }, Heard::Bye { ssrc: 7 }]);
    }

    #[test]
    fn a_silent_leg_reports_as_receiver() {
        let mut out = Vec::new();
        for length in 0..20 {
            write(&mut out, 7, None, None, &"n".repeat(length), false);
            assert_eq!(&out[..8], [0x80, 201, 0, 1, 0, 0, 0, 7]);
            let words = usize::from(u16::from_be_bytes([out[10], out[11]]));
            assert_eq!(out.len(), 8 + 4 + words * 4);
            assert_eq!(out.last(), Some(&0), "an SDES chunk ends in a zero");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut items = 0;
            read(&bytes, |_| items += 1);
            prop_assert!(items <= bytes.len());
        }
    }
}
