//! Starts the media thread.

use super::command::Link;
use super::handle::{Event, Limits, StartError};
use crate::clock::Clock;
use crate::config;
use std::net::SocketAddr;
use tokio::sync::mpsc;

/// Binds, starts the thread, returns the ways in and out.
pub(super) fn start(
    config: &config::Media,
    limits: Limits,
    clock: Clock,
) -> Result<(Link, mpsc::Receiver<Event>, SocketAddr), StartError> {
    let _ = (config, limits, clock);
    todo!("H4")
}
