//! The house: every room real, on ports of its own, in a folder of its own.

use crate::access::{self, Access};
use crate::audit::Audit;
use crate::calls::{self, Calls};
use crate::clock::Clock;
use crate::config;
use crate::crm::Crm;
use crate::domain::account::{Account, Role};
use crate::domain::campaign::Sensitivity;
use crate::domain::queue::Queue;
use crate::domain::{AccountId, CampaignId, CustomerId, QueueId, TenantId};
use crate::media::{self, Media};
use crate::queues::Queues;
use crate::recordings::Recordings;
use crate::signalling::{self, Signalling};
use crate::store::fixture::{MASTER, account, campaign};
use crate::store::{MasterKey, Store};
use crate::task::Stopper;
use crate::web::Services;
use crate::web::router::{App, Peer, router};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Whatever a test waits for comes within this.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);
/// Everybody's.
pub(super) const PASSWORD: &str = "Himitsu-4711";
/// What the browser typed.
pub(super) const HOST: &str = "cc.example";

pub(super) struct House {
    pub(super) services: Services,
    pub(super) app: App,
    pub(super) router: Router,
    pub(super) stopper: Stopper,
    _alive: mpsc::Receiver<Infallible>,
    pub(super) hana: Tenant,
    pub(super) kiku: Tenant,
    pub(super) stop: crate::task::Stop,
    pub(super) clock: Clock,
    _dir: tempfile::TempDir,
}

/// One tenant: campaigns `sales` and `support`, a queue and a customer in the first; accounts
/// `op` (sales), `idle` (support), `sv` (sales), `admin`, and `gone`, who is disabled.
pub(super) struct Tenant {
    pub(super) id: TenantId,
    pub(super) slug: &'static str,
    pub(super) sales: CampaignId,
    pub(super) queue: QueueId,
    pub(super) op: AccountId,
    pub(super) customer: CustomerId,
}

pub(super) fn web_config() -> config::Web {
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    config::Web { listen: vec![free], redirect: vec![free], certificate: None, key: None, hosts: vec![] }
}

impl House {
    pub(super) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let (stopper, stop) = Stopper::new();
        let store = Store::open(&dir.path().join("data"), MasterKey::new(MASTER), clock.clone()).unwrap();
        let services = services(&store, &clock, &stop).await;
        let hash = services.access.hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
        let hana = tenant(&services, "hana", &hash).await;
        let kiku = tenant(&services, "kiku", &hash).await;
        let (guard, _alive) = mpsc::channel(1);
        let app = App::new(web_config(), services.clone(), clock.clone(), stop.clone(), guard);
        let router = router(app.clone());
        Self { services, app, router, stopper, _alive, hana, kiku, stop, clock, _dir: dir }
    }

    pub(super) fn anonymous(&self) -> Client {
        Client { router: self.router.clone(), cookie: None }
    }

    pub(super) async fn client(&self, tenant: &Tenant, login: &str) -> Client {
        let mut client = self.anonymous();
        let reply = client.log_in(tenant.slug, login, PASSWORD).await;
        assert_eq!(reply.status, 200, "{login}: {}", reply.text());
        let cookie = reply.headers.get("set-cookie").unwrap().to_str().unwrap();
        client.cookie = cookie.split(';').next().map(str::to_owned);
        client
    }

    pub(super) async fn operator(&self) -> Client {
        self.client(&self.hana, "op").await
    }

    pub(super) async fn supervisor(&self) -> Client {
        self.client(&self.hana, "sv").await
    }
}

async fn services(store: &Store, clock: &Clock, stop: &crate::task::Stop) -> Services {
    let audit = Audit::new(store.clone(), clock.clone());
    let access =
        Access::start(store.clone(), audit.clone(), clock.clone(), access::Limits::default(), stop.clone())
            .unwrap();
    let crm = Crm::new(store.clone(), clock.clone());
    let recordings =
        Recordings::start(store.clone(), audit.clone(), store.data_dir(), clock.clone()).unwrap();
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let browsers = config::Media {
        rtp_ports: (34_000, 34_063),
        browser: free,
        browser_candidates: vec!["127.0.0.1".parse().unwrap()],
    };
    let (media, media_events, _) = Media::start(&browsers, media::Limits::default(), clock.clone()).unwrap();
    let setup = signalling::Setup {
        sip: config::Sip { udp: vec![free], tcp: vec![free], public_address: None },
        limits: config::Limits { calls: 10, invites_per_second: 10, drain_seconds: 1 },
        trunks: watch::channel(Arc::new(Vec::new())).1,
        clock: clock.clone(),
        stop: stop.clone(),
    };
    let sip = Signalling::start(setup).await.unwrap();
    let scopes = access.clone();
    let calls = Calls::start(calls::Parts {
        store: store.clone(),
        signalling: sip.signalling,
        signalling_events: sip.events,
        media: media.clone(),
        media_events,
        recordings: recordings.clone(),
        scopes: Arc::new(move |tenant| scopes.daemon_scope(tenant)),
        clock: clock.clone(),
        stop: stop.clone(),
    });
    let queues = Queues::start(store.clone(), calls.clone(), clock.clone(), stop.clone());
    Services { access, audit, store: store.clone(), crm, recordings, calls, queues, media }
}

async fn tenant(services: &Services, slug: &'static str, hash: &str) -> Tenant {
    let store = &services.store;
    let id = store.create_tenant(slug, "Hana Travel", "JP", "Asia/Tokyo").await.unwrap().id;
    let rooms = store.tenant(id).unwrap();
    let (sales, support) = (campaign("Sales"), campaign("Support"));
    let (sales_id, support_id) = (sales.id, support.id);
    rooms.campaign_create(sales).await.unwrap();
    rooms.campaign_create(support).await.unwrap();
    let people = [
        ("op", Role::Operator, Some(sales_id)),
        ("idle", Role::Operator, Some(support_id)),
        ("sv", Role::Supervisor, Some(sales_id)),
        ("admin", Role::Admin, None),
        ("gone", Role::Operator, Some(sales_id)),
    ];
    let mut ids = Vec::new();
    for (login, role, grant) in people {
        let account = Account { disabled: login == "gone", ..account(login, role) };
        ids.push(account.id);
        rooms.account_create(account.clone(), Some(hash.to_owned())).await.unwrap();
        if let Some(campaign) = grant {
            rooms.grant(account.id, campaign).await.unwrap();
        }
    }
    let queue = QueueId(Uuid::now_v7());
    rooms
        .queue_create(Queue {
            id: queue,
            name: "受付".to_owned(),
            campaign: sales_id,
            sensitivity: Sensitivity::High,
            ring_seconds: 20,
            wrap_up_seconds: 0,
            recorded: true,
            members: vec![ids[0]],
        })
        .await
        .unwrap();
    services.queues.refresh(id).unwrap();
    let all = services.access.control_scope(id);
    let csv = "顧客番号,氏名,電話番号\nA-1,山田 花子,03-5555-0142\n".as_bytes().to_vec();
    services.crm.import(&all, sales_id, "JP", csv, false).await.unwrap();
    let customer = services.crm.search(&all, "山田", 1).await.unwrap()[0].id;
    Tenant { id, slug, sales: sales_id, queue, op: ids[0], customer }
}

/// One browser.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) router: Router,
    /// `name=token`.
    pub(super) cookie: Option<String>,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Client {
    /// A request as our own page makes it.
    pub(super) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::builder().method(method.clone()).uri(path).header("host", HOST);
        if !matches!(method, Method::GET | Method::HEAD) {
            request = request
                .header("origin", format!("https://{HOST}"))
                .header("sec-fetch-site", "same-origin")
                .header("x-bluebean", "1");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request
    }

    pub(super) async fn send(&self, mut request: Request<Body>) -> Reply {
        request.extensions_mut().insert(Peer("192.0.2.7:50000".parse().unwrap()));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body =
            tokio::time::timeout(DEADLINE, axum::body::to_bytes(body, usize::MAX)).await.unwrap().unwrap();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn json(&self, method: &str, path: &str, body: &Value) -> Reply {
        let request = self.request(method, path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(super) async fn log_in(&self, tenant: &str, login: &str, password: &str) -> Reply {
        let body = serde_json::json!({ "tenant": tenant, "login": login, "password": password });
        self.json("POST", "/api/v1/session", &body).await
    }
}

impl Reply {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The error's stable word, or nothing.
    pub(super) fn code(&self) -> String {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        value["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}
