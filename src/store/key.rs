//! The master key, and the keys it wraps.

use super::StoreError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// A raw 256-bit key; wiped when dropped.
pub type RawKey = Zeroizing<[u8; 32]>;

/// First byte of everything wrapped, so that another scheme can follow this one.
const SCHEME: u8 = 1;

/// The key that wraps every other key of the appliance. It lives apart from the data.
#[derive(Clone)]
pub struct MasterKey(RawKey);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

impl MasterKey {
    /// Takes a key as it is: 32 bytes of a systemd credential, or a test's.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the key file at `path`: exactly 32 bytes.
    pub fn load(path: &Path) -> Result<Self, StoreError> {
        let file = OpenOptions::new().read(true).open(path).map_err(StoreError::file(path))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(64));
        file.take(64).read_to_end(&mut bytes).map_err(StoreError::file(path))?;
        let key: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| StoreError::Key(format!("{}: a master key is exactly 32 bytes", path.display())))?;
        Ok(Self::new(key))
    }

    /// Reads the key file, or makes one of 32 random bytes (mode 0400, synced) where there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, StoreError> {
        let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o400).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Self::load(path),
            Err(error) => return Err(StoreError::file(path)(error)),
        };
        let key = random_key()?;
        let written = file.write_all(key.as_slice()).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // Half a key would lock the operator out at the next start.
            let _ = std::fs::remove_file(path);
            return Err(StoreError::file(path)(error));
        }
        Ok(Self(key))
    }

    /// Encrypts `secret` (AES-256-GCM, random nonce). `what` names it (`tenant:<id>`, `system`)
    /// and is needed again to unwrap, so that one wrapped key can't stand in for another.
    pub fn wrap(&self, what: &str, secret: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut sealed = secret.to_vec();
        let nonce = self
            .cipher()?
            .seal_in_place_append_tag(Aad::from(what.as_bytes()), &mut sealed)
            .map_err(|_| StoreError::Key(format!("could not wrap the key of {what}")))?;
        let mut wrapped = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        wrapped.push(SCHEME);
        wrapped.extend_from_slice(nonce.as_ref());
        wrapped.append(&mut sealed);
        Ok(wrapped)
    }

    /// Decrypts what [`MasterKey::wrap`] made under the same name.
    pub fn unwrap(&self, what: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let refused = || StoreError::Key(format!("the master key does not open the key of {what}"));
        let (scheme, rest) = wrapped.split_first().ok_or_else(refused)?;
        if *scheme != SCHEME {
            return Err(refused());
        }
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or_else(refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let length = self
            .cipher()?
            .open_in_place(nonce, Aad::from(what.as_bytes()), &mut bytes)
            .map_err(|_| refused())?
            .len();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// [`MasterKey::unwrap`] for a 256-bit key.
    pub fn unwrap_key(&self, what: &str, wrapped: &[u8]) -> Result<RawKey, StoreError> {
        let bytes = self.unwrap(what, wrapped)?;
        let key: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| StoreError::Key(format!("the key of {what} is not 32 bytes")))?;
        Ok(Zeroizing::new(key))
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, StoreError> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.as_slice())
            .map_err(|_| StoreError::Key("the master key can't be used".to_owned()))
    }
}

/// 256 bits of the operating system's randomness.
pub fn random_key() -> Result<RawKey, StoreError> {
    let mut key = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(key.as_mut_slice())
        .map_err(|_| StoreError::Key("the system has no randomness to give".to_owned()))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn wraps_under_its_name_only() {
        let master = MasterKey::new([7; 32]);
        let wrapped = master.wrap("tenant:a", &[1; 32]).unwrap();
        assert_eq!(*master.unwrap_key("tenant:a", &wrapped).unwrap(), [1; 32]);
        assert!(master.unwrap("tenant:b", &wrapped).is_err());
        assert!(MasterKey::new([8; 32]).unwrap("tenant:a", &wrapped).is_err());
        assert_ne!(wrapped, master.wrap("tenant:a", &[1; 32]).unwrap(), "a nonce is never used twice");
        for cut in 0..wrapped.len() {
            assert!(master.unwrap("tenant:a", &wrapped[..cut]).is_err());
        }
        for at in 0..wrapped.len() {
            let mut bent = wrapped.clone();
            bent[at] ^= 1;
            assert!(master.unwrap("tenant:a", &bent).is_err(), "byte {at}");
        }
    }

    #[test]
    fn file_is_made_once_and_read_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let made = MasterKey::load_or_create(&path).unwrap();
        let read = MasterKey::load_or_create(&path).unwrap();
        assert_eq!(made.0, read.0);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
        assert_eq!(format!("{made:?}"), "MasterKey");
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for length in [0, 31, 33, 4096] {
            let path = dir.path().join(format!("{length}"));
            std::fs::write(&path, vec![1; length]).unwrap();
            assert!(MasterKey::load_or_create(&path).is_err(), "{length}");
        }
    }
}
