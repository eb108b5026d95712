//! Where a tenant's recordings lie, and whether there is room for more.

use super::RecordingError;
use crate::clock::Clock;
use crate::domain::{RecordingId, TenantId};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Free bytes below which nothing new is recorded: what runs must still fit, and be sealed.
const LEAST_FREE: u64 = 64 * 1024 * 1024;
/// How long an answer about free space holds.
const HOLDS: Duration = Duration::from_secs(1);

/// The folders of one tenant. Names in them are made from parsed ids alone.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    spool: PathBuf,
    sealed: PathBuf,
}

impl Folder {
    pub(super) fn of(data_dir: &Path, tenant: TenantId) -> Self {
        let tenant = data_dir.join("tenants").join(tenant.to_string());
        Self { spool: tenant.join("spool"), sealed: tenant.join("recordings") }
    }

    /// Makes both folders (0700) where they are not. Blocks.
    pub(super) fn make(&self) -> std::io::Result<()> {
        for folder in [&self.spool, &self.sealed] {
            match std::fs::DirBuilder::new().mode(0o700).create(folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn spool(&self, id: RecordingId) -> PathBuf {
        self.spool.join(format!("{id}.spool"))
    }

    /// Where a spool that can't be sealed is kept for a person to look at.
    pub(super) fn aside(&self, id: RecordingId) -> PathBuf {
        self.spool.join(format!("{id}.aside"))
    }

    pub(super) fn age(&self, id: RecordingId) -> PathBuf {
        self.sealed.join(format!("{id}.age"))
    }

    /// An age file before it is whole.
    pub(super) fn part(&self, id: RecordingId) -> PathBuf {
        self.sealed.join(format!("{id}.part"))
    }

    /// Makes the names in the sealed folder as lasting as the files. Blocks.
    pub(super) fn sync_sealed(&self) -> std::io::Result<()> {
        std::fs::File::open(&self.sealed)?.sync_all()
    }

    /// Recordings whose spool is there. Blocks.
    pub(super) fn spools(&self) -> std::io::Result<Vec<RecordingId>> {
        ids(&self.spool, "spool")
    }

    /// Recordings of which half an age file is there. Blocks.
    pub(super) fn parts(&self) -> std::io::Result<Vec<RecordingId>> {
        ids(&self.sealed, "part")
    }

    /// Whether the spool can take a new recording. Blocks for a system call.
    fn has_room(&self) -> bool {
        let writable = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        let free = |folder: &Path| {
            rustix::fs::statvfs(folder).map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize))
        };
        self.make().is_ok()
            && rustix::fs::access(&self.spool, writable).is_ok()
            && free(&self.spool).is_ok_and(|free| free >= LEAST_FREE)
    }
}

/// The ids of the files in `folder` that end in `.{end}`; any other name is none of ours.
fn ids(folder: &Path, end: &str) -> std::io::Result<Vec<RecordingId>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(end)?.strip_suffix('.'));
        // Other spellings of an id than ours name no file of ours.
        found.extend(id.and_then(|id| RecordingId::parse(id).filter(|parsed| parsed.to_string() == id)));
    }
    found.sort();
    Ok(found)
}

/// Answers about room, a second old at most.
#[derive(Default)]
pub(super) struct Room(Mutex<HashMap<TenantId, (Instant, bool)>>);

impl Room {
    pub(super) fn is_there(&self, folder: &Folder, tenant: TenantId, clock: &Clock) -> bool {
        let now = clock.now();
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.get(&tenant) {
            Some((at, answer)) if now.saturating_duration_since(*at) < HOLDS => *answer,
            _ => {
                let answer = folder.has_room();
                answers.insert(tenant, (now, answer));
                answer
            }
        }
    }
}

/// A failure of the spool's folder.
pub(super) fn refused(error: impl std::fmt::Display) -> RecordingError {
    RecordingError::Spool(error.to_string())
}
