//! Audio: the packet path, without tokio, allocation or locks per packet.
//!
//! Owns: the media thread with its sockets (one RTP/RTCP pair a SIP leg, one UDP port for
//! all browsers), legs, bridges, prompts, music, digits, G.711, and the tap that a
//! recording hangs on.
//! Refuses: signalling, files, knowledge of calls, tenants or recordings.
//! May use: config, net, clock, domain (for `UnixMillis`).

mod bridge;
mod browser;
mod command;
mod demux;
mod dtmf;
mod engine;
mod g711;
pub mod handle;
mod latch;
mod leg;
mod news;
mod outbound;
mod perform;
mod play;
mod ports;
mod receive;
mod resample;
mod rtcp;
mod rtp;
mod slots;
mod stats;
pub mod tap;
mod timeline;
mod timers;
mod turn;
pub mod wav;

#[cfg(test)]
mod tests;

pub use handle::{
    Digit, Event, EventKind, LegId, LegStats, Limits, Media, MediaError, Opened, PlayId, Remote, Sound,
    StartError,
};
pub use tap::{Companding, Recorded, TapSink};
