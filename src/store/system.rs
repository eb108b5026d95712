//! `system.db`: what spans tenants — tenants, trunks, numbers, the appliance's audit chain.

use super::column::Json;
use super::db::Db;
use super::error::found;
use super::{StoreError, chain};
use crate::clock::Clock;
use crate::domain::audit::{AuditEntry, AuditRow};
use crate::domain::route::{Number, Trunk};
use crate::domain::tenant::Tenant;
use crate::domain::{NumberId, TenantId, TrunkId};
use ipnet::IpNet;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The appliance's own database.
pub struct System {
    db: Db,
    clock: Clock,
}

impl System {
    pub(in crate::store) fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    pub(in crate::store) fn db(&self) -> &Db {
        &self.db
    }

    /// Tenants with their wrapped keys, before the runtime serves anything. Blocks.
    pub(in crate::store) fn tenants_at_start(&self) -> Result<Vec<(Tenant, Vec<u8>)>, StoreError> {
        self.db.read_blocking(|connection| {
            let mut statement =
                connection.prepare(&format!("SELECT {TENANT}, wrapped_key FROM tenant ORDER BY id"))?;
            let rows = statement.query_map((), |row| Ok((tenant(row)?, row.get("wrapped_key")?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    pub(in crate::store) async fn tenant_create(
        &self,
        tenant: Tenant,
        wrapped_key: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.db
            .write(move |transaction| {
                let Tenant { id, slug, name, region, time_zone, created_at } = tenant;
                transaction
                    .prepare_cached(
                        "INSERT INTO tenant (id, slug, name, region, time_zone, created_at, wrapped_key)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    )?
                    .execute(params![id, slug, name, region, time_zone, created_at, wrapped_key])
                    .map_err(|error| StoreError::conflict(error, &format!("tenant {slug} exists")))?;
                Ok(())
            })
            .await
    }

    /// Every tenant, oldest first.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.db
            .read(|connection| {
                let mut statement =
                    connection.prepare_cached(&format!("SELECT {TENANT} FROM tenant ORDER BY id"))?;
                let rows = statement.query_map((), tenant)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// The tenant of that slug, compared exactly.
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<Option<Tenant>, StoreError> {
        let slug = slug.to_owned();
        self.db
            .read(move |connection| {
                let mut statement =
                    connection.prepare_cached(&format!("SELECT {TENANT} FROM tenant WHERE slug = ?1"))?;
                Ok(statement.query_row([slug], tenant).optional()?)
            })
            .await
    }

    /// Adds a trunk. [`StoreError::Conflict`] when its name is taken or one of its source
    /// ranges overlaps another trunk's.
    pub async fn trunk_create(&self, trunk: Trunk) -> Result<(), StoreError> {
        self.db
            .write(move |transaction| {
                refuse_overlap(transaction, &trunk)?;
                transaction
                    .prepare_cached(
                        "INSERT INTO trunk (id, name, sources, created_at) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![trunk.id, trunk.name, Json(&trunk.sources), trunk.created_at])
                    .map_err(|error| StoreError::conflict(error, &format!("trunk {} exists", trunk.name)))?;
                Ok(())
            })
            .await
    }

    /// Replaces a trunk's name and sources, under the rules of [`System::trunk_create`].
    pub async fn trunk_update(&self, trunk: Trunk) -> Result<(), StoreError> {
        self.db
            .write(move |transaction| {
                refuse_overlap(transaction, &trunk)?;
                let changed = transaction
                    .prepare_cached("UPDATE trunk SET name = ?2, sources = ?3 WHERE id = ?1")?
                    .execute(params![trunk.id, trunk.name, Json(&trunk.sources)])
                    .map_err(|error| StoreError::conflict(error, &format!("trunk {} exists", trunk.name)))?;
                found(changed)
            })
            .await
    }

    /// Removes a trunk. [`StoreError::Conflict`] while numbers are dialled over it.
    pub async fn trunk_delete(&self, id: TrunkId) -> Result<(), StoreError> {
        self.db
            .write(move |transaction| {
                let changed = transaction
                    .prepare_cached("DELETE FROM trunk WHERE id = ?1")?
                    .execute([id])
                    .map_err(|error| StoreError::conflict(error, "the trunk still has numbers"))?;
                found(changed)
            })
            .await
    }

    /// Every trunk, by name.
    pub async fn trunks(&self) -> Result<Vec<Trunk>, StoreError> {
        self.db.read(trunks).await
    }

    /// Adds a number. [`StoreError::Conflict`] when the trunk has it already,
    /// [`StoreError::NotFound`] when there is no such trunk or tenant.
    pub async fn number_create(&self, number: Number) -> Result<(), StoreError> {
        let at = self.clock.unix_millis();
        self.db
            .write(move |transaction| {
                must_exist(transaction, &number)?;
                transaction
                    .prepare_cached(
                        "INSERT INTO number (id, number, trunk_id, tenant_id, flow, created_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![number.id, number.number, number.trunk, number.tenant, number.flow, at])
                    .map_err(|error| {
                        StoreError::conflict(error, &format!("number {} exists on that trunk", number.number))
                    })?;
                Ok(())
            })
            .await
    }

    /// Replaces what a number is: its digits, trunk, tenant and flow.
    pub async fn number_update(&self, number: Number) -> Result<(), StoreError> {
        self.db
            .write(move |transaction| {
                must_exist(transaction, &number)?;
                let changed = transaction
                    .prepare_cached(
                        "UPDATE number SET number = ?2, trunk_id = ?3, tenant_id = ?4, flow = ?5 WHERE id = ?1",
                    )?
                    .execute(params![number.id, number.number, number.trunk, number.tenant, number.flow])
                    .map_err(|error| {
                        StoreError::conflict(error, &format!("number {} exists on that trunk", number.number))
                    })?;
                found(changed)
            })
            .await
    }

    /// Removes a number.
    pub async fn number_delete(&self, id: NumberId) -> Result<(), StoreError> {
        self.db
            .write(move |transaction| {
                found(transaction.prepare_cached("DELETE FROM number WHERE id = ?1")?.execute([id])?)
            })
            .await
    }

    /// A tenant's numbers, or all of them, in digit order.
    pub async fn numbers(&self, tenant: Option<TenantId>) -> Result<Vec<Number>, StoreError> {
        self.db
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT {NUMBER} FROM number WHERE ?1 IS NULL OR tenant_id = ?1 ORDER BY number, id"
                ))?;
                let rows = statement.query_map([tenant], number)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// The number that a call over `trunk` dialled, if anyone's.
    pub async fn number_route(&self, trunk: TrunkId, dialled: &str) -> Result<Option<Number>, StoreError> {
        let dialled = dialled.to_owned();
        self.db
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT {NUMBER} FROM number WHERE trunk_id = ?1 AND number = ?2"
                ))?;
                Ok(statement.query_row(params![trunk, dialled], number).optional()?)
            })
            .await
    }

    /// Appends to the appliance's audit chain.
    pub async fn audit_append(&self, entry: AuditEntry) -> Result<AuditRow, StoreError> {
        self.db.write(move |transaction| chain::append(transaction, entry)).await
    }

    /// At most `limit` rows of the appliance's audit chain with a sequence above `after`, in order.
    pub async fn audit_rows(&self, after: i64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.db.read(move |connection| chain::rows(connection, after, limit)).await
    }
}

const TENANT: &str = "id, slug, name, region, time_zone, created_at";

fn tenant(row: &Row<'_>) -> rusqlite::Result<Tenant> {
    Ok(Tenant {
        id: row.get("id")?,
        slug: row.get("slug")?,
        name: row.get("name")?,
        region: row.get("region")?,
        time_zone: row.get("time_zone")?,
        created_at: row.get("created_at")?,
    })
}

const NUMBER: &str = "id, number, trunk_id, tenant_id, flow";

fn number(row: &Row<'_>) -> rusqlite::Result<Number> {
    Ok(Number {
        id: row.get("id")?,
        number: row.get("number")?,
        trunk: row.get("trunk_id")?,
        tenant: row.get("tenant_id")?,
        flow: row.get("flow")?,
    })
}

fn trunks(connection: &Connection) -> Result<Vec<Trunk>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, name, sources, created_at FROM trunk ORDER BY name")?;
    let rows = statement.query_map((), |row| {
        Ok(Trunk {
            id: row.get("id")?,
            name: row.get("name")?,
            sources: row.get::<_, Json<Vec<IpNet>>>("sources")?.0,
            created_at: row.get("created_at")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Two trunks that share a source could not be told apart by where a packet comes from.
fn refuse_overlap(connection: &Connection, trunk: &Trunk) -> Result<(), StoreError> {
    for other in trunks(connection)?.into_iter().filter(|other| other.id != trunk.id) {
        for source in &trunk.sources {
            let overlap =
                other.sources.iter().find(|range| range.contains(source) || source.contains(*range));
            if let Some(range) = overlap {
                return Err(StoreError::Conflict(format!(
                    "{source} overlaps {range} of trunk {}",
                    other.name
                )));
            }
        }
    }
    Ok(())
}

fn must_exist(connection: &Connection, number: &Number) -> Result<(), StoreError> {
    let found: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM trunk WHERE id = ?1) AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2)")?
        .query_row(params![number.trunk, number.tenant], |row| row.get(0))?;
    if found { Ok(()) } else { Err(StoreError::NotFound) }
}
