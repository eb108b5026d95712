//! The SQL of an audit chain: the same table in `system.db` and in every `tenant.db`.

use super::StoreError;
use crate::domain::audit::{AuditEntry, AuditRow, GENESIS};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Appends as the next of the chain. On the writer, so that sequence and hash have no gap.
pub(in crate::store) fn append(
    transaction: &Transaction<'_>,
    entry: AuditEntry,
) -> Result<AuditRow, StoreError> {
    let last: Option<(i64, [u8; 32])> = transaction
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (seq, previous) = last.unwrap_or((0, GENESIS));
    let row = AuditRow::follow(&previous, seq + 1, entry);
    let AuditEntry { at, actor, source, action, object, outcome, detail } = &row.entry;
    transaction
        .prepare_cached(
            "INSERT INTO audit (seq, at, actor, source, action, object, outcome, detail, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![row.seq, at, actor, source, action, object, outcome, detail, row.hash])?;
    Ok(row)
}

/// At most `limit` rows above `after`, in order.
pub(in crate::store) fn rows(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> Result<Vec<AuditRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, actor, source, action, object, outcome, detail, hash
         FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![after, limit], |row| {
        Ok(AuditRow {
            seq: row.get("seq")?,
            entry: AuditEntry {
                at: row.get("at")?,
                actor: row.get("actor")?,
                source: row.get("source")?,
                action: row.get("action")?,
                object: row.get("object")?,
                outcome: row.get("outcome")?,
                detail: row.get("detail")?,
            },
            hash: row.get("hash")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
