//! One tenant's task: owns its floor, feeds it and carries out what it wants.

use super::floor::{Floor, Output, Proposal};
use super::{Desk, Event, EventKind, Operator, QueueError, Room, Snapshot};
use crate::calls::{self, CallError, Endpoint, Offer};
use crate::domain::account::Account;
use crate::domain::queue::Queue;
use crate::domain::{AccountId, OfferId, Presence, UnixMillis};
use crate::store::{StoreError, TenantStore};
use crate::task::{self, Phase};
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Presence changes waiting to be written.
const CHANGES: usize = 4096;
/// Presence changes written at once.
const BATCH: usize = 64;
/// How often a write or read that found the database busy is tried again, and how far apart.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// What the task is told.
pub(super) enum Command {
    Attach(AccountId, Endpoint),
    Detach(AccountId, Endpoint),
    Choose(AccountId, Presence, oneshot::Sender<Result<Operator, QueueError>>),
    Show(AccountId, oneshot::Sender<Result<Operator, QueueError>>),
    Snapshot(oneshot::Sender<Snapshot>),
    Refresh,
    /// What a refresh read, if it could.
    Configure(Option<Settings>),
    Call(calls::Event),
    /// Look at `behind`.
    CatchUp,
}

/// Queues and accounts as the store has them.
type Settings = (Vec<Queue>, Vec<Account>);

/// A presence change for the store.
type Change = (AccountId, Presence, &'static str, UnixMillis);

struct Tenant {
    room: Arc<Room>,
    store: Arc<TenantStore>,
    desk: Desk,
    floor: Floor,
    changes: mpsc::Sender<Change>,
    /// A refresh is being read; another is wanted after it.
    reading: bool,
    read_again: bool,
}

/// Serves one tenant until the daemon stops.
pub(super) async fn run(
    room: Arc<Room>,
    store: Arc<TenantStore>,
    desk: Desk,
    mut inbox: mpsc::Receiver<Command>,
) {
    let (changes, written) = mpsc::channel(CHANGES);
    task::spawn("queue_presence", write(Arc::clone(&store), written));
    let mut stop = room.stop.clone();
    let mut tenant =
        Tenant { room, store, desk, floor: Floor::default(), changes, reading: false, read_again: false };
    // Nothing is offered before it is known to whom.
    let Some((queues, accounts)) = read(&tenant.store).await else { return };
    tenant.floor.configure(tenant.now(), &queues, &accounts);
    loop {
        if tenant.desk.behind.swap(false, Ordering::Acquire) {
            let living = tenant.room.calls.snapshot(tenant.store.id());
            tenant.floor.resynchronise(tenant.now(), &living);
        }
        tenant.carry_out().await;
        let wake = tenant.floor.next_wake().map(|at| at - tenant.now());
        tokio::select! {
            command = inbox.recv() => match command {
                Some(command) => tenant.obey(command),
                None => return,
            },
            () = after(wake) => {
                let now = tenant.now();
                tenant.floor.wake(now);
            }
            () = stop.reached(Phase::Stopped) => return,
        }
    }
}

impl Tenant {
    fn now(&self) -> UnixMillis {
        self.room.clock.unix_millis()
    }

    fn obey(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::Attach(account, endpoint) => self.floor.attach(now, account, endpoint),
            Command::Detach(account, endpoint) => self.floor.detach(now, account, &endpoint),
            // Whoever asked may be gone: fine.
            Command::Choose(account, presence, reply) => {
                let _ = reply.send(self.floor.choose(now, account, presence));
            }
            Command::Show(account, reply) => {
                let _ = reply.send(self.floor.operator(account));
            }
            Command::Snapshot(reply) => {
                let _ = reply.send(self.floor.snapshot());
            }
            Command::Refresh => self.refresh(),
            Command::Configure(settings) => {
                if let Some((queues, accounts)) = settings {
                    self.floor.configure(now, &queues, &accounts);
                }
                self.reading = false;
                if std::mem::take(&mut self.read_again) {
                    self.refresh();
                }
            }
            Command::Call(event) => self.hear(now, event),
            Command::CatchUp => {}
        }
    }

    fn hear(&mut self, now: UnixMillis, event: calls::Event) {
        let call = event.call;
        match event.kind {
            calls::EventKind::Queued { queue, campaign, caller, since } => {
                if !self.floor.knows(queue) {
                    self.refresh();
                }
                self.floor.queued(now, call, queue, campaign, caller, since);
            }
            calls::EventKind::Dequeued { .. } => self.floor.dequeued(call),
            calls::EventKind::OfferEnded { account, outcome, .. } => {
                self.floor.offer_ended(now, call, account, outcome);
            }
            calls::EventKind::Bridged { .. } => {}
            calls::EventKind::Held { held, .. } => self.floor.held(now, call, held),
            calls::EventKind::Ended { .. } => self.floor.ended(now, call),
        }
    }

    /// Reads settings again in the background.
    fn refresh(&mut self) {
        if std::mem::replace(&mut self.reading, true) {
            self.read_again = true;
            return;
        }
        let (store, inbox) = (Arc::clone(&self.store), self.desk.inbox.clone());
        task::spawn("queue_settings", async move {
            let settings = read(&store).await;
            // The task is gone: fine.
            let _ = inbox.send(Command::Configure(settings)).await;
        });
    }

    async fn carry_out(&mut self) {
        while let Some(output) = self.floor.poll() {
            let kind = match output {
                Output::Offer(proposal) => match self.offer(proposal) {
                    Some(kind) => kind,
                    None => continue,
                },
                Output::Withdraw { call, account } => {
                    if let Err(error) = self.room.calls.refuse(self.store.id(), call, account) {
                        tracing::debug!(%error, "an offer could not be withdrawn");
                    }
                    continue;
                }
                Output::OfferEnded { call, account, outcome } => {
                    EventKind::OfferEnded { account, call, outcome }
                }
                Output::Presence { account, presence, reserved, reason } => {
                    if let Some(reason) = reason
                        && self.changes.send((account, presence, reason, self.now())).await.is_err()
                    {
                        tracing::error!("presence changes are no longer written");
                    }
                    EventKind::Presence { account, presence, reserved }
                }
                Output::Waiting { queue, waiting, longest_since } => {
                    EventKind::Waiting { queue, waiting, longest_since }
                }
            };
            self.tell(kind);
        }
    }

    fn tell(&self, kind: EventKind) {
        // Nobody listening is fine.
        let _ = self.room.events.send(Event { tenant: self.store.id(), at: self.now(), kind });
    }

    /// Makes an offer; what to tell of it when it rings.
    fn offer(&mut self, proposal: Proposal) -> Option<EventKind> {
        let Proposal {
            call,
            account,
            endpoint,
            queue,
            queue_name,
            campaign,
            caller,
            waited_ms,
            ring_seconds,
        } = proposal;
        let id = OfferId(Uuid::now_v7());
        let offer = Offer { id, account, endpoint, ring_seconds };
        let made = self.room.calls.offer(self.store.id(), call, offer);
        let now = self.now();
        match made {
            Ok(()) => {
                self.floor.offered(now, account);
                Some(EventKind::Offered {
                    offer: id,
                    account,
                    call,
                    queue,
                    queue_name,
                    campaign,
                    caller,
                    waited_ms,
                    ring_seconds,
                })
            }
            Err(error) => {
                self.floor.offer_failed(now, call, account, error == CallError::Busy);
                None
            }
        }
    }
}

/// Settings and accounts as the store has them; `None` when it can't be asked.
async fn read(store: &TenantStore) -> Option<Settings> {
    let both = async { Ok::<_, StoreError>((store.queues().await?, store.accounts().await?)) };
    let found =
        both.await.inspect_err(|error| tracing::error!(%error, "queues and accounts could not be read"));
    found.ok()
}

/// Writes presence changes, as many at once as wait.
async fn write(store: Arc<TenantStore>, mut changes: mpsc::Receiver<Change>) {
    let mut batch = Vec::new();
    while changes.recv_many(&mut batch, BATCH).await > 0 {
        let writes = batch.drain(..).map(|change| append(&store, change));
        join_all(writes).await;
    }
}

async fn append(store: &TenantStore, (account, presence, reason, at): Change) {
    for _ in 0..TRIES {
        match store.presence_append(account, presence, reason, at).await {
            Ok(()) => return,
            Err(StoreError::Busy) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                tracing::error!(%account, %error, "a presence change could not be written");
                return;
            }
        }
    }
    tracing::error!(%account, "a presence change could not be written: the database stayed busy");
}

async fn after(wait: Option<i64>) {
    match wait {
        Some(wait) => tokio::time::sleep(Duration::from_millis(wait.max(0).unsigned_abs())).await,
        None => std::future::pending().await,
    }
}
