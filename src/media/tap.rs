//! The tap of a bridge: where recorded audio leaves the media thread.

use serde::{Deserialize, Serialize};

/// G.711's two laws (ITU-T G.711), with their static RTP payload types (RFC 3551 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Companding {
    /// µ-law, payload type 0.
    Mu,
    /// A-law, payload type 8.
    A,
}

/// Receives a bridge's audio on the media thread. An implementation never blocks: it copies
/// into a buffer of its own and hands full buffers on by `try_send`.
pub trait TapSink: Send {
    /// `samples` is interleaved stereo µ-law at 8 kHz: left (customer), right (operator),
    /// left, right … ; contiguous with the previous call, silence filled in where a packet
    /// never came. At most 500 ms a call.
    fn write(&mut self, samples: &[u8]);
    /// The bridge is over; nothing follows.
    fn end(&mut self);
}

/// Whether a bridge is recorded, said aloud by whoever makes one: there is no default.
pub enum Recorded {
    /// Into this sink, from the first sample.
    Into(Box<dyn TapSink>),
    /// The queue's policy says not to record.
    ByPolicyNot,
}
