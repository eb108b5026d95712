use super::fixture::{MASTER, account, campaign, fixture, scope};
use super::*;
use crate::domain::account::Role;
use crate::domain::campaign::Sensitivity;
use crate::domain::queue::Queue;
use crate::domain::route::{Number, Prompt, Trunk};
use crate::domain::scope::Campaigns;
use crate::domain::{AccountId, CampaignId, FlowId, NumberId, PromptId, QueueId, TrunkId};
use uuid::Uuid;

fn queue(name: &str, campaign: CampaignId, members: Vec<AccountId>) -> Queue {
    Queue {
        id: QueueId(Uuid::now_v7()),
        name: name.to_owned(),
        campaign,
        sensitivity: Sensitivity::Low,
        ring_seconds: 20,
        wrap_up_seconds: 30,
        recorded: true,
        members,
    }
}

fn trunk(name: &str, sources: &[&str]) -> Trunk {
    Trunk {
        id: TrunkId(Uuid::now_v7()),
        name: name.to_owned(),
        sources: sources.iter().map(|s| s.parse().unwrap()).collect(),
        created_at: 7,
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let fixture = fixture();
    let hana = fixture.tenant("hana").await;
    let sakura = account("sakura", Role::Operator);
    hana.account_create(sakura.clone(), Some("phc".into())).await.unwrap();
    let work = campaign("旅行予約");
    hana.campaign_create(work.clone()).await.unwrap();
    hana.grant(sakura.id, work.id).await.unwrap();
    let desk = queue("予約窓口", work.id, vec![sakura.id]);
    hana.queue_create(desk.clone()).await.unwrap();
    fixture.store.close().await;

    let store = fixture.reopen().unwrap();
    assert_eq!(store.tenant_by_slug("hana").as_ref(), Some(hana.tenant()));
    assert_eq!(store.system().tenants().await.unwrap(), [hana.tenant().clone()]);
    let hana = store.tenant(hana.id()).unwrap();
    assert_eq!(hana.account_login("sakura").await.unwrap(), Some((sakura.clone(), Some("phc".into()))));
    assert_eq!(hana.grants(sakura.id).await.unwrap(), [work.id]);
    assert_eq!(hana.queue_named("予約窓口").await.unwrap(), Some(desk));
    assert_eq!(hana.campaign_named("旅行予約").await.unwrap(), Some(work));
}

#[tokio::test]
async fn files_are_private_and_hold_nothing_in_clear() {
    let fixture = fixture();
    let hana = fixture.tenant("hana").await;
    hana.account_create(account("sakura-login", Role::Operator), None).await.unwrap();
    fixture.store.close().await;
    let data = fixture.store.data_dir();
    let folder = fixture.store.tenant_dir(hana.id());
    for path in [data, &data.join("tenants"), &folder] {
        assert_eq!(mode(path), 0o700, "{}", path.display());
    }
    for path in [data.join("system.db"), data.join("system.key"), folder.join("tenant.db")] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let bytes = std::fs::read(&path).unwrap();
        for text in [&b"sakura-login"[..], b"hana", b"Hana Travel", b"CREATE TABLE", &MASTER] {
            assert!(!bytes.windows(text.len()).any(|window| window == text), "{} in clear", path.display());
        }
    }
}

#[tokio::test]
async fn another_master_key_opens_nothing() {
    let fixture = fixture();
    fixture.tenant("hana").await;
    fixture.store.close().await;
    let wrong = Store::open(fixture.store.data_dir(), MasterKey::new([1; 32]), fixture.clock.clone());
    assert!(matches!(wrong.map(|_| ()), Err(StoreError::Key(_))));
    std::fs::remove_file(fixture.store.data_dir().join("system.key")).unwrap();
    assert!(matches!(fixture.reopen().map(|_| ()), Err(StoreError::Key(_))), "a lost key is never made anew");
}

#[tokio::test]
async fn two_tenants_share_nothing() {
    let fixture = fixture();
    let (hana, mori) = (fixture.tenant("hana").await, fixture.tenant("mori").await);
    let sakura = account("sakura", Role::Operator);
    hana.account_create(sakura.clone(), None).await.unwrap();
    hana.campaign_create(campaign("旅行予約")).await.unwrap();
    assert_eq!(mori.account_login("sakura").await.unwrap(), None);
    assert!(matches!(mori.account(sakura.id).await, Err(StoreError::NotFound)));
    assert_eq!(mori.accounts().await.unwrap(), []);
    let of_hana = scope(hana.id(), Campaigns::All);
    assert!(matches!(mori.campaigns(&of_hana).await, Err(StoreError::NotFound)));
    assert_eq!(hana.campaigns(&of_hana).await.unwrap().len(), 1);
    assert_eq!(hana.campaigns(&scope(hana.id(), Campaigns::Only(vec![]))).await.unwrap(), []);
    // One tenant's file under the other's name does not open: each has a key of its own.
    fixture.store.close().await;
    let file = |tenant: &TenantStore| fixture.store.tenant_dir(tenant.id()).join("tenant.db");
    std::fs::copy(file(&hana), file(&mori)).unwrap();
    assert!(matches!(fixture.reopen().map(|_| ()), Err(StoreError::Key(_))));
}

#[tokio::test]
async fn a_data_directory_is_opened_once() {
    let fixture = fixture();
    assert!(matches!(fixture.reopen().map(|_| ()), Err(StoreError::InUse(_))));
    fixture.store.close().await;
    fixture.reopen().unwrap();
}

#[tokio::test]
async fn a_slug_is_taken_once() {
    let fixture = fixture();
    fixture.tenant("hana").await;
    let again = fixture.store.create_tenant("hana", "Other", "JP", "Asia/Tokyo").await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    assert_eq!(std::fs::read_dir(fixture.store.data_dir().join("tenants")).unwrap().count(), 1);
}

#[tokio::test]
async fn trunks_never_overlap_and_numbers_route() {
    let fixture = fixture();
    let hana = fixture.tenant("hana").await;
    let system = fixture.store.system();
    let carrier = trunk("carrier", &["192.0.2.0/24", "2001:db8::/32"]);
    system.trunk_create(carrier.clone()).await.unwrap();
    for sources in [["192.0.2.7/32"], ["192.0.0.0/16"], ["2001:db8:1::/48"]] {
        let other = system.trunk_create(trunk("other", &sources)).await;
        assert!(matches!(other, Err(StoreError::Conflict(_))), "{sources:?}");
    }
    let mut other = trunk("other", &["198.51.100.0/24"]);
    system.trunk_create(other.clone()).await.unwrap();
    other.sources = carrier.sources.clone();
    assert!(matches!(system.trunk_update(other.clone()).await, Err(StoreError::Conflict(_))));
    system.trunk_update(carrier.clone()).await.unwrap();
    assert_eq!(system.trunks().await.unwrap().len(), 2);

    let mut number = Number {
        id: NumberId(Uuid::now_v7()),
        number: "+81355550142".to_owned(),
        trunk: carrier.id,
        tenant: hana.id(),
        flow: "main".to_owned(),
    };
    system.number_create(number.clone()).await.unwrap();
    let again = system.number_create(Number { id: NumberId(Uuid::now_v7()), ..number.clone() }).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    let nowhere = Number { id: NumberId(Uuid::now_v7()), trunk: TrunkId(Uuid::now_v7()), ..number.clone() };
    assert!(matches!(system.number_create(nowhere).await, Err(StoreError::NotFound)));
    number.flow = "night".to_owned();
    system.number_update(number.clone()).await.unwrap();
    assert_eq!(system.number_route(carrier.id, "+81355550142").await.unwrap(), Some(number.clone()));
    assert_eq!(system.number_route(other.id, "+81355550142").await.unwrap(), None);
    assert_eq!(system.numbers(Some(hana.id())).await.unwrap(), [number.clone()]);
    assert_eq!(system.numbers(Some(TenantId(Uuid::now_v7()))).await.unwrap(), []);
    assert!(matches!(system.trunk_delete(carrier.id).await, Err(StoreError::Conflict(_))));
    system.number_delete(number.id).await.unwrap();
    system.trunk_delete(carrier.id).await.unwrap();
    assert!(matches!(system.trunk_delete(carrier.id).await, Err(StoreError::NotFound)));
}

#[tokio::test]
async fn queues_keep_their_members() {
    let fixture = fixture();
    let hana = fixture.tenant("hana").await;
    let (a, b) = (account("a", Role::Operator), account("b", Role::Operator));
    hana.account_create(a.clone(), None).await.unwrap();
    hana.account_create(b.clone(), None).await.unwrap();
    let work = campaign("w");
    hana.campaign_create(work.clone()).await.unwrap();
    let mut desk = queue("q", work.id, vec![a.id]);
    hana.queue_create(desk.clone()).await.unwrap();
    desk.members = vec![a.id, b.id];
    desk.recorded = false;
    hana.queue_update(desk.clone()).await.unwrap();
    assert_eq!(hana.queues().await.unwrap(), [desk.clone()]);
    // A member that does not exist undoes the whole change.
    let broken = Queue { members: vec![AccountId(Uuid::now_v7())], ..desk.clone() };
    assert!(matches!(hana.queue_update(broken).await, Err(StoreError::Conflict(_))));
    assert_eq!(hana.queues().await.unwrap(), [desk.clone()]);
    assert!(matches!(hana.campaign_delete(work.id).await, Err(StoreError::Conflict(_))));
    hana.account_delete(a.id).await.unwrap();
    assert_eq!(hana.queue_named("q").await.unwrap().unwrap().members, [b.id]);
    hana.queue_delete(desk.id).await.unwrap();
    hana.campaign_delete(work.id).await.unwrap();
}

#[tokio::test]
async fn flows_are_versioned_and_applying_twice_changes_nothing() {
    let fixture = fixture();
    let hana = fixture.tenant("hana").await;
    let id = || FlowId(Uuid::now_v7());
    let first = hana.flow_apply("main", "a = 1", id(), 1).await.unwrap();
    assert_eq!(first.version, 1);
    assert_eq!(hana.flow_apply("main", "a = 1", id(), 2).await.unwrap(), first);
    let second = hana.flow_apply("main", "a = 2", id(), 3).await.unwrap();
    assert_eq!(second.version, 2);
    let night = hana.flow_apply("night", "a = 1", id(), 4).await.unwrap();
    assert_eq!(hana.flow_current("main").await.unwrap(), Some(second.clone()));
    assert_eq!(hana.flows().await.unwrap(), [second, night]);
    assert_eq!(hana.flow_current("none").await.unwrap(), None);
}

#[tokio::test]
async fn a_replaced_prompt_is_heard_at_once() {
    let fixture = fixture();
    let hana = fixture.tenant("hana").await;
    let prompt =
        |at| Prompt { id: PromptId(Uuid::now_v7()), name: "hello".into(), duration_ms: 1, updated_at: at };
    let first = hana.prompt_put(prompt(1), b"wav".to_vec(), vec![1, 0, 0xff, 0xff]).await.unwrap();
    let audio = hana.prompt_rendering("hello").await.unwrap().unwrap();
    assert_eq!(*audio, [1, -1]);
    let cached = hana.prompt_rendering("hello").await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&audio, &cached), "from memory");
    let second = hana.prompt_put(prompt(2), b"wav2".to_vec(), vec![2, 0]).await.unwrap();
    assert_eq!((second.id, second.updated_at), (first.id, 2));
    assert_eq!(*hana.prompt_rendering("hello").await.unwrap().unwrap(), [2]);
    assert_eq!(hana.prompt_source("hello").await.unwrap(), Some(b"wav2".to_vec()));
    hana.prompt_delete(first.id).await.unwrap();
    assert_eq!(hana.prompt_rendering("hello").await.unwrap(), None);
    assert_eq!(hana.prompts().await.unwrap(), []);
}
