//! Start order: what is below stands before what is above opens.

use super::log::Level;
use super::running::Running;
use super::{Options, StartError, certificate, folder};
use crate::access::{self, Access};
use crate::audit::Audit;
use crate::calls::{self, Calls};
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{self, Desk};
use crate::crm::Crm;
use crate::media::{self, Media};
use crate::queues::Queues;
use crate::recordings::Recordings;
use crate::signalling::{self, Signalling};
use crate::store::Store;
use crate::task::{Stop, Stopper};
use crate::web::{self, Services};
use crate::wire::status::Bound;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Starts every room; on failure whatever had started is gone with the process.
pub(super) async fn start(options: &Options, config: Config, level: Level) -> Result<Running, StartError> {
    let signals = super::signals::Signals::listen().map_err(StartError::Signals)?;
    let clock = Clock::system();
    let started_at = clock.unix_millis();
    let (stopper, stop) = Stopper::new();
    let data_dir = &options.data_dir;
    folder::make(data_dir)?;
    let master_key = folder::master_key(options.master_key.as_deref(), data_dir)?;
    let store = Store::open(data_dir, master_key, clock.clone())?;

    let services = services(&store, &config, &clock, &stop).await?;
    let Below { services, trunks, mut bound } = services;

    let (pages, described) = certificate::load(&config.web, data_dir, &clock)?;
    let (certificate, shown) = watch::channel(described);
    let everyone: web::Admit = Arc::new(|_| true);
    let web = web::serve(config.web.clone(), pages, everyone, services.clone(), clock.clone(), stop.clone())
        .await?;
    bound.https.clone_from(&web.https);

    let desk = Desk {
        store: store.clone(),
        access: services.access.clone(),
        audit: services.audit.clone(),
        crm: services.crm.clone(),
        recordings: services.recordings.clone(),
        calls: services.calls.clone(),
        queues: services.queues.clone(),
        trunks: trunks.clone(),
        bound: bound.clone(),
        certificate: shown,
        clock: clock.clone(),
        started_at,
        stop: stop.clone(),
        changes: Semaphore::new(1),
    };
    let control = control::serve(&options.socket, desk).await?;
    folder::write_bound(data_dir, &bound)?;
    announce(&bound);
    Ok(Running {
        options: options.clone(),
        config,
        level,
        clock,
        stopper,
        signals,
        store,
        services,
        trunks,
        certificate,
        web,
        control,
    })
}

/// The services, and what the doors need of them.
struct Below {
    services: Services,
    trunks: watch::Sender<Arc<Vec<crate::domain::route::Trunk>>>,
    bound: Bound,
}

async fn services(store: &Store, config: &Config, clock: &Clock, stop: &Stop) -> Result<Below, StartError> {
    let audit = Audit::new(store.clone(), clock.clone());
    let limits = access::Limits::default();
    let access = Access::start(store.clone(), audit.clone(), clock.clone(), limits, stop.clone())?;
    let crm = Crm::new(store.clone(), clock.clone());
    let recordings = Recordings::start(store.clone(), audit.clone(), store.data_dir(), clock.clone())?;
    close_what_broke_off(store, &recordings, clock).await?;

    let (trunks, admitted) = watch::channel(Arc::new(store.system().trunks().await?));
    let legs = media::Limits { sip_legs: config.limits.calls.saturating_mul(2), ..media::Limits::default() };
    let (media, media_events, browser) = Media::start(&config.media, legs, clock.clone())?;
    let setup = signalling::Setup {
        sip: config.sip.clone(),
        limits: config.limits.clone(),
        trunks: admitted,
        clock: clock.clone(),
        stop: stop.clone(),
    };
    let sip = Signalling::start(setup).await?;
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
    let bound = Bound { https: Vec::new(), sip_udp: sip.udp, sip_tcp: sip.tcp, browser: vec![browser] };
    let store = store.clone();
    let services = Services { access, audit, store, crm, recordings, calls, queues, media };
    Ok(Below { services, trunks, bound })
}

/// A daemon that died left calls open and spools unsealed.
async fn close_what_broke_off(
    store: &Store,
    recordings: &Recordings,
    clock: &Clock,
) -> Result<(), StartError> {
    for tenant in store.tenants() {
        for call in tenant.calls_close_interrupted(clock.unix_millis()).await? {
            tracing::warn!(tenant = %tenant.id(), %call, "call closed as interrupted");
        }
    }
    let recovery = recordings.recover().await?;
    if recovery.recovered + recovery.lost > 0 {
        tracing::warn!(recovered = recovery.recovered, lost = recovery.lost, "recordings recovered");
    }
    Ok(())
}

fn announce(bound: &Bound) {
    let lists = [
        ("https", &bound.https),
        ("sip_udp", &bound.sip_udp),
        ("sip_tcp", &bound.sip_tcp),
        ("browser", &bound.browser),
    ];
    for (what, addresses) in lists {
        for address in addresses {
            tracing::info!(what, %address, "listening");
        }
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "ready");
}
