//! The data directory: made on first start, with the key beside it if none is named.

use super::StartError;
use super::certificate::write_private;
use crate::store::MasterKey;
use crate::wire::status::Bound;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Makes the data directory (0700) if need be; the store locks it and narrows its mode.
pub(super) fn make(data_dir: &Path) -> Result<(), StartError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    made.map_err(|error| StartError::Path { path: data_dir.into(), doing: "made", error })
}

/// The master key from where it is said to be, made there on first start.
pub(super) fn master_key(named: Option<&Path>, data_dir: &Path) -> Result<MasterKey, StartError> {
    let path = named.map_or_else(|| data_dir.join("master.key"), Path::to_owned);
    if named.is_none() {
        tracing::warn!("the master key lies beside the data it protects; keep it apart with --master-key");
    }
    Ok(if path.exists() { MasterKey::load(&path)? } else { MasterKey::load_or_create(&path)? })
}

/// Where scripts find the ports of a daemon that took free ones.
pub(super) fn bound_file(data_dir: &Path) -> PathBuf {
    data_dir.join("bound.json")
}

/// Writes [`bound_file`].
pub(super) fn write_bound(data_dir: &Path, bound: &Bound) -> Result<(), StartError> {
    let json = serde_json::to_vec_pretty(bound).unwrap_or_default();
    write_private(&bound_file(data_dir), &json)
}
