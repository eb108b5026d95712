//! Offer and answer for a leg's audio (RFC 3264), G.711 only.

use crate::media::Companding;
use crate::media::handle::Remote;
use crate::sip::sdp::{Audio, Codec, Direction};
use std::net::SocketAddr;

/// The payload type we offer for telephone-event (dynamic, RFC 4733 §2.4.1).
const DIGITS: u8 = 101;

/// What both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    /// For the media thread.
    pub remote: Remote,
    /// For the peer, when it offered.
    pub answer: Audio,
}

/// Agrees with their description; `ours` is where we want RTP. Their most preferred law is
/// taken, or `keep` when they still speak it: a change in mid-call costs transcoding.
/// `None` when there is no codec in common or their stream is refused (port 0, RFC 3264 §6).
pub(super) fn agree(theirs: &Audio, ours: SocketAddr, keep: Option<Companding>) -> Option<Agreed> {
    let kept = theirs.codecs.iter().find(|(codec, _)| Some(law(*codec)) == keep);
    let (codec, payload_type) = kept.or_else(|| theirs.codecs.first()).copied()?;
    if theirs.address.port() == 0 {
        return None;
    }
    // A hold of the old kind: an address nothing can be sent to.
    let reachable = !theirs.address.ip().is_unspecified();
    let (send, receive, direction) = match theirs.direction {
        Direction::SendRecv => (reachable, true, Direction::SendRecv),
        Direction::SendOnly => (false, true, Direction::RecvOnly),
        Direction::RecvOnly => (reachable, false, Direction::SendOnly),
        Direction::Inactive => (false, false, Direction::Inactive),
    };
    Some(Agreed {
        remote: Remote {
            address: theirs.address,
            rtcp: theirs.rtcp,
            companding: law(codec),
            payload_type,
            digit_payload_type: theirs.digits,
            send,
            receive,
        },
        answer: Audio {
            address: ours,
            rtcp: None,
            codecs: vec![(codec, payload_type)],
            digits: theirs.digits,
            direction,
        },
    })
}

/// What we offer: both laws, `first` preferred so that a bridge needs no transcoding.
pub(super) fn offer(ours: SocketAddr, first: Companding) -> Audio {
    let (mu, a) = ((Codec::Pcmu, 0), (Codec::Pcma, 8));
    let codecs = match first {
        Companding::Mu => vec![mu, a],
        Companding::A => vec![a, mu],
    };
    Audio { address: ours, rtcp: None, codecs, digits: Some(DIGITS), direction: Direction::SendRecv }
}

fn law(codec: Codec) -> Companding {
    match codec {
        Codec::Pcmu => Companding::Mu,
        Codec::Pcma => Companding::A,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audio(address: &str, codecs: &[(Codec, u8)], direction: Direction) -> Audio {
        let address = address.parse().unwrap();
        Audio { address, rtcp: None, codecs: codecs.to_vec(), digits: Some(96), direction }
    }

    #[test]
    fn their_first_law_is_taken_and_answered_alone() {
        let ours = "192.0.2.1:20000".parse().unwrap();
        let both = [(Codec::Pcma, 8), (Codec::Pcmu, 0)];
        let theirs = audio("192.0.2.9:4000", &both, Direction::SendRecv);
        let agreed = agree(&theirs, ours, None).unwrap();
        assert_eq!(agreed.answer.codecs, [(Codec::Pcma, 8)]);
        assert_eq!((agreed.answer.address, agreed.answer.digits), (ours, Some(96)));
        assert_eq!(agreed.remote.companding, Companding::A);
        let kept = agree(&theirs, ours, Some(Companding::Mu)).unwrap();
        assert_eq!(kept.answer.codecs, [(Codec::Pcmu, 0)], "a re-offer keeps the law in use");
    }

    #[test]
    fn holds_are_mirrored() {
        let ours = "192.0.2.1:20000".parse().unwrap();
        let cases = [
            ("192.0.2.9:4000", Direction::SendRecv, Direction::SendRecv, true, true),
            ("192.0.2.9:4000", Direction::SendOnly, Direction::RecvOnly, false, true),
            ("192.0.2.9:4000", Direction::RecvOnly, Direction::SendOnly, true, false),
            ("192.0.2.9:4000", Direction::Inactive, Direction::Inactive, false, false),
            ("0.0.0.0:4000", Direction::SendRecv, Direction::SendRecv, false, true),
            ("[::]:4000", Direction::RecvOnly, Direction::SendOnly, false, false),
        ];
        for (address, theirs, answer, send, receive) in cases {
            let agreed = agree(&audio(address, &[(Codec::Pcmu, 0)], theirs), ours, None).unwrap();
            let found = (agreed.answer.direction, agreed.remote.send, agreed.remote.receive);
            assert_eq!(found, (answer, send, receive), "{address} {theirs:?}");
        }
    }

    #[test]
    fn nothing_in_common_is_no_agreement() {
        let ours = "192.0.2.1:20000".parse().unwrap();
        assert_eq!(agree(&audio("192.0.2.9:4000", &[], Direction::SendRecv), ours, None), None);
        let refused = audio("192.0.2.9:0", &[(Codec::Pcmu, 0)], Direction::SendRecv);
        assert_eq!(agree(&refused, ours, None), None);
    }

    #[test]
    fn our_offer_prefers_the_callers_law() {
        let ours = "192.0.2.1:20000".parse().unwrap();
        assert_eq!(offer(ours, Companding::A).codecs, [(Codec::Pcma, 8), (Codec::Pcmu, 0)]);
        assert_eq!(offer(ours, Companding::Mu).codecs, [(Codec::Pcmu, 0), (Codec::Pcma, 8)]);
    }
}
