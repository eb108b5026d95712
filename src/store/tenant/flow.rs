//! Call flows: every applied version is kept, the highest is current.

use super::TenantStore;
use crate::domain::route::FlowVersion;
use crate::domain::{FlowId, UnixMillis};
use crate::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};

impl TenantStore {
    /// Makes `document` the current version of flow `name`, as version `id`. The same
    /// document as the current one changes nothing and returns that.
    pub async fn flow_apply(
        &self,
        name: &str,
        document: &str,
        id: FlowId,
        at: UnixMillis,
    ) -> Result<FlowVersion, StoreError> {
        let (name, document) = (name.to_owned(), document.to_owned());
        self.db()
            .write(move |transaction| {
                let before = current(transaction, &name)?;
                let version = match before {
                    Some(flow) if flow.document == document => return Ok(flow),
                    Some(flow) => flow.version + 1,
                    None => 1,
                };
                let flow = FlowVersion { id, name, version, document, applied_at: at };
                transaction
                    .prepare_cached(
                        "INSERT INTO flow (id, name, version, document, applied_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute(params![flow.id, flow.name, flow.version, flow.document, flow.applied_at])
                    .map_err(|error| StoreError::conflict(error, "that flow version exists"))?;
                Ok(flow)
            })
            .await
    }

    /// The current version of a flow.
    pub async fn flow_current(&self, name: &str) -> Result<Option<FlowVersion>, StoreError> {
        let name = name.to_owned();
        self.db().read(move |connection| current(connection, &name)).await
    }

    /// The current version of every flow, by name.
    pub async fn flows(&self) -> Result<Vec<FlowVersion>, StoreError> {
        self.db()
            .read(|connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM flow
                     WHERE version = (SELECT max(version) FROM flow AS other WHERE other.name = flow.name)
                     ORDER BY name"
                ))?;
                let rows = statement.query_map((), flow)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}

const COLUMNS: &str = "id, name, version, document, applied_at";

fn flow(row: &Row<'_>) -> rusqlite::Result<FlowVersion> {
    Ok(FlowVersion {
        id: row.get("id")?,
        name: row.get("name")?,
        version: row.get("version")?,
        document: row.get("document")?,
        applied_at: row.get("applied_at")?,
    })
}

fn current(connection: &Connection, name: &str) -> Result<Option<FlowVersion>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM flow WHERE name = ?1 ORDER BY version DESC LIMIT 1"
    ))?;
    Ok(statement.query_row([name], flow).optional()?)
}
