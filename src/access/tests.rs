use super::*;
use crate::audit::Verdict;
use crate::store::fixture::{Fixture, account, campaign, fixture};
use crate::task::Stopper;
use proptest::prelude::*;
use std::sync::atomic::Ordering;
use uuid::Uuid;

const PASSWORD: &str = "Sakura-2026";

struct House {
    fixture: Fixture,
    access: Access,
    audit: Audit,
    tenant: Arc<crate::store::TenantStore>,
    sakura: Account,
    _stopper: Stopper,
}

async fn house() -> House {
    let fixture = fixture();
    let audit = Audit::new(fixture.store.clone(), fixture.clock.clone());
    let (stopper, stop) = Stopper::new();
    let limits = Limits::default();
    let access =
        Access::start(fixture.store.clone(), audit.clone(), fixture.clock.clone(), limits, stop).unwrap();
    let tenant = fixture.tenant("hana").await;
    let sakura = account("sakura", Role::Operator);
    let hash = access.hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    tenant.account_create(sakura.clone(), Some(hash)).await.unwrap();
    House { fixture, access, audit, tenant, sakura, _stopper: stopper }
}

fn attempt(tenant: &str, login: &str, password: &str) -> Attempt {
    Attempt {
        tenant: tenant.to_owned(),
        login: login.to_owned(),
        password: Zeroizing::new(password.to_owned()),
        source: "192.0.2.9".parse().unwrap(),
        user_agent: "Browser/1".to_owned(),
    }
}

impl House {
    async fn log_in(&self) -> (Session, Zeroizing<String>) {
        self.access.log_in(attempt("hana", "sakura", PASSWORD)).await.unwrap()
    }

    async fn has_session(&self, token: &str) -> bool {
        match self.access.session(token).await {
            Ok(_) => true,
            Err(AccessError::NoSession) => false,
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_login_makes_a_session_until_logout() {
    let house = house().await;
    let work = campaign("旅行予約");
    house.tenant.campaign_create(work.clone()).await.unwrap();
    house.tenant.grant(house.sakura.id, work.id).await.unwrap();
    let (made, token) = house.log_in().await;
    let session = house.access.session(&token).await.unwrap();
    assert_eq!((session.id, &session.account, &session.scope), (made.id, &house.sakura, &made.scope));
    assert_eq!(session.tenant.slug, "hana");
    assert_eq!(session.scope.account(), Some(house.sakura.id));
    assert_eq!(session.scope.campaigns(), &Campaigns::Only(vec![work.id]));
    house.tenant.revoke(house.sakura.id, work.id).await.unwrap();
    let session = house.access.session(&token).await.unwrap();
    assert_eq!(session.scope.campaigns(), &Campaigns::Only(vec![]), "a revoked grant is gone at once");

    let rows = house.access.sessions(house.tenant.id()).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].login.as_str(), rows[0].source.as_str()), ("sakura", "192.0.2.9"));
    let mut ended = house.access.subscribe();
    house.access.log_out(house.tenant.id(), session.id).await.unwrap();
    assert_eq!(ended.try_recv().unwrap(), (house.tenant.id(), session.id));
    assert!(!house.has_session(&token).await);
    assert!(matches!(house.access.log_out(house.tenant.id(), session.id).await, Err(AccessError::NoSession)));
    assert_eq!(house.access.sessions(house.tenant.id()).await.unwrap().len(), 0);
}

#[tokio::test]
async fn whatever_is_wrong_costs_the_same_and_says_the_same() {
    let house = house().await;
    let mut disabled = account("gone", Role::Operator);
    disabled.disabled = true;
    let hash = house.access.hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    house.tenant.account_create(disabled, Some(hash)).await.unwrap();
    house.tenant.account_create(account("phone", Role::Operator), None).await.unwrap();
    house.tenant.account_create(account("broken", Role::Operator), Some("no hash".into())).await.unwrap();
    house.tenant.account_create(account("empty", Role::Operator), Some(String::new())).await.unwrap();
    let long = "x".repeat(100_000);
    let cases = [
        ("hana", "sakura", "Sakura-2027"),
        ("hana", "Sakura", PASSWORD),
        ("hana", "nobody", PASSWORD),
        ("nowhere", "sakura", PASSWORD),
        ("hana", "gone", PASSWORD),
        ("hana", "phone", PASSWORD),
        ("hana", "phone", ""),
        ("hana", "broken", PASSWORD),
        ("hana", "empty", ""),
        ("", "", ""),
        (&long, "sakura", PASSWORD),
        ("hana", &long, PASSWORD),
        ("hana", "sakura", &long),
        ("hana", "sakura' OR 1=1 --", PASSWORD),
        ("hana\0", "sakura\0", "\u{feff}Sakura-2026"),
    ];
    for (tenant, login, password) in cases {
        let before = house.access.inner.hasher.work.load(Ordering::SeqCst);
        let refused = house.access.log_in(attempt(tenant, login, password)).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, AccessError::Denied), "{refused}");
        assert_eq!(refused.to_string(), "wrong login or password");
        let done = house.access.inner.hasher.work.load(Ordering::SeqCst) - before;
        assert_eq!(done, 1, "one hash for {:.20} {:.20}", tenant, login);
    }
    assert_eq!(house.access.sessions(house.tenant.id()).await.unwrap().len(), 0);
}

#[tokio::test]
async fn every_login_is_audited_without_personal_data() {
    let house = house().await;
    let (session, token) = house.log_in().await;
    let _ = house.access.log_in(attempt("hana", "sakura", "Wrong-pass1")).await;
    let _ = house.access.log_in(attempt("hana", "tanaka.sakura@example.jp", PASSWORD)).await;
    let _ = house.access.log_in(attempt("tanaka", "sakura", PASSWORD)).await;
    let rows = house.audit.rows(Some(house.tenant.id()), 0, 10).await.unwrap();
    let outcomes: Vec<_> =
        rows.iter().map(|row| (row.entry.action.as_str(), row.entry.outcome.as_str())).collect();
    assert_eq!(
        outcomes,
        [("session.login", "done"), ("session.login", "refused"), ("session.login", "refused")]
    );
    assert_eq!(rows[0].entry.actor, format!("account:{}", house.sakura.id));
    assert_eq!(rows[0].entry.object, session.id.to_string());
    assert_eq!(rows[1].entry.detail, r#"{"reason":"password"}"#);
    assert_eq!(rows[2].entry.actor, "unknown");
    let appliance = house.audit.rows(None, 0, 10).await.unwrap();
    assert_eq!(appliance.len(), 1);
    for row in rows.iter().chain(&appliance) {
        let text = format!("{row:?}");
        for secret in ["tanaka", "Sakura-2026", "Wrong-pass1", token.as_str()] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(matches!(house.audit.verify(Some(house.tenant.id())).await, Ok(Verdict::Intact { rows: 3, .. })));
}

#[tokio::test]
async fn sessions_end_when_idle_and_when_old() {
    let house = house().await;
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let (_, idle) = house.log_in().await;
    house.fixture.clock.advance(minutes(30));
    assert!(house.has_session(&idle).await, "used in its last moment");
    house.fixture.clock.advance(minutes(29));
    assert!(house.has_session(&idle).await, "its use was noted");
    house.fixture.clock.advance(minutes(31));
    assert!(!house.has_session(&idle).await);

    let (_, busy) = house.log_in().await;
    for _ in 0..36 {
        house.fixture.clock.advance(minutes(20));
        assert!(house.has_session(&busy).await);
    }
    house.fixture.clock.advance(minutes(1));
    assert!(!house.has_session(&busy).await, "12 hours are over");
}

#[tokio::test]
async fn stale_sessions_end_by_themselves() {
    let house = house().await;
    let (session, _) = house.log_in().await;
    let mut ended = house.access.subscribe();
    house.access.end_stale().await;
    assert!(ended.try_recv().is_err());
    house.fixture.clock.advance(Duration::from_secs(30 * 60 + 1));
    assert_eq!(house.access.sessions(house.tenant.id()).await.unwrap().len(), 0, "not even before the sweep");
    house.access.end_stale().await;
    assert_eq!(ended.try_recv().unwrap(), (house.tenant.id(), session.id));
    house.access.end_stale().await;
    assert!(ended.try_recv().is_err(), "once");
}

#[tokio::test]
async fn a_new_password_a_new_role_and_disabling_end_every_session() {
    let house = house().await;
    let id = house.tenant.id();
    for change in ["password", "role", "disabled", "deleted"] {
        let tokens = [house.log_in().await.1, house.log_in().await.1];
        let mut ended = house.access.subscribe();
        let mut changed = house.tenant.account(house.sakura.id).await.unwrap();
        changed.name.push('*');
        house.tenant.account_update(changed.clone()).await.unwrap();
        assert!(house.has_session(&tokens[0]).await, "a new name ends nothing");
        match change {
            "password" => {
                let hash = house.access.hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
                house.tenant.account_set_password(changed.id, hash).await.unwrap();
            }
            "role" => {
                changed.role = Role::Supervisor;
                house.tenant.account_update(changed).await.unwrap();
            }
            "disabled" => {
                changed.disabled = true;
                house.tenant.account_update(changed.clone()).await.unwrap();
                changed.disabled = false;
                house.tenant.account_update(changed).await.unwrap();
            }
            _ => house.tenant.account_delete(changed.id).await.unwrap(),
        }
        for token in &tokens {
            assert!(!house.has_session(token).await, "{change}");
            assert_eq!(ended.try_recv().unwrap().0, id, "{change}");
        }
        assert!(ended.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_login_does_not_outlive_a_change_of_password_meanwhile() {
    let house = house().await;
    let (_, old) = house.tenant.account_login("sakura").await.unwrap().unwrap();
    let hash = house.access.hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    house.tenant.account_set_password(house.sakura.id, hash).await.unwrap();
    let source = "192.0.2.9".parse().unwrap();
    let late = house.access.admit(&house.tenant, house.sakura.clone(), old.unwrap(), source, "").await;
    assert!(matches!(late.map(|_| ()), Err(AccessError::Denied)));
    assert_eq!(house.access.sessions(house.tenant.id()).await.unwrap().len(), 0);
}

#[tokio::test]
async fn too_many_logins_at_once_are_refused() {
    let house = house().await;
    let turns: Vec<_> = (0..password::AT_ONCE + password::WAITING)
        .map(|_| house.access.inner.hasher.turn().unwrap())
        .collect();
    let busy = house.access.log_in(attempt("hana", "sakura", PASSWORD)).await;
    assert!(matches!(busy.map(|_| ()), Err(AccessError::Busy)));
    let busy = house.access.hash(Zeroizing::new(PASSWORD.to_owned())).await;
    assert!(matches!(busy, Err(AccessError::Busy)));
    drop(turns);
    house.log_in().await;
}

#[tokio::test]
async fn a_token_is_kept_as_its_hash_alone_and_opens_its_tenant_only() {
    let house = house().await;
    let mori = house.fixture.tenant("mori").await;
    let (session, token) = house.log_in().await;
    let (other, again) = house.log_in().await;
    assert_ne!(session.id, other.id);
    assert_ne!(*token, *again);
    assert_eq!(token.len(), 76);
    let (tenant, secret) = token.split_once('.').unwrap();
    assert_eq!(tenant, house.tenant.id().0.simple().to_string());
    for wrong in [
        format!("{}.{secret}", mori.id().0.simple()),
        format!("{}.{secret}", Uuid::now_v7().simple()),
        secret.to_owned(),
        format!("{}=", *token),
        token.to_uppercase(),
        token.replace('.', ":"),
        String::new(),
    ] {
        assert!(!house.has_session(&wrong).await, "{wrong}");
    }
    assert!(house.has_session(&token).await);
}

#[tokio::test]
async fn hashes_are_argon2id_of_a_password_that_meets_the_rule() {
    let house = house().await;
    let hash = house.access.hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_ne!(hash, house.access.hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap(), "salted");
    let weak = house.access.hash(Zeroizing::new("password".to_owned())).await;
    assert!(matches!(weak, Err(AccessError::Password(_))));
}

#[tokio::test]
async fn a_store_that_fails_lets_nobody_in() {
    let house = house().await;
    let (_, token) = house.log_in().await;
    house.fixture.store.close().await;
    assert!(matches!(house.access.session(&token).await.map(|_| ()), Err(AccessError::Store(_))));
    let refused = house.access.log_in(attempt("hana", "sakura", PASSWORD)).await;
    assert!(matches!(refused.map(|_| ()), Err(AccessError::Store(_))));
}

proptest! {
    #[test]
    fn any_text_is_read_as_a_token_without_panic(text in "\\PC{0,90}", shaped in "[0-9a-f.]{76}") {
        token::read(&text);
        token::read(&shaped);
        login::cut(&text, 16);
    }
}
