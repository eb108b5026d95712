//! Calls and their events.

use super::TenantStore;
use crate::domain::account::Role;
use crate::domain::record::{CallEvent, CallRecord};
use crate::domain::{CallId, Scope, UnixMillis};
use crate::store::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};

/// The columns of a call, under the alias `c`, as [`read_call`] wants them.
pub(super) const COLUMNS: &str = "c.id AS call_id, c.caller AS call_caller, c.called AS call_called, \
    c.campaign_id AS call_campaign_id, c.queue_id AS call_queue_id, c.customer_id AS call_customer_id, \
    c.operator_id AS call_operator_id, c.recording_id AS call_recording_id, c.started_at AS call_started_at, \
    c.queued_at AS call_queued_at, c.answered_at AS call_answered_at, c.ended_at AS call_ended_at, \
    c.fate AS call_fate";

/// Reads a row selected with [`COLUMNS`].
pub(super) fn read_call(row: &Row<'_>) -> rusqlite::Result<CallRecord> {
    Ok(CallRecord {
        id: row.get("call_id")?,
        caller: row.get("call_caller")?,
        called: row.get("call_called")?,
        campaign: row.get("call_campaign_id")?,
        queue: row.get("call_queue_id")?,
        customer: row.get("call_customer_id")?,
        operator: row.get("call_operator_id")?,
        recording: row.get("call_recording_id")?,
        started_at: row.get("call_started_at")?,
        queued_at: row.get("call_queued_at")?,
        answered_at: row.get("call_answered_at")?,
        ended_at: row.get("call_ended_at")?,
        fate: row.get("call_fate")?,
    })
}

impl TenantStore {
    /// Writes the row of a call that has just been offered to the daemon. Calls are the
    /// daemon's own doing, so no scope is asked for.
    pub async fn call_begin(&self, call: CallRecord) -> Result<(), StoreError> {
        self.db()
            .write(move |tx| {
                let sql = "INSERT INTO call (id, caller, called, campaign_id, queue_id, customer_id, operator_id, \
                           recording_id, started_at, queued_at, answered_at, ended_at, fate) \
                           VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)";
                tx.prepare_cached(sql)?.execute(params![
                    call.id,
                    call.caller,
                    call.called,
                    call.campaign,
                    call.queue,
                    call.customer,
                    call.operator,
                    call.recording,
                    call.started_at,
                    call.queued_at,
                    call.answered_at,
                    call.ended_at,
                    call.fate,
                ])?;
                Ok(())
            })
            .await
    }

    /// Rewrites a call's row and appends its events, in one transaction. `NotFound` when the
    /// call was never begun.
    pub async fn call_update(&self, call: CallRecord, events: Vec<CallEvent>) -> Result<(), StoreError> {
        self.db().write(move |tx| update(tx, &call, &events)).await
    }

    /// The last update of a call: it must carry its fate and its end.
    pub async fn call_end(&self, call: CallRecord, events: Vec<CallEvent>) -> Result<(), StoreError> {
        if call.fate.is_none() || call.ended_at.is_none() {
            return Err(StoreError::Conflict("an ended call has a fate and an end".into()));
        }
        self.call_update(call, events).await
    }

    /// At start: every call that a dead daemon left open becomes `interrupted`, ended when its
    /// last event was seen, or at `at` when it has none, and finds the recording that was begun
    /// for it. Returns which.
    pub async fn calls_close_interrupted(&self, at: UnixMillis) -> Result<Vec<CallId>, StoreError> {
        self.db()
            .write(move |tx| {
                let open = "SELECT id, started_at, \
                            (SELECT max(e.at) FROM call_event e WHERE e.call_id = call.id) AS last_at \
                            FROM call WHERE fate IS NULL";
                let calls = tx
                    .prepare_cached(open)?
                    .query_map([], |row| {
                        let last: Option<UnixMillis> = row.get("last_at")?;
                        Ok((row.get("id")?, last.unwrap_or(at).max(row.get("started_at")?)))
                    })?
                    .collect::<Result<Vec<_>, _>>()?;
                let close = "UPDATE call SET fate = 'interrupted', ended_at = ?, recording_id = coalesce(recording_id, \
                             (SELECT min(r.id) FROM recording r WHERE r.call_id = call.id)) WHERE id = ?";
                for (call, ended) in &calls {
                    tx.prepare_cached(close)?.execute(params![ended, call])?;
                    append(tx, &CallEvent {
                        call: *call,
                        at: *ended,
                        kind: "ended".into(),
                        account: None,
                        detail: "interrupted".into(),
                    })?;
                }
                Ok(calls.into_iter().map(|(call, _)| call).collect())
            })
            .await
    }

    /// One call within the scope.
    pub async fn call(&self, scope: &Scope, id: CallId) -> Result<CallRecord, StoreError> {
        let reach = self.reach(scope)?;
        self.db()
            .read(move |db| {
                let mut params = vec![Value::Text(id.to_string())];
                let within = reach.clause("c.campaign_id", &mut params);
                let sql = format!("SELECT {COLUMNS} FROM call c WHERE c.id = ? AND {within}");
                db.prepare_cached(&sql)?
                    .query_row(params_from_iter(params), read_call)
                    .optional()?
                    .ok_or(StoreError::NotFound)
            })
            .await
    }

    /// The story of a call within the scope, oldest event first.
    pub async fn call_events(&self, scope: &Scope, id: CallId) -> Result<Vec<CallEvent>, StoreError> {
        self.call(scope, id).await?;
        self.db().read(move |db| events(db, id)).await
    }

    /// Calls within the scope, newest first, at most `limit`, begun before `before`. An
    /// operator sees the own ones only; a supervisor those of the campaigns.
    pub async fn calls(
        &self,
        scope: &Scope,
        limit: usize,
        before: Option<UnixMillis>,
    ) -> Result<Vec<CallRecord>, StoreError> {
        let reach = self.reach(scope)?;
        let own = (scope.role() == Role::Operator).then(|| scope.account());
        self.db()
            .read(move |db| {
                let mut params = vec![Value::Integer(before.unwrap_or(i64::MAX))];
                let mut within = reach.clause("c.campaign_id", &mut params);
                if let Some(account) = own {
                    within.push_str(" AND c.operator_id = ?");
                    params.push(Value::Text(account.map(|id| id.to_string()).unwrap_or_default()));
                }
                params.push(Value::Integer(limit as i64));
                let sql = format!(
                    "SELECT {COLUMNS} FROM call c WHERE c.started_at < ? AND {within} \
                     ORDER BY c.started_at DESC, c.id DESC LIMIT ?"
                );
                Ok(db
                    .prepare_cached(&sql)?
                    .query_map(params_from_iter(params), read_call)?
                    .collect::<Result<_, _>>()?)
            })
            .await
    }
}

fn update(tx: &Transaction<'_>, call: &CallRecord, events: &[CallEvent]) -> Result<(), StoreError> {
    let sql = "UPDATE call SET caller = ?, called = ?, campaign_id = ?, queue_id = ?, customer_id = ?, \
               operator_id = ?, recording_id = ?, queued_at = ?, answered_at = ?, ended_at = ?, fate = ? WHERE id = ?";
    let changed = tx.prepare_cached(sql)?.execute(params![
        call.caller,
        call.called,
        call.campaign,
        call.queue,
        call.customer,
        call.operator,
        call.recording,
        call.queued_at,
        call.answered_at,
        call.ended_at,
        call.fate,
        call.id,
    ])?;
    if changed == 0 {
        return Err(StoreError::NotFound);
    }
    events.iter().try_for_each(|event| append(tx, event))
}

fn append(tx: &Transaction<'_>, event: &CallEvent) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT INTO call_event (call_id, at, kind, account_id, detail) VALUES (?,?,?,?,?)")?
        .execute(params![event.call, event.at, event.kind, event.account, event.detail])?;
    Ok(())
}

fn events(db: &Connection, id: CallId) -> Result<Vec<CallEvent>, StoreError> {
    let sql = "SELECT at, kind, account_id, detail FROM call_event WHERE call_id = ? ORDER BY id";
    let events = db
        .prepare_cached(sql)?
        .query_map([id], |row| {
            Ok(CallEvent {
                call: id,
                at: row.get("at")?,
                kind: row.get("kind")?,
                account: row.get("account_id")?,
                detail: row.get("detail")?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(events)
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
