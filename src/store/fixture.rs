//! What tests start from: a store without tenants ([`fixture`]), or a small call centre with one
//! tenant, two campaigns and one operator assigned to the first ([`Centre`]).

use super::{MasterKey, Store, StoreError, TenantStore};
use crate::clock::Clock;
use crate::domain::account::{Account, Role};
use crate::domain::campaign::{Campaign, CampaignStatus, Sensitivity};
use crate::domain::record::CallRecord;
use crate::domain::scope::Campaigns;
use crate::domain::{AccountId, CallId, CampaignId, Scope, TenantId};
use std::sync::Arc;
use uuid::Uuid;

/// When the fixture's clock stands still.
pub(crate) const NOW: i64 = 1_790_000_000_000;

pub(crate) struct Centre {
    pub dir: tempfile::TempDir,
    pub store: Store,
    pub clock: Clock,
    pub tenant: TenantId,
    pub sales: CampaignId,
    pub support: CampaignId,
    pub operator: AccountId,
}

impl Centre {
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::test(NOW);
        let store = Store::open(dir.path(), MasterKey::new([7; 32]), clock.clone()).unwrap();
        let tenant = store.create_tenant("acme", "Acme", "JP", "Asia/Tokyo").await.unwrap().id;
        let [sales, support] = [(); 2].map(|()| CampaignId(Uuid::now_v7()));
        let operator = AccountId(Uuid::now_v7());
        let rooms = store.tenant(tenant).unwrap();
        for (id, name) in [(sales, "Sales"), (support, "Support")] {
            rooms
                .campaign_create(Campaign {
                    id,
                    name: name.into(),
                    status: CampaignStatus::Running,
                    sensitivity: Sensitivity::High,
                    topics: vec!["注文".into()],
                    dispositions: vec!["解決".into()],
                    import_header: Vec::new(),
                    created_at: NOW,
                })
                .await
                .unwrap();
        }
        let account = Account {
            id: operator,
            login: "taro".into(),
            name: "太郎".into(),
            role: Role::Operator,
            sip_contact: None,
            disabled: false,
            created_at: NOW,
        };
        rooms.account_create(account, None).await.unwrap();
        Self { dir, store, clock, tenant, sales, support, operator }
    }

    /// The daemon's reach: the whole tenant.
    #[expect(clippy::disallowed_methods, reason = "a test grants itself what it tests")]
    pub(crate) fn all(&self) -> Scope {
        Scope::granted(self.tenant, None, Role::Admin, Campaigns::All)
    }

    /// The operator's reach: the sales campaign.
    #[expect(clippy::disallowed_methods, reason = "a test grants itself what it tests")]
    pub(crate) fn operator(&self) -> Scope {
        Scope::granted(self.tenant, Some(self.operator), Role::Operator, Campaigns::Only(vec![self.sales]))
    }

    /// The reach of a supervisor of `campaigns`.
    #[expect(clippy::disallowed_methods, reason = "a test grants itself what it tests")]
    pub(crate) fn supervisor(&self, campaigns: &[CampaignId]) -> Scope {
        let campaigns = Campaigns::Only(campaigns.to_vec());
        Scope::granted(self.tenant, Some(AccountId(Uuid::now_v7())), Role::Supervisor, campaigns)
    }

    /// The whole of some other tenant.
    #[expect(clippy::disallowed_methods, reason = "a test grants itself what it tests")]
    pub(crate) fn stranger(&self) -> Scope {
        Scope::granted(TenantId(Uuid::now_v7()), None, Role::Admin, Campaigns::All)
    }

    /// A call of a campaign that the operator answered, begun at `at`; not stored.
    pub(crate) fn call(&self, campaign: CampaignId, at: i64) -> CallRecord {
        CallRecord {
            id: CallId(Uuid::now_v7()),
            caller: "+81355550142".into(),
            called: "0312345678".into(),
            campaign: Some(campaign),
            queue: None,
            customer: None,
            operator: Some(self.operator),
            recording: None,
            started_at: at,
            queued_at: None,
            answered_at: None,
            ended_at: None,
            fate: None,
        }
    }
}

/// An open store in a folder of its own, on a clock that stands still.
pub(crate) struct Fixture {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
}

/// Its master key.
pub(crate) const MASTER: [u8; 32] = [42; 32];

/// A store without tenants.
pub(crate) fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::test(1_800_000_000_000);
    let store = Store::open(&dir.path().join("data"), MasterKey::new(MASTER), clock.clone()).unwrap();
    Fixture { dir, clock, store }
}

impl Fixture {
    /// A tenant, and its database.
    pub(crate) async fn tenant(&self, slug: &str) -> Arc<TenantStore> {
        let tenant = self.store.create_tenant(slug, "Hana Travel", "JP", "Asia/Tokyo").await.unwrap();
        self.store.tenant(tenant.id).unwrap()
    }

    /// The store opened again from its files.
    pub(crate) fn reopen(&self) -> Result<Store, StoreError> {
        Store::open(&self.dir.path().join("data"), MasterKey::new(MASTER), self.clock.clone())
    }
}

pub(crate) fn account(login: &str, role: Role) -> Account {
    Account {
        id: AccountId(Uuid::now_v7()),
        login: login.to_owned(),
        name: "田中 さくら".to_owned(),
        role,
        sip_contact: None,
        disabled: false,
        created_at: 7,
    }
}

pub(crate) fn campaign(name: &str) -> Campaign {
    Campaign {
        id: CampaignId(Uuid::now_v7()),
        name: name.to_owned(),
        status: CampaignStatus::Running,
        sensitivity: Sensitivity::High,
        topics: vec!["予約".to_owned()],
        dispositions: vec!["完了".to_owned()],
        import_header: Vec::new(),
        created_at: 7,
    }
}

#[expect(clippy::disallowed_methods, reason = "a test grants itself what it tests")]
pub(crate) fn scope(tenant: TenantId, campaigns: Campaigns) -> Scope {
    Scope::granted(tenant, None, Role::Admin, campaigns)
}
