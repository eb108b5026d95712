//! Calls: the registry, and one driver task a call.
//!
//! Owns: every living call's machine ([`crate::domain::call`]), its legs, its timers; the
//! commit of what became of it. Refuses: choosing operators (that is `queues`), SQL, packets.
//! May use: signalling, recordings, store, domain, sip::sdp, media, clock, task.

mod admit;
mod carry;
mod dispatch;
mod driver;
mod journal;
mod music;
mod negotiate;
mod operator;
mod registry;

use crate::clock::Clock;
use crate::domain::{
    AccountId, CallId, CampaignId, CustomerId, OfferId, QueueId, RecordingId, Scope, TenantId, UnixMillis,
    record::Fate,
};
use crate::media::{self, LegId, Media, TapSink};
use crate::recordings::Recordings;
use crate::signalling::{self, Signalling};
use crate::store::Store;
use crate::task::{self, Stop};
use admit::Flows;
use registry::Registry;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc};

pub use crate::domain::call::OfferOutcome;

/// Events a listener may lag behind before it is told so.
const EVENTS: usize = 4096;

/// Makes the daemon's own scope of a tenant; `app` hands in `Access::daemon_scope`.
pub type Scopes = Arc<dyn Fn(TenantId) -> Scope + Send + Sync>;

/// What [`Calls::start`] needs.
pub struct Parts {
    /// Numbers, flows, queues, prompts; the calls' own rows.
    pub store: Store,
    /// Where SIP commands go.
    pub signalling: Signalling,
    /// Where SIP news comes from; `calls` is its one reader.
    pub signalling_events: mpsc::Receiver<signalling::Event>,
    /// Where media commands go.
    pub media: Media,
    /// Where media news comes from; `calls` is its one reader and passes browsers' coming
    /// and going on by [`Calls::browsers`].
    pub media_events: mpsc::Receiver<media::Event>,
    /// Begins recordings.
    pub recordings: Recordings,
    /// Makes the scope by which a caller's number is looked up.
    pub scopes: Scopes,
    /// Time.
    pub clock: Clock,
    /// `Draining`: new calls get 503. `Stopped`: living calls are hung up.
    pub stop: Stop,
}

/// What a waiting call tells `queues`, and every call tells the screens. Broadcast; a slow
/// listener is told it lagged and resynchronises by [`Calls::snapshot`].
#[derive(Clone, Debug)]
pub struct Event {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub call: CallId,
    /// When, wall clock.
    pub at: UnixMillis,
    /// What.
    pub kind: EventKind,
}

/// What happened to a call.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// Entered a queue and hears music.
    Queued {
        /// Which queue.
        queue: QueueId,
        /// Its campaign.
        campaign: CampaignId,
        /// Caller's number in E.164, or as given, or empty when withheld.
        caller: String,
        /// Since when it waits; a call that comes back to a queue keeps its place.
        since: UnixMillis,
    },
    /// Left the queue without an operator: caller gone, or the flow went on.
    Dequeued {
        /// Which queue.
        queue: QueueId,
    },
    /// An offer ended.
    OfferEnded {
        /// Which offer.
        offer: OfferId,
        /// To whom it was made.
        account: AccountId,
        /// How.
        outcome: OfferOutcome,
    },
    /// Operator and caller are bridged.
    Bridged {
        /// Who answered.
        account: AccountId,
        /// The queue it came from.
        queue: QueueId,
        /// Its recording, if recorded.
        recording: Option<RecordingId>,
    },
    /// The operator put the customer on hold, or took them back.
    Held {
        /// Who did.
        account: AccountId,
        /// On hold now.
        held: bool,
    },
    /// Over and committed.
    Ended {
        /// How.
        fate: Fate,
        /// The operator who had it.
        account: Option<AccountId>,
        /// The queue it was in last.
        queue: Option<QueueId>,
    },
}

/// Where an operator hears a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The browser's standing leg.
    Browser(LegId),
    /// A static SIP contact.
    Sip(String),
}

/// An offer that `queues` makes of a waiting call.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its id, made by `queues`.
    pub id: OfferId,
    /// To whom.
    pub account: AccountId,
    /// Where they hear it.
    pub endpoint: Endpoint,
    /// Seconds it rings.
    pub ring_seconds: u32,
}

/// Why a call can't do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No such living call in that tenant.
    #[error("no such call")]
    NotFound,
    /// It is not in a state for that (not waiting, not offered to this account).
    #[error("the call is not in a state for that")]
    State,
    /// Its queue is full.
    #[error("the call is busy")]
    Busy,
}

/// A living call as lists show it.
#[derive(Clone, Debug)]
pub struct Live {
    /// Which.
    pub call: CallId,
    /// Whose.
    pub tenant: TenantId,
    /// Caller's number or empty. Personal data.
    pub caller: String,
    /// Dialled number.
    pub called: String,
    /// Campaign once known.
    pub campaign: Option<CampaignId>,
    /// Queue once known.
    pub queue: Option<QueueId>,
    /// Operator once offered or bridged.
    pub operator: Option<AccountId>,
    /// `prompt`, `queued`, `ringing`, `talking`, `ending`.
    pub state: &'static str,
    /// INVITE seen.
    pub started_at: UnixMillis,
    /// Waits, or waited, in its queue since.
    pub queued_at: Option<UnixMillis>,
    /// Bridged to its operator.
    pub answered_at: Option<UnixMillis>,
    /// Its customer, once found by number.
    pub customer: Option<CustomerId>,
    /// Its recording, once bridged.
    pub recording: Option<RecordingId>,
    /// On hold, while it talks.
    pub held: bool,
    /// Its operator is muted.
    pub muted: bool,
}

/// What an operator or an administrator wants of a call.
#[derive(Debug)]
enum Command {
    Offer(Offer),
    Accept(AccountId),
    Refuse(AccountId),
    HangUp(Option<AccountId>),
    Mute(AccountId, bool),
    Hold(AccountId, bool),
}

/// One thing a call's driver hears of.
enum News {
    Signalling(signalling::Event),
    Media(media::Event),
    Command(Command),
    /// The recording of that offer's bridge, or that there can be none.
    Recording(OfferId, Option<(RecordingId, Box<dyn TapSink>)>),
    /// Whose number the caller's is.
    Customer(CustomerId),
}

/// What the drivers share.
struct Room {
    store: Store,
    signalling: Signalling,
    media: Media,
    recordings: Recordings,
    scopes: Scopes,
    clock: Clock,
    registry: Registry,
    events: broadcast::Sender<Event>,
    browsers: broadcast::Sender<media::Event>,
    flows: Flows,
    music: Arc<[i16]>,
}

impl Room {
    fn tell(&self, tenant: TenantId, call: CallId, kind: EventKind) {
        // Nobody listening is fine.
        let _ = self.events.send(Event { tenant, call, at: self.clock.unix_millis(), kind });
    }
}

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Calls {
    room: Arc<Room>,
}

impl Calls {
    /// Starts the room: a dispatcher task now, a driver task with each call. Must be called
    /// on a tokio runtime.
    pub fn start(parts: Parts) -> Self {
        let room = Arc::new(Room {
            store: parts.store,
            signalling: parts.signalling,
            media: parts.media,
            recordings: parts.recordings,
            scopes: parts.scopes,
            clock: parts.clock,
            registry: Registry::new(),
            events: broadcast::Sender::new(EVENTS),
            browsers: broadcast::Sender::new(EVENTS),
            flows: Flows::default(),
            music: music::melody(),
        });
        let dispatch =
            dispatch::run(Arc::clone(&room), parts.signalling_events, parts.media_events, parts.stop);
        task::spawn("calls", dispatch);
        Self { room }
    }
    /// Returns once no call lives (every one ended and committed).
    pub async fn idle(&self) {
        self.room.registry.idle().await;
    }
    /// Hears every browser leg's `Connected` and `Gone`, in a call or not.
    pub fn browsers(&self) -> broadcast::Receiver<media::Event> {
        self.room.browsers.subscribe()
    }
    /// Offers a waiting call to an operator; its end comes as [`EventKind::OfferEnded`].
    pub fn offer(&self, tenant: TenantId, call: CallId, offer: Offer) -> Result<(), CallError> {
        self.room.registry.offer(tenant, call, offer)
    }
    /// The operator takes the offer (browser). SIP contacts answer by SIP.
    pub fn accept(&self, tenant: TenantId, call: CallId, account: AccountId) -> Result<(), CallError> {
        self.room.registry.command(tenant, call, Some(account), Command::Accept(account))
    }
    /// The operator refuses the offer.
    pub fn refuse(&self, tenant: TenantId, call: CallId, account: AccountId) -> Result<(), CallError> {
        self.room.registry.command(tenant, call, Some(account), Command::Refuse(account))
    }
    /// Ends a call: by its operator (`Some`, who must be on it) or by an administrator (`None`).
    pub fn hang_up(&self, tenant: TenantId, call: CallId, by: Option<AccountId>) -> Result<(), CallError> {
        self.room.registry.command(tenant, call, by, Command::HangUp(by))
    }
    /// The operator mutes or unmutes themselves.
    pub fn mute(
        &self,
        tenant: TenantId,
        call: CallId,
        account: AccountId,
        muted: bool,
    ) -> Result<(), CallError> {
        self.room.registry.command(tenant, call, Some(account), Command::Mute(account, muted))
    }
    /// The operator puts the customer on hold with music, or resumes. Still one recording.
    pub fn hold(
        &self,
        tenant: TenantId,
        call: CallId,
        account: AccountId,
        held: bool,
    ) -> Result<(), CallError> {
        self.room.registry.command(tenant, call, Some(account), Command::Hold(account, held))
    }
    /// Living calls of a tenant, oldest first.
    pub fn snapshot(&self, tenant: TenantId) -> Vec<Live> {
        self.room.registry.snapshot(tenant)
    }
    /// Calls, SIP legs and media legs still on the books.
    #[cfg(test)]
    pub(crate) fn leftovers(&self) -> (usize, usize, usize) {
        self.room.registry.sizes()
    }
    /// Hears every event from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.room.events.subscribe()
    }
}
