//! Password hashing: argon2id, as many at once as the machine can bear, and no more waiting
//! than answers are worth waiting for.

use super::AccessError;
use crate::store::StoreError;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// Memory of one hash in KiB (OWASP's second argon2id profile).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes at once; each fills [`MEMORY_KIB`] and one core for some 20 ms.
pub(super) const AT_ONCE: usize = 2;
/// Hashes that may wait besides; one more is refused.
pub(super) const WAITING: usize = 64;

/// Hashes and checks passwords on blocking threads. Cheap to clone.
#[derive(Clone)]
pub(super) struct Hasher {
    admission: Arc<Semaphore>,
    slots: Arc<Semaphore>,
    /// Stands in where there is no hash, so that the work is the same.
    stand_in: Arc<str>,
    #[cfg(test)]
    pub(super) work: Arc<std::sync::atomic::AtomicU64>,
}

/// The right to one hash, soon.
pub(super) struct Turn(OwnedSemaphorePermit);

impl Hasher {
    /// Blocks for one hash, the stand-in's.
    pub(super) fn new() -> Result<Self, AccessError> {
        let mut unknown = Zeroizing::new([0; 32]);
        fill(unknown.as_mut_slice())?;
        Ok(Self {
            admission: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            stand_in: hash_now(unknown.as_slice())?.into(),
            #[cfg(test)]
            work: Arc::default(),
        })
    }

    /// Takes a place in the line, or refuses with [`AccessError::Busy`].
    pub(super) fn turn(&self) -> Result<Turn, AccessError> {
        Arc::clone(&self.admission).try_acquire_owned().map(Turn).map_err(|_| AccessError::Busy)
    }

    /// The argon2id PHC string of a password.
    pub(super) async fn hash(&self, turn: Turn, password: Zeroizing<String>) -> Result<String, AccessError> {
        self.run(turn, move || hash_now(password.as_bytes())).await?
    }

    /// Whether the password is that of `hash`. Without a hash, or with one that can't be
    /// read, the answer is no after the same work.
    pub(super) async fn verify(
        &self,
        turn: Turn,
        password: Zeroizing<String>,
        hash: Option<String>,
    ) -> Result<bool, AccessError> {
        let stand_in = Arc::clone(&self.stand_in);
        self.run(turn, move || {
            let known = hash.as_deref().and_then(|text| PasswordHash::new(text).ok());
            let (hash, is_known) = match known {
                Some(hash) => (hash, true),
                None => (PasswordHash::new(&stand_in).map_err(unhashable)?, false),
            };
            Ok(hasher()?.verify_password(password.as_bytes(), &hash).is_ok() && is_known)
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccessError> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| AccessError::Busy)?;
        #[cfg(test)]
        self.work.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        // The permits go along: a caller that gives up does not free a core still in use.
        let run = move || {
            let done = work();
            drop((turn.0, slot));
            done
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| AccessError::Busy)
    }
}

fn hasher() -> Result<Argon2<'static>, AccessError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(unhashable)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8]) -> Result<String, AccessError> {
    let mut salt = [0; 16];
    fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt).map_err(unhashable)?;
    Ok(hasher()?.hash_password(password, &salt).map_err(unhashable)?.to_string())
}

/// Fills with the operating system's randomness.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), AccessError> {
    aws_lc_rs::rand::fill(bytes)
        .map_err(|_| AccessError::Store(StoreError::Key("the system has no randomness to give".to_owned())))
}

fn unhashable(error: impl std::fmt::Display) -> AccessError {
    AccessError::Store(StoreError::Key(format!("the password could not be hashed: {error}")))
}
