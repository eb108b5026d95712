//! One request on its way through a verb: what it may touch, and its line in the audit.

use super::Desk;
use super::dispatch::{Body, Peer};
use super::refusal::store;
use crate::audit::{Entry, Outcome as Audited};
use crate::domain::tenant::Tenant;
use crate::domain::{Scope, TenantId};
use crate::store::TenantStore;
use crate::wire::{Ask, Change, Code, Envelope, Failure, Outcome};
use bytes::Bytes;
use serde::Deserialize;
use std::sync::Arc;

/// What a verb yields.
pub(super) enum Reply {
    /// The contract's JSON.
    Json(Vec<u8>),
    /// A WAV.
    Audio(Body),
}

/// What a noun's `answer` yields: `None` when it has no such verb.
pub(super) type Answered = Option<Result<Reply, Failure>>;

/// One request.
pub(super) struct Act {
    pub(super) desk: Arc<Desk>,
    pub(super) dry_run: bool,
    /// The file that came with it.
    pub(super) file: Bytes,
    /// Id of the thing, for the audit.
    pub(super) object: String,
    /// Zone of the tenant worked in, for the reply.
    pub(super) time_zone: Option<String>,
    peer: Peer,
    line: Bytes,
    slug: Option<String>,
    tenant: Option<TenantId>,
}

/// The tenant a verb works in, with everything of it within reach.
pub(super) struct Inside {
    pub(super) store: Arc<TenantStore>,
    pub(super) tenant: Tenant,
    pub(super) scope: Scope,
}

/// What every request's JSON may have.
#[derive(Deserialize)]
struct Common {
    tenant: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

impl Act {
    /// Takes a request's body apart.
    pub(super) fn new(desk: &Arc<Desk>, peer: Peer, body: Bytes, takes_file: bool) -> Result<Self, Failure> {
        let end =
            if takes_file { body.iter().position(|b| *b == b'\n').unwrap_or(body.len()) } else { body.len() };
        let line = body.slice(..end);
        let file = body.slice((end + 1).min(body.len())..);
        let common: Common = serde_json::from_slice(&line).map_err(|e| malformed(&e))?;
        let desk = Arc::clone(desk);
        let (slug, dry_run) = (common.tenant, common.dry_run);
        Ok(Self {
            desk,
            dry_run,
            file,
            object: String::new(),
            time_zone: None,
            peer,
            line,
            slug,
            tenant: None,
        })
    }

    /// The tenant named, or the only one there is.
    pub(super) fn inside(&mut self) -> Result<Inside, Failure> {
        let tenant = match &self.slug {
            Some(slug) => {
                self.desk.store.tenant_by_slug(slug).ok_or_else(|| Failure::not_found("tenant", slug))?
            }
            None => match self.desk.store.tenants().as_slice() {
                [only] => only.tenant().clone(),
                [] => {
                    return Err(Failure::new(
                        Code::NotFound,
                        "there is no tenant yet; make one with 'bbctl tenant create'",
                    ));
                }
                _ => return Err(Failure::usage("there are several tenants; name one with --tenant")),
            },
        };
        self.tenant = Some(tenant.id);
        self.time_zone = Some(tenant.time_zone.clone());
        let store = self.desk.store.tenant(tenant.id).map_err(store)?;
        let scope = self.desk.access.control_scope(tenant.id);
        Ok(Inside { store, tenant, scope })
    }

    /// Runs a verb that changes nothing and shows nobody's personal data.
    pub(super) async fn read<A: Ask>(
        &mut self,
        verb: impl AsyncFnOnce(&mut Self, A) -> Result<A::Reply, Failure>,
    ) -> Answered {
        Some(self.run(verb).await.and_then(|reply| json(&reply)))
    }

    /// Runs a verb that shows personal data: audited, and not shown when it can't be.
    pub(super) async fn view<A: Ask>(
        &mut self,
        verb: impl AsyncFnOnce(&mut Self, A) -> Result<A::Reply, Failure>,
    ) -> Answered {
        let done = self.run(verb).await;
        let written = self.write_down(A::ACTION, done.as_ref().err()).await;
        Some(done.and_then(|reply| written.and_then(|()| json(&reply))))
    }

    /// Runs a verb that changes something: audited whatever comes of it, unless it is a rehearsal.
    pub(super) async fn mutate<A: Ask>(
        &mut self,
        verb: impl AsyncFnOnce(&mut Self, A) -> Result<A::Reply, Failure>,
    ) -> Answered {
        if self.dry_run { self.read(verb).await } else { self.view(verb).await }
    }

    /// The request's own fields.
    pub(super) fn ask<A: Ask>(&self) -> Result<A, Failure> {
        serde_json::from_slice::<Envelope<A>>(&self.line)
            .map(|envelope| envelope.ask)
            .map_err(|e| malformed(&e))
    }

    async fn run<A: Ask>(
        &mut self,
        verb: impl AsyncFnOnce(&mut Self, A) -> Result<A::Reply, Failure>,
    ) -> Result<A::Reply, Failure> {
        let ask = self.ask::<A>()?;
        verb(self, ask).await
    }

    /// Appends to the tenant's audit, or the appliance's when no tenant is concerned.
    pub(super) async fn write_down(
        &self,
        action: &'static str,
        failed: Option<&Failure>,
    ) -> Result<(), Failure> {
        let (outcome, detail) = match failed {
            None => (Audited::Done, serde_json::json!({})),
            Some(failure) if matches!(failure.code, Code::Failed | Code::TimedOut) => {
                (Audited::Failed, serde_json::json!({"code": failure.code}))
            }
            Some(failure) => (Audited::Refused, serde_json::json!({"code": failure.code})),
        };
        let entry = Entry {
            actor: self.peer.actor(),
            source: "socket".into(),
            action,
            object: self.object.clone(),
            outcome,
            detail,
        };
        self.desk.audit.append(self.tenant, entry).await.map_err(|error| {
            tracing::error!(action, %error, "the audit can't be written");
            Failure::failed(format!("what was done could not be written into the audit log: {error}"))
        })
    }

    /// The reply of a mutation.
    pub(super) fn changed<T>(&self, outcome: Outcome, item: T) -> Change<T> {
        Change { outcome, dry_run: self.dry_run, item }
    }
}

fn json<T: serde::Serialize>(reply: &T) -> Result<Reply, Failure> {
    serde_json::to_vec(reply)
        .map(Reply::Json)
        .map_err(|e| Failure::failed(format!("the reply can't be written: {e}")))
}

fn malformed(error: &serde_json::Error) -> Failure {
    Failure::usage(format!("the request is malformed: {error}"))
}
