//! What goes into the core and what comes out of it.

use super::sdp::Audio;
use super::uri::Target;
use bytes::Bytes;
use std::net::SocketAddr;

/// One SIP party of ours: a dialog or one being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub u64);

/// How bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams; the core retransmits.
    Udp,
    /// A stream; the core doesn't.
    Tcp,
}

/// A way to a peer, as the driver of the core knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Datagram or stream.
    pub transport: Transport,
    /// UDP: which listener. TCP: which connection; 0 when one is still to be made.
    pub flow: u64,
    /// The peer, IPv4-mapped addresses folded.
    pub peer: SocketAddr,
    /// The address of ours that the peer can reach: what goes into Via and Contact.
    pub advertised: SocketAddr,
}

/// What a source may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A trunk: it may start calls.
    Trunk,
    /// The other side of a leg of ours: it may answer and speak within dialogs; everything else
    /// of it is dropped without an answer.
    Peer,
}

/// What the driver has to do. Drain them after every input.
#[derive(Clone, Debug)]
pub enum Action {
    /// Send these bytes there.
    Send(Path, Bytes),
    /// Tell the owner of the calls.
    Tell(Event),
}

/// A new call.
#[derive(Clone, Debug)]
pub struct Invited {
    /// Its leg.
    pub leg: LegId,
    /// How it came.
    pub path: Path,
    /// Caller's user part or tel: number; `None` when withheld.
    pub caller: Option<String>,
    /// User part or tel: number of the Request-URI.
    pub called: String,
    /// The audio offered, if there was an offer.
    pub offer: Option<Audio>,
}

/// What happened to a leg.
#[derive(Clone, Debug)]
pub enum Event {
    /// A new call; 100 has gone out.
    Invited(Box<Invited>),
    /// The caller gave up before an answer; 487 has gone out.
    Cancelled(LegId),
    /// Our 2xx was acknowledged; with the answer if we had offered.
    Confirmed(LegId, Option<Audio>),
    /// The first 101–199 to our INVITE.
    Ringing(LegId),
    /// 2xx to our INVITE, acknowledged by us.
    Answered(LegId, Audio),
    /// Our INVITE failed with this status.
    Failed(LegId, u16),
    /// The peer wants to change its audio; `None` asks for our offer.
    Reoffered(LegId, Option<Audio>),
    /// The dialog is over.
    Ended(LegId, EndReason),
}

/// Why a dialog ended on the other side or by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The peer sent BYE.
    Bye,
    /// Our 2xx was never acknowledged, or without the answer it owed; we sent BYE.
    AckLost,
    /// No refresh in time; we sent BYE.
    SessionExpired,
    /// The transport failed for good, or the peer no longer knows the dialog.
    Transport,
}

/// An outbound leg to make.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Its leg; the caller of the core numbers these, odd.
    pub leg: LegId,
    /// Request-URI.
    pub target: Target,
    /// How to get there.
    pub path: Path,
    /// User part of From, or `anonymous`.
    pub caller: String,
    /// What we offer.
    pub offer: Audio,
}
