//! One SQLCipher database: a writer thread with group commit, and readers beside it.

use super::StoreError;
use super::key::RawKey;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::Migrations;
use std::fmt::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use zeroize::Zeroizing;

/// Writes that may wait; one more is refused with [`StoreError::Busy`].
const WRITES_WAITING: usize = 1024;
/// Writes that share one commit at most.
const GROUP: usize = 256;
/// Readers at once, each with a connection of its own, opened when first needed.
const READERS: usize = 3;
/// Reads that may wait or run; one more is refused with [`StoreError::Busy`].
const READS_WAITING: usize = 1024;
/// Prepared statements a connection keeps.
const STATEMENTS: usize = 64;

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    key: RawKey,
    /// Taken by `close`.
    writer: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    /// Resolves when the writer thread has checkpointed and gone.
    gone: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
    idle: Mutex<Vec<Connection>>,
    readers: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    commits: Arc<AtomicU64>,
}

impl Db {
    /// Opens or makes the database at `path` (mode 0600) under its raw key, and brings its
    /// schema up to date. Blocks: for start-up or a blocking thread. A wrong key is
    /// [`StoreError::Key`].
    pub fn open(path: &Path, key: RawKey, migrations: &Migrations<'_>) -> Result<Self, StoreError> {
        // Made here with its mode: SQLite would ask the umask. Its -wal and -shm inherit it.
        std::fs::OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(StoreError::file(path))?;
        let mut connection = connect(path, &key)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        migrations.to_latest(&mut connection)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let commits = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&commits);
        connection.commit_hook(Some(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        }))?;
        let (jobs, waiting) = mpsc::channel(WRITES_WAITING);
        let (done, gone) = oneshot::channel();
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                write_until_closed(connection, waiting);
                let _ = done.send(());
            })
            .map_err(StoreError::file(path))?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                key,
                writer: Mutex::new(Some(jobs)),
                gone: tokio::sync::Mutex::new(Some(gone)),
                idle: Mutex::new(Vec::with_capacity(READERS)),
                readers: Arc::new(Semaphore::new(READERS)),
                reads: Arc::new(Semaphore::new(READS_WAITING)),
                commits,
            }),
        })
    }

    /// Runs `f` on the writer thread and returns after its commit reached the disk. Jobs that
    /// wait together share one commit; an error of `f` undoes `f` alone.
    pub async fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        {
            let writer = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let job = Box::new(Work { f: Some(f), result: None, reply: Some(reply) });
            writer.as_ref().ok_or(StoreError::Closed)?.try_send(job).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Busy,
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            })?;
        }
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs `f` on a reader's connection, on a blocking thread, in one snapshot: what other
    /// jobs commit meanwhile is not seen. Writing in it fails.
    pub async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let admitted = Arc::clone(&self.inner.reads).try_acquire_owned().map_err(|_| StoreError::Busy)?;
        let permit = Arc::clone(&self.inner.readers).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let inner = Arc::clone(&self.inner);
        // The permits go along: a caller that gives up does not free a connection still in use.
        let read = move || {
            let result = inner.read_now(f);
            drop((admitted, permit));
            result
        };
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(StoreError::Closed))
    }

    /// [`Db::read`] on the calling thread, for start-up.
    pub(in crate::store) fn read_blocking<T>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.inner.read_now(f)
    }

    /// Commits so far on the writer; many writes may share one.
    pub fn commits(&self) -> u64 {
        self.inner.commits.load(Ordering::Relaxed)
    }

    /// Finishes what waits, writes the log back into the file and closes. Later calls are
    /// refused with [`StoreError::Closed`].
    pub async fn close(&self) {
        drop(self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.inner.readers.close();
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Some(gone) = self.inner.gone.lock().await.take() {
            let _ = gone.await;
        }
    }
}

impl Inner {
    fn read_now<T>(&self, f: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.path, &self.key)?;
                connection.pragma_update(None, "query_only", true)?;
                connection
            }
        };
        // A panic in `f` loses the connection, and the next reader opens another.
        let result =
            connection.unchecked_transaction().map_err(StoreError::from).and_then(|snapshot| f(&snapshot));
        if !self.readers.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        result
    }
}

/// A connection that has proven its key.
fn connect(path: &Path, key: &RawKey) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(Duration::from_secs(5))?;
    // It would write to stderr past our log; what it has to say comes back as an error.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let mut pragma = Zeroizing::new(String::with_capacity(96));
    pragma.push_str("PRAGMA key = \"x'");
    for byte in key.iter() {
        let _ = write!(pragma, "{byte:02x}");
    }
    pragma.push_str("'\"");
    connection.execute_batch(&pragma)?;
    // Sorting and temporary tables would otherwise reach the disk in clear.
    connection.execute_batch("PRAGMA temp_store = MEMORY")?;
    match connection.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(())) {
        Ok(()) => Ok(connection),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            Err(StoreError::Key(format!("{}: the key does not open this database", path.display())))
        }
        Err(error) => Err(error.into()),
    }
}

/// One write that waits.
trait Job: Send {
    /// Does the work; whether it may stay.
    fn run(&mut self, transaction: &Transaction<'_>) -> bool;
    /// Answers the caller; `lost` says why the commit did not happen.
    fn answer(&mut self, lost: Option<&str>);
}

struct Work<T, F> {
    f: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: Option<oneshot::Sender<Result<T, StoreError>>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, transaction: &Transaction<'_>) -> bool {
        let Some(f) = self.f.take() else { return false };
        // A panic is the caller's; the writer and its neighbours go on.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(transaction)));
        self.result = Some(result.unwrap_or_else(|_| Err(StoreError::Commit("the job panicked".to_owned()))));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(&mut self, lost: Option<&str>) {
        let Some(reply) = self.reply.take() else { return };
        let result = match (self.result.take(), lost) {
            (Some(Err(error)), _) => Err(error),
            (_, Some(why)) => Err(StoreError::Commit(why.to_owned())),
            (Some(done), None) => done,
            (None, None) => Err(StoreError::Commit("the job was not run".to_owned())),
        };
        let _ = reply.send(result);
    }
}

fn write_until_closed(mut connection: Connection, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(GROUP);
    while let Some(first) = waiting.blocking_recv() {
        group.push(first);
        while group.len() < GROUP {
            let Ok(next) = waiting.try_recv() else { break };
            group.push(next);
        }
        let lost = commit_together(&mut connection, &mut group).err().map(|error| error.to_string());
        for job in &mut group {
            job.answer(lost.as_deref());
        }
        group.clear();
    }
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())) {
        tracing::warn!(%error, "could not write the log back into the database file");
    }
}

/// Runs each job in a savepoint of its own and commits them together.
fn commit_together(connection: &mut Connection, group: &mut [Box<dyn Job>]) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group {
        transaction.prepare_cached("SAVEPOINT job")?.execute(())?;
        if !job.run(&transaction) {
            // Fails when the database ended the whole transaction (disk full): all are lost.
            transaction.prepare_cached("ROLLBACK TO job")?.execute(())?;
        }
        transaction.prepare_cached("RELEASE job")?.execute(())?;
    }
    transaction.commit()
}

#[cfg(test)]
#[path = "db_tests.rs"]
mod tests;
