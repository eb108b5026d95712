//! The handle: commands for the core task.

use super::local::LocalAddresses;
use super::{Invite, SignallingError, SipLegId};
use crate::sip::Target;
use crate::sip::sdp::Audio;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// What the core task is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    Ring(SipLegId),
    Accept(SipLegId, Audio),
    Reject(SipLegId, u16),
    HangUp(SipLegId),
    Invite { leg: SipLegId, target: Target, caller: String, offer: Audio },
}

/// A handle on the signalling task. Cheap to clone; commands are `try_send`.
#[derive(Clone, Debug)]
pub struct Signalling {
    commands: mpsc::Sender<Command>,
    legs: Arc<AtomicU64>,
    local: Arc<LocalAddresses>,
}

impl Signalling {
    pub(super) fn new(commands: mpsc::Sender<Command>, local: Arc<LocalAddresses>) -> Self {
        // Odd; the core numbers the legs of callers, even.
        Self { commands, legs: Arc::new(AtomicU64::new(1)), local }
    }

    /// Sends 180 on a leg that was invited.
    pub fn ring(&self, leg: SipLegId) -> Result<(), SignallingError> {
        self.command(Command::Ring(leg))
    }

    /// 200 with `audio`: the answer to the offer, or our offer when there was none; answers a
    /// re-offer likewise. Payload types of an answer are the offerer's, whatever `audio` says;
    /// behind NAT the public address takes the place of the local one.
    pub fn accept(&self, leg: SipLegId, audio: Audio) -> Result<(), SignallingError> {
        self.command(Command::Accept(leg, audio))
    }

    /// A final refusal (4xx–6xx) of an INVITE or re-offer. 503 carries Retry-After.
    pub fn reject(&self, leg: SipLegId, status: u16) -> Result<(), SignallingError> {
        self.command(Command::Reject(leg, status))
    }

    /// Ends a leg whatever its state: CANCEL, BYE, or 480 to an unanswered one. No event follows
    /// for that leg, but for what was under way already.
    pub fn hang_up(&self, leg: SipLegId) -> Result<(), SignallingError> {
        self.command(Command::HangUp(leg))
    }

    /// Starts an outbound leg; its id is known at once, its fate comes as events.
    pub fn invite(&self, invite: Invite) -> Result<SipLegId, SignallingError> {
        let target = Target::parse(&invite.target).map_err(|_| SignallingError::Target)?;
        let leg = SipLegId(self.legs.fetch_add(2, Ordering::Relaxed));
        self.command(Command::Invite { leg, target, caller: invite.caller, offer: invite.offer })?;
        Ok(leg)
    }

    /// The local address that packets to `target` leave from, for SDP.
    pub fn local_for(&self, target: &str) -> Result<IpAddr, SignallingError> {
        let target = Target::parse(target).map_err(|_| SignallingError::Target)?;
        self.local.toward(target.address.ip()).ok_or(SignallingError::Target)
    }

    fn command(&self, command: Command) -> Result<(), SignallingError> {
        self.commands.try_send(command).map_err(|_| SignallingError::Busy)
    }
}
