//! The SIP core, sans IO: bytes, source and time in; actions out.
//!
//! Owns: messages and transactions (over sipx-sip, whose types no other room names),
//! dialogs, reliable provisionals, session timers, SDP offer and answer.
//! Refuses: sockets, clocks, audio, knowledge of tenants or calls.
//! May use: nothing of this crate but net.

pub mod sdp;
