//! Recordings: what is known of each, and the secrets that open it.

use super::TenantStore;
use crate::domain::record::{Recording, RecordingState};
use crate::domain::{RecordingId, Scope, UnixMillis};
use crate::store::StoreError;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};
use zeroize::Zeroizing;

/// What a row gains when its spool has become an age file.
pub struct Seal {
    /// `sealed`, or `recovered` when a dead daemon left the spool behind.
    pub state: RecordingState,
    /// Length of the audio.
    pub duration_ms: i64,
    /// Bytes of the WAV inside the age file.
    pub wav_bytes: i64,
    /// The age X25519 identity that alone opens the file.
    pub identity: Zeroizing<String>,
    /// Waveform: for each slot one byte left, one byte right.
    pub peaks: Vec<u8>,
    /// What is to be said of it (audio missing), or empty.
    pub reason: String,
}

/// What it takes to read a sealed recording. `Debug` is not offered: it holds the identity.
pub struct Sealed {
    /// The description.
    pub recording: Recording,
    /// The age X25519 identity; `None` until sealed.
    pub identity: Option<Zeroizing<String>>,
    /// Why it was lost or what is missing, or empty.
    pub reason: String,
}

const COLUMNS: &str =
    "id, call_id, campaign_id, operator_id, state, started_at, duration_ms, wav_bytes, identity, reason";

fn read_recording(row: &Row<'_>) -> rusqlite::Result<Recording> {
    Ok(Recording {
        id: row.get("id")?,
        call: row.get("call_id")?,
        campaign: row.get("campaign_id")?,
        operator: row.get("operator_id")?,
        state: row.get("state")?,
        started_at: row.get("started_at")?,
        duration_ms: row.get("duration_ms")?,
        wav_bytes: row.get("wav_bytes")?,
    })
}

impl TenantStore {
    /// Writes the row of a recording whose spool has just been made. `spool_key` seals the
    /// key in the spool's head; it goes when the recording is sealed.
    pub async fn recording_begin(
        &self,
        recording: Recording,
        spool_key: Zeroizing<[u8; 32]>,
    ) -> Result<(), StoreError> {
        self.db()
            .write(move |tx| {
                let sql = "INSERT INTO recording (id, call_id, campaign_id, operator_id, state, started_at, \
                           duration_ms, wav_bytes, spool_key) VALUES (?,?,?,?,?,?,?,?,?)";
                tx.prepare_cached(sql)?.execute(params![
                    recording.id,
                    recording.call,
                    recording.campaign,
                    recording.operator,
                    recording.state,
                    recording.started_at,
                    recording.duration_ms,
                    recording.wav_bytes,
                    spool_key.as_slice(),
                ])?;
                Ok(())
            })
            .await
    }

    /// Marks a spooling recording sealed, with all that playback needs, and forgets its spool
    /// key. `NotFound` when the row is gone or no longer spooling.
    pub async fn recording_seal(&self, id: RecordingId, seal: Seal) -> Result<(), StoreError> {
        self.db()
            .write(move |tx| {
                let sql = "UPDATE recording SET state = ?, duration_ms = ?, wav_bytes = ?, identity = ?, peaks = ?, \
                           reason = ?, spool_key = NULL WHERE id = ? AND state = 'spooling'";
                let changed = tx.prepare_cached(sql)?.execute(params![
                    seal.state,
                    seal.duration_ms,
                    seal.wav_bytes,
                    seal.identity.as_str(),
                    seal.peaks,
                    seal.reason,
                    id,
                ])?;
                if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
            })
            .await
    }

    /// Marks a spooling recording lost. Its spool key stays, so that what was set aside can
    /// still be looked into. `NotFound` when there is no such spooling row.
    pub async fn recording_lost(&self, id: RecordingId, reason: String) -> Result<(), StoreError> {
        self.db()
            .write(move |tx| {
                let sql =
                    "UPDATE recording SET state = 'lost', reason = ? WHERE id = ? AND state = 'spooling'";
                crate::store::error::found(tx.prepare_cached(sql)?.execute(params![reason, id])?)
            })
            .await
    }

    /// Forgets a spooling recording of which nothing was ever to be heard. `NotFound` when
    /// there is no such spooling row.
    pub async fn recording_discard(&self, id: RecordingId) -> Result<(), StoreError> {
        self.db()
            .write(move |tx| {
                let sql = "DELETE FROM recording WHERE id = ? AND state = 'spooling'";
                crate::store::error::found(tx.prepare_cached(sql)?.execute([id])?)
            })
            .await
    }

    /// One recording within the scope.
    pub async fn recording(&self, scope: &Scope, id: RecordingId) -> Result<Recording, StoreError> {
        self.recording_sealed(scope, id).await.map(|sealed| sealed.recording)
    }

    /// One recording within the scope, with its identity.
    pub async fn recording_sealed(&self, scope: &Scope, id: RecordingId) -> Result<Sealed, StoreError> {
        let reach = self.reach(scope)?;
        self.db()
            .read(move |db| {
                let mut params = vec![Value::Text(id.to_string())];
                let within = reach.clause("campaign_id", &mut params);
                let sql = format!("SELECT {COLUMNS} FROM recording WHERE id = ? AND {within}");
                db.prepare_cached(&sql)?
                    .query_row(params_from_iter(params), |row| {
                        Ok(Sealed {
                            recording: read_recording(row)?,
                            identity: row.get::<_, Option<String>>("identity")?.map(Zeroizing::new),
                            reason: row.get("reason")?,
                        })
                    })
                    .optional()?
                    .ok_or(StoreError::NotFound)
            })
            .await
    }

    /// The waveform of a recording within the scope, as [`Seal::peaks`]; empty until sealed.
    pub async fn recording_peaks(&self, scope: &Scope, id: RecordingId) -> Result<Vec<u8>, StoreError> {
        let reach = self.reach(scope)?;
        self.db()
            .read(move |db| {
                let mut params = vec![Value::Text(id.to_string())];
                let within = reach.clause("campaign_id", &mut params);
                let sql = format!("SELECT peaks FROM recording WHERE id = ? AND {within}");
                db.prepare_cached(&sql)?
                    .query_row(params_from_iter(params), |row| row.get::<_, Option<Vec<u8>>>("peaks"))
                    .optional()?
                    .map(Option::unwrap_or_default)
                    .ok_or(StoreError::NotFound)
            })
            .await
    }

    /// Recordings within the scope, newest first, at most `limit`, begun before `before`.
    pub async fn recordings(
        &self,
        scope: &Scope,
        limit: usize,
        before: Option<UnixMillis>,
    ) -> Result<Vec<Recording>, StoreError> {
        let reach = self.reach(scope)?;
        self.db()
            .read(move |db| {
                let mut params = vec![Value::Integer(before.unwrap_or(i64::MAX))];
                let within = reach.clause("campaign_id", &mut params);
                params.push(Value::Integer(limit as i64));
                let sql = format!(
                    "SELECT {COLUMNS} FROM recording WHERE started_at < ? AND {within} \
                     ORDER BY started_at DESC, id DESC LIMIT ?"
                );
                let mut query = db.prepare_cached(&sql)?;
                Ok(query.query_map(params_from_iter(params), read_recording)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// The state of a recording and, while it is spooling, its spool key. For the daemon's own
    /// recovery, which acts for nobody.
    pub async fn recording_spool(
        &self,
        id: RecordingId,
    ) -> Result<(RecordingState, Option<Zeroizing<[u8; 32]>>), StoreError> {
        self.db()
            .read(move |db| {
                db.prepare_cached("SELECT state, spool_key FROM recording WHERE id = ?")?
                    .query_row([id], |row| {
                        let key: Option<Vec<u8>> = row.get("spool_key")?;
                        let key =
                            key.map(Zeroizing::new).and_then(|key| <[u8; 32]>::try_from(key.as_slice()).ok());
                        Ok((row.get("state")?, key.map(Zeroizing::new)))
                    })
                    .optional()?
                    .ok_or(StoreError::NotFound)
            })
            .await
    }

    /// Recordings that are still spooling; at start, what a dead daemon left.
    pub async fn recordings_spooling(&self) -> Result<Vec<Recording>, StoreError> {
        self.db()
            .read(move |db| {
                let sql = format!("SELECT {COLUMNS} FROM recording WHERE state = 'spooling' ORDER BY id");
                Ok(db.prepare_cached(&sql)?.query_map([], read_recording)?.collect::<Result<_, _>>()?)
            })
            .await
    }
}
