//! Audio: the packet path, without tokio, allocation or locks per packet.
//!
//! Owns: the media thread with its sockets (one RTP/RTCP pair a SIP leg, one UDP port for
//! all browsers), legs, bridges, prompts, music, digits, G.711, and the tap that a
//! recording hangs on.
//! Refuses: signalling, files, knowledge of calls, tenants or recordings.
//! May use: config, net, clock.

mod command;
mod engine;
pub mod handle;
pub mod tap;
pub mod wav;

pub use handle::{
    Digit, Event, EventKind, LegId, LegStats, Limits, Media, MediaError, Opened, PlayId, Remote, Sound,
    StartError,
};
pub use tap::{Companding, Recorded, TapSink};
