//! Campaigns.

use super::TenantStore;
use crate::domain::campaign::Campaign;
use crate::domain::{CampaignId, Scope};
use crate::store::StoreError;
use crate::store::column::Json;
use crate::store::error::found;
use rusqlite::{OptionalExtension, Row, params};

impl TenantStore {
    /// Adds a campaign. [`StoreError::Conflict`] when its name is taken.
    pub async fn campaign_create(&self, campaign: Campaign) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                let name = campaign.name.clone();
                transaction
                    .prepare_cached(
                        "INSERT INTO campaign
                         (id, name, status, sensitivity, topics, dispositions, import_header, created_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![
                        campaign.id,
                        campaign.name,
                        campaign.status,
                        campaign.sensitivity,
                        Json(campaign.topics),
                        Json(campaign.dispositions),
                        Json(campaign.import_header),
                        campaign.created_at
                    ])
                    .map_err(|error| StoreError::conflict(error, &format!("campaign {name} exists")))?;
                Ok(())
            })
            .await
    }

    /// Replaces everything of a campaign but the time it was made.
    pub async fn campaign_update(&self, campaign: Campaign) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                let name = campaign.name.clone();
                let changed = transaction
                    .prepare_cached(
                        "UPDATE campaign SET name = ?2, status = ?3, sensitivity = ?4, topics = ?5,
                         dispositions = ?6, import_header = ?7 WHERE id = ?1",
                    )?
                    .execute(params![
                        campaign.id,
                        campaign.name,
                        campaign.status,
                        campaign.sensitivity,
                        Json(campaign.topics),
                        Json(campaign.dispositions),
                        Json(campaign.import_header)
                    ])
                    .map_err(|error| StoreError::conflict(error, &format!("campaign {name} exists")))?;
                found(changed)
            })
            .await
    }

    /// The campaign of that name, compared exactly.
    pub async fn campaign_named(&self, name: &str) -> Result<Option<Campaign>, StoreError> {
        let name = name.to_owned();
        self.db()
            .read(move |connection| {
                let mut statement =
                    connection.prepare_cached(&format!("SELECT {COLUMNS} FROM campaign WHERE name = ?1"))?;
                Ok(statement.query_row([name], campaign).optional()?)
            })
            .await
    }

    /// The campaigns within reach, by name.
    pub async fn campaigns(&self, scope: &Scope) -> Result<Vec<Campaign>, StoreError> {
        let reach = self.reach(scope)?;
        let all = self
            .db()
            .read(|connection| {
                let mut statement =
                    connection.prepare_cached(&format!("SELECT {COLUMNS} FROM campaign ORDER BY name"))?;
                let rows = statement.query_map((), campaign)?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            })
            .await?;
        Ok(all.into_iter().filter(|campaign| reach.require(campaign.id).is_ok()).collect())
    }

    /// Removes a campaign. [`StoreError::Conflict`] while customers, queues or contact
    /// records hang on it.
    pub async fn campaign_delete(&self, id: CampaignId) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                let changed =
                    transaction.prepare_cached("DELETE FROM campaign WHERE id = ?1")?.execute([id]).map_err(
                        |error| StoreError::conflict(error, "the campaign has customers, queues or records"),
                    )?;
                found(changed)
            })
            .await
    }
}

const COLUMNS: &str = "id, name, status, sensitivity, topics, dispositions, import_header, created_at";

fn campaign(row: &Row<'_>) -> rusqlite::Result<Campaign> {
    Ok(Campaign {
        id: row.get("id")?,
        name: row.get("name")?,
        status: row.get("status")?,
        sensitivity: row.get("sensitivity")?,
        topics: row.get::<_, Json<_>>("topics")?.0,
        dispositions: row.get::<_, Json<_>>("dispositions")?.0,
        import_header: row.get::<_, Json<_>>("import_header")?.0,
        created_at: row.get("created_at")?,
    })
}
