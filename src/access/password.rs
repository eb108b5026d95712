//! Password hashing: argon2id, as many at once as the machine can bear, and no more waiting
//! than answers are worth waiting for.

use super::AccessError;
use crate::store::StoreError;
use argon2::password_hash::{
    self, Decimal, Ident, Output, ParamsString, PasswordHash, PasswordHasher, PasswordVerifier, Salt,
    SaltString,
};
use argon2::{Algorithm, Argon2, Block, Params, Version};
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

fn hasher() -> Result<Frugal, AccessError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(unhashable)?;
    Ok(Frugal(Argon2::new(Algorithm::Argon2id, Version::V0x13, params)))
}

fn hash_now(password: &[u8]) -> Result<String, AccessError> {
    let mut salt = [0; 16];
    fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt).map_err(unhashable)?;
    Ok(hasher()?.hash_password(password, &salt).map_err(unhashable)?.to_string())
}

/// Argon2 that gives its memory back. The C library keeps what it frees in an arena a thread, so that
/// a dozen logins left 200 MB resident (measured); but a block above 32 MiB, its largest
/// `M_MMAP_THRESHOLD`, it always maps and unmaps. So more is reserved than is ever touched.
struct Frugal(Argon2<'static>);

/// Blocks of 1 KiB that exceed that threshold.
const RESERVED: usize = 33 * 1024;

impl PasswordHasher for Frugal {
    type Params = Params;

    fn hash_password<'a>(
        &self,
        password: &[u8],
        salt: impl Into<Salt<'a>>,
    ) -> password_hash::Result<PasswordHash<'a>> {
        let salt = salt.into();
        let mut decoded = [0; Salt::MAX_LENGTH];
        let bytes = salt.decode_b64(&mut decoded)?;
        let params = self.0.params();
        let mut memory = Vec::with_capacity(RESERVED.max(params.block_count()));
        memory.resize(params.block_count(), Block::default());
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let output = Output::init_with(length, |out| {
            Ok(self.0.hash_password_into_with_memory(password, bytes, out, &mut memory)?)
        })?;
        Ok(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params)?,
            salt: Some(salt),
            hash: Some(output),
        })
    }

    /// Under the parameters of a hash made earlier. Other algorithms and versions than ours are refused.
    fn hash_password_customized<'a>(
        &self,
        password: &[u8],
        algorithm: Option<Ident<'a>>,
        version: Option<Decimal>,
        params: Params,
        salt: impl Into<Salt<'a>>,
    ) -> password_hash::Result<PasswordHash<'a>> {
        if algorithm != Some(Algorithm::Argon2id.ident()) {
            return Err(password_hash::Error::Algorithm);
        }
        if version != Some(Version::V0x13.into()) {
            return Err(password_hash::Error::Version);
        }
        Self(Argon2::new(Algorithm::Argon2id, Version::V0x13, params)).hash_password(password, salt)
    }
}

/// Fills with the operating system's randomness.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), AccessError> {
    aws_lc_rs::rand::fill(bytes)
        .map_err(|_| AccessError::Store(StoreError::Key("the system has no randomness to give".to_owned())))
}

fn unhashable(error: impl std::fmt::Display) -> AccessError {
    AccessError::Store(StoreError::Key(format!("the password could not be hashed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_own_hasher_reads_our_hashes_and_we_read_its() {
        let ours = hash_now(b"Correct-Horse7").unwrap();
        assert!(ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{ours}");
        let parsed = PasswordHash::new(&ours).unwrap();
        let plain = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        assert!(plain.verify_password(b"Correct-Horse7", &parsed).is_ok());
        assert!(plain.verify_password(b"Wrong-Horse7", &parsed).is_err());
        let salt = SaltString::encode_b64(&[7; 16]).unwrap();
        let theirs = plain.hash_password(b"Correct-Horse7", &salt).unwrap();
        assert!(hasher().unwrap().verify_password(b"Correct-Horse7", &theirs).is_ok());
        assert!(hasher().unwrap().verify_password(b"Wrong-Horse7", &theirs).is_err());
        let other = Argon2::new(Algorithm::Argon2i, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let other = other.hash_password(b"Correct-Horse7", &salt).unwrap();
        assert!(hasher().unwrap().verify_password(b"Correct-Horse7", &other).is_err());
    }
}
