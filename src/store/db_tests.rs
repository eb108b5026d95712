use super::*;
use crate::store::key::random_key;
use rusqlite_migration::M;
use std::sync::mpsc as std_mpsc;
use zeroize::Zeroizing;

const SCHEMA: &str = "CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;";

fn schema() -> Migrations<'static> {
    Migrations::new(vec![M::up(SCHEMA)])
}

fn open(dir: &tempfile::TempDir, key: &RawKey) -> Result<Db, StoreError> {
    Db::open(&dir.path().join("words.db"), key.clone(), &schema())
}

async fn add(db: &Db, text: &str) -> Result<(), StoreError> {
    let text = text.to_owned();
    db.write(move |transaction| {
        transaction.execute("INSERT INTO word (text) VALUES (?1)", [text])?;
        Ok(())
    })
    .await
}

async fn words(db: &Db) -> Vec<String> {
    db.read(|connection| {
        let mut statement = connection.prepare_cached("SELECT text FROM word ORDER BY text")?;
        let rows = statement.query_map((), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })
    .await
    .unwrap()
}

/// Holds the writer inside a job until the returned sender speaks or is dropped.
async fn hold(db: &Db) -> (std_mpsc::SyncSender<()>, tokio::task::JoinHandle<Result<(), StoreError>>) {
    let (release, held) = std_mpsc::sync_channel(1);
    let (entered, inside) = oneshot::channel();
    let db = db.clone();
    let job = crate::task::spawn("hold", async move {
        db.write(move |_| {
            let _ = entered.send(());
            let _ = held.recv();
            Ok(())
        })
        .await
    });
    inside.await.unwrap();
    (release, job)
}

#[tokio::test]
async fn an_acknowledged_write_survives_without_a_close() {
    let dir = tempfile::tempdir().unwrap();
    let key = random_key().unwrap();
    let db = open(&dir, &key).unwrap();
    add(&db, "kept").await.unwrap();
    // What a crash right now would leave behind: the files as they are, copied.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["words.db", "words.db-wal"] {
        std::fs::copy(dir.path().join(name), crashed.path().join(name)).unwrap();
    }
    assert_eq!(words(&open(&crashed, &key).unwrap()).await, ["kept"]);
    db.close().await;
    assert!(matches!(add(&db, "late").await, Err(StoreError::Closed)));
    assert!(matches!(db.read(|_| Ok(())).await, Err(StoreError::Closed)));
    assert!(!dir.path().join("words.db-wal").exists(), "close leaves one file");
    assert_eq!(words(&open(&dir, &key).unwrap()).await, ["kept"]);
}

#[tokio::test]
async fn writes_that_wait_together_share_a_commit() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir, &random_key().unwrap()).unwrap();
    let (release, held) = hold(&db).await;
    let before = db.commits();
    let waiting: Vec<_> = (0..200)
        .map(|n| {
            let db = db.clone();
            crate::task::spawn("add", async move { add(&db, &n.to_string()).await })
        })
        .collect();
    // Each task has queued its job once it was polled; the writer is held meanwhile.
    while db.inner.writer.lock().unwrap().as_ref().unwrap().capacity() > WRITES_WAITING - 200 {
        tokio::task::yield_now().await;
    }
    drop(release);
    held.await.unwrap().unwrap();
    for job in waiting {
        job.await.unwrap().unwrap();
    }
    assert_eq!(words(&db).await.len(), 200);
    assert_eq!(db.commits() - before, 2, "the held job's commit, and one for 200 writes");
}

#[tokio::test]
async fn a_failing_job_does_not_undo_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir, &random_key().unwrap()).unwrap();
    let (release, held) = hold(&db).await;
    let half = db.write(|transaction| {
        transaction.execute("INSERT INTO word (text) VALUES ('half')", ())?;
        Err::<(), _>(StoreError::Conflict("changed its mind".into()))
    });
    let panics = db.write(|transaction| -> Result<(), StoreError> {
        transaction.execute("INSERT INTO word (text) VALUES ('panicked')", ())?;
        panic!("on purpose");
    });
    let before = db.commits();
    let all = async { tokio::join!(add(&db, "a"), half, panics, add(&db, "b"), add(&db, "a")) };
    let release = async {
        while db.inner.writer.lock().unwrap().as_ref().unwrap().capacity() > WRITES_WAITING - 5 {
            tokio::task::yield_now().await;
        }
        drop(release);
    };
    let ((a, half, panicked, b, again), ()) = tokio::join!(all, release);
    held.await.unwrap().unwrap();
    a.unwrap();
    b.unwrap();
    assert!(matches!(half, Err(StoreError::Conflict(_))));
    assert!(panicked.is_err());
    assert!(matches!(again, Err(StoreError::Database(_))), "unique");
    assert_eq!(words(&db).await, ["a", "b"]);
    assert_eq!(db.commits() - before, 2, "the held job's, and one for all the rest");
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir, &random_key().unwrap()).unwrap();
    let (release, held) = hold(&db).await;
    let mut jobs = tokio::task::JoinSet::new();
    for n in 0..WRITES_WAITING + 10 {
        let db = db.clone();
        jobs.spawn(async move { add(&db, &n.to_string()).await });
    }
    let mut refused = 0;
    while refused < 10 {
        let answer = jobs.join_next().await.unwrap().unwrap();
        assert!(matches!(answer, Err(StoreError::Busy)), "only refusals answer while the writer is held");
        refused += 1;
    }
    drop(release);
    held.await.unwrap().unwrap();
    while let Some(answer) = jobs.join_next().await {
        answer.unwrap().unwrap();
    }
    assert_eq!(words(&db).await.len(), WRITES_WAITING);
}

#[tokio::test]
async fn reads_see_one_snapshot_and_can_not_write() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir, &random_key().unwrap()).unwrap();
    add(&db, "first").await.unwrap();
    let (go_on, held) = std_mpsc::sync_channel::<()>(1);
    let (entered, inside) = oneshot::channel();
    let reader = {
        let db = db.clone();
        crate::task::spawn("read", async move {
            db.read(move |connection| {
                let count =
                    |c: &Connection| c.query_row("SELECT count(*) FROM word", (), |row| row.get::<_, i64>(0));
                let before = count(connection)?;
                let _ = entered.send(());
                let _ = held.recv();
                Ok((before, count(connection)?))
            })
            .await
        })
    };
    inside.await.unwrap();
    add(&db, "second").await.unwrap();
    drop(go_on);
    assert_eq!(reader.await.unwrap().unwrap(), (1, 1));
    let written = db.read(|connection| Ok(connection.execute("DELETE FROM word", ())?)).await;
    assert!(matches!(written, Err(StoreError::Database(_))));
    assert_eq!(words(&db).await.len(), 2);
}

#[tokio::test]
async fn another_key_is_refused_and_nothing_is_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let key = random_key().unwrap();
    let db = open(&dir, &key).unwrap();
    add(&db, "sakura-tanaka-login").await.unwrap();
    let clear = |name: &str| {
        let bytes = std::fs::read(dir.path().join(name)).unwrap();
        assert!(bytes.len() > 1000, "{name} holds something");
        [&b"sakura-tanaka-login"[..], b"CREATE TABLE", b"SQLite format 3"]
            .iter()
            .any(|text| bytes.windows(text.len()).any(|window| window == *text))
    };
    assert!(!clear("words.db-wal"));
    db.close().await;
    assert!(!clear("words.db"));
    let wrong = open(&dir, &Zeroizing::new([9; 32])).map(|_| ()).unwrap_err();
    assert!(matches!(wrong, StoreError::Key(_)), "{wrong}");
    assert_eq!(words(&open(&dir, &key).unwrap()).await.len(), 1, "a wrong key harms nothing");
}

#[tokio::test]
async fn a_failed_commit_is_acknowledged_to_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let schema = "CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE,
                  after INTEGER REFERENCES word(id) DEFERRABLE INITIALLY DEFERRED) STRICT;";
    let schema = Migrations::new(vec![M::up(schema)]);
    let db = Db::open(&dir.path().join("words.db"), random_key().unwrap(), &schema).unwrap();
    let (release, held) = hold(&db).await;
    // Looks fine until the commit.
    let dangling = db.write(|transaction| {
        transaction.execute("INSERT INTO word (text, after) VALUES ('dangling', 99)", ())?;
        Ok(())
    });
    let both = async { tokio::join!(add(&db, "neighbour"), dangling) };
    let release = async {
        while db.inner.writer.lock().unwrap().as_ref().unwrap().capacity() > WRITES_WAITING - 2 {
            tokio::task::yield_now().await;
        }
        drop(release);
    };
    let ((neighbour, dangling), ()) = tokio::join!(both, release);
    held.await.unwrap().unwrap();
    assert!(matches!(neighbour, Err(StoreError::Commit(_))));
    assert!(matches!(dangling, Err(StoreError::Commit(_))));
    assert_eq!(words(&db).await.len(), 0);
    add(&db, "later").await.unwrap();
    assert_eq!(words(&db).await, ["later"], "the writer goes on");
}
