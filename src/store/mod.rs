//! The only room with SQL.
//!
//! Owns: `system.db` and one `tenants/<id>/tenant.db` a tenant, all SQLCipher, their keys
//! wrapped by the master key; for each database one writer thread (group commit, WAL,
//! `synchronous=FULL`: a reply goes out after its commit) and a pool of readers.
//! Refuses: a query on a tenant's people, customers, calls or recordings without a
//! [`Scope`](crate::domain::Scope); rules of the business.
//! May use: domain, clock, task.

mod chain;
mod column;
pub mod db;
pub mod error;
pub mod key;
pub mod system;
pub mod tenant;
#[cfg(test)]
pub(crate) mod fixture;

pub use error::StoreError;
pub use key::MasterKey;
pub use system::System;
pub use tenant::TenantStore;

use crate::clock::Clock;
use crate::domain::tenant::Tenant;
use crate::domain::{SessionId, TenantId};
use db::Db;
use rusqlite_migration::{M, Migrations};
use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::broadcast;

/// Sessions ended that a slow listener may lag behind by.
const ENDED_SESSIONS: usize = 1024;

/// The open databases. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    data_dir: PathBuf,
    master_key: MasterKey,
    clock: Clock,
    system: System,
    tenants: RwLock<HashMap<TenantId, Arc<TenantStore>>>,
    ended: broadcast::Sender<(TenantId, SessionId)>,
    /// Held until `close`, or until the process is gone.
    lock: Mutex<Option<File>>,
}

impl Store {
    /// Opens the data directory, making it (0700) and what is missing in it: `system.key`
    /// (wrapped), `system.db`, and each tenant's database. A data directory that another
    /// process has open is [`StoreError::InUse`]. Blocks: for start-up.
    pub fn open(data_dir: &Path, master_key: MasterKey, clock: Clock) -> Result<Self, StoreError> {
        make_folder(data_dir)?;
        let lock = Mutex::new(Some(lock(data_dir)?));
        make_folder(&data_dir.join("tenants"))?;
        let key = system_key(&data_dir.join("system.key"), &data_dir.join("system.db"), &master_key)?;
        let schema = Migrations::new(vec![M::up(include_str!("migrations/system/0001.sql"))]);
        let system = System::new(Db::open(&data_dir.join("system.db"), key, &schema)?, clock.clone());
        let (ended, _) = broadcast::channel(ENDED_SESSIONS);
        let mut tenants = HashMap::new();
        for (tenant, wrapped_key) in system.tenants_at_start()? {
            let key = master_key.unwrap_key(&key_name(tenant.id), &wrapped_key)?;
            let opened = TenantStore::open(
                &tenant_dir(data_dir, tenant.id),
                tenant,
                key,
                clock.clone(),
                ended.clone(),
            )?;
            tenants.insert(opened.id(), Arc::new(opened));
        }
        let data_dir = data_dir.to_owned();
        let tenants = RwLock::new(tenants);
        Ok(Self { inner: Arc::new(Inner { data_dir, master_key, clock, system, tenants, ended, lock }) })
    }

    /// Makes a tenant with its folder (`tenants/<id>`, 0700), key and database.
    /// [`StoreError::Conflict`] when the slug is taken.
    pub async fn create_tenant(
        &self,
        slug: &str,
        name: &str,
        region: &str,
        time_zone: &str,
    ) -> Result<Tenant, StoreError> {
        let tenant = Tenant {
            id: TenantId(uuid::Uuid::now_v7()),
            slug: slug.to_owned(),
            name: name.to_owned(),
            region: region.to_owned(),
            time_zone: time_zone.to_owned(),
            created_at: self.inner.clock.unix_millis(),
        };
        if self.tenant_by_slug(slug).is_some() {
            return Err(StoreError::Conflict(format!("tenant {slug} exists")));
        }
        let key = key::random_key()?;
        let wrapped = self.inner.master_key.wrap(&key_name(tenant.id), key.as_slice())?;
        let folder = tenant_dir(&self.inner.data_dir, tenant.id);
        let (made, clock, ended) = (tenant.clone(), self.inner.clock.clone(), self.inner.ended.clone());
        // Database first, row second: a row always has its database, and a crash in between
        // leaves a folder that nothing names.
        let opened = tokio::task::spawn_blocking(move || TenantStore::open(&folder, made, key, clock, ended))
            .await
            .unwrap_or(Err(StoreError::Closed))?;
        if let Err(error) = self.inner.system.tenant_create(tenant.clone(), wrapped).await {
            opened.db().close().await;
            let _ = std::fs::remove_dir_all(tenant_dir(&self.inner.data_dir, tenant.id));
            return Err(error);
        }
        let mut tenants = self.inner.tenants.write().unwrap_or_else(PoisonError::into_inner);
        tenants.insert(tenant.id, Arc::new(opened));
        Ok(tenant)
    }

    /// The data directory; `recordings` keep their files in `tenants/<id>/` of it.
    pub fn data_dir(&self) -> &Path {
        &self.inner.data_dir
    }

    /// A tenant's folder, mode 0700.
    pub fn tenant_dir(&self, id: TenantId) -> PathBuf {
        tenant_dir(&self.inner.data_dir, id)
    }

    /// The appliance's own database.
    pub fn system(&self) -> &System {
        &self.inner.system
    }

    /// One tenant's database; `NotFound` for an id that is no tenant.
    pub fn tenant(&self, id: TenantId) -> Result<Arc<TenantStore>, StoreError> {
        let tenants = self.inner.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.get(&id).cloned().ok_or(StoreError::NotFound)
    }

    /// The tenant of that slug.
    pub fn tenant_by_slug(&self, slug: &str) -> Option<Tenant> {
        let tenants = self.inner.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.values().map(|store| store.tenant()).find(|tenant| tenant.slug == slug).cloned()
    }

    /// Every tenant that is open, oldest first.
    pub fn tenants(&self) -> Vec<Arc<TenantStore>> {
        let tenants = self.inner.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<_> = tenants.values().cloned().collect();
        list.sort_by_key(|store| store.id());
        list
    }

    /// Hears of every session that ends, after its commit, whatever ended it.
    pub fn sessions_ended(&self) -> broadcast::Receiver<(TenantId, SessionId)> {
        self.inner.ended.subscribe()
    }

    /// Finishes what waits and closes every database.
    pub async fn close(&self) {
        for tenant in self.tenants() {
            tenant.db().close().await;
        }
        self.inner.system.db().close().await;
        self.inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The name that binds a tenant's wrapped key to it.
fn key_name(id: TenantId) -> String {
    format!("tenant:{id}")
}

fn tenant_dir(data_dir: &Path, id: TenantId) -> PathBuf {
    data_dir.join("tenants").join(id.to_string())
}

/// Makes a folder (0700) where there is none, and narrows one that is wider.
fn make_folder(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StoreError::file(path))?;
        sync_folder_of(path).map_err(StoreError::file(path))?;
    }
    let mode = std::fs::metadata(path).map_err(StoreError::file(path))?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
            .map_err(StoreError::file(path))?;
    }
    Ok(())
}

/// Two daemons on one data directory would each take the other's calls for dead.
fn lock(data_dir: &Path) -> Result<File, StoreError> {
    let path = data_dir.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(StoreError::file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(data_dir.display().to_string())),
        Err(TryLockError::Error(error)) => Err(StoreError::file(&path)(error)),
    }
}

/// Unwraps the system database's key, or makes and wraps one beside a database still to be made.
fn system_key(path: &Path, database: &Path, master_key: &MasterKey) -> Result<key::RawKey, StoreError> {
    match std::fs::read(path) {
        Ok(wrapped) => master_key.unwrap_key("system", &wrapped),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::file(path)(error)),
        Err(_) if database.exists() => {
            Err(StoreError::Key(format!("{}: missing, and {} needs it", path.display(), database.display())))
        }
        Err(_) => {
            let key = key::random_key()?;
            let wrapped = master_key.wrap("system", key.as_slice())?;
            write_synced(path, &wrapped).map_err(StoreError::file(path))?;
            Ok(key)
        }
    }
}

/// Writes a small file whole (mode 0600) or not at all.
fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    sync_folder_of(path)
}

/// A new name is on disk once its folder is.
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
