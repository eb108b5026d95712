//! Queues and their members.

use super::TenantStore;
use crate::domain::call::QueueFacts;
use crate::domain::queue::Queue;
use crate::domain::{AccountId, QueueId};
use crate::store::StoreError;
use crate::store::error::found;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

impl TenantStore {
    /// Adds a queue with its members. [`StoreError::Conflict`] when its name is taken or its
    /// campaign or a member does not exist.
    pub async fn queue_create(&self, queue: Queue) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                transaction
                    .prepare_cached(
                        "INSERT INTO queue
                         (id, name, campaign_id, sensitivity, ring_seconds, wrap_up_seconds, recorded)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    )?
                    .execute(params![
                        queue.id,
                        queue.name,
                        queue.campaign,
                        queue.sensitivity,
                        queue.ring_seconds,
                        queue.wrap_up_seconds,
                        queue.recorded
                    ])
                    .map_err(|error| taken(error, &queue))?;
                set_members(transaction, &queue)
            })
            .await
    }

    /// Replaces a queue's settings and members.
    pub async fn queue_update(&self, queue: Queue) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                let changed = transaction
                    .prepare_cached(
                        "UPDATE queue SET name = ?2, campaign_id = ?3, sensitivity = ?4, ring_seconds = ?5,
                         wrap_up_seconds = ?6, recorded = ?7 WHERE id = ?1",
                    )?
                    .execute(params![
                        queue.id,
                        queue.name,
                        queue.campaign,
                        queue.sensitivity,
                        queue.ring_seconds,
                        queue.wrap_up_seconds,
                        queue.recorded
                    ])
                    .map_err(|error| taken(error, &queue))?;
                found(changed)?;
                set_members(transaction, &queue)
            })
            .await
    }

    /// The queue of that name, compared exactly.
    pub async fn queue_named(&self, name: &str) -> Result<Option<Queue>, StoreError> {
        let name = name.to_owned();
        self.db()
            .read(move |connection| {
                let found = connection
                    .prepare_cached(&format!("SELECT {COLUMNS} FROM queue WHERE name = ?1"))?
                    .query_row([name], queue)
                    .optional()?;
                found.map(|queue| with_members(connection, queue)).transpose()
            })
            .await
    }

    /// What a call needs to know of the queues of these names, in their order; `None` where there is none.
    /// Asked for every call, so members are left alone.
    pub async fn queue_facts(&self, names: Vec<String>) -> Result<Vec<Option<QueueFacts>>, StoreError> {
        self.db()
            .read(move |connection| {
                let mut statement = connection
                    .prepare_cached("SELECT id, campaign_id, recorded FROM queue WHERE name = ?1")?;
                let facts = |row: &Row<'_>| {
                    Ok(QueueFacts { id: row.get(0)?, campaign: row.get(1)?, recorded: row.get(2)? })
                };
                names.iter().map(|name| Ok(statement.query_row([name], facts).optional()?)).collect()
            })
            .await
    }

    /// Every queue, by name.
    pub async fn queues(&self) -> Result<Vec<Queue>, StoreError> {
        self.db()
            .read(|connection| {
                let mut statement =
                    connection.prepare_cached(&format!("SELECT {COLUMNS} FROM queue ORDER BY name"))?;
                let queues = statement.query_map((), queue)?.collect::<Result<Vec<_>, _>>()?;
                queues.into_iter().map(|queue| with_members(connection, queue)).collect()
            })
            .await
    }

    /// Removes a queue with its memberships.
    pub async fn queue_delete(&self, id: QueueId) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                found(transaction.prepare_cached("DELETE FROM queue WHERE id = ?1")?.execute([id])?)
            })
            .await
    }
}

const COLUMNS: &str = "id, name, campaign_id, sensitivity, ring_seconds, wrap_up_seconds, recorded";

fn queue(row: &Row<'_>) -> rusqlite::Result<Queue> {
    Ok(Queue {
        id: row.get("id")?,
        name: row.get("name")?,
        campaign: row.get("campaign_id")?,
        sensitivity: row.get("sensitivity")?,
        ring_seconds: row.get("ring_seconds")?,
        wrap_up_seconds: row.get("wrap_up_seconds")?,
        recorded: row.get("recorded")?,
        members: Vec::new(),
    })
}

fn with_members(connection: &Connection, mut queue: Queue) -> Result<Queue, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT account_id FROM queue_member WHERE queue_id = ?1 ORDER BY account_id")?;
    let members = statement.query_map([queue.id], |row| row.get::<_, AccountId>(0))?;
    queue.members = members.collect::<Result<_, _>>()?;
    Ok(queue)
}

fn set_members(transaction: &Transaction<'_>, queue: &Queue) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM queue_member WHERE queue_id = ?1")?.execute([queue.id])?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO queue_member (queue_id, account_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    for member in &queue.members {
        statement
            .execute(params![queue.id, member])
            .map_err(|error| StoreError::conflict(error, &format!("queue {}: no such member", queue.name)))?;
    }
    Ok(())
}

fn taken(error: rusqlite::Error, queue: &Queue) -> StoreError {
    StoreError::conflict(error, &format!("queue {} exists, or its campaign does not", queue.name))
}
