//! Contact records, the history of a customer, and the callbacks owed.

use super::reach::Reach;
use super::{TenantStore, call, customer};
use crate::domain::contact::{ContactRecord, HistoryRow, NextAction};
use crate::domain::customer::Customer;
use crate::domain::{AccountId, CallId, CustomerId, Scope, UnixMillis};
use crate::store::StoreError;
use crate::store::column::Json;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};

const COLUMNS: &str = "r.id AS record_id, r.campaign_id AS record_campaign_id, r.customer_id AS record_customer_id, \
    r.call_id AS record_call_id, r.account_id AS record_account_id, r.topic, r.disposition, r.next_action, r.due_at, \
    r.note, r.created_at AS record_created_at, r.updated_at AS record_updated_at, r.version AS record_version";

fn read_record(row: &Row<'_>) -> rusqlite::Result<ContactRecord> {
    let action: String = row.get("next_action")?;
    Ok(ContactRecord {
        id: row.get("record_id")?,
        campaign: row.get("record_campaign_id")?,
        customer: row.get("record_customer_id")?,
        call: row.get("record_call_id")?,
        account: row.get("record_account_id")?,
        topic: row.get("topic")?,
        disposition: row.get("disposition")?,
        next_action: NextAction::parse(&action).unwrap_or(NextAction::None),
        due_at: row.get("due_at")?,
        note: row.get("note")?,
        created_at: row.get("record_created_at")?,
        updated_at: row.get("record_updated_at")?,
        version: row.get("record_version")?,
    })
}

impl TenantStore {
    /// Saves a contact record. One a call and account: `record.version` is the version it
    /// replaces, 0 for none; another in the store is a `Conflict`. The campaign must be within
    /// reach, and the customer and the call, when given, of that campaign: else `NotFound`. A
    /// topic or disposition that is not of the campaign's lists, nor empty, is a `Conflict`
    /// here; `crm` asks first and names the field.
    pub async fn contact_save(
        &self,
        scope: &Scope,
        record: ContactRecord,
    ) -> Result<ContactRecord, StoreError> {
        let reach = self.reach(scope)?;
        reach.require(record.campaign)?;
        self.db()
            .write(move |tx| {
                check(tx, &record)?;
                let stored = match record.call {
                    Some(call) => find(tx, &reach, call, record.account)?,
                    None => None,
                };
                if stored.as_ref().map_or(0, |stored| stored.version) != record.version {
                    return Err(StoreError::Conflict("the contact record was saved meanwhile".into()));
                }
                let version = record.version.saturating_add(1);
                match stored {
                    Some(stored) => {
                        let saved =
                            ContactRecord { id: stored.id, created_at: stored.created_at, version, ..record };
                        replace(tx, &saved)?;
                        Ok(saved)
                    }
                    None => {
                        let saved = ContactRecord { version, ..record };
                        insert(tx, &saved)?;
                        Ok(saved)
                    }
                }
            })
            .await
    }

    /// The record that `account` saved of a call, within the scope.
    pub async fn contact_of(
        &self,
        scope: &Scope,
        call: CallId,
        account: AccountId,
    ) -> Result<Option<ContactRecord>, StoreError> {
        let reach = self.reach(scope)?;
        self.db().read(move |db| find(db, &reach, call, account)).await
    }

    /// The history of a customer within the scope, newest first, at most `limit`.
    pub async fn history(
        &self,
        scope: &Scope,
        customer: CustomerId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.customer(scope, customer).await?;
        let reach = self.reach(scope)?;
        self.db().read(move |db| history(db, &reach, customer, limit)).await
    }

    /// Recent calls as history, newest first: what [`TenantStore::calls`] lists, each with the
    /// record that its operator saved.
    pub async fn calls_with_contacts(
        &self,
        scope: &Scope,
        limit: usize,
        before: Option<UnixMillis>,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let calls = self.calls(scope, limit, before).await?;
        let reach = self.reach(scope)?;
        self.db()
            .read(move |db| {
                calls
                    .into_iter()
                    .map(|call| {
                        let contact = match call.operator {
                            Some(operator) => find(db, &reach, call.id, operator)?,
                            None => None,
                        };
                        let operator = match call.operator {
                            Some(operator) => name_of(db, operator)?,
                            None => String::new(),
                        };
                        Ok(HistoryRow { at: call.started_at, call: Some(call), contact, operator })
                    })
                    .collect()
            })
            .await
    }

    /// Follow-ups that `account` owes within the scope, soonest first, at most `limit`, each
    /// with its customer.
    pub async fn callbacks(
        &self,
        scope: &Scope,
        account: AccountId,
        limit: usize,
    ) -> Result<Vec<(ContactRecord, Option<Customer>)>, StoreError> {
        let reach = self.reach(scope)?;
        self.db()
            .read(move |db| {
                let mut params = vec![Value::Text(account.to_string())];
                let within = reach.clause("r.campaign_id", &mut params);
                params.push(Value::Integer(limit as i64));
                let sql = format!(
                    "SELECT {COLUMNS}, {customer} FROM contact_record r \
                     LEFT JOIN customer u ON u.id = r.customer_id AND u.campaign_id = r.campaign_id \
                     WHERE r.account_id = ? AND r.due_at IS NOT NULL AND r.next_action <> 'none' AND {within} \
                     ORDER BY r.due_at, r.id LIMIT ?",
                    customer = customer::COLUMNS,
                );
                let mut query = db.prepare_cached(&sql)?;
                let rows = query.query_map(params_from_iter(params), |row| {
                    let known = row.get::<_, Option<CustomerId>>("customer_id")?.is_some();
                    let customer = if known { Some(customer::read_customer(row)?) } else { None };
                    Ok((read_record(row)?, customer))
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}

/// That the customer, the call and the words of a record belong to its campaign.
fn check(tx: &Transaction<'_>, record: &ContactRecord) -> Result<(), StoreError> {
    let (Json(topics), Json(dispositions)): (Json<Vec<String>>, Json<Vec<String>>) = tx
        .prepare_cached("SELECT topics, dispositions FROM campaign WHERE id = ?")?
        .query_row([record.campaign], |row| Ok((row.get("topics")?, row.get("dispositions")?)))
        .optional()?
        .ok_or(StoreError::NotFound)?;
    let listed = |word: &String, list: &[String]| word.is_empty() || list.contains(word);
    if !listed(&record.topic, &topics) {
        return Err(StoreError::Conflict("the topic is not one of the campaign's".into()));
    }
    if !listed(&record.disposition, &dispositions) {
        return Err(StoreError::Conflict("the disposition is not one of the campaign's".into()));
    }
    let exists = |sql: &str, id: String| -> Result<(), StoreError> {
        let found = tx.prepare_cached(sql)?.query_row(params![id, record.campaign], |_| Ok(())).optional()?;
        found.ok_or(StoreError::NotFound)
    };
    if let Some(customer) = record.customer {
        exists("SELECT 1 FROM customer WHERE id = ? AND campaign_id = ?", customer.to_string())?;
    }
    if let Some(call) = record.call {
        exists("SELECT 1 FROM call WHERE id = ? AND campaign_id = ?", call.to_string())?;
    }
    Ok(())
}

fn find(
    db: &Connection,
    reach: &Reach,
    call: CallId,
    account: AccountId,
) -> Result<Option<ContactRecord>, StoreError> {
    let mut params = vec![Value::Text(call.to_string()), Value::Text(account.to_string())];
    let within = reach.clause("r.campaign_id", &mut params);
    let sql = format!(
        "SELECT {COLUMNS} FROM contact_record r WHERE r.call_id = ? AND r.account_id = ? AND {within}"
    );
    Ok(db.prepare_cached(&sql)?.query_row(params_from_iter(params), read_record).optional()?)
}

fn name_of(db: &Connection, account: AccountId) -> Result<String, StoreError> {
    let name =
        db.prepare_cached("SELECT name FROM account WHERE id = ?")?.query_row([account], |row| row.get(0));
    Ok(name.optional()?.unwrap_or_default())
}

/// Calls of the customer with what was written of each, and records of the customer that
/// hang on no such call. A record of a call that was corrected to another customer stays out.
fn history(
    db: &Connection,
    reach: &Reach,
    customer: CustomerId,
    limit: usize,
) -> Result<Vec<HistoryRow>, StoreError> {
    let calls = call::COLUMNS;
    let name = "coalesce((SELECT name FROM account WHERE id = r.account_id), \
                (SELECT name FROM account WHERE id = c.operator_id), '') AS operator_name";
    let mut entries = Vec::new();
    {
        let mut params = Vec::new();
        let record_within = reach.clause("r.campaign_id", &mut params);
        params.push(Value::Text(customer.to_string()));
        let call_within = reach.clause("c.campaign_id", &mut params);
        params.push(Value::Integer(limit as i64));
        let sql = format!(
            "SELECT c.started_at AS at, {name}, {calls}, {COLUMNS} FROM call c LEFT JOIN contact_record r \
             ON r.call_id = c.id AND (r.customer_id IS NULL OR r.customer_id = c.customer_id) AND {record_within} \
             WHERE c.customer_id = ? AND {call_within} ORDER BY c.started_at DESC LIMIT ?"
        );
        read_entries(db, &sql, params, &mut entries)?;
    }
    {
        let mut params = Vec::new();
        let call_within = reach.clause("c.campaign_id", &mut params);
        params.push(Value::Text(customer.to_string()));
        let record_within = reach.clause("r.campaign_id", &mut params);
        params.push(Value::Integer(limit as i64));
        let sql = format!(
            "SELECT coalesce(c.started_at, r.created_at) AS at, {name}, {calls}, {COLUMNS} FROM contact_record r \
             LEFT JOIN call c ON c.id = r.call_id AND {call_within} \
             WHERE r.customer_id = ? AND {record_within} AND c.customer_id IS NOT r.customer_id \
             ORDER BY r.created_at DESC LIMIT ?"
        );
        read_entries(db, &sql, params, &mut entries)?;
    }
    entries.sort_by_key(|entry: &HistoryRow| std::cmp::Reverse(entry.at));
    entries.truncate(limit);
    Ok(entries)
}

fn read_entries(
    db: &Connection,
    sql: &str,
    params: Vec<Value>,
    entries: &mut Vec<HistoryRow>,
) -> Result<(), StoreError> {
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map(params_from_iter(params), |row| {
        let call = row.get::<_, Option<CallId>>("call_id")?.is_some();
        let contact = row.get::<_, Option<String>>("record_id")?.is_some();
        Ok(HistoryRow {
            at: row.get("at")?,
            call: if call { Some(call::read_call(row)?) } else { None },
            contact: if contact { Some(read_record(row)?) } else { None },
            operator: row.get("operator_name")?,
        })
    })?;
    for row in rows {
        entries.push(row?);
    }
    Ok(())
}

fn insert(tx: &Transaction<'_>, record: &ContactRecord) -> Result<(), StoreError> {
    let sql = "INSERT INTO contact_record (id, campaign_id, customer_id, call_id, account_id, topic, disposition, \
               next_action, due_at, note, created_at, updated_at, version) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)";
    tx.prepare_cached(sql)?.execute(params![
        record.id,
        record.campaign,
        record.customer,
        record.call,
        record.account,
        record.topic,
        record.disposition,
        record.next_action.word(),
        record.due_at,
        record.note,
        record.created_at,
        record.updated_at,
        record.version,
    ])?;
    Ok(())
}

fn replace(tx: &Transaction<'_>, record: &ContactRecord) -> Result<(), StoreError> {
    let sql = "UPDATE contact_record SET campaign_id = ?, customer_id = ?, topic = ?, disposition = ?, \
               next_action = ?, due_at = ?, note = ?, updated_at = ?, version = ? WHERE id = ?";
    tx.prepare_cached(sql)?.execute(params![
        record.campaign,
        record.customer,
        record.topic,
        record.disposition,
        record.next_action.word(),
        record.due_at,
        record.note,
        record.updated_at,
        record.version,
        record.id,
    ])?;
    Ok(())
}
