use super::*;
use crate::store::fixture::{Fixture, fixture};
use crate::store::{StoreError, TenantStore};
use std::sync::Arc;

fn entry(object: &str) -> Entry {
    Entry {
        actor: "uid:0/pid:4711".to_owned(),
        source: "socket".to_owned(),
        action: "account.create",
        object: object.to_owned(),
        outcome: Outcome::Done,
        detail: serde_json::json!({ "role": "operator" }),
    }
}

async fn house() -> (Fixture, Audit, Arc<TenantStore>) {
    let fixture = fixture();
    let audit = Audit::new(fixture.store.clone(), fixture.clock.clone());
    let tenant = fixture.tenant("hana").await;
    for n in 1..=5 {
        audit.append(Some(tenant.id()), entry(&n.to_string())).await.unwrap();
    }
    (fixture, audit, tenant)
}

async fn tampered(tenant: &TenantStore, sql: &'static str) {
    tenant.execute_for_test(sql).await.unwrap()
}

#[tokio::test]
async fn chains_are_separate_and_hold_what_was_written() {
    let (fixture, audit, tenant) = house().await;
    audit.append(None, Entry { outcome: Outcome::Refused, ..entry("t") }).await.unwrap();
    let rows = audit.rows(Some(tenant.id()), 0, 100).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(rows[0].entry.at, fixture.clock.unix_millis());
    assert_eq!(rows[4].entry.detail, r#"{"role":"operator"}"#);
    assert_eq!(audit.rows(Some(tenant.id()), 3, 1).await.unwrap(), rows[3..4]);
    let appliance = audit.rows(None, 0, 100).await.unwrap();
    assert_eq!((appliance.len(), appliance[0].entry.outcome.as_str()), (1, "refused"));
    let head = rows[4].hash;
    assert_eq!(audit.verify(Some(tenant.id())).await.unwrap(), Verdict::Intact { rows: 5, head });
    let nobody = TenantId(uuid::Uuid::now_v7());
    assert!(matches!(audit.append(Some(nobody), entry("x")).await, Err(StoreError::NotFound)));
}

#[tokio::test]
async fn an_empty_chain_is_intact() {
    let fixture = fixture();
    let audit = Audit::new(fixture.store.clone(), fixture.clock.clone());
    assert_eq!(audit.verify(None).await.unwrap(), Verdict::Intact { rows: 0, head: GENESIS });
}

#[tokio::test]
async fn a_changed_removed_moved_or_added_row_is_found() {
    let cases = [
        ("UPDATE audit SET object = 'x' WHERE seq = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
        // Removed and the gap closed.
        ("DELETE FROM audit WHERE seq = 2; UPDATE audit SET seq = seq - 1 WHERE seq > 2", 2),
        // Two rows changed places.
        (
            "UPDATE audit SET seq = 99 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4;
          UPDATE audit SET seq = 4 WHERE seq = 99",
            3,
        ),
        // A copy put at the end.
        (
            "INSERT INTO audit SELECT 6, at, actor, source, action, object, outcome, detail, hash FROM audit WHERE seq = 5",
            6,
        ),
        // A row hidden before the first.
        (
            "INSERT INTO audit SELECT -1, at, actor, source, action, object, outcome, detail, hash
             FROM audit WHERE seq = 5",
            1,
        ),
    ];
    for (sql, seq) in cases {
        let (_fixture, audit, tenant) = house().await;
        tampered(&tenant, sql).await;
        let verdict = audit.verify(Some(tenant.id())).await.unwrap();
        assert_eq!(verdict, Verdict::Broken { seq }, "{sql}");
    }
}

#[tokio::test]
async fn a_cut_tail_shows_in_the_head() {
    let (_fixture, audit, tenant) = house().await;
    let Verdict::Intact { rows: 5, head } = audit.verify(Some(tenant.id())).await.unwrap() else {
        panic!("intact before")
    };
    tampered(&tenant, "DELETE FROM audit WHERE seq = 5").await;
    let Verdict::Intact { rows: 4, head: cut } = audit.verify(Some(tenant.id())).await.unwrap() else {
        panic!("what is left still chains")
    };
    assert_ne!(head, cut);
}

#[tokio::test]
async fn many_writers_leave_no_gap() {
    let (_fixture, audit, tenant) = house().await;
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..200 {
        let (audit, id) = (audit.clone(), tenant.id());
        writers.spawn(async move { audit.append(Some(id), entry(&n.to_string())).await });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap().unwrap();
    }
    assert!(matches!(audit.verify(Some(tenant.id())).await.unwrap(), Verdict::Intact { rows: 205, .. }));
}
