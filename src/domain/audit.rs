//! Rows of the audit log and the hash that chains them.
//!
//! A row's hash is SHA-256 over a fixed label, the previous row's hash, and the row's fields
//! in schema order: integers as 8 bytes big-endian, texts as their length (8 bytes
//! big-endian) and UTF-8 bytes. The first row follows [`GENESIS`].

use super::UnixMillis;
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// What stands before the first row.
pub const GENESIS: [u8; 32] = [0; 32];

/// Keeps this use of SHA-256 apart from any other.
const LABEL: &[u8] = b"bluebean audit row 1\0";

/// What is written down, before it has its place in the chain. Ids only, never personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: UnixMillis,
    /// `uid:0/pid:4711`, `account:<id>`, `daemon`.
    pub actor: String,
    /// `socket`, an address, or empty.
    pub source: String,
    /// `noun.verb`.
    pub action: String,
    /// Id of the thing, or empty.
    pub object: String,
    /// `done`, `refused`, `failed`.
    pub outcome: String,
    /// Further fields as JSON text, kept byte for byte.
    pub detail: String,
}

/// A row of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// 1, 2, 3 … without a gap.
    pub seq: i64,
    /// What was written down.
    pub entry: AuditEntry,
    /// Over the previous row's hash and this row.
    pub hash: [u8; 32],
}

impl AuditRow {
    /// The row that follows the one with hash `previous`.
    pub fn follow(previous: &[u8; 32], seq: i64, entry: AuditEntry) -> Self {
        let hash = link(previous, seq, &entry);
        Self { seq, entry, hash }
    }

    /// Whether this row, as it stands, follows the one with hash `previous`.
    pub fn follows(&self, previous: &[u8; 32]) -> bool {
        self.hash == link(previous, self.seq, &self.entry)
    }
}

fn link(previous: &[u8; 32], seq: i64, entry: &AuditEntry) -> [u8; 32] {
    let mut digest = Context::new(&SHA256);
    digest.update(LABEL);
    digest.update(previous);
    digest.update(&seq.to_be_bytes());
    digest.update(&entry.at.to_be_bytes());
    let AuditEntry { at: _, actor, source, action, object, outcome, detail } = entry;
    for text in [actor, source, action, object, outcome, detail] {
        digest.update(&(text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> AuditEntry {
        AuditEntry {
            at: 1,
            actor: "daemon".into(),
            source: String::new(),
            action: "a.b".into(),
            object: "c".into(),
            outcome: "done".into(),
            detail: "{}".into(),
        }
    }

    #[test]
    fn every_field_and_the_previous_row_count() {
        let row = AuditRow::follow(&GENESIS, 1, entry());
        assert!(row.follows(&GENESIS));
        assert!(!row.follows(&[1; 32]));
        let bend: [fn(&mut AuditRow); 8] = [
            |r| r.seq += 1,
            |r| r.entry.at += 1,
            |r| r.entry.actor.push('x'),
            |r| r.entry.source.push('x'),
            |r| r.entry.action.push('x'),
            |r| r.entry.object.push('x'),
            |r| r.entry.outcome.push('x'),
            |r| r.entry.detail.push('x'),
        ];
        for (which, bend) in bend.into_iter().enumerate() {
            let mut bent = row.clone();
            bend(&mut bent);
            assert!(!bent.follows(&GENESIS), "field {which}");
        }
    }

    #[test]
    fn text_can_not_move_between_fields() {
        let mut moved = entry();
        moved.action = "a.bc".into();
        moved.object = String::new();
        assert_ne!(AuditRow::follow(&GENESIS, 1, entry()).hash, AuditRow::follow(&GENESIS, 1, moved).hash);
    }
}
