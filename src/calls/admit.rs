//! From an INVITE to a call that can begin: whose number, which flow, which queues.

use super::Room;
use super::negotiate::{self, Agreed};
use crate::domain::call::{Bar, Machine};
use crate::domain::flow::{FlowDocument, shape};
use crate::domain::route::{FlowVersion, Number};
use crate::domain::tenant::Tenant;
use crate::domain::{FlowId, PhoneNumber};
use crate::media::handle::Opened;
use crate::signalling::Invited;
use crate::store::{StoreError, TenantStore};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Flows kept as read; the cache is emptied when it is full.
const FLOWS: usize = 1024;

/// Flows as read, by version: a version never changes.
#[derive(Debug, Default)]
pub(super) struct Flows(Mutex<HashMap<FlowId, Arc<FlowDocument>>>);

impl Flows {
    fn read(&self, version: &FlowVersion) -> Option<Arc<FlowDocument>> {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flow) = flows.get(&version.id) {
            return Some(Arc::clone(flow));
        }
        let flow = FlowDocument::parse(&version.document).ok().filter(|flow| shape(flow).is_empty())?;
        if flows.len() >= FLOWS {
            flows.clear();
        }
        let flow = Arc::new(flow);
        flows.insert(version.id, Arc::clone(&flow));
        Some(flow)
    }
}

/// Whose the dialled number is: its row and the tenant's database. Tried as E.164 in each
/// tenant region, then as dialled.
pub(super) async fn route(
    room: &Room,
    invited: &Invited,
) -> Result<Option<(Number, Arc<TenantStore>)>, StoreError> {
    let system = room.store.system();
    let regions: BTreeSet<String> =
        room.store.tenants().iter().map(|store| store.tenant().region.clone()).collect();
    for region in regions {
        let Some(e164) = PhoneNumber::normalise(&invited.called, &region) else { continue };
        if let Some(number) = system.number_route(invited.trunk, e164.as_str()).await? {
            let store = room.store.tenant(number.tenant)?;
            if store.tenant().region == region || invited.called.starts_with('+') {
                return Ok(Some((number, store)));
            }
        }
    }
    match system.number_route(invited.trunk, &invited.called).await? {
        Some(number) => {
            let store = room.store.tenant(number.tenant)?;
            Ok(Some((number, store)))
        }
        None => Ok(None),
    }
}

/// The caller's number as records show it: E.164, or as given, or empty when withheld.
pub(super) fn caller(invited: &Invited, tenant: &Tenant) -> (String, Option<PhoneNumber>) {
    let Some(given) = &invited.caller else { return (String::new(), None) };
    match PhoneNumber::normalise(given, &tenant.region) {
        Some(phone) => (phone.as_str().to_owned(), Some(phone)),
        None => (given.chars().filter(|c| !c.is_control()).collect(), None),
    }
}

/// The machine of a call to `number`, or why it can't be taken. A database that can't be
/// asked bars the call as a broken flow does.
pub(super) async fn machine(room: &Room, number: &Number, store: &TenantStore) -> Result<Machine, Bar> {
    let broken = |error: StoreError| {
        tracing::error!(%error, number = %number.id, "a call's flow could not be read");
        Bar::BrokenFlow
    };
    let version = store.flow_current(&number.flow).await.map_err(broken)?.ok_or(Bar::BrokenFlow)?;
    let flow = room.flows.read(&version).ok_or(Bar::BrokenFlow)?;
    let names: Vec<String> = flow.queues().map(str::to_owned).collect();
    let mut queues = BTreeMap::new();
    for (name, facts) in names.iter().zip(store.queue_facts(names.clone()).await.map_err(broken)?) {
        let facts = facts.ok_or(Bar::BrokenFlow)?;
        if facts.recorded && !room.recordings.admits(store.id()) {
            return Err(Bar::NoSpool);
        }
        queues.insert(name.clone(), facts);
    }
    Ok(Machine::new(flow, Arc::new(queues)))
}

/// The customer's media leg, and what was agreed if they offered.
pub(super) async fn media(
    room: &Room,
    invited: &Invited,
) -> Result<(Opened, SocketAddr, Option<Agreed>), Bar> {
    let opened = room.media.open(invited.local).await.map_err(|error| {
        tracing::warn!(%error, "a call was refused");
        Bar::NoMedia
    })?;
    let ours = SocketAddr::new(invited.local, opened.port);
    let agreed = match &invited.offer {
        Some(offer) => match negotiate::agree(offer, ours, None) {
            Some(agreed) => Some(agreed),
            None => {
                room.media.close(opened.leg);
                return Err(Bar::NoCodec);
            }
        },
        None => None,
    };
    Ok((opened, ours, agreed))
}
