//! Customers: by number, by search, by import.

use super::TenantStore;
use super::reach::Reach;
use crate::domain::customer::{Customer, CustomerChange};
use crate::domain::{CampaignId, CustomerId, PhoneNumber, Scope, UnixMillis};
use crate::store::StoreError;
use crate::store::column::Json;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};

/// The columns of a customer, under the alias `u`, as [`read_customer`] wants them.
pub(super) const COLUMNS: &str = "u.id AS customer_id, u.campaign_id AS customer_campaign_id, u.code, u.name, \
    u.kana, u.phone, u.phone_alt, u.email, u.postcode, u.address, u.handover, u.extra, \
    u.version AS customer_version, u.updated_at AS customer_updated_at";

/// A search term shorter than this has no trigram and is looked for by `LIKE`.
const TRIGRAM: usize = 3;

/// Reads a row selected with [`COLUMNS`].
pub(super) fn read_customer(row: &Row<'_>) -> rusqlite::Result<Customer> {
    let Json(extra) = row.get("extra")?;
    Ok(Customer {
        id: row.get("customer_id")?,
        campaign: row.get("customer_campaign_id")?,
        code: row.get("code")?,
        name: row.get("name")?,
        kana: row.get("kana")?,
        phone: row.get("phone")?,
        phone_alt: row.get("phone_alt")?,
        email: row.get("email")?,
        postcode: row.get("postcode")?,
        address: row.get("address")?,
        handover: row.get("handover")?,
        extra,
        version: row.get("customer_version")?,
        updated_at: row.get("customer_updated_at")?,
    })
}

/// What an import did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportCount {
    /// New customers.
    pub added: usize,
    /// Known customers that now differ.
    pub changed: usize,
}

impl TenantStore {
    /// Customers of one campaign with this number, those whose first number it is before
    /// those whose second, the lately changed first; at most `limit`. `NotFound` for a
    /// campaign out of reach.
    pub async fn customers_by_phone(
        &self,
        scope: &Scope,
        campaign: CampaignId,
        phone: &PhoneNumber,
        limit: usize,
    ) -> Result<Vec<Customer>, StoreError> {
        self.reach(scope)?.require(campaign)?;
        let phone = phone.clone();
        self.db()
            .read(move |db| {
                let sql = format!(
                    "SELECT 0 AS place, {COLUMNS} FROM customer u WHERE u.phone = ?1 AND u.campaign_id = ?2 \
                     UNION ALL SELECT 1, {COLUMNS} FROM customer u \
                     WHERE u.phone_alt = ?1 AND u.campaign_id = ?2 AND u.phone IS NOT ?1 \
                     ORDER BY place, customer_updated_at DESC, customer_id LIMIT ?3"
                );
                let mut query = db.prepare_cached(&sql)?;
                Ok(query
                    .query_map(params![phone, campaign, limit as i64], read_customer)?
                    .collect::<Result<_, _>>()?)
            })
            .await
    }

    /// One customer within the scope.
    pub async fn customer(&self, scope: &Scope, id: CustomerId) -> Result<Customer, StoreError> {
        let reach = self.reach(scope)?;
        self.db().read(move |db| find(db, &reach, id)).await
    }

    /// Replaces the fields of a customer within the scope; `customer.version` must be the
    /// stored one and comes back one higher. Its campaign does not change. A stale version or
    /// a taken code is a `Conflict`.
    pub async fn customer_save(&self, scope: &Scope, customer: Customer) -> Result<Customer, StoreError> {
        let reach = self.reach(scope)?;
        self.db()
            .write(move |tx| {
                let stored = find(tx, &reach, customer.id)?;
                if stored.version != customer.version {
                    return Err(StoreError::Conflict("the customer was changed meanwhile".into()));
                }
                let saved = Customer {
                    campaign: stored.campaign,
                    version: stored.version.saturating_add(1),
                    ..customer
                };
                replace(tx, &saved)?;
                Ok(saved)
            })
            .await
    }

    /// Customers within the scope in whose [`Customer::search_text`] every one of `terms`
    /// (folded, not empty) occurs; at most `limit`.
    pub async fn customer_search(
        &self,
        scope: &Scope,
        terms: Vec<String>,
        limit: usize,
    ) -> Result<Vec<Customer>, StoreError> {
        let reach = self.reach(scope)?;
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        self.db()
            .read(move |db| {
                let (sql, params) = search(&reach, &terms, limit);
                let mut query = db.prepare_cached(&sql)?;
                Ok(query.query_map(params_from_iter(params), read_customer)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Adds or changes customers of one campaign, all or none; a row whose code is known
    /// changes that customer. Keeps `header` with the campaign. `dry_run` only counts.
    pub async fn customers_import(
        &self,
        scope: &Scope,
        campaign: CampaignId,
        header: Vec<String>,
        rows: Vec<CustomerChange>,
        at: UnixMillis,
        dry_run: bool,
    ) -> Result<ImportCount, StoreError> {
        self.reach(scope)?.require(campaign)?;
        if dry_run {
            return self.db().read(move |db| import(db, campaign, rows, at, |_, _| Ok(()))).await;
        }
        self.db()
            .write(move |tx| {
                let sql = "UPDATE campaign SET import_header = ? WHERE id = ?";
                crate::store::error::found(
                    tx.prepare_cached(sql)?.execute(params![Json(header), campaign])?,
                )?;
                import(tx, campaign, rows, at, |customer, known| {
                    if known { replace(tx, customer) } else { insert(tx, customer) }
                })
            })
            .await
    }
}

fn find(db: &Connection, reach: &Reach, id: CustomerId) -> Result<Customer, StoreError> {
    let mut params = vec![Value::Text(id.to_string())];
    let within = reach.clause("u.campaign_id", &mut params);
    let sql = format!("SELECT {COLUMNS} FROM customer u WHERE u.id = ? AND {within}");
    db.prepare_cached(&sql)?
        .query_row(params_from_iter(params), read_customer)
        .optional()?
        .ok_or(StoreError::NotFound)
}

/// Walks the rows of an import and hands each new or changed customer to `write`, with
/// whether it was known.
fn import(
    db: &Connection,
    campaign: CampaignId,
    rows: Vec<CustomerChange>,
    at: UnixMillis,
    mut write: impl FnMut(&Customer, bool) -> Result<(), StoreError>,
) -> Result<ImportCount, StoreError> {
    let mut count = ImportCount::default();
    let exists = "SELECT 1 FROM campaign WHERE id = ?";
    db.prepare_cached(exists)?.query_row([campaign], |_| Ok(())).optional()?.ok_or(StoreError::NotFound)?;
    let sql =
        format!("SELECT {COLUMNS} FROM customer u WHERE u.campaign_id = ? AND u.code = ? AND u.code <> ''");
    let mut known = db.prepare_cached(&sql)?;
    for row in rows {
        match known.query_row(params![campaign, row.code], read_customer).optional()? {
            Some(stored) => {
                let mut customer = stored.clone();
                row.apply(&mut customer);
                if customer != stored {
                    customer.version = stored.version.saturating_add(1);
                    customer.updated_at = at;
                    write(&customer, true)?;
                    count.changed += 1;
                }
            }
            None => {
                let mut customer = blank(campaign, at);
                row.apply(&mut customer);
                write(&customer, false)?;
                count.added += 1;
            }
        }
    }
    Ok(count)
}

fn blank(campaign: CampaignId, at: UnixMillis) -> Customer {
    Customer {
        id: CustomerId(uuid::Uuid::now_v7()),
        campaign,
        code: String::new(),
        name: String::new(),
        kana: String::new(),
        phone: None,
        phone_alt: None,
        email: String::new(),
        postcode: String::new(),
        address: String::new(),
        handover: String::new(),
        extra: Vec::new(),
        version: 1,
        updated_at: at,
    }
}

fn insert(tx: &Transaction<'_>, customer: &Customer) -> Result<(), StoreError> {
    let sql = "INSERT INTO customer (code, name, kana, phone, phone_alt, email, postcode, address, handover, extra, \
               search, version, updated_at, id, campaign_id) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
    write(tx, sql, customer)
}

fn replace(tx: &Transaction<'_>, customer: &Customer) -> Result<(), StoreError> {
    let sql = "UPDATE customer SET code = ?, name = ?, kana = ?, phone = ?, phone_alt = ?, email = ?, postcode = ?, \
               address = ?, handover = ?, extra = ?, search = ?, version = ?, updated_at = ? \
               WHERE id = ? AND campaign_id = ?";
    write(tx, sql, customer)
}

/// Runs `sql`, which takes a customer's values in the one order that both statements have.
fn write(tx: &Transaction<'_>, sql: &str, customer: &Customer) -> Result<(), StoreError> {
    let changed = tx
        .prepare_cached(sql)?
        .execute(params![
            customer.code,
            customer.name,
            customer.kana,
            customer.phone,
            customer.phone_alt,
            customer.email,
            customer.postcode,
            customer.address,
            customer.handover,
            Json(&customer.extra),
            customer.search_text(),
            customer.version,
            customer.updated_at,
            customer.id,
            customer.campaign,
        ])
        .map_err(|error| StoreError::conflict(error, "another customer of the campaign has this code"))?;
    crate::store::error::found(changed)
}

/// The query for `terms`: the trigram index for those long enough, `LIKE` for the others.
fn search(reach: &Reach, terms: &[String], limit: usize) -> (String, Vec<Value>) {
    let (long, short): (Vec<_>, Vec<_>) = terms.iter().partition(|term| term.chars().count() >= TRIGRAM);
    let mut params = Vec::new();
    let mut sql = format!("SELECT {COLUMNS} FROM customer u");
    if long.is_empty() {
        sql.push_str(" WHERE 1 = 1");
    } else {
        sql.push_str(" JOIN customer_search s ON s.rowid = u.rowid WHERE customer_search MATCH ?");
        let phrases: Vec<_> = long.iter().map(|term| format!("\"{}\"", term.replace('"', "\"\""))).collect();
        params.push(Value::Text(phrases.join(" AND ")));
    }
    for term in short {
        sql.push_str(" AND u.search LIKE ? ESCAPE '\\'");
        let escaped = term.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        params.push(Value::Text(format!("%{escaped}%")));
    }
    sql.push_str(" AND ");
    sql.push_str(&reach.clause("u.campaign_id", &mut params));
    sql.push_str(" LIMIT ?");
    params.push(Value::Integer(limit as i64));
    (sql, params)
}
