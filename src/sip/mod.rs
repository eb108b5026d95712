//! The SIP core, sans IO: bytes, source and time in; actions out.
//!
//! Owns: messages and transactions (over sipx-sip, whose types no other room names),
//! dialogs, reliable provisionals, session timers, SDP offer and answer.
//! Refuses: sockets, clocks, audio, knowledge of tenants or calls.
//! May use: nothing of this crate but net.

mod action;
mod content;
mod core;
mod dialog;
mod gate;
mod identity;
mod in_dialog;
mod invite_client;
mod invite_server;
mod message;
mod peers;
mod random;
mod reliable;
mod reoffer;
mod requests;
mod salvage;
pub mod sdp;
mod sdp_build;
mod session_timer;
mod timers;
mod transaction;
mod uri;
mod via;

#[cfg(test)]
mod bench;
#[cfg(test)]
mod core_tests;
#[cfg(test)]
mod outbound_tests;
#[cfg(test)]
mod network_tests;
#[cfg(test)]
#[path = "../../tests/it/rfc4475_table.rs"]
pub(crate) mod rfc4475_table;
#[cfg(test)]
mod torture_tests;

pub use action::{Action, EndReason, Event, Invited, LegId, Outbound, Path, Standing, Transport};
pub use core::{Core, Settings, Status};
pub use uri::{Target, TargetError};
