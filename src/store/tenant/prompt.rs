//! Prompts: the WAV as added, and its 8 kHz rendering, which calls read from a cache.

use super::TenantStore;
use crate::domain::PromptId;
use crate::domain::route::Prompt;
use crate::store::StoreError;
use crate::store::error::found;
use rusqlite::{OptionalExtension, Row, params};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Samples that the cache holds at most (64 MiB); beyond that it begins afresh.
const CACHED_SAMPLES: usize = 32 * 1024 * 1024;

/// Renderings in memory, shared by every call that plays them.
#[derive(Default)]
pub(super) struct Renderings(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    /// Grows with every change, so that a read from before it is not kept.
    generation: u64,
    samples: usize,
    by_name: HashMap<String, Arc<[i16]>>,
}

impl Renderings {
    fn find(&self, name: &str) -> (u64, Option<Arc<[i16]>>) {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (cached.generation, cached.by_name.get(name).cloned())
    }

    fn keep(&self, generation: u64, name: String, audio: &Arc<[i16]>) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.generation != generation || audio.len() > CACHED_SAMPLES {
            return;
        }
        if cached.samples + audio.len() > CACHED_SAMPLES {
            cached.by_name.clear();
            cached.samples = 0;
        }
        if cached.by_name.insert(name, Arc::clone(audio)).is_none() {
            cached.samples += audio.len();
        }
    }

    fn forget(&self) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *cached = Cached { generation: cached.generation + 1, ..Cached::default() };
    }
}

impl TenantStore {
    /// Adds a prompt or replaces the one of its name, which keeps its id. `source` is the WAV
    /// as added, `rendering` 8 kHz mono signed 16-bit little-endian. Returns it as stored.
    pub async fn prompt_put(
        &self,
        new: Prompt,
        source: Vec<u8>,
        rendering: Vec<u8>,
    ) -> Result<Prompt, StoreError> {
        let stored = self
            .db()
            .write(move |transaction| {
                let mut statement = transaction.prepare_cached(&format!(
                    "INSERT INTO prompt (id, name, source, rendering, duration_ms, updated_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (name) DO UPDATE SET source = excluded.source, rendering = excluded.rendering,
                     duration_ms = excluded.duration_ms, updated_at = excluded.updated_at
                     RETURNING {COLUMNS}"
                ))?;
                let values = params![new.id, new.name, source, rendering, new.duration_ms, new.updated_at];
                Ok(statement.query_row(values, prompt)?)
            })
            .await?;
        self.renderings.forget();
        Ok(stored)
    }

    /// Every prompt, by name.
    pub async fn prompts(&self) -> Result<Vec<Prompt>, StoreError> {
        self.db()
            .read(|connection| {
                let mut statement =
                    connection.prepare_cached(&format!("SELECT {COLUMNS} FROM prompt ORDER BY name"))?;
                let rows = statement.query_map((), prompt)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// The WAV of a prompt as it was added.
    pub async fn prompt_source(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let name = name.to_owned();
        self.db()
            .read(move |connection| {
                let mut statement = connection.prepare_cached("SELECT source FROM prompt WHERE name = ?1")?;
                Ok(statement.query_row([name], |row| row.get(0)).optional()?)
            })
            .await
    }

    /// The 8 kHz mono samples of a prompt, from memory once read.
    pub async fn prompt_rendering(&self, name: &str) -> Result<Option<Arc<[i16]>>, StoreError> {
        let (generation, cached) = self.renderings.find(name);
        if cached.is_some() {
            return Ok(cached);
        }
        let wanted = name.to_owned();
        let audio: Option<Arc<[i16]>> = self
            .db()
            .read(move |connection| {
                let mut statement =
                    connection.prepare_cached("SELECT rendering FROM prompt WHERE name = ?1")?;
                let samples = |row: &Row<'_>| {
                    let bytes = row.get_ref(0)?.as_blob()?;
                    Ok(bytes
                        .chunks_exact(2)
                        .filter_map(|pair| pair.try_into().ok())
                        .map(i16::from_le_bytes)
                        .collect())
                };
                Ok(statement.query_row([wanted], samples).optional()?)
            })
            .await?;
        if let Some(audio) = &audio {
            self.renderings.keep(generation, name.to_owned(), audio);
        }
        Ok(audio)
    }

    /// Removes a prompt.
    pub async fn prompt_delete(&self, id: PromptId) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                found(transaction.prepare_cached("DELETE FROM prompt WHERE id = ?1")?.execute([id])?)
            })
            .await?;
        self.renderings.forget();
        Ok(())
    }
}

const COLUMNS: &str = "id, name, duration_ms, updated_at";

fn prompt(row: &Row<'_>) -> rusqlite::Result<Prompt> {
    Ok(Prompt {
        id: row.get("id")?,
        name: row.get("name")?,
        duration_ms: row.get("duration_ms")?,
        updated_at: row.get("updated_at")?,
    })
}
